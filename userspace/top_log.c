// SPDX-License-Identifier: GPL-2.0
/*
 * top_log.c - what was found while `headway top` runs, in the words of `headway watch`.
 *
 * A finding is put into words when it is announced: later its process may be gone, and with it all
 * names.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "out.h"
#include "top.h"

char *headway_top_finding_text(const struct headway_finding *f, struct headway_names *names)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	headway_out_text_finding(out, names, f, false);
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

void headway_top_log_add(struct headway_top *t, const struct headway_finding *f,
			 struct headway_names *names)
{
	struct headway_top_found *found = &t->found[t->nr_found % HEADWAY_TOP_LOG_LEN];

	free(found->text);
	*found = (struct headway_top_found){
		.text = headway_top_finding_text(f, names),
		.kernel = f->source == HEADWAY_SOURCE_KERNEL,
	};
	memcpy(found->domain, f->domain, sizeof(found->domain));
	t->nr_found++;
}

static const struct headway_top_found *found_before(const struct headway_top *t, size_t ago)
{
	return ago < t->nr_found && ago < HEADWAY_TOP_LOG_LEN ?
	       &t->found[(t->nr_found - 1 - ago) % HEADWAY_TOP_LOG_LEN] : NULL;
}

void headway_top_log_page(struct headway_top *t)
{
	const struct headway_top_found *f;

	headway_top_page_clear(&t->log);
	headway_top_line(&t->log, HEADWAY_TINT_NONE, t->nr_found ?
			 "%zu findings so far, the newest first." : "Nothing was found so far.",
			 t->nr_found);
	for (size_t i = 0; (f = found_before(t, i)); i++) {
		headway_top_section(&t->log, "FINDING %zu", t->nr_found - i);
		headway_top_text(&t->log, f->text ? f->text : "(out of memory)");
	}
}

const char *headway_top_log_about(const struct headway_top *t, const char *domain)
{
	const struct headway_top_found *f;
	char name[HEADWAY_TOP_NAME_LEN + 1];

	for (size_t i = 0; (f = found_before(t, i)); i++)
		if (f->kernel && !strcmp(headway_escape(f->domain, sizeof(f->domain), name,
							sizeof(name)), domain))
			return f->text;
	return NULL;
}

void headway_top_log_free(struct headway_top *t)
{
	for (size_t i = 0; i < HEADWAY_TOP_LOG_LEN; i++)
		free(t->found[i].text);
	headway_top_page_free(&t->log);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * report_kernel.c - what a report has beside that of processes: what the kernel's domains and
 * watched loops did, and what was found in them.
 *
 * Invariants: a finding is made into JSON when it comes, as its names are gone later; its times are
 * by the report's clock; cells are those of the report's columns, and become one when those do.
 */
#include "report_kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jsonvalue.h"
#include "out.h"
#include "report_kernel_locks.h"
#include "window.h"

enum { MAX_FINDINGS = 256, MAX_DOMAINS = 64 };

struct kernel_finding {
	uint64_t at_ns;
	uint64_t until_ns;		/* the last look at which it held */
	uint64_t latency_ns;
	bool over;
	bool is_loop;
	enum headway_verdict verdict;
	char name[HEADWAY_DOMAIN_LEN];
	struct json_object *json;
};

struct cell {
	uint64_t attempts;
	uint64_t commits;
	uint64_t rollbacks;
	bool judged;
	enum headway_verdict verdict;	/* the worst */
};

struct domain {
	char name[HEADWAY_DOMAIN_LEN];
	bool is_loop;
	struct cell last;		/* all that it had counted at the last look */
	struct cell *cells;		/* HEADWAY_REPORT_COLUMNS of them */
};

struct headway_report_kernel {
	size_t nr;
	struct kernel_finding findings[MAX_FINDINGS];
	size_t nr_domains;
	struct domain domains[MAX_DOMAINS];
	struct headway_report_kernel_locks *locks;
	size_t merge;			/* intervals in a column of ours: as the report's */
	uint64_t left_out;
};

struct headway_report_kernel *headway_report_kernel_new(void)
{
	struct headway_report_kernel *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->merge = 1;
	k->locks = headway_report_kernel_locks_new();
	if (k->locks)
		return k;
	free(k);
	return NULL;
}

void headway_report_kernel_free(struct headway_report_kernel *kernel)
{
	for (size_t i = 0; kernel && i < kernel->nr; i++)
		json_object_put(kernel->findings[i].json);
	for (size_t i = 0; kernel && i < kernel->nr_domains; i++)
		free(kernel->domains[i].cells);
	if (kernel)
		headway_report_kernel_locks_free(kernel->locks);
	free(kernel);
}

struct json_object *headway_report_meaning(enum headway_verdict v)
{
	const char *meaning = headway_verdict_meaning(v);

	return meaning ? json_text(meaning) : NULL;
}

/* --- findings --------------------------------------------------------------------------------- */

void headway_report_kernel_add(struct headway_report_kernel *kernel,
			       const struct headway_finding *f, struct headway_names *names,
			       uint64_t now_ns)
{
	struct kernel_finding *k = &kernel->findings[kernel->nr];

	if (kernel->nr == MAX_FINDINGS)
		return;
	*k = (struct kernel_finding){
		.at_ns = now_ns, .until_ns = now_ns, .latency_ns = f->latency_ns,
		.is_loop = f->is_loop, .verdict = f->verdict,
		.json = headway_json_finding(names, f),
	};
	memcpy(k->name, f->domain, sizeof(k->name));
	kernel->nr++;
	headway_report_kernel_locks_finding(kernel->locks, f, names);
}

static void follow_findings(struct headway_report_kernel *kernel,
			    const struct headway_kernel_source *s, uint64_t now_ns)
{
	for (size_t i = 0; i < kernel->nr; i++) {
		struct kernel_finding *f = &kernel->findings[i];

		if (f->over || f->is_loop != s->is_loop ||
		    strncmp(f->name, s->name, sizeof(f->name)))
			continue;
		if (f->verdict == s->verdict)
			f->until_ns = now_ns;
		else
			f->over = true;
	}
}

void headway_report_kernel_findings(const struct headway_report_kernel *kernel, uint64_t began_ns,
				  struct json_object *array)
{
	for (size_t i = 0; kernel && i < kernel->nr; i++) {
		const struct kernel_finding *k = &kernel->findings[i];
		uint64_t at_ns = k->at_ns > began_ns ? k->at_ns - began_ns : 0;
		uint64_t first_ns = at_ns > k->latency_ns ? at_ns - k->latency_ns : 0;

		if (!k->json)
			continue;
		json_add(k->json, "meaning", headway_report_meaning(k->verdict));
		json_add(k->json, "first_seen_s", json_seconds(first_ns));
		json_add(k->json, "at_s", json_seconds(at_ns));
		json_add(k->json, "until_s", json_seconds(k->until_ns > began_ns ?
							  k->until_ns - began_ns : 0));
		json_add(k->json, "over", json_object_new_boolean(k->over));
		json_object_array_add(array, json_object_get(k->json));
	}
}

/* --- domains ---------------------------------------------------------------------------------- */

static void add_cell(struct cell *to, const struct cell *c)
{
	to->attempts += c->attempts;
	to->commits += c->commits;
	to->rollbacks += c->rollbacks;
	to->judged |= c->judged;
	if (c->verdict > to->verdict)
		to->verdict = c->verdict;
}

/* As the report has done with its columns. */
static void halve(struct headway_report_kernel *kernel)
{
	for (size_t d = 0; d < kernel->nr_domains; d++) {
		struct cell *cells = kernel->domains[d].cells;

		for (size_t i = 0; i < HEADWAY_REPORT_COLUMNS / 2; i++) {
			struct cell both = cells[2 * i];

			add_cell(&both, &cells[2 * i + 1]);
			cells[i] = both;
		}
		memset(cells + HEADWAY_REPORT_COLUMNS / 2, 0,
		       sizeof(*cells) * HEADWAY_REPORT_COLUMNS / 2);
	}
	headway_report_kernel_locks_halve(kernel->locks);
	kernel->merge *= 2;
}

/* NULL: no room (*left_out) or no memory. */
static struct domain *domain_of(struct headway_report_kernel *kernel,
				const struct headway_kernel_source *s, bool *left_out)
{
	struct domain *d;

	*left_out = false;
	for (size_t i = 0; i < kernel->nr_domains; i++) {
		d = &kernel->domains[i];
		if (d->is_loop == s->is_loop && !strncmp(d->name, s->name, sizeof(d->name) - 1))
			return d;
	}
	*left_out = kernel->nr_domains == MAX_DOMAINS;
	if (*left_out)
		return NULL;
	d = &kernel->domains[kernel->nr_domains];
	*d = (struct domain){
		.is_loop = s->is_loop, .cells = calloc(HEADWAY_REPORT_COLUMNS, sizeof(*d->cells)),
		/* What it did before it was seen first is not of the watch. */
		.last = {
			.attempts = s->total_attempts, .commits = s->total_commits,
			.rollbacks = s->total_rollbacks,
		},
	};
	if (!d->cells)
		return NULL;
	snprintf(d->name, sizeof(d->name), "%s", s->name);
	kernel->nr_domains++;
	return d;
}

static void take_source(struct domain *d, const struct headway_kernel_source *s,
			const struct headway_report *r)
{
	struct cell c = {
		.attempts = headway_grown(s->total_attempts, d->last.attempts),
		.commits = headway_grown(s->total_commits, d->last.commits),
		.rollbacks = headway_grown(s->total_rollbacks, d->last.rollbacks),
		.judged = s->window_ns != 0, .verdict = s->verdict,
	};

	d->last = (struct cell){
		.attempts = s->total_attempts, .commits = s->total_commits,
		.rollbacks = s->total_rollbacks,
	};
	if (r->nr_columns)
		add_cell(&d->cells[r->nr_columns - 1], &c);
}

/* Those files that were read at this look: the others the recording has not. */
static int take_locks(struct headway_report_kernel *k, const struct headway_report *r,
		      struct headway_kernel_watch *w, const struct headway_kernel_source *s)
{
	struct headway_text text;
	int err = 0;

	if (!s->is_loop && !headway_kernel_watch_read(w, s->name, false, "locks", &text)) {
		err = headway_report_kernel_locks_take(k->locks, r, s->name, &text);
		headway_text_free(&text);
	}
	if (!s->is_loop && !headway_kernel_watch_read(w, s->name, false, "transactions", &text)) {
		headway_report_kernel_locks_waits(k->locks, s->name, &text);
		headway_text_free(&text);
	}
	return err;
}

int headway_report_kernel_look(struct headway_report_kernel *k, struct headway_report *r,
			       struct headway_kernel_watch *w, uint64_t now_ns)
{
	struct headway_kernel_source s;
	int err = 0;

	while (k->merge < r->merge)
		halve(k);
	for (size_t i = 0; !err && headway_kernel_watch_source(w, i, &s); i++) {
		bool left_out;
		struct domain *d = domain_of(k, &s, &left_out);

		follow_findings(k, &s, now_ns);
		if (s.window_ns)
			headway_report_judge(r, s.verdict);
		if (d)
			take_source(d, &s, r);
		else if (left_out)
			k->left_out++;
		else
			err = -ENOMEM;
		if (!err)
			err = take_locks(k, r, w, &s);
	}
	return err;
}

static struct json_object *domain_json(const struct domain *d, const struct headway_report *r)
{
	struct json_object *attempts = json_object_new_array();
	struct json_object *completions = json_object_new_array();
	struct json_object *rollbacks = json_object_new_array();
	struct json_object *states = json_object_new_array(), *o = json_object_new_object();

	for (size_t i = 0; i < r->nr_columns; i++) {
		const struct cell *c = &d->cells[i];

		json_object_array_add(attempts, json_count(c->attempts));
		json_object_array_add(completions, json_count(c->commits));
		json_object_array_add(rollbacks, json_count(c->rollbacks));
		json_object_array_add(states, c->judged ?
				      json_text(headway_verdict_name(c->verdict)) : NULL);
	}
	json_add(o, "kind", json_text(d->is_loop ? "loop" : "domain"));
	json_add(o, "name", json_escaped(d->name, sizeof(d->name)));
	json_add(o, "attempts", attempts);
	json_add(o, "completions", completions);
	json_add(o, "rollbacks", rollbacks);
	json_add(o, "states", states);
	return o;
}

struct json_object *headway_report_kernel_domains(const struct headway_report_kernel *k,
						  const struct headway_report *r)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; k && i < k->nr_domains; i++)
		json_object_array_add(array, domain_json(&k->domains[i], r));
	return array;
}

void headway_report_kernel_add_locks(const struct headway_report_kernel *k,
				     const struct headway_report *r, struct json_object *report)
{
	if (k)
		headway_report_kernel_locks_json(k->locks, r, report);
}

uint64_t headway_report_kernel_left_out(const struct headway_report_kernel *k)
{
	return k ? k->left_out : 0;
}

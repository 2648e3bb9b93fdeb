// SPDX-License-Identifier: GPL-2.0
/*
 * journal.c - findings as entries of the systemd journal.
 *
 * Invariant: values are escaped as in the other views. OBJECT_PID makes the journal add what it
 * knows of the process, its unit included, so that `journalctl -u UNIT` shows what was found in it.
 */
#define _GNU_SOURCE
#include "journal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>

#define SD_JOURNAL_SUPPRESS_LOCATION	/* the line of this file says nothing about a finding */
#include <systemd/sd-journal.h>

#include "escape.h"
#include "out.h"

#define SOCKET "/run/systemd/journal/socket"

enum { FIXED_FIELDS = 16 };

struct entry {
	struct iovec fields[FIXED_FIELDS + HEADWAY_FINDING_LOCKS + 2 * HEADWAY_FINDING_SENTENCES];
	int nr;
	bool failed;
};

int headway_journal_check(void)
{
	struct stat st;

	return stat(SOCKET, &st) ? -errno : 0;
}

__attribute__((format(printf, 2, 3)))
static void add(struct entry *e, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		e->failed = true;
		return;
	}
	e->fields[e->nr++] = (struct iovec){ .iov_base = text, .iov_len = (size_t)len };
}

static void add_sentences(struct entry *e, struct headway_names *names,
			  const struct headway_finding *f, const char *field, unsigned int nr,
			  const char list[][HEADWAY_SENTENCE_LEN])
{
	char text[4096];

	for (unsigned int i = 0; i < nr; i++) {
		headway_names_sentence(names, (pid_t)f->pid, list[i], text, sizeof(text));
		add(e, "%s=%s", field, text);
	}
}

/* All of it, as --json prints it. */
static void add_json(struct entry *e, struct headway_names *names, const struct headway_finding *f)
{
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);
	int err;

	if (!out) {
		e->failed = true;
		return;
	}
	err = headway_out_json_finding(out, names, f);
	if (fclose(out) || err) {
		e->failed = true;
		return;
	}
	add(e, "HEADWAY_JSON=%.*s", (int)strcspn(text, "\n"), text);
	free(text);
}

static void add_place(struct entry *e, const struct headway_finding *f)
{
	char name[4 * HEADWAY_DOMAIN_LEN + 1];

	if (f->source == HEADWAY_SOURCE_KERNEL) {
		headway_escape(f->domain, sizeof(f->domain), name, sizeof(name));
		add(e, "MESSAGE=%s (%s) in kernel %s %s: %llu attempts, %llu completions in %.1f s",
		    headway_verdict_name(f->verdict), headway_confidence_name(f->confidence),
		    f->is_loop ? "loop" : "domain", name, (unsigned long long)f->attempts,
		    (unsigned long long)f->completions, (double)f->window_ns / 1e9);
		add(e, "HEADWAY_DOMAIN=%s", name);
		return;
	}
	headway_escape(f->comm, sizeof(f->comm), name, sizeof(name));
	add(e, "MESSAGE=%s (%s) in process %u (%s): %llu attempts, %llu completions in %.1f s",
	    headway_verdict_name(f->verdict), headway_confidence_name(f->confidence), f->pid, name,
	    (unsigned long long)f->attempts, (unsigned long long)f->completions,
	    (double)f->window_ns / 1e9);
	add(e, "HEADWAY_PID=%u", f->pid);
	add(e, "HEADWAY_COMM=%s", name);
	add(e, "OBJECT_PID=%u", f->pid);
}

int headway_journal_finding(struct headway_names *names, const struct headway_finding *f)
{
	char lock[HEADWAY_NAME_LEN];
	struct entry e = { .nr = 0 };
	int err = -ENOMEM;

	add_place(&e, f);
	add(&e, "MESSAGE_ID=" HEADWAY_JOURNAL_ID);
	add(&e, "PRIORITY=%d", f->verdict > HEADWAY_TRANSIENT ? LOG_WARNING : LOG_NOTICE);
	add(&e, "SYSLOG_IDENTIFIER=headway");
	add(&e, "HEADWAY_VERDICT=%s", headway_verdict_name(f->verdict));
	add(&e, "HEADWAY_CONFIDENCE=%s", headway_confidence_name(f->confidence));
	add(&e, "HEADWAY_SOURCE=%s", headway_source_name(f->source));
	add(&e, "HEADWAY_WINDOW_S=%.3f", (double)f->window_ns / 1e9);
	add(&e, "HEADWAY_ATTEMPTS=%llu", (unsigned long long)f->attempts);
	add(&e, "HEADWAY_COMPLETIONS=%llu", (unsigned long long)f->completions);
	for (unsigned int i = 0; i < f->nr_locks; i++) {
		headway_names_lock(names, (pid_t)f->pid, f->locks[i].addr, lock, sizeof(lock));
		add(&e, "HEADWAY_LOCK=%s", lock);
	}
	add_sentences(&e, names, f, "HEADWAY_EVIDENCE", f->nr_evidence, f->evidence);
	add_sentences(&e, names, f, "HEADWAY_ADVICE", f->nr_advice, f->advice);
	add_json(&e, names, f);
	if (!e.failed)
		err = sd_journal_sendv(e.fields, e.nr);
	for (int i = 0; i < e.nr; i++)
		free(e.fields[i].iov_base);
	return err;
}

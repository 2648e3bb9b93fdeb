// SPDX-License-Identifier: GPL-2.0
/*
 * top_domain.c - of the page about a domain or watched loop of headway.ko: who waits for whom,
 * transactions or actors with their stacks, locks, histograms, and the finding.
 *
 * All is the module's (kmod/debugfs.md): nothing is computed here but sums over a histogram's
 * lines.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "histogram.h"
#include "kernel_watch.h"
#include "stat.h"
#include "top.h"

enum { MAX_ROWS = 100, MAX_STACKS = 16, MAX_WAITS = 256 };

int headway_top_read_file(struct headway_top *t, const char *file, struct headway_text *text)
{
	struct headway_kernel_watch *k = t->scene->kernel;
	const struct headway_top_row *about = &t->about;
	int err;

	if (about->source == HEADWAY_TOP_ARBITER)
		err = headway_kernel_watch_read_arbiter(k, about->name, file, text);
	else
		err = headway_kernel_watch_read(k, about->name, about->source == HEADWAY_TOP_LOOP,
						file, text);
	if (err)
		headway_top_line(&t->page, HEADWAY_TINT_WARN, "  %s",
				 headway_kernel_watch_error(k));
	return err;
}

static void add_more(struct headway_top *t, size_t nr)
{
	if (nr > MAX_ROWS)
		headway_top_line(&t->page, HEADWAY_TINT_DIM, "  ... and %zu more", nr - MAX_ROWS);
}

/* --- who waits for whom ----------------------------------------------------------------------- */

static void draw_edges(struct headway_top *t, struct headway_text *text,
		       const struct headway_top_edges *edges)
{
	size_t nr = text->nr_records < MAX_WAITS ? text->nr_records : MAX_WAITS;
	struct headway_top_wait *waits = calloc(nr, sizeof(*waits));

	if (!waits) {
		t->page.failed = true;
		return;
	}
	for (size_t i = 0; i < nr; i++)
		edges->read(&waits[i], &text->records[i]);
	headway_top_waits(&t->page, waits, nr, edges->name, text);
	free(waits);
}

void headway_top_graph(struct headway_top *t, const struct headway_top_edges *edges)
{
	struct headway_text text;

	headway_top_section(&t->page, "WHO WAITS FOR WHOM");
	if (headway_top_read_file(t, "graph", &text))
		return;
	if (text.nr_records)
		draw_edges(t, &text, edges);
	else
		headway_top_line(&t->page, HEADWAY_TINT_DIM, "  Nobody waits for another.");
	headway_text_free(&text);
}

static const char *task_name(void *ctx, uint32_t pid, char *out, size_t len)
{
	const struct headway_text *text = ctx;

	snprintf(out, len, "%u", pid);
	for (size_t i = 0; i < text->nr_records; i++) {
		const struct headway_record *r = &text->records[i];

		if (stat_u64(r, "waiter_pid") == pid)
			snprintf(out, len, "%s (%u)", stat_str(r, "waiter"), pid);
		else if (stat_u64(r, "holder_pid") == pid)
			snprintf(out, len, "%s (%u, %s)", stat_str(r, "holder"), pid,
				 stat_str(r, "holder_state"));
		else
			continue;
		break;
	}
	return out;
}

static void read_edge(struct headway_top_wait *w, const struct headway_record *r)
{
	w->waiter = (uint32_t)stat_u64(r, "waiter_pid");
	w->holder = (uint32_t)stat_u64(r, "holder_pid");
	snprintf(w->how, sizeof(w->how), "waits for %.64s for %.1f ms", stat_str(r, "lock"),
		 (double)stat_u64(r, "wait_ns") / 1e6);
}

static const struct headway_top_edges task_edges = { .read = read_edge, .name = task_name };

/* --- transactions, actors --------------------------------------------------------------------- */

/* False: it has none. */
static bool add_stack(struct headway_top *t, const struct headway_record *r)
{
	const char *stack = stat_str(r, "stack"), *end;

	if (!strcmp(stack, "-") || !strcmp(stack, "?"))
		return false;
	headway_top_line(&t->page, HEADWAY_TINT_NONE, "  %s (%s)", stat_str(r, "comm"),
			 stat_str(r, "pid"));
	for (bool first = true;; first = false, stack = end + 2) {
		end = strstr(stack, "<-");
		headway_top_line(&t->page, HEADWAY_TINT_DIM, "    %s %.*s", first ? "at" : "  ",
				 end ? (int)(end - stack) : (int)strlen(stack), stack);
		if (!end)
			return true;
	}
}

static void add_stacks(struct headway_top *t, const struct headway_text *text)
{
	bool any = false;

	headway_top_section(&t->page, "KERNEL STACKS");
	for (size_t i = 0; i < text->nr_records && i < MAX_STACKS; i++)
		any |= add_stack(t, &text->records[i]);
	if (!any)
		headway_top_line(&t->page, HEADWAY_TINT_DIM,
				 "  None: only who sleeps for a lock or before a retry has one.");
}

static void add_transaction(struct headway_top *t, const struct headway_record *r)
{
	char what[160] = "";

	if (stat_u64(r, "waiting"))
		snprintf(what, sizeof(what), "%.64s, held by %.31s (%.10s), for %.1f ms",
			 stat_str(r, "lock"), stat_str(r, "holder"), stat_str(r, "holder_pid"),
			 (double)stat_u64(r, "wait_ns") / 1e6);
	else if (stat_u64(r, "backing_off"))
		snprintf(what, sizeof(what), "backs off before a retry");
	headway_top_line(&t->page, HEADWAY_TINT_NONE, "  %10s %-15s %8s %5s %8s %9.1f %3s  %s",
			 stat_str(r, "pid"), stat_str(r, "comm"), stat_str(r, "ticket"),
			 stat_str(r, "held"), stat_str(r, "restarts"),
			 (double)stat_u64(r, "age_ns") / 1e6, stat_u64(r, "wounded") ? "yes" : "no",
			 what);
}

static void add_transactions(struct headway_top *t)
{
	struct headway_text text;

	headway_top_section(&t->page, "TRANSACTIONS that met a conflict");
	if (headway_top_read_file(t, "transactions", &text))
		return;
	headway_top_table_head(&t->page, "  %10s %-15s %8s %5s %8s %9s %3s  %s", "PID", "NAME",
			       "TICKET", "HOLDS", "RESTARTS", "AGE ms", "WND", "WAITS FOR");
	for (size_t i = 0; i < text.nr_records && i < MAX_ROWS; i++)
		add_transaction(t, &text.records[i]);
	add_more(t, text.nr_records);
	add_stacks(t, &text);
	headway_text_free(&text);
}

static void add_actors(struct headway_top *t)
{
	struct headway_text text;

	headway_top_section(&t->page, "ACTORS that failed a few times");
	if (headway_top_read_file(t, "actors", &text))
		return;
	headway_top_table_head(&t->page, "  %10s %-15s %8s %11s %11s", "PID", "NAME", "RESTARTS",
			       "FAILING ms", "ATTEMPT ms");
	for (size_t i = 0; i < text.nr_records && i < MAX_ROWS; i++) {
		const struct headway_record *r = &text.records[i];

		headway_top_line(&t->page, HEADWAY_TINT_NONE, "  %10s %-15s %8s %11.1f %11.1f",
				 stat_str(r, "pid"), stat_str(r, "comm"), stat_str(r, "restarts"),
				 (double)stat_u64(r, "failing_ns") / 1e6,
				 (double)stat_u64(r, "attempt_ns") / 1e6);
	}
	add_more(t, text.nr_records);
	add_stacks(t, &text);
	headway_text_free(&text);
}

/* --- locks ------------------------------------------------------------------------------------ */

static int compare_contentions(const void *a, const void *b)
{
	uint64_t x = stat_u64(a, "contentions"), y = stat_u64(b, "contentions");

	return (x < y) - (x > y);
}

/* "-" where nothing was timed. */
static const char *average_us(const struct headway_record *r, const char *count,
			      const char *average_ns, char *out, size_t len)
{
	if (!stat_u64(r, count))
		return "-";
	snprintf(out, len, "%.1f", (double)stat_u64(r, average_ns) / 1e3);
	return out;
}

static void add_lock(struct headway_top *t, const struct headway_record *r, uint64_t most)
{
	uint64_t contentions = stat_u64(r, "contentions");
	char bar[4 * 12 + 1], wait[24], hold[24];

	headway_top_bar(&t->page, most ? (double)contentions / (double)most : 0, 12, bar,
			sizeof(bar));
	headway_top_line(&t->page, HEADWAY_TINT_NONE,
			 "  %-20.31s %12s %11s %9s %11s %11s %7s  %-15s %s",
			 stat_str(r, "name"), stat_str(r, "acquisitions"),
			 stat_str(r, "contentions"), stat_str(r, "rollbacks"),
			 average_us(r, "waittime-count", "waittime-avg_ns", wait, sizeof(wait)),
			 average_us(r, "holdtime-samples", "holdtime-avg_ns", hold, sizeof(hold)),
			 stat_str(r, "waiters"),
			 stat_str(r, "holder"), bar);
}

static void add_locks(struct headway_top *t)
{
	struct headway_text text;

	headway_top_section(&t->page, "LOCKS, the most contended first");
	if (headway_top_read_file(t, "locks", &text))
		return;
	if (text.nr_records)
		qsort(text.records, text.nr_records, sizeof(*text.records), compare_contentions);
	headway_top_table_head(&t->page, "  %-20s %12s %11s %9s %11s %11s %7s  %-15s %s", "LOCK",
			       "ACQUISITIONS", "CONTENTIONS", "ROLLBACKS", "WAIT AVG us",
			       "HOLD AVG us", "WAITERS", "HOLDER", "CONTENTIONS");
	for (size_t i = 0; i < text.nr_records && i < MAX_ROWS; i++)
		add_lock(t, &text.records[i], stat_u64(&text.records[0], "contentions"));
	add_more(t, text.nr_records);
	headway_text_free(&text);
}

/* Of all locks of the domain together. */
static void add_histogram(struct headway_top *t, const struct headway_text *text, const char *kind,
			  const char *title)
{
	uint64_t buckets[HEADWAY_LOG2_BUCKETS] = { 0 };
	uint64_t count = headway_histogram_sum(buckets, text, kind);

	if (!count)
		return;
	headway_top_section(&t->page, "%s (%" PRIu64 ", all locks)", title, count);
	headway_top_histogram(&t->page, buckets, HEADWAY_LOG2_BUCKETS);
}

static void add_histograms(struct headway_top *t)
{
	struct headway_text text;

	if (headway_top_read_file(t, "histograms", &text))
		return;
	add_histogram(t, &text, "wait", "WAIT TIMES");
	add_histogram(t, &text, "hold", "HOLD TIMES, a sample");
	headway_text_free(&text);
}

void headway_top_domain_page(struct headway_top *t)
{
	const char *found = headway_top_log_about(t, t->about.name);

	if (t->about.source == HEADWAY_TOP_DOMAIN) {
		headway_top_graph(t, &task_edges);
		add_transactions(t);
		add_locks(t);
		add_histograms(t);
	} else {
		add_actors(t);
	}
	if (!found)
		return;
	headway_top_section(&t->page, "LAST FINDING");
	headway_top_text(&t->page, found);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * top_process.c - of the page about a process: who waits for whom, threads, locks, stacks, and the
 * finding that holds.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "activity.h"
#include "escape.h"
#include "names.h"
#include "top.h"
#include "top_columns.h"

enum {
	MAX_THREADS = 200,
	MAX_LOCKS = 100,
	MAX_WAITS = 256,
	MAX_STACKS = 16,
	BAR_WIDTH = 16,
	BUCKETS = 40,
	NAME_WIDTH = 24,
};

struct details {
	struct headway_top *top;
	struct headway_top_page *page;
	struct headway_names *names;
	struct headway_activity activity;
	pid_t pid;
};

static const struct headway_activity_thread *thread_of(const struct details *d, uint32_t tid)
{
	const struct headway_activity *a = &d->activity;

	for (size_t i = 0; i < a->nr_threads; i++)
		if (a->threads[i].tid == tid)
			return &a->threads[i];
	return NULL;
}

/* "thread 12 (name)" */
static const char *thread_name(void *ctx, uint32_t tid, char *out, size_t len)
{
	const struct headway_activity_thread *t = thread_of(ctx, tid);
	char who[32], comm[4 * HEADWAY_COMM_LEN + 1];

	headway_names_thread(tid, who, sizeof(who));
	if (t)
		snprintf(out, len, "%s (%s)", who,
			 headway_escape(t->comm, sizeof(t->comm), comm, sizeof(comm)));
	else
		snprintf(out, len, "%s", who);
	return out;
}

static const char *lock_name(const struct details *d, uint64_t addr, char *out, size_t len)
{
	headway_names_lock(d->names, d->pid, addr, out, len);
	return out;
}

static void add_waits(struct details *d)
{
	const struct headway_activity *a = &d->activity;
	struct headway_top_wait *waits;
	size_t nr = a->nr_edges < MAX_WAITS ? a->nr_edges : MAX_WAITS;
	char name[HEADWAY_NAME_LEN];

	headway_top_section(d->page, "WHO WAITS FOR WHOM");
	if (!nr) {
		headway_top_line(d->page, HEADWAY_TINT_DIM,
				 "  Nobody is seen to wait for another.");
		return;
	}
	waits = calloc(nr, sizeof(*waits));
	if (!waits) {
		d->page->failed = true;
		return;
	}
	for (size_t i = 0; i < nr; i++) {
		const struct headway_activity_edge *e = &a->edges[i];

		waits[i] = (struct headway_top_wait){ e->waiter_tid, e->holder_tid, "" };
		snprintf(waits[i].how, sizeof(waits[i].how), "%s %.120s",
			 e->blocked ? "sleeps on" : "tries",
			 lock_name(d, e->lock, name, sizeof(name)));
	}
	headway_top_waits(d->page, waits, nr, thread_name, d);
	if (nr < a->nr_edges)
		headway_top_line(d->page, HEADWAY_TINT_DIM, "  ... and %zu more",
				 a->nr_edges - nr);
	free(waits);
}

/* What it sleeps on, or else what it fails on. */
static void describe_wait(const struct details *d, const struct headway_activity_thread *t,
			  char *out, size_t len)
{
	char name[HEADWAY_NAME_LEN], who[32];

	out[0] = '\0';
	if (t->wait_addr)
		snprintf(out, len, "sleeps on %.160s for %.1f s",
			 lock_name(d, t->wait_addr, name, sizeof(name)),
			 (double)t->waited_ns / 1e9);
	else if (t->fails)
		snprintf(out, len, "tries %.160s",
			 lock_name(d, t->tries_addr, name, sizeof(name)));
	if (t->owner_tid)
		snprintf(out + strlen(out), len - strlen(out), ", owned by %s",
			 headway_names_thread(t->owner_tid, who, sizeof(who)));
}

static void add_threads(struct details *d)
{
	const struct headway_activity *a = &d->activity;
	char comm[4 * HEADWAY_COMM_LEN + 1], attempts[16], completions[16], failed[16], wait[320];

	headway_top_section(d->page, "THREADS (%zu)", a->nr_threads);
	headway_top_table_head(d->page, "  %10s %-15s %c %6s %7s %6s %5s  %s", "TID", "NAME", 'S',
			       "ATT/s", "COMPL/s", "FAIL/s", "CPU%", "WAITS FOR");
	for (size_t i = 0; i < a->nr_threads && i < MAX_THREADS; i++) {
		const struct headway_activity_thread *t = &a->threads[i];
		bool go = headway_is_goroutine(t->tid);

		headway_top_number((double)t->attempts / a->seconds, attempts, sizeof(attempts));
		headway_top_number((double)t->completions / a->seconds, completions,
				   sizeof(completions));
		headway_top_number((double)t->fails / a->seconds, failed, sizeof(failed));
		describe_wait(d, t, wait, sizeof(wait));
		headway_top_line(d->page, t->fails && !t->completions ? HEADWAY_TINT_WARN :
				 HEADWAY_TINT_NONE, "  %s%*u %-15s %c %6s %7s %6s %5.1f  %s",
				 go ? "g" : "", go ? 9 : 10,
				 go ? headway_goroutine_id(t->tid) : t->tid,
				 headway_escape(t->comm, sizeof(t->comm), comm, sizeof(comm)),
				 t->state ? t->state : '?', attempts, completions, failed,
				 t->cpu_share * 100, wait);
	}
	if (a->nr_threads > MAX_THREADS)
		headway_top_line(d->page, HEADWAY_TINT_DIM, "  ... and %zu more",
				 a->nr_threads - MAX_THREADS);
}

static void add_lock(struct details *d, const struct headway_activity_lock *l, uint64_t most)
{
	char name[HEADWAY_NAME_LEN], bar[4 * BAR_WIDTH + 1];
	char failed[16], got[16], average[32], who[32];

	headway_top_number((double)l->fails / d->activity.seconds, failed, sizeof(failed));
	headway_top_number((double)l->got / d->activity.seconds, got, sizeof(got));
	if (l->waits)
		snprintf(average, sizeof(average), "%.2f",
			 (double)l->wait_ns / (double)l->waits / 1e6);
	else
		snprintf(average, sizeof(average), "-");
	headway_top_bar(d->page, most ? (double)l->fails / (double)most : 0, BAR_WIDTH, bar,
			sizeof(bar));
	headway_top_line(d->page, HEADWAY_TINT_NONE, "  %-*.40s %6s %6s %7u %11s  %-16s %s",
			 NAME_WIDTH, lock_name(d, l->addr, name, sizeof(name)), failed, got,
			 l->waiters, average, l->owner_tid ?
			 headway_names_thread(l->owner_tid, who, sizeof(who)) : "-", bar);
}

static void add_locks(struct details *d)
{
	const struct headway_activity *a = &d->activity;
	uint64_t most = a->nr_locks ? a->locks[0].fails : 0;

	headway_top_section(d->page, "LOCKS AND FUTEX WORDS (%zu), where most tries fail first",
			    a->nr_locks);
	if (!a->nr_locks)
		return;
	headway_top_table_head(d->page, "  %-*s %6s %6s %7s %11s  %-16s %s", NAME_WIDTH, "LOCK",
			       "FAIL/s", "GOT/s", "WAITERS", "WAIT AVG ms", "OWNER", "FAILED");
	for (size_t i = 0; i < a->nr_locks && i < MAX_LOCKS; i++)
		add_lock(d, &a->locks[i], most);
	if (a->nr_locks > MAX_LOCKS)
		headway_top_line(d->page, HEADWAY_TINT_DIM, "  ... and %zu more",
				 a->nr_locks - MAX_LOCKS);
}

/* For how long those sleep who sleep on a futex now. */
static void add_histogram(struct details *d)
{
	const struct headway_activity *a = &d->activity;
	uint64_t buckets[BUCKETS] = { 0 };
	bool any = false;

	for (size_t i = 0; i < a->nr_threads; i++) {
		uint64_t ns = a->threads[i].waited_ns;
		int power = ns ? 63 - __builtin_clzll(ns) : 0;

		if (!a->threads[i].wait_addr)
			continue;
		any = true;
		buckets[power < BUCKETS ? power : BUCKETS - 1]++;
	}
	if (!any)
		return;
	headway_top_section(d->page, "THREADS THAT SLEEP ON A FUTEX NOW, by how long");
	headway_top_histogram(d->page, buckets, BUCKETS);
}

static void add_stacks(struct details *d)
{
	static char frames[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN];
	const struct headway_activity *a = &d->activity;
	char name[256];
	int shown = 0;

	for (size_t i = 0; i < a->nr_threads && shown < MAX_STACKS; i++) {
		const struct headway_activity_thread *t = &a->threads[i];
		int nr = t->stack_id < 0 ? 0 : headway_names_stack(d->names, d->pid, t->stack_id,
								   frames);

		if (nr <= 0)
			continue;
		if (!shown++)
			headway_top_section(d->page, "STACKS of the last failed try or wait");
		headway_top_line(d->page, HEADWAY_TINT_NONE, "  %s",
				 thread_name(d, t->tid, name, sizeof(name)));
		for (int k = 0; k < nr; k++)
			headway_top_line(d->page, HEADWAY_TINT_DIM, "    %s %s", k ? "  " : "at",
					 frames[k]);
	}
}

static void add_finding(struct details *d)
{
	const struct headway_finding *f = headway_activity_finding(d->top->scene->detect,
								   (uint32_t)d->pid);
	char *text;

	if (!f)
		return;
	text = headway_top_finding_text(f, d->names);
	headway_top_section(d->page, "FINDING, as it was announced");
	headway_top_text(d->page, text ? text : "(out of memory)");
	free(text);
}

void headway_top_process_page(struct headway_top *t)
{
	struct details d = {
		.top = t, .page = &t->page, .names = t->scene->names, .pid = (pid_t)t->about.pid,
	};
	int err = headway_activity_collect(&d.activity, t->scene->detect, t->about.pid);

	if (!err) {
		add_waits(&d);
		add_threads(&d);
		add_locks(&d);
		add_histogram(&d);
		add_stacks(&d);
		add_finding(&d);
	} else if (err != -EAGAIN) {
		t->page.failed = true;
	}
	headway_activity_free(&d.activity);
}

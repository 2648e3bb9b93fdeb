// SPDX-License-Identifier: GPL-2.0
/*
 * top_feed.c - what a look saw, as rows of `headway top`.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "activity.h"
#include "escape.h"
#include "kernel_watch.h"
#include "stat.h"
#include "top.h"

static int add_process(struct headway_top_model *m, const struct headway_activity *a,
		       const struct headway_activity_process *p)
{
	struct headway_top_row row = {
		.source = HEADWAY_TOP_PROCESS, .pid = p->pid, .verdict = p->verdict,
		.judged = a->full || headway_verdict_is_finding(p->verdict),
		.attempts_per_s = (double)p->attempts / a->seconds,
		.completions_per_s = (double)p->completions / a->seconds,
		.failed_per_s = (double)p->fails / a->seconds,
		.waiting = (long)p->waiting, .actors = p->threads, .cpu_share = p->cpu_share,
	};

	headway_escape(p->comm, sizeof(p->comm), row.name, sizeof(row.name));
	return headway_top_add(m, &row);
}

static int add_processes(struct headway_top *t, const struct headway_detect *d)
{
	struct headway_activity a;
	int err = headway_activity_collect(&a, d, 0);

	t->rates_over_s = a.seconds;
	for (size_t i = 0; i < a.nr_processes && !err; i++)
		err = add_process(&t->model, &a, &a.processes[i]);
	headway_activity_free(&a);
	return err == -EAGAIN ? 0 : err;
}

static int add_source(struct headway_top_model *m, const struct headway_kernel_source *s)
{
	double seconds = s->window_ns ? (double)s->window_ns / 1e9 : 1;
	struct headway_top_row row = {
		.source = s->is_loop ? HEADWAY_TOP_LOOP : HEADWAY_TOP_DOMAIN,
		.verdict = s->verdict, .judged = s->window_ns != 0,
		.attempts_per_s = (double)s->attempts / seconds,
		.completions_per_s = (double)s->commits / seconds,
		.failed_per_s = (double)s->rollbacks / seconds,
		.waiting = -1, .actors = s->in_flight, .cpu_share = -1,
	};

	headway_escape(s->name, strlen(s->name), row.name, sizeof(row.name));
	return headway_top_add(m, &row);
}

static int add_arbiter(struct headway_top *t, const char *name, const struct headway_record *r)
{
	/* Those that were granted, and those that ended otherwise. */
	const uint64_t counts[HEADWAY_STAT_COUNTS] = {
		stat_u64(r, "grants"),
		stat_u64(r, "deadlocks") + stat_u64(r, "cancels") + stat_u64(r, "timeouts"),
	};
	struct headway_stat_rates rates = headway_stat_rate(
		&t->arbiters, name, t->scene->assessment.watched_ns, counts);
	struct headway_top_row row = {
		.source = HEADWAY_TOP_ARBITER, .verdict = HEADWAY_IDLE,
		.attempts_per_s = rates.per_s[0] + rates.per_s[1],
		.completions_per_s = rates.per_s[0], .failed_per_s = rates.per_s[1],
		.waiting = (long)stat_u64(r, "waiting"), .actors = stat_u64(r, "held"),
		.cpu_share = -1,
	};

	headway_escape(name, strlen(name), row.name, sizeof(row.name));
	return headway_top_add(&t->model, &row);
}

static int add_arbiters(struct headway_top *t, struct headway_kernel_watch *k)
{
	struct headway_record summary;
	struct headway_text text;
	char **names;
	size_t nr;
	int err = 0;

	/* A table without them is better than none: what is wrong is said of the domains. */
	if (headway_kernel_watch_arbiters(k, &names, &nr))
		return 0;
	for (size_t i = 0; i < nr && !err; i++) {
		/* It may be gone by now. */
		if (headway_kernel_watch_read_arbiter(k, names[i], "summary", &text))
			continue;
		summary = headway_text_all(&text);
		err = add_arbiter(t, names[i], &summary);
		headway_text_free(&text);
	}
	headway_kernelfs_free_names(names);
	return err;
}

int headway_top_feed(struct headway_top *t)
{
	const struct headway_scene *scene = t->scene;
	struct headway_kernel_source source;
	int err = 0;

	headway_top_begin(&t->model);
	for (size_t i = 0; scene->kernel && !err &&
			   headway_kernel_watch_source(scene->kernel, i, &source); i++)
		err = add_source(&t->model, &source);
	if (!err && scene->kernel)
		err = add_arbiters(t, scene->kernel);
	if (!err && scene->detect)
		err = add_processes(t, scene->detect);
	return err ? err : headway_top_commit(&t->model);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * activity.c - what each process did in the last window; the details of one are in
 * activity_detail.c. PURE.
 */
#include "activity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "activity_internal.h"
#include "assess.h"

/* What the verdict of a process without a finding goes by. */
struct sums {
	uint64_t events;		/* yields and futex returns */
	uint64_t waits, eagain;
	uint64_t tries, progress;	/* passages of markers */
	bool retries;			/* somebody does, and completes nothing */
};

static void add_actor(struct headway_activity_process *p, struct sums *s,
		      const struct headway_judge *j, size_t i)
{
	const struct headway_actor *a = &j->v->actors[i];

	p->threads += a->now.alive;
	p->waiting += a->now.alive && headway_view_wait_owner(j->v, &a->now.rec) >= 0;
	p->attempts += headway_actor_attempts(a);
	p->attempts += a->tries ? a->tries : a->progress;
	p->fails += headway_actor_fails(a);
	p->completions += headway_actor_gains(a) + a->progress;
	p->cpu_share += a->cpu_share;
	s->events += a->delta.yields + a->wait_returns;
	s->waits += a->wait_returns;
	s->eagain += a->wait_eagain;
	s->tries += a->tries;
	s->progress += a->progress;
	s->retries |= j->hot[i] != HEADWAY_RETRY_NO;
}

static enum headway_verdict judge(const struct headway_activity_process *p, const struct sums *s,
				  const struct headway_judge *j)
{
	const struct headway_marked *m = headway_view_marked(j->v, p->pid);
	bool marked = m && m->progress_watched;

	if (s->retries || j->v->rested)
		return HEADWAY_UNDETERMINED;
	if (marked ? s->progress : p->completions)
		return headway_is_contended(j->t, p->attempts, p->fails, p->completions, s->waits,
					    s->eagain) ? HEADWAY_CONTENDED : HEADWAY_HEALTHY;
	if (s->tries || headway_is_active(j->t, p->cpu_share, s->events,
					  headway_view_seconds(j->v)))
		return HEADWAY_UNDETERMINED;
	return HEADWAY_IDLE;
}

static bool is_about(const struct headway_finding *f, uint32_t pid)
{
	bool found = f->pid == pid;

	for (unsigned int i = 0; i < f->nr_actors && !found; i++)
		found = f->actors[i].tgid == pid;
	return found;
}

const struct headway_finding *headway_activity_finding(const struct headway_detect *d,
						       uint32_t pid)
{
	const struct headway_finding *worst = NULL, *f;

	for (size_t i = 0; (f = headway_detect_holds(d, i)); i++)
		if (is_about(f, pid) && (!worst || f->verdict > worst->verdict))
			worst = f;
	return worst;
}

/* The processes, one after the other: by_ns is sorted by them. */
static int collect_processes(struct headway_activity *out, const struct headway_detect *d,
			     const struct headway_judge *j)
{
	const struct headway_view *v = j->v;
	size_t i = 0;

	out->processes = calloc(v->nr_actors ? v->nr_actors : 1, sizeof(*out->processes));
	if (!out->processes)
		return -ENOMEM;
	while (i < v->nr_actors) {
		struct headway_activity_process *p = &out->processes[out->nr_processes];
		const struct headway_thread_rec *first = &v->actors[v->by_ns[i]].now.rec;
		const struct headway_finding *f;
		struct sums s = { 0 };

		*p = (struct headway_activity_process){ .pid = first->tgid };
		memcpy(p->comm, first->comm, sizeof(p->comm));
		for (; i < v->nr_actors && v->actors[v->by_ns[i]].now.rec.tgid == p->pid; i++)
			add_actor(p, &s, j, v->by_ns[i]);
		/* It has ended, or left. */
		if (!p->threads)
			continue;
		f = headway_activity_finding(d, p->pid);
		p->verdict = f ? f->verdict : judge(p, &s, j);
		out->nr_processes++;
	}
	return 0;
}

int headway_activity_collect(struct headway_activity *a, const struct headway_detect *d,
			     uint32_t pid)
{
	struct headway_judge j;
	struct headway_view v;
	int err;

	memset(a, 0, sizeof(*a));
	err = headway_detect_view(d, &v, 0);
	if (err)
		return err;
	err = headway_judge_init(&j, &headway_thresholds_default, &v);
	if (err)
		goto free_view;
	a->seconds = headway_view_seconds(&v);
	a->full = v.full;
	err = collect_processes(a, d, &j);
	if (!err && pid)
		err = headway_activity_details(a, &j, pid);
	headway_judge_free(&j);
free_view:
	headway_view_free(&v);
	return err;
}

void headway_activity_free(struct headway_activity *a)
{
	free(a->processes);
	free(a->threads);
	free(a->locks);
	free(a->edges);
	memset(a, 0, sizeof(*a));
}

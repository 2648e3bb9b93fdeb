// SPDX-License-Identifier: GPL-2.0
/*
 * verdict_storm.c - progress, but most of the work is retries that get nothing. PURE.
 *
 * Invariant: contention is not a storm. Full speed with many failures is how trylock loops and
 * futexes work; a storm is a share of futile calls near one, at a rate or a rhythm that a working
 * program has no reason for.
 */
#include "judge.h"

#define THREAD		"thread %u (%.16s)"
#define THREAD_ARGS(a)	(a)->now.rec.tid, (a)->now.rec.comm

/* FUTEX_WAIT that returns EAGAIN at once, for ever: a caller that compares with a stale value. */
static bool eagain_loop(const struct headway_judge *j, const struct headway_actor *a)
{
	double rate = (double)a->wait_eagain / headway_view_seconds(j->v);

	return rate >= j->t->storm_eagain_per_s &&
	       (double)a->wait_eagain >= j->t->storm_ratio * (double)a->wait_returns &&
	       (double)a->wins <= (1.0 - j->t->storm_ratio) * (double)a->wait_eagain;
}

static void report_eagain(struct headway_judge *j, size_t actor)
{
	const struct headway_actor *a = &j->v->actors[actor];
	struct headway_finding *f = headway_judge_finding(j, HEADWAY_RETRY_STORM, actor,
							  j->v->start_ns);
	const struct headway_contact *worst = NULL;

	if (!f)
		return;
	for (size_t i = 0; i < a->nr_contacts; i++) {
		const struct headway_contact *c = &j->v->contacts[a->first_contact + i];

		if (!worst || c->delta.wait_eagain > worst->delta.wait_eagain)
			worst = c;
	}
	f->confidence = HEADWAY_LIKELY;
	headway_judge_actor(j, f, actor, HEADWAY_ROLE_MEMBER);
	headway_finding_evidence(f, THREAD " called FUTEX_WAIT %llu times in %.1f s; %llu of the "
					   "calls "
				 "returned EAGAIN at once", THREAD_ARGS(a),
				 (unsigned long long)a->wait_returns, headway_view_seconds(j->v),
				 (unsigned long long)a->wait_eagain);
	if (worst)
		headway_finding_add_lock(f, worst->key.addr, worst->key.kind, 0);
	headway_finding_advice(f, "read the futex word again before each FUTEX_WAIT: the value "
				  "that is "
			       "passed is no longer the one in memory");
}

/* Sleeps, tries, fails, on a steady beat: it completes, but nearly every try meets the same one. */
static bool beats(const struct headway_judge *j, size_t actor, const struct headway_contact **out)
{
	const struct headway_actor *a = &j->v->actors[actor];
	const struct headway_contact *c = headway_judge_main_contact(j, actor);
	double fails = (double)a->delta.try_fail;

	*out = c;
	return c && a->delta.commits &&
	       (double)a->delta.try_fail >= j->t->retries_per_s * headway_view_seconds(j->v) &&
	       fails >= j->t->storm_ratio * (fails + (double)a->delta.commits) &&
	       headway_judge_steady_period_ns(j, c) > 0;
}

static void report_beat(struct headway_judge *j, size_t actor, const struct headway_contact *c)
{
	const struct headway_actor *a = &j->v->actors[actor];
	struct headway_finding *f = headway_judge_finding(j, HEADWAY_RETRY_STORM, actor,
							  j->v->start_ns);
	long owner = headway_view_find_ns(j->v, a->now.rec.tgid, c->owner);
	struct headway_finding_actor *fa;

	if (!f)
		return;
	f->confidence = HEADWAY_LIKELY;
	fa = headway_judge_actor(j, f, actor, HEADWAY_ROLE_MEMBER);
	headway_finding_add_lock(f, c->key.addr, c->key.kind,
				 owner >= 0 ? j->v->actors[owner].now.rec.tid : 0);
	if (fa)
		headway_finding_add_wait(fa, c->key.addr,
					 owner >= 0 ? j->v->actors[owner].now.rec.tid : 0, false);
	headway_finding_evidence(f, THREAD " failed %llu tries and completed %llu times in %.1f s",
				 THREAD_ARGS(a), (unsigned long long)a->delta.try_fail,
				 (unsigned long long)a->delta.commits, headway_view_seconds(j->v));
	headway_judge_describe_period(j, f, actor);
	headway_finding_advice(f, "wait a random time between tries: the period of %.1f ms keeps "
				  "meeting the "
			       "holder of @L%llx@ at the same point",
			       headway_judge_steady_period_ns(j, c) / 1e6,
			       (unsigned long long)c->key.addr);
}

/*
 * The markers say it: hardly any of a thread's attempts ends in progress, and there are many of
 * them. What is an attempt was named by somebody who knows the program, so no lock need show it.
 */
static bool tries_in_vain(const struct headway_judge *j, const struct headway_actor *a)
{
	double futile = (double)a->tries - (double)a->progress;

	return a->progress && futile >= j->t->storm_tries_per_s * headway_view_seconds(j->v) &&
	       futile >= j->t->storm_ratio * (double)a->tries;
}

/* One finding for each process: those who retry in vain are many, that is the nature of a herd. */
static void report_in_vain(struct headway_judge *j, size_t actor)
{
	const struct headway_actor *a = &j->v->actors[actor];
	struct headway_finding *f = NULL;

	for (unsigned int i = 0; i < j->nr_findings && !f; i++)
		if (j->findings[i].verdict == HEADWAY_RETRY_STORM &&
		    j->findings[i].pid == a->now.rec.tgid)
			f = &j->findings[i];
	if (f) {
		headway_judge_actor(j, f, actor, HEADWAY_ROLE_MEMBER);
		return;
	}
	f = headway_judge_finding(j, HEADWAY_RETRY_STORM, actor, j->v->start_ns);
	if (!f)
		return;
	f->confidence = HEADWAY_CONFIRMED;
	headway_judge_actor(j, f, actor, HEADWAY_ROLE_MEMBER);
	headway_finding_evidence(f, THREAD " passed its attempt markers %llu times in %.1f s, and "
				    "its progress markers %llu times", THREAD_ARGS(a),
				 (unsigned long long)a->tries, headway_view_seconds(j->v),
				 (unsigned long long)a->progress);
	headway_finding_advice(f, "wake or retry only where something has changed for that "
				  "thread: signal one waiter instead of all, or wait longer "
				  "after each failure");
}

int headway_judge_retry_storm(struct headway_judge *j)
{
	for (size_t i = 0; i < j->v->nr_actors; i++) {
		const struct headway_actor *a = &j->v->actors[i];
		const struct headway_contact *c;

		if (j->claimed[i] || !a->now.alive || !a->whole)
			continue;
		if (tries_in_vain(j, a))
			report_in_vain(j, i);
		else if (eagain_loop(j, a))
			report_eagain(j, i);
		else if (beats(j, i, &c))
			report_beat(j, i, c);
	}
	return 0;
}

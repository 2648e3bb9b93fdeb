// SPDX-License-Identifier: GPL-2.0
/*
 * verdict_retry.c - someone tries again and again: livelock, starvation, spin-hang. PURE.
 *
 * Invariant: progress is counted per thread. A livelock needs a cycle of threads that all retry
 * and none of which completed anything in the window; as soon as somebody else completes at the
 * same locks it is starvation. A million failed tries with progress are not a finding at all.
 */
#include "judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define THREAD		"thread %u (%.16s)"
#define THREAD_ARGS(a)	(a)->now.rec.tid, (a)->now.rec.comm

static void add_retrier(struct headway_judge *j, struct headway_finding *f, size_t actor,
			enum headway_role role)
{
	const struct headway_actor *a = &j->v->actors[actor];
	const struct headway_contact *c = headway_judge_main_contact(j, actor);
	struct headway_finding_actor *fa = headway_judge_actor(j, f, actor, role);

	if (!fa || !c)
		return;
	if (a->delta.try_fail && c->delta.fail_holding)
		headway_finding_evidence(f, THREAD " failed %llu tries of @L%llx@ while it held "
						   "@L%llx@, "
					 "rolled back %llu times, completed %llu", THREAD_ARGS(a),
					 (unsigned long long)c->delta.try_fail,
					 (unsigned long long)c->key.addr,
					 (unsigned long long)c->now.fail_held_addr,
					 (unsigned long long)a->delta.aborts,
					 (unsigned long long)headway_judge_completions(j, actor));
	else if (a->delta.try_fail)
		headway_finding_evidence(f, THREAD " failed %llu of %llu tries of @L%llx@, "
						   "completed %llu",
					 THREAD_ARGS(a), (unsigned long long)c->delta.try_fail,
					 (unsigned long long)(c->delta.try_fail + c->delta.try_ok),
					 (unsigned long long)c->key.addr,
					 (unsigned long long)headway_judge_completions(j, actor));
	else
		headway_finding_evidence(f, THREAD " waited for @L%llx@ and did not get it: %llu "
						   "timeouts, "
					 "%llu lost "
					 "races", THREAD_ARGS(a), (unsigned long long)c->key.addr,
					 (unsigned long long)c->delta.wait_timeout,
					 (unsigned long long)c->delta.lost_races);
}

static void add_edge(struct headway_judge *j, struct headway_finding *f,
		     const struct headway_edge *e)
{
	const struct headway_actor *a = &j->v->actors[e->from], *o = &j->v->actors[e->to];

	headway_finding_add_lock(f, e->lock, HEADWAY_KIND_PTHREAD_MUTEX, o->now.rec.tid);
	for (unsigned int i = 0; i < f->nr_actors; i++)
		if (f->actors[i].tid == a->now.rec.tid)
			headway_finding_add_wait(&f->actors[i], e->lock, o->now.rec.tid, false);
}

static void advise_order(const struct headway_judge *j, struct headway_finding *f, int len)
{
	const struct headway_edge *e = headway_graph_edge(&j->tries, j->path[0], j->path[1]);
	const struct headway_edge *back;

	if (len == 2) {
		back = headway_graph_edge(&j->tries, j->path[1], j->path[0]);
		if (e->lock == back->lock)
			return;
		headway_finding_advice(f, "take @L%llx@ and @L%llx@ in one order everywhere: "
					  "thread %u holds "
				       "the second and tries the first, thread %u the reverse",
				       (unsigned long long)e->lock, (unsigned long long)back->lock,
				       j->v->actors[e->from].now.rec.tid,
				       j->v->actors[back->from].now.rec.tid);
		return;
	}
	headway_finding_advice(f, "give these locks one order (an address or a rank) and take "
				  "them in it: "
			       "%d threads want them round a ring, beginning with thread %u at "
			       "@L%llx@", len,
			       j->v->actors[e->from].now.rec.tid, (unsigned long long)e->lock);
}

static void advise_jitter(const struct headway_judge *j, struct headway_finding *f, size_t actor)
{
	const struct headway_contact *c = headway_judge_main_contact(j, actor);
	double period = c ? headway_judge_steady_period_ns(j, c) : 0;

	if (period > 0)
		headway_finding_advice(f, "the retries come every %.1f ms with almost no jitter, "
					  "so they meet "
				       "again each time: wait a random time that grows with each "
				       "failure",
				       period / 1e6);
	else if (c && c->key.kind == HEADWAY_KIND_PTHREAD_MUTEX && c->delta.try_fail)
		headway_finding_advice(f, "after a rollback wait a random time that grows with "
					  "each failure, or "
				       "wait for the lock that was missing with nothing held");
	else
		headway_finding_advice(f, "make the timeouts random, or give one side the right "
					  "of way");
}

/* Is anyone completing at one of the component's locks? Its members are retriers: they do not. */
static bool others_complete(const struct headway_judge *j, uint32_t comp)
{
	for (size_t i = 0; i < j->tries.nr_edges; i++) {
		const struct headway_edge *e = &j->tries.edges[i];
		long peer;

		if (j->comp[e->from] == comp && j->comp[e->to] == comp &&
		    headway_judge_peer_wins(j, e->from, e->lock, &peer))
			return true;
	}
	return false;
}

/* All members saw the owner itself, none got any lock it wanted, each rolled back. */
static bool is_confirmed(const struct headway_judge *j, uint32_t comp)
{
	for (size_t i = 0; i < j->v->nr_actors; i++) {
		const struct headway_actor *a = &j->v->actors[i];
		uint32_t flags = 0;

		if (j->comp[i] != comp)
			continue;
		for (size_t e = j->tries.first[i]; e < j->tries.first[i + 1]; e++)
			if (j->comp[j->tries.edges[e].to] == comp)
				flags |= j->tries.edges[e].flags;
		if (!(flags & HEADWAY_EDGE_OWNER) || headway_judge_completions(j, i) ||
		    (j->hot[i] == HEADWAY_RETRY_TRY && !a->delta.aborts))
			return false;
	}
	return true;
}

/*
 * The locks of the cycle must differ, or somebody must have been seen to roll back: two pollers of
 * one lock, each its owner now and then, are contention that the probes see only in part.
 */
static bool is_conflict(const struct headway_judge *j, uint32_t comp)
{
	uint64_t lock = 0;

	for (size_t i = 0; i < j->tries.nr_edges; i++) {
		const struct headway_edge *e = &j->tries.edges[i];

		if (j->comp[e->from] != comp || j->comp[e->to] != comp)
			continue;
		if (lock && lock != e->lock)
			return true;
		lock = e->lock;
	}
	return false;
}

static int report_livelock(struct headway_judge *j, uint32_t comp, size_t first)
{
	struct headway_finding *f;
	uint64_t onset = 0;
	int len;

	len = headway_graph_cycle(&j->tries, first, j->path, j->v->nr_actors);
	if (len < 0)
		return len;
	for (size_t i = 0; i < j->v->nr_actors; i++)
		if (j->comp[i] == comp && headway_judge_onset(j, i) > onset)
			onset = headway_judge_onset(j, i);
	f = headway_judge_finding(j, HEADWAY_LIVELOCK, first, onset);
	if (!f)
		return 0;
	f->confidence = is_confirmed(j, comp) ? HEADWAY_CONFIRMED : HEADWAY_LIKELY;
	for (size_t i = 0; i < j->v->nr_actors; i++)
		if (j->comp[i] == comp)
			add_retrier(j, f, i, HEADWAY_ROLE_MEMBER);
	for (size_t i = 0; i < j->tries.nr_edges; i++) {
		const struct headway_edge *e = &j->tries.edges[i];

		if (j->comp[e->from] == comp && j->comp[e->to] == comp)
			add_edge(j, f, e);
	}
	headway_finding_evidence(f, "%u threads, each in the way of another: %llu attempts, %llu "
				 "completions in %.1f s", f->actors_total,
				 (unsigned long long)f->attempts,
				 (unsigned long long)f->completions,
				 headway_view_seconds(j->v));
	headway_judge_describe_period(j, f, first);
	if (len >= 2)
		advise_order(j, f, len);
	advise_jitter(j, f, first);
	return 0;
}

int headway_judge_livelock(struct headway_judge *j)
{
	uint32_t nr;
	size_t *size;
	int budget = HEADWAY_JUDGE_CYCLES;
	int err = headway_graph_scc(&j->tries, j->comp, &nr);

	if (err)
		return err;
	size = calloc(nr + 1, sizeof(*size));
	if (!size)
		return -ENOMEM;
	for (size_t i = 0; i < j->v->nr_actors; i++)
		size[j->comp[i]]++;
	for (size_t i = 0; i < j->v->nr_actors && !err; i++) {
		uint32_t comp = j->comp[i];

		if (size[comp] < 2 || j->claimed[i])
			continue;
		if (!budget--)
			break;
		if (is_conflict(j, comp) && !others_complete(j, comp))
			err = report_livelock(j, comp, i);
		size[comp] = 0;
	}
	free(size);
	return err;
}

/* The word that it has slept on for the whole window, if that is a mutex with an owner; else 0. */
static uint64_t slept_on(const struct headway_judge *j, size_t actor)
{
	const struct headway_thread_rec *rec = &j->v->actors[actor].now.rec;

	if (!rec->wait_addr || headway_actor_completions(&j->v->actors[actor]) ||
	    rec->wait_since_ns > j->v->start_ns + j->v->interval_ns ||
	    headway_view_wait_owner(j->v, rec) < 0 || !headway_view_is_mutex(rec))
		return 0;
	return rec->wait_addr;
}

static void add_victim(struct headway_judge *j, struct headway_finding *f, size_t victim,
		       uint64_t lock, uint32_t owner_tid)
{
	const struct headway_actor *a = &j->v->actors[victim];

	if (j->hot[victim]) {
		add_retrier(j, f, victim, HEADWAY_ROLE_VICTIM);
	} else {
		headway_judge_actor(j, f, victim, HEADWAY_ROLE_VICTIM);
		headway_finding_evidence(f, THREAD " has slept for %.1f s on @L%llx@ and was "
						   "never the one to "
					 "get it", THREAD_ARGS(a),
					 (double)(j->v->end_ns - a->now.rec.wait_since_ns) / 1e9,
					 (unsigned long long)lock);
	}
	for (unsigned int i = 0; i < f->nr_actors; i++)
		if (f->actors[i].tid == a->now.rec.tid)
			headway_finding_add_wait(&f->actors[i], lock, owner_tid, !j->hot[victim]);
}

static void advise_starvation(const struct headway_judge *j, struct headway_finding *f,
			      size_t victim, size_t peer, uint64_t lock)
{
	const struct headway_actor *a = &j->v->actors[victim], *p = &j->v->actors[peer];

	if (a->delta.try_fail)
		headway_finding_advice(f, "let thread %u wait for @L%llx@ (pthread_mutex_lock) "
					  "instead of "
				       "looking in from time to time, or use a lock that is "
				       "handed over in order",
				       a->now.rec.tid, (unsigned long long)lock);
	headway_finding_advice(f, "let " THREAD " release @L%llx@ for longer than an instant, or "
						"hold it "
			       "for shorter", THREAD_ARGS(p), (unsigned long long)lock);
}

static void report_starvation(struct headway_judge *j, size_t victim, uint64_t lock, uint64_t peers,
			      size_t peer)
{
	const struct headway_actor *p = &j->v->actors[peer];
	struct headway_finding *f = headway_judge_finding(j, HEADWAY_STARVATION, victim,
							  headway_judge_onset(j, victim));
	bool already = j->claimed[peer];

	if (!f)
		return;
	f->confidence = j->hot[victim] == HEADWAY_RETRY_TRY ? HEADWAY_CONFIRMED : HEADWAY_LIKELY;
	headway_finding_add_lock(f, lock, HEADWAY_KIND_PTHREAD_MUTEX, p->now.rec.tid);
	add_victim(j, f, victim, lock, p->now.rec.tid);
	headway_judge_actor(j, f, peer, HEADWAY_ROLE_HOLDER);
	/* The winner is not stuck: other findings may name it too. */
	j->claimed[peer] = already;
	headway_finding_evidence(f, "meanwhile @L%llx@ was got %llu times by others, most of all "
				    "by " THREAD
				 ", which completed %llu", (unsigned long long)lock,
				 (unsigned long long)peers, THREAD_ARGS(p),
				 (unsigned long long)headway_actor_completions(p));
	headway_judge_describe_period(j, f, victim);
	advise_starvation(j, f, victim, peer, lock);
}

/* One finding for each lock, however many starve at it. */
static struct headway_finding *same_lock(struct headway_judge *j, size_t actor, uint64_t lock)
{
	for (unsigned int i = 0; i < j->nr_findings; i++) {
		struct headway_finding *f = &j->findings[i];

		if (f->verdict == HEADWAY_STARVATION && f->locks[0].addr == lock &&
		    f->pid == j->v->actors[actor].now.rec.tgid)
			return f;
	}
	return NULL;
}

int headway_judge_starvation(struct headway_judge *j)
{
	for (size_t i = 0; i < j->v->nr_actors; i++) {
		const struct headway_contact *c;
		struct headway_finding *f;
		uint64_t lock, peers;
		long peer;

		if (j->claimed[i] || !j->v->actors[i].now.alive || !j->v->actors[i].whole)
			continue;
		c = j->hot[i] ? headway_judge_main_contact(j, i) : NULL;
		lock = c ? c->key.addr : slept_on(j, i);
		if (!lock)
			continue;
		peers = headway_judge_peer_wins(j, i, lock, &peer);
		if (peer < 0 || !headway_actor_completions(&j->v->actors[peer]) ||
		    (!j->hot[i] && peers < j->t->starving_peers_min))
			continue;
		f = same_lock(j, i, lock);
		if (f)
			add_victim(j, f, i, lock, j->v->actors[peer].now.rec.tid);
		else
			report_starvation(j, i, lock, peers, (size_t)peer);
	}
	return 0;
}

static void report_spin_hang(struct headway_judge *j, size_t actor, const struct headway_contact *c,
			     long owner)
{
	const struct headway_actor *a = &j->v->actors[actor];
	struct headway_finding *f = headway_judge_finding(j, HEADWAY_SPIN_HANG, actor,
							  headway_judge_onset(j, actor));
	bool self = owner >= 0 && (size_t)owner == actor;

	if (!f)
		return;
	f->confidence = owner >= 0 ? HEADWAY_CONFIRMED : HEADWAY_LIKELY;
	add_retrier(j, f, actor, HEADWAY_ROLE_VICTIM);
	headway_finding_add_lock(f, c->key.addr, HEADWAY_KIND_PTHREAD_MUTEX,
				 owner >= 0 ? j->v->actors[owner].now.rec.tid : 0);
	if (f->nr_actors)
		headway_finding_add_wait(&f->actors[0], c->key.addr,
					 owner >= 0 ? j->v->actors[owner].now.rec.tid : 0, false);
	headway_judge_describe_period(j, f, actor);
	if (self) {
		headway_finding_evidence(f, "thread %u itself owns @L%llx@", a->now.rec.tid,
					 (unsigned long long)c->key.addr);
		headway_finding_advice(f, "unlock @L%llx@ before trying it again, or make it "
					  "recursive",
				       (unsigned long long)c->key.addr);
	} else if (owner >= 0) {
		headway_finding_evidence(f, "the owner of @L%llx@, " THREAD ", has ended without "
									    "unlocking",
					 (unsigned long long)c->key.addr,
					 THREAD_ARGS(&j->v->actors[owner]));
		headway_finding_advice(f, "unlock on every way out of the owner, or use a robust "
					  "mutex");
	} else {
		headway_finding_evidence(f, "the owner of @L%llx@ was %u at each failure, which "
					    "is no thread of "
					 "this process", (unsigned long long)c->key.addr, c->owner);
		headway_finding_advice(f, "look for a thread that ended with @L%llx@ locked; a "
					  "robust mutex "
				       "would tell", (unsigned long long)c->key.addr);
	}
}

int headway_judge_spin_hang(struct headway_judge *j)
{
	for (size_t i = 0; i < j->v->nr_actors; i++) {
		const struct headway_contact *c;
		long owner;

		if (j->claimed[i] || j->hot[i] != HEADWAY_RETRY_TRY)
			continue;
		c = headway_judge_main_contact(j, i);
		if (!c || !c->owner_constant)
			continue;
		owner = headway_view_find_ns(j->v, j->v->actors[i].now.rec.tgid, c->owner);
		/* A live owner elsewhere may release it when nobody looks. */
		if (owner < 0 || (size_t)owner == i || !j->v->actors[owner].now.alive)
			report_spin_hang(j, i, c, owner);
	}
	return 0;
}

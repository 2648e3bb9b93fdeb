// SPDX-License-Identifier: GPL-2.0
/*
 * verdict_blocked.c - nobody tries any more: deadlock, and all wait for one stalled holder. PURE.
 *
 * Invariant: a deadlock is said only of threads that have slept on validated words, without a
 * timeout, since the window began: such a cycle cannot resolve by itself. A thread that is joined
 * is never a stalled holder for that: to wait for the end of one that waits for work is normal.
 */
#include "judge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lockshape.h"

#define THREAD		"thread %u (%.16s)"
#define THREAD_ARGS(a)	(a)->now.rec.tid, (a)->now.rec.comm

static double waited_s(const struct headway_judge *j, const struct headway_actor *a)
{
	return (double)(j->v->end_ns - a->now.rec.wait_since_ns) / 1e9;
}

/* A lock that processes share is one lock: its address is the one its first waiter knows. */
static const struct headway_actor *first_waiter(const struct headway_judge *j,
						const struct headway_actor *a)
{
	for (size_t i = 0; a->now.wait_object && i < j->v->nr_actors; i++) {
		const struct headway_actor *first = &j->v->actors[i];

		if (first->now.rec.wait_addr && first->now.wait_object == a->now.wait_object)
			return first;
	}
	return a;
}

/* The address that a reader knows: of the lock, where the futex word is inside of it. */
static unsigned long long wanted(const struct headway_judge *j, const struct headway_actor *a)
{
	return headway_shape_object(&first_waiter(j, a)->now.rec);
}

struct lock_text {
	char text[64];
};

/* For sentences. Memory that is shared has no names, and an address there is one process's own. */
static struct lock_text name_wanted(const struct headway_judge *j, const struct headway_actor *a)
{
	struct lock_text t;

	if (a->now.wait_object)
		snprintf(t.text, sizeof(t.text), "0x%llx of process %u", wanted(j, a),
			 first_waiter(j, a)->now.rec.tgid);
	else
		snprintf(t.text, sizeof(t.text), "@L%llx@", wanted(j, a));
	return t;
}

static uint32_t kind_wanted(const struct headway_actor *a)
{
	return headway_shape_is_rwlock(headway_shape_of(a->now.rec.wait_flags)) ?
	       HEADWAY_KIND_PTHREAD_RWLOCK : HEADWAY_KIND_PTHREAD_MUTEX;
}

size_t headway_judge_behind_readers(const struct headway_judge *j, long *first)
{
	size_t nr = 0;

	*first = -1;
	for (size_t i = 0; i < j->v->nr_actors; i++) {
		if (j->claimed[i] || !headway_judge_asleep(j, i) ||
		    !headway_shape_readers(&j->v->actors[i].now.rec))
			continue;
		if (!nr++)
			*first = (long)i;
	}
	return nr;
}

void headway_judge_wait(const struct headway_judge *j, struct headway_finding *f,
			struct headway_finding_actor *fa, size_t actor)
{
	const struct headway_actor *a = &j->v->actors[actor];

	if (!fa || !headway_shape_readers(&a->now.rec))
		return;
	headway_finding_add_lock(f, wanted(j, a), kind_wanted(a), 0);
	headway_finding_add_wait(fa, wanted(j, a), 0, true);
}

/* One waiter for the end of a thread, which has no lock. */
static void add_joiner(struct headway_judge *j, struct headway_finding *f, size_t waiter,
		       size_t joined, enum headway_role role)
{
	const struct headway_actor *a = &j->v->actors[waiter], *o = &j->v->actors[joined];
	struct headway_finding_actor *fa = headway_judge_actor(j, f, waiter, role);

	headway_finding_add_lock(f, a->now.rec.wait_addr, HEADWAY_KIND_FUTEX, o->now.rec.tid);
	if (!fa)
		return;
	headway_finding_add_wait(fa, a->now.rec.wait_addr, o->now.rec.tid, true);
	headway_finding_evidence(f, THREAD " has waited for %.1f s for " THREAD " to end",
				 THREAD_ARGS(a), waited_s(j, a), THREAD_ARGS(o));
}

/* One waiter of a finding: its edge, its lock, one sentence. */
static void add_blocked(struct headway_judge *j, struct headway_finding *f, size_t waiter,
			size_t owner, enum headway_role role)
{
	const struct headway_actor *a = &j->v->actors[waiter], *o = &j->v->actors[owner];
	struct headway_finding_actor *fa;

	if (headway_view_joined(j->v, &a->now.rec) >= 0) {
		add_joiner(j, f, waiter, owner, role);
		return;
	}
	fa = headway_judge_actor(j, f, waiter, role);
	headway_finding_add_lock(f, wanted(j, a), kind_wanted(a), o->now.rec.tid);
	if (!fa)
		return;
	headway_finding_add_wait(fa, wanted(j, a), o->now.rec.tid, true);
	if (a->now.rec.wait_flags & HEADWAY_WAIT_REFUSED)
		headway_finding_evidence(f, THREAD " was refused %s by the kernel %.1f s ago, "
					 "because to wait for it would never end, and sleeps for "
					 "ever; " THREAD " owns it", THREAD_ARGS(a),
					 name_wanted(j, a).text, waited_s(j, a), THREAD_ARGS(o));
	else
		headway_finding_evidence(f, THREAD " has slept for %.1f s on %s, which " THREAD
					 " owns", THREAD_ARGS(a), waited_s(j, a),
					 name_wanted(j, a).text, THREAD_ARGS(o));
}

static void add_waiter(struct headway_judge *j, struct headway_finding *f,
		       const struct headway_edge *e)
{
	add_blocked(j, f, e->from, e->to, HEADWAY_ROLE_WAITER);
}

/* The cycle goes through a pthread_join(). */
static bool advise_joiner(const struct headway_judge *j, struct headway_finding *f, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const struct headway_actor *a = &j->v->actors[j->path[i]], *b;

		if (headway_view_joined(j->v, &a->now.rec) < 0)
			continue;
		b = &j->v->actors[j->path[(i + 1) % len]];
		headway_finding_advice(f, "let " THREAD " unlock what " THREAD " needs before it "
				       "waits for the end of that thread", THREAD_ARGS(a),
				       THREAD_ARGS(b));
		return true;
	}
	return false;
}

static void advise_deadlock(const struct headway_judge *j, struct headway_finding *f, size_t len)
{
	const struct headway_actor *a = &j->v->actors[j->path[0]], *b;

	if (advise_joiner(j, f, len))
		return;
	if (len == 1) {
		headway_finding_advice(f, THREAD " locks %s a second time: do not call the "
						 "code "
				       "that locks it with the lock held, or make the mutex "
				       "recursive",
				       THREAD_ARGS(a), name_wanted(j, a).text);
		return;
	}
	b = &j->v->actors[j->path[1]];
	headway_finding_advice(f, "take the locks in one order everywhere: " THREAD
			       " holds %s and wants %s, %s", THREAD_ARGS(a),
			       name_wanted(j, &j->v->actors[j->path[len - 1]]).text,
			       name_wanted(j, a).text,
			       len == 2 ? "the other one the reverse" : "and so on round the "
									"cycle");
	headway_finding_advice(f, "where no order is possible, try the second lock (" THREAD
			       " at %s), roll back, and wait a random time before the next "
			       "try",
			       THREAD_ARGS(b), name_wanted(j, b).text);
}

static int report_deadlock(struct headway_judge *j, size_t len)
{
	struct headway_finding *f;
	uint64_t onset = 0;

	/* The cycle was complete when its last member went to sleep. */
	for (size_t i = 0; i < len; i++) {
		uint64_t since = j->v->actors[j->path[i]].now.rec.wait_since_ns;

		if (since > onset)
			onset = since;
	}
	f = headway_judge_finding(j, HEADWAY_DEADLOCK, j->path[0], onset);
	if (!f)
		return 0;
	f->confidence = HEADWAY_CONFIRMED;
	for (size_t i = 0; i < len; i++)
		add_blocked(j, f, j->path[i], j->path[(i + 1) % len], HEADWAY_ROLE_MEMBER);
	headway_finding_evidence(f, "none of these waits has a timeout, none of these threads "
				    "made an "
				 "attempt in the last %.1f s", headway_view_seconds(j->v));
	advise_deadlock(j, f, len);
	/* And everyone whose chain of waits ends in the cycle. */
	return headway_judge_add_behind(j, &j->waits, f, add_waiter);
}

/* The owner of every member must live: a dead owner's number proves nothing about a cycle. */
static bool cycle_alive(const struct headway_judge *j, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!j->v->actors[j->path[i]].now.alive)
			return false;
	return true;
}

int headway_judge_deadlock(struct headway_judge *j)
{
	uint32_t nr;
	int err = headway_graph_scc(&j->waits, j->comp, &nr);

	if (err)
		return err;
	for (size_t i = 0; i < j->v->nr_actors && j->nr_findings < HEADWAY_JUDGE_FINDINGS; i++) {
		const struct headway_edge *e = &j->waits.edges[j->waits.first[i]];
		int len;

		/* Each thread sleeps on one word: one edge, and a cycle is all of its component. */
		if (j->claimed[i] || j->waits.first[i] == j->waits.first[i + 1] ||
		    j->comp[e->to] != j->comp[i])
			continue;
		len = headway_graph_cycle(&j->waits, i, j->path, j->v->nr_actors);
		if (len < 0)
			return len;
		if (len && cycle_alive(j, (size_t)len))
			err = report_deadlock(j, (size_t)len);
		if (err)
			return err;
	}
	return 0;
}

/* Polls one lock whose owner never changed: the same as waiting, only awake. */
static const struct headway_contact *polled(const struct headway_judge *j, size_t actor,
					    long *owner)
{
	const struct headway_contact *c;

	*owner = -1;
	if (!j->hot[actor] || j->claimed[actor])
		return NULL;
	c = headway_judge_main_contact(j, actor);
	if (!c || !c->owner_constant)
		return NULL;
	*owner = headway_view_find_ns(j->v, j->v->actors[actor].now.rec.tgid, c->owner);
	return c;
}

static int build_chains(const struct headway_judge *j, struct headway_graph *g)
{
	int err = headway_graph_init(g, j->v->nr_actors);

	for (size_t i = 0; i < j->waits.nr_edges && !err; i++) {
		const struct headway_edge *e = &j->waits.edges[i];

		if (!j->claimed[e->from] && !(e->flags & HEADWAY_EDGE_JOIN))
			err = headway_graph_add(g, e->from, e->to, e->lock, e->flags);
	}
	for (size_t i = 0; i < j->v->nr_actors && !err; i++) {
		long owner;
		const struct headway_contact *c = polled(j, i, &owner);

		if (c && owner >= 0 && (size_t)owner != i)
			err = headway_graph_add(g, i, (size_t)owner, c->key.addr,
						HEADWAY_EDGE_OWNER);
	}
	return err ? err : headway_graph_finish(g);
}

static bool is_off_cpu(const struct headway_judge *j, const struct headway_actor *a)
{
	return a->cpu_share < j->t->off_cpu_share && a->off_cpu_samples + 1 >= a->samples;
}

/* Was it got by others meanwhile? A lock for reading and writing is handed over at three words. */
static bool lock_moves(const struct headway_judge *j, const struct headway_edge *e)
{
	const struct headway_thread_rec *rec = &j->v->actors[e->from].now.rec;
	uint64_t lock = headway_shape_object(rec);
	bool moves = false;
	long peer;

	if (headway_view_is_mutex(rec) || !(e->flags & HEADWAY_EDGE_BLOCKED))
		return headway_judge_peer_wins(j, e->from, e->lock, &peer);
	for (int shape = HEADWAY_SHAPE_RWLOCK_READERS; shape <= HEADWAY_SHAPE_RWLOCK_WRITERS;
	     shape++)
		moves |= headway_judge_peer_wins(j, e->from, lock + headway_shape_offset(shape),
						 &peer) > 0;
	return moves;
}

/*
 * May this thread be the stalled holder that `from` waits for? Someone asleep since the window
 * began proves that it was not released; a poller may just have missed the releases, so then the
 * holder must have done nothing at all. One that tried for something itself is no stalled holder,
 * even where a busy machine made its tries too few for a retrier: it is one side of a livelock.
 */
static bool stalls(const struct headway_judge *j, const struct headway_edge *e)
{
	const struct headway_actor *h = &j->v->actors[e->to];

	if (j->claimed[e->to])
		return false;
	if (lock_moves(j, e))
		return false;
	if (e->flags & HEADWAY_EDGE_BLOCKED)
		return true;
	return h->now.alive && !headway_actor_completions(h) && !headway_actor_fails(h) &&
	       is_off_cpu(j, h);
}

/* A holder that sleeps itself, for nobody that we know. */
static void describe_futex(const struct headway_judge *j, struct headway_finding *f,
			   const struct headway_actor *h)
{
	const struct headway_thread_rec *rec = &h->now.rec;
	const char *limit = rec->wait_flags & HEADWAY_WAIT_TIMEOUT ? " (with a timeout)" : "";
	long joined = headway_view_joined(j->v, rec);

	if (joined >= 0)
		headway_finding_evidence(f, THREAD ", the holder, waits for " THREAD " to end%s",
					 THREAD_ARGS(h), THREAD_ARGS(&j->v->actors[joined]), limit);
	else if (headway_shape_is_cond(headway_shape_of(rec->wait_flags)))
		headway_finding_evidence(f, THREAD ", the holder, waits on a condition variable, "
					 "@L%llx@%s; who would signal it is not observable",
					 THREAD_ARGS(h), wanted(j, h), limit);
	else if (headway_shape_readers(rec))
		headway_finding_evidence(f, THREAD ", the holder, sleeps on @L%llx@%s, which %u "
					 "have for reading; who they are is not in the lock",
					 THREAD_ARGS(h), wanted(j, h), limit,
					 headway_shape_readers(rec));
	else
		headway_finding_evidence(f, THREAD ", the holder, sleeps in a futex wait on "
					 "@L%llx@ that is no mutex with a known owner%s",
					 THREAD_ARGS(h), wanted(j, h), limit);
}

static void advise_holder(struct headway_finding *f, const struct headway_actor *h)
{
	const struct headway_thread_rec *rec = &h->now.rec;

	if (headway_shape_is_cond(headway_shape_of(rec->wait_flags)) && rec->wait_addr)
		headway_finding_advice(f, "let thread %u unlock before it waits for the condition: "
				       "pthread_cond_wait gives back no mutex but its own; a "
				       "marker where the signal is sent would show whether it "
				       "still comes: --progress uprobe::FUNCTION", rec->tid);
	else if (h->now.syscall_nr >= 0)
		headway_finding_advice(f, "do not block in @S%d@ with the lock held: unlock "
					  "before it, or give "
				       "it a timeout", h->now.syscall_nr);
	else
		headway_finding_advice(f, "let thread %u unlock before it waits", rec->tid);
}

static void describe_holder(struct headway_judge *j, struct headway_finding *f, size_t holder)
{
	const struct headway_actor *h = &j->v->actors[holder];
	const struct headway_thread_rec *rec = &h->now.rec;

	if (!h->now.alive) {
		headway_finding_evidence(f, THREAD ", the owner, has ended without unlocking",
					 THREAD_ARGS(h));
		headway_finding_advice(f, "unlock on every way out of thread %u's function (also "
					  "when it is "
				       "cancelled), or use a robust mutex", rec->tid);
		return;
	}
	if (!is_off_cpu(j, h)) {
		headway_finding_evidence(f, THREAD ", the holder, runs (%.0f %% of one CPU) and "
						   "has not "
					 "unlocked for %.1f s", THREAD_ARGS(h), h->cpu_share * 100,
					 headway_view_seconds(j->v));
		headway_finding_advice(f, "move the long computation of thread %u out of the "
					  "locked part",
				       rec->tid);
		return;
	}
	if (rec->wait_addr)
		describe_futex(j, f, h);
	else if (h->now.syscall_nr >= 0)
		headway_finding_evidence(f, THREAD ", the holder, is off CPU (state %c) in @S%d@",
					 THREAD_ARGS(h), h->now.state, h->now.syscall_nr);
	else
		headway_finding_evidence(f, THREAD ", the holder, is off CPU (state "
						   "%c)", THREAD_ARGS(h),
					 h->now.state);
	headway_finding_evidence(f, "thread %u used %.1f ms of CPU in %.1f s", rec->tid,
				 (double)h->cpu_ns / 1e6, headway_view_seconds(j->v));
	advise_holder(f, h);
}

static void describe_waiter(struct headway_judge *j, struct headway_finding *f,
			    const struct headway_edge *e)
{
	const struct headway_actor *a = &j->v->actors[e->from], *o = &j->v->actors[e->to];
	struct headway_finding_actor *fa;

	if (e->flags & HEADWAY_EDGE_BLOCKED) {
		add_blocked(j, f, e->from, e->to, HEADWAY_ROLE_WAITER);
		return;
	}
	fa = headway_judge_actor(j, f, e->from, HEADWAY_ROLE_WAITER);
	headway_finding_add_lock(f, e->lock, HEADWAY_KIND_PTHREAD_MUTEX, o->now.rec.tid);
	if (!fa)
		return;
	headway_finding_add_wait(fa, e->lock, o->now.rec.tid, false);
	headway_finding_evidence(f, THREAD " tried @L%llx@ %llu times in vain; " THREAD
				 " owned it each time", THREAD_ARGS(a), (unsigned long long)e->lock,
				 (unsigned long long)headway_actor_fails(a), THREAD_ARGS(o));
}

/* `e` is the edge that proves it: from a waiter to the holder. */
static int report_stalled(struct headway_judge *j, const struct headway_graph *g,
			  const struct headway_edge *e)
{
	const struct headway_actor *h = &j->v->actors[e->to];
	bool blocked = e->flags & HEADWAY_EDGE_BLOCKED;
	struct headway_finding *f;
	struct headway_finding_actor *fa;

	f = headway_judge_finding(j, HEADWAY_STALLED_HOLDER, e->to, blocked ?
				  j->v->actors[e->from].now.rec.wait_since_ns :
				  headway_judge_onset(j, e->from));
	if (!f)
		return 0;
	f->confidence = blocked && is_off_cpu(j, h) && h->now.alive ? HEADWAY_CONFIRMED
								    : HEADWAY_LIKELY;
	fa = headway_judge_actor(j, f, e->to, HEADWAY_ROLE_HOLDER);
	if (fa && h->now.rec.wait_addr)
		headway_finding_add_wait(fa, wanted(j, h), 0, true);
	describe_holder(j, f, e->to);
	return headway_judge_add_behind(j, g, f, describe_waiter);
}

/* Per actor the edge that shows it to be a stalled holder best: that of someone asleep. */
static const struct headway_edge **find_proofs(const struct headway_judge *j,
					       const struct headway_graph *g)
{
	const struct headway_edge **proof = calloc(j->v->nr_actors + 1, sizeof(*proof));

	for (size_t i = 0; i < g->nr_edges && proof; i++) {
		const struct headway_edge *e = &g->edges[i];

		/* It waits itself, or retries: then the end of the chain is elsewhere. */
		if (g->first[e->to] != g->first[e->to + 1] || j->hot[e->to] || !stalls(j, e))
			continue;
		if (!proof[e->to] || (e->flags & ~proof[e->to]->flags & HEADWAY_EDGE_BLOCKED))
			proof[e->to] = e;
	}
	return proof;
}

int headway_judge_stalled_holder(struct headway_judge *j)
{
	const struct headway_edge **proof;
	struct headway_graph g;
	int err = build_chains(j, &g);

	if (err)
		goto free_graph;
	proof = find_proofs(j, &g);
	if (!proof)
		err = -ENOMEM;
	for (size_t i = 0; i < j->v->nr_actors && !err; i++)
		if (proof[i])
			err = report_stalled(j, &g, proof[i]);
	free(proof);
free_graph:
	headway_graph_free(&g);
	return err;
}

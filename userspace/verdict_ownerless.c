// SPDX-License-Identifier: GPL-2.0
/*
 * verdict_ownerless.c - threads that sleep at locks that do not tell who owns them. PURE.
 *
 * Invariant: without owners a cycle cannot be seen, so such a deadlock is never more than likely,
 * and is said only when markers tell that work was begun and not done, all who began it sleep at
 * different words without a timeout, and nobody else in the process could come and wake them.
 */
#include "judge.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#define THREAD		"thread %u (%.16s)"
#define THREAD_ARGS(a)	(a)->now.rec.tid, (a)->now.rec.comm

/* The word of a Rust mutex (and of others made like it) that somebody waits for. */
enum { LOCKED_WITH_WAITERS = 2 };

static bool sleeps_ownerless(const struct headway_judge *j, size_t actor)
{
	const struct headway_snap_thread *now = &j->v->actors[actor].now;

	return now->tries_hidden && headway_judge_asleep(j, actor) &&
	       headway_view_wait_owner(j->v, &now->rec) < 0;
}

static bool at_lock(const struct headway_judge *j, size_t actor)
{
	const struct headway_thread_rec *rec = &j->v->actors[actor].now.rec;

	return sleeps_ownerless(j, actor) && rec->wait_op == FUTEX_WAIT_BITSET &&
	       rec->wait_word == LOCKED_WITH_WAITERS;
}

static bool is_same_lock(const struct headway_actor *a, const struct headway_actor *b)
{
	return a->now.rec.tgid == b->now.rec.tgid && a->now.rec.wait_addr == b->now.rec.wait_addr;
}

long headway_judge_find_ownerless(const struct headway_judge *j)
{
	const struct headway_actor *all = j->v->actors;
	long looked = -1;

	for (size_t i = 0; i < j->v->nr_actors; i++) {
		/* Thousands may sleep at one word: one look for all of them. */
		if (!at_lock(j, i) || (looked >= 0 && is_same_lock(&all[looked], &all[i])))
			continue;
		looked = (long)i;
		for (size_t k = i + 1; k < j->v->nr_actors; k++)
			if (all[k].now.rec.tgid == all[i].now.rec.tgid &&
			    !is_same_lock(&all[k], &all[i]) && at_lock(j, k))
				return looked;
	}
	return -1;
}

/* Only another thread of the process can wake it: no timer, no other process. */
static bool sleeps_within(const struct headway_judge *j, size_t actor)
{
	const struct headway_thread_rec *rec = &j->v->actors[actor].now.rec;

	if (!headway_judge_asleep(j, actor))
		return false;
	/* Who waits for the end of a thread does it by the call for words that are shared. */
	return rec->wait_flags & HEADWAY_WAIT_PRIVATE || headway_view_joined(j->v, rec) >= 0;
}

/* The first thread of a program, when all it has left to do is to be told of the end. */
static bool waits_for_end(const struct headway_snap_thread *now)
{
	static const int32_t calls[] = {
		SYS_rt_sigtimedwait, SYS_rt_sigsuspend, SYS_pause, SYS_wait4, SYS_waitid,
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i] == now->syscall_nr)
			return now->rec.tid == now->rec.tgid;
	return false;
}

static bool has_begun(const struct headway_actor *a)
{
	return a->last_try_ns > a->last_progress_ns;
}

/* How many of a process sleep with their work begun; 0 also when anybody could still help them. */
static size_t count_hung(const struct headway_judge *j, uint32_t tgid, size_t *first)
{
	const struct headway_view *v = j->v;
	bool words_differ = false;
	size_t n = 0;

	for (size_t i = 0; i < v->nr_actors; i++) {
		const struct headway_actor *a = &v->actors[i];

		if (a->now.rec.tgid != tgid || !a->now.alive)
			continue;
		if (has_begun(a)) {
			if (j->claimed[i] || !sleeps_ownerless(j, i) || !sleeps_within(j, i))
				return 0;
			if (!n++)
				*first = i;
			words_differ |= a->now.rec.wait_addr !=
					v->actors[*first].now.rec.wait_addr;
		} else if (!sleeps_within(j, i) && !waits_for_end(&a->now)) {
			return 0;
		}
	}
	return words_differ ? n : 0;
}

static void add_hung(struct headway_judge *j, struct headway_finding *f, size_t actor)
{
	const struct headway_actor *a = &j->v->actors[actor];
	uint64_t addr = a->now.rec.wait_addr;
	struct headway_finding_actor *fa = headway_judge_actor(j, f, actor, HEADWAY_ROLE_MEMBER);

	headway_finding_add_lock(f, addr, HEADWAY_KIND_FUTEX, 0);
	if (fa)
		headway_finding_add_wait(fa, addr, 0, true);
	/* Leave room for what is said of all. */
	if (f->nr_evidence < HEADWAY_FINDING_SENTENCES / 2)
		headway_finding_evidence(f, THREAD " passed an attempt marker, then no progress "
					    "marker, and has slept for %.1f s on @L%llx@",
					 THREAD_ARGS(a),
					 (double)(j->v->end_ns - a->now.rec.wait_since_ns) / 1e9,
					 (unsigned long long)addr);
}

static void report_hung(struct headway_judge *j, uint32_t tgid, size_t first)
{
	struct headway_finding *f;
	uint64_t onset = 0;

	for (size_t i = 0; i < j->v->nr_actors; i++) {
		const struct headway_actor *a = &j->v->actors[i];

		if (a->now.rec.tgid == tgid && has_begun(a) && a->now.rec.wait_since_ns > onset)
			onset = a->now.rec.wait_since_ns;
	}
	f = headway_judge_finding(j, HEADWAY_DEADLOCK, first, onset);
	if (!f)
		return;
	f->confidence = HEADWAY_LIKELY;
	for (size_t i = 0; i < j->v->nr_actors; i++)
		if (j->v->actors[i].now.rec.tgid == tgid && j->v->actors[i].now.alive &&
		    has_begun(&j->v->actors[i]))
			add_hung(j, f, i);
	headway_finding_evidence(f, "none of these waits has a timeout, and every other thread of "
				    "process %u sleeps as well, or waits for the end", tgid);
	headway_finding_evidence(f, "these words do not tell who owns them, so the cycle itself "
				    "was not seen");
	headway_finding_advice(f, "take the locks in one order everywhere: the stacks show which "
				  "one each thread wants, and the functions above it which it "
				  "holds");
}

int headway_judge_ownerless(struct headway_judge *j)
{
	for (size_t i = 0; i < j->v->nr_marked; i++) {
		const struct headway_marked *m = &j->v->marked[i];
		size_t first = 0;

		if (m->progress_watched && m->attempts_watched && !m->progress &&
		    count_hung(j, m->tgid, &first) > 1)
			report_hung(j, m->tgid, first);
	}
	return 0;
}

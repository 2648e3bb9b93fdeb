/* SPDX-License-Identifier: GPL-2.0 */
/*
 * branch.h - counts the branches of the slow paths, for tests/torture: a run that never took one
 * says nothing of it.
 *
 * In a module as it is built for use headway_branch() is nothing. With HEADWAY_TORTURE=y it is a
 * count without any ordering, so that it cannot hide a barrier that is missing. A few may be lost.
 *
 * headway_stall() stands where only luck leads into a branch, because the window is a few
 * instructions wide: there torture can make it wide.
 */
#ifndef HEADWAY_BRANCH_H
#define HEADWAY_BRANCH_H

/* X(enumerator, name). What stats_list.h counts anyway is not here. */
#define HEADWAY_BRANCHES(X) \
	X(SPIN_TOOK, "spin.took") \
	X(SPIN_HANDOFF, "spin.handoff") \
	X(SPIN_BEHIND, "spin.behind") \
	X(SPIN_CALLED_OFF, "spin.called-off") \
	X(SPIN_OFF_CPU, "spin.off-cpu") \
	X(SPIN_BOUND, "spin.bound") \
	X(QUEUED_SPIN_WOKEN, "queued-spin.woken") \
	X(QUEUED_SPIN_OFF_CPU, "queued-spin.off-cpu") \
	X(QUEUED_SPIN_BOUND, "queued-spin.bound") \
	X(SLOW_TOOK, "slow.took") \
	X(SLOW_BEHIND, "slow.behind") \
	X(SLOW_BEHIND_FREE, "slow.behind-free") \
	X(ENQUEUE_AHEAD, "enqueue.ahead") \
	X(ENQUEUE_AHEAD_OF_HOLDER, "enqueue.ahead-of-holder") \
	X(DEQUEUE_FIRST, "dequeue.first") \
	X(DEQUEUE_OTHER, "dequeue.other") \
	X(WOUND_AGAIN, "wound.again") \
	X(WOUND_ASLEEP, "wound.asleep") \
	X(WOUND_AWAKE, "wound.awake") \
	X(CONFLICT_WOUNDED, "conflict.wounded") \
	X(CONFLICT_BACKOUT, "conflict.backout") \
	X(WAIT_GRANTED, "wait.granted") \
	X(WAIT_TOOK, "wait.took") \
	X(WAIT_OVERTAKEN, "wait.overtaken") \
	X(WAIT_JUDGED_FIRST, "wait.judged-first") \
	X(WAIT_EDEADLK, "wait.edeadlk") \
	X(WAIT_EINTR, "wait.eintr") \
	X(WAIT_ETIMEDOUT, "wait.etimedout") \
	X(RELEASE_NOBODY, "release.nobody") \
	X(RELEASE_WOKE, "release.woke") \
	X(REVIEW_STANDS, "review.stands") \
	X(REVIEW_FALLS, "review.falls") \
	X(SET_RETRY, "set.retry") \
	X(SET_KEPT, "set.kept") \
	X(SET_FAILED, "set.failed") \
	X(SET_PRELOCKED, "set.prelocked") \
	X(LOCK_PRELOCKED, "lock.prelocked") \
	X(LOCK_PENDING, "lock.pending") \
	X(PRELOCKED_DROPPED, "prelocked.dropped") \
	X(UNLOCK_CONFLICT, "unlock.conflict") \
	X(ROLLBACK_WOUNDED, "rollback.wounded") \
	X(ROLLBACK_NEW_POLICY, "rollback.new-policy") \
	X(ROLLBACK_FAILED, "rollback.failed") \
	X(BACKOFF_FAILED, "backoff.failed") \
	X(BACKOFF_YIELD, "backoff.yield") \
	X(GATE_WAIT, "gate.wait") \
	X(GATE_TURNED_AWAY, "gate.turned-away") \
	X(GATE_EBUSY, "gate.ebusy") \
	X(GATE_EINTR, "gate.eintr") \
	X(GATE_ETIMEDOUT, "gate.etimedout") \
	X(TOKEN_FAILED, "token.failed") \
	X(MIGRATE_FAILED, "migrate.failed") \
	X(DETECT_WOUNDED, "detect.wounded") \
	X(DETECT_FOREIGN, "detect.foreign") \
	X(DETECT_SELF, "detect.self") \
	X(DETECT_OTHER, "detect.other") \
	X(DETECT_GONE, "detect.gone") \
	X(TIMES_NO_MEMORY, "times.no-memory")

enum headway_branch {
#define X(id, name) HEADWAY_BRANCH_##id,
	HEADWAY_BRANCHES(X)
#undef X
	HEADWAY_NR_BRANCHES
};

#ifdef HEADWAY_TORTURE
#include <linux/compiler.h>
#include <linux/ktime.h>
#include <linux/processor.h>

extern unsigned long headway_branch_counts[HEADWAY_NR_BRANCHES];
extern unsigned int headway_stall_ns;

static inline void headway_branch_taken(enum headway_branch branch)
{
	WRITE_ONCE(headway_branch_counts[branch], READ_ONCE(headway_branch_counts[branch]) + 1);
}

#define headway_branch(id) headway_branch_taken(HEADWAY_BRANCH_##id)

/* Spins for as long as torture says; it may be under a spinlock. */
static inline void headway_stall(void)
{
	unsigned int stall_ns = READ_ONCE(headway_stall_ns);
	u64 until_ns;

	if (!stall_ns)
		return;
	until_ns = ktime_get_ns() + stall_ns;
	while (ktime_get_ns() < until_ns)
		cpu_relax();
}
#else
#define headway_branch(id) do { } while (0)
#define headway_stall() do { } while (0)
#endif

#endif /* HEADWAY_BRANCH_H */

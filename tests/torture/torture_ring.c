// SPDX-License-Identifier: GPL-2.0
/*
 * torture_ring.c - cycles made on purpose: after each parking the first n workers each take one
 * lock of a ring, meet, and then ask for the next one's, still holding their own. Every time
 * another n, from 2 to all of them.
 *
 * When all have met, nobody can get any further unless somebody rolls back. So what this checks is:
 * all of them commit (else they are stuck at the next parking), and not without a rollback.
 */
#define pr_fmt(fmt) "torture: " fmt

#include <linux/delay.h>
#include <linux/jiffies.h>

#include "torture.h"

/*
 * A machine with much to do may take long to get to the last of them. Where policies are mixed some
 * may not come at all.
 */
#define TORTURE_MEET_JIFFIES (torture.flips ? HZ : 10 * HZ)

/* Everybody is parked. */
void torture_ring_next(void)
{
	struct torture_ring *ring = &torture.ring;

	if (torture.only || torture.peaceful || torture.nr_workers < 2)
		return;
	ring->nr = ring->nr < 2 || ring->nr == torture.nr_workers ? 2 : ring->nr + 1;
	atomic_set(&ring->met, 0);
	atomic_set(&ring->ended, 0);
	atomic_set(&ring->commits, 0);
	atomic_set(&ring->restarts, 0);
	WRITE_ONCE(ring->round, ring->round + 1);
}

static bool torture_ring_meet(void)
{
	unsigned long limit = jiffies + TORTURE_MEET_JIFFIES;
	struct torture_ring *ring = &torture.ring;

	atomic_inc(&ring->met);
	while (atomic_read(&ring->met) < ring->nr && time_before(jiffies, limit))
		usleep_range(50, 100);
	return atomic_read(&ring->met) >= ring->nr;
}

/* Not if the others get their first lock after our end only, or if nothing is a cycle. */
static bool torture_ring_can(struct headway_txn *txn)
{
	enum headway_policy policy = headway_txn_policy(txn);

	return policy != HEADWAY_POLICY_ORDERED && policy != HEADWAY_POLICY_SERIAL;
}

/* Nothing but a control, which may leave it hanging, can make it fail. */
static int torture_ring_take(struct torture_worker *worker, const struct headway_wait *wait)
{
	struct headway_txn *txn = &worker->txn;
	bool met = false;
	int ret = 0;

	headway_txn_until_done(txn) {
		if (headway_txn_policy(txn) == HEADWAY_POLICY_ORDERED)
			headway_sort(worker->set, worker->nr);
		ret = headway_lock_wait(txn, worker->set[0], wait);
		torture_expect(worker, ret, wait, true);
		headway_txn_retry_on_conflict(txn);
		if (ret)
			break;
		if (!met && torture_ring_can(txn)) {
			met = true;
			worker->met = torture_ring_meet();
		}
		ret = headway_lock_wait(txn, worker->set[1], wait);
		torture_expect(worker, ret, wait, true);
		headway_txn_retry_on_conflict(txn);
	}
	return ret;
}

/* The last one to end judges. */
static void torture_ring_ended(struct torture_worker *worker, int ret, u32 restarts)
{
	struct torture_ring *ring = &torture.ring;

	atomic_add(restarts, &ring->restarts);
	if (!ret && worker->met)
		atomic_inc(&ring->commits);
	if (atomic_inc_return(&ring->ended) != ring->nr || atomic_read(&ring->commits) != ring->nr)
		return;
	if (!atomic_read(&ring->restarts))
		torture_fail(TORTURE_HELD, "a cycle of %u, and nobody rolled back\n", ring->nr);
	ring->sizes |= BIT_ULL(ring->nr - 1);
	atomic64_inc(&torture.events[TORTURE_SAW_RINGS]);
}

static void torture_ring_run(struct torture_worker *worker)
{
	const struct headway_wait *wait = torture.control ? &torture_killable : NULL;
	struct torture_ring *ring = &torture.ring;
	struct torture_lock *locks = torture.locks + torture.nr_shared;
	int ret;

	worker->nr = 2;
	worker->met = false;
	worker->set[0] = &locks[worker->number].lock;
	worker->set[1] = &locks[(worker->number + 1) % ring->nr].lock;
	if (torture_begin(worker, wait))
		return;
	ret = torture_ring_take(worker, wait);
	if (!ret) {
		torture_enter(worker);
		torture_leave(worker);
	}
	torture_end(worker, ret);
	torture_ring_ended(worker, ret, worker->txn.restarts);
}

static const struct torture_load torture_ring_load = {
	.name = "ring", .run = torture_ring_run,
};

/* Whether there is one that the worker is part of and has not been through yet; then it has now. */
bool torture_ring_one(struct torture_worker *worker)
{
	struct torture_ring *ring = &torture.ring;
	u32 round = READ_ONCE(ring->round);

	if (worker->ring == round)
		return false;
	worker->ring = round;
	if (worker->number >= ring->nr)
		return false;
	worker->load = &torture_ring_load;
	worker->load->run(worker);
	return true;
}

/* Whether there was a cycle of every size. */
bool torture_rings_covered(void)
{
	return hweight64(torture.ring.sizes) == torture.nr_workers - 1;
}

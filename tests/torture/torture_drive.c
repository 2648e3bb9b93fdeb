// SPDX-License-Identifier: GPL-2.0
/*
 * torture_drive.c - loads that drive what the others only come by when they are lucky: as many
 * restarts as there can be, a victim that gives up between being found and being told, and begins
 * that a gate which is shut refuses.
 *
 * Whoever waits here for another worker looks again and again and has a limit, after which it goes
 * on: then the moment was missed, and the next transaction tries once more.
 */
#define pr_fmt(fmt) "torture: " fmt

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/sched/signal.h>

#include "torture.h"

#define torture_await(condition) do { \
	unsigned long __limit = jiffies + max(1, HZ / 5); \
	while (!(condition) && time_before(jiffies, __limit)) \
		usleep_range(20, 50); \
} while (0)

/* ---- crowd: for three workers or more, under polite --------------------------------------- */

/*
 * The first worker wants two locks, and finds the other one held each time that it has one: of the
 * rest, half are always at the one and half at the other, until the first waits for it: then it has
 * given way, and holds nothing. So it comes to as many restarts as there can be.
 */
void torture_run_crowd(struct torture_worker *worker)
{
	const struct headway_txn *first = &torture.workers[0].txn;
	int ret;

	worker->nr = worker->number ? 1 : 2;
	worker->set[0] = &torture.locks[worker->number % 2].lock;
	worker->set[1] = &torture.locks[1].lock;
	if (torture_begin(worker, NULL))
		return;
	ret = torture_take_steps(worker, NULL);
	if (!ret) {
		torture_enter(worker);
		if (worker->number)
			torture_await(READ_ONCE(first->waiting_on) == worker->set[0]);
		torture_leave(worker);
	}
	torture_end(worker, ret);
}

/* ---- gone: for two workers, under detect -------------------------------------------------- */

/* How long the second waits: not as long as who has found it stalls. */
#define TORTURE_GONE_NS (TORTURE_STALL_NS / 4)

/* Each begins when the other waits for nothing, and the second when the first has its lock. */
static void torture_gone_await_start(const struct torture_worker *worker)
{
	const struct torture_worker *other = &torture.workers[!worker->number];
	const struct headway_lock *lock = &torture.locks[0].lock;

	torture_await(!READ_ONCE(other->txn.waiting_on) &&
		      (!worker->number || atomic_long_read(&lock->owner)));
}

/* Their own lock, then the other's: the first when the second waits for it. */
static int torture_gone_take(struct torture_worker *worker)
{
	const struct headway_txn *second = &torture.workers[1].txn;
	struct headway_wait wait = torture_killable;
	int ret;

	ret = headway_lock_wait(&worker->txn, worker->set[0], &wait);
	torture_expect(worker, ret, &wait, true);
	if (ret)
		return ret;
	if (!worker->number)
		torture_await(READ_ONCE(second->waiting_on) == worker->set[0]);
	else
		wait.deadline = ktime_add_ns(ktime_get(), TORTURE_GONE_NS);
	ret = headway_lock_wait(&worker->txn, worker->set[1], &wait);
	torture_expect(worker, ret, &wait, true);
	return ret;
}

/*
 * A cycle of two, closed by the first worker; the second is the victim, as holders are older than
 * those who run into them. Its time is up while the first has found it, and stalls.
 */
void torture_run_gone(struct torture_worker *worker)
{
	unsigned int own = worker->number;
	int ret;

	if (own > 1) {
		schedule_timeout_idle(1);
		return;
	}
	worker->nr = 2;
	worker->set[0] = &torture.locks[own].lock;
	worker->set[1] = &torture.locks[!own].lock;
	torture_gone_await_start(worker);
	if (torture_begin(worker, NULL))
		return;
	ret = torture_gone_take(worker);
	if (!ret) {
		torture_enter(worker);
		torture_leave(worker);
	}
	torture_end(worker, ret);
}

/* ---- gate: for five workers, under mixed --------------------------------------------------- */

static bool torture_gate_is_shut(void)
{
	return headway_gate_is_shut(torture.domain);
}

/* One of each way to be refused has happened since. */
static bool torture_gate_refused(const u64 *before)
{
	return torture_event(TORTURE_SAW_EBUSY) > before[0] &&
	       torture_event(TORTURE_SAW_EINTR) > before[1] &&
	       torture_event(TORTURE_SAW_ETIMEDOUT) > before[2];
}

/* A lock that nobody else wants, so that it is a transaction like any other; and ends it. */
static void torture_gate_commit(struct torture_worker *worker)
{
	int ret = headway_lock_wait(&worker->txn, worker->set[0], NULL);

	torture_expect(worker, ret, NULL, false);
	if (!ret) {
		torture_enter(worker);
		torture_leave(worker);
	}
	torture_end(worker, ret);
}

/* Keeps the gate shut, by not ending. */
static void torture_gate_hold(struct torture_worker *worker)
{
	u64 before[3];

	if (torture_begin(worker, NULL))
		return;
	torture_await(torture_gate_is_shut());
	before[0] = torture_event(TORTURE_SAW_EBUSY);
	before[1] = torture_event(TORTURE_SAW_EINTR);
	before[2] = torture_event(TORTURE_SAW_ETIMEDOUT);
	torture_await(torture_gate_refused(before));
	torture_gate_commit(worker);
}

/* Comes and goes; it stalls where it has been counted, so that the gate may be shut meanwhile. */
static void torture_gate_pass(struct torture_worker *worker)
{
	if (!torture_begin(worker, NULL))
		torture_gate_commit(worker);
}

/* The first worker holds the gate, each of the others begins in a way of its own. */
void torture_run_gate(struct torture_worker *worker)
{
	struct headway_wait wait = torture_killable;

	worker->nr = 1;
	worker->set[0] = &torture.locks[worker->number].lock;
	if (!worker->number) {
		torture_gate_hold(worker);
		return;
	}
	if (worker->number == 4) {
		torture_gate_pass(worker);
		return;
	}
	torture_await(torture_gate_is_shut());
	switch (worker->number % 3) {
	case 0:
		wait.state = TASK_RUNNING;
		break;
	case 1:
		/* Its own: nobody has to find the moment for it. */
		send_sig(SIGKILL, current, 1);
		break;
	case 2:
		wait.deadline = ktime_get();
		break;
	}
	if (!torture_begin(worker, &wait))
		torture_gate_commit(worker);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * torture_load.c - the kinds of load, and one transaction's frame around them.
 *
 * Each load begins a transaction, takes locks in its way, visits what they protect, and ends it.
 * Every result is judged; after every failure, what is held is compared with what should be.
 */
#define pr_fmt(fmt) "torture: " fmt

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "torture.h"

/* Powers of two, and of two and five: a stride with no factor in common visits all of a pool. */
static const u32 torture_pools[] = { 4, 16, 64, 1024, 100000 };
static const u8 torture_strides[] = { 1, 3, 7, 9 };

/* A set of different locks out of the @pool that begins at @base, in no particular order. */
static void torture_pick_from(struct torture_worker *worker, unsigned int base, unsigned int nr,
			      unsigned int pool)
{
	u32 at = torture_random(worker, pool);
	u32 stride = 10 * torture_random(worker, 1000) +
		     torture_strides[torture_random(worker, ARRAY_SIZE(torture_strides))];
	unsigned int i;

	worker->nr = min(nr, pool);
	for (i = 0; i < worker->nr; i++) {
		worker->set[i] = &torture.locks[base + at].lock;
		at = (at + stride) % pool;
	}
	worker->events[TORTURE_SAW_LARGEST] += worker->nr == TORTURE_SET_MAX;
}

void torture_pick(struct torture_worker *worker, unsigned int nr, unsigned int pool)
{
	torture_pick_from(worker, 0, nr, pool);
}

static void torture_pick_any(struct torture_worker *worker, unsigned int max)
{
	u32 pool = torture_pools[torture_random(worker, ARRAY_SIZE(torture_pools))];
	u32 most = torture_one_in(worker, 8) ? TORTURE_SET_MAX : torture_one_in(worker, 2) ? 16 : 4;
	u32 nr = 1 + torture_random(worker, min(most, max));

	/* The largest is one that every run must have had, a slow one as well. */
	if (most == TORTURE_SET_MAX && torture_one_in(worker, 4))
		nr = min(most, max);
	torture_pick(worker, nr, min(pool, torture.pool));
}

const struct headway_wait torture_killable = {
	.state = TASK_KILLABLE, .deadline = KTIME_MAX,
};

/* A form of waiting that a set which must be had would use. */
static const struct headway_wait *torture_patient(struct torture_worker *worker,
						  struct headway_wait *wait)
{
	wait->deadline = KTIME_MAX;
	wait->state = torture_one_in(worker, 2) ? TASK_KILLABLE : TASK_INTERRUPTIBLE;
	/* A control may leave somebody hanging: there must be a way to get rid of it. */
	return torture.control || torture_one_in(worker, 2) ? wait : NULL;
}

/* A form that gives up: try, or within a time that is often not enough. */
static const struct headway_wait *torture_impatient(struct torture_worker *worker,
						    struct headway_wait *wait)
{
	u64 ns = torture_random(worker, 400) * NSEC_PER_USEC;

	wait->deadline = KTIME_MAX;
	wait->state = TASK_RUNNING;
	if (torture_one_in(worker, 3))
		return wait;
	wait->deadline = ktime_add_ns(ktime_get(), ns);
	wait->state = torture_one_in(worker, 2) ? TASK_KILLABLE :
		      torture_one_in(worker, 2) ? TASK_INTERRUPTIBLE : TASK_UNINTERRUPTIBLE;
	return wait;
}

/* Return: 0, or as headway_txn_begin_wait(): there is nothing to end then. */
int torture_begin(struct torture_worker *worker, const struct headway_wait *wait)
{
	unsigned int priority = torture_one_in(worker, 4) ? torture_random(worker, 16) : 0;
	int ret;

	worker->ticket = 0;
	worker->begin_ns = ktime_get_ns();
	ret = headway_txn_begin_wait(&worker->txn, torture.domain, priority, wait);
	if (ret) {
		torture_expect(worker, ret, wait, false);
		torture_expect_held(worker, 0);
		worker->events[TORTURE_SAW_REFUSED]++;
		return ret;
	}
	if (priority)
		worker->events[TORTURE_SAW_PRIORITIES]++;
	return 0;
}

/* A ticket that was once seen stays until the end. */
static void torture_see_ticket(struct torture_worker *worker)
{
	u64 ticket = atomic64_read(&worker->txn.ticket);

	if (worker->ticket && worker->ticket != ticket)
		torture_fail(TORTURE_TICKET, "worker %u: %llu became %llu\n", worker->number,
			     worker->ticket, ticket);
	worker->ticket = ticket;
}

/* @ret: of the last lock call. */
void torture_end(struct torture_worker *worker, int ret)
{
	struct headway_txn *txn = &worker->txn;
	u32 restarts = txn->restarts;

	worker->outside += !txn->joined;
	headway_txn_end(txn);
	/* After the end: somebody may run into it, and give it a ticket, until its last release. */
	torture_see_ticket(worker);
	torture_expect_held(worker, 0);
	if (ret)
		worker->aborts++;
	else
		worker->commits++;
	worker->given_up += ret == -EDEADLK;
	worker->rollbacks += restarts;
	worker->restarts_max = max(worker->restarts_max, restarts);
	if (restarts && torture.peaceful)
		torture_fail(TORTURE_DEADLK, "%s, worker %u restarted %u times\n",
			     worker->load->name, worker->number, restarts);
	if (worker->ticket)
		torture_record(worker, ret, ktime_get_ns());
}

/* Takes the whole set, which may have duplicates, by one call. */
static int torture_take_set(struct torture_worker *worker, const struct headway_wait *wait)
{
	unsigned int held = torture_nr_held(worker);
	int ret = headway_lock_many_wait(&worker->txn, worker->set, worker->nr, wait);

	torture_expect(worker, ret, wait, held);
	if (ret)
		torture_expect_held(worker, held);
	return ret;
}

static void torture_add_duplicates(struct torture_worker *worker)
{
	while (worker->nr < TORTURE_SET_MAX && torture_one_in(worker, 2)) {
		worker->set[worker->nr++] = worker->set[0];
		worker->events[TORTURE_SAW_DUPLICATES]++;
	}
}

static void torture_run_set(struct torture_worker *worker)
{
	struct headway_wait buffer;
	const struct headway_wait *wait = torture_patient(worker, &buffer);
	int ret;

	torture_pick_any(worker, TORTURE_SET_MAX);
	if (torture_one_in(worker, 4))
		torture_add_duplicates(worker);
	if (torture_begin(worker, wait))
		return;
	ret = torture_take_set(worker, wait);
	if (!ret) {
		torture_enter(worker);
		torture_leave(worker);
	}
	torture_end(worker, ret);
}

/*
 * Now and then, with the first lock of the set held: calls that can only fail, and change nothing.
 */
static void torture_misuse(struct torture_worker *worker)
{
	struct headway_txn *txn = &worker->txn;
	unsigned int held = torture_nr_held(worker);
	int ret;

	ret = headway_lock_wait(txn, txn->held, NULL);
	if (ret != -EALREADY)
		torture_fail(TORTURE_ERRNO, "a lock that is held: %d\n", ret);
	worker->events[TORTURE_SAW_EALREADY]++;
	ret = headway_lock_wait(txn, &torture.inner_locks[0].lock, NULL);
	if (ret != -EINVAL)
		torture_fail(TORTURE_ERRNO, "a lock of another domain: %d\n", ret);
	worker->events[TORTURE_SAW_EINVAL]++;
	torture_expect_held(worker, held);
}

/*
 * One by one in any order, as who learns on the way what is needed. Where order matters, in order:
 * the policy may be another one after a rollback.
 */
int torture_take_steps(struct torture_worker *worker, const struct headway_wait *wait)
{
	struct headway_txn *txn = &worker->txn;
	unsigned int i;
	int ret = 0;

	headway_txn_until_done(txn) {
		torture_see_ticket(worker);
		if (torture.sorted || headway_txn_policy(txn) == HEADWAY_POLICY_ORDERED)
			headway_sort(worker->set, worker->nr);
		for (i = 0; i < worker->nr; i++) {
			ret = headway_lock_wait(txn, worker->set[i], wait);
			torture_expect(worker, ret, wait, true);
			headway_txn_retry_on_conflict(txn);
			if (ret)
				break;
			if (torture_one_in(worker, 4))
				torture_dawdle(worker);
		}
	}
	return ret;
}

static void torture_run_steps(struct torture_worker *worker)
{
	struct headway_wait buffer;
	const struct headway_wait *wait = torture_patient(worker, &buffer);
	int ret;

	torture_pick_any(worker, 16);
	if (torture_begin(worker, wait))
		return;
	ret = torture_take_steps(worker, wait);
	if (!ret) {
		torture_expect_held(worker, worker->nr);
		if (torture_one_in(worker, 32))
			torture_misuse(worker);
		torture_enter(worker);
		torture_leave(worker);
	}
	torture_end(worker, ret);
}

/* Lost a conflict: gives back what it holds, which settles it, and tries once more. */
static int torture_settle(struct torture_worker *worker, const struct headway_wait *wait)
{
	worker->given_up++;
	while (worker->txn.held)
		headway_unlock(&worker->txn, worker->txn.held);
	return torture_take_set(worker, wait);
}

/* Holds one, then wants the others at once or soon; a conflict is retried by hand, or given up. */
static int torture_take_rest(struct torture_worker *worker, const struct headway_wait *wait)
{
	struct headway_txn *txn = &worker->txn;
	struct headway_wait buffer;
	const struct headway_wait *first = torture_patient(worker, &buffer);
	int ret;

	for (;;) {
		if (headway_txn_policy(txn) == HEADWAY_POLICY_ORDERED)
			headway_sort(worker->set, worker->nr);
		ret = headway_lock_wait(txn, worker->set[0], first);
		torture_expect(worker, ret, first, torture_nr_held(worker));
		torture_dawdle(worker);
		if (!ret)
			ret = torture_take_set(worker, wait);
		if (ret != -EDEADLK || torture_one_in(worker, 8))
			return ret;
		if (torture_nr_held(worker) && torture_one_in(worker, 4))
			return torture_settle(worker, wait);
		ret = headway_txn_rollback_wait(txn, wait);
		torture_expect(worker, ret, wait, false);
		torture_see_ticket(worker);
		if (ret) {
			torture_expect_held(worker, 0);
			return ret;
		}
	}
}

static void torture_run_impatient(struct torture_worker *worker)
{
	struct headway_wait buffer;
	const struct headway_wait *wait = torture_impatient(worker, &buffer);
	int ret;

	torture_pick_any(worker, 8);
	if (torture.sorted)
		headway_sort(worker->set, worker->nr);
	if (torture_begin(worker, torture_one_in(worker, 2) ? wait : NULL))
		return;
	ret = torture_one_in(worker, 2) ? torture_take_set(worker, wait) :
					  torture_take_rest(worker, wait);
	if (!ret) {
		torture_enter(worker);
		torture_leave(worker);
	}
	torture_end(worker, ret);
}

/* Gives locks back one by one, in any order, before the end. */
static void torture_run_early(struct torture_worker *worker)
{
	struct headway_wait buffer;
	const struct headway_wait *wait = torture_patient(worker, &buffer);
	unsigned int i;
	int ret;

	torture_pick_any(worker, 16);
	if (torture_begin(worker, NULL))
		return;
	ret = torture_take_set(worker, wait);
	if (!ret) {
		torture_enter(worker);
		torture_count_money(worker);
		for (i = 0; i < worker->nr; i++) {
			unsigned int at = (i + worker->number) % worker->nr;

			torture_leave_one(worker, at);
			if (torture_one_in(worker, 4))
				continue;	/* left to the end */
			headway_unlock(&worker->txn, worker->set[at]);
			if (headway_lock_held(&worker->txn, worker->set[at]))
				torture_fail(TORTURE_HELD, "lock %llu is unlocked and held\n",
					     worker->set[at]->key);
			worker->events[TORTURE_SAW_EARLY]++;
			if (torture_one_in(worker, 4))
				torture_dawdle(worker);
		}
	}
	torture_end(worker, ret);
}

/*
 * A transaction of another domain inside of ours; always in this order, so that it can only wait.
 */
static void torture_run_nested(struct torture_worker *worker)
{
	struct headway_wait buffer;
	const struct headway_wait *wait = torture_patient(worker, &buffer);
	struct torture_lock *a = &torture.inner_locks[torture_random(worker, TORTURE_INNER_LOCKS)];
	struct torture_lock *b = &torture.inner_locks[torture_random(worker, TORTURE_INNER_LOCKS)];
	struct headway_lock *pair[] = { &a->lock, &b->lock };
	int ret;

	torture_pick_any(worker, 4);
	if (torture_begin(worker, NULL))
		return;
	ret = torture_take_set(worker, wait);
	if (!ret) {
		torture_enter(worker);
		headway_txn_begin(&worker->inner, torture.inner);
		if (!headway_lock_many_wait(&worker->inner, pair, ARRAY_SIZE(pair), wait)) {
			if (a->cookie || b->cookie)
				torture_fail(TORTURE_EXCLUSION, "in the inner domain\n");
			WRITE_ONCE(a->cookie, worker);
			WRITE_ONCE(b->cookie, worker);
			torture_dawdle(worker);
			WRITE_ONCE(a->cookie, NULL);
			WRITE_ONCE(b->cookie, NULL);
		}
		headway_txn_end(&worker->inner);
		torture_leave(worker);
		worker->events[TORTURE_SAW_NESTED]++;
	}
	torture_end(worker, ret);
}

/* Locks that nobody else wants: whatever the policy and the order, there is no conflict. */
static void torture_run_private(struct torture_worker *worker)
{
	unsigned int base = torture.nr_shared + TORTURE_WORKERS_MAX +
			    worker->number * TORTURE_PRIVATE;
	struct headway_txn *txn = &worker->txn;
	unsigned int i;
	int ret = 0;

	torture_pick_from(worker, base, 1 + torture_random(worker, TORTURE_PRIVATE),
			  TORTURE_PRIVATE);
	if (torture_begin(worker, NULL))
		return;
	if (headway_txn_policy(txn) == HEADWAY_POLICY_ORDERED)
		headway_sort(worker->set, worker->nr);
	for (i = 0; i < worker->nr && !ret; i++) {
		ret = headway_lock_wait(txn, worker->set[i], NULL);
		torture_expect(worker, ret, NULL, false);
	}
	if (!ret) {
		torture_enter(worker);
		torture_leave(worker);
	}
	torture_end(worker, ret);
	worker->events[TORTURE_SAW_PRIVATE]++;
}

static const struct torture_load torture_loads[] = {
	{ .name = "set", .run = torture_run_set },
	{ .name = "steps", .run = torture_run_steps },
	/* A set that it fails to get is given back, with the first lock still held. */
	{ .name = "impatient", .run = torture_run_impatient, .unlocks = true },
	{ .name = "early", .run = torture_run_early, .unlocks = true },
	{ .name = "nested", .run = torture_run_nested },
	{ .name = "private", .run = torture_run_private },
	/* Not among the others: only when asked for. */
	{ .name = "crowd", .run = torture_run_crowd },
	{ .name = "gone", .run = torture_run_gone, .stall_ns = TORTURE_STALL_NS },
	{ .name = "gate", .run = torture_run_gate, .stall_ns = TORTURE_STALL_NS },
};

#define TORTURE_NR_USUAL 6

const struct torture_load *torture_find_load(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(torture_loads); i++)
		if (!strcmp(torture_loads[i].name, name))
			return &torture_loads[i];
	return NULL;
}

/* One transaction of any kind. */
void torture_load_one(struct torture_worker *worker)
{
	worker->load = torture.only ?:
		       &torture_loads[torture_random(worker, TORTURE_NR_USUAL)];
	worker->load->run(worker);
	/* Signals were for this one. */
	flush_signals(current);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * torture_controls.c - negative controls: runs that are wrong on purpose and must be caught, each
 * by the check that is there for it.
 *
 * Where a caller can do the wrong as well as the module, a load does it: no locking, forgetting a
 * lock, the wrong order, retrying in lockstep. Where only the module can, the module is broken for
 * real, in a build of its own (kmod/broken.h).
 */
#define pr_fmt(fmt) "torture: " fmt

#include <linux/delay.h>
#include <linux/string.h>

#include "torture.h"

/* Visits a set that it has not taken. */
static void torture_run_noop(struct torture_worker *worker)
{
	torture_pick(worker, 2, 4);
	torture_enter(worker);
	torture_leave(worker);
	worker->commits++;
	cond_resched();
}

/* Forgets to end its transaction, until all have been parked and somebody must have noticed. */
static void torture_run_leak(struct torture_worker *worker)
{
	u64 parked = atomic64_read(&torture.events[TORTURE_SAW_PARKED]);
	int ret;

	if (worker->forgot) {
		if (worker->forgot == 1 + parked && !READ_ONCE(torture.stop)) {
			schedule_timeout_idle(1);
			return;
		}
		worker->forgot = 0;
		torture_end(worker, 0);
		return;
	}
	/* One that nobody else wants, or that would be found in another way first. */
	worker->set[0] = &torture.locks[torture.nr_locks - 1 - worker->number].lock;
	worker->nr = 1;
	if (torture_begin(worker, NULL))
		return;
	ret = headway_lock_many_killable(&worker->txn, worker->set, worker->nr);
	if (!ret && torture_one_in(worker, 100))
		worker->forgot = 1 + parked;
	else
		torture_end(worker, ret);
}

/* One by one in any order, where the policy wants them in one. */
static void torture_run_unsorted(struct torture_worker *worker)
{
	unsigned int i;
	int ret = 0;

	torture_pick(worker, 4, 64);
	if (torture_begin(worker, NULL))
		return;
	for (i = 0; i < worker->nr && !ret; i++) {
		ret = headway_lock_killable(&worker->txn, worker->set[i]);
		torture_expect(worker, ret, &torture_killable, true);
	}
	torture_end(worker, ret);
}

/*
 * The first two workers each hold a lock until both have failed to get the other's, roll back, and
 * come again after the same delay, on the same tick: what naive code does by itself when it is
 * unlucky. As a load that nobody disturbs, so that luck does not matter.
 */
static void torture_meet(void)
{
	int target = round_up(atomic_inc_return(&torture.met), 2);

	while (atomic_read(&torture.met) < target && !READ_ONCE(torture.stop))
		usleep_range(20, 50);
}

static void torture_run_lockstep(struct torture_worker *worker)
{
	struct torture_lock *own = &torture.locks[worker->number % 2];
	struct torture_lock *other = &torture.locks[!(worker->number % 2)];
	int ret;

	worker->nr = 0;
	if (torture_begin(worker, NULL))
		return;
	for (;;) {
		ret = headway_lock_killable(&worker->txn, &own->lock);
		torture_meet();
		if (!ret)
			ret = headway_lock_killable(&worker->txn, &other->lock);
		torture_meet();
		if (ret != -EDEADLK || READ_ONCE(torture.stop))
			break;
		headway_txn_rollback(&worker->txn);
	}
	torture_end(worker, ret);
}

static const struct torture_load torture_noop = { .name = "noop", .run = torture_run_noop };
static const struct torture_load torture_leak = { .name = "leak", .run = torture_run_leak };
static const struct torture_load torture_unsorted = {
	.name = "unsorted", .run = torture_run_unsorted,
};

static const struct torture_load torture_lockstep = {
	.name = "lockstep", .run = torture_run_lockstep,
};

#define CATCH(id) BIT(TORTURE_##id)

/* By a load that does wrong; the last one: how many workers, 0 = as many as usual. */
#define WRONG_LOAD(_name, _caught_by, _policy, _load, _nr_workers) { \
	.name = _name, .caught_by = _caught_by, .policy = HEADWAY_POLICY_##_policy, \
	.load = &torture_##_load, .nr_workers = _nr_workers, \
}

/* By headway.ko, see kmod/broken.h. */
#define BROKEN(_name, _caught_by, _policy, _broken) { \
	.name = _name, .caught_by = _caught_by, .policy = HEADWAY_POLICY_##_policy, \
	.broken = BIT(HEADWAY_BROKEN_##_broken), \
}

/* Every check has one at least, see torture_find_control(). run.sh takes the names from here. */
static const struct torture_control torture_control_list[] = {
	WRONG_LOAD("noop-lock", CATCH(EXCLUSION) | CATCH(BANK), WOUND_WAIT, noop, 0),
	WRONG_LOAD("leaked-lock", CATCH(LEAK), WOUND_WAIT, leak, 0),
	WRONG_LOAD("unsorted", CATCH(DEADLK), ORDERED, unsorted, 0),
	WRONG_LOAD("lockstep", CATCH(LIVELOCK), NONE, lockstep, 2),
	BROKEN("lost-wakeup", CATCH(SLEEPER), WOUND_WAIT, WAKEUP),
	BROKEN("ignored-wound", CATCH(STUCK), WOUND_WAIT, WOUND),
	BROKEN("ignored-victim", CATCH(STUCK), DETECT, WOUND),
	BROKEN("fresh-ticket", CATCH(TICKET), WOUND_WAIT, TICKET),
	BROKEN("hasty-retry", CATCH(BOUND), WAIT_DIE, QUEUE),
	BROKEN("kept-locks", CATCH(HELD), WOUND_WAIT, KEEP),
	BROKEN("wrong-errno", CATCH(ERRNO), WOUND_WAIT, SIGNAL),
	BROKEN("lost-counts", CATCH(STATS), WOUND_WAIT, COUNT),
};

const struct torture_control *torture_find_control(const char *name)
{
	unsigned long caught_by = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(torture_control_list); i++)
		caught_by |= torture_control_list[i].caught_by;
	if (WARN_ONCE(caught_by != BIT(TORTURE_NR_CHECKS) - 1, "a check without a control\n"))
		return NULL;
	for (i = 0; i < ARRAY_SIZE(torture_control_list); i++)
		if (!strcmp(torture_control_list[i].name, name))
			return &torture_control_list[i];
	return NULL;
}

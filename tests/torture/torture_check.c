// SPDX-License-Identifier: GPL-2.0
/*
 * torture_check.c - the invariants that are checked with data inside of critical sections, and
 * those that hold when nothing is in flight.
 *
 * What a lock protects is plain memory: a cookie of who is inside, a count of visits that is
 * written back later than it is read, and an account, of which money moves to others of the same
 * set only.
 */
#define pr_fmt(fmt) "torture: " fmt

#include <linux/delay.h>
#include <linux/sched.h>

#include "torture.h"

static const char * const torture_check_names[] = {
#define X(id, name, help) [TORTURE_##id] = name,
TORTURE_CHECKS(X)
#undef X
};

static const char * const torture_check_helps[] = {
#define X(id, name, help) [TORTURE_##id] = help,
TORTURE_CHECKS(X)
#undef X
};

void torture_fail(enum torture_check check, const char *format, ...)
{
	struct va_format vaf;
	va_list args;

	atomic_cmpxchg(&torture.first_failed, 0, 1 + check);
	if (atomic64_inc_return(&torture.failures[check]) > TORTURE_SAY)
		return;
	va_start(args, format);
	vaf.fmt = format;
	vaf.va = &args;
	pr_err("%s: %s: %pV", torture_check_names[check], torture_check_helps[check], &vaf);
	va_end(args);
}

bool torture_failed(void)
{
	int i;

	for (i = 0; i < TORTURE_NR_CHECKS; i++)
		if (torture_check_failed(i))
			return true;
	return false;
}

bool torture_check_failed(enum torture_check check)
{
	return atomic64_read(&torture.failures[check]);
}

/* The names of the checks that failed, of those in @among, with commas. */
int torture_say_failed(char *buffer, size_t size, unsigned long among)
{
	int i, at = 0;

	for (i = 0; i < TORTURE_NR_CHECKS; i++)
		if (torture_check_failed(i) && among & BIT(i))
			at += scnprintf(buffer + at, size - at, "%s%s", at ? "," : "",
					torture_check_names[i]);
	return at;
}

/*
 * Time inside and between lock calls: mostly none, now and then enough for others to go to sleep.
 */
void torture_dawdle(struct torture_worker *worker)
{
	u32 draw = torture_random(worker, 4096);
	u32 spins;

	if (draw < 2)
		msleep(1 + draw);
	else if (draw < 24)
		usleep_range(20, 200);
	else if (draw < 128)
		schedule();
	else if (draw < 2048)
		for (spins = torture_random(worker, 200); spins; spins--)
			cpu_relax();
}

/*
 * The worker's set has been taken: checks that it is ours alone, moves money about, and stays for a
 * while. Duplicates are side by side then.
 */
void torture_enter(struct torture_worker *worker)
{
	unsigned int i;
	s64 amount;

	worker->sum = 0;
	for (i = 0; i < worker->nr; i++) {
		struct torture_lock *lock = torture_lock_of(worker->set[i]);

		worker->inside[i] = !i || worker->set[i] != worker->set[i - 1];
		if (!worker->inside[i])
			continue;
		if (READ_ONCE(lock->cookie))
			torture_fail(TORTURE_EXCLUSION, "worker %u is not alone in lock %llu\n",
				     worker->number, lock->lock.key);
		WRITE_ONCE(lock->cookie, worker);
		worker->seen[i] = READ_ONCE(lock->visits);
		worker->sum += READ_ONCE(lock->balance);
	}
	for (i = 1; i < worker->nr; i++) {
		struct torture_lock *from = torture_lock_of(worker->set[i - 1]);
		struct torture_lock *to = torture_lock_of(worker->set[i]);

		amount = torture_random(worker, 100);
		WRITE_ONCE(from->balance, from->balance - amount);
		WRITE_ONCE(to->balance, to->balance + amount);
	}
	torture_dawdle(worker);
}

/* Ends the visit to one lock, before it is unlocked. */
void torture_leave_one(struct torture_worker *worker, unsigned int i)
{
	struct torture_lock *lock = torture_lock_of(worker->set[i]);

	if (READ_ONCE(lock->cookie) != worker)
		torture_fail(TORTURE_EXCLUSION, "worker %u was joined in lock %llu\n",
			     worker->number, lock->lock.key);
	WRITE_ONCE(lock->visits, worker->seen[i] + 1);
	WRITE_ONCE(lock->cookie, NULL);
	worker->inside[i] = false;
	worker->visits++;
}

/* Whether the set's money is still all there; with the whole set held. */
void torture_count_money(struct torture_worker *worker)
{
	unsigned int i;
	s64 sum = 0;

	for (i = 0; i < worker->nr; i++)
		if (worker->inside[i])
			sum += READ_ONCE(torture_lock_of(worker->set[i])->balance);
	if (sum != worker->sum)
		torture_fail(TORTURE_BANK, "worker %u: %lld became %lld in a set of %u\n",
			     worker->number, worker->sum, sum, worker->nr);
}

void torture_leave(struct torture_worker *worker)
{
	unsigned int i;

	torture_count_money(worker);
	for (i = 0; i < worker->nr; i++)
		if (worker->inside[i])
			torture_leave_one(worker, i);
}

/*
 * Judges a lock call's result by its form. With @may_conflict, -EDEADLK is possible if the policy
 * has it at all.
 */
void torture_expect(struct torture_worker *worker, int ret, const struct headway_wait *wait,
		    bool may_conflict)
{
	unsigned int state = wait ? wait->state : TASK_UNINTERRUPTIBLE;
	bool fine = false;

	switch (ret) {
	case 0:
		return;
	case -EDEADLK:
		worker->events[TORTURE_SAW_EDEADLK]++;
		if (!may_conflict || torture.peaceful)
			torture_fail(TORTURE_DEADLK, "%s, worker %u, %u of %u locks held\n",
				     worker->load->name, worker->number, torture_nr_held(worker),
				     worker->nr);
		return;
	case -EINTR:
		worker->events[TORTURE_SAW_EINTR]++;
		fine = state == TASK_INTERRUPTIBLE || state == TASK_KILLABLE;
		break;
	case -ETIMEDOUT:
		worker->events[TORTURE_SAW_ETIMEDOUT]++;
		fine = wait && wait->deadline != KTIME_MAX;
		break;
	case -EBUSY:
		worker->events[TORTURE_SAW_EBUSY]++;
		fine = state == TASK_RUNNING;
		break;
	}
	if (!fine)
		torture_fail(TORTURE_ERRNO, "%s, worker %u: %d\n", worker->load->name,
			     worker->number, ret);
}

/*
 * How many locks the worker's transaction holds, by all accounts, not counting the domain's token.
 */
unsigned int torture_nr_held(const struct torture_worker *worker)
{
	const struct headway_txn *txn = &worker->txn;
	const struct headway_lock *lock;
	unsigned int n = 0, tokens = 0;

	for (lock = txn->held; lock; lock = lock->held_next) {
		if (!headway_lock_held(txn, lock))
			torture_fail(TORTURE_HELD, "worker %u only believes that it holds %llu\n",
				     worker->number, lock->key);
		if (lock == &torture.domain->token)
			tokens++;
		else
			n++;
	}
	if (txn->nr_held != n + tokens)
		torture_fail(TORTURE_HELD, "worker %u counts %u, and it is %u and %u tokens\n",
			     worker->number, txn->nr_held, n, tokens);
	return n;
}

/*
 * After a call that failed, or the end: the worker's transaction holds @nr_held locks and waits for
 * nothing. With none held, no lock of its set may name it.
 */
void torture_expect_held(struct torture_worker *worker, unsigned int nr_held)
{
	const struct headway_txn *txn = &worker->txn;
	unsigned int n = torture_nr_held(worker), i;

	if (n != nr_held)
		torture_fail(TORTURE_HELD, "%s, worker %u holds %u locks, expected %u\n",
			     worker->load->name, worker->number, n, nr_held);
	if (READ_ONCE(txn->waiting_on))
		torture_fail(TORTURE_LEAK, "%s, worker %u still waits\n", worker->load->name,
			     worker->number);
	if (nr_held)
		return;
	for (i = 0; i < worker->nr; i++)
		if (headway_lock_held(txn, worker->set[i]))
			torture_fail(TORTURE_LEAK, "%s, worker %u left lock %llu held\n",
				     worker->load->name, worker->number, worker->set[i]->key);
}

static void torture_check_lock(struct torture_lock *lock)
{
	bool waiters;
	long word;

	raw_spin_lock(&lock->lock.wait_lock);
	word = atomic_long_read(&lock->lock.owner);
	waiters = !list_empty(&lock->lock.waiters);
	raw_spin_unlock(&lock->lock.wait_lock);
	/* Not the word itself: it is an address. */
	if (word || waiters || lock->cookie || lock->lock.spin_task)
		torture_fail(TORTURE_LEAK, "lock %llu: owned %d, flags %ld, waited %d, inside %d\n",
			     lock->lock.key, (word & ~HEADWAY_LOCK_FLAGS) != 0,
			     word & HEADWAY_LOCK_FLAGS, waiters, !!lock->cookie);
}

static void torture_check_stat(const char *name, u64 seen, u64 expected)
{
	if (seen != expected)
		torture_fail(TORTURE_STATS, "%s: %llu, expected %llu\n", name, seen, expected);
}

/* What the workers counted is what the domain counted. */
static void torture_check_counts(void)
{
	u64 commits = 0, aborts = 0, rollbacks = 0, busy = 0, begun = 0, ended = 0, outside = 0;
	int cpu;
	unsigned int i;

	for (i = 0; i < torture.nr_workers; i++) {
		commits += torture.workers[i].commits;
		aborts += torture.workers[i].aborts;
		rollbacks += torture.workers[i].rollbacks;
		outside += torture.workers[i].outside;
		busy += torture.workers[i].events[TORTURE_SAW_EBUSY];
	}
	torture_check_stat("commits", torture_stat(HEADWAY_STAT_COMMITS), commits);
	torture_check_stat("aborts", torture_stat(HEADWAY_STAT_ABORTS), aborts);
	torture_check_stat("rollbacks", torture_stat(HEADWAY_STAT_ROLLBACKS), rollbacks);
	/* A begin that the closed gate refuses is not counted there. */
	if (torture_stat(HEADWAY_STAT_BUSY) > busy)
		torture_check_stat("busy", torture_stat(HEADWAY_STAT_BUSY), busy);
	for_each_possible_cpu(cpu) {
		begun += READ_ONCE(per_cpu_ptr(torture.domain->pcpu, cpu)->begun);
		ended += headway_pcpu_ended(per_cpu_ptr(torture.domain->pcpu, cpu));
	}
	torture_check_stat("ended", ended, begun);
	torture_check_stat("begun without migrations",
			   begun - torture_stat(HEADWAY_STAT_MIGRATIONS),
			   commits + aborts - outside);
	if (!list_empty(&torture.domain->live))
		torture_fail(TORTURE_LEAK, "a transaction is left on the list of live ones\n");
}

/* Everybody is parked: nothing is held, no money is missing, and no restart was too many. */
void torture_check_parked(void)
{
	u64 visits = 0, visited = 0, contended, conflicts, lost = 0;
	s64 money = 0;
	unsigned int i;

	contended = torture.domain->token.stats.contended;
	conflicts = torture.domain->token.stats.rollbacks;
	for (i = 0; i < torture.nr_locks; i++) {
		struct torture_lock *lock = &torture.locks[i];

		torture_check_lock(lock);
		money += lock->balance;
		visited += lock->visits;
		contended += lock->lock.stats.contended;
		conflicts += lock->lock.stats.rollbacks;
		if (lock->lock.stats.acquired < lock->visits)
			torture_check_stat("acquired", lock->lock.stats.acquired, lock->visits);
	}
	for (i = 0; i < torture.nr_workers; i++)
		visits += torture.workers[i].visits;
	for (i = 0; i < torture.nr_workers; i++)
		lost += torture.workers[i].rollbacks + torture.workers[i].given_up;
	/* Asking against the order is lost at no lock. */
	conflicts += torture_stat(HEADWAY_STAT_ORDER_VIOLATIONS);
	torture_check_stat("conflicts lost at locks", conflicts, lost);
	if (visits != visited)
		torture_fail(TORTURE_EXCLUSION, "%llu visits, of which %llu left a trace\n",
			     visits, visited);
	if (money != (s64)torture.nr_locks * TORTURE_BALANCE)
		torture_fail(TORTURE_BANK, "%lld in the bank, %lld expected\n", money,
			     (s64)torture.nr_locks * TORTURE_BALANCE);
	torture_check_stat("contended locks' sum", contended, torture_stat(HEADWAY_STAT_CONFLICTS));
	torture_check_counts();
	torture_check_bounds();
}

static u64 torture_check_hist(const struct headway_time_hist *hist)
{
	u64 count = 0;
	int b;

	for (b = 0; b < HEADWAY_HIST_BUCKETS; b++)
		count += hist->bucket[b];
	if (count != hist->count || (count && (hist->min_ns > hist->max_ns ||
					       hist->total_ns < hist->max_ns)))
		torture_fail(TORTURE_STATS, "a histogram of %llu counts %llu\n", count,
			     hist->count);
	return count;
}

/* The last time that everybody is parked: what takes longer to look at. */
void torture_check_end(void)
{
	unsigned int i;

	for (i = 0; i < torture.nr_locks; i++) {
		const struct headway_lock *lock = &torture.locks[i].lock;
		const struct headway_lock_times *times = lock->stats.times;

		if (!times)
			continue;
		torture_check_hist(&times->hold);
		if (torture_check_hist(&times->wait) > lock->stats.contended)
			torture_fail(TORTURE_STATS, "lock %llu: more waits than contentions\n",
				     lock->key);
	}
}

// SPDX-License-Identifier: GPL-2.0
/*
 * philosophers.c - dining philosophers as kernel threads, on the Headway domain `philosophers`.
 *
 * N philosophers sit at a round table with N forks; each takes the left fork, reaches over, takes
 * the right one, eats, and puts both down. What happens when a fork is not there is the domain's
 * policy, which may be changed while they sit:
 *
 * - none: everybody is polite in the same way: puts the left fork back and tries again in the next
 *   round. All keep step, so all take their left forks, all find the right one taken, all put the
 *   left one back: busy for ever, and nobody eats. A livelock.
 * - ordered: forks are taken in the order of their numbers, whichever hand they are at, so the one
 *   at the end of the row begins on the other side and the ring is broken.
 * - polite: as none, but they wait for random times, and for the missing fork: steps differ.
 * - wound-wait: the one who has waited longest asks the neighbour to put the fork back; wait-die:
 *   the one who has waited less puts it back; detect: the one by whom a ring of waiting is closed
 *   finds it, and the youngest in it puts the fork back.
 * - serial: one of them at the table at a time.
 *
 * Keeping step. A round lasts reach_ms, on the clock, and has four quarters; it is the same for
 * everybody:
 *
 *	0	1/4	1/2	3/4	1
 *	take left ......	reach..	put back
 *
 * A thread that comes late to reaching or putting back waits for the next round's, holding what it
 * holds, which makes its neighbours fail as before. So noise cannot end the livelock unless it
 * delays the taking of a free left fork by half a round.
 *
 * Invariants: a fork is held by one philosopher at most; a philosopher holds forks only inside of a
 * transaction and never sleeps without bound in it, so that rmmod ends within PATIENCE_NS and a
 * round.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "headway.h"

#define SEATS_MAX	64
#define REACH_MS_MIN	4
#define REACH_MS_MAX	1000
#define MEAL_US_MAX	1000000
#define PATIENCE_NS	(500 * (u64)NSEC_PER_MSEC)

static unsigned int seats = 5;
module_param(seats, uint, 0444);
MODULE_PARM_DESC(seats, "Philosophers, and forks (2 to 64; 5)");

static char *policy = "none";
module_param(policy, charp, 0444);
MODULE_PARM_DESC(policy, "Policy to begin with (none)");

static unsigned int meal_us = 1000;
module_param(meal_us, uint, 0444);
MODULE_PARM_DESC(meal_us, "How long a meal takes, in microseconds (at most 1000000; 1000)");

static unsigned int reach_ms = 50;
module_param(reach_ms, uint, 0444);
MODULE_PARM_DESC(reach_ms, "How long a round takes, in milliseconds (4 to 1000; 50)");

static DEFINE_HEADWAY_DOMAIN(philosophers, HEADWAY_POLICY_NONE);

struct seat {
	struct headway_lock fork;	/* the left one; the neighbour's is the right one */
	char fork_name[8];
	unsigned int number;
	struct task_struct *task;
	u64 meals;			/* own */
	u64 attempts;			/* own */
};

static struct seat *table;
static struct dentry *files;
static bool closing;			/* set once, by the module's exit: all see it together */
static u64 round_ns;
static u64 opening_ns;			/* when the first round begins: all begin with the same */

static bool leaving(void)
{
	return READ_ONCE(closing) || kthread_should_stop();
}

static void sleep_until(u64 when_ns)
{
	ktime_t when = ns_to_ktime(when_ns);

	while (!leaving() && ktime_get_ns() < when_ns) {
		set_current_state(TASK_IDLE);
		schedule_hrtimeout(&when, HRTIMER_MODE_ABS);
	}
}

/* Waits until the clock is between two quarters of a round; at once if it is there. */
static void keep_step(unsigned int from, unsigned int to)
{
	while (!leaving()) {
		u64 now = ktime_get_ns(), phase;

		div64_u64_rem(now, round_ns, &phase);
		if (phase >= from * (round_ns / 4) && phase < to * (round_ns / 4))
			return;
		if (phase >= from * (round_ns / 4))
			now += round_ns;
		sleep_until(now - phase + from * (round_ns / 4));
	}
}

/*
 * The policy may have changed since the last attempt; under `ordered`, the lower fork comes
 * first.
 */
static void choose(struct seat *seat, struct headway_txn *txn, struct headway_lock **forks)
{
	forks[0] = &seat->fork;
	forks[1] = &table[(seat->number + 1) % seats].fork;
	if (headway_txn_policy(txn) == HEADWAY_POLICY_ORDERED)
		headway_sort(forks, 2);
}

/*
 * One meal, or none if the patience ran out or the party is over. A fork that did not come in
 * time is no conflict: the transaction ends, and the next one begins anew.
 */
static void dine(struct seat *seat)
{
	const struct headway_wait patience = {
		.state = TASK_KILLABLE,
		.deadline = ktime_add_ns(ktime_get(), PATIENCE_NS),
	};
	struct headway_lock *forks[2];
	struct headway_txn txn;
	bool in_step;
	int err;

	if (headway_txn_begin_wait(&txn, &philosophers, 0, &patience))
		return;
	headway_txn_until_done(&txn) {
		if (leaving())
			break;
		seat->attempts++;
		choose(seat, &txn, forks);
		in_step = headway_txn_policy(&txn) == HEADWAY_POLICY_NONE;
		if (in_step)
			keep_step(0, 2);
		err = headway_lock_timeout(&txn, forks[0], PATIENCE_NS);
		headway_txn_retry_on_conflict(&txn);
		if (err)
			break;

		keep_step(2, 3);
		err = headway_lock_timeout(&txn, forks[1], PATIENCE_NS);
		if (in_step && err == -EDEADLK)
			keep_step(3, 4);
		headway_txn_retry_on_conflict(&txn);
		if (err)
			break;

		fsleep(meal_us);
		seat->meals++;
	}
	headway_txn_end(&txn);
}

static int philosopher(void *arg)
{
	struct seat *seat = arg;

	sleep_until(opening_ns);
	while (!leaving()) {
		dine(seat);
		/* Thinking, until the next round. */
		keep_step(3, 4);
		keep_step(0, 2);
	}
	return 0;
}

static int meals_show(struct seq_file *seq, void *unused)
{
	unsigned int i;

	seq_puts(seq, "# philosophers.meals v1\n");
	for (i = 0; i < seats; i++)
		seq_printf(seq, "seat=%u meals=%llu attempts=%llu\n", i,
			   READ_ONCE(table[i].meals), READ_ONCE(table[i].attempts));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(meals);

static const char *const policy_names[] = {
#define X(id, name, help) name,
	HEADWAY_POLICIES(X)
#undef X
};

static int check_parameters(void)
{
	int chosen = 0;

	while (chosen < HEADWAY_NR_POLICIES && strcmp(policy_names[chosen], policy))
		chosen++;
	if (chosen == HEADWAY_NR_POLICIES)
		pr_err("philosophers: there is no policy '%s'; see the domain's file `policy`\n",
		       policy);
	else if (seats < 2 || seats > SEATS_MAX)
		pr_err("philosophers: seats=%u: must be 2 to %d\n", seats, SEATS_MAX);
	else if (reach_ms < REACH_MS_MIN || reach_ms > REACH_MS_MAX)
		pr_err("philosophers: reach_ms=%u: must be %d to %d\n", reach_ms, REACH_MS_MIN,
		       REACH_MS_MAX);
	else if (meal_us > MEAL_US_MAX)
		pr_err("philosophers: meal_us=%u: must be at most %d\n", meal_us, MEAL_US_MAX);
	else
		return chosen;
	return -EINVAL;
}

static int seat_down(unsigned int i)
{
	struct seat *seat = &table[i];
	struct task_struct *task;

	task = kthread_create(philosopher, seat, "philosopher/%u", i);
	if (IS_ERR(task))
		return PTR_ERR(task);
	/* All leave at the same time, so a task may have ended when kthread_stop() comes for it. */
	get_task_struct(task);
	seat->task = task;
	return 0;
}

static void stand_up(void)
{
	unsigned int i;

	WRITE_ONCE(closing, true);
	for (i = 0; i < seats; i++) {
		if (!table[i].task)
			continue;
		kthread_stop(table[i].task);
		put_task_struct(table[i].task);
	}
}

static void clear_table(void)
{
	unsigned int i;

	for (i = 0; i < seats; i++)
		headway_lock_destroy(&table[i].fork);
	headway_domain_unregister(&philosophers);
	kfree(table);
}

static int lay_table(enum headway_policy chosen)
{
	unsigned int i;
	int err;

	table = kcalloc(seats, sizeof(*table), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	philosophers.policy = chosen;
	/* Short against a round: whoever puts back in the last quarter is in time for the next. */
	philosophers.grid = (struct headway_backoff_params){
		.base_ns = round_ns / 8,
		.kind = HEADWAY_BACKOFF_CONSTANT,
		.jitter = HEADWAY_JITTER_GRID,
	};
	err = headway_domain_register(&philosophers);
	if (err) {
		kfree(table);
		return err;
	}
	for (i = 0; i < seats; i++) {
		struct seat *seat = &table[i];

		seat->number = i;
		snprintf(seat->fork_name, sizeof(seat->fork_name), "fork%u", i);
		headway_lock_init(&seat->fork, &philosophers, i, 0, seat->fork_name);
	}
	return 0;
}

static int __init philosophers_init(void)
{
	int chosen = check_parameters();
	unsigned int i;
	int err;

	if (chosen < 0)
		return chosen;
	round_ns = (u64)reach_ms * NSEC_PER_MSEC;
	err = lay_table(chosen);
	if (err)
		return err;
	for (i = 0; !err && i < seats; i++)
		err = seat_down(i);
	if (err) {
		stand_up();
		clear_table();
		return err;
	}
	files = debugfs_create_dir("philosophers", NULL);
	debugfs_create_file("meals", 0400, files, NULL, &meals_fops);
	opening_ns = (div64_u64(ktime_get_ns(), round_ns) + 2) * round_ns;
	for (i = 0; i < seats; i++)
		wake_up_process(table[i].task);
	pr_info("philosophers: %u seats, policy %s, rounds of %u ms, meals of %u us\n", seats,
		policy_names[chosen], reach_ms, meal_us);
	return 0;
}

static void __exit philosophers_exit(void)
{
	debugfs_remove(files);
	stand_up();
	clear_table();
}

module_init(philosophers_init);
module_exit(philosophers_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Headway: dining philosophers, for showing a livelock and its cures");

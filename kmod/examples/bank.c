// SPDX-License-Identifier: GPL-2.0
/*
 * bank.c - transfers between N accounts: sets of locks, taken whole.
 *
 * Each clerk, a kernel thread, moves money from one account to up to seven others. It takes all of
 * them by headway_lock_many_timeout(), in any order and some of them twice, which is all that there
 * is to do about deadlock and livelock. When the module goes, no money may have been made or lost.
 *
 *	insmod bank.ko accounts=64 clerks=4		until rmmod
 *	insmod bank.ko seconds=5		for 5 seconds; fails (EIO) when money is lost
 *	echo wait-die >/sys/kernel/debug/headway/domains/clearing/policy
 *
 * The kernel log says at the end:
 *
 *	bank: pass: 120034 transfers, 24006 per second, 310 rollbacks (4 at most in one), 0 given up
 *
 * or, as an error, "bank: FAIL" and what is wrong.
 *
 * Invariant: a balance is read and written only by who holds the account's lock.
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "headway.h"

#define OPENING_BALANCE	1000
#define PARTIES_MAX	8
#define ACCOUNTS_MAX	4096
#define CLERKS_MAX	64
/* For how long a clerk tries one transfer: forever, under policy `none`, would be a livelock. */
#define PATIENCE_NS	(500 * (u64)NSEC_PER_MSEC)

static unsigned int accounts = 32;
module_param(accounts, uint, 0444);
MODULE_PARM_DESC(accounts, "Number of accounts (2 to 4096; 32)");

static unsigned int clerks = 4;
module_param(clerks, uint, 0444);
MODULE_PARM_DESC(clerks, "Number of threads (1 to 64; 4)");

static unsigned int seconds;
module_param(seconds, uint, 0444);
MODULE_PARM_DESC(seconds, "How long to work, in seconds; 0 = until the module is unloaded (0)");

static bool spoil;
module_param(spoil, bool, 0444);
MODULE_PARM_DESC(spoil, "Lose some money, to see that it is noticed (0)");

static DEFINE_HEADWAY_DOMAIN(clearing, HEADWAY_POLICY_WOUND_WAIT);

struct account {
	struct headway_lock lock;
	s64 balance;			/* under lock */
};

struct clerk {
	struct task_struct *task;
	u64 random;			/* own, as all below */
	u64 transfers;
	u64 rollbacks;
	u64 given_up;
	u32 restarts_max;
};

static struct account *book;
static struct clerk *staff;
static u64 opened_ns;
static bool closing;			/* set once; all clerks see it together */

static u32 draw(struct clerk *clerk, u32 below)
{
	clerk->random = clerk->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(clerk->random >> 33) % below;
}

/* Return: 0; -ETIMEDOUT: nothing has moved. */
static int transfer(struct clerk *clerk, struct account **parties, unsigned int n)
{
	struct headway_lock *locks[PARTIES_MAX];
	struct headway_txn txn;
	unsigned int i;
	int err;

	for (i = 0; i < n; i++)
		locks[i] = &parties[i]->lock;
	headway_txn_begin(&txn, &clearing);
	err = headway_lock_many_timeout(&txn, locks, n, PATIENCE_NS);
	for (i = 1; !err && i < n; i++) {
		parties[0]->balance--;
		/* Some are slow, so that the others meet a holder that sleeps. */
		if (i == 1 && !draw(clerk, 32))
			usleep_range(20, 100);
		parties[i]->balance++;
	}
	/* For the report; a caller has no other reason to look into a transaction. */
	clerk->rollbacks += txn.restarts;
	clerk->restarts_max = max(clerk->restarts_max, txn.restarts);
	headway_txn_end(&txn);
	return err;
}

static int clerk_thread(void *data)
{
	struct account *parties[PARTIES_MAX];
	struct clerk *clerk = data;
	unsigned int i, n;

	/* Not in the way of whoever wants to switch policies, or to unload. */
	set_user_nice(current, MAX_NICE);
	while (!READ_ONCE(closing) && !kthread_should_stop()) {
		n = 2 + draw(clerk, PARTIES_MAX - 1);
		for (i = 0; i < n; i++)
			parties[i] = &book[draw(clerk, accounts)];
		if (transfer(clerk, parties, n))
			clerk->given_up++;
		else
			clerk->transfers++;
		cond_resched();
	}
	return 0;
}

/* Return: the first error; those that were started work, and go home with close_bank(). */
static int open_bank(void)
{
	struct task_struct *task;
	unsigned int i;
	int err;

	err = headway_domain_register(&clearing);
	if (err)
		return err;
	for (i = 0; i < accounts; i++) {
		book[i].balance = OPENING_BALANCE;
		/* One rank for all: the key, an account number, gives the order. */
		headway_lock_init(&book[i].lock, &clearing, 0, i, "account");
	}
	opened_ns = ktime_get_ns();
	for (i = 0; !err && i < clerks; i++) {
		staff[i].random = i + 1;
		task = kthread_create(clerk_thread, &staff[i], "clerk/%u", i);
		if (IS_ERR(task)) {
			err = PTR_ERR(task);
			break;
		}
		/* It may have ended by itself when kthread_stop() comes for it. */
		staff[i].task = get_task_struct(task);
		wake_up_process(task);
	}
	return err;
}

/* Return: 0, or -EIO when there is not as much money as there was. */
static int report(void)
{
	u64 transfers = 0, rollbacks = 0, given_up = 0;
	u64 ms = div_u64(ktime_get_ns() - opened_ns, NSEC_PER_MSEC) ?: 1;
	s64 total = 0, expected = (s64)accounts * OPENING_BALANCE;
	u32 restarts_max = 0;
	unsigned int i;

	for (i = 0; i < accounts; i++)
		total += book[i].balance;
	for (i = 0; i < clerks; i++) {
		transfers += staff[i].transfers;
		rollbacks += staff[i].rollbacks;
		given_up += staff[i].given_up;
		restarts_max = max(restarts_max, staff[i].restarts_max);
	}
	if (total != expected) {
		pr_err("bank: FAIL: %lld in the bank after %llu transfers, not %lld\n", total,
		       transfers, expected);
		return -EIO;
	}
	pr_info("bank: pass: %llu transfers, %llu per second, %llu rollbacks (%u at most in one), %llu given up\n",
		transfers, div64_u64(transfers * MSEC_PER_SEC, ms), rollbacks, restarts_max,
		given_up);
	return 0;
}

static int close_bank(void)
{
	unsigned int i;
	int err;

	WRITE_ONCE(closing, true);
	for (i = 0; i < clerks; i++) {
		if (!staff[i].task)
			continue;
		kthread_stop(staff[i].task);
		put_task_struct(staff[i].task);
	}
	book[0].balance -= spoil;
	err = report();
	for (i = 0; i < accounts; i++)
		headway_lock_destroy(&book[i].lock);
	headway_domain_unregister(&clearing);
	return err;
}

static void free_bank(void)
{
	kvfree(book);
	kfree(staff);
}

static int __init bank_init(void)
{
	int err;

	if (accounts < 2 || accounts > ACCOUNTS_MAX || !clerks || clerks > CLERKS_MAX) {
		pr_err("bank: accounts must be 2 to %d, clerks 1 to %d\n", ACCOUNTS_MAX,
		       CLERKS_MAX);
		return -EINVAL;
	}
	book = kvcalloc(accounts, sizeof(*book), GFP_KERNEL);
	staff = kcalloc(clerks, sizeof(*staff), GFP_KERNEL);
	err = book && staff ? open_bank() : -ENOMEM;
	if (!err && !seconds)
		return 0;
	if (!err)
		msleep(seconds * MSEC_PER_SEC);
	/* Without a task there is no bank: the domain could not be registered. */
	if (staff && staff[0].task)
		err = close_bank() ?: err;
	if (err) {
		free_bank();
		return err;
	}
	return 0;
}

static void __exit bank_exit(void)
{
	if (!READ_ONCE(closing))
		close_bank();
	free_bank();
}

module_init(bank_init);
module_exit(bank_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Headway: example of transfers between many accounts, each a set of locks");

// SPDX-License-Identifier: GPL-2.0
/*
 * rename.c - two-inode rename in a small tree: locks that are known only after others are held.
 *
 * Movers exchange what two directories have under two names, as renameat2() does with
 * RENAME_EXCHANGE; either name may be free. That takes up to five locks, some the same: source and
 * target directory; what lies under the names, looked up there; and the tree's lock, lowest of all,
 * if a directory gets another parent, so that nobody makes it its own ancestor meanwhile.
 *
 * A file system has to drop everything, take the locks in order and look again. Here each is asked
 * for when it is known to be needed, whatever its order: a conflict goes back to the top of
 * headway_txn_until_done(). Only policy `ordered` needs a guess, which is verified with the locks.
 *
 *	insmod rename.ko			until rmmod
 *	insmod rename.ko seconds=5		for 5 seconds; fails (EIO) when the tree is broken
 *	echo detect >/sys/kernel/debug/headway/domains/tree/policy
 *
 * The kernel log says at the end "rename: pass", with figures, or, as an error, "rename: FAIL".
 *
 * Invariants: each inode is under one name of one directory, its parent; no directory is its own
 * ancestor. An entry is written under its directory's lock, a parent under the inode's lock and,
 * for directories, the tree's.
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/sched/task.h>

#include "headway.h"

#define DIRS		8
#define INODES		32		/* directories first; 0 is the root */
#define NAMES		12		/* in a directory */
#define MOVERS		4
#define PATIENCE_NS	(500 * (u64)NSEC_PER_MSEC)

static unsigned int seconds;
module_param(seconds, uint, 0444);
MODULE_PARM_DESC(seconds, "How long to work, in seconds; 0 = until the module is unloaded (0)");

static bool spoil;
module_param(spoil, bool, 0444);
MODULE_PARM_DESC(spoil, "Break the tree at the end, to see that it is noticed (0)");

static DEFINE_HEADWAY_DOMAIN(tree, HEADWAY_POLICY_WOUND_WAIT);
static DEFINE_HEADWAY_LOCK(tree_lock, &tree, 0);

struct inode_like {
	struct headway_lock lock;	/* rank 1, key: the number */
	struct inode_like *parent;
	struct inode_like *entry[NAMES];
};

struct rename {
	struct inode_like *from, *to;
	unsigned int old_name, new_name;
};

static struct inode_like inodes[INODES];
static struct task_struct *staff[MOVERS];
static atomic64_t done, given_up, rollbacks;
static bool closing;

static bool leaving(void)
{
	return READ_ONCE(closing) || kthread_should_stop();
}

/* Under the tree's lock. Whether @dir, or what it lies in, lies in @inode. */
static bool lies_in(struct inode_like *dir, struct inode_like *inode)
{
	while (dir != inode && dir->parent)
		dir = dir->parent;
	return dir == inode;
}

static bool gets_new_parent(const struct rename *r, const struct inode_like *inode)
{
	return inode && inode < &inodes[DIRS] && r->from != r->to;
}

/* With all locks held. Return: 0, or -ELOOP: a directory would come to lie in itself. */
static int exchange(const struct rename *r)
{
	struct inode_like *moved = r->from->entry[r->old_name];
	struct inode_like *victim = r->to->entry[r->new_name];

	if ((gets_new_parent(r, moved) && lies_in(r->to, moved)) ||
	    (gets_new_parent(r, victim) && lies_in(r->from, victim)))
		return -ELOOP;
	WRITE_ONCE(r->from->entry[r->old_name], victim);
	WRITE_ONCE(r->to->entry[r->new_name], moved);
	if (victim)
		victim->parent = r->from;
	if (moved)
		moved->parent = r->to;
	return 0;
}

/* Some of the locks may be the same. */
static int take(struct headway_txn *txn, struct headway_lock *lock)
{
	int err = headway_lock_timeout(txn, lock, PATIENCE_NS);

	return err == -EALREADY ? 0 : err;
}

/* For `ordered`: looks first, takes all in order. Return: 0; -EAGAIN: something else lies there. */
static int take_guess(struct headway_txn *txn, const struct rename *r)
{
	struct inode_like *moved = READ_ONCE(r->from->entry[r->old_name]);
	struct inode_like *victim = READ_ONCE(r->to->entry[r->new_name]);
	struct headway_lock *locks[5] = { &tree_lock, &r->from->lock, &r->to->lock };
	unsigned int n = 3;
	int err;

	if (moved)
		locks[n++] = &moved->lock;
	if (victim)
		locks[n++] = &victim->lock;
	err = headway_lock_many_timeout(txn, locks, n, PATIENCE_NS);
	if (!err && (r->from->entry[r->old_name] != moved || r->to->entry[r->new_name] != victim))
		err = -EAGAIN;
	return err;
}

/* Return: 0; -EDEADLK, the caller rolls back; -ETIMEDOUT, -EAGAIN. */
static int take_all(struct headway_txn *txn, const struct rename *r)
{
	struct inode_like *moved, *victim;
	int err;

	if (headway_txn_policy(txn) == HEADWAY_POLICY_ORDERED)
		return take_guess(txn, r);
	err = take(txn, &r->from->lock) ?: take(txn, &r->to->lock);
	if (err)
		return err;
	moved = r->from->entry[r->old_name];
	victim = r->to->entry[r->new_name];
	if (moved)
		err = take(txn, &moved->lock);
	if (!err && victim)
		err = take(txn, &victim->lock);
	if (!err && (gets_new_parent(r, moved) || gets_new_parent(r, victim)))
		err = take(txn, &tree_lock);
	return err;
}

/* Return: 0; -ELOOP, -ETIMEDOUT, -EAGAIN, -EINTR: nothing has changed. */
static int rename_once(const struct rename *r)
{
	struct headway_txn txn;
	int err = -EINTR;

	headway_txn_begin(&txn, &tree);
	headway_txn_until_done(&txn) {
		err = leaving() ? -EINTR : take_all(&txn, r);
		if (err == -EDEADLK)
			atomic64_inc(&rollbacks);
		headway_txn_retry_on_conflict(&txn);
		if (!(get_random_u32() % 32))
			usleep_range(20, 100);	/* the disk */
		if (!err)
			err = exchange(r);
	}
	headway_txn_end(&txn);
	return err;
}

static int mover_thread(void *unused)
{
	/* Not in the way of whoever wants to switch policies, or to unload. */
	set_user_nice(current, MAX_NICE);
	while (!leaving()) {
		const struct rename r = {
			.from = &inodes[get_random_u32() % DIRS],
			.to = &inodes[get_random_u32() % DIRS],
			.old_name = get_random_u32() % NAMES,
			.new_name = get_random_u32() % NAMES,
		};

		atomic64_inc(rename_once(&r) ? &given_up : &done);
		cond_resched();
	}
	return 0;
}

/* Nobody moves anything. Return: 0, or -EIO when the tree is none any more. */
static int check_tree(void)
{
	unsigned int i, name, depth, names;
	struct inode_like *up;

	for (i = 0; i < INODES; i++) {
		for (names = 0, name = 0; name < DIRS * NAMES; name++)
			names += inodes[name / NAMES].entry[name % NAMES] == &inodes[i];
		for (up = &inodes[i], depth = 0; up->parent && depth < INODES; depth++)
			up = up->parent;
		/* The root has no name, and is above all. */
		if (names == !!i && up == &inodes[0])
			continue;
		pr_err("rename: FAIL: inode %u is under %u names, %u levels down\n", i, names,
		       depth);
		return -EIO;
	}
	return 0;
}

static int stop(void)
{
	unsigned int i;
	int err;

	WRITE_ONCE(closing, true);
	for (i = 0; i < MOVERS && staff[i]; i++) {
		kthread_stop(staff[i]);
		put_task_struct(staff[i]);
	}
	if (spoil)
		inodes[1].parent = &inodes[1];
	err = check_tree();
	if (!err)
		pr_info("rename: pass: %lld renames, %lld refused or given up, %lld rollbacks\n",
			atomic64_read(&done), atomic64_read(&given_up), atomic64_read(&rollbacks));
	for (i = 0; i < INODES; i++)
		headway_lock_destroy(&inodes[i].lock);
	headway_lock_destroy(&tree_lock);
	headway_domain_unregister(&tree);
	return err;
}

static int start(void)
{
	struct task_struct *task;
	unsigned int i;

	for (i = 0; i < INODES; i++)
		headway_lock_init(&inodes[i].lock, &tree, 1, i, "inode");
	for (i = 1; i < INODES; i++) {
		inodes[i].parent = &inodes[i < DIRS ? (i - 1) / 2 : i % DIRS];
		inodes[i].parent->entry[i < DIRS ? i : DIRS - 1 + i / DIRS] = &inodes[i];
	}
	for (i = 0; i < MOVERS; i++) {
		task = kthread_create(mover_thread, NULL, "mover/%u", i);
		if (IS_ERR(task))
			return PTR_ERR(task);
		/* It may have ended by itself when kthread_stop() comes for it. */
		staff[i] = get_task_struct(task);
		wake_up_process(task);
	}
	return 0;
}

static int __init rename_init(void)
{
	int err;

	err = headway_domain_register(&tree);
	if (err)
		return err;
	err = start();
	if (!err && !seconds)
		return 0;
	if (!err)
		msleep(seconds * MSEC_PER_SEC);
	return stop() ?: err;
}

static void __exit rename_exit(void)
{
	if (!closing)
		stop();
}

module_init(rename_init);
module_exit(rename_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Headway: example of two-inode rename, locks added late in any order");

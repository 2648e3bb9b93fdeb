/* SPDX-License-Identifier: GPL-2.0 */
/*
 * arbiter.h - what the arbiter's files share. Lock order and invariants: see arbiter.c.
 */
#ifndef HEADWAY_ARBITER_PRIVATE_H
#define HEADWAY_ARBITER_PRIVATE_H

#include "headway.h"

#define HEADWAY_ARBITER_NAME_MAX 32

struct headway_arbiter {
	char name[HEADWAY_ARBITER_NAME_MAX];
	spinlock_t lock;		/* guards all that says so; see arbiter.c */
	struct headway_arbiter_core core;	/* lock */
	bool closing;			/* lock; shut down: nothing is queued any more */
	u32 nr_sleepers;		/* lock; tasks that wait for requests */
	struct list_head calls;		/* lock; requests whose callback is due, in order */
	struct headway_request *calling;	/* lock; whose callback runs now */
	struct task_struct *caller;	/* lock; that runs it; NULL when there is none */
	ktime_t expires;		/* lock; when expire_work is due; KTIME_MAX = not */
	wait_queue_head_t idle;		/* see headway_arbiter_stir() */
	struct workqueue_struct *wq;
	struct work_struct call_work;
	struct delayed_work expire_work;
	/* debugfs_arbiter.c's, headway_arbiters_mutex */
	struct dentry *debugfs;		/* ERR_PTR() where there is none */
	struct list_head node;		/* headway_arbiters */
	char dir_name[HEADWAY_ARBITER_NAME_MAX + 12];	/* name, made unique */
	struct headway_holder *owner[];	/* lock; for the core */
};

/*
 * All under the lock. stir: after a waiter has left, a callback has ended or something was
 * released: whoever waits for that (arbiter_end.c) looks again.
 */
void headway_arbiter_stir(struct headway_arbiter *arbiter);
void headway_arbiter_finish(struct headway_arbiter *arbiter, struct headway_request *request);
void headway_arbiter_settle(struct headway_arbiter *arbiter);
void headway_arbiter_fail(struct headway_arbiter *arbiter, struct headway_request *request,
			  int ret);
int headway_arbiter_enter(struct headway_arbiter *arbiter, struct headway_request *request,
			  bool try);

/* debugfs_arbiter.c */
void headway_debugfs_add_arbiter(struct headway_arbiter *arbiter);
void headway_debugfs_remove_arbiter(struct headway_arbiter *arbiter);

#endif /* HEADWAY_ARBITER_PRIVATE_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * headway_group.h - wait for a number of jobs, with a limit, and call them off. Comes with
 * headway.h.
 */
#ifndef HEADWAY_GROUP_H
#define HEADWAY_GROUP_H

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "headway.h"

/**
 * DOC: Group in one page
 *
 * A *group* counts jobs: whatever somebody else does and we wait for. Unlike a completion or a
 * counter it can be waited for with every kind of limit, and unlike them it survives a waiter that
 * has given up: every job has a reference, so the group is freed with the last of creator and
 * jobs::
 *
 *	group = headway_group_create(GFP_KERNEL);
 *
 *	int err = headway_group_add(group, &clerk->job, NULL);
 *
 *	err = headway_group_wait_timeout(group, limit_ns);
 *	if (err) {
 *		headway_group_cancel(group);
 *		headway_arbiter_shutdown(office);
 *	}
 *
 *	headway_group_put(group);
 *
 * and the job::
 *
 *	while (clerk->done < JOBS_EACH && !headway_job_cancelled(&clerk->job)) {
 *
 *	headway_group_done(&clerk->job, err);
 *
 * (From kmod/examples/device_claim.c.) headway_group_cancel_wait() waits for the jobs that were
 * called off.
 *
 * Cancelling a group passes it on to every job under way: by its cancel function, and by
 * headway_job_cancelled(), which the job reads. It takes nothing from a job and waits for none.
 *
 * Results of the calls:
 *
 * ============ ==================================================================================
 * 0            wait: no job is under way; add: the job is in
 * -ETIMEDOUT   wait: the deadline passed; the jobs go on, and can be waited for again
 * -EINTR       wait: a signal (interruptible) or a fatal signal (killable) arrived; as above
 * -EBUSY       wait: jobs are under way, and the call must not sleep
 * -ECANCELED   add: the group was cancelled; no job is let in any more
 * ============ ==================================================================================
 *
 * A wait for a cancelled group is a wait as any other: 0 when its jobs have ended. What they ended
 * with is for headway_group_error().
 *
 * Lifetime. A job's struct headway_job, and what it is part of, must stay until
 * headway_group_done(); a wait that timed out does not change that: the jobs go on, and their
 * memory must not be on the stack of the one who waits, unless it waits again, without a limit,
 * before it returns. The group itself is looked after by its references.
 */

struct headway_job;

/**
 * struct headway_group - a number of jobs; headway_group_create() makes one
 */
struct headway_group {
	/* private: */
	spinlock_t lock;
	refcount_t refs;		/* creator, jobs */
	struct list_head jobs;		/* lock; under way */
	u32 pending;			/* lock; length of that list */
	u64 emptied;			/* lock; times that pending became 0 */
	bool cancelled;			/* lock; read without: headway_job_cancelled() */
	int error;			/* lock; the first that a job reported */
	wait_queue_head_t wq;		/* pending is 0 */
};

/**
 * struct headway_job - one job; part of whatever describes it
 */
struct headway_job {
	/* private: */
	struct headway_group *group;	/* const from add to done */
	struct list_head node;		/* group->jobs */
	void (*cancel)(struct headway_job *job);	/* const */
};

struct headway_group *headway_group_create(gfp_t gfp);
void headway_group_get(struct headway_group *group);
void headway_group_put(struct headway_group *group);
int __must_check headway_group_add(struct headway_group *group, struct headway_job *job,
				   void (*cancel)(struct headway_job *job));
void headway_group_done(struct headway_job *job, int error);
void headway_group_cancel(struct headway_group *group);
int __must_check headway_group_wait(struct headway_group *group, const struct headway_wait *wait);
u32 headway_group_pending(struct headway_group *group);
int headway_group_error(struct headway_group *group);

/**
 * headway_job_cancelled - whether a job should come to an end
 * @job: own job, not done
 *
 * Context: any.
 * Return: whether its group was cancelled.
 */
static inline bool headway_job_cancelled(const struct headway_job *job)
{
	return READ_ONCE(job->group->cancelled);
}

/**
 * headway_group_wait_killable - wait for all jobs, unless a fatal signal arrives
 * @group: the group
 *
 * Context: task context, may sleep.
 * Return: 0, -EINTR.
 */
static inline int __must_check headway_group_wait_killable(struct headway_group *group)
{
	return headway_group_wait(group, __HEADWAY_WAIT(TASK_KILLABLE, KTIME_MAX));
}

/**
 * headway_group_wait_timeout - wait for all jobs within a time, unless a fatal signal arrives
 * @group: the group
 * @timeout_ns: from now, ns
 *
 * Context: task context, may sleep.
 * Return: 0, -ETIMEDOUT, -EINTR.
 */
static inline int __must_check headway_group_wait_timeout(struct headway_group *group,
							  u64 timeout_ns)
{
	return headway_group_wait(group, __HEADWAY_WAIT(TASK_KILLABLE,
				  ktime_add_safe(ktime_get(), ns_to_ktime(timeout_ns))));
}

/**
 * headway_group_wait_interruptible - wait for all jobs, unless a signal arrives
 * @group: the group
 *
 * Context: task context, may sleep.
 * Return: 0, -EINTR.
 */
static inline int __must_check headway_group_wait_interruptible(struct headway_group *group)
{
	return headway_group_wait(group, __HEADWAY_WAIT(TASK_INTERRUPTIBLE, KTIME_MAX));
}

/**
 * headway_group_cancel_wait - call the jobs off, and wait until they have ended
 * @group: the group; the caller has a reference
 * @wait: how to wait; NULL = for as long as it takes
 *
 * Context: as headway_group_wait().
 * Return: 0: no job is under way, nor will be; -ETIMEDOUT, -EINTR, -EBUSY: they are called off, and
 * some are still under way.
 */
static inline int __must_check headway_group_cancel_wait(struct headway_group *group,
							 const struct headway_wait *wait)
{
	headway_group_cancel(group);
	return headway_group_wait(group, wait);
}

#endif /* HEADWAY_GROUP_H */

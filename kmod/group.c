// SPDX-License-Identifier: GPL-2.0
/*
 * group.c - wait for a number of jobs, with a limit, and call them off.
 *
 * Lock order: group->lock > whatever a job's cancel function takes (arbiter->lock, say);
 * group->lock > group->wq.lock. group->lock is a spinlock_t taken with interrupts off.
 *
 * Invariants: a job is on group->jobs from add to done and has a reference all that time. Its
 * cancel function is called under the lock, so never before add has returned 0 nor once done has
 * returned.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "headway.h"
#include "wait.h"

/**
 * headway_group_create - make a group without jobs
 * @gfp: as for kmalloc()
 *
 * Context: as @gfp.
 * Return: the group, with one reference, for headway_group_put(); NULL: no memory.
 */
struct headway_group *headway_group_create(gfp_t gfp)
{
	struct headway_group *group = kzalloc(sizeof(*group), gfp);

	if (!group)
		return NULL;
	spin_lock_init(&group->lock);
	refcount_set(&group->refs, 1);
	INIT_LIST_HEAD(&group->jobs);
	init_waitqueue_head(&group->wq);
	return group;
}
EXPORT_SYMBOL_GPL(headway_group_create);

/**
 * headway_group_get - one reference more
 * @group: the group; the caller has a reference
 *
 * Context: any.
 */
void headway_group_get(struct headway_group *group)
{
	refcount_inc(&group->refs);
}
EXPORT_SYMBOL_GPL(headway_group_get);

/**
 * headway_group_put - give a reference back; frees the group with the last
 * @group: the group, or NULL
 *
 * Does not wait for jobs and does not cancel them: they have references of their own.
 *
 * Context: any but NMI; not under a raw spinlock.
 */
void headway_group_put(struct headway_group *group)
{
	if (!group || !refcount_dec_and_test(&group->refs))
		return;
	/* A job would have a reference. */
	WARN_ON_ONCE(group->pending);
	kfree(group);
}
EXPORT_SYMBOL_GPL(headway_group_put);

/**
 * headway_group_add - one job more
 * @group: the group
 * @job: the job; must stay until headway_group_done()
 * @cancel: called once if the group is cancelled while the job is under way, under a spinlock with
 *	interrupts off: must not sleep, nor call the group. NULL = the job looks at
 *	headway_job_cancelled() itself.
 *
 * May be called at any time, by jobs as well.
 *
 * Context: any that may take a spinlock_t with interrupts off.
 * Return: 0: headway_group_done() must follow; -ECANCELED: the group was cancelled: do not start
 * the job.
 */
int headway_group_add(struct headway_group *group, struct headway_job *job,
		      void (*cancel)(struct headway_job *job))
{
	unsigned long flags;
	int ret = 0;

	job->group = group;
	job->cancel = cancel;
	spin_lock_irqsave(&group->lock, flags);
	if (group->cancelled) {
		ret = -ECANCELED;
	} else {
		refcount_inc(&group->refs);
		list_add_tail(&job->node, &group->jobs);
		group->pending++;
	}
	spin_unlock_irqrestore(&group->lock, flags);
	return ret;
}
EXPORT_SYMBOL_GPL(headway_group_add);

/**
 * headway_group_done - a job has come to its end
 * @job: the job; may be freed afterwards, and its group may be gone
 * @error: 0 or a negative errno; the group keeps the first
 *
 * Context: any that may take a spinlock_t with interrupts off.
 */
void headway_group_done(struct headway_job *job, int error)
{
	struct headway_group *group = job->group;
	unsigned long flags;

	spin_lock_irqsave(&group->lock, flags);
	list_del(&job->node);
	if (error && !group->error)
		group->error = error;
	group->pending--;
	if (!group->pending) {
		group->emptied++;
		wake_up_all(&group->wq);
	}
	spin_unlock_irqrestore(&group->lock, flags);
	headway_group_put(group);
}
EXPORT_SYMBOL_GPL(headway_group_done);

/**
 * headway_group_cancel - call the jobs off
 * @group: the group
 *
 * Sets what headway_job_cancelled() reads, calls the cancel function of every job that is under
 * way, and lets no new one in. Does not wait: jobs end when they have noticed. For good; a second
 * call changes nothing.
 *
 * Context: any that may take a spinlock_t with interrupts off.
 */
void headway_group_cancel(struct headway_group *group)
{
	struct headway_job *job;
	unsigned long flags;

	spin_lock_irqsave(&group->lock, flags);
	if (!group->cancelled) {
		WRITE_ONCE(group->cancelled, true);
		list_for_each_entry(job, &group->jobs, node)
			if (job->cancel)
				job->cancel(job);
	}
	spin_unlock_irqrestore(&group->lock, flags);
}
EXPORT_SYMBOL_GPL(headway_group_cancel);

/* A group at one instant. */
struct headway_group_look {
	u32 pending;
	u64 emptied;
	int error;
};

/* The lock also shows us what the jobs did before they were done. */
static struct headway_group_look headway_group_look(struct headway_group *group)
{
	struct headway_group_look look;
	unsigned long flags;

	spin_lock_irqsave(&group->lock, flags);
	look.pending = group->pending;
	look.emptied = group->emptied;
	look.error = group->error;
	spin_unlock_irqrestore(&group->lock, flags);
	return look;
}

/* Whether there is no job, or was none at some time after @before. */
static bool headway_group_is_over(struct headway_group *group,
				  const struct headway_group_look *before)
{
	struct headway_group_look now = headway_group_look(group);

	return !now.pending || now.emptied != before->emptied;
}

/**
 * headway_group_wait - wait until all jobs are done
 * @group: the group; the caller has a reference
 * @wait: how to wait; NULL = for as long as it takes
 *
 * Jobs that are added meanwhile are waited for too, but not for ever: it ends as soon as there was
 * no job at some moment, even if there are new ones since. It changes nothing, so that after an
 * error it can be called again: the jobs that are still under way are counted by
 * headway_group_pending() and have a reference each. Several tasks may wait.
 *
 * Context: task context, may sleep; with @wait->state TASK_RUNNING it only looks, in any context
 * that may take a spinlock_t with interrupts off.
 * Return: 0: all jobs that were there are done, and what they wrote can be read; that they were
 * cancelled or failed is told by headway_group_error(); -ETIMEDOUT: the deadline passed; -EINTR: a
 * signal arrived; -EBUSY: jobs are under way, and @wait forbids sleeping.
 */
int headway_group_wait(struct headway_group *group, const struct headway_wait *wait)
{
	struct headway_group_look before = headway_group_look(group);

	return headway_wait_event(&group->wq, headway_group_is_over(group, &before), wait);
}
EXPORT_SYMBOL_GPL(headway_group_wait);

/**
 * headway_group_pending - jobs that are under way
 * @group: the group
 *
 * Context: any that may take a spinlock_t with interrupts off.
 * Return: their number.
 */
u32 headway_group_pending(struct headway_group *group)
{
	return headway_group_look(group).pending;
}
EXPORT_SYMBOL_GPL(headway_group_pending);

/**
 * headway_group_error - what went wrong first
 * @group: the group
 *
 * Context: any that may take a spinlock_t with interrupts off.
 * Return: the first error that a job reported; 0: none has so far.
 */
int headway_group_error(struct headway_group *group)
{
	return headway_group_look(group).error;
}
EXPORT_SYMBOL_GPL(headway_group_error);

// SPDX-License-Identifier: GPL-2.0
/*
 * watched_loop.c - a retry loop that livelocks, a watchdog that says so, and a cure.
 *
 * Two workers need two buffers each, as a driver does that moves data from one queue to another.
 * They take them with trylock, in opposite orders, and on failure let go and try again after a
 * fixed time, counted on a common clock as timers on a tick are: the naive loop, and each undoes
 * the other's work for ever. The loop is registered, so that
 *
 *	cat /sys/kernel/debug/headway/loops/watched_loop/summary
 *
 * says verdict=livelock, `actors` says who and where, and the kernel log says it once. The cure is
 * a delay that is random, which is what headway_backoff_wait() is for:
 *
 *	echo 1 > /sys/module/watched_loop/parameters/cured
 *
 * To watch a loop of your own takes the lines with headway_loop_ in them.
 */
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>

#include "headway.h"

static bool cured;
module_param(cured, bool, 0644);
MODULE_PARM_DESC(cured, "Retry after a random delay instead of a fixed one (default N)");

static unsigned int period_ms = 20;
module_param(period_ms, uint, 0444);
MODULE_PARM_DESC(period_ms, "The fixed delay, ms, 10 to 1000 (default 20)");

/* Half a second without anything moved, while attempts fail, is too long. */
static DEFINE_HEADWAY_LOOP(watched_loop, NSEC_PER_SEC / 2);

static DEFINE_MUTEX(inbox);
static DEFINE_MUTEX(outbox);

struct worker {
	struct mutex *first;		/* inbox or outbox */
	struct mutex *second;		/* the other */
	struct task_struct *task;
	struct headway_backoff backoff;
	u64 moved;			/* own */
};

static struct worker workers[] = {
	{ .first = &inbox, .second = &outbox },
	{ .first = &outbox, .second = &inbox },
};

static const struct headway_backoff_params random_delay = {
	.base_ns = 100 * NSEC_PER_USEC,
	.cap_ns = 10 * NSEC_PER_MSEC,
	.kind = HEADWAY_BACKOFF_EXPONENTIAL,
	.jitter = HEADWAY_JITTER_FULL,
};

/* To the next multiple of the period: everybody wakes up at the same time. */
static void wait_for_tick(void)
{
	u64 period_ns = period_ms * (u64)NSEC_PER_MSEC;
	ktime_t tick = ns_to_ktime(roundup(ktime_get_ns() + 1, period_ns));

	set_current_state(TASK_IDLE);
	schedule_hrtimeout(&tick, HRTIMER_MODE_ABS);
}

static void wait_to_retry(struct worker *worker)
{
	if (READ_ONCE(cured))
		headway_backoff_wait(&worker->backoff, NULL);
	else
		wait_for_tick();
}

/* Return: whether both are held. */
static bool take_both(struct worker *worker)
{
	if (!mutex_trylock(worker->first))
		return false;
	/* The first buffer is prepared, which gives the other worker time to do the same. */
	if (READ_ONCE(cured))
		usleep_range(100, 200);
	else
		msleep(period_ms / 4);
	if (mutex_trylock(worker->second))
		return true;
	/* Tells nothing to the other, who is at this very point, and fails as well. */
	if (!READ_ONCE(cured))
		msleep(period_ms / 4);
	mutex_unlock(worker->first);
	return false;
}

static void move_one(struct worker *worker)
{
	struct headway_loop_actor actor;

	headway_loop_enter(&actor, &watched_loop);
	headway_backoff_reset(&worker->backoff);
	while (!kthread_should_stop()) {
		if (take_both(worker)) {
			worker->moved++;
			mutex_unlock(worker->second);
			mutex_unlock(worker->first);
			headway_loop_done(&actor);
			break;
		}
		headway_loop_retry(&actor);
		wait_to_retry(worker);
	}
	headway_loop_leave(&actor);
}

static int work(void *data)
{
	struct worker *worker = data;

	while (!kthread_should_stop()) {
		/* Work comes on the tick, too. */
		wait_to_retry(worker);
		move_one(worker);
	}
	return 0;
}

static void stop_workers(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(workers); i++)
		if (workers[i].task)
			kthread_stop(workers[i].task);
}

static int start_worker(unsigned int number)
{
	struct worker *worker = &workers[number];
	struct task_struct *task;

	headway_backoff_init(&worker->backoff, &random_delay, ktime_get_ns() + number);
	task = kthread_run(work, worker, "watched/%u", number);
	if (IS_ERR(task))
		return PTR_ERR(task);
	worker->task = task;
	return 0;
}

static int __init watched_loop_init(void)
{
	unsigned int i;
	int err;

	if (period_ms < 10 || period_ms > 1000)
		return -EINVAL;
	err = headway_loop_register(&watched_loop);
	for (i = 0; !err && i < ARRAY_SIZE(workers); i++)
		err = start_worker(i);
	if (err) {
		stop_workers();
		headway_loop_unregister(&watched_loop);
	}
	return err;
}

static void __exit watched_loop_exit(void)
{
	stop_workers();
	headway_loop_unregister(&watched_loop);
	pr_info("watched_loop: %llu and %llu moved\n", workers[0].moved, workers[1].moved);
}

module_init(watched_loop_init);
module_exit(watched_loop_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Headway: example of a retry loop that is watched");

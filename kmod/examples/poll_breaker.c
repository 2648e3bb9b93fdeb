// SPDX-License-Identifier: GPL-2.0
/*
 * poll_breaker.c - a poll loop that does not hammer a device that is down: poll, breaker, retry
 * budget.
 *
 * The device is one that must be polled: it takes a command and clears its busy bit some time
 * later. Here it is a delayed work, and for its first DOWN_MS nobody answers. A driver that just
 * polls and retries would spend that time polling. This one
 *
 *  - polls with growing, jittered pauses and a deadline (headway_poll_timeout()),
 *  - stops asking when three commands in a row went unanswered, and then asks once in a while, less
 *  and
 *    less often (the breaker),
 *  - repeats a command only as long as repeats are a small part of the traffic (the budget).
 *
 * Loading the module sends COMMANDS commands and says what it took.
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/workqueue.h>

#include "headway.h"

#define COMMANDS	20
#define DOWN_MS		600
#define ANSWER_NS	(50 * (u64)NSEC_PER_MSEC)	/* later is no answer */
#define PATIENCE_NS	(20 * (u64)NSEC_PER_SEC)

static struct gadget {
	bool busy;			/* driver sets it, device clears it */
	bool up;			/* device */
	struct delayed_work answer;
	struct delayed_work plug;
} device;

static const struct headway_backoff_params pauses = {
	.base_ns = 100 * NSEC_PER_USEC,
	.cap_ns = 5 * NSEC_PER_MSEC,
	.kind = HEADWAY_BACKOFF_EXPONENTIAL,
	.jitter = HEADWAY_JITTER_EQUAL,
};

static const struct headway_breaker_params breaker_params = {
	.failures = 3,
	.probe_timeout_ns = 2 * ANSWER_NS,
	.cooldown = {
		.base_ns = 20 * NSEC_PER_MSEC,
		.cap_ns = 200 * NSEC_PER_MSEC,
		.kind = HEADWAY_BACKOFF_EXPONENTIAL,
		.jitter = HEADWAY_JITTER_EQUAL,
	},
};

/* One repeat in five commands, and one in a second; three at most at once. */
static const struct headway_budget_params budget_params = {
	.percent = 20, .per_second = 1, .cap = 3,
};

static struct headway_breaker breaker;
static struct headway_budget budget;

/* ---- the device ----------------------------------------------------------------------------- */

static void answer_work(struct work_struct *work)
{
	if (READ_ONCE(device.up))
		WRITE_ONCE(device.busy, false);
}

static void plug_work(struct work_struct *work)
{
	WRITE_ONCE(device.up, true);
}

/* ---- the driver ----------------------------------------------------------------------------- */

/* One attempt. Return: 0; -ETIMEDOUT: no answer; -EINTR: we were killed. */
static int send_command(void)
{
	WRITE_ONCE(device.busy, true);
	schedule_delayed_work(&device.answer, 1);
	return headway_poll_timeout(!READ_ONCE(device.busy), &pauses, ANSWER_NS);
}

struct tally {
	unsigned int answered;
	unsigned int sent;
	unsigned int refused;		/* by the breaker */
	unsigned int repeated;
	unsigned int given_up;		/* no budget for a repeat */
};

/* Return: 0: answered; -EAGAIN: not now, and *retry_ns says how long to stay away; -EINTR. */
static int command(struct tally *tally, u64 *retry_ns)
{
	struct headway_pass pass;
	int err;

	for (;;) {
		err = headway_breaker_allow(&breaker, &pass);
		if (err) {
			tally->refused++;
			*retry_ns = pass.retry_ns;
			return err;
		}
		tally->sent++;
		err = send_command();
		if (err == -EINTR) {
			/* Says nothing about the device. */
			headway_breaker_return(&breaker, &pass);
			return err;
		}
		headway_breaker_report(&breaker, &pass, !err);
		if (!err) {
			tally->answered++;
			headway_budget_success(&budget);
			return 0;
		}
		if (headway_budget_take(&budget)) {
			tally->given_up++;
			*retry_ns = ANSWER_NS;
			return -EAGAIN;
		}
		tally->repeated++;
	}
}

static int talk(struct tally *tally)
{
	u64 until = ktime_get_ns() + PATIENCE_NS;
	u64 retry_ns;

	while (tally->answered < COMMANDS) {
		int err = command(tally, &retry_ns);

		if (err == -EINTR)
			return err;
		if (ktime_get_ns() > until)
			return -ETIMEDOUT;
		/* A real driver would fail its caller's request here, and at once: nobody waits. */
		if (err && msleep_interruptible(retry_ns / NSEC_PER_MSEC + 1))
			return -EINTR;
	}
	return 0;
}

static int __init poll_breaker_init(void)
{
	struct headway_breaker_stats stats;
	struct tally tally = { 0 };
	int err;

	err = headway_breaker_init(&breaker, "poll_breaker", &breaker_params);
	if (!err)
		err = headway_budget_init(&budget, &budget_params);
	if (err)
		return err;
	INIT_DELAYED_WORK(&device.answer, answer_work);
	INIT_DELAYED_WORK(&device.plug, plug_work);
	schedule_delayed_work(&device.plug, msecs_to_jiffies(DOWN_MS));

	err = talk(&tally);

	cancel_delayed_work_sync(&device.plug);
	cancel_delayed_work_sync(&device.answer);
	headway_breaker_read(&breaker, &stats);
	pr_info("poll_breaker: %u of %u commands answered; %u sent, %u repeated, %u not repeated\n",
		tally.answered, COMMANDS, tally.sent, tally.repeated, tally.given_up);
	pr_info("poll_breaker: %u refused by the breaker, which opened %llu times\n",
		tally.refused, stats.opened);
	if (!err && !stats.opened) {
		pr_err("poll_breaker: the breaker did not open although the device was down\n");
		err = -EIO;
	}
	return err;
}

static void __exit poll_breaker_exit(void)
{
}

module_init(poll_breaker_init);
module_exit(poll_breaker_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Headway: example of polling with backoff, circuit breaker and retry budget");

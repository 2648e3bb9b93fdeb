// SPDX-License-Identifier: GPL-2.0
/*
 * breaker.c - circuit breaker, retry budget and poll pauses: breaker_core.c with a clock and a
 * lock.
 *
 * Lock order: breaker->lock and budget->lock are innermost. They are raw spinlocks taken with
 * interrupts off and held for a constant, short time, so that both can be used in any context but
 * NMI. The clock is read under the lock, so that it never goes back from one caller to the next.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>

#include "internal.h"
#include "trace.h"

/* Differs between contenders: no two run on one stack at one time. */
static u64 headway_seed(const void *place)
{
	return ktime_get_ns() ^ (u64)(unsigned long)place;
}

/**
 * headway_breaker_init - make a breaker, closed
 * @breaker: the breaker
 * @name: shown in the tracepoint; must outlive the breaker
 * @params: when it opens and closes; copied
 *
 * Context: any.
 * Return: 0; -EINVAL: no rule that opens it, a rate above 100 percent, or a rate without a window.
 */
int headway_breaker_init(struct headway_breaker *breaker, const char *name,
			 const struct headway_breaker_params *params)
{
	breaker->name = name ?: "?";
	raw_spin_lock_init(&breaker->lock);
	return headway_breaker_core_init(&breaker->core, params, headway_seed(breaker)) ?
	       0 : -EINVAL;
}
EXPORT_SYMBOL_GPL(headway_breaker_init);

/* Under the lock. */
static void headway_breaker_traced(struct headway_breaker *breaker, enum headway_breaker_mode from)
{
	if (breaker->core.mode != from)
		trace_headway_breaker(breaker->name, from, breaker->core.mode);
}

/**
 * headway_breaker_allow - ask whether a call may be made
 * @breaker: the breaker
 * @pass: filled in; give it to headway_breaker_report() or headway_breaker_return()
 *
 * Context: any but NMI; takes a raw spinlock with interrupts off.
 * Return: 0: make the call; -EAGAIN: refused, and @pass->retry_ns says how long to stay away.
 */
int headway_breaker_allow(struct headway_breaker *breaker, struct headway_pass *pass)
{
	enum headway_breaker_mode from;
	unsigned long flags;
	bool allowed;

	raw_spin_lock_irqsave(&breaker->lock, flags);
	from = breaker->core.mode;
	allowed = headway_breaker_core_allow(&breaker->core, pass, ktime_get_ns());
	headway_breaker_traced(breaker, from);
	raw_spin_unlock_irqrestore(&breaker->lock, flags);
	return allowed ? 0 : -EAGAIN;
}
EXPORT_SYMBOL_GPL(headway_breaker_allow);

/**
 * headway_breaker_report - say how a call went
 * @breaker: the breaker
 * @pass: of the call; used up
 * @ok: whether it succeeded
 *
 * A report that comes after the breaker has changed its mode does not count.
 *
 * Context: any but NMI; takes a raw spinlock with interrupts off.
 */
void headway_breaker_report(struct headway_breaker *breaker, struct headway_pass *pass, bool ok)
{
	enum headway_breaker_mode from;
	unsigned long flags;

	raw_spin_lock_irqsave(&breaker->lock, flags);
	from = breaker->core.mode;
	headway_breaker_core_report(&breaker->core, pass, ok, ktime_get_ns());
	headway_breaker_traced(breaker, from);
	raw_spin_unlock_irqrestore(&breaker->lock, flags);
}
EXPORT_SYMBOL_GPL(headway_breaker_report);

/**
 * headway_breaker_return - a call that was allowed was not made
 * @breaker: the breaker
 * @pass: of the call; used up. A probe's place is free for another.
 *
 * Context: any but NMI; takes a raw spinlock with interrupts off.
 */
void headway_breaker_return(struct headway_breaker *breaker, struct headway_pass *pass)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&breaker->lock, flags);
	headway_breaker_core_return(&breaker->core, pass);
	raw_spin_unlock_irqrestore(&breaker->lock, flags);
}
EXPORT_SYMBOL_GPL(headway_breaker_return);

/**
 * headway_breaker_read - read a breaker's figures
 * @breaker: the breaker
 * @stats: result, of one instant
 *
 * Context: any but NMI; takes a raw spinlock with interrupts off.
 */
void headway_breaker_read(struct headway_breaker *breaker, struct headway_breaker_stats *stats)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&breaker->lock, flags);
	stats->mode = breaker->core.mode;
	stats->opened = breaker->core.opened;
	stats->refused = breaker->core.refused;
	stats->stale = breaker->core.stale;
	raw_spin_unlock_irqrestore(&breaker->lock, flags);
}
EXPORT_SYMBOL_GPL(headway_breaker_read);

/**
 * headway_budget_init - make a retry budget, full
 * @budget: the budget
 * @params: how it fills; copied
 *
 * Context: any.
 * Return: 0; -EINVAL: no cap, or nothing that ever fills it.
 */
int headway_budget_init(struct headway_budget *budget, const struct headway_budget_params *params)
{
	raw_spin_lock_init(&budget->lock);
	return headway_budget_core_init(&budget->core, params, ktime_get_ns()) ? 0 : -EINVAL;
}
EXPORT_SYMBOL_GPL(headway_budget_init);

/**
 * headway_budget_success - a call succeeded: earn a part of a token
 * @budget: the budget
 *
 * Context: any but NMI; takes a raw spinlock with interrupts off.
 */
void headway_budget_success(struct headway_budget *budget)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&budget->lock, flags);
	headway_budget_core_success(&budget->core, ktime_get_ns());
	raw_spin_unlock_irqrestore(&budget->lock, flags);
}
EXPORT_SYMBOL_GPL(headway_budget_success);

/**
 * headway_budget_take - take a token for a retry
 * @budget: the budget
 *
 * Context: any but NMI; takes a raw spinlock with interrupts off.
 * Return: 0: retry; -EAGAIN: no token is left: do not.
 */
int headway_budget_take(struct headway_budget *budget)
{
	unsigned long flags;
	bool taken;

	raw_spin_lock_irqsave(&budget->lock, flags);
	taken = headway_budget_core_take(&budget->core, ktime_get_ns());
	raw_spin_unlock_irqrestore(&budget->lock, flags);
	return taken ? 0 : -EAGAIN;
}
EXPORT_SYMBOL_GPL(headway_budget_take);

/**
 * headway_poll_begin - begin a poll's schedule, with a seed of its own; for the poll macros
 * @backoff: the schedule
 * @params: copied
 *
 * Context: any but NMI.
 */
void headway_poll_begin(struct headway_backoff *backoff,
			const struct headway_backoff_params *params)
{
	headway_backoff_init(backoff, params, headway_seed(backoff));
}
EXPORT_SYMBOL_GPL(headway_poll_begin);

/**
 * headway_poll_pause - sleep between two looks at a condition; for the poll macros
 * @backoff: the schedule
 * @wait: what may end it
 *
 * Context: task context, may sleep.
 * Return: 0, -EAGAIN, -ETIMEDOUT, -EINTR, -EBUSY: see headway_poll_backoff().
 */
int headway_poll_pause(struct headway_backoff *backoff, const struct headway_wait *wait)
{
	/* Also where the delay is 0, and headway_backoff_wait() would go round for ever. */
	if (wait && wait->state == TASK_RUNNING)
		return -EBUSY;
	return headway_backoff_wait(backoff, wait);
}
EXPORT_SYMBOL_GPL(headway_poll_pause);

/**
 * headway_poll_end - when a timeout that begins now ends; for the poll macros
 * @timeout_ns: the timeout
 *
 * Context: any but NMI.
 * Return: CLOCK_MONOTONIC, ns.
 */
u64 headway_poll_end(u64 timeout_ns)
{
	u64 now = ktime_get_ns();

	return timeout_ns > U64_MAX - now ? U64_MAX : now + timeout_ns;
}
EXPORT_SYMBOL_GPL(headway_poll_end);

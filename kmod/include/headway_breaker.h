/* SPDX-License-Identifier: GPL-2.0 */
/*
 * headway_breaker.h - circuit breaker, retry budget, and polling with backoff. Comes with
 * headway.h.
 *
 * What is outside of __KERNEL__ is pure: breaker_core.c is compiled into the host tests too.
 */
#ifndef HEADWAY_BREAKER_H
#define HEADWAY_BREAKER_H

#include "headway_types.h"

/**
 * DOC: Breaker, budget, poll
 *
 * A *breaker* stands before something that can fail for a while: a device, a peer, a trylock. As
 * long as it works, the breaker is closed and lets every call through. When it fails too often the
 * breaker opens and refuses calls, so that nobody burns time on what cannot succeed. After a
 * cool-down it lets a few probes through; their results close it, or open it for a longer time.
 * What follows is from kmod/examples/poll_breaker.c, a driver that does not hammer a device that is
 * down::
 *
 *	err = headway_breaker_allow(&breaker, &pass);
 *	if (err) {
 *		tally->refused++;
 *		*retry_ns = pass.retry_ns;
 *		return err;
 *	}
 *
 *	err = send_command();
 *
 *	headway_breaker_report(&breaker, &pass, !err);
 *
 * A *budget* bounds how much of the load may be retries: a token for every retry, earned by
 * successes. Retries of the many then cannot keep down what they wait for::
 *
 *	if (headway_budget_take(&budget)) {
 *		tally->given_up++;
 *		*retry_ns = ANSWER_NS;
 *		return -EAGAIN;
 *	}
 *
 * A *poll* repeats a condition until it holds, with backoff in between and a limit::
 *
 *	return headway_poll_timeout(!READ_ONCE(device.busy), &pauses, ANSWER_NS);
 *
 * headway_poll() takes any kind of wait, headway_poll_atomic() spins, headway_poll_backoff() goes
 * on with a schedule of the caller's. kmod/backoff.md shows what the schedules are worth.
 *
 * Results of the calls:
 *
 * ============ ==================================================================================
 * 0            allow: make the call; take: retry; poll: the condition is true
 * -EAGAIN      allow: refused for now; take: no token left; poll: the schedule's attempts are used
 *              up
 * -ETIMEDOUT   poll: the deadline passed, and the condition was still false
 * -EINTR       poll: a signal (interruptible) or a fatal signal (killable) arrived
 * -EBUSY       poll: false, and it must not sleep
 * -EINVAL      init: parameters that make no sense
 * ============ ==================================================================================
 */

/**
 * enum headway_breaker_mode - what a breaker does with calls
 * @HEADWAY_BREAKER_CLOSED: lets them through and counts failures
 * @HEADWAY_BREAKER_OPEN: refuses them until the cool-down is over
 * @HEADWAY_BREAKER_HALF_OPEN: lets a few probes through
 */
enum headway_breaker_mode {
	HEADWAY_BREAKER_CLOSED,
	HEADWAY_BREAKER_OPEN,
	HEADWAY_BREAKER_HALF_OPEN,
};

/**
 * struct headway_breaker_params - when a breaker opens, and how it closes again
 * @failures: so many failures in a row open it; 0 = this rule is off
 * @rate_percent: so many failures of 100 reports within the window open it; 0 = this rule is off
 * @rate_reports: reports that the window must have before the rate counts; 0 = 10
 * @window_ns: length of the window; it moves on in halves of itself
 * @probes: probes that may be under way at a time; 0 = 1
 * @successes: successful probes that close it; 0 = 1
 * @probe_timeout_ns: after so long without a report, probes under way count as failed, so that one
 *	that was lost cannot keep the breaker half open for ever; 0 = 1 s
 * @cooldown: its delays are the cool-downs, one after the other while probes fail; begins anew when
 *	the breaker has closed. max_attempts is not looked at: a breaker never gives up.
 */
struct headway_breaker_params {
	u32 failures;
	u32 rate_percent;
	u32 rate_reports;
	u64 window_ns;
	u32 probes;
	u32 successes;
	u64 probe_timeout_ns;
	struct headway_backoff_params cooldown;
};

/**
 * struct headway_pass - one call's permission, and where a refused one finds the time left
 * @retry_ns: of a refused call: how long until it makes sense to ask again
 */
struct headway_pass {
	u64 retry_ns;
	/* private: */
	u32 era;			/* of the breaker when it let the call through; 0 = none */
};

/* One half of the window. */
struct headway_breaker_half {
	u32 ok;
	u32 failed;
};

/* A breaker's arithmetic; the caller serializes. Clocks never go back within one breaker. */
struct headway_breaker_core {
	struct headway_breaker_params params;
	struct headway_backoff cooldown;
	enum headway_breaker_mode mode;
	u32 era;			/* counts changes of mode; never 0 */
	u32 in_a_row;			/* closed: failures since the last success */
	u32 out;			/* half open: probes under way */
	u32 good;			/* half open: probes that succeeded */
	u64 until_ns;			/* open: end of cool-down; half open: of last probe */
	u64 half_since_ns;		/* closed: when half[0] began */
	struct headway_breaker_half half[2];	/* closed: present, previous half window */
	u64 opened;			/* times that it opened */
	u64 refused;			/* calls that it refused */
	u64 stale;			/* reports that came after the mode had changed */
};

bool headway_breaker_core_init(struct headway_breaker_core *core,
			       const struct headway_breaker_params *params, u64 seed);
bool headway_breaker_core_allow(struct headway_breaker_core *core, struct headway_pass *pass,
				u64 now_ns);
void headway_breaker_core_report(struct headway_breaker_core *core, struct headway_pass *pass,
				 bool ok, u64 now_ns);
void headway_breaker_core_return(struct headway_breaker_core *core, struct headway_pass *pass);

/**
 * struct headway_budget_params - how fast a retry budget fills
 * @percent: of a token that each success earns: 20 lets one call in five be retried
 * @per_second: tokens that come by time alone, so that a quiet caller may still retry
 * @cap: no more tokens than this are kept; it begins full
 */
struct headway_budget_params {
	u32 percent;
	u32 per_second;
	u32 cap;
};

/*
 * A budget's arithmetic; the caller serializes. A token is 10^9 units, so that ns * rate is exact.
 */
struct headway_budget_core {
	struct headway_budget_params params;
	u64 units;
	u64 filled_ns;			/* when time was last credited */
	u64 taken;
	u64 refused;
};

bool headway_budget_core_init(struct headway_budget_core *core,
			      const struct headway_budget_params *params, u64 now_ns);
void headway_budget_core_success(struct headway_budget_core *core, u64 now_ns);
bool headway_budget_core_take(struct headway_budget_core *core, u64 now_ns);

#ifdef __KERNEL__

#include <linux/ktime.h>
#include <linux/spinlock.h>

struct headway_wait;

/**
 * struct headway_breaker - a circuit breaker; headway_breaker_init() makes one
 *
 * Nothing is allocated: when nobody uses it any more it may simply be freed.
 */
struct headway_breaker {
	/* private: */
	const char *name;		/* const */
	raw_spinlock_t lock;		/* innermost: nothing but trace handlers runs under it */
	struct headway_breaker_core core;	/* lock */
};

/**
 * struct headway_breaker_stats - a breaker's figures
 * @mode: what it does now
 * @opened: times that it opened
 * @refused: calls that it refused
 * @stale: reports that came after the mode had changed, and did not count
 */
struct headway_breaker_stats {
	enum headway_breaker_mode mode;
	u64 opened;
	u64 refused;
	u64 stale;
};

/**
 * struct headway_budget - a retry budget; headway_budget_init() makes one
 */
struct headway_budget {
	/* private: */
	raw_spinlock_t lock;		/* innermost */
	struct headway_budget_core core;	/* lock */
};

int headway_breaker_init(struct headway_breaker *breaker, const char *name,
			 const struct headway_breaker_params *params);
int __must_check headway_breaker_allow(struct headway_breaker *breaker,
				       struct headway_pass *pass);
void headway_breaker_report(struct headway_breaker *breaker, struct headway_pass *pass, bool ok);
void headway_breaker_return(struct headway_breaker *breaker, struct headway_pass *pass);
void headway_breaker_read(struct headway_breaker *breaker, struct headway_breaker_stats *stats);

int headway_budget_init(struct headway_budget *budget, const struct headway_budget_params *params);
void headway_budget_success(struct headway_budget *budget);
int __must_check headway_budget_take(struct headway_budget *budget);

void headway_poll_begin(struct headway_backoff *backoff,
			const struct headway_backoff_params *params);
int headway_poll_pause(struct headway_backoff *backoff, const struct headway_wait *wait);
u64 headway_poll_end(u64 timeout_ns);

/**
 * headway_poll_backoff - evaluate a condition until it is true, on a schedule that was begun
 * @cond: the condition; evaluated at least once, and once more after a pause that failed
 * @backoff: struct headway_backoff *; its seed makes the delays repeatable
 * @wait: const struct headway_wait *; NULL = nothing ends it but the condition and the attempts
 *
 * Context: task context, may sleep.
 * Return: 0: the condition was true; otherwise it was false, and -ETIMEDOUT: the deadline passed;
 * -EAGAIN: the schedule's attempts are used up; -EINTR: a signal (TASK_INTERRUPTIBLE) or a fatal
 * signal (TASK_KILLABLE) arrived; -EBUSY: @wait forbids sleeping.
 */
#define headway_poll_backoff(cond, backoff, wait) ({ \
	struct headway_backoff *__backoff = (backoff); \
	const struct headway_wait *__wait = (wait); \
	int __ret = 0; \
	for (;;) { \
		if (cond) { \
			__ret = 0; \
			break; \
		} \
		if (__ret) \
			break; \
		__ret = headway_poll_pause(__backoff, __wait); \
	} \
	__ret; \
})

/**
 * headway_poll - evaluate a condition until it is true, asleep in between
 * @cond: the condition; evaluated at least once, and once more after a pause that failed
 * @params: const struct headway_backoff_params *: how long to sleep
 * @wait: const struct headway_wait *; NULL = nothing ends it but the condition and the attempts
 *
 * Context: task context, may sleep.
 * Return: as headway_poll_backoff().
 */
#define headway_poll(cond, params, wait) ({ \
	struct headway_backoff __poll; \
	headway_poll_begin(&__poll, params); \
	headway_poll_backoff(cond, &__poll, wait); \
})

/**
 * headway_poll_timeout - evaluate a condition until it is true, within a time, asleep in between
 * @cond: the condition; evaluated at least once, and once more after a pause that failed
 * @params: const struct headway_backoff_params *: how long to sleep
 * @timeout_ns: from now, ns; a fatal signal ends it too
 *
 * Context: task context, may sleep.
 * Return: as headway_poll_backoff(), without -EBUSY.
 */
#define headway_poll_timeout(cond, params, timeout_ns) \
	headway_poll(cond, params, __HEADWAY_WAIT(TASK_KILLABLE, \
		     ktime_add_safe(ktime_get(), ns_to_ktime(timeout_ns))))

/**
 * headway_poll_atomic - evaluate a condition until it is true, spinning in between
 * @cond: the condition; evaluated at least once, and once more after the time is over
 * @params: const struct headway_backoff_params *; no delay is longer than 1 ms here
 * @timeout_ns: limit, from now. There is no form without: endless spinning is a lockup.
 *
 * Context: any but NMI; @cond must be fit for it too. With interrupts off they stay off for all of
 * @timeout_ns: keep that short.
 * Return: 0: the condition was true; otherwise it was false, and -ETIMEDOUT: the time is over;
 * -EAGAIN: the schedule's attempts are used up.
 */
#define headway_poll_atomic(cond, params, timeout_ns) ({ \
	u64 __end = headway_poll_end(timeout_ns); \
	struct headway_backoff __poll; \
	int __ret = 0; \
	headway_poll_begin(&__poll, params); \
	for (;;) { \
		if (cond) { \
			__ret = 0; \
			break; \
		} \
		if (__ret) \
			break; \
		__ret = headway_backoff_spin_until(&__poll, __end); \
	} \
	__ret; \
})

#endif /* __KERNEL__ */
#endif /* HEADWAY_BREAKER_H */

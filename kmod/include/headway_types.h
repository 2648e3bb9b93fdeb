/* SPDX-License-Identifier: GPL-2.0 */
/*
 * headway_types.h - words that the module, its pure cores and the host tests share.
 *
 * Includes no kernel header outside the kernel: policy.c, backoff.c and verdict.c are compiled from
 * the same source into headway.ko and into the unit tests. Callers include headway.h instead.
 */
#ifndef HEADWAY_TYPES_H
#define HEADWAY_TYPES_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
typedef uint64_t u64;
typedef int64_t s64;
typedef int32_t s32;
typedef uint32_t u32;
#endif

/*
 * X(enumerator, name in debugfs and on the command line, what it does)
 *
 * One list makes the enum, the names and their help.
 */
#define HEADWAY_POLICIES(X) \
	X(NONE, "none", "try each lock, roll back on failure, retry on a fixed grid: livelocks") \
	X(ORDERED, "ordered", "wait in (rank, key, address) order; a violation warns, backs out") \
	X(POLITE, "polite", "never wait while holding: roll back, back off with jitter, retry") \
	X(WOUND_WAIT, "wound-wait", "the older transaction wounds, the younger waits") \
	X(WAIT_DIE, "wait-die", "the older transaction waits, the younger rolls back") \
	X(DETECT, "detect", "wait, look for a cycle, and let its youngest roll back") \
	X(SERIAL, "serial", "one transaction at a time: slow, and certain to get on") \
	X(ADAPTIVE, "adaptive", "wound-wait with turns, or wait-die, whichever commits more")

/**
 * enum headway_policy - how a domain's transactions resolve a conflict
 * @HEADWAY_POLICY_NONE: naive try, roll back, retry after a constant delay on a common grid, as
 *	timers rounded to a tick do. The negative control: it livelocks. Never use it for real work.
 * @HEADWAY_POLICY_ORDERED: locks are taken in (rank, key, address) order and waits are plain.
 *	A violation warns once and fails with -EDEADLK.
 * @HEADWAY_POLICY_POLITE: a transaction that holds anything never waits: it rolls back, yields the
 *	CPU or, from its fifth rollback on, waits a random, exponentially growing time, then waits
 *	for the contended lock with nothing held. After 32 rollbacks it takes the domain's token
 *	and waits for what it wants.
 * @HEADWAY_POLICY_WOUND_WAIT: Rosenkrantz, Stearns and Lewis, "System level concurrency control
 *	for distributed database systems", 1978: an older requester wounds the holder and
 *	waits; a younger one waits. The wounded holder rolls back when it would next block.
 * @HEADWAY_POLICY_WAIT_DIE: the same paper's other half: an older requester waits, a younger one
 *	that holds anything rolls back.
 * @HEADWAY_POLICY_DETECT: wait; whoever closes a cycle in the wait-for graph finds it, and the
 *	effectively youngest transaction of the cycle rolls back.
 * @HEADWAY_POLICY_SERIAL: a token for the whole domain: guaranteed progress, no concurrency.
 * @HEADWAY_POLICY_ADAPTIVE: wound-wait with turns or wait-die for the whole domain, whichever is
 *	measured to commit more per second, or as much with half of the rollbacks. It starts with
 *	wound-wait, compares the two in trials of 50 ms to 200 ms when there is conflict, and
 *	compares again rarely: that costs less than 3 % of the time. Transactions run under one of
 *	the two at a time; between them new ones wait until those in flight have ended or rolled
 *	back, 20 ms at most. Turns: what was rolled back twice takes the domain's token first, as
 *	with `serial`, so that in a crowd restarts go one by one and not against each other.
 *	Setting any policy ends it, and setting it again starts it anew.
 * @HEADWAY_NR_POLICIES: number of policies
 */
enum headway_policy {
#define X(id, name, help) HEADWAY_POLICY_##id,
	HEADWAY_POLICIES(X)
#undef X
	HEADWAY_NR_POLICIES
};

/* X(enumerator, name): the words of userspace's verdicts, so that both sides read alike. */
#define HEADWAY_VERDICTS(X) \
	X(IDLE, "idle") \
	X(HEALTHY, "healthy") \
	X(CONTENDED, "contended") \
	X(STARVATION, "starvation") \
	X(STALLED_HOLDER, "stalled-holder") \
	X(LIVELOCK, "livelock")

/**
 * enum headway_verdict - what a window of a domain showed, mildest first
 * @HEADWAY_VERDICT_IDLE: nothing in flight
 * @HEADWAY_VERDICT_HEALTHY: transactions commit
 * @HEADWAY_VERDICT_CONTENDED: they commit, with many rollbacks for each commit
 * @HEADWAY_VERDICT_STARVATION: the domain commits, one transaction does not
 * @HEADWAY_VERDICT_STALLED_HOLDER: no commits, no rollbacks, and someone waits
 * @HEADWAY_VERDICT_LIVELOCK: no commits, while two or more transactions keep rolling back
 * @HEADWAY_NR_VERDICTS: number of verdicts
 */
enum headway_verdict {
#define X(id, name) HEADWAY_VERDICT_##id,
	HEADWAY_VERDICTS(X)
#undef X
	HEADWAY_NR_VERDICTS
};

/**
 * enum headway_backoff_kind - how the delay grows with the attempt
 * @HEADWAY_BACKOFF_NONE: no delay
 * @HEADWAY_BACKOFF_CONSTANT: base
 * @HEADWAY_BACKOFF_LINEAR: base * attempt
 * @HEADWAY_BACKOFF_EXPONENTIAL: base * 2^(attempt - 1)
 */
enum headway_backoff_kind {
	HEADWAY_BACKOFF_NONE,
	HEADWAY_BACKOFF_CONSTANT,
	HEADWAY_BACKOFF_LINEAR,
	HEADWAY_BACKOFF_EXPONENTIAL,
};

/**
 * enum headway_jitter - how the delay is randomized. Every kind stays within the cap.
 * @HEADWAY_JITTER_NONE: not at all: contenders stay in phase
 * @HEADWAY_JITTER_FULL: uniform in [0, delay]
 * @HEADWAY_JITTER_EQUAL: delay / 2 + uniform in [0, delay / 2]
 * @HEADWAY_JITTER_DECORRELATED: uniform in [base, 3 * previous]; the kind is not used
 * @HEADWAY_JITTER_GRID: rounded up to a multiple of base on the clock, as tick-based timers are:
 *	puts all contenders in phase. For showing what goes wrong.
 *
 * Names and the first three formulas: M. Brooker, "Exponential Backoff And Jitter", AWS, 2015.
 */
enum headway_jitter {
	HEADWAY_JITTER_NONE,
	HEADWAY_JITTER_FULL,
	HEADWAY_JITTER_EQUAL,
	HEADWAY_JITTER_DECORRELATED,
	HEADWAY_JITTER_GRID,
};

/**
 * struct headway_backoff_params - a backoff schedule
 * @base_ns: first delay
 * @cap_ns: no delay is longer; 0 means no cap but the largest u64
 * @max_attempts: after so many the wait fails with -EAGAIN; 0 = no limit
 * @kind: growth
 * @jitter: randomization
 */
struct headway_backoff_params {
	u64 base_ns;
	u64 cap_ns;
	u32 max_attempts;
	enum headway_backoff_kind kind;
	enum headway_jitter jitter;
};

/**
 * struct headway_backoff - where one retrier stands in its schedule
 * @params: the schedule
 * @attempt: delays handed out since the last reset
 * @prev_ns: the last delay
 * @rng: generator state (SplitMix64); equal seeds give equal delays
 */
struct headway_backoff {
	struct headway_backoff_params params;
	u32 attempt;
	u64 prev_ns;
	u64 rng;
};

/* backoff.c, pure */
void headway_backoff_init(struct headway_backoff *backoff,
			  const struct headway_backoff_params *params, u64 seed);
void headway_backoff_reset(struct headway_backoff *backoff);
u64 headway_backoff_next(struct headway_backoff *backoff, u64 now_ns);

#endif /* HEADWAY_TYPES_H */

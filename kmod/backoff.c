// SPDX-License-Identifier: GPL-2.0
/*
 * backoff.c - PURE: how long to wait before the next try.
 *
 * No clock and no entropy of its own: the caller gives the time and the seed, so that a schedule
 * can be repeated exactly. The generator is SplitMix64 (Steele, Lea and Flood, "Fast splittable
 * pseudorandom number generators", 2014). Nothing overflows: sums and products saturate, then the
 * cap applies. The waiting is in backoff_wait.c.
 */
#include "headway_types.h"

#ifdef __KERNEL__
#include <linux/export.h>
#else
#define EXPORT_SYMBOL_GPL(symbol)
#endif

#define HEADWAY_U64_MAX ((u64)-1)

static u64 headway_min(u64 a, u64 b)
{
	return a < b ? a : b;
}

static u64 headway_sat_add(u64 a, u64 b)
{
	return a > HEADWAY_U64_MAX - b ? HEADWAY_U64_MAX : a + b;
}

static u64 headway_sat_mul(u64 a, u64 b)
{
	u64 product;

	return __builtin_mul_overflow(a, b, &product) ? HEADWAY_U64_MAX : product;
}

static u64 headway_sat_shift(u64 a, u32 shift)
{
	if (!a)
		return 0;
	return shift > 63 || a > HEADWAY_U64_MAX >> shift ? HEADWAY_U64_MAX : a << shift;
}

static u64 headway_random(u64 *state)
{
	u64 z = (*state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* The upper half of a 128-bit product; not all that compile this have a 128-bit type. */
static u64 headway_mul_high(u64 a, u64 b)
{
	u64 a0 = (u32)a, a1 = a >> 32, b0 = (u32)b, b1 = b >> 32;
	u64 low = a0 * b0;
	u64 mid = a1 * b0 + (low >> 32);

	return a1 * b1 + (mid >> 32) + ((a0 * b1 + (u32)mid) >> 32);
}

/* Uniform in [0, max]. Scaling instead of a remainder: no division. */
static u64 headway_uniform(u64 *state, u64 max)
{
	u64 random = headway_random(state);

	return max == HEADWAY_U64_MAX ? random : headway_mul_high(random, max + 1);
}

/* Growth alone, for the attempt that follows @attempt others. */
static u64 headway_grow(const struct headway_backoff_params *params, u32 attempt)
{
	switch (params->kind) {
	case HEADWAY_BACKOFF_CONSTANT:
		return params->base_ns;
	case HEADWAY_BACKOFF_LINEAR:
		return headway_sat_mul(params->base_ns, (u64)attempt + 1);
	case HEADWAY_BACKOFF_EXPONENTIAL:
		return headway_sat_shift(params->base_ns, attempt);
	case HEADWAY_BACKOFF_NONE:
	default:
		return 0;
	}
}

/* From now until the first multiple of base at or after now + delay. */
static u64 headway_to_grid(u64 now_ns, u64 delay_ns, u64 base_ns)
{
	u64 end = headway_sat_add(now_ns, delay_ns);
	u64 past = base_ns ? end % base_ns : 0;

	return (past ? headway_sat_add(end, base_ns - past) : end) - now_ns;
}

static u64 headway_jitter(struct headway_backoff *backoff, u64 delay, u64 cap, u64 now_ns)
{
	const struct headway_backoff_params *params = &backoff->params;
	u64 low, high;

	switch (params->jitter) {
	case HEADWAY_JITTER_FULL:
		return headway_uniform(&backoff->rng, delay);
	case HEADWAY_JITTER_EQUAL:
		return delay / 2 + headway_uniform(&backoff->rng, delay - delay / 2);
	case HEADWAY_JITTER_DECORRELATED:
		low = headway_min(params->base_ns, cap);
		high = headway_sat_mul(backoff->attempt ? backoff->prev_ns : low, 3);
		if (high < low)
			high = low;
		return headway_sat_add(low, headway_uniform(&backoff->rng, high - low));
	case HEADWAY_JITTER_GRID:
		return headway_to_grid(now_ns, delay, params->base_ns);
	case HEADWAY_JITTER_NONE:
	default:
		return delay;
	}
}

/**
 * headway_backoff_init - begin a schedule
 * @backoff: where the retrier stands
 * @params: the schedule; copied
 * @seed: equal seeds give equal delays; contenders need different ones
 *
 * Context: any.
 */
void headway_backoff_init(struct headway_backoff *backoff,
			  const struct headway_backoff_params *params, u64 seed)
{
	backoff->params = *params;
	backoff->rng = seed;
	headway_backoff_reset(backoff);
}
EXPORT_SYMBOL_GPL(headway_backoff_init);

/**
 * headway_backoff_reset - begin again with the first delay, after a success
 * @backoff: where the retrier stands; the generator goes on
 *
 * Context: any.
 */
void headway_backoff_reset(struct headway_backoff *backoff)
{
	backoff->attempt = 0;
	backoff->prev_ns = 0;
}
EXPORT_SYMBOL_GPL(headway_backoff_reset);

/**
 * headway_backoff_next - the next delay
 * @backoff: where the retrier stands
 * @now_ns: the clock, for HEADWAY_JITTER_GRID
 *
 * Does not look at max_attempts; the waits do.
 *
 * Context: any.
 * Return: delay in ns, at most the cap.
 */
u64 headway_backoff_next(struct headway_backoff *backoff, u64 now_ns)
{
	const struct headway_backoff_params *params = &backoff->params;
	u64 cap = params->cap_ns ? params->cap_ns : HEADWAY_U64_MAX;
	u64 delay = headway_min(headway_grow(params, backoff->attempt), cap);

	delay = headway_min(headway_jitter(backoff, delay, cap, now_ns), cap);
	backoff->prev_ns = delay;
	if (backoff->attempt < (u32)-1)
		backoff->attempt++;
	return delay;
}
EXPORT_SYMBOL_GPL(headway_backoff_next);

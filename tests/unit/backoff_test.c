// SPDX-License-Identifier: GPL-2.0
/*
 * backoff_test.c - every kind x jitter x cap: bounds, growth, saturation, determinism,
 * distribution.
 */
// links: kmod/backoff.c
#include "headway_types.h"
#include "ktap.h"

#define MS 1000000ull
#define next headway_backoff_next

static struct headway_backoff start(enum headway_backoff_kind kind, enum headway_jitter jitter,
				    u64 base, u64 cap, u64 seed)
{
	struct headway_backoff_params params = {
		.base_ns = base, .cap_ns = cap, .kind = kind, .jitter = jitter,
	};
	struct headway_backoff backoff;

	headway_backoff_init(&backoff, &params, seed);
	return backoff;
}

KTAP_TEST(kinds_grow_as_named)
{
	struct headway_backoff none = start(HEADWAY_BACKOFF_NONE, HEADWAY_JITTER_NONE, 5, 0, 1);
	struct headway_backoff constant = start(HEADWAY_BACKOFF_CONSTANT, HEADWAY_JITTER_NONE,
						5, 0, 1);
	struct headway_backoff linear = start(HEADWAY_BACKOFF_LINEAR, HEADWAY_JITTER_NONE, 5, 0, 1);
	struct headway_backoff exponential = start(HEADWAY_BACKOFF_EXPONENTIAL, HEADWAY_JITTER_NONE,
						   5, 0, 1);
	unsigned int i;

	for (i = 1; i <= 20; i++) {
		EXPECT_EQ(next(&none, 0), 0ull);
		EXPECT_EQ(next(&constant, 0), 5ull);
		EXPECT_EQ(next(&linear, 0), 5ull * i);
		EXPECT_EQ(next(&exponential, 0), 5ull << (i - 1));
		EXPECT_EQ(exponential.attempt, i);
		EXPECT_EQ(exponential.prev_ns, 5ull << (i - 1));
	}
}

KTAP_TEST(growth_saturates_instead_of_wrapping)
{
	struct headway_backoff exponential = start(HEADWAY_BACKOFF_EXPONENTIAL, HEADWAY_JITTER_NONE,
						   3, 0, 1);
	struct headway_backoff linear = start(HEADWAY_BACKOFF_LINEAR, HEADWAY_JITTER_NONE,
					      UINT64_MAX / 2, 0, 1);
	u64 before = 0, delay = 0;
	int i;

	for (i = 0; i < 200; i++) {
		delay = next(&exponential, 0);
		EXPECT_GE(delay, before);
		before = delay;
	}
	EXPECT_EQ(delay, UINT64_MAX);
	for (i = 0, before = 0; i < 10; i++) {
		delay = next(&linear, 0);
		EXPECT_GE(delay, before);
		before = delay;
	}
	EXPECT_EQ(delay, UINT64_MAX);

	linear.attempt = UINT32_MAX;
	next(&linear, 0);
	EXPECT_EQ(linear.attempt, UINT32_MAX);
}

KTAP_TEST(no_delay_exceeds_the_cap)
{
	static const u64 bases[] = { 0, 1, 2, 1000, 7 * MS, UINT64_MAX / 3, UINT64_MAX };
	static const u64 caps[] = { 1, 2, 999, 10 * MS, UINT64_MAX / 2, UINT64_MAX };
	static const u64 clocks[] = { 0, 1, 123456789, UINT64_MAX - 1, UINT64_MAX };

	for (int kind = HEADWAY_BACKOFF_NONE; kind <= HEADWAY_BACKOFF_EXPONENTIAL; kind++)
		for (int jitter = HEADWAY_JITTER_NONE; jitter <= HEADWAY_JITTER_GRID; jitter++)
			for (size_t b = 0; b < 7; b++)
				for (size_t c = 0; c < 6; c++) {
					struct headway_backoff backoff =
						start(kind, jitter, bases[b], caps[c], b * 7 + c);

					for (int i = 0; i < 100; i++)
						EXPECT_LE(next(&backoff, clocks[i % 5]), caps[c]);
				}
}

KTAP_TEST(equal_seeds_give_equal_delays)
{
	for (int jitter = HEADWAY_JITTER_FULL; jitter <= HEADWAY_JITTER_DECORRELATED; jitter++) {
		const enum headway_backoff_kind kind = HEADWAY_BACKOFF_EXPONENTIAL;
		struct headway_backoff a = start(kind, jitter, MS, 0, 42);
		struct headway_backoff b = start(kind, jitter, MS, 0, 42);
		struct headway_backoff c = start(kind, jitter, MS, 0, 43);
		int differ = 0;

		for (int i = 0; i < 20; i++) {
			u64 delay = next(&a, 0);

			EXPECT_EQ(next(&b, 0), delay);
			differ += next(&c, 0) != delay;
		}
		EXPECT_GE(differ, 15);
	}
}

/* SplitMix64's published first outputs for seed 1234567; FULL over the whole range shows them. */
KTAP_TEST(generator_is_splitmix64)
{
	static const u64 expected[] = {
		6457827717110365317ull, 3203168211198807973ull, 9817491932198370423ull,
		4593380528125082431ull, 16408922859458223821ull,
	};
	struct headway_backoff backoff = start(HEADWAY_BACKOFF_CONSTANT, HEADWAY_JITTER_FULL,
					       UINT64_MAX, 0, 1234567);

	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
		EXPECT_EQ(next(&backoff, 0), expected[i]);
}

static void spread(enum headway_jitter jitter, u64 low, u64 high)
{
	struct headway_backoff backoff = start(HEADWAY_BACKOFF_CONSTANT, jitter, 1000, 0, 7);
	int bins[10] = { 0 };
	double sum = 0;

	for (int i = 0; i < 10000; i++) {
		u64 delay = next(&backoff, 0);

		ASSERT(delay >= low && delay <= high);
		bins[(delay - low) * 10 / (high - low + 1)]++;
		sum += delay;
	}
	EXPECT_NEAR(sum / 10000, (low + high) / 2.0, (high - low) * 0.02);
	for (int i = 0; i < 10; i++)
		EXPECT_NEAR(bins[i], 1000, 150);
}

KTAP_TEST(full_and_equal_jitter_are_uniform)
{
	spread(HEADWAY_JITTER_FULL, 0, 1000);
	spread(HEADWAY_JITTER_EQUAL, 500, 1000);
}

KTAP_TEST(jitter_reaches_both_ends)
{
	struct headway_backoff full = start(HEADWAY_BACKOFF_CONSTANT, HEADWAY_JITTER_FULL, 3, 0, 1);
	int seen[4] = { 0 };

	for (int i = 0; i < 200; i++)
		seen[next(&full, 0) & 3]++;
	for (int i = 0; i < 4; i++)
		EXPECT_GT(seen[i], 20);
}

KTAP_TEST(decorrelated_stays_between_base_and_three_times_the_last)
{
	struct headway_backoff backoff = start(HEADWAY_BACKOFF_NONE, HEADWAY_JITTER_DECORRELATED,
					       1000, 100000, 3);
	u64 prev = 1000;
	int capped = 0;

	for (int i = 0; i < 1000; i++) {
		u64 delay = next(&backoff, 0);

		EXPECT_GE(delay, 1000ull);
		EXPECT_LE(delay, prev * 3 < 100000 ? prev * 3 : 100000);
		capped += delay == 100000;
		prev = delay;
	}
	EXPECT_GT(capped, 0);
}

KTAP_TEST(grid_puts_everyone_in_phase)
{
	struct headway_backoff backoff = start(HEADWAY_BACKOFF_CONSTANT, HEADWAY_JITTER_GRID,
					       20 * MS, 0, 1);
	u64 now;

	for (now = 1; now < 100 * MS; now += 777777) {
		u64 delay = next(&backoff, now);

		EXPECT_EQ((now + delay) % (20 * MS), 0ull);
		EXPECT_GE(delay, 20 * MS);
		EXPECT_LT(delay, 40 * MS);
	}
	EXPECT_EQ(next(&backoff, 20 * MS), 20 * MS);
}

KTAP_TEST(grid_survives_base_zero_and_the_end_of_the_clock)
{
	struct headway_backoff zero = start(HEADWAY_BACKOFF_CONSTANT, HEADWAY_JITTER_GRID, 0, 0, 1);
	struct headway_backoff late = start(HEADWAY_BACKOFF_CONSTANT, HEADWAY_JITTER_GRID,
					    1000, 0, 1);

	EXPECT_EQ(next(&zero, 12345), 0ull);
	EXPECT_LE(next(&late, UINT64_MAX - 10), 10ull);
}

KTAP_TEST(reset_starts_over_with_fresh_randomness)
{
	struct headway_backoff backoff = start(HEADWAY_BACKOFF_EXPONENTIAL, HEADWAY_JITTER_FULL,
					       1 << 20, 0, 9);
	u64 first = next(&backoff, 0);

	for (int i = 0; i < 10; i++)
		next(&backoff, 0);
	headway_backoff_reset(&backoff);
	EXPECT_EQ(backoff.attempt, 0u);
	EXPECT_EQ(backoff.prev_ns, 0ull);
	EXPECT_NE(next(&backoff, 0), first);
	EXPECT_LE(backoff.prev_ns, 1ull << 20);
}

KTAP_MAIN("backoff")

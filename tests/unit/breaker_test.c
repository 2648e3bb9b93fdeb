// SPDX-License-Identifier: GPL-2.0
/*
 * breaker_test.c - circuit breaker and retry budget against a clock of the test's own.
 */
// links: kmod/breaker_core.c kmod/backoff.c
#include "headway_breaker.h"
#include "ktap.h"

#define MS 1000000ull
#define S (1000 * MS)

/* Three in a row open it; cool-downs are 10, 20, 40, 80, 80, ... ms without jitter. */
static const struct headway_breaker_params three = {
	.failures = 3,
	.probe_timeout_ns = 50 * MS,
	.cooldown = {
		.base_ns = 10 * MS, .cap_ns = 80 * MS, .kind = HEADWAY_BACKOFF_EXPONENTIAL,
	},
};

static struct headway_breaker_core start(struct headway_breaker_params params)
{
	struct headway_breaker_core core;

	EXPECT(headway_breaker_core_init(&core, &params, 1));
	return core;
}

/* One call and its report. Return: whether it was let through. */
static bool call(struct headway_breaker_core *core, bool ok, u64 now)
{
	struct headway_pass pass;

	if (!headway_breaker_core_allow(core, &pass, now))
		return false;
	headway_breaker_core_report(core, &pass, ok, now);
	return true;
}

static void fail_open(struct headway_breaker_core *core, u64 now)
{
	for (u32 i = 0; i < core->params.failures; i++)
		EXPECT(call(core, false, now));
	EXPECT_EQ((int)core->mode, HEADWAY_BREAKER_OPEN);
}

KTAP_TEST(senseless_parameters_are_refused)
{
	struct headway_breaker_params params = three;
	struct headway_breaker_core core;

	params.failures = 0;
	EXPECT_FALSE(headway_breaker_core_init(&core, &params, 1));
	params.rate_percent = 50;
	EXPECT_FALSE(headway_breaker_core_init(&core, &params, 1));
	params.window_ns = 1;
	EXPECT_FALSE(headway_breaker_core_init(&core, &params, 1));
	params.window_ns = 2;
	EXPECT_TRUE(headway_breaker_core_init(&core, &params, 1));
	params.rate_percent = 101;
	EXPECT_FALSE(headway_breaker_core_init(&core, &params, 1));
}

KTAP_TEST(opens_at_the_threshold_and_not_before)
{
	struct headway_breaker_core core = start(three);

	EXPECT(call(&core, false, 0));
	EXPECT(call(&core, false, 0));
	EXPECT_EQ((int)core.mode, HEADWAY_BREAKER_CLOSED);
	EXPECT(call(&core, false, 0));
	EXPECT_EQ((int)core.mode, HEADWAY_BREAKER_OPEN);
	EXPECT_EQ(core.opened, 1ull);
}

KTAP_TEST(a_success_breaks_the_row)
{
	struct headway_breaker_core core = start(three);

	for (int i = 0; i < 100; i++) {
		EXPECT(call(&core, false, i));
		EXPECT(call(&core, false, i));
		EXPECT(call(&core, true, i));
	}
	EXPECT_EQ((int)core.mode, HEADWAY_BREAKER_CLOSED);
}

KTAP_TEST(open_refuses_and_says_how_long)
{
	struct headway_breaker_core core = start(three);
	struct headway_pass pass;

	fail_open(&core, 5 * MS);
	EXPECT_FALSE(headway_breaker_core_allow(&core, &pass, 5 * MS));
	EXPECT_EQ(pass.retry_ns, 10 * MS);
	EXPECT_FALSE(headway_breaker_core_allow(&core, &pass, 12 * MS));
	EXPECT_EQ(pass.retry_ns, 3 * MS);
	EXPECT_FALSE(headway_breaker_core_allow(&core, &pass, 15 * MS - 1));
	EXPECT_EQ(pass.retry_ns, 1ull);
	EXPECT_EQ(core.refused, 3ull);
	EXPECT_TRUE(headway_breaker_core_allow(&core, &pass, 15 * MS));
	EXPECT_EQ((int)core.mode, HEADWAY_BREAKER_HALF_OPEN);
}

KTAP_TEST(cooldown_grows_while_probes_fail_and_begins_anew_after_a_success)
{
	static const u64 cooldowns[] = { 10, 20, 40, 80, 80 };
	struct headway_breaker_core core = start(three);
	struct headway_pass pass;
	u64 now = 0;

	fail_open(&core, now);
	for (size_t i = 0; i < 5; i++) {
		EXPECT_FALSE(headway_breaker_core_allow(&core, &pass, now));
		EXPECT_EQ(pass.retry_ns, cooldowns[i] * MS);
		now += pass.retry_ns;
		EXPECT(call(&core, i == 4, now));
	}
	EXPECT_EQ((int)core.mode, HEADWAY_BREAKER_CLOSED);
	fail_open(&core, now);
	EXPECT_FALSE(headway_breaker_core_allow(&core, &pass, now));
	EXPECT_EQ(pass.retry_ns, 10 * MS);
	EXPECT_EQ(core.opened, 6ull);
}

KTAP_TEST(half_open_lets_no_more_probes_out_than_the_quota)
{
	struct headway_breaker_params params = three;
	struct headway_breaker_core core;
	struct headway_pass pass[4];

	params.probes = 3;
	params.successes = 2;
	core = start(params);
	fail_open(&core, 0);
	for (int i = 0; i < 3; i++)
		EXPECT_TRUE(headway_breaker_core_allow(&core, &pass[i], 10 * MS));
	EXPECT_FALSE(headway_breaker_core_allow(&core, &pass[3], 11 * MS));
	EXPECT_EQ(pass[3].retry_ns, 49 * MS);
	/* One that has reported makes room for another. */
	headway_breaker_core_report(&core, &pass[0], true, 11 * MS);
	EXPECT_EQ((int)core.mode, HEADWAY_BREAKER_HALF_OPEN);
	EXPECT_TRUE(headway_breaker_core_allow(&core, &pass[3], 11 * MS));
	headway_breaker_core_report(&core, &pass[1], true, 11 * MS);
	EXPECT_EQ((int)core.mode, HEADWAY_BREAKER_CLOSED);
}

KTAP_TEST(one_failed_probe_opens_again)
{
	struct headway_breaker_params params = three;
	struct headway_breaker_core core;
	struct headway_pass good, bad;

	params.probes = 2;
	params.successes = 2;
	core = start(params);
	fail_open(&core, 0);
	EXPECT_TRUE(headway_breaker_core_allow(&core, &good, 10 * MS));
	EXPECT_TRUE(headway_breaker_core_allow(&core, &bad, 10 * MS));
	headway_breaker_core_report(&core, &good, true, 10 * MS);
	headway_breaker_core_report(&core, &bad, false, 10 * MS);
	EXPECT_EQ((int)core.mode, HEADWAY_BREAKER_OPEN);
	EXPECT_EQ(core.opened, 2ull);
}

KTAP_TEST(late_reports_do_not_count)
{
	struct headway_breaker_core core = start(three);
	struct headway_pass early, probe, second;

	EXPECT_TRUE(headway_breaker_core_allow(&core, &early, 0));
	fail_open(&core, 0);
	EXPECT_TRUE(headway_breaker_core_allow(&core, &probe, 10 * MS));
	/* Of a call from before: neither closes it nor frees the probe's place. */
	headway_breaker_core_report(&core, &early, true, 10 * MS);
	EXPECT_EQ((int)core.mode, HEADWAY_BREAKER_HALF_OPEN);
	EXPECT_FALSE(headway_breaker_core_allow(&core, &second, 10 * MS));
	EXPECT_EQ(core.stale, 1ull);
	headway_breaker_core_report(&core, &probe, true, 10 * MS);
	EXPECT_EQ((int)core.mode, HEADWAY_BREAKER_CLOSED);
	/* A pass is good for one report. */
	headway_breaker_core_report(&core, &probe, false, 10 * MS);
	EXPECT_EQ(core.in_a_row, 0u);
	EXPECT_EQ(core.stale, 2ull);
}

KTAP_TEST(a_lost_probe_does_not_keep_it_half_open)
{
	struct headway_breaker_core core = start(three);
	struct headway_pass lost, pass;

	fail_open(&core, 0);
	EXPECT_TRUE(headway_breaker_core_allow(&core, &lost, 10 * MS));
	EXPECT_FALSE(headway_breaker_core_allow(&core, &pass, 60 * MS - 1));
	EXPECT_EQ((int)core.mode, HEADWAY_BREAKER_HALF_OPEN);
	EXPECT_FALSE(headway_breaker_core_allow(&core, &pass, 60 * MS));
	EXPECT_EQ((int)core.mode, HEADWAY_BREAKER_OPEN);
	EXPECT_EQ(pass.retry_ns, 20 * MS);
	EXPECT_TRUE(headway_breaker_core_allow(&core, &pass, 80 * MS));
	headway_breaker_core_report(&core, &lost, false, 80 * MS);
	EXPECT_EQ((int)core.mode, HEADWAY_BREAKER_HALF_OPEN);
}

KTAP_TEST(a_returned_probe_makes_room)
{
	struct headway_breaker_core core = start(three);
	struct headway_pass first, second;

	fail_open(&core, 0);
	EXPECT_TRUE(headway_breaker_core_allow(&core, &first, 10 * MS));
	EXPECT_FALSE(headway_breaker_core_allow(&core, &second, 10 * MS));
	headway_breaker_core_return(&core, &first);
	EXPECT_TRUE(headway_breaker_core_allow(&core, &second, 10 * MS));
	/* Used up: gives no second place. */
	headway_breaker_core_return(&core, &first);
	EXPECT_FALSE(headway_breaker_core_allow(&core, &first, 10 * MS));
}

static struct headway_breaker_core start_rate(u32 percent, u32 reports)
{
	struct headway_breaker_params params = three;

	params.failures = 0;
	params.rate_percent = percent;
	params.rate_reports = reports;
	params.window_ns = 100 * MS;
	return start(params);
}

KTAP_TEST(rate_opens_when_the_window_has_enough_reports)
{
	struct headway_breaker_core core = start_rate(50, 8);

	for (int i = 0; i < 7; i++)
		EXPECT(call(&core, i % 2, S + i));
	EXPECT_EQ((int)core.mode, HEADWAY_BREAKER_CLOSED);
	EXPECT(call(&core, false, S + 8));
	EXPECT_EQ((int)core.mode, HEADWAY_BREAKER_OPEN);
}

KTAP_TEST(rate_below_the_limit_stays_closed)
{
	struct headway_breaker_core core = start_rate(50, 8);

	/* The last 9 of 20 fail. */
	for (int i = 0; i < 20; i++)
		EXPECT(call(&core, i < 11, S + i));
	EXPECT_EQ((int)core.mode, HEADWAY_BREAKER_CLOSED);
}

KTAP_TEST(rate_forgets_what_left_the_window)
{
	struct headway_breaker_core core = start_rate(50, 8);

	for (int i = 0; i < 7; i++)
		EXPECT(call(&core, false, S));
	/* One half later they still count ... */
	struct headway_breaker_core still = core;

	EXPECT(call(&still, false, S + 60 * MS));
	EXPECT_EQ((int)still.mode, HEADWAY_BREAKER_OPEN);
	/* ... a whole window later they do not. */
	EXPECT(call(&core, false, S + 110 * MS));
	EXPECT_EQ((int)core.mode, HEADWAY_BREAKER_CLOSED);
	/* Slow failures never fill a window. */
	for (int i = 0; i < 100; i++)
		EXPECT(call(&core, false, 2 * S + i * 20 * MS));
	EXPECT_EQ((int)core.mode, HEADWAY_BREAKER_CLOSED);
}

KTAP_TEST(clock_at_its_end_and_counters_at_theirs)
{
	struct headway_breaker_core core = start(three);
	struct headway_pass pass;

	core.era = UINT32_MAX;
	fail_open(&core, UINT64_MAX - 5);
	/* The era skips 0, which means "none". */
	EXPECT_EQ(core.era, 1u);
	EXPECT_EQ(core.until_ns, UINT64_MAX);
	EXPECT_FALSE(headway_breaker_core_allow(&core, &pass, UINT64_MAX - 1));
	EXPECT_EQ(pass.retry_ns, 1ull);
}

static struct headway_budget_core budget(u32 percent, u32 per_second, u32 cap)
{
	struct headway_budget_params params = {
		.percent = percent, .per_second = per_second, .cap = cap,
	};
	struct headway_budget_core core;

	EXPECT(headway_budget_core_init(&core, &params, S));
	return core;
}

static int drain(struct headway_budget_core *core, u64 now)
{
	int taken = 0;

	while (taken < 100000 && headway_budget_core_take(core, now))
		taken++;
	return taken;
}

KTAP_TEST(budget_refuses_senseless_parameters)
{
	struct headway_budget_params params = { .cap = 5 };
	struct headway_budget_core core;

	EXPECT_FALSE(headway_budget_core_init(&core, &params, 0));
	params = (struct headway_budget_params){ .percent = 10 };
	EXPECT_FALSE(headway_budget_core_init(&core, &params, 0));
}

KTAP_TEST(budget_begins_full_and_runs_dry)
{
	struct headway_budget_core core = budget(20, 0, 7);

	EXPECT_EQ(drain(&core, S), 7);
	EXPECT_EQ(drain(&core, 100 * S), 0);
	EXPECT_EQ(core.taken, 7ull);
	EXPECT_EQ(core.refused, 2ull);
}

KTAP_TEST(budget_earns_by_successes)
{
	struct headway_budget_core core = budget(20, 0, 10);

	drain(&core, S);
	for (int i = 0; i < 4; i++)
		headway_budget_core_success(&core, S);
	EXPECT_EQ(drain(&core, S), 0);
	headway_budget_core_success(&core, S);
	EXPECT_EQ(drain(&core, S), 1);
	/* In the long run exactly one retry in five successes. */
	int taken = 0;

	for (int i = 0; i < 1000; i++) {
		headway_budget_core_success(&core, S);
		taken += drain(&core, S);
	}
	EXPECT_EQ(taken, 200);
}

KTAP_TEST(budget_earns_by_time_exactly)
{
	struct headway_budget_core core = budget(0, 3, 10);
	int taken = 0;

	drain(&core, S);
	EXPECT_EQ(drain(&core, S + S / 3), 0);
	EXPECT_EQ(drain(&core, S + S / 3 + 1), 1);
	/*
	 * However often it is asked, 3 tokens come in a second, and the clock may stand or go back.
	 */
	for (u64 now = S + S / 3 + 1; now < 11 * S + S / 3 + 1; now += 777777) {
		taken += drain(&core, now);
		taken += drain(&core, now - 5);
	}
	taken += drain(&core, 11 * S + S / 3 + 1);
	EXPECT_EQ(taken, 30);
}

KTAP_TEST(budget_keeps_to_its_cap)
{
	struct headway_budget_core core = budget(100, 1000, 5);

	drain(&core, S);
	EXPECT_EQ(drain(&core, 1000 * S), 5);
	for (int i = 0; i < 100; i++)
		headway_budget_core_success(&core, 1000 * S);
	EXPECT_EQ(drain(&core, 1000 * S), 5);
	/* Products that do not fit saturate. */
	core = budget(UINT32_MAX, UINT32_MAX, UINT32_MAX);
	core.units = 0;
	EXPECT(headway_budget_core_take(&core, UINT64_MAX));
	headway_budget_core_success(&core, UINT64_MAX);
	EXPECT_LE(core.units, UINT32_MAX * 1000000000ull);
}

KTAP_MAIN("breaker")

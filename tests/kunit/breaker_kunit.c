// SPDX-License-Identifier: GPL-2.0
/*
 * breaker_kunit.c - breaker, budget and polls with the real clock, from several hands and from
 * atomic context. Their arithmetic is tested on the host (tests/unit/breaker_test.c).
 */
#include "lab.h"

static const struct headway_breaker_params quick = {
	.failures = 3,
	.probes = 1,
	.probe_timeout_ns = 20 * MS,
	.cooldown = { .base_ns = 5 * MS, .cap_ns = 20 * MS, .kind = HEADWAY_BACKOFF_EXPONENTIAL },
};

static const struct headway_backoff_params brisk = {
	.base_ns = 50 * NSEC_PER_USEC, .cap_ns = MS, .kind = HEADWAY_BACKOFF_EXPONENTIAL,
	.jitter = HEADWAY_JITTER_FULL,
};

static struct headway_breaker *open_breaker(struct kunit *test)
{
	struct headway_breaker *breaker = kunit_kzalloc(test, sizeof(*breaker), GFP_KERNEL);
	struct headway_pass pass;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, breaker);
	KUNIT_ASSERT_EQ(test, headway_breaker_init(breaker, "kunit", &quick), 0);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, headway_breaker_allow(breaker, &pass), 0);
		headway_breaker_report(breaker, &pass, false);
	}
	return breaker;
}

static enum headway_breaker_mode mode_of(struct headway_breaker *breaker)
{
	struct headway_breaker_stats stats;

	headway_breaker_read(breaker, &stats);
	return stats.mode;
}

static void breaker_refuses_bad_parameters(struct kunit *test)
{
	struct headway_breaker_params params = quick;
	struct headway_breaker breaker;

	params.failures = 0;
	KUNIT_EXPECT_EQ(test, headway_breaker_init(&breaker, "kunit", &params), -EINVAL);
	params.rate_percent = 200;
	params.window_ns = MS;
	KUNIT_EXPECT_EQ(test, headway_breaker_init(&breaker, "kunit", &params), -EINVAL);
}

static void breaker_opens_refuses_probes_and_closes(struct kunit *test)
{
	u64 start = ktime_get_ns();
	struct headway_breaker *breaker = open_breaker(test);
	struct headway_pass pass;
	int ret;

	KUNIT_EXPECT_EQ(test, mode_of(breaker), HEADWAY_BREAKER_OPEN);
	ret = headway_breaker_allow(breaker, &pass);
	if (ret) {
		KUNIT_EXPECT_EQ(test, ret, -EAGAIN);
		KUNIT_EXPECT_GT(test, pass.retry_ns, 0ull);
		KUNIT_EXPECT_LE(test, pass.retry_ns, 5 * MS);
		/* As long as it said. */
		usleep_range(pass.retry_ns / 1000 + 1, pass.retry_ns / 1000 + 1000);
		ret = headway_breaker_allow(breaker, &pass);
	}
	KUNIT_EXPECT_EQ(test, ret, 0);
	/* Not before the cool-down was over, even if we came too late to see it refuse. */
	KUNIT_EXPECT_GE(test, ktime_get_ns() - start, 5 * MS);
	KUNIT_EXPECT_EQ(test, mode_of(breaker), HEADWAY_BREAKER_HALF_OPEN);
	headway_breaker_report(breaker, &pass, true);
	KUNIT_EXPECT_EQ(test, mode_of(breaker), HEADWAY_BREAKER_CLOSED);
}

static void breaker_gives_up_on_a_lost_probe(struct kunit *test)
{
	struct headway_breaker *breaker = open_breaker(test);
	struct headway_breaker_stats stats;
	struct headway_pass lost, pass;

	KUNIT_EXPECT_TRUE(test, lab_eventually(!headway_breaker_allow(breaker, &lost)));
	KUNIT_EXPECT_TRUE(test, lab_eventually(!headway_breaker_allow(breaker, &pass)));
	headway_breaker_report(breaker, &lost, false);
	headway_breaker_read(breaker, &stats);
	KUNIT_EXPECT_EQ(test, stats.mode, HEADWAY_BREAKER_HALF_OPEN);
	KUNIT_EXPECT_EQ(test, stats.opened, 2ull);
	KUNIT_EXPECT_EQ(test, stats.stale, 1ull);
	headway_breaker_return(breaker, &pass);
}

/* Half of at least four reports, never three failures in a row. */
static void breaker_opens_at_a_rate(struct kunit *test)
{
	const struct headway_breaker_params params = {
		.rate_percent = 50, .rate_reports = 4, .window_ns = 1000 * LAB_PATIENCE_NS,
		.cooldown = { .base_ns = LAB_PATIENCE_NS, .kind = HEADWAY_BACKOFF_CONSTANT },
	};
	struct headway_breaker breaker;
	struct headway_pass pass;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, headway_breaker_init(&breaker, NULL, &params), 0);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, headway_breaker_allow(&breaker, &pass), 0);
		headway_breaker_report(&breaker, &pass, i % 2 == 0);
	}
	KUNIT_EXPECT_EQ(test, headway_breaker_allow(&breaker, &pass), -EAGAIN);
	KUNIT_EXPECT_EQ(test, mode_of(&breaker), HEADWAY_BREAKER_OPEN);
}

/* With the old ones there would be six failures, which is more than enough. */
static void breaker_forgets_what_is_older_than_its_window(struct kunit *test)
{
	const struct headway_breaker_params params = {
		.rate_percent = 50, .rate_reports = 4, .window_ns = 10 * MS,
		.cooldown = quick.cooldown,
	};
	struct headway_breaker breaker;
	struct headway_pass pass;
	unsigned int i, round;

	KUNIT_ASSERT_EQ(test, headway_breaker_init(&breaker, "kunit", &params), 0);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 3; i++) {
			KUNIT_EXPECT_EQ(test, headway_breaker_allow(&breaker, &pass), 0);
			headway_breaker_report(&breaker, &pass, false);
		}
		usleep_range(11000, 12000);
	}
	KUNIT_EXPECT_EQ(test, mode_of(&breaker), HEADWAY_BREAKER_CLOSED);
}

static void breaker_works_with_interrupts_off(struct kunit *test)
{
	struct headway_breaker *breaker = kunit_kzalloc(test, sizeof(*breaker), GFP_KERNEL);
	struct headway_budget budget;
	struct headway_budget_params params = { .percent = 10, .cap = 1 };
	struct headway_breaker_params slow = quick;
	struct headway_pass pass;
	unsigned long flags;
	int allowed = 0, refused, taken, dry;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, breaker);
	/* A machine that is held up meanwhile must not find it cooled down. */
	slow.cooldown.base_ns = LAB_PATIENCE_NS;
	slow.cooldown.cap_ns = LAB_PATIENCE_NS;
	KUNIT_ASSERT_EQ(test, headway_breaker_init(breaker, "kunit", &slow), 0);
	KUNIT_ASSERT_EQ(test, headway_budget_init(&budget, &params), 0);
	local_irq_save(flags);
	for (i = 0; i < 3; i++) {
		allowed += !headway_breaker_allow(breaker, &pass);
		headway_breaker_report(breaker, &pass, false);
	}
	refused = headway_breaker_allow(breaker, &pass);
	taken = headway_budget_take(&budget);
	dry = headway_budget_take(&budget);
	headway_budget_success(&budget);
	local_irq_restore(flags);
	KUNIT_EXPECT_EQ(test, allowed, 3);
	KUNIT_EXPECT_EQ(test, refused, -EAGAIN);
	KUNIT_EXPECT_EQ(test, taken, 0);
	KUNIT_EXPECT_EQ(test, dry, -EAGAIN);
}

/* Hands that hammer one breaker whose device is down, and count what got through. */
static int hammer_work(struct hand *hand)
{
	struct headway_breaker *breaker = hand->arg;

	lab_pause(hand);
	while (!READ_ONCE(hand->lab->stop)) {
		struct headway_pass pass;

		if (headway_breaker_allow(breaker, &pass)) {
			hand->errors++;
		} else {
			hand->count++;
			headway_breaker_report(breaker, &pass, false);
		}
		cond_resched();
	}
	return 0;
}

/* Hands that got through now and then, and were sent away far more often. */
static bool hammered(struct lab *lab)
{
	u64 through = 0, refused = 0;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		through += READ_ONCE(lab->hands[i].count);
		refused += READ_ONCE(lab->hands[i].errors);
	}
	return through >= 5 && refused > through * 20;
}

static void breaker_keeps_many_hands_from_a_dead_device(struct kunit *test)
{
	u64 start = ktime_get_ns();
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 0);
	struct headway_breaker *breaker = open_breaker(test);
	struct headway_breaker_stats stats;
	u64 through = 0, refused = 0;
	unsigned int i;

	for (i = 0; i < 4; i++)
		lab_hand(lab, hammer_work, breaker);
	lab_start(lab->hands, 4);
	KUNIT_EXPECT_TRUE(test, lab_eventually(hammered(lab)));
	WRITE_ONCE(lab->stop, true);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, lab_join(&lab->hands[i]), 0);
		through += lab->hands[i].count;
		refused += lab->hands[i].errors;
	}
	headway_breaker_read(breaker, &stats);
	/* Every probe failed, so each cost one opening; the first opening cost three. */
	KUNIT_EXPECT_EQ(test, through, stats.opened - 1);
	KUNIT_EXPECT_EQ(test, refused, stats.refused);
	/* 5 + 10 + 20 + 20 ... ms: no more cool-downs than fit into the time that it took. */
	KUNIT_EXPECT_LE(test, through, div64_u64(ktime_get_ns() - start, 20 * MS) + 3);
}

static int take_work(struct hand *hand)
{
	lab_pause(hand);
	while (!headway_budget_take(hand->arg)) {
		hand->count++;
		cond_resched();
	}
	return 0;
}

static void budget_gives_out_no_token_twice(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 0);
	struct headway_budget *budget = kunit_kzalloc(test, sizeof(*budget), GFP_KERNEL);
	struct headway_budget_params params = { .percent = 10, .cap = 20000 };
	u64 taken = 0;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, budget);
	KUNIT_ASSERT_EQ(test, headway_budget_init(budget, &params), 0);
	for (i = 0; i < 4; i++)
		lab_hand(lab, take_work, budget);
	lab_start(lab->hands, 4);
	for (i = 0; i < 4; i++) {
		lab_join(&lab->hands[i]);
		taken += lab->hands[i].count;
	}
	KUNIT_EXPECT_EQ(test, taken, 20000ull);
	params.cap = 0;
	KUNIT_EXPECT_EQ(test, headway_budget_init(budget, &params), -EINVAL);
}

static void poll_needs_no_sleep_when_it_is_true(struct kunit *test)
{
	u64 before = ktime_get_ns();
	unsigned int looks = 0;

	KUNIT_EXPECT_EQ(test, headway_poll(++looks, &brisk, NULL), 0);
	KUNIT_EXPECT_EQ(test, looks, 1u);
	/* Nor a second look, nor a pause that the try form would refuse. */
	KUNIT_EXPECT_EQ(test, headway_poll(true, &brisk, __HEADWAY_WAIT(TASK_RUNNING, 0)), 0);
	KUNIT_EXPECT_LT(test, ktime_get_ns() - before, LAB_PATIENCE_NS);
}

static void poll_repeats_until_true(struct kunit *test)
{
	unsigned int looks = 0;

	KUNIT_EXPECT_EQ(test, headway_poll(++looks == 7, &brisk, NULL), 0);
	KUNIT_EXPECT_EQ(test, looks, 7u);
	looks = 0;
	KUNIT_EXPECT_EQ(test, headway_poll_atomic(++looks == 7, &brisk, LAB_PATIENCE_NS), 0);
	KUNIT_EXPECT_EQ(test, looks, 7u);
}

struct signpost {
	bool asleep;
	bool spinning;
};

static int set_flags_work(struct hand *hand)
{
	struct signpost *post = hand->arg;

	lab_pause(hand);
	usleep_range(2000, 3000);
	WRITE_ONCE(post->asleep, true);
	usleep_range(2000, 3000);
	WRITE_ONCE(post->spinning, true);
	return 0;
}

static int watch_flags_work(struct hand *hand)
{
	struct headway_wait wait = { TASK_KILLABLE, ktime_add_ns(ktime_get(), LAB_PATIENCE_NS) };
	struct signpost *post = hand->arg;
	int ret;

	lab_pause(hand);
	ret = headway_poll(READ_ONCE(post->asleep), &brisk, &wait);
	return ret ?: headway_poll_atomic(READ_ONCE(post->spinning), &brisk, LAB_PATIENCE_NS);
}

static void poll_sees_what_another_hand_does(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 0);
	struct signpost *post = kunit_kzalloc(test, sizeof(*post), GFP_KERNEL);
	struct hand *sets, *watches;

	if (num_online_cpus() < 2)
		kunit_skip(test, "who spins needs a CPU of its own");
	KUNIT_ASSERT_NOT_NULL(test, post);
	/* On different CPUs. */
	sets = lab_hand(lab, set_flags_work, post);
	watches = lab_hand(lab, watch_flags_work, post);
	lab_await(sets);
	lab_await(watches);
	lab_go(sets);
	lab_go(watches);
	KUNIT_EXPECT_EQ(test, lab_join(sets), 0);
	KUNIT_EXPECT_EQ(test, lab_join(watches), 0);
}

static void poll_ends_at_the_deadline_after_a_last_look(struct kunit *test)
{
	struct headway_wait wait = { TASK_UNINTERRUPTIBLE, ktime_add_ms(ktime_get(), 5) };
	unsigned int late = 0;
	u64 end;
	int ret;

	ret = headway_poll((late += ktime_after(ktime_get(), wait.deadline), false), &brisk, &wait);
	KUNIT_EXPECT_EQ(test, ret, -ETIMEDOUT);
	KUNIT_EXPECT_GE(test, late, 1u);
	/* True only after the deadline: still true. */
	wait.deadline = ktime_add_ms(ktime_get(), 3);
	ret = headway_poll(ktime_after(ktime_get(), wait.deadline), &brisk, &wait);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, headway_poll_timeout(false, &brisk, 2 * MS), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, headway_poll_timeout(true, &brisk, 0), 0);
	end = ktime_get_ns() + 3 * MS;
	late = 0;
	ret = headway_poll_atomic((late += ktime_get_ns() > end, false), &brisk, 3 * MS);
	KUNIT_EXPECT_EQ(test, ret, -ETIMEDOUT);
	KUNIT_EXPECT_GE(test, late, 1u);
}

static void poll_ends_with_its_attempts(struct kunit *test)
{
	struct headway_backoff_params params = brisk;
	unsigned int looks = 0;

	params.max_attempts = 4;
	KUNIT_EXPECT_EQ(test, headway_poll((++looks, false), &params, NULL), -EAGAIN);
	/*
	 * One before each of 4 pauses, one after the last, and one when there is no pause any more.
	 */
	KUNIT_EXPECT_EQ(test, looks, 6u);
	looks = 0;
	KUNIT_EXPECT_EQ(test, headway_poll_atomic((++looks, false), &params, LAB_PATIENCE_NS),
			-EAGAIN);
	KUNIT_EXPECT_EQ(test, looks, 6u);
}

static void poll_try_form_looks_and_does_not_wait(struct kunit *test)
{
	struct headway_backoff_params params = { .kind = HEADWAY_BACKOFF_NONE };

	/* Also where no delay would be needed: otherwise it would go round for ever. */
	KUNIT_EXPECT_EQ(test, headway_poll(false, &params, __HEADWAY_WAIT(TASK_RUNNING, KTIME_MAX)),
			-EBUSY);
}

static int poll_killable_work(struct hand *hand)
{
	struct headway_wait wait = { TASK_KILLABLE, ktime_add_ns(ktime_get(), LAB_PATIENCE_NS) };

	complete(&hand->reached);
	return headway_poll(READ_ONCE(hand->lab->stop), &brisk, &wait);
}

static void poll_ends_with_a_fatal_signal(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 0);
	struct hand *hand = lab_hand(lab, poll_killable_work, NULL);

	lab_await(hand);
	lab_signal(hand, SIGKILL);
	KUNIT_EXPECT_EQ(test, lab_join(hand), -EINTR);
}

static void poll_with_a_seed_is_repeatable(struct kunit *test)
{
	struct headway_backoff one, two;
	unsigned int looks = 0;

	headway_backoff_init(&one, &brisk, 99);
	headway_backoff_init(&two, &brisk, 99);
	KUNIT_EXPECT_EQ(test, headway_poll_backoff(++looks == 5, &one, NULL), 0);
	looks = 0;
	KUNIT_EXPECT_EQ(test, headway_poll_backoff(++looks == 5, &two, NULL), 0);
	KUNIT_EXPECT_EQ(test, one.attempt, 4u);
	KUNIT_EXPECT_EQ(test, one.prev_ns, two.prev_ns);
	KUNIT_EXPECT_EQ(test, one.rng, two.rng);
	/* Two polls of their own are not in step. */
	headway_poll_begin(&one, &brisk);
	headway_poll_begin(&two, &brisk);
	KUNIT_EXPECT_NE(test, one.rng, two.rng);
}

static struct kunit_case breaker_cases[] = {
	KUNIT_CASE(breaker_refuses_bad_parameters),
	KUNIT_CASE(breaker_opens_refuses_probes_and_closes),
	KUNIT_CASE(breaker_gives_up_on_a_lost_probe),
	KUNIT_CASE(breaker_opens_at_a_rate),
	KUNIT_CASE(breaker_forgets_what_is_older_than_its_window),
	KUNIT_CASE(breaker_works_with_interrupts_off),
	KUNIT_CASE(breaker_keeps_many_hands_from_a_dead_device),
	KUNIT_CASE(budget_gives_out_no_token_twice),
	KUNIT_CASE(poll_needs_no_sleep_when_it_is_true),
	KUNIT_CASE(poll_repeats_until_true),
	KUNIT_CASE(poll_sees_what_another_hand_does),
	KUNIT_CASE(poll_ends_at_the_deadline_after_a_last_look),
	KUNIT_CASE(poll_ends_with_its_attempts),
	KUNIT_CASE(poll_try_form_looks_and_does_not_wait),
	KUNIT_CASE(poll_ends_with_a_fatal_signal),
	KUNIT_CASE(poll_with_a_seed_is_repeatable),
	{}
};

struct kunit_suite headway_breaker_suite = {
	.name = "headway-breaker",
	.exit = lab_close,
	.test_cases = breaker_cases,
};

// SPDX-License-Identifier: GPL-2.0
/*
 * adapt_test.c - the policy `adaptive`: finds the better arm in noise, pays little for looking, and
 * notices when the load changes. A world with known rates stands for the domain.
 */
// links: kmod/adapt.c
#include "adapt.h"
#include "ktap.h"

#define MS 1000000ull
#define SECOND 1000000000ull

struct world {
	double rate[HEADWAY_ARMS];	/* commits per second */
	double rollbacks[HEADWAY_ARMS];	/* per commit */
	double waits;			/* per commit */
	double noise;			/* each trial's rate is off by a factor of up to 1 + this */
	u64 change_ns;			/* what a change of the arm costs */
	bool idle;
	bool refuse;			/* changes of the arm fail */
	u64 rng;
	/* What came of it: */
	u64 now_ns;
	u64 on_ns[HEADWAY_ARMS];
	u64 stalled_ns;
	unsigned int changes;
	unsigned int attempts;
	u32 on;
	struct headway_trial trial;
	double carry;			/* part of a commit */
};

static double uniform(u64 *rng)
{
	u64 z = *rng += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static void pass(struct world *w, u64 ns)
{
	double commits = w->idle ? 0 : w->rate[w->on] * (double)ns / 1e9;

	/* Slower as often as faster: a factor, not a difference. */
	if (w->noise > 0) {
		double factor = 1 + w->noise * uniform(&w->rng);

		commits *= uniform(&w->rng) < 0.5 ? factor : 1 / factor;
	}
	commits += w->carry;
	w->carry = commits - (double)(u64)commits;
	w->trial.length_ns += ns;
	w->trial.commits += (u64)commits;
	w->trial.rollbacks += (u64)(commits * w->rollbacks[w->on]);
	w->trial.waits += (u64)(commits * w->waits);
	w->trial.in_flight = !w->idle;
	w->on_ns[w->on] += ns;
	w->now_ns += ns;
}

static void change(struct world *w, struct headway_adapt *adapt)
{
	w->attempts++;
	w->now_ns += w->change_ns;
	w->stalled_ns += w->change_ns;
	if (!w->refuse) {
		w->on = adapt->arm;
		w->changes++;
	}
	headway_adapt_changed(adapt, !w->refuse, w->change_ns);
}

static void run(struct world *w, struct headway_adapt *adapt, u64 ns)
{
	u64 end_ns = w->now_ns + ns;
	u64 next_ns = HEADWAY_TRIAL_NS;

	while (w->now_ns < end_ns) {
		struct headway_adapt_step step;

		pass(w, next_ns);
		step = headway_adapt_step(adapt, &w->trial);
		if (adapt->arm != w->on)
			change(w, adapt);
		EXPECT_EQ(adapt->arm, w->on);
		if (step.fresh)
			w->trial = (struct headway_trial){ 0 };
		next_ns = step.next_ns;
	}
}

static struct world contended(double first, double second)
{
	return (struct world){
		.rate = { first, second }, .rollbacks = { 1, 1 }, .waits = 1,
		.change_ns = MS / 2, .rng = 1,
	};
}

/* Percent of all time since then that was not spent in the arm, changes included. */
static double percent_lost(const struct world *w, const struct world *before, u32 arm)
{
	double all = (double)(w->now_ns - before->now_ns);

	return 100 * (all - (double)(w->on_ns[arm] - before->on_ns[arm])) / all;
}

/* ---- which is better ---------------------------------------------------------------------- */

KTAP_TEST(finds_the_better_arm)
{
	for (u32 better = 0; better < HEADWAY_ARMS; better++) {
		struct world w = contended(better ? 5000 : 10000, better ? 10000 : 5000);
		struct headway_adapt adapt;

		headway_adapt_init(&adapt);
		run(&w, &adapt, SECOND);
		EXPECT_EQ(adapt.best, better);
		EXPECT_EQ(w.on, better);
		EXPECT_EQ(adapt.switches, (u64)better);
		EXPECT_EQ((int)adapt.why, better ? HEADWAY_WHY_MORE_COMMITS :
			  HEADWAY_WHY_NOT_BEATEN);
	}
}

KTAP_TEST(between_equals_fewer_rollbacks_win)
{
	struct world w = contended(10000, 9900);
	struct headway_adapt adapt;

	w.rollbacks[0] = 3;
	headway_adapt_init(&adapt);
	run(&w, &adapt, 2 * SECOND);
	EXPECT_EQ(adapt.best, 1u);
	EXPECT_EQ((int)adapt.why, HEADWAY_WHY_FEWER_ROLLBACKS);
	/* But not at the price of commits. */
	w = contended(10000, 9000);
	w.rollbacks[0] = 3;
	headway_adapt_init(&adapt);
	run(&w, &adapt, 2 * SECOND);
	EXPECT_EQ(adapt.best, 0u);
}

KTAP_TEST(equal_arms_are_not_changed_for_ever)
{
	struct world w = contended(10000, 10000);
	struct headway_adapt adapt;

	headway_adapt_init(&adapt);
	run(&w, &adapt, 600 * SECOND);
	EXPECT_EQ(adapt.switches, 0ull);
	EXPECT_GT(adapt.comparisons, 2ull);
	EXPECT_LT(w.changes, 500u);
}

/* Each trial is off by up to 1.8 either way, as on a machine with neighbours. */
KTAP_TEST(noise_does_not_hide_the_better_arm)
{
	double worst = 0, sum = 0;

	for (u64 seed = 1; seed <= 100; seed++) {
		struct world w = contended(seed % 2 ? 10000 : 6500, seed % 2 ? 6500 : 10000);
		struct world none = { 0 };
		struct headway_adapt adapt;
		double lost;

		w.noise = 0.8;
		w.rng = seed * 7919;
		headway_adapt_init(&adapt);
		run(&w, &adapt, 300 * SECOND);
		lost = percent_lost(&w, &none, seed % 2 ? 0 : 1);
		worst = lost > worst ? lost : worst;
		sum += lost;
	}
	printf("# time not in the better arm: mean %.1f %%, worst %.1f %%\n", sum / 100, worst);
	EXPECT_LT(sum / 100, 5.0);
	EXPECT_LT(worst, 25.0);
}

/* Arms that differ by less than the noise: what is lost to the better one, in commits. */
KTAP_TEST(noise_does_not_hide_a_small_difference)
{
	double sum = 0;

	for (u64 seed = 1; seed <= 100; seed++) {
		struct world w = contended(seed % 2 ? 10000 : 9000, seed % 2 ? 9000 : 10000);
		struct headway_adapt adapt;

		w.noise = 0.4;
		w.rng = seed * 15485863;
		headway_adapt_init(&adapt);
		run(&w, &adapt, 60 * SECOND);
		sum += percent_lost(&w, &(struct world){ 0 }, seed % 2 ? 0 : 1) * 0.1;
	}
	printf("# commits lost to the better arm: mean %.1f %%\n", sum / 100);
	EXPECT_LT(sum / 100, 0.8);
}

/* The same, but what is found at last; a few pairs would often get it wrong. */
KTAP_TEST(small_difference_is_decided_rightly)
{
	u32 wrong = 0;

	for (u64 seed = 1; seed <= 200; seed++) {
		u32 better = seed % 2;
		struct world w = contended(better ? 9200 : 10000, better ? 10000 : 9200);
		struct headway_adapt adapt;

		w.noise = 0.4;
		w.rng = seed * 32452843;
		headway_adapt_init(&adapt);
		run(&w, &adapt, 15 * SECOND);
		wrong += adapt.best != better;
	}
	printf("# decided wrongly: %u of 200\n", wrong);
	EXPECT_LT(wrong, 12u);
}

/* Noise between equal arms may move it, but must not make it restless. */
KTAP_TEST(noise_between_equals_costs_little)
{
	for (u64 seed = 1; seed <= 20; seed++) {
		struct world w = contended(10000, 10000);
		struct headway_adapt adapt;

		w.noise = 0.8;
		w.rng = seed * 104729;
		headway_adapt_init(&adapt);
		run(&w, &adapt, 600 * SECOND);
		EXPECT_LT(w.stalled_ns * 500, w.now_ns);
	}
}

/* ---- what it costs ------------------------------------------------------------------------ */

KTAP_TEST(probing_costs_less_than_three_percent)
{
	/* How bad the other arm is must not matter: it may even do nothing at all. */
	static const double others[] = { 9900, 5000, 100, 0 };

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		struct world w = contended(10000, others[i]), settled;
		struct headway_adapt adapt;

		headway_adapt_init(&adapt);
		run(&w, &adapt, 5 * SECOND);
		settled = w;
		run(&w, &adapt, 600 * SECOND);
		EXPECT_LT(percent_lost(&w, &settled, 0), 3.0);
		EXPECT_EQ(adapt.best, 0u);
	}
}

KTAP_TEST(first_comparison_is_short)
{
	/* Either arm may be as good as dead. */
	for (u32 dead = 0; dead < HEADWAY_ARMS; dead++) {
		struct world w = contended(dead ? 10000 : 30, dead ? 0 : 10000), none = { 0 };
		struct headway_adapt adapt;

		headway_adapt_init(&adapt);
		run(&w, &adapt, 4 * SECOND);
		EXPECT_EQ(adapt.best, 1 - dead);
		EXPECT_LT(percent_lost(&w, &none, 1 - dead), 25.0);
	}
}

KTAP_TEST(patience_grows_while_it_is_in_vain)
{
	struct world w = contended(10000, 5000);
	struct headway_adapt adapt;
	u64 early;

	headway_adapt_init(&adapt);
	run(&w, &adapt, 60 * SECOND);
	early = adapt.comparisons;
	run(&w, &adapt, 540 * SECOND);
	/* One in 2 s without. */
	EXPECT_LT(adapt.comparisons - early, 540ull / 7);
	EXPECT_LT(percent_lost(&w, &(struct world){ 0 }, 0), 1.0);
}

KTAP_TEST(little_conflict_is_left_alone)
{
	struct world w = contended(10000, 10000);
	struct headway_adapt adapt;

	w.rollbacks[0] = 0.02;
	w.waits = 0.02;
	headway_adapt_init(&adapt);
	run(&w, &adapt, 600 * SECOND);
	EXPECT_EQ(w.changes, 0u);
	EXPECT_EQ((int)adapt.why, HEADWAY_WHY_LITTLE_CONFLICT);
	/* Waits alone are conflict enough: statistics off, rollbacks alone are. */
	w.waits = 0.2;
	run(&w, &adapt, SECOND);
	EXPECT_GT(w.changes, 0u);
}

/* ---- when the load changes ---------------------------------------------------------------- */

KTAP_TEST(another_load_is_noticed)
{
	struct world w = contended(10000, 5000), before;
	struct headway_adapt adapt;

	headway_adapt_init(&adapt);
	run(&w, &adapt, 600 * SECOND);
	EXPECT_EQ(adapt.best, 0u);
	EXPECT_GT(adapt.patience, 1u);
	/* Four times the threads: the arm that was the better one collapses. */
	w.rate[0] = 3000;
	w.rate[1] = 8000;
	before = w;
	run(&w, &adapt, 5 * SECOND);
	EXPECT_EQ(adapt.best, 1u);
	EXPECT_LT(percent_lost(&w, &before, 1), 60.0);
	run(&w, &adapt, 295 * SECOND);
	EXPECT_LT(percent_lost(&w, &before, 1), 3.0);
	/* And back again. */
	w.rate[0] = 10000;
	w.rate[1] = 2000;
	run(&w, &adapt, 20 * SECOND);
	EXPECT_EQ(adapt.best, 0u);
}

/* The present arm goes on as before; only the other one has become better. Nothing shows that. */
KTAP_TEST(another_load_that_does_not_show_is_found_by_probing)
{
	struct world w = contended(10000, 5000);
	struct headway_adapt adapt;

	headway_adapt_init(&adapt);
	run(&w, &adapt, 120 * SECOND);
	w.rate[1] = 20000;
	run(&w, &adapt, 30 * SECOND);
	EXPECT_EQ(adapt.best, 1u);
}

KTAP_TEST(loads_that_alternate_do_not_make_it_restless)
{
	struct world w = contended(10000, 5000);
	struct headway_adapt adapt;

	headway_adapt_init(&adapt);
	for (int i = 0; i < 300; i++) {
		w.rate[0] = i % 2 ? 10000 : 3000;
		w.rate[1] = i % 2 ? 5000 : 1500;
		run(&w, &adapt, SECOND);
	}
	EXPECT_EQ(adapt.best, 0u);
	EXPECT_LT(percent_lost(&w, &(struct world){ 0 }, 0), 5.0);
}

/* ---- nothing to measure ------------------------------------------------------------------- */

KTAP_TEST(idle_domain_is_left_alone)
{
	struct world w = contended(10000, 20000);
	struct headway_adapt adapt;
	struct headway_adapt_step step;

	w.idle = true;
	headway_adapt_init(&adapt);
	run(&w, &adapt, 60 * SECOND);
	EXPECT_EQ(w.attempts, 0u);
	EXPECT_EQ(adapt.trials, 0ull);
	EXPECT_EQ((int)adapt.why, HEADWAY_WHY_IDLE);
	step = headway_adapt_step(&adapt, &(struct headway_trial){ .length_ns = 1 });
	EXPECT_EQ(step.next_ns, (u64)HEADWAY_ADAPT_IDLE_NS);
	w.idle = false;
	run(&w, &adapt, 2 * SECOND);
	EXPECT_EQ(adapt.best, 1u);
}

KTAP_TEST(load_that_ends_in_a_comparison_decides_nothing)
{
	struct world w = contended(10000, 10000);
	struct headway_adapt adapt;

	headway_adapt_init(&adapt);
	while (w.on == 0)
		run(&w, &adapt, 1);
	EXPECT_TRUE(adapt.comparing);
	w.idle = true;
	run(&w, &adapt, 3 * SECOND);
	EXPECT_EQ(w.on, 0u);
	EXPECT_EQ(adapt.switches, 0ull);
}

/* Loads that never last for a whole comparison: it goes on in the next. */
KTAP_TEST(comparison_spans_bursts)
{
	struct world w = contended(2000, 20000);
	struct headway_adapt adapt;

	headway_adapt_init(&adapt);
	for (int i = 0; i < 10; i++) {
		w.idle = false;
		run(&w, &adapt, 200 * MS);
		w.idle = true;
		run(&w, &adapt, 3 * SECOND);
	}
	EXPECT_EQ(adapt.best, 1u);
}

/* Bursts shorter than a comparison, with pauses that pay for nothing. */
KTAP_TEST(bursts_pay_for_probing_with_busy_time_only)
{
	struct world w = contended(10000, 1000);
	struct headway_adapt adapt;
	u64 busy[HEADWAY_ARMS] = { 0 };

	headway_adapt_init(&adapt);
	for (int i = 0; i < 2000; i++) {
		struct world before = w;

		w.idle = false;
		run(&w, &adapt, 120 * MS);
		for (int arm = 0; arm < HEADWAY_ARMS; arm++)
			busy[arm] += w.on_ns[arm] - before.on_ns[arm];
		w.idle = true;
		run(&w, &adapt, 3 * SECOND);
	}
	EXPECT_LT((double)busy[1] / (double)(busy[0] + busy[1]), 0.06);
}

KTAP_TEST(no_commits_at_all)
{
	struct world w = contended(0, 0);
	struct headway_adapt adapt;

	w.waits = 0;
	headway_adapt_init(&adapt);
	run(&w, &adapt, 600 * SECOND);
	EXPECT_EQ(w.attempts, 0u);
	/* Rollbacks without commits are the watchdog's business, not ours. */
	w.trial = (struct headway_trial){
		.length_ns = SECOND, .rollbacks = 1000000, .in_flight = true,
	};
	headway_adapt_step(&adapt, &w.trial);
	EXPECT_EQ(adapt.arm, 0u);
}

KTAP_TEST(too_slow_to_compare)
{
	struct world w = contended(10, 40);
	struct headway_adapt adapt;

	headway_adapt_init(&adapt);
	run(&w, &adapt, 60 * SECOND);
	EXPECT_EQ(w.attempts, 0u);
	EXPECT_GT(adapt.trials, 200ull);
}

/* The trial that sees the first commits has begun while nobody was there: it says nothing. */
KTAP_TEST(trial_that_began_idle_does_not_count)
{
	struct headway_adapt adapt;
	struct headway_trial first = { .length_ns = SECOND, .commits = 1000, .rollbacks = 1000,
				       .in_flight = true };
	struct headway_adapt_step step;

	headway_adapt_init(&adapt);
	headway_adapt_step(&adapt, &(struct headway_trial){ .length_ns = SECOND });
	EXPECT_EQ((int)adapt.why, HEADWAY_WHY_IDLE);
	step = headway_adapt_step(&adapt, &first);
	EXPECT_TRUE(step.fresh);
	EXPECT_EQ(step.next_ns, (u64)HEADWAY_TRIAL_NS);
	EXPECT_EQ(adapt.trials, 0ull);
	EXPECT_FALSE(adapt.comparing);
	headway_adapt_step(&adapt, &first);
	EXPECT_EQ(adapt.trials, 1ull);
	EXPECT_TRUE(adapt.comparing);
}

/* ---- changes that cannot be made ---------------------------------------------------------- */

KTAP_TEST(refused_changes_are_not_pressed)
{
	struct world w = contended(10000, 20000);
	struct headway_adapt adapt;

	w.refuse = true;
	w.change_ns = 20 * MS;
	headway_adapt_init(&adapt);
	run(&w, &adapt, 600 * SECOND);
	EXPECT_EQ(w.on, 0u);
	EXPECT_GT(w.attempts, 10u);
	EXPECT_LT((double)w.stalled_ns / (double)w.now_ns, 0.03);
	EXPECT_EQ((int)adapt.why, HEADWAY_WHY_BUSY);
	w.refuse = false;
	run(&w, &adapt, 20 * SECOND);
	EXPECT_EQ(adapt.best, 1u);
}

KTAP_TEST(refused_way_back_makes_the_best_of_it)
{
	struct world w = contended(10000, 5000);
	struct headway_adapt adapt;

	headway_adapt_init(&adapt);
	while (w.on == 0)
		run(&w, &adapt, 1);
	w.refuse = true;
	w.change_ns = 20 * MS;
	run(&w, &adapt, SECOND);
	EXPECT_EQ(w.on, 1u);
	EXPECT_EQ(adapt.best, 1u);
	w.refuse = false;
	run(&w, &adapt, 20 * SECOND);
	EXPECT_EQ(adapt.best, 0u);
}

KTAP_MAIN("adapt")

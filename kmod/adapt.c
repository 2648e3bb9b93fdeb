// SPDX-License-Identifier: GPL-2.0
/*
 * adapt.c - PURE: which of two policies suits a domain better, found out by trying them.
 *
 * What counts is commits per second; between arms that commit alike, rollbacks. The load changes
 * and the machine is noisy, so rates are never compared across time: a comparison is a series of
 * pairs of trials, one of the incumbent's and then one of the challenger's, and what decides is the
 * median of the pairs' ratios, which a disturbed trial moves little. It goes on until a sign test
 * says that the pairs do not agree by chance: a small difference is looked at for long, a large one
 * shortly, and arms between which HEADWAY_ADAPT_PAIRS pairs cannot decide are near enough. Few
 * pairs that agree on a large difference end it earlier still, and a challenger that is far behind
 * at once is dropped at once: a comparison with a much worse arm mostly costs one trial.
 *
 * Cost: a comparison that the incumbent wins is followed by HEADWAY_ADAPT_SPARE times its length
 * without one, and up to four times that while comparisons stay in vain. The first one is not
 * charged: nothing is known then, so that either arm may be the better one. When the load changes
 * the patience ends, and what is left of the debt is bounded.
 */
#include "adapt.h"

/* The unit of a gain: as many commits as the incumbent. */
#define ONE		1024u
/* 1 / 64 more commits are more; within as much, arms are alike. */
#define MARGIN		(ONE / 64)
/* Far from alike: 1.25 times. */
#define FAR_AHEAD	(ONE * 5 / 4)
#define FAR_BEHIND	(ONE * 4 / 5)
/* So far behind in one pair that noise cannot be the reason. */
#define HOPELESS	(ONE / 2)
/* So many pairs that are all far from alike, the same way, are enough. */
#define PAIRS_FEW	3
/* So many must there be for the signs alone to mean something. */
#define PAIRS_SIGNS	8
/* Standard deviations, squared, from what a fair coin would give. */
#define SURE		4
/* What is owed at most when the load changes. */
#define OWED_THEN_NS	(15 * HEADWAY_TRIAL_NS * HEADWAY_ADAPT_SPARE)
/* Fewer rollbacks and waits than 1 in so many commits: nothing to gain. */
#define CONFLICT_SHARE	16
#define PATIENCE_MAX	4
/* So many trials in a row at half or twice the usual rate: another load. */
#define UNUSUAL_MAX	3

/**
 * headway_adapt_init - start anew, with nothing known
 * @adapt: initialised; the first arm is on
 */
void headway_adapt_init(struct headway_adapt *adapt)
{
	*adapt = (struct headway_adapt){ .why = HEADWAY_WHY_START, .patience = 1 };
}

static u32 other(u32 arm)
{
	return HEADWAY_ARMS - 1 - arm;
}

static struct headway_rate rate_of(const struct headway_trial *trial)
{
	u64 commits = trial->commits ? trial->commits : 1;

	return (struct headway_rate){
		.commits_per_s = trial->length_ns ?
				 trial->commits * 1000000000ull / trial->length_ns : 0,
		.rollbacks_per_1000 = trial->rollbacks * 1000 / commits,
	};
}

/* Kept in ascending order. */
static void add_pair(struct headway_adapt *adapt)
{
	const struct headway_rate *was = &adapt->rate[adapt->best];
	const struct headway_rate *is = &adapt->rate[adapt->arm];
	u64 gain = is->commits_per_s * ONE / (was->commits_per_s ? was->commits_per_s : 1);
	u32 i = adapt->pairs++;

	if (gain > 1000 * ONE)
		gain = 1000 * ONE;
	for (; i && adapt->gain[i - 1] > gain; i--)
		adapt->gain[i] = adapt->gain[i - 1];
	adapt->gain[i] = (u32)gain;
	adapt->rollbacks[adapt->best] += was->rollbacks_per_1000;
	adapt->rollbacks[adapt->arm] += is->rollbacks_per_1000;
}

/*
 * The sign test: heads less tails of n fair coins has a standard deviation of sqrt(n).
 * Return: whether chance would not have so many of the pairs on one side.
 */
static bool sure(const struct headway_adapt *adapt)
{
	s32 score = 0;
	u32 i;

	for (i = 0; i < adapt->pairs; i++)
		score += (adapt->gain[i] > ONE) - (adapt->gain[i] < ONE);
	return score * score >= (s32)(SURE * adapt->pairs);
}

/* Return: whether the comparison is over. */
static bool decided(const struct headway_adapt *adapt)
{
	u32 lowest = adapt->gain[0], highest = adapt->gain[adapt->pairs - 1];

	if (adapt->pairs >= HEADWAY_ADAPT_PAIRS)
		return true;
	/* Where nothing is known, either arm may be as good as dead: one pair is no proof. */
	if (adapt->pairs < PAIRS_FEW)
		return adapt->known && highest < HOPELESS;
	if (highest < FAR_BEHIND || lowest > FAR_AHEAD)
		return true;
	return adapt->pairs >= PAIRS_SIGNS && sure(adapt);
}

/* Return: why the challenger is better, or HEADWAY_WHY_NOT_BEATEN. */
static enum headway_why judge(const struct headway_adapt *adapt)
{
	u32 gain = adapt->gain[adapt->pairs / 2];

	if (gain > ONE + MARGIN)
		return HEADWAY_WHY_MORE_COMMITS;
	if (gain >= ONE - MARGIN &&
	    adapt->rollbacks[adapt->arm] * 2 < adapt->rollbacks[adapt->best])
		return HEADWAY_WHY_FEWER_ROLLBACKS;
	return HEADWAY_WHY_NOT_BEATEN;
}

/* The comparison is over; adapt->best is the outcome. */
static void settle(struct headway_adapt *adapt, enum headway_why why, u64 charged_ns)
{
	adapt->comparing = false;
	adapt->known = true;
	adapt->arm = adapt->best;
	adapt->why = why;
	adapt->since_ns = 0;
	adapt->owed_ns = charged_ns * HEADWAY_ADAPT_SPARE;
	adapt->usual_per_s = 0;
	adapt->unusual = 0;
}

static void be_patient(struct headway_adapt *adapt)
{
	if (adapt->patience < PATIENCE_MAX)
		adapt->patience *= 2;
}

static void begin(struct headway_adapt *adapt)
{
	adapt->comparing = true;
	adapt->comparisons++;
	adapt->why = HEADWAY_WHY_COMPARING;
	adapt->pairs = 0;
	adapt->rollbacks[0] = 0;
	adapt->rollbacks[1] = 0;
	adapt->spent_ns = 0;
	adapt->arm = other(adapt->best);
}

static void challenge(struct headway_adapt *adapt, const struct headway_trial *trial)
{
	enum headway_why why;

	adapt->spent_ns += trial->length_ns;
	add_pair(adapt);
	if (!decided(adapt)) {
		adapt->arm = adapt->best;
		return;
	}
	why = judge(adapt);
	if (why != HEADWAY_WHY_NOT_BEATEN) {
		adapt->best = adapt->arm;
		adapt->switches++;
		adapt->patience = 1;
		settle(adapt, why, HEADWAY_TRIAL_NS);
	} else {
		if (adapt->known)
			be_patient(adapt);
		settle(adapt, why, adapt->known ? adapt->spent_ns : HEADWAY_TRIAL_NS);
	}
}

/* Another load shows as another rate, of the same arm, that stays. */
static void watch_load(struct headway_adapt *adapt, u64 per_s)
{
	if (!adapt->usual_per_s)
		adapt->usual_per_s = per_s;
	if (per_s * 2 >= adapt->usual_per_s && per_s / 2 <= adapt->usual_per_s) {
		adapt->unusual = 0;
		adapt->usual_per_s = (adapt->usual_per_s * 7 + per_s) / 8;
		return;
	}
	if (++adapt->unusual < UNUSUAL_MAX)
		return;
	adapt->unusual = 0;
	adapt->usual_per_s = per_s;
	adapt->patience = 1;
	if (adapt->owed_ns > OWED_THEN_NS)
		adapt->owed_ns = OWED_THEN_NS;
}

static void wait_or_begin(struct headway_adapt *adapt, const struct headway_trial *trial)
{
	adapt->since_ns += trial->length_ns;
	watch_load(adapt, adapt->rate[adapt->arm].commits_per_s);
	if ((trial->rollbacks + trial->waits) * CONFLICT_SHARE < trial->commits) {
		adapt->why = HEADWAY_WHY_LITTLE_CONFLICT;
		return;
	}
	if (trial->commits >= HEADWAY_TRIAL_COMMITS_MIN &&
	    adapt->since_ns >= adapt->owed_ns * adapt->patience)
		begin(adapt);
}

static void look_idle(struct headway_adapt *adapt)
{
	/* A comparison goes on, with the incumbent's trial, when somebody is there again. */
	adapt->arm = adapt->best;
	/* Time in which nobody is there pays no debt. */
	adapt->why = HEADWAY_WHY_IDLE;
	adapt->unusual = 0;
}

/**
 * headway_adapt_step - look at the trial that is under way, and decide
 * @adapt: state; @adapt->arm is the decision
 * @trial: what was counted since the last step that asked for a fresh trial
 *
 * If @adapt->arm differs from what is on, the caller tries to change it and says so with
 * headway_adapt_changed(), before the next step.
 *
 * Return: whether the trial is complete, and when to look again.
 */
struct headway_adapt_step headway_adapt_step(struct headway_adapt *adapt,
					     const struct headway_trial *trial)
{
	struct headway_adapt_step step = { .fresh = true, .next_ns = HEADWAY_TRIAL_NS };

	if (!trial->commits && !trial->in_flight) {
		look_idle(adapt);
		step.next_ns = HEADWAY_ADAPT_IDLE_NS;
		return step;
	}
	/* It began at some time while nobody was there. */
	if (adapt->why == HEADWAY_WHY_IDLE) {
		adapt->why = adapt->comparing ? HEADWAY_WHY_COMPARING : HEADWAY_WHY_START;
		return step;
	}
	/* Timers come late, not early; but nobody is forced to be on time. */
	if (trial->length_ns < HEADWAY_TRIAL_NS ||
	    (trial->commits < HEADWAY_TRIAL_COMMITS && trial->length_ns < HEADWAY_TRIAL_MAX_NS)) {
		step.fresh = false;
		if (trial->length_ns < HEADWAY_TRIAL_NS)
			step.next_ns -= trial->length_ns;
		return step;
	}
	adapt->trials++;
	adapt->rate[adapt->arm] = rate_of(trial);
	if (!adapt->comparing)
		wait_or_begin(adapt, trial);
	else if (adapt->arm == adapt->best)
		adapt->arm = other(adapt->best);
	else
		challenge(adapt, trial);
	return step;
}

/**
 * headway_adapt_changed - tell what became of a change of the arm
 * @adapt: state after a step that asked for the change
 * @made: whether it was made; if not, the arm that was on stays on, and is taken for the better
 * @took_ns: how long transactions could not begin
 */
void headway_adapt_changed(struct headway_adapt *adapt, bool made, u64 took_ns)
{
	if (made) {
		if (adapt->comparing)
			adapt->spent_ns += took_ns;
		else
			adapt->owed_ns += took_ns * HEADWAY_ADAPT_SPARE;
		return;
	}
	adapt->best = other(adapt->arm);
	be_patient(adapt);
	settle(adapt, HEADWAY_WHY_BUSY, adapt->spent_ns + took_ns);
}

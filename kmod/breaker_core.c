// SPDX-License-Identifier: GPL-2.0
/*
 * breaker_core.c - PURE: when a breaker opens and closes, and what a retry budget holds.
 *
 * No clock and no lock of its own: the caller gives the time and serializes. breaker.c is the
 * kernel's side.
 *
 * Invariants: a report counts only in the era that its call was let through in, so that a late
 * result of before the failure cannot close the breaker, nor one of an earlier probe open it again.
 * Half open ends: probes that do not report in time count as failed.
 */
#include "headway_breaker.h"

#define HEADWAY_U64_MAX		((u64)-1)
#define HEADWAY_PROBE_NS	1000000000ull
#define HEADWAY_RATE_REPORTS	10u
#define HEADWAY_TOKEN		1000000000ull
#define HEADWAY_TOKEN_PERCENT	(HEADWAY_TOKEN / 100)

static u64 headway_later(u64 now_ns, u64 delay_ns)
{
	return now_ns > HEADWAY_U64_MAX - delay_ns ? HEADWAY_U64_MAX : now_ns + delay_ns;
}

static void headway_breaker_enter(struct headway_breaker_core *core,
				  enum headway_breaker_mode mode)
{
	core->mode = mode;
	core->era = core->era + 1 ? core->era + 1 : 1;
	core->in_a_row = 0;
	core->out = 0;
	core->good = 0;
	core->half_since_ns = 0;
	core->half[0] = (struct headway_breaker_half){ 0 };
	core->half[1] = (struct headway_breaker_half){ 0 };
}

static void headway_breaker_open(struct headway_breaker_core *core, u64 now_ns)
{
	headway_breaker_enter(core, HEADWAY_BREAKER_OPEN);
	core->until_ns = headway_later(now_ns, headway_backoff_next(&core->cooldown, now_ns));
	core->opened++;
}

/**
 * headway_breaker_core_init - begin, closed
 * @core: the breaker
 * @params: copied; zeros are replaced by their defaults
 * @seed: of the cool-downs' jitter
 *
 * Return: false when the parameters make no sense: no rule at all, a rate above 100, a rate without
 * a window.
 */
bool headway_breaker_core_init(struct headway_breaker_core *core,
			       const struct headway_breaker_params *params, u64 seed)
{
	if (!params->failures && !params->rate_percent)
		return false;
	if (params->rate_percent > 100 || (params->rate_percent && params->window_ns < 2))
		return false;
	*core = (struct headway_breaker_core){ .params = *params };
	if (!core->params.probes)
		core->params.probes = 1;
	if (!core->params.successes)
		core->params.successes = 1;
	if (!core->params.probe_timeout_ns)
		core->params.probe_timeout_ns = HEADWAY_PROBE_NS;
	if (!core->params.rate_reports)
		core->params.rate_reports = HEADWAY_RATE_REPORTS;
	headway_backoff_init(&core->cooldown, &params->cooldown, seed);
	headway_breaker_enter(core, HEADWAY_BREAKER_CLOSED);
	return true;
}

static bool headway_breaker_refuse(struct headway_breaker_core *core, struct headway_pass *pass,
				   u64 now_ns)
{
	pass->era = 0;
	pass->retry_ns = core->until_ns > now_ns ? core->until_ns - now_ns : 0;
	core->refused++;
	return false;
}

/**
 * headway_breaker_core_allow - may this call be made?
 * @core: the breaker
 * @pass: filled in
 * @now_ns: the clock
 *
 * Return: whether it may.
 */
bool headway_breaker_core_allow(struct headway_breaker_core *core, struct headway_pass *pass,
				u64 now_ns)
{
	if (core->mode == HEADWAY_BREAKER_HALF_OPEN && core->out >= core->params.probes) {
		if (now_ns < core->until_ns)
			return headway_breaker_refuse(core, pass, now_ns);
		/* The probes were lost. */
		headway_breaker_open(core, now_ns);
	}
	if (core->mode == HEADWAY_BREAKER_OPEN) {
		if (now_ns < core->until_ns)
			return headway_breaker_refuse(core, pass, now_ns);
		headway_breaker_enter(core, HEADWAY_BREAKER_HALF_OPEN);
	}
	if (core->mode == HEADWAY_BREAKER_HALF_OPEN) {
		core->out++;
		core->until_ns = headway_later(now_ns, core->params.probe_timeout_ns);
	}
	pass->retry_ns = 0;
	pass->era = core->era;
	return true;
}

/* The window is two halves: the older one drops out when the newer one is full. */
static void headway_breaker_slide(struct headway_breaker_core *core, u64 now_ns)
{
	u64 half_ns = core->params.window_ns / 2;
	u64 age = now_ns - core->half_since_ns;

	if (age < half_ns)
		return;
	/* Once, or twice when nothing was reported for a whole half. */
	core->half[1] = age < 2 * half_ns ? core->half[0] : (struct headway_breaker_half){ 0 };
	core->half[0] = (struct headway_breaker_half){ 0 };
	core->half_since_ns = now_ns - age % half_ns;
}

static bool headway_breaker_rate_reached(const struct headway_breaker_core *core)
{
	u64 failed = (u64)core->half[0].failed + core->half[1].failed;
	u64 all = failed + core->half[0].ok + core->half[1].ok;

	return core->params.rate_percent && all >= core->params.rate_reports &&
	       failed * 100 >= all * core->params.rate_percent;
}

static void headway_breaker_count(struct headway_breaker_core *core, bool ok, u64 now_ns)
{
	u32 *count = ok ? &core->half[0].ok : &core->half[0].failed;

	if (core->params.rate_percent) {
		headway_breaker_slide(core, now_ns);
		/* The slide may have moved the half that count was in, not the place of half[0]. */
		if (*count < (u32)-1)
			(*count)++;
	}
	if (ok)
		core->in_a_row = 0;
	else if (core->in_a_row < (u32)-1)
		core->in_a_row++;
	if (ok)
		return;
	if ((core->params.failures && core->in_a_row >= core->params.failures) ||
	    headway_breaker_rate_reached(core))
		headway_breaker_open(core, now_ns);
}

/**
 * headway_breaker_core_report - how the call went
 * @core: the breaker
 * @pass: from headway_breaker_core_allow(); used up
 * @ok: whether it succeeded
 * @now_ns: the clock
 */
void headway_breaker_core_report(struct headway_breaker_core *core, struct headway_pass *pass,
				 bool ok, u64 now_ns)
{
	u32 era = pass->era;

	pass->era = 0;
	if (!era || era != core->era) {
		core->stale++;
		return;
	}
	if (core->mode == HEADWAY_BREAKER_CLOSED) {
		headway_breaker_count(core, ok, now_ns);
		return;
	}
	/* Half open: nothing is let through in an open era. */
	core->out--;
	if (!ok) {
		headway_breaker_open(core, now_ns);
	} else if (++core->good >= core->params.successes) {
		headway_breaker_enter(core, HEADWAY_BREAKER_CLOSED);
		headway_backoff_reset(&core->cooldown);
	}
}

/**
 * headway_breaker_core_return - the call was not made after all
 * @core: the breaker
 * @pass: from headway_breaker_core_allow(); used up
 */
void headway_breaker_core_return(struct headway_breaker_core *core, struct headway_pass *pass)
{
	if (pass->era == core->era && core->mode == HEADWAY_BREAKER_HALF_OPEN)
		core->out--;
	pass->era = 0;
}

/**
 * headway_budget_core_init - begin, full
 * @core: the budget
 * @params: copied
 * @now_ns: the clock
 *
 * Return: false when the parameters make no sense: no cap, or nothing that ever fills it.
 */
bool headway_budget_core_init(struct headway_budget_core *core,
			      const struct headway_budget_params *params, u64 now_ns)
{
	if (!params->cap || (!params->percent && !params->per_second))
		return false;
	*core = (struct headway_budget_core){
		.params = *params,
		.units = params->cap * HEADWAY_TOKEN,
		.filled_ns = now_ns,
	};
	return true;
}

static void headway_budget_add(struct headway_budget_core *core, u64 units)
{
	u64 cap = core->params.cap * HEADWAY_TOKEN;

	core->units = units >= cap - core->units ? cap : core->units + units;
}

static void headway_budget_fill(struct headway_budget_core *core, u64 now_ns)
{
	u64 units;

	if (now_ns <= core->filled_ns)
		return;
	if (__builtin_mul_overflow(now_ns - core->filled_ns, (u64)core->params.per_second, &units))
		units = HEADWAY_U64_MAX;
	headway_budget_add(core, units);
	core->filled_ns = now_ns;
}

/**
 * headway_budget_core_success - a call succeeded: earn
 * @core: the budget
 * @now_ns: the clock
 */
void headway_budget_core_success(struct headway_budget_core *core, u64 now_ns)
{
	headway_budget_fill(core, now_ns);
	headway_budget_add(core, core->params.percent * HEADWAY_TOKEN_PERCENT);
}

/**
 * headway_budget_core_take - take a token for a retry
 * @core: the budget
 * @now_ns: the clock
 *
 * Return: whether there was one.
 */
bool headway_budget_core_take(struct headway_budget_core *core, u64 now_ns)
{
	headway_budget_fill(core, now_ns);
	if (core->units < HEADWAY_TOKEN) {
		core->refused++;
		return false;
	}
	core->units -= HEADWAY_TOKEN;
	core->taken++;
	return true;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * rest.c - when the probes rest; see rest.h. PURE.
 */
#include "rest.h"

#define NS_PER_S 1000000000.0
#define PEEKS_APART_NS 2000000000ull	/* more of them would cost too much */

enum {
	PEEK_SHARE = 10,		/* of an interval */
	PEEK_LEAST_NS = 100000000,	/* shorter ones would see too little */
	DOUBTS_MOST = 6,		/* then no suspicion is heeded for 2^6 windows */
};

/* Windows to rest after one with so many events; 0: none. */
static uint64_t windows_due(const struct headway_rest *r, uint64_t span_ns, uint64_t events)
{
	double times = (double)events * NS_PER_S / (double)span_ns / (double)r->max_rate;

	if (!r->max_rate || r->suspicious || times <= 1)
		return 0;
	return times >= (double)r->most ? r->most : (uint64_t)times;
}

/* Timers are late, never early: a quarter of an interval is forgiven, as in window.c. */
static bool is_over(const struct headway_rest *r, uint64_t now_ns, uint64_t end_ns)
{
	return now_ns + r->interval_ns / 4 >= end_ns;
}

/* A window is over: was there anything to what made us watch it? */
static void learn(struct headway_rest *r, uint64_t now_ns)
{
	if (!r->broken)
		return;
	r->broken = false;
	if (r->suspicious) {
		r->doubts = 0;
		return;
	}
	r->heeded_ns = now_ns + (r->window_ns << r->doubts);
	if (r->doubts < DOUBTS_MOST)
		r->doubts++;
}

static enum headway_rest_step watch(struct headway_rest *r, uint64_t now_ns, uint64_t events)
{
	uint64_t due;

	if (!r->since_ns)
		r->since_ns = now_ns;
	if (now_ns == r->since_ns || !is_over(r, now_ns, r->since_ns + r->window_ns))
		return HEADWAY_REST_STAY;
	learn(r, now_ns);
	due = windows_due(r, now_ns - r->since_ns, events - r->events);
	r->since_ns = now_ns + due * r->window_ns;
	r->events = events;
	if (!due)
		return HEADWAY_REST_STAY;
	r->phase = HEADWAY_REST_RESTING;
	r->looks = 0;
	return HEADWAY_REST_DETACH;
}

static enum headway_rest_step rest(struct headway_rest *r, uint64_t now_ns)
{
	if (is_over(r, now_ns, r->since_ns)) {
		r->phase = HEADWAY_REST_SETTLING;
		r->doubts -= r->doubts > 0;
		return HEADWAY_REST_ATTACH;
	}
	/* For nothing, while suspicions are not heeded. */
	if (!r->peek_every || now_ns < r->heeded_ns || ++r->looks < r->peek_every)
		return HEADWAY_REST_STAY;
	r->looks = 0;
	return HEADWAY_REST_PEEK;
}

enum headway_rest_step headway_rest_step(struct headway_rest *r, uint64_t now_ns, uint64_t events)
{
	if (r->phase != HEADWAY_REST_WATCHING)
		r->rested_ns += now_ns - r->last_ns;
	r->last_ns = now_ns;
	if (r->phase == HEADWAY_REST_WATCHING)
		return watch(r, now_ns, events);
	if (r->phase == HEADWAY_REST_RESTING)
		return rest(r, now_ns);
	r->phase = HEADWAY_REST_WATCHING;
	r->since_ns = now_ns;
	r->events = events;
	return HEADWAY_REST_STAY;
}

bool headway_rest_break(struct headway_rest *r, uint64_t now_ns)
{
	if (r->phase != HEADWAY_REST_RESTING || now_ns < r->heeded_ns)
		return false;
	r->phase = HEADWAY_REST_SETTLING;
	r->broken = true;
	return true;
}

/*
 * A window, the interval in which the peek was and the one that a rest takes to end come after
 * these: two windows in all, and not more peeks than that needs. Two in a row would leave no
 * interval of a window without one.
 */
uint64_t headway_rest_peek_every(uint64_t window_ns, uint64_t interval_ns)
{
	uint64_t every, apart;

	if (!interval_ns)
		return 0;
	every = window_ns / interval_ns >= 5 ? 3 : 2;
	apart = (PEEKS_APART_NS + interval_ns - 1) / interval_ns;
	return every > apart ? every : apart;
}

uint64_t headway_rest_peek_ns(uint64_t interval_ns)
{
	uint64_t share = interval_ns / PEEK_SHARE;

	if (share < PEEK_LEAST_NS)
		share = interval_ns / 2 < PEEK_LEAST_NS ? interval_ns / 2 : PEEK_LEAST_NS;
	return share;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * rest.c - when the probes rest; see rest.h. PURE.
 */
#include "rest.h"

#define NS_PER_S 1000000000.0

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

static enum headway_rest_step watch(struct headway_rest *r, uint64_t now_ns, uint64_t events)
{
	uint64_t due;

	if (!r->since_ns)
		r->since_ns = now_ns;
	if (now_ns == r->since_ns || !is_over(r, now_ns, r->since_ns + r->window_ns))
		return HEADWAY_REST_STAY;
	due = windows_due(r, now_ns - r->since_ns, events - r->events);
	r->since_ns = now_ns + due * r->window_ns;
	r->events = events;
	if (!due)
		return HEADWAY_REST_STAY;
	r->phase = HEADWAY_REST_RESTING;
	return HEADWAY_REST_DETACH;
}

enum headway_rest_step headway_rest_step(struct headway_rest *r, uint64_t now_ns, uint64_t events)
{
	if (r->phase != HEADWAY_REST_WATCHING)
		r->rested_ns += now_ns - r->last_ns;
	r->last_ns = now_ns;
	if (r->phase == HEADWAY_REST_WATCHING)
		return watch(r, now_ns, events);
	if (r->phase == HEADWAY_REST_RESTING) {
		if (!is_over(r, now_ns, r->since_ns))
			return HEADWAY_REST_STAY;
		r->phase = HEADWAY_REST_SETTLING;
		return HEADWAY_REST_ATTACH;
	}
	r->phase = HEADWAY_REST_WATCHING;
	r->since_ns = now_ns;
	r->events = events;
	return HEADWAY_REST_STAY;
}

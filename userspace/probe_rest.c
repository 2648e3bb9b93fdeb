// SPDX-License-Identifier: GPL-2.0
/*
 * probe_rest.c - the probes are taken away for a while, and put back.
 *
 * Those of system calls and of trylock, or of trylock alone. Markers stay, because what proves
 * progress must not be missed, and so do those of Go's mutexes, which pair each lock with its
 * unlock.
 */
#include "probe_internal.h"

#include <time.h>

#include "headway.skel.h"

/* More would take too long to attach and detach each time. */
enum { PEEK_UPROBES = 8 };

static void detach_trylock(struct headway_probe *p)
{
	p->skel->bss->tries_muted = true;
	headway_probe_detach_trylock(p);
}

static void lie_down(struct headway_probe *p)
{
	headway_probe_detach_syscalls(p);
	detach_trylock(p);
}

static void attach_trylock(struct headway_probe *p)
{
	for (size_t i = 0; i < p->nr_targets; i++) {
		struct headway_target *t = &p->targets[i];

		if (t->go == HEADWAY_GO_PROBED)
			continue;
		t->trylock_found = false;
		t->exe_ino = 0;
		headway_probe_attach_uprobes(p, t);
	}
	p->skel->bss->tries_epoch++;
	p->skel->bss->tries_muted = false;
}

static int get_up(struct headway_probe *p, uint64_t now_ns)
{
	int err = headway_probe_attach_syscalls(p);

	for (size_t i = 0; i < p->nr_targets; i++)
		p->targets[i].active_ns = now_ns;	/* nobody could be heard */
	if (!headway_probe_without_tries(p))
		attach_trylock(p);
	return err;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static void begin_peek(struct headway_probe *p)
{
	if (headway_probe_rests(p))
		return;
	p->peeks = true;
	attach_trylock(p);
	/* It began now, when they are attached. */
	p->peek_end_ns = now_ns() + headway_rest_peek_ns(p->opts.interval_ns);
}

uint64_t headway_probe_peek_end(const struct headway_probe *p)
{
	return p->peeks ? p->peek_end_ns : 0;
}

void headway_probe_end_peek(struct headway_probe *p)
{
	if (!p->peeks)
		return;
	p->peeks = false;
	detach_trylock(p);
}

void headway_probe_break_rest(struct headway_probe *p)
{
	if (!headway_rest_break(&p->tries_rest, now_ns()))
		return;
	if (p->peeks)
		p->peeks = false;	/* they are attached, and stay so */
	else if (!headway_probe_without_tries(p))
		attach_trylock(p);
}

/* What is dear, and mostly for nothing, while nothing is suspected. */
static void rest_from_tries(struct headway_probe *p, struct headway_snapshot *snap)
{
	struct headway_rest *r = &p->tries_rest;
	enum headway_rest_step step;

	if (r->phase == HEADWAY_REST_WATCHING) {
		bool few = headway_probe_count_trylock(p) <= PEEK_UPROBES;

		r->peek_every = few ? headway_rest_peek_every(r->window_ns, r->interval_ns) : 0;
		r->most = few ? HEADWAY_REST_TRIES_MOST : HEADWAY_REST_TRIES_BLIND;
	}
	r->suspicious = p->opts.calm && !p->opts.calm(p->opts.arg);
	step = headway_rest_step(r, snap->time_ns, snap->counters[HEADWAY_CNT_TRIES]);
	if (step == HEADWAY_REST_DETACH)
		detach_trylock(p);
	else if (step == HEADWAY_REST_ATTACH && !headway_probe_without_tries(p))
		attach_trylock(p);
	else if (step == HEADWAY_REST_PEEK)
		begin_peek(p);
	snap->tries_rested_ns = r->rested_ns;
}

int headway_probe_rest(struct headway_probe *p, struct headway_snapshot *snap)
{
	enum headway_rest_step step = headway_rest_step(&p->rest, snap->time_ns,
							snap->counters[HEADWAY_CNT_EVENTS]);
	int err = 0;

	if (step == HEADWAY_REST_DETACH)
		lie_down(p);
	else if (step == HEADWAY_REST_ATTACH)
		err = get_up(p, snap->time_ns);
	snap->rested_ns = p->rest.rested_ns;
	rest_from_tries(p, snap);
	return err;
}

bool headway_probe_rests(const struct headway_probe *p)
{
	return p->rest.phase == HEADWAY_REST_RESTING;
}

bool headway_probe_tries_rest(const struct headway_probe *p)
{
	return p->tries_rest.phase == HEADWAY_REST_RESTING;
}

bool headway_probe_without_tries(const struct headway_probe *p)
{
	return headway_probe_rests(p) || (headway_probe_tries_rest(p) && !p->peeks);
}

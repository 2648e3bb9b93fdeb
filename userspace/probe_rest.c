// SPDX-License-Identifier: GPL-2.0
/*
 * probe_rest.c - the probes are taken away for a while, and put back.
 *
 * Those of system calls and of trylock, or of trylock alone. Markers stay, because what proves
 * progress must not be missed, and so do those of Go's mutexes, which pair each lock with its
 * unlock.
 */
#include "probe_internal.h"

static void lie_down(struct headway_probe *p)
{
	headway_probe_detach_syscalls(p);
	headway_probe_detach_trylock(p);
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

/* What is dear, and mostly for nothing, while nothing is suspected. */
static void rest_from_tries(struct headway_probe *p, struct headway_snapshot *snap)
{
	enum headway_rest_step step;

	p->tries_rest.suspicious = p->opts.calm && !p->opts.calm(p->opts.arg);
	step = headway_rest_step(&p->tries_rest, snap->time_ns,
				 snap->counters[HEADWAY_CNT_TRIES]);
	if (step == HEADWAY_REST_DETACH)
		headway_probe_detach_trylock(p);
	else if (step == HEADWAY_REST_ATTACH && !headway_probe_without_tries(p))
		attach_trylock(p);
	snap->tries_rested_ns = p->tries_rest.rested_ns;
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
	return headway_probe_rests(p) || headway_probe_tries_rest(p);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * probe_rest.c - the probes are taken away for a while, and put back.
 *
 * Those of system calls and of trylock. Markers stay, because what proves progress must not be
 * missed, and so do those of Go's mutexes, which pair each lock with its unlock.
 */
#include "probe_internal.h"

static void lie_down(struct headway_probe *p)
{
	headway_probe_detach_syscalls(p);
	headway_probe_detach_trylock(p);
}

static int get_up(struct headway_probe *p, uint64_t now_ns)
{
	int err = headway_probe_attach_syscalls(p);

	for (size_t i = 0; i < p->nr_targets; i++) {
		struct headway_target *t = &p->targets[i];

		t->active_ns = now_ns;	/* nobody could be heard */
		if (t->go == HEADWAY_GO_PROBED)
			continue;
		t->trylock_found = false;
		t->exe_ino = 0;
		headway_probe_attach_uprobes(p, t);
	}
	return err;
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
	return err;
}

bool headway_probe_rests(const struct headway_probe *p)
{
	return p->rest.phase == HEADWAY_REST_RESTING;
}

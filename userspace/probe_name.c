// SPDX-License-Identifier: GPL-2.0
/*
 * probe_name.c - what the probes are called. PURE.
 *
 * Invariant: recordings carry these names, so that a number may change and a name does not.
 */
#include "snapshot.h"

static const char *const names[HEADWAY_NR_PROBES] = {
	[HEADWAY_PROBE_FUTEX] = "futex",
	[HEADWAY_PROBE_FUTEX_WAITV] = "futex_waitv",
	[HEADWAY_PROBE_FUTEX2] = "futex_wait, futex_wake",
	[HEADWAY_PROBE_YIELD] = "sched_yield",
	[HEADWAY_PROBE_SLEEP] = "nanosleep, clock_nanosleep",
	[HEADWAY_PROBE_EXIT] = "process exit, exec and fork",
	[HEADWAY_PROBE_TRYLOCK] = "pthread_mutex_trylock",
	[HEADWAY_PROBE_MARKERS] = "markers",
};

const char *headway_probe_name(enum headway_probe_id id)
{
	return id < HEADWAY_NR_PROBES ? names[id] : "unknown";
}

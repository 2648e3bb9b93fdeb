/* SPDX-License-Identifier: GPL-2.0 */
/*
 * crowd.h - how often to look, when nobody said: at a crowd less often than at a few, as a look at
 * 5,000 threads takes a tenth of a second of a CPU.
 */
#ifndef HEADWAY_CROWD_H
#define HEADWAY_CROWD_H

#include "cgroup.h"
#include "options.h"

enum { HEADWAY_CROWD = 2000 };	/* threads */

/* Seconds. @cgroup: which to watch, where @o says one. */
double headway_crowd_interval(const struct headway_target_options *o,
			      const struct headway_cgroup *cgroup);

#endif /* HEADWAY_CROWD_H */

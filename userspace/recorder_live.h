/* SPDX-License-Identifier: GPL-2.0 */
/*
 * recorder_live.h - what a recording says of the live watch that it is of: how it was asked for,
 * what it ran on, which probes it lacked and how it ended.
 */
#ifndef HEADWAY_RECORDER_LIVE_H
#define HEADWAY_RECORDER_LIVE_H

#include "finding.h"
#include "options.h"
#include "out.h"
#include "probe.h"
#include "recorder.h"
#include "thresholds.h"

/* Begins to record into o->output. 0 or a negative errno. */
int headway_recorder_live_open(struct headway_recorder **out,
			       const struct headway_target_options *o,
			       const struct headway_thresholds *thresholds,
			       const struct headway_name_source *names);
/* Why each probe of the set is missing. */
void headway_recorder_live_missing(struct headway_recorder *r, const struct headway_probe *probe,
				   uint32_t missing);
/* The last record. 0 or a negative errno. */
int headway_recorder_live_finish(struct headway_recorder *r, const struct headway_summary *s);

#endif /* HEADWAY_RECORDER_LIVE_H */

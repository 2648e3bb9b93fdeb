/* SPDX-License-Identifier: GPL-2.0 */
/*
 * threshold_options.h - --threshold NAME=VALUE.
 */
#ifndef HEADWAY_THRESHOLD_OPTIONS_H
#define HEADWAY_THRESHOLD_OPTIONS_H

#include <argp.h>

#include "thresholds.h"

struct headway_threshold_options {
	uint32_t given;			/* bit per threshold, by its place in the table */
	struct headway_thresholds values;	/* of those */
	bool defaults;			/* replay: leave those of the recording */
};

/* Those that were given over what is in t. */
void headway_thresholds_override(struct headway_thresholds *t,
				 const struct headway_threshold_options *o);

/* The input is a structure as above. */
extern const struct argp headway_threshold_argp;

#endif /* HEADWAY_THRESHOLD_OPTIONS_H */

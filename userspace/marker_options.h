/* SPDX-License-Identifier: GPL-2.0 */
/*
 * marker_options.h - --progress SPEC and --attempt SPEC.
 */
#ifndef HEADWAY_MARKER_OPTIONS_H
#define HEADWAY_MARKER_OPTIONS_H

#include <argp.h>

#include "marker.h"

struct headway_marker_options {
	size_t nr;
	struct headway_marker_spec specs[HEADWAY_MAX_MARKERS / 2];
};

/* The input is a structure as above. */
extern const struct argp headway_marker_argp;

#endif /* HEADWAY_MARKER_OPTIONS_H */

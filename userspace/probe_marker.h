/* SPDX-License-Identifier: GPL-2.0 */
/*
 * probe_marker.h - the markers of a watch, and where they are attached. Private to probe_mark*.c.
 */
#ifndef HEADWAY_PROBE_MARKER_H
#define HEADWAY_PROBE_MARKER_H

#include "elfsites.h"
#include "marker.h"
#include "probe_internal.h"

struct headway_marker {
	struct headway_marker_spec spec;
	bool automatic;
	bool attached;			/* somewhere, at least once */
	char why[512];			/* why it is not, a sentence; "": not looked for yet */
};

struct headway_mark_link {
	pid_t pid;
	dev_t dev;
	ino_t ino;
	uint64_t offset;
	uint32_t marker;
	struct bpf_link *link;
};

/* A marker that a file carries. */
struct headway_carried {
	uint32_t marker;
	struct headway_site site;
};

/* What is known of a file that somebody has mapped: to read its notes takes a while. */
struct headway_carrier {
	dev_t dev;
	ino_t ino;
	int64_t mtime_ns;
	struct headway_carried *carried;
	size_t nr;
};

struct headway_markers {
	uint32_t nr;
	struct headway_marker marker[HEADWAY_MAX_MARKERS];
	struct headway_snap_marker shown[HEADWAY_MAX_MARKERS];
	struct headway_mark_link *links;
	size_t nr_links;
	size_t cap_links;
	struct headway_carrier *carriers;
	size_t nr_carriers;
	size_t cap_carriers;
};

/* Bit per marker that is watched in a target. */
uint64_t headway_probe_markers_in(const struct headway_probe *p, const struct headway_target *t);

#endif /* HEADWAY_PROBE_MARKER_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * guest.h - who takes part in a live watch beside its views, in the same thread: a server.
 */
#ifndef HEADWAY_GUEST_H
#define HEADWAY_GUEST_H

#include "detect.h"
#include "names.h"

struct headway_probe_group;

/* What is known between two looks. */
struct headway_scene {
	struct headway_assessment assessment;	/* processes and kernel together */
	const struct headway_detect *detect;	/* NULL: no process is watched */
	const struct headway_snapshot *snap;	/* the last; NULL as above */
	const struct headway_probe_group *group;	/* NULL: only processes that were named */
	struct headway_names *names;		/* NULL as above */
	const char *kernel_lost;		/* why the kernel is watched no more, or NULL */
};

struct headway_guest {
	void *ctx;
	/* What each thread did since the look before. */
	void (*changes)(void *ctx, const struct headway_view *v);
	/* What was found, when it is announced. */
	void (*finding)(void *ctx, const struct headway_finding *f, struct headway_names *names);
	/* Must not block. Is called when fd can be read, and every second or more often. */
	void (*serve)(void *ctx, const struct headway_scene *scene);
	int fd;
};

#endif /* HEADWAY_GUEST_H */

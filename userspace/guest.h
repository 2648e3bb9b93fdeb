/* SPDX-License-Identifier: GPL-2.0 */
/*
 * guest.h - who takes part in a live watch beside its views, in the same thread: a server, or who
 * has the screen.
 */
#ifndef HEADWAY_GUEST_H
#define HEADWAY_GUEST_H

#include "detect.h"
#include "names.h"
#include "times.h"

struct headway_kernel_watch;
struct headway_probe_group;

/* What is known between two looks. */
struct headway_scene {
	struct headway_assessment assessment;	/* processes and kernel together */
	const struct headway_detect *detect;	/* NULL: no process is watched */
	const struct headway_snapshot *snap;	/* the last; NULL as above */
	const struct headway_probe_group *group;	/* NULL: only processes that were named */
	struct headway_names *names;		/* NULL as above */
	uint32_t missing_probes;	/* of those that a verdict needs; others may be missing */
	const char *missing_reason;	/* of the first of them; NULL: none is missing */
	uint64_t looks;			/* so many so far */
	struct headway_kernel_watch *kernel;	/* NULL: the kernel is not watched */
	const char *kernel_lost;		/* why the kernel is watched no more, or NULL */
};

struct headway_guest {
	void *ctx;
	/* What each thread did since the look before; may be NULL. */
	void (*changes)(void *ctx, const struct headway_view *v);
	/* How long waits have taken so far; NULL: need not be known, and is not measured then. */
	void (*times)(void *ctx, const struct headway_times *times);
	/* What was found, when it is announced. */
	void (*finding)(void *ctx, const struct headway_finding *f, struct headway_names *names);
	/*
	 * Must not block. Is called after each look, when fd can be read, and every second or more
	 * often. True: it has had enough.
	 */
	bool (*serve)(void *ctx, const struct headway_scene *scene);
	/*
	 * NULL, or it has the screen: all sentences go there, escaped; what COMMAND prints goes
	 * nowhere; another size of the terminal is a reason to serve; and when what is watched has
	 * ended, the watch stays on until a signal, the end of --duration or the guest's own word.
	 */
	void (*say)(void *ctx, const char *sentence);
	int fd;
};

#endif /* HEADWAY_GUEST_H */

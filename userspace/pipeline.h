/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pipeline.h - snapshots through the engine, and what it finds to a view: the same for a live watch
 * and for a recording. What the module found in the kernel goes to the same view.
 */
#ifndef HEADWAY_PIPELINE_H
#define HEADWAY_PIPELINE_H

#include "detect.h"
#include "guest.h"
#include "kernel_watch.h"
#include "options.h"
#include "out.h"
#include "player.h"

struct headway_pipeline {
	const char *who;		/* "headway watch", before each message */
	const struct headway_view_options *view;
	struct headway_names *names;
	struct headway_detect *detect;	/* NULL: no process is watched */
	struct headway_kernel_watch *kernel;	/* NULL: the kernel is not watched */
	struct headway_status *status;	/* taken away before anything is printed; may be NULL */
	const struct headway_guest *guest;	/* NULL: there is none */
	double window_s;
	uint32_t missing_probes;	/* in the last snapshot */
	bool color;
	bool journal;			/* findings go there as well */
	bool fired;			/* a verdict named in --fail-on was given */
};

/* To who has the screen, or on stderr; escapes it. */
void headway_pipeline_say(struct headway_pipeline *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/*
 * 0 or a negative errno. The functions below return 0 or a negative errno too, and say
 * what happened.
 */
int headway_pipeline_open(struct headway_pipeline *p, const struct headway_detect_options *o);
/* With what the recording is of; o: as it was watched if NULL. */
int headway_pipeline_open_recording(struct headway_pipeline *p, struct headway_player *player,
				    const struct headway_detect_options *o);
/* One snapshot; its findings are printed. */
int headway_pipeline_feed(struct headway_pipeline *p, const struct headway_snapshot *snap);
/* A look at the kernel, if it is watched; its findings are printed. */
int headway_pipeline_look(struct headway_pipeline *p);
/* Processes and kernel together. */
struct headway_assessment headway_pipeline_assessment(const struct headway_pipeline *p);
/* Fills in what it knows itself, and prints the summary. */
int headway_pipeline_summary(struct headway_pipeline *p, struct headway_summary *s);
/* The exit status of a watch that did not fail. */
int headway_pipeline_exit(const struct headway_pipeline *p, const struct headway_summary *s);
void headway_pipeline_close(struct headway_pipeline *p);

#endif /* HEADWAY_PIPELINE_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * detect.h - the verdict engine: snapshots in, findings and one state out. PURE.
 *
 * No I/O, no clock, no printing: the same engine judges a live process and a recording. A verdict
 * is about a window of W seconds that slides by one snapshot; it is given at the first snapshot at
 * which the whole window shows it, so at most W plus one interval after the fact.
 */
#ifndef HEADWAY_DETECT_H
#define HEADWAY_DETECT_H

#include "finding.h"
#include "snapshot.h"
#include "thresholds.h"

struct headway_detect;
struct headway_view;

struct headway_detect_options {
	uint64_t window_ns;
	uint64_t interval_ns;		/* how often snapshots will come, about */
	const struct headway_thresholds *thresholds;	/* NULL: the default ones */
	/* Is told at each feed but the first what changed since the one before; NULL: nobody. */
	void (*changes)(void *ctx, const struct headway_view *v);
	void *ctx;
};

/* What the last window was like, and totals of the watch. */
struct headway_assessment {
	enum headway_verdict state;	/* the worst verdict of the last full window */
	bool judged;			/* there was a full window, or the target ended before */
	bool observed_well;		/* nothing needed was missing, at most 1 % of events lost */
	char reason[HEADWAY_SENTENCE_LEN];	/* why this state */
	char advice[HEADWAY_SENTENCE_LEN];	/* what would settle it; may be empty */
	uint64_t window_ns;
	uint64_t attempts;		/* these in the last window */
	uint64_t fails;
	uint64_t completions;
	size_t threads;			/* alive */
	size_t kernel_sources;		/* domains and loops of headway.ko (kernel_watch.h) */
	double cpu_share;		/* of one CPU, so above 1 with several threads */
	unsigned int nr_markers;
	struct headway_finding_marker markers[HEADWAY_FINDING_MARKERS];
	uint64_t watched_ns;		/* these since the watch began */
	uint64_t rested_ns;		/* of it, not watched: too many events (rest.h) */
	uint64_t tries_rested_ns;	/* of it, trylock was only peeked at: too many */
	uint64_t events;
	uint64_t lost;
	uint64_t left_out;		/* processes without room, the most at one time */
	uint64_t roomless;		/* of these, of threads and processes without room */
	unsigned int findings[HEADWAY_NR_VERDICTS];	/* announced so far */
};

/* NULL: no memory, or an interval that is 0 or does not fit into the window 2 to 60 times. */
struct headway_detect *headway_detect_new(const struct headway_detect_options *opts);
/*
 * The first snapshot starts the watch. 0, -EINVAL (time did not advance or arrays not sorted: the
 * snapshot is ignored) or -ENOMEM.
 */
int headway_detect_feed(struct headway_detect *d, const struct headway_snapshot *snap);
/* Findings that the last feed announced; valid until the next one. */
size_t headway_detect_findings(const struct headway_detect *d, const struct headway_finding **out);
/* The finding number i of those that hold, whenever they were announced; NULL: there are less. */
const struct headway_finding *headway_detect_holds(const struct headway_detect *d, size_t i);
const struct headway_assessment *headway_detect_assessment(const struct headway_detect *d);
/*
 * The last intervals, or with 0 the window or what there is of it, as the engine counts (window.h):
 * for who shows more than findings. Free it before the next feed. -EAGAIN: there is none yet.
 */
int headway_detect_view(const struct headway_detect *d, struct headway_view *v, size_t intervals);
/* Was a full window judged, and is there nothing since to look into? */
bool headway_detect_calm(const struct headway_detect *d);
/* Is this process part of a finding that holds? */
bool headway_detect_concerns(const struct headway_detect *d, uint32_t pid);
/* The probes that this verdict cannot do without, as bits of enum headway_probe_id. */
uint32_t headway_detect_needs(enum headway_verdict v);
void headway_detect_free(struct headway_detect *d);

#endif /* HEADWAY_DETECT_H */

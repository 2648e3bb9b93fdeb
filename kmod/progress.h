/* SPDX-License-Identifier: GPL-2.0 */
/*
 * progress.h - what the watchdog of a domain knows, and the evidence for it.
 */
#ifndef HEADWAY_PROGRESS_H
#define HEADWAY_PROGRESS_H

#include "internal.h"
#include "verdict.h"

#define HEADWAY_EVENTS 64		/* transitions remembered */
#define HEADWAY_VIEWS_MAX 256		/* live transactions copied at a time: bounds live_lock */
#define HEADWAY_CLEAN_MAX 32		/* a name made safe to show */

/* Bounds of the settings. A window needs ten samples of a jiffy or more. */
#define HEADWAY_WINDOW_MIN_NS (100 * NSEC_PER_MSEC)
#define HEADWAY_WINDOW_MAX_NS (3600 * NSEC_PER_SEC)
#define HEADWAY_WAIT_MAX_MIN_NS NSEC_PER_MSEC
#define HEADWAY_WAIT_MAX_MAX_NS (24 * 3600 * NSEC_PER_SEC)
#define HEADWAY_RATIO_MAX 1000000u
#define HEADWAY_COUNT_MAX 1000000000u

/* One transition of the verdict. Clock: boot time. */
struct headway_event {
	u64 at_ns;
	u64 after_ns;			/* how long the old verdict had lasted */
	u64 commits;			/* this and the next: of the window that decided */
	u64 rollbacks;
	u64 in_flight;
	u32 actors;
	enum headway_verdict from;
	enum headway_verdict to;
	char detail[80];		/* one word, safe to show; empty = nothing to add */
};

/* A domain's settings, in the units of the debugfs file watchdog. */
struct headway_watch_settings {
	u64 window_ns;
	struct headway_limits limits;
};

/* A copy of everything; large, so not for the stack. */
struct headway_report {
	enum headway_verdict verdict;
	u64 since_ns;			/* boot clock */
	struct headway_window window;	/* the last full one; all 0 before that */
	struct headway_watch_settings settings;
	struct headway_sums base;	/* the counters as of the last reset */
	u64 nr_events;			/* ever; the last of them are here, oldest first */
	struct headway_event events[HEADWAY_EVENTS];
};

/* progress.c */
void headway_watch_report(struct headway_domain *domain, struct headway_report *report);
/* Applies all or, with -ERANGE, nothing. @edit changes a copy of the settings, under watch_lock. */
int headway_watch_configure(struct headway_domain *domain,
			    void (*edit)(struct headway_watch_settings *settings, const void *arg),
			    const void *arg);

/* evidence.c */
const char *headway_clean(char clean[HEADWAY_CLEAN_MAX], const char *name);
u32 headway_views_copy(struct headway_domain *domain, struct headway_txn_view *views, u32 max,
		       u32 *live);
void headway_evidence_log(struct headway_domain *domain, const struct headway_event *event,
			  const struct headway_window *window);
void headway_evidence_detail(struct headway_domain *domain, enum headway_verdict verdict,
			     char *detail, size_t size);

#endif /* HEADWAY_PROGRESS_H */

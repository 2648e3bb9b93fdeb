/* SPDX-License-Identifier: GPL-2.0 */
/*
 * watch.h - the watchdog as such: settings, windows, hysteresis, the ring of events.
 *
 * What is watched is a domain (progress.c) or a loop (loop.c); both come with a headway_watch_ops.
 */
#ifndef HEADWAY_WATCH_H
#define HEADWAY_WATCH_H

#include <linux/ratelimit.h>

#include "internal.h"
#include "verdict.h"

#define HEADWAY_EVENTS 64		/* transitions remembered */

/* Bounds of the settings. A window needs ten samples of a jiffy or more. */
#define HEADWAY_WINDOW_MIN_NS (100 * NSEC_PER_MSEC)
#define HEADWAY_WINDOW_MAX_NS (3600 * NSEC_PER_SEC)
#define HEADWAY_WAIT_MAX_MIN_NS NSEC_PER_MSEC
#define HEADWAY_WAIT_MAX_MAX_NS (24 * 3600 * NSEC_PER_SEC)
#define HEADWAY_RATIO_MAX 1000000u
#define HEADWAY_COUNT_MAX 1000000000u
#define HEADWAY_HEALTHY_MAX 1000000u	/* the least is what makes a verdict */

/* What has been counted up to now. */
struct headway_counts {
	u64 in_flight;
	u64 attempts;
	u64 commits;
	u64 aborts;
	u64 rollbacks;
};

/* X(enumerator, name in debugfs and in the tracepoint) */
#define HEADWAY_EVENT_KINDS(X) \
	X(VERDICT, "verdict")		/* another verdict is believed */ \
	X(ESCALATE, "escalate")		/* a livelock: the policy is `serial` now */ \
	X(RECOVER, "recover")		/* the first verdict after that which is no alarm */ \
	X(RESTORE, "restore")		/* healthy for long enough: the old policy again */ \
	X(OVERRIDE, "override")		/* somebody set a policy meanwhile: it stays */ \
	X(REFUSE, "refuse")		/* the policy could not be changed in time */

enum headway_event_kind {
#define X(id, name) HEADWAY_EVENT_##id,
	HEADWAY_EVENT_KINDS(X)
#undef X
};

/* One line of the file events. Clock: boot time. */
struct headway_event {
	enum headway_event_kind kind;
	u64 at_ns;
	u64 after_ns;			/* VERDICT: how long the old one lasted; or since when */
	/* VERDICT: */
	enum headway_verdict from;
	enum headway_verdict to;
	u64 commits;			/* this and the next: of the window that decided */
	u64 rollbacks;
	u64 in_flight;
	u32 actors;
	char detail[80];		/* one word, safe to show; empty = nothing to add */
	/* others: */
	enum headway_policy policy_from;
	enum headway_policy policy_to;
	u64 took_ns;			/* the change of the policy */
};

/* A watchdog's settings, in the units of the debugfs file watchdog. */
struct headway_watch_settings {
	u64 window_ns;
	struct headway_limits limits;
	bool escalate;
	u32 healthy_windows;
};

/* A copy of everything; large, so not for the stack. */
struct headway_report {
	enum headway_verdict verdict;
	u64 since_ns;			/* boot clock */
	struct headway_window window;	/* the last full one; all 0 before that */
	struct headway_watch_settings settings;
	u64 nr_events;			/* ever; the last of them are here, oldest first */
	struct headway_event events[HEADWAY_EVENTS];
};

/**
 * struct headway_watch_ops - what is watched; all are called by the watchdog's work
 * @what: "domain" or "loop"
 * @escalates: it has a policy
 * @count: what has been counted; from anywhere, may sleep
 * @sample: a look in between, @start being the counts at the window's begin
 * @measure: adds what is known of single actors to a window
 * @judged: a window is over and showed @seen; @believed is the verdict now
 * @detail: one word about an alarm; may leave it empty
 * @log: says in the kernel log that an alarm came or went
 */
struct headway_watch_ops {
	const char *what;
	bool escalates;
	void (*count)(struct headway_watch *watch, struct headway_counts *counts);
	void (*sample)(struct headway_watch *watch, const struct headway_counts *start,
		       const struct headway_counts *counts, u64 now_ns);
	void (*measure)(struct headway_watch *watch, struct headway_window *window, u64 now_ns);
	void (*judged)(struct headway_watch *watch, const struct headway_window *window,
		       enum headway_verdict seen, enum headway_verdict believed);
	void (*detail)(struct headway_watch *watch, enum headway_verdict verdict, char *detail,
		       size_t size);
	void (*log)(struct headway_watch *watch, const struct headway_event *event,
		    const struct headway_window *window);
};

/* The work's own, but what is under watch->lock. Part of what the source allocates. */
struct headway_watch_state {
	const struct headway_watch_ops *ops;
	const char *name;
	u64 start_ns;			/* of the window; CLOCK_MONOTONIC, as waits are */
	struct headway_counts start;
	bool in_flight_throughout;
	struct headway_hysteresis hysteresis;
	struct ratelimit_state ratelimit;

	/* watch->lock */
	enum headway_verdict verdict;
	u64 since_ns;
	struct headway_window window;
	u64 nr_events;
	struct headway_event events[HEADWAY_EVENTS];
};

typedef void headway_watch_edit(struct headway_watch_settings *settings, const void *arg);

int headway_watch_start(struct headway_watch *watch, struct headway_watch_state *state,
			const struct headway_watch_ops *ops, const char *name);
void headway_watch_stop(struct headway_watch *watch);
void headway_watch_report(struct headway_watch *watch, struct headway_report *report);
void headway_watch_event(struct headway_watch *watch, const struct headway_event *event);
enum headway_verdict headway_watch_verdict(const struct headway_watch *watch);
int headway_watch_configure(struct headway_watch *watch, headway_watch_edit *edit,
			    const void *arg);
const char *headway_event_name(enum headway_event_kind kind);

static inline bool headway_watch_escalates(const struct headway_watch *watch)
{
	return watch->state->ops->escalates;
}

#endif /* HEADWAY_WATCH_H */

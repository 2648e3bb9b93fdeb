/* SPDX-License-Identifier: GPL-2.0 */
/*
 * report.h - a whole watch, as a report tells it: who tried and completed what in which interval,
 * at which locks, who waited for whom, and what was found. PURE: names come later (report_json.c).
 *
 * It is bounded, however long the watch was: when there is no column left, every two become one,
 * and what has no room is counted in left_out.
 */
#ifndef HEADWAY_REPORT_H
#define HEADWAY_REPORT_H

#include "detect.h"

enum headway_report_limits {
	HEADWAY_REPORT_COLUMNS = 512,
	HEADWAY_REPORT_ACTORS = 2048,
	HEADWAY_REPORT_LOCKS = 2048,
	HEADWAY_REPORT_STACKS = 4096,
	HEADWAY_REPORT_EDGES = 4096,
	HEADWAY_REPORT_FINDINGS = 256,
};

/* An interval, or several that became one. Times are of the clock of the snapshots. */
struct headway_report_column {
	uint64_t start_ns;
	uint64_t end_ns;
	bool judged;			/* a full window was over by then */
	enum headway_verdict state;	/* the worst */
};

struct headway_report_effort {
	uint64_t attempts;
	uint64_t completions;
	uint64_t cpu_ns;
};

struct headway_report_actor {
	uint32_t tid;
	uint32_t tgid;
	uint64_t start_ns;		/* tells a reused tid apart */
	char comm[HEADWAY_COMM_LEN];
	struct headway_report_effort all;
	struct headway_report_effort *columns;	/* NULL: nothing in any */
};

struct headway_report_pressure {
	uint64_t contentions;		/* tries that failed, and waits at a mutex */
	uint64_t sleepers;		/* threads seen asleep for it at once, at most */
};

struct headway_report_lock {
	uint32_t tgid;
	uint32_t kind;			/* enum headway_lock_kind */
	uint64_t addr;
	bool is_mutex;			/* someone was seen to own it */
	uint32_t owner_tid;		/* the last one seen, 0 none */
	uint64_t acquisitions;		/* as far as they can be seen */
	uint64_t waits;			/* these ended */
	uint64_t wait_ns;
	uint64_t timeouts;
	uint64_t sleepers_now;		/* in the interval that is being taken in */
	struct headway_report_pressure all;
	struct headway_report_pressure *columns;
};

struct headway_report_stack {
	uint32_t tgid;
	int32_t id;
	uint64_t fails;			/* tries that failed there */
	uint64_t asleep;		/* intervals in which a thread slept there */
};

/* from wants addr, which `to` owned. */
struct headway_report_edge {
	uint32_t from_tid;
	uint32_t to_tid;
	uint32_t tgid;			/* of `from` */
	uint64_t addr;
	uint64_t fails;
	uint64_t asleep;		/* as above */
};

struct headway_report_finding {
	struct headway_finding finding;
	uint64_t at_ns;			/* when it was reported, since the watch began */
	uint64_t until_ns;		/* the last time that it was seen to hold */
	bool over;			/* it did not hold any more at the last look */
};

struct headway_report_left_out {
	uint64_t actors;		/* these and the next: in how many intervals */
	uint64_t locks;
	uint64_t stacks;
	uint64_t edges;
	uint64_t findings;
};

struct headway_report {
	uint64_t began_ns;		/* the first snapshot, 0: none yet */
	int err;			/* of the last interval */
	size_t merge;			/* intervals in a column */
	size_t merged;			/* intervals in the last column so far */
	size_t nr_columns;
	struct headway_report_column columns[HEADWAY_REPORT_COLUMNS];
	/* Sorted: by (tid, start_ns), (tgid, addr), (tgid, id), (from, to, addr). */
	size_t nr_actors;
	struct headway_report_actor actors[HEADWAY_REPORT_ACTORS];
	size_t nr_locks;
	struct headway_report_lock locks[HEADWAY_REPORT_LOCKS];
	size_t nr_stacks;
	struct headway_report_stack stacks[HEADWAY_REPORT_STACKS];
	size_t nr_edges;
	struct headway_report_edge edges[HEADWAY_REPORT_EDGES];
	size_t nr_findings;
	struct headway_report_finding *findings;
	struct headway_report_left_out left_out;
};

/* NULL: no memory. */
struct headway_report *headway_report_new(void);
/* For headway_detect_options: takes in an interval. ctx: the report. */
void headway_report_changes(void *ctx, const struct headway_view *v);
/* An interval in which no process was watched. Times are of any one clock. */
void headway_report_interval(struct headway_report *r, uint64_t start_ns, uint64_t end_ns);
/* The interval that was taken in last was so, if not worse. */
void headway_report_judge(struct headway_report *r, enum headway_verdict state);
/*
 * After each headway_detect_feed(): what it announced, and how it judged. time_ns: of the snapshot.
 * 0 or -ENOMEM.
 */
int headway_report_look(struct headway_report *r, const struct headway_detect *d, uint64_t time_ns);
/* One of another source; at_ns: since the watch began. 0 or -ENOMEM. */
int headway_report_add_finding(struct headway_report *r, const struct headway_finding *f,
			       uint64_t at_ns);
void headway_report_free(struct headway_report *r);

/* NULL: not known. The newest thread with this id. */
const struct headway_report_actor *headway_report_find_actor(const struct headway_report *r,
							     uint32_t tid);
/* Its first thread if that was seen, else any. */
const struct headway_report_actor *headway_report_find_process(const struct headway_report *r,
							       uint32_t tgid);

#endif /* HEADWAY_REPORT_H */

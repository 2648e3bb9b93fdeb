/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tally.h - what processes did, and what was done at their locks, since the watch began. PURE.
 *
 * It is fed what changed between two snapshots. As many as there is room for have a line of their
 * own; what the others do is added up in one line for all of them, so that nothing is left out of a
 * sum and no line ever counts backwards. Who does something first keeps the line until it did
 * nothing for HEADWAY_TALLY_IDLE_NS and another needs it, or was not seen for
 * HEADWAY_TALLY_GONE_NS.
 */
#ifndef HEADWAY_TALLY_H
#define HEADWAY_TALLY_H

#include "times.h"
#include "window.h"

#define HEADWAY_TALLY_IDLE_NS	60000000000ull
#define HEADWAY_TALLY_GONE_NS	300000000000ull

/* A process, or with an address a lock of it. */
struct headway_tally_line {
	uint32_t pid;
	uint64_t addr;			/* 0: the process */
	char comm[HEADWAY_COMM_LEN];
	/* Of a process only: who takes a lock that is free is not seen. */
	size_t threads;			/* alive, at the last look */
	uint64_t attempts;
	uint64_t completions;
	uint64_t rollbacks;
	/* Of both. */
	uint64_t fails;
	uint64_t wait_ns;		/* finished waits */
	uint64_t times[HEADWAY_WAIT_BUCKETS];	/* of waits, see times.h */
	uint64_t busy_ns;		/* when it did something last, and when it was seen last */
	uint64_t seen_ns;
};

struct headway_tally_lines {
	size_t nr;
	size_t max;
	struct headway_tally_line *lines;	/* sorted by pid, addr */
	struct headway_tally_line others;
	uint64_t folded;		/* times that something was added to others */
};

struct headway_tally {
	struct headway_tally_lines processes;
	struct headway_tally_lines locks;
	size_t nr_before;
	struct headway_wait_times *before;	/* as they were last told */
};

/* 0 or -ENOMEM; free it in both cases. */
int headway_tally_init(struct headway_tally *t, size_t max_processes, size_t max_locks);
/* v: of one interval. */
void headway_tally_add(struct headway_tally *t, const struct headway_view *v);
/* After the interval was added. 0 or -ENOMEM; then these times are told with the next. */
int headway_tally_times(struct headway_tally *t, const struct headway_times *now);
void headway_tally_free(struct headway_tally *t);

#endif /* HEADWAY_TALLY_H */

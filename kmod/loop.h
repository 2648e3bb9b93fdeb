/* SPDX-License-Identifier: GPL-2.0 */
/*
 * loop.h - watched retry loops: what loop.c shares with its debugfs files.
 */
#ifndef HEADWAY_LOOP_H
#define HEADWAY_LOOP_H

#include "progress.h"

/* One per CPU and loop; changed by this_cpu_inc() only, so from any context. */
struct headway_loop_pcpu {
	u64 begun;			/* actors that entered and were not listed at once */
	u64 ended;			/* ... that left or were listed */
	u64 again;			/* things begun by actors that had done one and stayed */
	u64 commits;
	u64 aborts;
	u64 rollbacks;
};

/* A loop's part of its watchdog. */
struct headway_loop_progress {
	struct headway_watch_state watch;
	u64 unlisted_ns;		/* the work: some actor has not been listed since */
	struct headway_counts base;	/* watch->lock: the counters as of the last reset */
};

/* A copy of a listed actor. */
struct headway_loop_view {
	pid_t pid;			/* 0: not a task */
	char comm[TASK_COMM_LEN];
	u64 restarts;
	u64 failing_ns;			/* since when; 0: it does not */
	u64 attempt_ns;			/* begin of the present attempt */
	struct headway_stack stack;
};

void headway_loop_count(struct headway_loop *loop, struct headway_counts *counts);
u32 headway_loop_views_copy(struct headway_loop *loop, struct headway_loop_view *views, u32 max,
			    u32 *live);
void headway_loop_ask_stacks(struct headway_loop *loop);
void headway_loop_base(struct headway_loop *loop, struct headway_counts *base);
void headway_loop_reset(struct headway_loop *loop);

/* loop_evidence.c */
void headway_loop_detail(struct headway_loop *loop, char *detail, size_t size);
void headway_loop_log(struct headway_loop *loop, const struct headway_event *event,
		      const struct headway_window *window);

/* debugfs_loops.c */
void headway_debugfs_add_loop(struct headway_loop *loop);
void headway_debugfs_remove_loop(struct headway_loop *loop);

#endif /* HEADWAY_LOOP_H */

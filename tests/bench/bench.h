/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bench.h - what the kernel benchmarks share: contestants, and the threads that drive them.
 *
 * All contestants of an operation are opened at once and run in turns, round after round, so that a
 * noisy neighbour hits each of them alike: only ratios between them, from the same boot, are shown.
 */
#ifndef HEADWAY_BENCH_H
#define HEADWAY_BENCH_H

#include <linux/completion.h>
#include <linux/types.h>

/* As in tests/kunit/lab.h: for the layout of counters only. */
#define HEADWAY_COMPAT_H
#include "internal.h"

struct bench_side;

/* One thread of a run. All but `run` and `number` are its own. */
struct bench_worker {
	struct bench_run *run;
	unsigned int number;
	struct task_struct *task;
	u64 rng;
	u64 commits;
	u64 rollbacks;
	u64 acquired;			/* locks taken, those of rolled back attempts too */
	u32 restarts_max;		/* of one transaction */
	u32 *picks;			/* bench_pick()'s result */
	unsigned long *picked;		/* bitmap over the pool, clear between transactions */
	void **set;			/* for the side: room for as many pointers */
};

struct bench_run {
	const struct bench_side *side;
	void *state;			/* from side->open() */
	unsigned int threads;
	u64 end_ns;			/* no transaction begins after that */
	struct completion go;
	struct completion done;
	atomic_t running;
};

struct bench_side {
	const char *name;
	void *(*open)(const struct bench_side *side);	/* NULL: out of memory */
	void (*close)(void *state);
	/* One transaction over worker->picks, to its commit. */
	void (*once)(struct bench_worker *worker, void *state);
	/* Writes label=value words of its own about the run that has just ended; may be NULL. */
	void (*tell)(void *state, char *text, size_t size);
	int policy;			/* for the side */
};

extern unsigned int bench_pool;		/* locks there are */
extern unsigned int bench_locks;	/* locks that a transaction takes */

/* batch.c; NULL name ends each */
extern const struct bench_side batch_incremental[];
extern const struct bench_side batch_sorted[];

#endif /* HEADWAY_BENCH_H */

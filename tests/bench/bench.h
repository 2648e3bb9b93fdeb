/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bench.h - what the kernel benchmarks share: operations, contestants, and the threads that drive
 * them.
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
struct bench_worker;

/* An operation; the values of the last four are for who does not give that parameter. */
struct bench_op {
	const char *name;
	const struct bench_side *sides;	/* a NULL name ends them */
	/* Chooses the locks of the next transaction; NULL = the side does that itself. */
	void (*pick)(struct bench_worker *worker);
	/* Whether the thread makes another transaction; NULL = until the time is up. */
	bool (*more)(struct bench_worker *worker);
	unsigned int burst;		/* transactions in once(); 0 = 1, whose wait is timed */
	unsigned int sets;		/* that worker->set has room for; 0 = 1 */
	unsigned int threads;
	unsigned int pool;
	unsigned int locks;
	unsigned int hold_ns;
};

/* One thread of a run. All from `rng` on is its own. */
#define BENCH_SIDES_MAX 16

struct bench_worker {
	struct bench_run *run;		/* bench.c writes it; NULL: there will be none any more */
	struct completion go;
	unsigned int number;
	struct task_struct *task;
	u64 rng;
	u64 begin_ns;			/* of the transaction, by ktime_get_ns() */
	u64 burst_ns;			/* the fastest */
	u64 commits;
	u64 all_commits[BENCH_SIDES_MAX]; /* of all rounds that count, for each contestant */
	u64 rollbacks;
	u64 acquired;			/* locks taken, those of rolled back attempts too */
	u32 restarts_max;		/* of one transaction */
	u32 *picks;			/* bench_pick()'s result */
	unsigned long *picked;		/* bitmap over the pool, clear between transactions */
	void **set;			/* for the side: pointers to its locks */
	u32 *waits;			/* histogram of the time that it took to get the set */
} ____cacheline_aligned_in_smp;

struct bench_run {
	const struct bench_side *side;
	void *state;			/* from side->open() */
	unsigned int number;		/* of the contestant */
	unsigned int threads;
	u64 start_ns;
	u64 end_ns;			/* no transaction begins after that */
	struct completion done;
	atomic_t running;
};

struct bench_side {
	const char *name;
	void *(*open)(const struct bench_side *side);	/* NULL: out of memory */
	void (*close)(void *state);
	void (*ready)(void *state);	/* before each run; may be NULL */
	/*
	 * One transaction over worker->picks, to its commit; calls bench_hold() when it has all
	 * that it needs. With a burst, that many, without.
	 */
	void (*once)(struct bench_worker *worker, void *state);
	/* Writes label=value words of its own about the run that has just ended; may be NULL. */
	void (*tell)(void *state, char *text, size_t size);
	int policy;			/* for the side */
};

extern unsigned int bench_threads;	/* threads of a run */
extern unsigned int bench_pool;		/* locks there are */
extern unsigned int bench_locks;	/* locks that a transaction takes */
extern unsigned int bench_run_ms;	/* length of a run */
extern int bench_hold_ns;		/* how long a transaction keeps them */

/* SplitMix64, as in backoff.c. */
static inline u64 bench_random(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* bench.c */
void bench_pick(struct bench_worker *worker);
void bench_give_way(void);
void bench_hold(struct bench_worker *worker);
void bench_hold_times(struct bench_worker *worker, unsigned int times);
void bench_restarted(struct bench_worker *worker, u32 restarts);

/* domain.c */
struct bench_domain {
	struct headway_domain *domain;
	struct headway_lock *locks;	/* bench_pool of them */
};

bool bench_domain_open(struct bench_domain *d, const struct bench_side *side);
void bench_domain_close(struct bench_domain *d);

/* batch.c */
extern const struct bench_op bench_batch800;
extern const struct bench_op bench_batch800_sorted;

/* uncontended.c */
extern const struct bench_op bench_presorted;
extern const struct bench_op bench_unsorted;
extern const struct bench_op bench_incremental;

#define BENCH_UNCONTENDED_BURST 2048
#define BENCH_UNCONTENDED_SETS 65
void bench_uncontended_pick(struct bench_worker *worker);
void bench_uncontended_headway(struct bench_worker *worker, void *state);

/* contended.c */
extern const struct bench_op bench_contended;
void bench_contended_headway(struct bench_worker *worker, void *state);

/* scale.c */
extern const struct bench_op bench_scale;

/* statistics.c */
extern const struct bench_op bench_stats;
extern const struct bench_op bench_stats_contended;

/* philosophers.c */
extern const struct bench_op bench_philosophers_round5;
extern const struct bench_op bench_philosophers_round32;
extern const struct bench_op bench_philosophers_cube;
extern const struct bench_op bench_philosophers_dodecahedron;

/* hist.c: a histogram of times whose buckets are a sixteenth of their value wide */
#define BENCH_HIST_BUCKETS (40 << 4)
void bench_hist_add(u32 *hist, u64 ns);
u64 bench_hist_quantile(const u32 *hist, unsigned int per_mille);

#endif /* HEADWAY_BENCH_H */

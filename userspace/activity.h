/* SPDX-License-Identifier: GPL-2.0 */
/*
 * activity.h - what each process did in the last window, and of one its threads, locks and who
 * waits for whom. PURE.
 *
 * For views that show more than findings. The verdict of a process is that of the worst finding
 * that holds about it; without one, it is judged by what the state of a whole watch is judged by
 * (assess.c).
 */
#ifndef HEADWAY_ACTIVITY_H
#define HEADWAY_ACTIVITY_H

#include "detect.h"

struct headway_activity_process {
	uint32_t pid;
	char comm[HEADWAY_COMM_LEN];	/* of its first thread, or of the one with the least id */
	enum headway_verdict verdict;
	unsigned int threads;		/* alive; goroutines that were seen count as well */
	unsigned int waiting;		/* asleep for a lock that somebody has */
	uint64_t attempts;		/* these in the window */
	uint64_t fails;
	uint64_t completions;
	double cpu_share;		/* of one CPU */
};

struct headway_activity_thread {
	uint32_t tid;
	char comm[HEADWAY_COMM_LEN];
	char state;			/* as in snapshot.h */
	uint64_t attempts;		/* these in the window */
	uint64_t fails;
	uint64_t completions;
	double cpu_share;
	uint64_t wait_addr;		/* what it sleeps on now; 0: nothing */
	uint64_t waited_ns;
	uint32_t owner_tid;		/* of that; 0: nobody, or unknown */
	uint64_t tries_addr;		/* what it failed on most in the window; 0: nothing */
	int32_t stack_id;		/* of the last failure or wait there; < 0: none */
};

struct headway_activity_lock {
	uint64_t addr;
	uint32_t kind;			/* enum headway_lock_kind */
	bool is_mutex;
	uint64_t fails;			/* these in the window */
	uint64_t got;
	uint64_t waits;			/* that ended */
	uint64_t wait_ns;		/* all together */
	unsigned int waiters;		/* now */
	uint32_t owner_tid;		/* seen last; 0: unknown */
};

struct headway_activity_edge {
	uint32_t waiter_tid;
	uint32_t holder_tid;
	uint64_t lock;
	bool blocked;			/* asleep; false: tries again and again */
};

struct headway_activity {
	double seconds;			/* that the numbers are of */
	bool full;			/* that is a whole window: verdicts can be relied on */
	size_t nr_processes;
	struct headway_activity_process *processes;	/* sorted by pid */
	/* Of one process: */
	size_t nr_threads;
	struct headway_activity_thread *threads;	/* by tid */
	size_t nr_locks;
	struct headway_activity_lock *locks;		/* most fails and waits first */
	size_t nr_edges;
	struct headway_activity_edge *edges;		/* by waiter */
};

/*
 * pid: the one process of which details are wanted, 0 none. 0, -EAGAIN (nothing is known yet; the
 * result is empty) or -ENOMEM. To be freed whatever it returns.
 */
int headway_activity_collect(struct headway_activity *a, const struct headway_detect *d,
			     uint32_t pid);
/* The worst finding that holds about this process; NULL: none. */
const struct headway_finding *headway_activity_finding(const struct headway_detect *d,
						       uint32_t pid);
void headway_activity_free(struct headway_activity *a);

#endif /* HEADWAY_ACTIVITY_H */

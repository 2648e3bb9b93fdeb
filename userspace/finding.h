/* SPDX-License-Identifier: GPL-2.0 */
/*
 * finding.h - what the verdict engine says: the only thing that passes from detection to the views.
 *
 * Findings carry raw tids, addresses and stack ids. Sentences may hold tokens that a view replaces
 * when it prints (see names.h), because names need the target's files and the engine does no I/O:
 *	@L<hex address>@	a lock
 *	@S<number>@		a system call
 * comm and every name that comes from the target are hostile until an output escapes them.
 * headway.ko shows no address: locks of its findings have numbers of their own (kernel_names.h).
 */
#ifndef HEADWAY_FINDING_H
#define HEADWAY_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "headway_abi.h"

/* From the best to the worst: `state` is the largest verdict of a window. */
enum headway_verdict {
	HEADWAY_IDLE,
	HEADWAY_HEALTHY,
	HEADWAY_CONTENDED,
	HEADWAY_UNDETERMINED,
	HEADWAY_TRANSIENT,
	HEADWAY_RETRY_STORM,
	HEADWAY_SPIN_HANG,
	HEADWAY_STALLED_HOLDER,
	HEADWAY_STARVATION,
	HEADWAY_LIVELOCK,
	HEADWAY_DEADLOCK,
	HEADWAY_NR_VERDICTS,
};

enum headway_confidence {
	HEADWAY_LIKELY,			/* scored */
	HEADWAY_CONFIRMED,		/* an oracle saw it */
};

/* Where it was seen, and who judged it: our engine, or the watchdog of headway.ko. */
enum headway_source {
	HEADWAY_SOURCE_PROCESS,
	HEADWAY_SOURCE_KERNEL,
};

/* What an actor is in the story of its finding. */
enum headway_role {
	HEADWAY_ROLE_MEMBER,		/* part of the cycle */
	HEADWAY_ROLE_VICTIM,		/* makes no progress because of the others */
	HEADWAY_ROLE_HOLDER,		/* owns what the others want */
	HEADWAY_ROLE_WAITER,		/* waits behind the cycle or the holder */
};

enum headway_finding_limits {
	HEADWAY_FINDING_ACTORS = 16,
	HEADWAY_FINDING_LOCKS = 16,
	HEADWAY_FINDING_WAITS = 4,
	HEADWAY_FINDING_MARKERS = 8,
	HEADWAY_FINDING_SENTENCES = 12,
	HEADWAY_SENTENCE_LEN = 320,
	HEADWAY_DOMAIN_LEN = 64,
};

struct headway_finding_wait {
	uint64_t lock;
	uint32_t owner_tid;		/* initial pid namespace; 0 unknown */
	bool blocked;			/* asleep for it; false: tries again and again */
};

struct headway_finding_actor {
	uint32_t tid;
	uint32_t tgid;
	char comm[HEADWAY_COMM_LEN];
	enum headway_role role;
	char state;			/* as in /proc/PID/task/TID/stat */
	int32_t syscall_nr;		/* -1 running, -2 unknown */
	int32_t stack_id;		/* < 0: none */
	uint64_t attempts;		/* in the window */
	uint64_t fails;
	uint64_t completions;
	uint64_t holds;			/* address of a lock held while it failed, 0 unknown */
	double cpu_share;		/* of one CPU, 0..1; < 0 unknown */
	unsigned int nr_waits;
	struct headway_finding_wait waits[HEADWAY_FINDING_WAITS];
};

struct headway_finding_lock {
	uint64_t addr;
	uint32_t kind;			/* enum headway_lock_kind */
	uint32_t owner_tid;		/* the last owner seen, 0 unknown */
};

struct headway_finding_marker {
	char name[HEADWAY_MARKER_NAME_LEN];
	uint32_t role;			/* enum headway_marker_role */
	bool automatic;
	uint64_t count;			/* in the window, by all threads */
	unsigned int threads;		/* that passed it */
};

struct headway_finding {
	enum headway_verdict verdict;
	enum headway_confidence confidence;
	enum headway_source source;
	char domain[HEADWAY_DOMAIN_LEN];	/* of the kernel: the domain, or the watched loop */
	bool is_loop;
	uint32_t pid;			/* of a process, as comm is */
	char comm[HEADWAY_COMM_LEN];	/* of the process, that is of its first thread */
	uint64_t window_ns;
	uint64_t first_seen_ns;		/* since the watch began: when it began to be stuck */
	uint64_t latency_ns;		/* from then to the report */
	uint64_t attempts;
	uint64_t completions;
	unsigned int nr_actors;
	unsigned int actors_total;	/* with those that did not fit */
	struct headway_finding_actor actors[HEADWAY_FINDING_ACTORS];
	unsigned int nr_locks;
	struct headway_finding_lock locks[HEADWAY_FINDING_LOCKS];
	unsigned int nr_markers;
	struct headway_finding_marker markers[HEADWAY_FINDING_MARKERS];
	unsigned int nr_evidence;
	char evidence[HEADWAY_FINDING_SENTENCES][HEADWAY_SENTENCE_LEN];
	unsigned int nr_advice;
	char advice[HEADWAY_FINDING_SENTENCES][HEADWAY_SENTENCE_LEN];
};

/* Goroutines are actors as threads are, under ids of their own (headway_abi.h). */
static inline bool headway_is_goroutine(uint32_t tid)
{
	return tid & HEADWAY_GOROUTINE;
}

/* Its id in the program; where that has more than 28 bits, the low ones. */
static inline uint32_t headway_goroutine_id(uint32_t tid)
{
	return tid & HEADWAY_GOROUTINE_MASK;
}

/* "pthread_mutex", "pthread_rwlock", "go_mutex", "futex" or "headway". */
const char *headway_finding_lock_kind(const struct headway_finding *f,
				      const struct headway_finding_lock *l);
/* "livelock", "spin-hang", ... as in the command line contract. */
const char *headway_verdict_name(enum headway_verdict v);
/* What it says, for who sees it for the first time; NULL: it is a state and no finding. */
const char *headway_verdict_meaning(enum headway_verdict v);
/* -EINVAL: no such verdict. */
int headway_verdict_parse(const char *name, enum headway_verdict *out);
const char *headway_source_name(enum headway_source s);
const char *headway_confidence_name(enum headway_confidence c);
const char *headway_role_name(enum headway_role r);
/* True for the verdicts that are reported as findings. */
bool headway_verdict_is_finding(enum headway_verdict v);

const char *headway_marker_role_name(uint32_t role);

/* Building; sentences and entries that do not fit are dropped, actors_total keeps the count. */
struct headway_finding_actor *headway_finding_add_actor(struct headway_finding *f, uint32_t tid);
void headway_finding_add_wait(struct headway_finding_actor *a, uint64_t lock, uint32_t owner_tid,
			      bool blocked);
void headway_finding_add_lock(struct headway_finding *f, uint64_t addr, uint32_t kind,
			      uint32_t owner_tid);
void headway_finding_evidence(struct headway_finding *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void headway_finding_advice(struct headway_finding *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* HEADWAY_FINDING_H */

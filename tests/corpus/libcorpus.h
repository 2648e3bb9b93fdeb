/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every corpus program shares: counters that only the harness reads, pinned actors, a start
 * gate, and a clean end.
 *
 * Purpose: a corpus program is a labelled example. The label must not come from the tool under
 * test, so each actor counts its own attempts, fails and completions in a file that the harness
 * maps (environment CORPUS_COUNTERS; without it the counters are private and the program still
 * runs).
 *
 * Invariants:
 *  - The helper makes no futex call: the start gate polls with clock_nanosleep, the main thread
 *    waits in sigtimedwait and never joins. What the tool sees is what the case itself does.
 *  - A counter has one writer, its own actor. There is no global counter, because a shared cache
 *    line would order the actors and change the contention; the harness sums the actors.
 *  - `attempts` goes up before the try, `fails` and `completions` after it.
 *
 * Lock order: the helper holds no lock.
 */
#ifndef CORPUS_LIBCORPUS_H
#define CORPUS_LIBCORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
/* The same layout; C++ programs reach these words with the compiler's __atomic functions. */
#define _Atomic volatile
extern "C" {
#else
#include <stdatomic.h>
#endif

#define CORPUS_MAGIC		0x3153555052435748ULL	/* "HWCRPUS1", little endian */
#define CORPUS_ACTORS_MAX	16
#define CORPUS_NSEC_PER_MSEC	1000000ULL
#define CORPUS_NSEC_PER_SEC	1000000000ULL

/* A function whose name the harness looks for in stacks: neither inlined nor renamed (.isra.0). */
#ifdef __clang__
#define CORPUS_SITE	__attribute__((__noinline__))
#else
#define CORPUS_SITE	__attribute__((__noipa__))
#endif

/* One cache line per actor. Layout known to judge.py; see the assertions in libcorpus.c. */
struct corpus_actor {
	_Atomic uint64_t attempts;	/* written by the actor, before a try to make progress */
	_Atomic uint64_t fails;		/* written by the actor, the try was given up or refused */
	_Atomic uint64_t completions;	/* written by the actor, one unit of real work was done */
	_Atomic uint32_t tid;		/* written once, by the actor, before the start gate */
	uint32_t index;			/* written once, by corpus_add() */
	char name[16];			/* written once, by corpus_add(); also the thread's comm */
	uint64_t seed;			/* private to the actor: state of corpus_random() */
	uint64_t reserved;
};

struct corpus_counters {
	uint64_t magic;			/* written last, by corpus_run(): the rest is valid */
	uint32_t pid;
	uint32_t actors;		/* entries of actor[] in use */
	_Atomic uint64_t epoch_ns;	/* CLOCK_MONOTONIC when the start gate opened, 0 before */
	/* The actors may be processes, so what they meet in is here too. */
	_Atomic uint64_t ready;		/* actors that wait at the start gate */
	_Atomic uint64_t opened;	/* written by the main thread: the start gate is open */
	_Atomic uint64_t done;		/* actors that have returned */
	_Atomic uint64_t stop;		/* written by the main thread: it is time to end */
	uint64_t reserved;
	struct corpus_actor actor[CORPUS_ACTORS_MAX];
};

typedef void (*corpus_fn)(struct corpus_actor *self);

/* Declares one actor, pinned to @cpu modulo the CPUs that the process may use. */
void corpus_add(const char *name, unsigned int cpu, corpus_fn fn);

/*
 * Starts all actors at once, waits for CORPUS_SECONDS (default 10), SIGTERM or SIGINT, raises the
 * stop flag and ends. Actors that never come back (a deadlock) end with the process.
 * Return: the exit status for main().
 */
int corpus_run(void);

/* The same, but each actor is a process of its own. They end with the first one. */
int corpus_run_processes(void);

/* Zeroed memory that these processes share. Never fails: it ends the program. */
void *corpus_shared(size_t size);

bool corpus_stopped(void);
uint64_t corpus_now_ns(void);

/* Time of tick @n of a grid of @period_ns that all actors share. */
uint64_t corpus_grid_ns(uint64_t n, uint64_t period_ns);

/* Absolute sleep: late sleepers do not push the later ticks, so that phases stay aligned. */
void corpus_sleep_until(uint64_t when_ns);

/*
 * Waits until *@word >= @value by short sleeps, never by futex or yield.
 * Return: false when the program was asked to stop meanwhile.
 */
bool corpus_gate(_Atomic uint64_t *word, uint64_t value);

/* Busy work of about @ns: the thread stays on its CPU and makes no syscall (vdso clock only). */
void corpus_work(uint64_t ns);

/* Deterministic per actor: the same seed in every run. */
uint64_t corpus_random(struct corpus_actor *self);

#ifdef __cplusplus
#define corpus_raise(counter) \
	__atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED)
#else
#define corpus_raise(counter) \
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1, \
			      memory_order_relaxed)
#endif

static inline void corpus_attempt(struct corpus_actor *self)
{
	corpus_raise(&self->attempts);
}

static inline void corpus_fail(struct corpus_actor *self)
{
	corpus_raise(&self->fails);
}

static inline void corpus_complete(struct corpus_actor *self)
{
	corpus_raise(&self->completions);
}

#ifdef __cplusplus
}
#endif

#endif

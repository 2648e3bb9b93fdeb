/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lab.h - what the suites share: a domain with locks, and threads ("hands") that contend for them.
 *
 * Invariants: no wait here is without a limit, and running into it fails the case. A hand that
 * does not finish is left behind, with all that it could still touch, and the module is pinned.
 * When a case is over, lab_close() demands that every lock is free, nobody waits and nothing is
 * in flight, so each case also tests that. Hands are pinned to the first two CPUs in turn, since
 * schedulers put threads that sleep much on one CPU, where nothing contends. Work that loops
 * sleeps or calls cond_resched() in every round: stock kernels do not preempt kernel threads.
 */
#ifndef HEADWAY_KUNIT_LAB_H
#define HEADWAY_KUNIT_LAB_H

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/sched.h>

#if IS_ENABLED(CONFIG_KUNIT)
#include <kunit/test.h>
#else
#include "kunit_shim.h"
#endif

/*
 * For the layout of counters only. What compat.h adapts is for the module's own code, and its facts
 * are asked by kmod/Kbuild.
 */
#define HEADWAY_COMPAT_H
#include "internal.h"

#define LAB_HANDS	20
#define LAB_PATIENCE_MS	60000
#define LAB_PATIENCE_NS	((u64)LAB_PATIENCE_MS * NSEC_PER_MSEC)
#define MS		((u64)NSEC_PER_MSEC)

#define LAB_TRY		__HEADWAY_WAIT(TASK_RUNNING, KTIME_MAX)
#define LAB_WITHIN(ns)	__HEADWAY_WAIT(TASK_KILLABLE, ktime_add_ns(ktime_get(), ns))

/* Under `serial` a second transaction waits in its begin, so there is no second one to meet. */
#define lab_for_each_concurrent_policy(policy) \
	for ((policy) = 0; (policy) < HEADWAY_NR_POLICIES; (policy)++) \
		if ((policy) != HEADWAY_POLICY_SERIAL)

struct lab;

struct hand {
	struct lab *lab;
	unsigned int number;
	int (*work)(struct hand *hand);
	void *arg;			/* for the work */
	struct task_struct *task;
	struct completion reached;	/* by the hand, in lab_pause() */
	struct completion go;		/* by the case */
	struct completion done;
	int result;			/* what the work returned; valid after done */
	u64 count;			/* own: what the work counts */
	u64 errors;			/* own: what must not be, as the work saw it */
	bool joined;
};

struct lab {
	struct kunit *test;
	struct headway_domain *domain;
	struct headway_lock *locks;
	unsigned int nr_locks;
	struct hand hands[LAB_HANDS];
	unsigned int nr_hands;
	bool together;			/* all hands on one CPU, for those who ask for it first */
	bool stop;			/* the work should come to an end */
	bool hung;
	/* Deliberately plain: only mutual exclusion keeps it right. */
	u64 counter;
	struct task_struct *cookie;
	s64 *balance;			/* one per lock */
	struct vfsmount *mount;		/* libread.c: debugfs, from the first reading on */
	char *text;			/* lab_file(): the file read last */
	atomic_t arrived;		/* lab_lockstep_work(): hands that came to a meeting */
};

/* Opens the lab of a case; ends the case if it cannot. Locks have ranks 0, 1, ... */
struct lab *lab_open(struct kunit *test, enum headway_policy policy, unsigned int nr_locks);
/* The exit function of every suite. */
void lab_close(struct kunit *test);

struct hand *lab_hand(struct lab *lab, int (*work)(struct hand *hand), void *arg);
/* Fails the case if the hand does not finish in time. Return: what its work returned. */
int lab_join(struct hand *hand);
/* The hand's side: tells the case that it got here, and waits for lab_go(). */
void lab_pause(struct hand *hand);
void lab_await(struct hand *hand);
void lab_go(struct hand *hand);
void lab_signal(struct hand *hand, int sig);
/* Lets the @n hands from @first on begin, when all of them are in lab_pause(). */
void lab_start(struct hand *first, unsigned int n);

/* A hand that holds a lock from now until lab_let_go(). */
struct hand *lab_hold(struct lab *lab, struct headway_lock *lock);
void lab_let_go(struct hand *hand);

/* Work of hands: takes the lock that is its argument, and ends. Return: as the lock call. */
int lab_take_work(struct hand *hand);
/* The same about every millisecond, until told to stop; counts. */
int lab_commit_work(struct hand *hand);

/*
 * The work of two hands that livelock under `none` as surely as a program can: each holds its own
 * lock (of 0 and 1) until both have failed to get the other's, then both roll back. Under any
 * other policy they just take both. Counts commits; ends when lab->stop is set.
 */
int lab_lockstep_work(struct hand *hand);

bool lab_free(struct headway_lock *lock);
unsigned int lab_waiters(struct headway_lock *lock);
u64 lab_stat(struct lab *lab, enum headway_stat stat);
u64 lab_in_flight(struct lab *lab);
u32 lab_random(u64 *state, u32 below);
void lab_watch(struct lab *lab, u64 window_ns, u32 rollbacks_min, u32 restarts_max,
	       u64 wait_max_ns);

/*
 * libread.c: a file of the lab's domain in debugfs. lab_read() is for hands and returns a length or
 * an error; lab_read_pages() calls turn() after each page; lab_file() is for the case, which ends
 * if it cannot be read, and lasts until the next.
 */
#define LAB_TEXT 65536
ssize_t lab_read(struct lab *lab, const char *name, char *text, size_t size);
ssize_t lab_read_pages(struct lab *lab, const char *name, char *text, size_t size,
		       void (*turn)(struct lab *lab));
char *lab_file(struct lab *lab, const char *name);
void lab_unmount(struct lab *lab);
/* The line that has the word label=value; the value of a word of the line. */
const char *lab_line(const char *text, const char *label, const char *value);
bool lab_value(const char *line, const char *label, char *value, size_t size);

/* True as soon as the condition is, false after the patience ran out. */
#define lab_eventually(condition) ({ \
	u64 __until = ktime_get_ns() + LAB_PATIENCE_NS; \
	bool __true; \
	while (!(__true = !!(condition)) && ktime_get_ns() < __until) \
		usleep_range(100, 300); \
	__true; \
})

#endif /* HEADWAY_KUNIT_LAB_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * looplab.h - what the suites of watched loops share: a loop, and hands that retry in it.
 */
#ifndef HEADWAY_KUNIT_LOOPLAB_H
#define HEADWAY_KUNIT_LOOPLAB_H

#include "lab.h"
#include "loop.h"

#define WINDOW (100 * MS)

extern struct headway_loop kunit_loop;

/* What the hands of a case do, each as its number says. */
struct play {
	u64 attempt_us;			/* how long an attempt takes */
	u64 slow_us;			/* that of the first hand, if not 0 */
	u64 due_ns;			/* lock: when there is something to be had; others fail */
	u64 every_ns;			/* ... and again so much later; 0: never again */
	unsigned int give_up;		/* leave after so many failures; 0: never */
	spinlock_t lock;
};

extern struct play play;

struct sums {
	u64 begun, again, commits, aborts, rollbacks;
};

/* Opens a case; loop_exit() is the exit function of its suite. */
struct lab *looping(struct kunit *test);
void loop_exit(struct kunit *test);

bool is_alarm(enum headway_verdict verdict);
bool verdict_is(enum headway_verdict verdict);
/* Looks often, for as many windows. */
bool ever_alarmed(unsigned int windows);
void wait_max(u64 ns);
/* Longer windows: on a busy machine a short attempt can take half of a short one. */
void widen(void);
void make_due(u64 due_ns, u64 every_ns);
u64 in_flight(void);
struct sums sums(void);

/* Retries until it succeeds, or gives up, and comes again. */
int retry_work(struct hand *hand);
/* Always succeeds; the first hand slowly, if the case says so. */
int succeed_work(struct hand *hand);
/* A hand that fails so often and is then busy with one attempt until lab_go(). */
struct hand *busy(struct lab *lab, unsigned long failures);
void hands(struct lab *lab, int (*work)(struct hand *hand), unsigned int n);
void stop(struct lab *lab);

#endif /* HEADWAY_KUNIT_LOOPLAB_H */

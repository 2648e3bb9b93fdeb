// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy, and looks bad: a work-stealing pool with one busy worker. The three others look for a
 * task to steal, find none, yield, and look again: hundreds of thousands of sched_yield a second
 * with nothing held and no lock failed.
 *
 * Invariant: the worker completes. The thieves attempt nothing (there is nothing to steal), so
 * their counters stay 0.
 *
 * Lock order: none.
 */
#define _GNU_SOURCE
#include <sched.h>

#include "libcorpus.h"

#define TASK_NS	20000

static _Atomic uint64_t stealable;	/* tasks for thieves; the worker never shares any */

static void worker(struct corpus_actor *self)
{
	while (!corpus_stopped()) {
		corpus_attempt(self);
		corpus_work(TASK_NS);
		corpus_complete(self);
	}
}

static void thief(struct corpus_actor *self)
{
	while (!corpus_stopped()) {
		if (atomic_load_explicit(&stealable, memory_order_acquire)) {
			corpus_attempt(self);
			corpus_complete(self);
		}
		sched_yield();
	}
}

int main(void)
{
	corpus_add("worker", 0, worker);
	corpus_add("thief_1", 1, thief);
	corpus_add("thief_2", 1, thief);
	corpus_add("thief_3", 0, thief);
	return corpus_run();
}

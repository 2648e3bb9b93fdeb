// SPDX-License-Identifier: GPL-2.0
/*
 * Retry storm: a hand-written futex lock that waits for a value which the word does not have. The
 * word is 1 while locked, the waiter sleeps on 2, so FUTEX_WAIT returns EAGAIN at once: a loop of
 * system calls until the holder lets go. Both complete, at the price of nearly all their calls.
 *
 * Invariant: the lock excludes (compare and exchange), so the program is correct, only wasteful. It
 * is held for most of the time, so that there is always one in the loop.
 *
 * Lock order: one lock.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "libcorpus.h"

#define HOLD_NS		(10 * CORPUS_NSEC_PER_MSEC)
#define OUTSIDE_NS	(5 * CORPUS_NSEC_PER_MSEC)

enum { FREE, LOCKED, CONTENDED };

_Atomic uint32_t storm_word = FREE;

static CORPUS_SITE void storm_lock(struct corpus_actor *self)
{
	uint32_t expected = FREE;

	corpus_attempt(self);
	while (!atomic_compare_exchange_strong(&storm_word, &expected, LOCKED)) {
		corpus_fail(self);
		/* the bug: nobody has marked the word as CONTENDED */
		syscall(SYS_futex, &storm_word, FUTEX_WAIT_PRIVATE, CONTENDED, NULL);
		corpus_attempt(self);
		expected = FREE;
	}
}

static CORPUS_SITE void storm_unlock(void)
{
	if (atomic_exchange(&storm_word, FREE) == CONTENDED)
		syscall(SYS_futex, &storm_word, FUTEX_WAKE_PRIVATE, 1);
}

static void worker(struct corpus_actor *self)
{
	while (!corpus_stopped()) {
		storm_lock(self);
		corpus_sleep_until(corpus_now_ns() + HOLD_NS);
		corpus_complete(self);
		storm_unlock();
		corpus_sleep_until(corpus_now_ns() + corpus_random(self) % OUTSIDE_NS);
	}
}

int main(void)
{
	corpus_add("worker_0", 0, worker);
	corpus_add("worker_1", 1, worker);
	return corpus_run();
}

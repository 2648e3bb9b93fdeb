// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of eagain_storm: the same hand-written futex lock, but a waiter marks the word as
 * contended before it sleeps on that value. It sleeps until it is woken.
 *
 * Invariant: both complete, and a FUTEX_WAIT that returns EAGAIN is the exception.
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
	if (atomic_compare_exchange_strong(&storm_word, &expected, LOCKED))
		return;
	while (atomic_exchange(&storm_word, CONTENDED) != FREE)
		syscall(SYS_futex, &storm_word, FUTEX_WAIT_PRIVATE, CONTENDED, NULL);
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

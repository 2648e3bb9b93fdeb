/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A toy software transactional memory of two cells, in atomics only: no futex, no trylock,
 * no yield, nothing that a probe of the kernel or of libc could see. Two threads; each writes both
 * cells, in opposite orders. Whoever finds the other's transaction in its way asks the contention
 * manager: abort it, or step back.
 *
 * Invariant: rounds. Both have begun before either looks at the other, and both have decided before
 * either commits, so the outcome depends on the contention manager alone.
 *
 * Lock order: none, there is no lock.
 */
#ifndef CORPUS_STM_H
#define CORPUS_STM_H

#include "libcorpus.h"

#ifndef STM_PROGRESS	/* without markers */
#define STM_PROGRESS()
#define STM_ATTEMPT()
#endif

#define STM_BODY_NS	100000
#define STM_THREADS	2

enum stm_status { STM_ACTIVE, STM_ABORTED, STM_COMMITTED };

struct stm_tx {
	_Atomic int status;		/* its own thread: begin and commit; the other: abort */
	_Atomic uint64_t ticket;	/* when it began first; kept over aborts */
	_Atomic uint64_t begun;		/* rounds, written by its own thread */
	_Atomic uint64_t decided;
};

static struct stm_tx stm_tx[STM_THREADS];
static _Atomic int stm_owner[STM_THREADS];	/* of the cells: thread + 1, 0 free */
static _Atomic uint64_t stm_tickets;

/* May thread `self` abort the other one? */
static bool stm_wins(unsigned int self, unsigned int other);

/* By looking only: it is the other's turn to come to this round. */
static bool stm_meet(_Atomic uint64_t *where, uint64_t round)
{
	while (atomic_load_explicit(where, memory_order_acquire) < round)
		if (corpus_stopped())
			return false;
	return true;
}

static CORPUS_SITE void stm_begin(unsigned int self)
{
	STM_ATTEMPT();
	if (!atomic_load(&stm_tx[self].ticket))
		atomic_store(&stm_tx[self].ticket, atomic_fetch_add(&stm_tickets, 1) + 1);
	atomic_store(&stm_tx[self].status, STM_ACTIVE);
	atomic_store(&stm_owner[self], (int)self + 1);
	corpus_work(STM_BODY_NS);
}

/* The second cell belongs to the other: one of the two has to go. */
static CORPUS_SITE void stm_conflict(unsigned int self, unsigned int other)
{
	int active = STM_ACTIVE;

	atomic_compare_exchange_strong(&stm_tx[stm_wins(self, other) ? other : self].status,
				       &active, STM_ABORTED);
}

static CORPUS_SITE void stm_done(unsigned int self)
{
	STM_PROGRESS();
	atomic_store(&stm_tx[self].ticket, 0);
}

static CORPUS_SITE bool stm_commit(unsigned int self)
{
	int active = STM_ACTIVE;
	bool ok = atomic_compare_exchange_strong(&stm_tx[self].status, &active, STM_COMMITTED);

	atomic_store(&stm_owner[self], 0);
	if (ok)
		stm_done(self);
	return ok;
}

static void stm_thread(struct corpus_actor *actor)
{
	unsigned int self = actor->index, other = 1 - self;
	uint64_t round;

	for (round = 1; !corpus_stopped(); round++) {
		corpus_attempt(actor);
		stm_begin(self);
		atomic_store(&stm_tx[self].begun, round);
		if (!stm_meet(&stm_tx[other].begun, round))
			break;
		stm_conflict(self, other);
		atomic_store(&stm_tx[self].decided, round);
		if (!stm_meet(&stm_tx[other].decided, round))
			break;
		if (stm_commit(self))
			corpus_complete(actor);
		else
			corpus_fail(actor);
	}
}

static int stm_main(void)
{
	corpus_add("stm_0", 0, stm_thread);
	corpus_add("stm_1", 1, stm_thread);
	return corpus_run();
}

#endif

// SPDX-License-Identifier: GPL-2.0
/*
 * Stalled holder: the owner of a robust mutex has ended with it, and the one that was told to
 * repair it never comes to an end. Two others wait. The twin is adopted_lock.
 *
 * Invariant: the others start when the mutex is under repair. Behind its word there is no tid then,
 * so the word itself must tell the owner.
 *
 * Lock order: one lock.
 */
#include <unistd.h>

#include "robust_repair.h"

static _Atomic uint64_t repairing;
static int parts_pipe[2];

static void repairer(struct corpus_actor *self)
{
	char part;

	corpus_attempt(self);
	if (pthread_mutex_lock(&mutex_robust) != EOWNERDEAD)
		return;
	atomic_store(&repairing, 1);
	if (read(parts_pipe[0], &part, 1) == 1)
		corpus_complete(self);
}

static void waiter(struct corpus_actor *self)
{
	if (!corpus_gate(&repairing, 1))
		return;
	corpus_attempt(self);
	if (!pthread_mutex_lock(&mutex_robust))
		corpus_complete(self);
}

int main(void)
{
	if (pipe(parts_pipe))
		return 1;
	robust_orphan();
	corpus_add("repairer", 0, repairer);
	corpus_add("waiter_1", 1, waiter);
	corpus_add("waiter_2", 0, waiter);
	return corpus_run();
}

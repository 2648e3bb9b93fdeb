// SPDX-License-Identifier: GPL-2.0
/*
 * Livelock of two readers that both want to write: each holds `table_lock` for reading, tries to
 * take it for writing, cannot because of the other reader, gives up and starts again on a grid.
 *
 * Invariant: in every round both read while either tries to write.
 *
 * Lock order: one lock, twice.
 */
#include <pthread.h>

#include "marked.h"

#define GRID_NS	(50 * CORPUS_NSEC_PER_MSEC)

pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;

static _Atomic uint64_t reads[2];	/* by actor i: rounds in which it read */
static _Atomic uint64_t tried[2];	/* by actor i: rounds in which it tried to write */

/* Return: 1 when it wrote, 0 when it rolled back, -1 when it is time to end. */
static CORPUS_SITE int read_then_write(struct corpus_actor *self, uint64_t round)
{
	unsigned int me = self->index, peer = !me;
	int wrote = 0;

	if (pthread_rwlock_tryrdlock(&table_lock))
		return 0;
	/* At the end it stays locked: a late release would let the peer write. */
	atomic_store(&reads[me], round + 1);
	corpus_sleep_until(corpus_grid_ns(round, GRID_NS) + GRID_NS / 2);
	if (!corpus_gate(&reads[peer], round + 1))
		return -1;
	if (pthread_rwlock_trywrlock(&table_lock) == 0)
		wrote = 1;
	atomic_store(&tried[me], round + 1);
	if (!corpus_gate(&tried[peer], round + 1))
		return -1;
	pthread_rwlock_unlock(&table_lock);
	return wrote;
}

static void upgrader(struct corpus_actor *self)
{
	uint64_t round;
	int wrote = 0;

	for (round = 0; wrote >= 0; round++) {
		corpus_sleep_until(corpus_grid_ns(round, GRID_NS));
		unit_tried(self);
		wrote = read_then_write(self, round);
		if (wrote > 0)
			unit_done(self);
		else if (wrote == 0)
			corpus_fail(self);
	}
}

int main(void)
{
	corpus_add("upgrader_1", 0, upgrader);
	corpus_add("upgrader_2", 1, upgrader);
	return corpus_run();
}

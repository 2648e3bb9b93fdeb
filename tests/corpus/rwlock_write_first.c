// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of rwlock_upgrade: who may want to write takes the lock for writing at once.
 *
 * Lock order: one lock.
 */
#include <pthread.h>

#include "marked.h"

#define GRID_NS	(20 * CORPUS_NSEC_PER_MSEC)
#define USE_NS	(5 * CORPUS_NSEC_PER_MSEC)

pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;

static void writer(struct corpus_actor *self)
{
	uint64_t round;

	for (round = 0; !corpus_stopped(); round++) {
		corpus_sleep_until(corpus_grid_ns(round, GRID_NS));
		unit_tried(self);
		pthread_rwlock_wrlock(&table_lock);
		corpus_sleep_until(corpus_now_ns() + USE_NS);
		pthread_rwlock_unlock(&table_lock);
		unit_done(self);
	}
}

int main(void)
{
	corpus_add("writer_1", 0, writer);
	corpus_add("writer_2", 1, writer);
	return corpus_run();
}

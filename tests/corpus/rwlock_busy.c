// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of rwlock_abba and reader_stalled: two tables in one order, by two writers and two
 * readers, all day long.
 *
 * Invariant: all complete. Writers come before new readers, so none of them starves.
 *
 * Lock order: table_left -> table_right.
 */
#define _GNU_SOURCE
#include <pthread.h>

#include "libcorpus.h"

#define USE_NS		(CORPUS_NSEC_PER_MSEC / 5)

pthread_rwlock_t table_left = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
pthread_rwlock_t table_right = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

static void use_tables(struct corpus_actor *self, int (*lock)(pthread_rwlock_t *))
{
	while (!corpus_stopped()) {
		corpus_attempt(self);
		lock(&table_left);
		lock(&table_right);
		corpus_work(USE_NS);
		pthread_rwlock_unlock(&table_right);
		pthread_rwlock_unlock(&table_left);
		corpus_complete(self);
		corpus_sleep_until(corpus_now_ns() + corpus_random(self) % (2 * USE_NS));
	}
}

static void writer(struct corpus_actor *self)
{
	use_tables(self, pthread_rwlock_wrlock);
}

static void reader(struct corpus_actor *self)
{
	use_tables(self, pthread_rwlock_rdlock);
}

int main(void)
{
	corpus_add("writer_1", 0, writer);
	corpus_add("writer_2", 1, writer);
	corpus_add("reader_1", 0, reader);
	corpus_add("reader_2", 1, reader);
	return corpus_run();
}

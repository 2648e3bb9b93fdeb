// SPDX-License-Identifier: GPL-2.0
/*
 * A reader stalls: it reads from a pipe into which nobody ever writes, and a writer waits behind
 * it. Who has a lock for reading is not in the lock, so the tool may not name anybody.
 *
 * Invariant: the writer starts when the reader has the lock. The pipe's write end stays open.
 *
 * Lock order: one lock.
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "libcorpus.h"

pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;

static _Atomic uint64_t reading;	/* written by the reader: 1 when it has the lock */
static int request_pipe[2];

static void reader(struct corpus_actor *self)
{
	char request;

	corpus_attempt(self);
	pthread_rwlock_rdlock(&table_lock);
	atomic_store(&reading, 1);
	if (read(request_pipe[0], &request, 1) == 1)
		corpus_complete(self);
	pthread_rwlock_unlock(&table_lock);
}

static CORPUS_SITE void replace_table(struct corpus_actor *self)
{
	pthread_rwlock_wrlock(&table_lock);
	corpus_complete(self);
	pthread_rwlock_unlock(&table_lock);
}

static void writer(struct corpus_actor *self)
{
	if (!corpus_gate(&reading, 1))
		return;
	corpus_attempt(self);
	replace_table(self);
}

int main(void)
{
	if (pipe(request_pipe)) {
		perror("reader_stalled: pipe");
		return 1;
	}
	corpus_add("reader", 0, reader);
	corpus_add("writer", 1, writer);
	return corpus_run();
}

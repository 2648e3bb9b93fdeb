// SPDX-License-Identifier: GPL-2.0
/*
 * Deadlock of two writers: each has one lock for writing and wants the other's.
 *
 * Lock order: deliberately none.
 */
#include "abba.h"

pthread_rwlock_t table_left = PTHREAD_RWLOCK_INITIALIZER;
pthread_rwlock_t table_right = PTHREAD_RWLOCK_INITIALIZER;

static _Atomic uint64_t holders;

static void lock_table(unsigned int side)
{
	pthread_rwlock_wrlock(side ? &table_right : &table_left);
}

static void unlock_table(unsigned int side)
{
	pthread_rwlock_unlock(side ? &table_right : &table_left);
}

int main(void)
{
	abba = (struct abba){ lock_table, unlock_table, &holders };
	corpus_add("left_right", 0, left_right);
	corpus_add("right_left", 1, right_left);
	return corpus_run();
}

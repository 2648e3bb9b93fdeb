/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lockshape.h - which object of glibc a futex word belongs to, told by the memory around it. PURE.
 *
 * A word alone says little: 2 is a mutex with waiters, a lock for reading, a semaphore's count.
 * What is around it must fit in every field before an owner is taken from it, so that the words of
 * other libraries and languages get none.
 */
#ifndef HEADWAY_LOCKSHAPE_H
#define HEADWAY_LOCKSHAPE_H

#include <stddef.h>
#include <stdint.h>

#include "headway_abi.h"

/* In wait_flags (headway_abi.h). A lock for reading and writing has three words to wait on. */
enum headway_lock_shape {
	HEADWAY_SHAPE_UNKNOWN,		/* the memory around it was not read */
	HEADWAY_SHAPE_OTHER,		/* it was, and it is none of these: no owner is known */
	HEADWAY_SHAPE_MUTEX,		/* normal, recursive, errorcheck, adaptive, ceiling */
	HEADWAY_SHAPE_ROBUST,		/* the owner's tid is in the word */
	HEADWAY_SHAPE_RWLOCK_READERS,
	HEADWAY_SHAPE_RWLOCK_PHASE,
	HEADWAY_SHAPE_RWLOCK_WRITERS,
	HEADWAY_SHAPE_COND_0,		/* the two groups of a condition variable */
	HEADWAY_SHAPE_COND_1,
};

/* Memory from wait_addr on, and before it; what could not be read has no length. */
struct headway_surroundings {
	unsigned char after[56];
	unsigned char before[44];
	size_t nr_after;
	size_t nr_before;
};

/*
 * Sets wait_word, wait_owner and the shape in wait_flags of a thread that sleeps on wait_addr. Of a
 * lock for reading and writing wait_word is the word that counts the readers.
 */
void headway_shape_recognise(struct headway_thread_rec *rec,
			     const struct headway_surroundings *around);

static inline enum headway_lock_shape headway_shape_of(uint32_t wait_flags)
{
	return (enum headway_lock_shape)((wait_flags & HEADWAY_WAIT_SHAPE) >>
					 HEADWAY_WAIT_SHAPE_SHIFT);
}

static inline int headway_shape_is_rwlock(enum headway_lock_shape shape)
{
	return shape >= HEADWAY_SHAPE_RWLOCK_READERS && shape <= HEADWAY_SHAPE_RWLOCK_WRITERS;
}

static inline int headway_shape_is_cond(enum headway_lock_shape shape)
{
	return shape == HEADWAY_SHAPE_COND_0 || shape == HEADWAY_SHAPE_COND_1;
}

/* Where in the object the word is that one sleeps on. */
size_t headway_shape_offset(enum headway_lock_shape shape);
/* The address of the object that the thread waits for; the word's own where it is no object. */
uint64_t headway_shape_object(const struct headway_thread_rec *rec);
/* How many hold, for reading, the lock that the thread waits for. Who they are is not in it. */
uint32_t headway_shape_readers(const struct headway_thread_rec *rec);

#endif /* HEADWAY_LOCKSHAPE_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * lockshape.c - which object of glibc a futex word belongs to. PURE.
 *
 * The layouts are those of 64-bit glibc: the mutex since 2.3, the lock for reading and writing
 * since 2.25, the condition variable from 2.25 to 2.40. sysdeps/nptl/bits/struct_mutex.h,
 * struct_rwlock.h, thread-shared-types.h.
 *
 * Invariant: a shape is said only when all fields fit each other and the call: what is shared
 * between processes is not waited for with the private flag, and the reverse.
 */
#include "lockshape.h"

#include <linux/futex.h>
#include <stdbool.h>
#include <string.h>

/* Of __kind: pthreadP.h */
enum {
	KIND_TYPE = 3,
	KIND_ROBUST = 16,
	KIND_INHERIT = 32,
	KIND_CEILING = 64,
	KIND_SHARED = 128,
	KIND_ELISION = 256 | 512,
	KIND_ALL = KIND_TYPE | KIND_ROBUST | KIND_INHERIT | KIND_CEILING | KIND_SHARED |
		   KIND_ELISION,
	CEILING_WORD = (1 << 19) - 1,	/* the rest of its word is the ceiling */
	OWNER_INCONSISTENT = 0x7fffffff,
};

struct mutex {
	uint32_t word;
	uint32_t count;
	uint32_t owner;
	uint32_t users;
	uint32_t kind;
	uint32_t spins;
	uint64_t list[2];		/* of robust mutexes; else 0 */
};

/* Of readers: pthread_rwlock_common.c */
enum {
	READERS_WRITE_PHASE = 1,
	READERS_WRITE_LOCKED = 2,
	READERS_WAITING = 4,
	READERS_SHIFT = 3,
	RWLOCK_FUTEX_MAX = 3,
	RWLOCK_PREFERENCE_MAX = 2,
};

struct rwlock {
	uint32_t readers;
	uint32_t writers;
	uint32_t phase;
	uint32_t writers_futex;
	uint64_t pad3;
	uint32_t writer;		/* tid of the one that has it, 0 none */
	uint32_t shared;
	uint64_t elision;
	uint64_t pad2;
	uint32_t preference;
	uint32_t tail;
};

/* The counts have flags in their low bits: pthread_cond_common.c */
enum { COND_REFS_SHIFT = 1, COND_WAITERS_SHIFT = 3, COND_ORIG_SHIFT = 2, COND_SHARED = 1 };

struct cond {
	uint64_t seq;
	uint64_t first;
	uint32_t refs[2];
	uint32_t size[2];
	uint32_t orig_size;
	uint32_t waiters;
	uint32_t signals[2];
};

_Static_assert(sizeof(struct mutex) == 40, "pthread_mutex_t");
_Static_assert(sizeof(struct rwlock) == 56, "pthread_rwlock_t");
_Static_assert(sizeof(struct cond) == 48, "pthread_cond_t");

size_t headway_shape_offset(enum headway_lock_shape shape)
{
	switch (shape) {
	case HEADWAY_SHAPE_RWLOCK_PHASE:
		return offsetof(struct rwlock, phase);
	case HEADWAY_SHAPE_RWLOCK_WRITERS:
		return offsetof(struct rwlock, writers_futex);
	case HEADWAY_SHAPE_COND_0:
		return offsetof(struct cond, signals[0]);
	case HEADWAY_SHAPE_COND_1:
		return offsetof(struct cond, signals[1]);
	default:
		return 0;
	}
}

/* The object whose word this is, if it has that shape. False: not all of it could be read. */
static bool copy_object(const struct headway_surroundings *s, enum headway_lock_shape shape,
			void *object, size_t size)
{
	size_t skipped = headway_shape_offset(shape);

	if (s->nr_before < skipped || s->nr_after < size - skipped)
		return false;
	memcpy(object, s->before + sizeof(s->before) - skipped, skipped);
	memcpy((char *)object + skipped, s->after, size - skipped);
	return true;
}

static bool is_private(const struct headway_thread_rec *rec)
{
	return rec->wait_flags & HEADWAY_WAIT_PRIVATE;
}

static void set_shape(struct headway_thread_rec *rec, enum headway_lock_shape shape)
{
	rec->wait_flags &= ~(uint32_t)HEADWAY_WAIT_SHAPE;
	rec->wait_flags |= (uint32_t)shape << HEADWAY_WAIT_SHAPE_SHIFT;
}

/* A robust one is always waited for without the private flag: the kernel wakes it so at exit. */
static bool fits_robust(const struct headway_thread_rec *rec, const struct mutex *m)
{
	uint32_t tid = m->word & FUTEX_TID_MASK;

	return !is_private(rec) && (!m->owner || m->owner == tid || m->owner == OWNER_INCONSISTENT);
}

/* 1 locked, 2 locked with waiters; 1 while it is just changing. */
static bool fits_mutex(const struct headway_thread_rec *rec, const struct mutex *m)
{
	return (m->word == 1 || m->word == 2) && m->users && !m->list[0] && !m->list[1] &&
	       is_private(rec) == !(m->kind & KIND_SHARED);
}

static bool recognise_mutex(struct headway_thread_rec *rec, const struct headway_surroundings *s)
{
	struct mutex m;

	if (!copy_object(s, HEADWAY_SHAPE_MUTEX, &m, sizeof(m)) ||
	    m.kind & ~(uint32_t)KIND_ALL || m.kind & KIND_INHERIT)
		return false;
	if (m.kind & KIND_ROBUST) {
		if (m.kind & KIND_CEILING || !fits_robust(rec, &m))
			return false;
		set_shape(rec, HEADWAY_SHAPE_ROBUST);
		return true;
	}
	if (m.kind & KIND_CEILING)
		m.word &= CEILING_WORD;
	if (!fits_mutex(rec, &m))
		return false;
	rec->wait_word = m.word;
	set_shape(rec, HEADWAY_SHAPE_MUTEX);
	return true;
}

/* May a thread sleep on this word of a lock in this state? */
static bool rwlock_sleeps(const struct rwlock *l, enum headway_lock_shape shape)
{
	bool write_phase = l->readers & READERS_WRITE_PHASE;

	switch (shape) {
	case HEADWAY_SHAPE_RWLOCK_READERS:
		return l->readers & READERS_WAITING;
	case HEADWAY_SHAPE_RWLOCK_PHASE:	/* readers for its end, one writer for its begin */
		return l->phase & 1 ? write_phase :
		       !write_phase && l->readers & READERS_WRITE_LOCKED;
	default:
		return l->readers & READERS_WRITE_LOCKED;
	}
}

static bool fits_rwlock(const struct headway_thread_rec *rec, const struct rwlock *l)
{
	return l->phase <= RWLOCK_FUTEX_MAX && l->writers_futex <= RWLOCK_FUTEX_MAX && !l->pad3 &&
	       l->shared == !is_private(rec) && !l->elision && !l->pad2 &&
	       l->preference <= RWLOCK_PREFERENCE_MAX &&
	       (!l->writer || l->readers & READERS_WRITE_PHASE);
}

static bool recognise_rwlock(struct headway_thread_rec *rec, const struct headway_surroundings *s,
			     enum headway_lock_shape shape)
{
	struct rwlock l;

	if (!copy_object(s, shape, &l, offsetof(struct rwlock, tail)) || !fits_rwlock(rec, &l) ||
	    !rwlock_sleeps(&l, shape))
		return false;
	rec->wait_word = l.readers;
	rec->wait_owner = l.writer;
	set_shape(rec, shape);
	return true;
}

static bool recognise_cond(struct headway_thread_rec *rec, const struct headway_surroundings *s,
			   enum headway_lock_shape shape)
{
	unsigned int group = shape == HEADWAY_SHAPE_COND_1, closed;
	struct cond c;

	if (!copy_object(s, shape, &c, sizeof(c)))
		return false;
	closed = !(c.seq & 1);
	if (!(c.waiters & COND_SHARED) != is_private(rec) || !(c.waiters >> COND_WAITERS_SHIFT) ||
	    !(c.refs[group] >> COND_REFS_SHIFT) ||
	    c.refs[group] >> COND_REFS_SHIFT > c.waiters >> COND_WAITERS_SHIFT ||
	    c.seq >> 1 < c.first >> 1 || c.size[closed] > c.orig_size >> COND_ORIG_SHIFT)
		return false;
	set_shape(rec, shape);
	return true;
}

void headway_shape_recognise(struct headway_thread_rec *rec,
			     const struct headway_surroundings *around)
{
	uint32_t words[3] = {};

	memcpy(words, around->after, around->nr_after < sizeof(words) ? around->nr_after :
									sizeof(words));
	rec->wait_word = words[0];
	rec->wait_owner = words[2];
	set_shape(rec, HEADWAY_SHAPE_OTHER);
	/* Of a word that the kernel itself hands over, the kernel says what is in it. */
	if (rec->wait_op == FUTEX_LOCK_PI || rec->wait_op == FUTEX_LOCK_PI2) {
		rec->wait_owner = words[0] & FUTEX_TID_MASK;
		return;
	}
	if (rec->wait_op != FUTEX_WAIT && rec->wait_op != FUTEX_WAIT_BITSET)
		return;
	/* Before the mutex: one for reading could pass for a mutex whose owner is not known yet. */
	for (int shape = HEADWAY_SHAPE_RWLOCK_READERS; shape <= HEADWAY_SHAPE_RWLOCK_WRITERS;
	     shape++)
		if (recognise_rwlock(rec, around, (enum headway_lock_shape)shape))
			return;
	if (!recognise_mutex(rec, around) && !recognise_cond(rec, around, HEADWAY_SHAPE_COND_0))
		recognise_cond(rec, around, HEADWAY_SHAPE_COND_1);
}

uint64_t headway_shape_object(const struct headway_thread_rec *rec)
{
	return rec->wait_addr - headway_shape_offset(headway_shape_of(rec->wait_flags));
}

uint32_t headway_shape_readers(const struct headway_thread_rec *rec)
{
	if (!headway_shape_is_rwlock(headway_shape_of(rec->wait_flags)) ||
	    rec->wait_word & READERS_WRITE_PHASE)
		return 0;
	return rec->wait_word >> READERS_SHIFT;
}

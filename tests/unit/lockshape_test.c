// SPDX-License-Identifier: GPL-2.0
// links: userspace/lockshape.c userspace/futexword.c userspace/proc.c
/*
 * lockshape_test.c - what a futex word belongs to, on the objects of this machine's glibc: a thread
 * goes to sleep on each, /proc says on which word, and the memory around that is looked at.
 */
#define _GNU_SOURCE
#include "ktap.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "futexword.h"
#include "lockshape.h"
#include "proc.h"

enum { POLL_NS = 1000000, POLLS = 60000 };

struct sleeper {
	pthread_t thread;
	pid_t tid;
	void (*sleep)(void *object);
	void *object;
};

/* With room around it, so that what is before and after may be read. */
static struct {
	char before[64];
	union {
		pthread_mutex_t mutex;
		pthread_rwlock_t rwlock;
		pthread_cond_t cond;
		sem_t sem;
		uint32_t words[16];
	};
	char after[64];
} place;

static void *sleeper_main(void *arg)
{
	struct sleeper *s = arg;

	__atomic_store_n(&s->tid, gettid(), __ATOMIC_RELEASE);
	s->sleep(s->object);
	return NULL;
}

/* On the object: the sanitizer has words of its own. */
static bool asleep(const struct sleeper *s, struct headway_proc_thread *proc)
{
	pid_t tid = __atomic_load_n(&s->tid, __ATOMIC_ACQUIRE);
	int fd = headway_proc_task_open(getpid());
	bool is = tid && fd >= 0 && !headway_proc_thread(fd, tid, proc) &&
		  proc->syscall_nr == SYS_futex && proc->args[0] >= (uintptr_t)&place &&
		  proc->args[0] < (uintptr_t)(&place + 1);

	if (fd >= 0)
		close(fd);
	return is;
}

/* Puts a thread to sleep on the object and looks at the word that it chose. */
static struct headway_thread_rec look(struct sleeper *s, void (*sleep)(void *), void *object)
{
	static const struct timespec pause = { .tv_nsec = POLL_NS };
	struct headway_thread_rec rec = {};
	struct headway_surroundings around = {};
	struct headway_proc_thread proc;
	int polls = 0;

	*s = (struct sleeper){ .sleep = sleep, .object = object };
	if (pthread_create(&s->thread, NULL, sleeper_main, s))
		KTAP_FAIL("no thread");
	while (!asleep(s, &proc)) {
		if (++polls == POLLS) {
			KTAP_FAIL("the thread does not go to sleep");
			return rec;
		}
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	}
	rec.wait_addr = proc.args[0];
	rec.wait_op = proc.args[1] & FUTEX_CMD_MASK;
	rec.wait_flags = HEADWAY_WAIT_OWNER_READ |
			 (proc.args[1] & FUTEX_PRIVATE_FLAG ? HEADWAY_WAIT_PRIVATE : 0);
	around.nr_after = (size_t)headway_proc_memory(getpid(), rec.wait_addr, around.after,
						      sizeof(around.after));
	around.nr_before = (size_t)headway_proc_memory(getpid(),
						       rec.wait_addr - sizeof(around.before),
						       around.before, sizeof(around.before));
	headway_shape_recognise(&rec, &around);
	return rec;
}

static uint32_t owner_of(const struct headway_thread_rec *rec)
{
	return headway_futex_owner(rec->wait_op, rec->wait_flags, rec->wait_word, rec->wait_owner);
}

static int shape_of(const struct headway_thread_rec *rec)
{
	return headway_shape_of(rec->wait_flags);
}

static void lock_mutex(void *mutex)
{
	if (pthread_mutex_lock(mutex) == EOWNERDEAD)
		pthread_mutex_consistent(mutex);
	pthread_mutex_unlock(mutex);
}

static void new_mutex(int type, int protocol, int robust, int shared)
{
	pthread_mutexattr_t a;

	memset(&place, 0, sizeof(place));
	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, type);
	pthread_mutexattr_setprotocol(&a, protocol);
	pthread_mutexattr_setrobust(&a, robust);
	pthread_mutexattr_setpshared(&a, shared);
	pthread_mutex_init(&place.mutex, &a);
}

static void expect_owned(int shape, const char *what)
{
	struct headway_thread_rec rec;
	struct sleeper s;

	pthread_mutex_lock(&place.mutex);
	rec = look(&s, lock_mutex, &place.mutex);
	if (shape_of(&rec) != shape || owner_of(&rec) != (uint32_t)gettid() ||
	    headway_shape_object(&rec) != (uintptr_t)&place.mutex)
		KTAP_FAIL("%s: shape %d, owner %u, word 0x%x, flags 0x%x, operation %u", what,
			  shape_of(&rec), owner_of(&rec), rec.wait_word, rec.wait_flags,
			  rec.wait_op);
	pthread_mutex_unlock(&place.mutex);
	pthread_join(s.thread, NULL);
}

KTAP_TEST(mutexes_of_all_kinds)
{
	static const struct { int type; const char *name; } types[] = {
		{ PTHREAD_MUTEX_NORMAL, "normal" }, { PTHREAD_MUTEX_RECURSIVE, "recursive" },
		{ PTHREAD_MUTEX_ERRORCHECK, "errorcheck" },
		{ PTHREAD_MUTEX_ADAPTIVE_NP, "adaptive" },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		for (int shared = 0; shared < 2; shared++) {
			new_mutex(types[i].type, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, shared);
			expect_owned(HEADWAY_SHAPE_MUTEX, types[i].name);
			new_mutex(types[i].type, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST, shared);
			expect_owned(HEADWAY_SHAPE_ROBUST, "robust");
			new_mutex(types[i].type, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED,
				  shared);
			expect_owned(HEADWAY_SHAPE_OTHER, "priority inheriting");
		}
	}
}

static void *die_with_it(void *mutex)
{
	pthread_mutex_lock(mutex);
	return NULL;
}

/* Who was told that the owner died owns it, although behind the word there is no tid yet. */
KTAP_TEST(robust_mutex_under_repair)
{
	struct headway_thread_rec rec;
	struct sleeper s;
	pthread_t dead;

	new_mutex(PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST, 0);
	pthread_create(&dead, NULL, die_with_it, &place.mutex);
	pthread_join(dead, NULL);
	EXPECT_EQ(pthread_mutex_lock(&place.mutex), EOWNERDEAD);
	rec = look(&s, lock_mutex, &place.mutex);
	EXPECT_EQ(shape_of(&rec), HEADWAY_SHAPE_ROBUST);
	EXPECT_EQ(owner_of(&rec), (uint32_t)gettid());
	pthread_mutex_consistent(&place.mutex);
	pthread_mutex_unlock(&place.mutex);
	pthread_join(s.thread, NULL);
}

static void new_rwlock(int preference, int shared)
{
	pthread_rwlockattr_t a;

	memset(&place, 0, sizeof(place));
	pthread_rwlockattr_init(&a);
	pthread_rwlockattr_setkind_np(&a, preference);
	pthread_rwlockattr_setpshared(&a, shared);
	pthread_rwlock_init(&place.rwlock, &a);
}

static void lock_write(void *rwlock)
{
	pthread_rwlock_wrlock(rwlock);
	pthread_rwlock_unlock(rwlock);
}

static void lock_read(void *rwlock)
{
	pthread_rwlock_rdlock(rwlock);
	pthread_rwlock_unlock(rwlock);
}

static void expect_rwlock(const struct headway_thread_rec *rec, int shape, uint32_t owner,
			  uint32_t readers)
{
	EXPECT_EQ(shape_of(rec), shape);
	EXPECT_EQ(owner_of(rec), owner);
	EXPECT_EQ(headway_shape_readers(rec), readers);
	EXPECT_EQ(headway_shape_object(rec), (uintptr_t)&place.rwlock);
}

/* One writer has it: a reader and a writer sleep on two words of it, and know its owner. */
KTAP_TEST(rwlock_that_a_writer_has)
{
	struct headway_thread_rec reads, writes;
	struct sleeper s[2];

	for (int shared = 0; shared < 2; shared++) {
		new_rwlock(PTHREAD_RWLOCK_PREFER_READER_NP, shared);
		pthread_rwlock_wrlock(&place.rwlock);
		reads = look(&s[0], lock_read, &place.rwlock);
		writes = look(&s[1], lock_write, &place.rwlock);
		expect_rwlock(&reads, HEADWAY_SHAPE_RWLOCK_PHASE, (uint32_t)gettid(), 0);
		expect_rwlock(&writes, HEADWAY_SHAPE_RWLOCK_WRITERS, (uint32_t)gettid(), 0);
		pthread_rwlock_unlock(&place.rwlock);
		pthread_join(s[0].thread, NULL);
		pthread_join(s[1].thread, NULL);
	}
}

/* Two readers have it: their number is known, and nobody is named. */
KTAP_TEST(rwlock_that_readers_have)
{
	struct headway_thread_rec first, second, reads;
	struct sleeper s[3];

	new_rwlock(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP, 0);
	pthread_rwlock_rdlock(&place.rwlock);
	pthread_rwlock_rdlock(&place.rwlock);
	first = look(&s[0], lock_write, &place.rwlock);
	second = look(&s[1], lock_write, &place.rwlock);
	reads = look(&s[2], lock_read, &place.rwlock);
	expect_rwlock(&first, HEADWAY_SHAPE_RWLOCK_PHASE, 0, 2);
	expect_rwlock(&second, HEADWAY_SHAPE_RWLOCK_WRITERS, 0, 2);
	expect_rwlock(&reads, HEADWAY_SHAPE_RWLOCK_READERS, 0, 2);
	pthread_rwlock_unlock(&place.rwlock);
	pthread_rwlock_unlock(&place.rwlock);
	for (int i = 0; i < 3; i++)
		pthread_join(s[i].thread, NULL);
}

static pthread_mutex_t mutex_cond = PTHREAD_MUTEX_INITIALIZER;
static bool released;		/* under mutex_cond */

static void wait_cond(void *cond)
{
	pthread_mutex_lock(&mutex_cond);
	while (!released)
		pthread_cond_wait(cond, &mutex_cond);
	pthread_mutex_unlock(&mutex_cond);
}

/* Both groups: one waiter is left behind by a signal that another one took. */
KTAP_TEST(condition_variable_has_no_owner)
{
	struct headway_thread_rec rec;
	struct sleeper s[4];
	bool groups[2] = {};

	memset(&place, 0, sizeof(place));
	pthread_cond_init(&place.cond, NULL);
	for (int i = 0; i < 4; i++) {
		rec = look(&s[i], wait_cond, &place.cond);
		EXPECT_TRUE(headway_shape_is_cond(headway_shape_of(rec.wait_flags)));
		EXPECT_EQ(owner_of(&rec), 0u);
		EXPECT_EQ(headway_shape_object(&rec), (uintptr_t)&place.cond);
		groups[shape_of(&rec) == HEADWAY_SHAPE_COND_1] = true;
		/* The next one waits in the other group. */
		pthread_cond_signal(&place.cond);
	}
	EXPECT_TRUE(groups[0] && groups[1]);
	pthread_mutex_lock(&mutex_cond);
	released = true;
	pthread_cond_broadcast(&place.cond);
	pthread_mutex_unlock(&mutex_cond);
	for (int i = 0; i < 4; i++)
		pthread_join(s[i].thread, NULL);
}

static void wait_sem(void *sem)
{
	sem_wait(sem);
}

static void wait_word(void *word)
{
	uint32_t value = *(uint32_t *)word;

	while (__atomic_load_n((uint32_t *)word, __ATOMIC_ACQUIRE) == value)
		syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake_word(struct sleeper *s)
{
	__atomic_store_n(&place.words[0], 0x10, __ATOMIC_RELEASE);
	syscall(SYS_futex, place.words, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	pthread_join(s->thread, NULL);
}

/* A word of another library, with a live thread's tid where glibc has the owner: no owner. */
KTAP_TEST(words_that_are_no_locks_of_glibc)
{
	struct headway_thread_rec rec;
	struct sleeper s;

	memset(&place, 0, sizeof(place));
	sem_init(&place.sem, 0, 0);
	rec = look(&s, wait_sem, &place.sem);
	EXPECT_EQ(shape_of(&rec), HEADWAY_SHAPE_OTHER);
	EXPECT_EQ(owner_of(&rec), 0u);
	sem_post(&place.sem);
	pthread_join(s.thread, NULL);

	/* nobody uses it, kinds that there are not, a shared one with the private flag, a list */
	static const uint32_t spoilt[][2] = { { 3, 0 }, { 4, 4 }, { 4, 0x1000 }, { 4, 128 },
					      { 4, 32 }, { 6, 1 }, { 8, 1 }, { 4, 16 } };
	for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
		memset(&place, 0, sizeof(place));
		place.words[0] = 2;
		place.words[2] = (uint32_t)gettid();
		place.words[3] = 1;
		place.words[spoilt[i][0]] = spoilt[i][1];
		rec = look(&s, wait_word, place.words);
		if (shape_of(&rec) != HEADWAY_SHAPE_OTHER || owner_of(&rec))
			KTAP_FAIL("spoilt word %zu: shape %d, owner %u", i, shape_of(&rec),
				  owner_of(&rec));
		wake_word(&s);
	}
}

/* Nothing but the word could be read, as at the end of a mapping: no lock is there. */
KTAP_TEST(lonely_word)
{
	struct headway_surroundings around = { .nr_after = 4, .after = { 2 } };
	struct headway_thread_rec rec = {
		.wait_addr = 0x1000, .wait_op = FUTEX_WAIT,
		.wait_flags = HEADWAY_WAIT_OWNER_READ | HEADWAY_WAIT_PRIVATE,
	};

	headway_shape_recognise(&rec, &around);
	EXPECT_EQ(rec.wait_word, 2u);
	EXPECT_EQ(shape_of(&rec), HEADWAY_SHAPE_OTHER);
	EXPECT_EQ(owner_of(&rec), 0u);
}

/* A mutex with a ceiling has it in the upper bits of its word; to lock one takes privileges. */
KTAP_TEST(ceiling_is_not_part_of_the_word)
{
	struct headway_surroundings around = { .nr_after = sizeof(around.after) };
	uint32_t words[10] = { 5 << 19 | 2, 0, 77, 1, 64 };
	struct headway_thread_rec rec = {
		.wait_addr = 0x1000, .wait_op = FUTEX_WAIT,
		.wait_flags = HEADWAY_WAIT_OWNER_READ | HEADWAY_WAIT_PRIVATE,
	};

	memcpy(around.after, words, sizeof(words));
	headway_shape_recognise(&rec, &around);
	EXPECT_EQ(shape_of(&rec), HEADWAY_SHAPE_MUTEX);
	EXPECT_EQ(owner_of(&rec), 77u);
}

KTAP_MAIN("lockshape")

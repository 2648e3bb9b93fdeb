// SPDX-License-Identifier: GPL-2.0
// links: userspace/detect.c userspace/assess.c userspace/judge.c userspace/verdict_blocked.c
// links: userspace/verdict_retry.c userspace/verdict_storm.c userspace/window.c userspace/view.c
// links: userspace/contact.c userspace/mutexes.c userspace/graph.c userspace/finding.c
// links: userspace/futexword.c userspace/marks.c userspace/verdict_marker.c userspace/lockshape.c
// links: userspace/verdict_ownerless.c userspace/suspect.c
/*
 * detect_blocked_test.c - verdicts about threads that sleep: deadlock and stalled holder, and the
 * numbers in futex words that are no owners.
 */
#include "ktap.h"
#include "lockshape.h"
#include "stream.h"

#define W5 (5 * SECOND)

/* What the memory around the word says of a thread that is blocked. */
static void stream_shape(struct stream *s, uint32_t tid, enum headway_lock_shape shape,
			 uint32_t word, uint32_t owner)
{
	struct headway_thread_rec *t = &stream_thread(s, tid)->rec;

	t->wait_flags |= (uint32_t)shape << HEADWAY_WAIT_SHAPE_SHIFT;
	t->wait_word = word;
	t->wait_owner = owner;
}

static void run(struct stream *s, int ticks)
{
	for (int i = 0; i < ticks; i++)
		stream_tick(s);
}

KTAP_TEST(abba_deadlock)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_block(&s, 101, 0xb000, 102);
	stream_block(&s, 102, 0xa000, 101);
	run(&s, 4);
	EXPECT_EQ(stream_total(&s), 0u);
	run(&s, 4);
	EXPECT_ONLY(&s, HEADWAY_DEADLOCK);
	EXPECT_EQ((int)s.last.confidence, HEADWAY_CONFIRMED);
	EXPECT_EQ(s.last.latency_ns, W5);
	EXPECT_EQ(s.last.nr_actors, 2u);
	EXPECT_EQ(s.last.nr_locks, 2u);
	EXPECT_EQ(s.last.actors[0].waits[0].owner_tid, 102u);
	EXPECT_TRUE(s.last.actors[0].waits[0].blocked);
	EXPECT_EQ(stream_state(&s), HEADWAY_DEADLOCK);
	stream_end(&s);
}

KTAP_TEST(cycle_of_four_and_those_behind_it)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	for (uint32_t i = 0; i < 4; i++)
		stream_block(&s, 101 + i, 0xa000 + 64 * i, 101 + (i + 1) % 4);
	stream_block(&s, 110, 0xa000, 102);
	stream_block(&s, 111, 0xf000, 110);
	run(&s, 7);
	EXPECT_ONLY(&s, HEADWAY_DEADLOCK);
	EXPECT_EQ(s.last.actors_total, 6u);
	EXPECT_EQ((int)s.last.actors[3].role, HEADWAY_ROLE_MEMBER);
	EXPECT_EQ((int)s.last.actors[4].role, HEADWAY_ROLE_WAITER);
	stream_end(&s);
}

KTAP_TEST(two_cycles_are_two_findings)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_block(&s, 101, 0xb000, 102);
	stream_block(&s, 102, 0xa000, 101);
	stream_block(&s, 201, 0xd000, 202);
	stream_block(&s, 202, 0xc000, 201);
	run(&s, 7);
	EXPECT_EQ(s.announced[HEADWAY_DEADLOCK], 2u);
	EXPECT_EQ(stream_total(&s), 2u);
	stream_end(&s);
}

KTAP_TEST(locks_itself_twice)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_block(&s, 101, 0xa000, 101);
	run(&s, 7);
	EXPECT_EQ(s.announced[HEADWAY_DEADLOCK], 1u);
	EXPECT_EQ(s.last.nr_actors, 1u);
	EXPECT(strstr(s.last.advice[0], "second time"));
	stream_end(&s);
}

/* In a container glibc stores the tid of that namespace; the report names ours. */
KTAP_TEST(other_pid_namespace)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_block(&s, 101, 0xb000, 7);
	stream_block(&s, 102, 0xa000, 6);
	stream_thread(&s, 101)->rec.ns_tid = 6;
	stream_thread(&s, 102)->rec.ns_tid = 7;
	run(&s, 7);
	EXPECT_EQ(s.announced[HEADWAY_DEADLOCK], 1u);
	EXPECT_EQ(s.last.actors[0].waits[0].owner_tid, 102u);
	stream_end(&s);
}

/* 101 and 102 wait for each other; what lies behind a priority-inheriting word is no owner. */
static void block_on_pi_cycle(struct stream *s)
{
	stream_block(s, 101, 0xb000, 12345);
	stream_block(s, 102, 0xa000, 12345);
	for (uint32_t tid = 101; tid <= 102; tid++) {
		stream_thread(s, tid)->rec.wait_op = FUTEX_LOCK_PI;
		stream_thread(s, tid)->rec.wait_word = FUTEX_WAITERS | (203 - tid);
	}
}

KTAP_TEST(priority_inheriting_word_names_its_owner)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	block_on_pi_cycle(&s);
	run(&s, 7);
	EXPECT_EQ(s.announced[HEADWAY_DEADLOCK], 1u);
	stream_end(&s);
}

/* Each of these breaks the evidence in one way; none may be called a deadlock. */
static void expect_no_deadlock(void (*spoil)(struct stream *s), const char *what)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_block(&s, 101, 0xb000, 102);
	stream_block(&s, 102, 0xa000, 101);
	spoil(&s);
	run(&s, 9);
	if (s.announced[HEADWAY_DEADLOCK])
		KTAP_FAIL("a deadlock was said although %s", what);
	stream_end(&s);
}

static void with_timeout(struct stream *s)
{
	stream_thread(s, 102)->rec.wait_flags |= HEADWAY_WAIT_TIMEOUT;
}

static void with_odd_word(struct stream *s)
{
	stream_thread(s, 102)->rec.wait_word = 17;
}

static void with_stranger(struct stream *s)
{
	stream_thread(s, 102)->rec.wait_owner = 999;
}

static void with_other_process(struct stream *s)
{
	stream_process(s, 102, 200);
}

static void with_unread_owner(struct stream *s)
{
	stream_thread(s, 102)->rec.wait_flags &= ~(uint32_t)HEADWAY_WAIT_OWNER_READ;
}

static void with_vector(struct stream *s)
{
	stream_thread(s, 102)->rec.wait_flags |= HEADWAY_WAIT_VECTOR;
}

static void with_dead_owner(struct stream *s)
{
	stream_thread(s, 101)->alive = false;
}

static void with_other_shape(struct stream *s)
{
	stream_shape(s, 102, HEADWAY_SHAPE_OTHER, 2, 101);
}

static void with_condition(struct stream *s)
{
	stream_shape(s, 102, HEADWAY_SHAPE_COND_0, 2, 101);
}

static void with_other_op(struct stream *s)
{
	stream_thread(s, 102)->rec.wait_op = FUTEX_WAIT_REQUEUE_PI;
}

KTAP_TEST(weak_evidence_is_no_deadlock)
{
	expect_no_deadlock(with_timeout, "one wait has a timeout");
	expect_no_deadlock(with_odd_word, "the word is no glibc mutex");
	expect_no_deadlock(with_stranger, "the owner is no thread of the process");
	expect_no_deadlock(with_other_process, "the owner lives in another process");
	expect_no_deadlock(with_unread_owner, "the owner could not be read");
	expect_no_deadlock(with_vector, "it waits for several words");
	expect_no_deadlock(with_dead_owner, "one of them has ended");
	expect_no_deadlock(with_other_shape, "the memory around a word is no lock's");
	expect_no_deadlock(with_condition, "the word is a condition variable's");
	expect_no_deadlock(with_other_op, "the operation is not that of a mutex");
}

/* The same word in two processes: they can block each other when it is shared. */
KTAP_TEST(shared_memory_deadlock)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_block(&s, 101, 0xb000, 102);
	stream_block(&s, 102, 0xa000, 101);
	stream_process(&s, 102, 200);
	for (uint32_t tid = 101; tid <= 102; tid++)
		stream_thread(&s, tid)->rec.wait_flags &= ~(uint32_t)HEADWAY_WAIT_PRIVATE;
	run(&s, 7);
	EXPECT_EQ(s.announced[HEADWAY_DEADLOCK], 1u);
	stream_end(&s);
}

/* They block each other, but each for a moment only: that is contention. */
KTAP_TEST(short_waits_are_no_deadlock)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 12) {
		stream_block(&s, 101, 0xb000, 102);
		stream_block(&s, 102, 0xa000, 101);
		stream_pass(&s, 101, 0xb000, 50);
		stream_pass(&s, 102, 0xa000, 50);
	}
	EXPECT_EQ(stream_total(&s), 0u);
	EXPECT_LE(stream_state(&s), HEADWAY_CONTENDED);
	stream_end(&s);
}

KTAP_TEST(holder_reads_from_a_silent_pipe)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_thread(&s, 101)->syscall_nr = 0;
	for (uint32_t tid = 102; tid < 105; tid++)
		stream_block(&s, tid, 0xa000, 101);
	run(&s, 9);
	EXPECT_ONLY(&s, HEADWAY_STALLED_HOLDER);
	EXPECT_EQ((int)s.last.confidence, HEADWAY_CONFIRMED);
	EXPECT_EQ(s.last.actors[0].tid, 101u);
	EXPECT_EQ((int)s.last.actors[0].role, HEADWAY_ROLE_HOLDER);
	EXPECT_EQ(s.last.nr_actors, 4u);
	EXPECT(strstr(s.last.evidence[0], "@S0@"));
	stream_end(&s);
}

KTAP_TEST(chain_to_the_holder)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_thread(&s, 101)->syscall_nr = 0;
	stream_block(&s, 102, 0xa000, 101);
	stream_block(&s, 103, 0xb000, 102);
	stream_block(&s, 104, 0xc000, 103);
	run(&s, 9);
	EXPECT_ONLY(&s, HEADWAY_STALLED_HOLDER);
	EXPECT_EQ(s.last.actors[0].tid, 101u);
	EXPECT_EQ(s.last.nr_actors, 4u);
	EXPECT_EQ(s.last.nr_locks, 3u);
	stream_end(&s);
}

KTAP_TEST(holder_that_computes_is_likely)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_block(&s, 102, 0xa000, 101);
	stream_for_each_tick(&s, i, 9)
		stream_cpu(&s, 101, 1);
	EXPECT_EQ(s.announced[HEADWAY_STALLED_HOLDER], 1u);
	EXPECT_EQ((int)s.last.confidence, HEADWAY_LIKELY);
	EXPECT(strstr(s.last.evidence[0], "runs (100 % of one CPU)"));
	stream_end(&s);
}

KTAP_TEST(polled_holder)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_thread(&s, 101)->syscall_nr = 35;
	stream_for_each_tick(&s, i, 9)
		stream_fail(&s, 102, 0xa000, 101, 0, 100);
	EXPECT_ONLY(&s, HEADWAY_STALLED_HOLDER);
	EXPECT_EQ((int)s.last.confidence, HEADWAY_LIKELY);
	stream_end(&s);
}

/* It tries for what its waiter holds, only too rarely for a retrier: one side of a livelock. */
KTAP_TEST(holder_that_tries_is_not_stalled)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_for_each_tick(&s, i, 12) {
		stream_fail(&s, 102, 0xa000, 101, 0xb000, 100);
		if (i % 4 == 0)
			stream_fail(&s, 101, 0xb000, 102, 0xa000, 1);
	}
	EXPECT_EQ(s.announced[HEADWAY_STALLED_HOLDER], 0u);
	stream_end(&s);
}

/* Others get the lock while one sleeps a whole window: it starves, the holder does not stall. */
KTAP_TEST(lock_that_moves_has_no_stalled_holder)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_block(&s, 102, 0xa000, 101);
	stream_for_each_tick(&s, i, 9) {
		stream_pass(&s, 101, 0xa000, 20);
		stream_pass(&s, 103, 0xa000, 20);
	}
	EXPECT_EQ(s.announced[HEADWAY_STALLED_HOLDER], 0u);
	EXPECT_EQ(s.announced[HEADWAY_STARVATION], 1u);
	stream_end(&s);
}

KTAP_TEST(resolved_deadlock_clears)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_block(&s, 101, 0xb000, 102);
	stream_block(&s, 102, 0xa000, 101);
	run(&s, 6);
	EXPECT_EQ(stream_state(&s), HEADWAY_DEADLOCK);
	/* Somebody killed one of them. */
	stream_kill(&s, 102);
	stream_unblock(&s, 101);
	stream_for_each_tick(&s, i, 3)
		stream_commit(&s, 101, 0xa000, 5);
	EXPECT_EQ(stream_state(&s), HEADWAY_HEALTHY);
	EXPECT_EQ(stream_total(&s), 1u);
	stream_end(&s);
}

/* More threads than a finding can list: one finding, and the rest is counted. */
KTAP_TEST(long_chain)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	for (uint32_t i = 0; i < STREAM_THREADS - 1; i++)
		stream_block(&s, 102 + i, 0xa000 + 64 * i, 101 + i);
	stream_thread(&s, 101)->syscall_nr = 0;
	run(&s, 6);
	EXPECT_ONLY(&s, HEADWAY_STALLED_HOLDER);
	EXPECT_EQ(s.last.actors[0].tid, 101u);
	EXPECT_EQ(s.last.nr_actors, (unsigned int)HEADWAY_FINDING_ACTORS);
	EXPECT_EQ(s.last.actors_total, (unsigned int)STREAM_THREADS);
	stream_end(&s);
}

/* Two that each have one lock for writing and want the other's; a reader is behind them. */
KTAP_TEST(rwlock_deadlock)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_block(&s, 101, 0xb00c, 0);
	stream_block(&s, 102, 0xa00c, 0);
	stream_block(&s, 103, 0xa008, 0);
	stream_shape(&s, 101, HEADWAY_SHAPE_RWLOCK_WRITERS, 3, 102);
	stream_shape(&s, 102, HEADWAY_SHAPE_RWLOCK_WRITERS, 3, 101);
	stream_shape(&s, 103, HEADWAY_SHAPE_RWLOCK_PHASE, 8 | 3, 101);
	run(&s, 7);
	EXPECT_EQ(s.announced[HEADWAY_DEADLOCK], 1u);
	EXPECT_EQ(stream_total(&s), 1u);
	EXPECT_EQ(s.last.nr_actors, 3u);
	EXPECT_EQ(s.last.nr_locks, 2u);
	EXPECT_EQ(s.last.locks[0].addr, 0xb000u);
	EXPECT_EQ(s.last.locks[1].addr, 0xa000u);
	EXPECT_STREQ(headway_finding_lock_kind(&s.last, &s.last.locks[0]), "pthread_rwlock");
	EXPECT_EQ(s.last.actors[2].waits[0].lock, 0xa000u);
	stream_end(&s);
}

/* Somebody reads, and it cannot be told who: nobody is accused. */
KTAP_TEST(readers_are_not_named)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_thread(&s, 101);
	stream_block(&s, 102, 0xa008, 0);
	stream_shape(&s, 102, HEADWAY_SHAPE_RWLOCK_PHASE, 2 << 3 | 2, 0);
	run(&s, 9);
	EXPECT_EQ(s.announced[HEADWAY_UNDETERMINED], 1u);
	EXPECT_EQ(stream_total(&s), 1u);
	EXPECT_EQ(stream_state(&s), HEADWAY_UNDETERMINED);
	EXPECT_EQ(s.last.nr_actors, 1u);
	EXPECT_EQ(s.last.locks[0].addr, 0xa000u);
	EXPECT_EQ(s.last.locks[0].owner_tid, 0u);
	EXPECT(strstr(s.last.evidence[0], "2 threads have for reading"));
	EXPECT(strstr(s.last.advice[0], "--progress"));
	stream_end(&s);
}

/* Writers hand the lock to each other at a word of their own; the reader just does not get it. */
KTAP_TEST(reader_behind_passing_writers)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_block(&s, 102, 0xa008, 0);
	for (int i = 0; i < 9; i++) {
		stream_shape(&s, 102, HEADWAY_SHAPE_RWLOCK_PHASE, 8 | 3, 101 + 2 * (i & 1));
		stream_pass(&s, 101, 0xa00c, 20);
		stream_pass(&s, 103, 0xa00c, 20);
		stream_tick(&s);
	}
	EXPECT_EQ(stream_total(&s), 0u);
	stream_end(&s);
}

KTAP_TEST(holder_waits_on_a_condition)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_block(&s, 101, 0xc028, 0);
	stream_shape(&s, 101, HEADWAY_SHAPE_COND_0, 0, 0);
	stream_block(&s, 102, 0xa000, 101);
	run(&s, 7);
	EXPECT_EQ(s.announced[HEADWAY_STALLED_HOLDER], 1u);
	EXPECT_EQ(stream_total(&s), 1u);
	EXPECT(strstr(s.last.evidence[0], "waits on a condition variable, @Lc000@; who would "
					  "signal it is not observable"));
	EXPECT(strstr(s.last.advice[0], "--progress"));
	stream_end(&s);
}

/* A pool without work: that is idle, with a word about who might be missing. */
KTAP_TEST(waiting_for_a_signal_is_idle)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	for (uint32_t tid = 101; tid < 104; tid++) {
		stream_block(&s, tid, 0xc028, 0);
		stream_shape(&s, tid, HEADWAY_SHAPE_COND_0, 0, 0);
	}
	run(&s, 9);
	EXPECT_EQ(stream_total(&s), 0u);
	EXPECT_EQ(stream_state(&s), HEADWAY_IDLE);
	EXPECT(strstr(headway_detect_assessment(s.detect)->reason,
		      "3 threads wait, each on a condition variable"));
	EXPECT(strstr(headway_detect_assessment(s.detect)->advice, "--attempt"));
	stream_end(&s);
}

/* What the kernel refused: who waits for it will never be woken, and the cycle is closed. */
KTAP_TEST(refused_mutex_closes_the_cycle)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	block_on_pi_cycle(&s);
	stream_thread(&s, 102)->rec.wait_flags |= HEADWAY_WAIT_REFUSED;
	run(&s, 7);
	EXPECT_EQ(s.announced[HEADWAY_DEADLOCK], 1u);
	EXPECT(strstr(s.last.evidence[1], "was refused @La000@ by the kernel"));
	stream_end(&s);
}

/* Two processes have one lock at two addresses: it is one lock, and both wait for its owner. */
KTAP_TEST(shared_lock_at_two_addresses)
{
	struct stream s;

	stream_begin(&s, W5, SECOND);
	stream_thread(&s, 101)->syscall_nr = 0;
	stream_block(&s, 102, 0xa000, 101);
	stream_block(&s, 202, 0xf000, 101);
	stream_process(&s, 202, 200);
	for (uint32_t tid = 102; tid <= 202; tid += 100) {
		stream_thread(&s, tid)->rec.wait_flags &= ~(uint32_t)HEADWAY_WAIT_PRIVATE;
		stream_thread(&s, tid)->wait_object = 7;
	}
	run(&s, 9);
	EXPECT_EQ(s.announced[HEADWAY_STALLED_HOLDER], 1u);
	EXPECT_EQ(stream_total(&s), 1u);
	EXPECT_EQ(s.last.nr_actors, 3u);
	EXPECT_EQ(s.last.nr_locks, 1u);
	EXPECT_EQ(s.last.locks[0].addr, 0xa000u);
	EXPECT(strstr(s.last.evidence[3], "on 0xa000 of process 100, which thread 101"));
	stream_end(&s);
}

KTAP_MAIN("detect_blocked")

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stream.h - snapshot streams for tests of the verdict engine: what threads do is told second by
 * second, the counters that the probes would have counted follow from it.
 *
 * Invariant: a test says what happened in an interval, then stream_tick() ends the interval; so a
 * stream can never contain what the probes could not have recorded.
 */
#ifndef HEADWAY_TESTS_STREAM_H
#define HEADWAY_TESTS_STREAM_H

#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>

#include "detect.h"

enum { STREAM_THREADS = 64, STREAM_LOCKS = 256, STREAM_MARKERS = 8, STREAM_MARKS = 128 };

#define SECOND 1000000000ull

struct stream {
	struct headway_detect *detect;
	struct headway_snapshot snap;
	struct headway_snap_thread threads[STREAM_THREADS];
	struct headway_snap_lock locks[STREAM_LOCKS];
	struct headway_snap_marker markers[STREAM_MARKERS];
	struct headway_snap_mark marks[STREAM_MARKS];
	uint64_t interval_ns;
	/* Everything that was announced. */
	unsigned int announced[HEADWAY_NR_VERDICTS];
	struct headway_finding last;	/* the last one announced */
	uint64_t last_at_ns;		/* when, since the beginning */
	uint64_t began_ns;
	int error;			/* of the last feed */
};

static inline void stream_end(struct stream *s)
{
	headway_detect_free(s->detect);
	s->detect = NULL;
}

static inline int stream_by_tid(const void *a, const void *b)
{
	const struct headway_snap_thread *x = a, *y = b;

	return (x->rec.tid > y->rec.tid) - (x->rec.tid < y->rec.tid);
}

static inline int stream_by_key(const void *a, const void *b)
{
	const struct headway_lock_key *x = &((const struct headway_snap_lock *)a)->key;
	const struct headway_lock_key *y = &((const struct headway_snap_lock *)b)->key;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->addr > y->addr) - (x->addr < y->addr);
}

/* The thread, born now if there is none. tgid 100 unless stream_process() says otherwise. */
static inline struct headway_snap_thread *stream_thread(struct stream *s, uint32_t tid)
{
	struct headway_snap_thread *t;

	for (size_t i = 0; i < s->snap.nr_threads; i++)
		if (s->threads[i].rec.tid == tid)
			return &s->threads[i];
	if (s->snap.nr_threads == STREAM_THREADS)
		abort();
	t = &s->threads[s->snap.nr_threads++];
	memset(t, 0, sizeof(*t));
	t->rec.tid = t->rec.ns_tid = tid;
	t->rec.tgid = t->rec.ns_tgid = 100;
	t->rec.start_ns = t->rec.first_ns = s->snap.time_ns;
	strcpy(t->rec.comm, "actor");
	t->state = 'S';
	t->syscall_nr = -2;
	t->alive = true;
	return t;
}

static inline void stream_process(struct stream *s, uint32_t tid, uint32_t tgid)
{
	stream_thread(s, tid)->rec.tgid = tgid;
}

/* The thread ends and its records go, as the probes do it. */
static inline void stream_kill(struct stream *s, uint32_t tid)
{
	size_t out = 0;

	for (size_t i = 0; i < s->snap.nr_threads; i++)
		if (s->threads[i].rec.tid != tid)
			s->threads[out++] = s->threads[i];
	s->snap.nr_threads = out;
	out = 0;
	for (size_t i = 0; i < s->snap.nr_locks; i++)
		if (s->locks[i].key.tid != tid)
			s->locks[out++] = s->locks[i];
	s->snap.nr_locks = out;
	out = 0;
	for (size_t i = 0; i < s->snap.nr_marks; i++)
		if (s->marks[i].tid != tid)
			s->marks[out++] = s->marks[i];
	s->snap.nr_marks = out;
}

static inline struct headway_lock_rec *stream_lock(struct stream *s, uint32_t tid, uint32_t kind,
						   uint64_t addr)
{
	struct headway_snap_lock *l;

	stream_thread(s, tid);
	for (size_t i = 0; i < s->snap.nr_locks; i++) {
		l = &s->locks[i];
		if (l->key.tid == tid && l->key.kind == kind && l->key.addr == addr)
			return &l->rec;
	}
	if (s->snap.nr_locks == STREAM_LOCKS)
		abort();
	l = &s->locks[s->snap.nr_locks++];
	memset(l, 0, sizeof(*l));
	l->key.tid = tid;
	l->key.kind = kind;
	l->key.addr = addr;
	l->rec.first_ns = s->snap.time_ns;
	l->rec.fail_stack = -1;
	return &l->rec;
}

/* A marker is watched from now on, in the process of this thread; it may stay silent. */
static inline void stream_watch(struct stream *s, uint32_t tid, uint32_t marker, uint32_t role)
{
	struct headway_snap_mark *m = &s->marks[s->snap.nr_marks];

	stream_thread(s, tid);
	for (size_t i = 0; i < s->snap.nr_marks; i++)
		if (s->marks[i].tid == tid && s->marks[i].marker == marker)
			return;
	if (marker >= STREAM_MARKERS || s->snap.nr_marks == STREAM_MARKS)
		abort();
	if (marker >= s->snap.nr_markers)
		s->snap.nr_markers = marker + 1;
	s->markers[marker].role = role;
	s->markers[marker].attached = true;
	strcpy(s->markers[marker].name, role == HEADWAY_MARKER_PROGRESS ? "done" : "begin");
	*m = (struct headway_snap_mark){ .tid = tid, .marker = marker };
	s->snap.nr_marks++;
}

static inline void stream_mark(struct stream *s, uint32_t tid, uint32_t marker, uint32_t role,
			       uint64_t n)
{
	stream_watch(s, tid, marker, role);
	for (size_t i = 0; i < s->snap.nr_marks; i++)
		if (s->marks[i].tid == tid && s->marks[i].marker == marker) {
			s->marks[i].rec.count += n;
			s->marks[i].rec.last_ns = s->snap.time_ns + s->interval_ns / 2;
		}
	s->snap.counters[HEADWAY_CNT_EVENTS] += n;
}

static inline void stream_events(struct stream *s, uint64_t n)
{
	s->snap.counters[HEADWAY_CNT_EVENTS] += n;
}

/* n tries of `lock` fail; `owner` has it. held 0: nothing held, so no episode is rolled back. */
static inline void stream_fail(struct stream *s, uint32_t tid, uint64_t lock, uint32_t owner,
			       uint64_t held, uint64_t n)
{
	struct headway_thread_rec *t = &stream_thread(s, tid)->rec;
	struct headway_lock_rec *l = stream_lock(s, tid, HEADWAY_KIND_PTHREAD_MUTEX, lock);
	uint64_t gap = s->interval_ns / n;

	t->try_fail += n;
	if (l->try_fail && l->fail_owner != owner)
		l->fail_owner_changes++;
	l->fail_interval_sum_ns += (l->try_fail ? n : n - 1) * gap;
	l->fail_interval_min_ns = gap;
	l->fail_interval_max_ns = gap;
	l->try_fail += n;
	l->fail_owner = owner;
	l->fail_last_ns = l->last_ns = s->snap.time_ns + s->interval_ns / 2;
	l->fail_held_addr = held;
	if (held) {
		stream_lock(s, tid, HEADWAY_KIND_PTHREAD_MUTEX, held)->try_ok += n;
		t->try_ok += n;
		t->aborts += n;
		l->fail_holding += n;
	}
	stream_events(s, 2 * n);
}

static inline void stream_commit(struct stream *s, uint32_t tid, uint64_t lock, uint64_t n)
{
	struct headway_thread_rec *t = &stream_thread(s, tid)->rec;

	stream_lock(s, tid, HEADWAY_KIND_PTHREAD_MUTEX, lock)->try_ok += n;
	t->try_ok += n;
	t->commits += n;
	t->last_commit_ns = s->snap.time_ns + s->interval_ns / 2;
	stream_events(s, 2 * n);
}

/* Goes to sleep on a glibc mutex now and stays there. */
static inline void stream_block(struct stream *s, uint32_t tid, uint64_t addr, uint32_t owner)
{
	struct headway_thread_rec *t = &stream_thread(s, tid)->rec;

	t->wait_addr = addr;
	t->wait_since_ns = s->snap.time_ns;
	t->wait_op = FUTEX_WAIT;
	t->wait_word = 2;
	t->wait_owner = owner;
	t->wait_flags = HEADWAY_WAIT_PRIVATE | HEADWAY_WAIT_OWNER_READ;
	stream_events(s, 1);
}

static inline void stream_unblock(struct stream *s, uint32_t tid)
{
	stream_thread(s, tid)->rec.wait_addr = 0;
}

/* n contended lock/unlock pairs with pthread_mutex_lock. */
static inline void stream_pass(struct stream *s, uint32_t tid, uint64_t addr, uint64_t n)
{
	struct headway_lock_rec *l = stream_lock(s, tid, HEADWAY_KIND_FUTEX, addr);
	struct headway_thread_rec *t = &stream_thread(s, tid)->rec;

	l->wait_ok += n;
	l->wakes += n;
	l->woken += n;
	t->futex_waits += n;
	t->futex_wakes += n;
	stream_events(s, 4 * n);
}

/* Used `share` of a CPU in this interval. */
static inline void stream_cpu(struct stream *s, uint32_t tid, double share)
{
	struct headway_snap_thread *t = stream_thread(s, tid);

	t->cpu_ns += (uint64_t)(share * (double)s->interval_ns);
	t->state = share > 0.5 ? 'R' : 'S';
}

static inline int stream_state(const struct stream *s)
{
	return (int)headway_detect_assessment(s->detect)->state;
}

static inline int stream_by_mark(const void *a, const void *b)
{
	const struct headway_snap_mark *x = a, *y = b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return (x->marker > y->marker) - (x->marker < y->marker);
}

/* Feeds what there is now, without moving time. */
static inline void stream_feed(struct stream *s)
{
	const struct headway_finding *f;
	size_t nr;

	qsort(s->threads, s->snap.nr_threads, sizeof(s->threads[0]), stream_by_tid);
	qsort(s->locks, s->snap.nr_locks, sizeof(s->locks[0]), stream_by_key);
	qsort(s->marks, s->snap.nr_marks, sizeof(s->marks[0]), stream_by_mark);
	s->error = headway_detect_feed(s->detect, &s->snap);
	nr = headway_detect_findings(s->detect, &f);
	for (size_t i = 0; i < nr; i++) {
		s->announced[f[i].verdict]++;
		s->last = f[i];
		s->last_at_ns = s->snap.time_ns - s->began_ns;
	}
}

/* The watch begins with nothing seen yet, as it does before COMMAND runs. */
static inline void stream_begin(struct stream *s, uint64_t window_ns, uint64_t interval_ns)
{
	struct headway_detect_options o = { .window_ns = window_ns, .interval_ns = interval_ns };

	memset(s, 0, sizeof(*s));
	s->detect = headway_detect_new(&o);
	s->interval_ns = interval_ns;
	s->snap.time_ns = 1000 * SECOND;
	s->began_ns = s->snap.time_ns;
	s->snap.threads = s->threads;
	s->snap.locks = s->locks;
	s->snap.markers = s->markers;
	s->snap.marks = s->marks;
	stream_feed(s);
}

/* Ends the interval. */
static inline void stream_tick(struct stream *s)
{
	s->snap.time_ns += s->interval_ns;
	stream_feed(s);
}

static inline unsigned int stream_total(const struct stream *s)
{
	unsigned int n = 0;

	for (int v = 0; v < HEADWAY_NR_VERDICTS; v++)
		n += s->announced[v];
	return n;
}

/* Two threads, two locks, opposite orders, n rounds each. */
static inline void stream_abba(struct stream *s, uint64_t n)
{
	stream_fail(s, 101, 0xb000, 102, 0xa000, n);
	stream_fail(s, 102, 0xa000, 101, 0xb000, n);
}

/* What happens in each of the @n intervals that come next; @i counts them. */
#define stream_for_each_tick(s, i, n) \
	for (int i = 0; i < (n); stream_tick(s), i++)

/* One finding was announced, and that is it. */
#define EXPECT_ONLY(s, verdict) do { \
	EXPECT_EQ((s)->announced[verdict], 1u); \
	EXPECT_EQ(stream_total(s), 1u); \
} while (0)

/* None was announced, and this is how things stand. */
#define EXPECT_NONE(s, verdict) do { \
	EXPECT_EQ(stream_total(s), 0u); \
	EXPECT_EQ(stream_state(s), verdict); \
} while (0)

#endif /* HEADWAY_TESTS_STREAM_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * window.h - the last W seconds of snapshots, and what changed in them. PURE.
 *
 * The ring owns deep copies, so that a caller may reuse its snapshot. A view is computed from the
 * ring and borrows nothing from it but the slots, so it must be freed before the next push.
 */
#ifndef HEADWAY_WINDOW_H
#define HEADWAY_WINDOW_H

#include "mutexes.h"
#include "snapshot.h"

enum { HEADWAY_WINDOW_SLOTS = 64 };	/* an interval is one bit of a uint64_t */

struct headway_window {
	uint64_t window_ns;
	uint64_t interval_ns;
	size_t head;			/* the oldest slot */
	size_t nr;
	struct headway_snapshot slots[HEADWAY_WINDOW_SLOTS];
};

/* One (thread, word) over the window. */
struct headway_contact {
	struct headway_lock_key key;
	struct headway_lock_rec now;	/* newest record */
	struct headway_lock_rec delta;	/* counters only: how much they grew */
	size_t actor;			/* index in view->actors */
	uint64_t wins;			/* times that it was got, as far as it can be told */
	uint64_t fail_mask;		/* bit per interval with a failure of its own */
	uint32_t owner;			/* ns_tid seen last, 0 none */
	bool owner_constant;		/* every sample of the window saw that owner */
	bool is_mutex;			/* has, or had, a plausible owner while someone slept */
};

/* One thread over the window. */
struct headway_actor {
	struct headway_snap_thread now;	/* newest; alive = false once it left the snapshots */
	struct headway_thread_rec delta;/* counters only */
	uint64_t cpu_ns;		/* in the window */
	double cpu_share;		/* of one CPU */
	bool whole;			/* there since the window began (or within one interval) */
	uint64_t try_mask;		/* bit per interval with a failure of its own */
	uint32_t off_cpu_samples;	/* slots in which it was seen asleep */
	uint32_t samples;		/* slots in which it was seen at all */
	size_t first_contact;
	size_t nr_contacts;
	uint64_t fail_holding;		/* sums over its contacts, in the window */
	uint64_t wait_returns;
	uint64_t wait_eagain;
	uint64_t wait_timeout;		/* these two at mutexes only: elsewhere one idles so */
	uint64_t lost_races;
	uint64_t wins;			/* futex words got, as far as it can be told */
	uint64_t progress;		/* progress markers passed in the window */
	uint64_t tries;			/* attempt markers passed */
	uint64_t tries_mask;		/* bit per interval in which it passed one */
	uint64_t last_progress_ns;	/* CLOCK_MONOTONIC, 0 never */
	uint64_t last_try_ns;
};

/* One (thread, marker) over the window. */
struct headway_passage {
	size_t actor;
	uint32_t marker;
	uint32_t role;			/* enum headway_marker_role */
	uint64_t count;			/* in the window */
};

/* One process in which markers are watched, over the window. */
struct headway_marked {
	uint32_t tgid;
	bool progress_watched;
	bool attempts_watched;
	uint64_t progress;
	uint64_t attempts;
	size_t best;			/* the actor with most progress */
	uint64_t best_progress;
};

struct headway_view {
	uint64_t start_ns;
	uint64_t end_ns;
	bool full;			/* covers window_ns */
	size_t nr_slots;
	const struct headway_snapshot *slots[HEADWAY_WINDOW_SLOTS];	/* oldest first */
	uint64_t interval_ns;
	size_t nr_actors;
	struct headway_actor *actors;	/* sorted by (tid, start_ns) */
	size_t *by_ns;			/* actor indices sorted by (tgid, ns_tid, start_ns) */
	size_t nr_contacts;
	struct headway_contact *contacts;	/* sorted by (tid, kind, addr) */
	size_t nr_passages;
	struct headway_passage *passages;	/* grouped by actor */
	size_t nr_marked;
	struct headway_marked *marked;	/* sorted by tgid */
	uint64_t counters[HEADWAY_NR_COUNTERS];	/* growth in the window */
	uint64_t left_out;		/* processes without room, the most at one time */
	uint32_t missing_probes;
	bool rested;			/* the probes did, in some of it */
	bool tries_rested;		/* those of trylock did */
	const struct headway_mutexes *mutexes;	/* known from before; may be NULL */
};

static inline int headway_compare_keys(const struct headway_lock_key *a,
				       const struct headway_lock_key *b)
{
	if (a->tid != b->tid)
		return a->tid < b->tid ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	return 0;
}

static inline int headway_compare_marks(const struct headway_snap_mark *a,
					const struct headway_snap_mark *b)
{
	if (a->tid != b->tid)
		return a->tid < b->tid ? -1 : 1;
	return (a->marker > b->marker) - (a->marker < b->marker);
}

/* A record that was made anew (thread or key reused) starts from 0 again, never wraps. */
static inline uint64_t headway_grown(uint64_t now, uint64_t base)
{
	return now >= base ? now - base : now;
}

int headway_window_init(struct headway_window *w, uint64_t window_ns, uint64_t interval_ns);
/* -EINVAL when time does not advance or an array is not sorted; the ring is then as before. */
int headway_window_push(struct headway_window *w, const struct headway_snapshot *snap);
bool headway_window_full(const struct headway_window *w);
void headway_window_free(struct headway_window *w);

/* NULL when it is not in that snapshot. */
const struct headway_snap_thread *headway_snap_find_thread(const struct headway_snapshot *s,
							   uint32_t tid);
const struct headway_snap_lock *headway_snap_find_lock(const struct headway_snapshot *s,
						       const struct headway_lock_key *key);

/*
 * The futex wait that a thread is in, or was in last: its record with wait_addr filled in for the
 * latter too. False when it cannot be told. (The other wait_ fields keep their values after a wait;
 * only wait_addr is cleared.) before: the snapshot before, to see what was waited for since.
 */
bool headway_snap_wait(const struct headway_snapshot *s, const struct headway_snapshot *before,
		       const struct headway_snap_thread *t, struct headway_thread_rec *out);

/* The last `intervals` intervals, or the whole window with 0. Needs two slots: -EAGAIN. */
int headway_view_build(struct headway_view *v, const struct headway_window *w,
		       const struct headway_mutexes *mutexes, size_t intervals);
/* Part of headway_view_build(): everything per (thread, word), summed per thread. */
int headway_view_collect_contacts(struct headway_view *v);
/* The same for markers (marks.c). */
int headway_view_collect_marks(struct headway_view *v);
/* NULL: no marker is watched in that process. */
const struct headway_marked *headway_view_marked(const struct headway_view *v, uint32_t tgid);
void headway_view_free(struct headway_view *v);
double headway_view_seconds(const struct headway_view *v);
/* Index of the newest thread with this id, -1 when there is none. */
long headway_view_find_tid(const struct headway_view *v, uint32_t tid);
long headway_view_find_ns(const struct headway_view *v, uint32_t tgid, uint32_t ns_tid);
const struct headway_contact *headway_view_contact(const struct headway_view *v, uint32_t tid,
						   uint32_t kind, uint64_t addr);
/*
 * The owner of the word a thread sleeps on, when it is certain enough to draw an edge: the word
 * looks like a glibc mutex and the owner is a thread of the same process (or, for a process-shared
 * word, of another watched one). -1 otherwise.
 */
long headway_view_wait_owner(const struct headway_view *v, const struct headway_thread_rec *rec);
/*
 * The thread of the same process whose end this one waits for, as pthread_join() does: at the word
 * that the kernel wakes then, which has that thread's id. -1 otherwise.
 */
long headway_view_joined(const struct headway_view *v, const struct headway_thread_rec *rec);
/*
 * Is the word with an owner, that this thread waits or waited on, a mutex? A lock for reading and
 * writing is none: who was woken there and waits again may well have read in between.
 */
bool headway_view_is_mutex(const struct headway_thread_rec *rec);
/* Tries that did not get this word. */
uint64_t headway_contact_fails(const struct headway_contact *c);
/* Completions of an actor: commits at trylock sites, and futex words got. */
uint64_t headway_actor_completions(const struct headway_actor *a);
/*
 * Those that are a sign of progress: none where failed tries are not seen. Not even those by
 * trylock: Java's machine takes a lock of its own so with each park().
 */
uint64_t headway_actor_gains(const struct headway_actor *a);
/* Tries that did not get what they wanted. */
uint64_t headway_actor_fails(const struct headway_actor *a);
/* All tries: those that failed, and those whose success is a sign of progress. */
uint64_t headway_actor_attempts(const struct headway_actor *a);

#endif /* HEADWAY_WINDOW_H */

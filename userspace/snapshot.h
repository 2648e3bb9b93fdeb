/* SPDX-License-Identifier: GPL-2.0 */
/*
 * snapshot.h - what the probes saw, at one instant: the only input of the verdict engine.
 *
 * probe.c fills it from the BPF maps and /proc; detect.c (PURE) reads it; a recording is a stream
 * of these. Arrays are sorted: threads by tid, locks by (tid, kind, addr), marks by (tid, marker);
 * these keys are unique.
 *
 * Markers are those that the user named and those that the target's own binaries carry. A process
 * in which a marker is watched has a mark of it for its first thread, of count 0 if need be: one
 * that is watched and silent says something, one that is not there says nothing.
 *
 * A thread that has ended is reported until its counts are final, once or twice, with alive false
 * and the same start_ns; its locks come with it. A wait that has lasted has a lock record, all zero
 * if no call on that word has returned yet, for the sake of its stack.
 */
#ifndef HEADWAY_SNAPSHOT_H
#define HEADWAY_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "headway_abi.h"

struct headway_snap_thread {
	struct headway_thread_rec rec;
	uint64_t cpu_ns;		/* user + system time so far; 0 when not readable */
	/* Frame pointer at an open wait, to unwind it; 0 unknown. A goroutine: its descriptor. */
	uint64_t wait_bp;
	/* The lock it waits for, one number in all processes that share it; 0 not shared. */
	uint64_t wait_object;
	uint64_t exit_word;		/* futex word that the kernel clears and wakes at its end */
	int32_t syscall_nr;		/* as in /proc/PID/syscall; -1 running, -2 unknown */
	char state;			/* R S D T Z X as in /proc/PID/task/TID/stat, '?' unknown */
	bool alive;
	/*
	 * Its program tries locks in code of its own, so failed tries are not seen: that it got
	 * locks, or hands the interpreter's lock on, says nothing about progress.
	 */
	bool tries_hidden;
};

struct headway_snap_lock {
	struct headway_lock_key key;
	struct headway_lock_rec rec;
};

/* What is counted; its number is its place in the array, and stays the same in later snapshots. */
struct headway_snap_marker {
	uint32_t role;			/* enum headway_marker_role */
	bool automatic;			/* found in a binary of the target (headway/sdt.h) */
	bool attached;			/* it was watched in some target, at least once */
	char name[HEADWAY_MARKER_NAME_LEN];	/* as the user gave it; terminated */
};

struct headway_snap_mark {
	uint32_t tid;
	uint32_t marker;
	struct headway_mark_rec rec;
};

struct headway_snapshot {
	uint64_t time_ns;		/* CLOCK_MONOTONIC */
	size_t nr_threads;
	struct headway_snap_thread *threads;
	size_t nr_locks;
	struct headway_snap_lock *locks;
	size_t nr_markers;
	struct headway_snap_marker *markers;
	size_t nr_marks;
	struct headway_snap_mark *marks;
	uint64_t counters[HEADWAY_NR_COUNTERS];	/* summed over CPUs */
	/* Of the time until now, in how much of it the probes did not count: see rest.h. */
	uint64_t rested_ns;
	uint64_t tries_rested_ns;	/* trylock alone, which may overlap */
	uint64_t left_out;		/* processes that should be watched: there is no room */
	uint32_t missing_probes;	/* bit per enum headway_probe_id not attached */
	bool target_exited;
};

/* What could not be observed limits what may be said: see detect.c. */
enum headway_probe_id {
	HEADWAY_PROBE_FUTEX,
	HEADWAY_PROBE_FUTEX_WAITV,	/* 5.16 */
	HEADWAY_PROBE_FUTEX2,		/* futex_wait, futex_wake: 6.7 */
	HEADWAY_PROBE_YIELD,
	HEADWAY_PROBE_SLEEP,
	HEADWAY_PROBE_EXIT,
	HEADWAY_PROBE_TRYLOCK,		/* uprobe pair on pthread_mutex_trylock */
	HEADWAY_PROBE_MARKERS,		/* all that the user named */
	HEADWAY_NR_PROBES,
};

/* For people, and in recordings. probe_name.c. */
const char *headway_probe_name(enum headway_probe_id id);

#endif /* HEADWAY_SNAPSHOT_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * headway_abi.h - the one record format shared by the BPF programs and the tool.
 *
 * Everything is fixed width with explicit padding; both sides assert the sizes, so a layout
 * change that only one of them was compiled for cannot pass unnoticed. A change of meaning or
 * layout raises HEADWAY_ABI_VERSION (recordings carry it).
 *
 * Counters only grow while a key lives; readers take differences between two snapshots. Each
 * record has one writer, the thread it describes, so plain increments are enough.
 */
#ifndef HEADWAY_ABI_H
#define HEADWAY_ABI_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* Enums, not macros: BPF programs and bpftrace users see them through BTF. */
enum headway_abi_limits {
	HEADWAY_ABI_VERSION = 3,
	HEADWAY_COMM_LEN = 16,
	HEADWAY_HELD_MAX = 8,		/* locks a thread is seen to hold; overflow is counted */
	HEADWAY_STACK_DEPTH = 32,
	HEADWAY_MAX_THREADS = 16384,
	HEADWAY_MAX_LOCKS = 65536,
	HEADWAY_MAX_STACKS = 16384,
	HEADWAY_MAX_MARKERS = 64,
	HEADWAY_MAX_MARKS = 16384,	/* (thread, marker) pairs */
	HEADWAY_MARKER_NAME_LEN = 128,
};

enum headway_lock_kind {
	HEADWAY_KIND_FUTEX = 1,		/* a futex word; may or may not be a glibc mutex */
	HEADWAY_KIND_PTHREAD_MUTEX = 2,	/* seen at pthread_mutex_trylock: the address is a mutex */
	HEADWAY_KIND_PTHREAD_RWLOCK = 3,	/* in findings only */
};

/*
 * Goroutines are recorded as threads are, under ids that no thread has: bit 31, then which of the
 * watched Go programs, then the low bits of the goroutine's id.
 */
enum headway_goroutine_id {
	HEADWAY_GOROUTINE = 0x80000000,
	HEADWAY_GOROUTINE_SLOTS = 8,
	HEADWAY_GOROUTINE_SLOT_SHIFT = 28,
	HEADWAY_GOROUTINE_MASK = 0x0fffffff,
};

/*
 * One per thread. start_ns tells a reused tid apart.
 * An episode runs from nothing held to nothing held, as seen at trylock sites: an abort is an
 * episode whose last try failed while another lock was held and that was then rolled back; a
 * commit is a wanted lock that was got while holding another, or a one-lock episode that ended
 * without a failure.
 */
struct headway_thread_rec {
	__u64 start_ns;			/* task->start_boottime, in steps of 10 ms as in /proc */
	__u32 tid;			/* in the tool's pid namespace: as the user sees it */
	__u32 tgid;
	__u32 ns_tid;			/* in the target's own pid namespace: what glibc stores */
	__u32 ns_tgid;
	char comm[HEADWAY_COMM_LEN];
	__u64 first_ns;			/* CLOCK_MONOTONIC, ns */
	__u64 last_ns;
	__u64 yields;			/* sched_yield calls */
	__u64 sleeps;			/* nanosleep and clock_nanosleep calls */
	__u64 futex_waits;		/* FUTEX_WAIT* calls that returned */
	__u64 futex_wakes;		/* FUTEX_WAKE* calls */
	__u64 try_ok;			/* pthread_mutex_trylock that returned 0 */
	__u64 try_fail;			/* ... that returned EBUSY */
	__u64 aborts;			/* episodes rolled back after a failed try */
	__u64 commits;			/* episodes that got what they wanted */
	__u64 last_commit_ns;
	__u64 last_abort_ns;
	/* The futex wait that the thread sleeps in now; wait_addr 0 = none. */
	__u64 wait_addr;
	__u64 wait_since_ns;		/* not before; of the last one when it sleeps in none */
	__u32 wait_op;			/* FUTEX_CMD_MASK applied */
	__u32 wait_word;		/* the word's value at the snapshot */
	__u32 wait_owner;		/* u32 at word + 8: a glibc mutex owner, or noise */
	__u32 wait_flags;		/* enum headway_wait_flags */
	/* Held set, pruned by re-reading owners at every trylock. */
	__u32 nr_held;
	__u32 episode_failed;		/* the last try of the open episode failed */
	__u64 held[HEADWAY_HELD_MAX];
};

enum headway_wait_flags {
	HEADWAY_WAIT_PRIVATE = 1,	/* FUTEX_PRIVATE_FLAG: the address is the identity */
	HEADWAY_WAIT_TIMEOUT = 2,	/* a timeout was given: the thread will wake by itself */
	HEADWAY_WAIT_OWNER_READ = 4,	/* wait_word and wait_owner could be read */
	HEADWAY_WAIT_VECTOR = 8,	/* futex_waitv: wait_addr is the first word */
	HEADWAY_WAIT_REFUSED = 16,	/* see futex.bpf.h: the kernel refused it this mutex */
	HEADWAY_WAIT_SHAPE_SHIFT = 8,	/* 4 bits: what lock it is (lockshape.h) */
	HEADWAY_WAIT_SHAPE = 0xf00,
};

/* One per (thread, word). */
struct headway_lock_key {
	__u64 addr;
	__u32 tid;
	__u32 kind;			/* enum headway_lock_kind */
};

struct headway_lock_rec {
	__u64 first_ns;
	__u64 last_ns;
	__u64 try_ok;
	__u64 try_fail;
	__u64 fail_holding;		/* tries that failed while the thread held another lock */
	__u64 wait_ok;			/* futex waits that returned 0 */
	__u64 wait_eagain;
	__u64 wait_timeout;
	__u64 wait_intr;		/* EINTR and restarts */
	__u64 wait_other;
	__u64 wait_ns;			/* of finished waits, where they are timed; else 0 */
	__u64 lost_races;		/* woken, then waits again, no own wake between */
	__u64 wakes;			/* FUTEX_WAKE calls on this word */
	__u64 woken;			/* threads those calls woke */
	/* Failed tries, for the wait-for graph and the retry period. */
	__u64 fail_last_ns;
	__u64 fail_interval_sum_ns;	/* between consecutive failures, */
	__u64 fail_interval_min_ns;	/* 0 until there are two */
	__u64 fail_interval_max_ns;
	__u64 fail_held_addr;		/* a lock that was held at the last failure, or 0 */
	__u32 fail_owner;		/* ns_tid of the owner read at the last failure, or 0 */
	__s32 fail_stack;		/* stack id at the last failure or wait, < 0: none */
	__u32 fail_owner_changes;	/* failures whose owner was not the one before */
	__u32 pad;
};

/*
 * Markers: places in the target that tell of progress, or of an attempt at it, because somebody
 * who knows the program said so.
 */
enum headway_marker_role {
	HEADWAY_MARKER_PROGRESS = 1,
	HEADWAY_MARKER_ATTEMPT = 2,
};

/* One per (thread, marker). */
struct headway_mark_rec {
	__u64 count;
	__u64 first_ns;			/* CLOCK_MONOTONIC */
	__u64 last_ns;
};

/* Per-CPU array `counters`: nothing is dropped without being counted here. */
enum headway_counter {
	HEADWAY_CNT_EVENTS,		/* probe hits on watched threads */
	HEADWAY_CNT_LOST_THREADS,	/* thread map full */
	HEADWAY_CNT_LOST_LOCKS,		/* lock map full */
	HEADWAY_CNT_LOST_STACKS,	/* stack id collision (EEXIST) */
	HEADWAY_CNT_STACK_FAULT,	/* user stack not readable (EFAULT): not a loss of counts */
	HEADWAY_CNT_OWNER_FAULT,	/* owner word not readable */
	HEADWAY_CNT_HELD_OVERFLOW,	/* more than HEADWAY_HELD_MAX locks held */
	HEADWAY_CNT_UNMATCHED_EXIT,	/* exit without an enter: attached in mid call */
	HEADWAY_CNT_LOST_RINGBUF,	/* rare-evidence record dropped */
	HEADWAY_CNT_LOST_MARKS,		/* mark map full */
	HEADWAY_CNT_LOST_PROCESSES,	/* target map full */
	HEADWAY_CNT_TRIES,		/* returns of trylock: not a loss */
	HEADWAY_NR_COUNTERS,
};

/* Ring buffer: rare evidence only. The end of a thread is marked in its record. */
enum headway_event_type {
	HEADWAY_EVENT_PROCESS_EXIT = 2,
	HEADWAY_EVENT_EXEC = 3,
	HEADWAY_EVENT_FORK = 4,
};

struct headway_event {
	__u32 type;			/* enum headway_event_type */
	__u32 tid;			/* fork: the child's tgid */
	__u32 tgid;			/* initial pid namespace, as tid */
	__u32 arg;			/* fork: the child's tgid in the tool's pid namespace */
	__u64 time_ns;
};

_Static_assert(sizeof(struct headway_thread_rec) == 240, "headway_thread_rec layout");
_Static_assert(sizeof(struct headway_lock_key) == 16, "headway_lock_key layout");
_Static_assert(sizeof(struct headway_lock_rec) == 168, "headway_lock_rec layout");
_Static_assert(sizeof(struct headway_mark_rec) == 24, "headway_mark_rec layout");
_Static_assert(sizeof(struct headway_event) == 24, "headway_event layout");

#endif /* HEADWAY_ABI_H */

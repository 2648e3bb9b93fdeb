/* SPDX-License-Identifier: GPL-2.0 */
/*
 * headway_state.h - what the BPF maps hold, beyond the records of headway_abi.h.
 *
 * Private to the BPF programs and to the loader (userspace/probe*.c), which are always built
 * together: recordings and the verdict engine never see it, so it may change at will.
 *
 * Tids are used again, under a storm of short threads before their records were read. The keys
 * therefore carry the low bits of the task's start time as well as the tid: two threads never
 * share a record, and the counts of a thread that has ended stay exact until they were reported.
 */
#ifndef HEADWAY_STATE_H
#define HEADWAY_STATE_H

#include "headway_abi.h"

enum headway_state_limits {
	HEADWAY_MAX_TARGETS = 4096,
	HEADWAY_MAX_HINTS = 16384,	/* (process, tid) pairs that others found to own a mutex */
	HEADWAY_HINTS = 4,		/* mutexes remembered for each */
	HEADWAY_RING_BYTES = 256 * 1024,
	HEADWAY_MAX_TIMES = 16384,	/* (process, word) pairs that were waited at */
	HEADWAY_TIMES_BUCKETS = 32,
	HEADWAY_START_SHIFT = 23,	/* start time in units of 8.4 ms */
	HEADWAY_KIND_BITS = 8,		/* lock key: kind, then 24 bits of start time */
	HEADWAY_START_MASK = 0xffffff,
	HEADWAY_THREAD_SLOTS = 16384,	/* powers of two */
	HEADWAY_LOCK_SLOT_BITS = 14,
	HEADWAY_LOCK_SLOTS = 1 << HEADWAY_LOCK_SLOT_BITS,
};

/* Initial pid namespace tid, and start_boottime >> HEADWAY_START_SHIFT, 24 bits. */
struct headway_thread_key {
	__u32 tid;
	__u32 start;
};

/* Who is watched besides the processes that were named. */
enum headway_group {
	HEADWAY_GROUP_NONE,
	HEADWAY_GROUP_CGROUP,		/* and what is below it */
	HEADWAY_GROUP_ALL,
};

/* Written by the thread it describes only; the loader reads it and deletes it when it has ended. */
struct headway_thread_state {
	struct headway_thread_rec rec;
	__u64 events;			/* probe hits */
	__u64 exited_ns;		/* 0 while it lives */
	__u64 exec_ns;			/* last exec: older lock records are void */
	__u64 refused_addr;		/* the mutex that the kernel refused last, or 0 */
	__u64 woken_addr;		/* woken from there, no wake of its own on it since */
	__u64 call_since_ns;		/* futex calls that are timed: when it began */
	/* Pairing of trylock entry and return. */
	__u64 try_addr;
	__u64 goroutine;		/* its descriptor's address; 0: a thread */
	__u64 go_mutex;			/* in its slow path */
	__u32 episode_locks;		/* most locks held at once in the open episode */
	__u32 tries_epoch;		/* of trylock.bpf.h, when it tried last */
};

/* A place belongs to whoever claimed it, 0: to nobody. Multiples of a cache line. */
struct headway_thread_slot {
	__u64 claim;
	struct headway_thread_state st;
	__u64 pad[7];
};

struct headway_lock_slot {
	__u64 claim;			/* all of the key but the address, which is set last */
	__u64 addr;
	struct headway_lock_rec rec;
	__u64 pad[1];
};

static inline __u32 headway_thread_place(const struct headway_thread_key *key)
{
	return key->tid & (HEADWAY_THREAD_SLOTS - 1);
}

static inline __u64 headway_thread_claim(const struct headway_thread_key *key)
{
	return key->tid | (__u64)key->start << 32;
}

static inline __u32 headway_lock_place(const struct headway_lock_key *key)
{
	__u32 hash = (__u32)(key->addr >> 2) * 0x9e3779b1u + key->tid * 0x85ebca6bu;

	return hash >> (32 - HEADWAY_LOCK_SLOT_BITS);
}

static inline __u64 headway_lock_claim(const struct headway_lock_key *key)
{
	return key->tid | (__u64)key->kind << 32;
}

/* Key of the hints: who was seen to own a mutex, as glibc stores it. */
struct headway_hint_key {
	__u32 tgid;			/* as in the thread's record */
	__u32 ns_tid;
};

/* Key of the marks: the thread's key, and which marker it passed. */
struct headway_mark_key {
	__u32 tid;
	__u32 start;
	__u32 marker;
};

struct headway_times_key {
	__u64 addr;
	__u32 tgid;			/* in the tool's pid namespace */
	__u32 pad;
};

/* Bucket k: waits of 2^k to 2^(k+1) ns, the first from 0, the last without end. */
struct headway_times_rec {
	__u64 buckets[HEADWAY_TIMES_BUCKETS];
};

/* What the iterator headway_pids writes. */
struct headway_pid_pair {
	__u32 tool_pid;			/* in the tool's pid namespace */
	__u32 key_tgid;			/* in the initial one */
};

/* What the iterator headway_tasks writes: what /proc/PID/task/TID would say of a thread. */
struct headway_task_rec {
	__u64 start_ns;			/* task->start_boottime, in steps of 10 ms */
	__u64 cpu_ns;			/* user + system time, as in schedstat */
	__u64 args[6];			/* valid when syscall_nr >= 0 */
	__u64 sp;
	__u64 pc;
	__u64 exit_word;		/* task->clear_child_tid */
	__u64 bp;
	__u64 asleep_ns;		/* CLOCK_MONOTONIC, about; 0 unknown */
	/* Of its record in `threads`, at the same moment; 0 when it has none. */
	__u64 last_ns;
	__u64 woken_addr;
	__u64 refused_addr;
	__u64 word_addr;		/* 0: not read */
	__u32 word[3];			/* what is there; __owner of a glibc mutex comes last */
	__u32 pad;
	__u32 tid;			/* in the tool's pid namespace */
	__u32 tgid;
	__u32 ns_tid;			/* in its own */
	__u32 ns_tgid;
	__u32 state;			/* task->__state */
	__u32 exit_state;
	__s32 syscall_nr;		/* -1 when it runs */
	__u32 pad2;
	char comm[HEADWAY_COMM_LEN];
};

struct headway_hint {
	__u64 addr[HEADWAY_HINTS];
	__u32 next;
	__u32 pad;
};

_Static_assert(sizeof(struct headway_thread_key) == 8, "headway_thread_key layout");
_Static_assert(sizeof(struct headway_thread_state) ==
	       sizeof(struct headway_thread_rec) + 80, "headway_thread_state layout");
_Static_assert(sizeof(struct headway_thread_slot) % 64 == 0, "headway_thread_slot layout");
_Static_assert(sizeof(struct headway_lock_slot) % 64 == 0, "headway_lock_slot layout");
_Static_assert(sizeof(struct headway_pid_pair) == 8, "headway_pid_pair layout");
_Static_assert(sizeof(struct headway_task_rec) == 200, "headway_task_rec layout");
_Static_assert(sizeof(struct headway_mark_key) == 12, "headway_mark_key layout");
_Static_assert(sizeof(struct headway_times_key) == 16, "headway_times_key layout");
_Static_assert(sizeof(struct headway_hint) == 40, "headway_hint layout");

#endif /* HEADWAY_STATE_H */

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
	HEADWAY_START_SHIFT = 23,	/* start time in units of 8.4 ms */
	HEADWAY_KIND_BITS = 8,		/* lock key: kind, then 24 bits of start time */
	HEADWAY_START_MASK = 0xffffff,
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

enum headway_call_class {
	HEADWAY_CALL_NONE,
	HEADWAY_CALL_WAIT,
	HEADWAY_CALL_WAKE,
	HEADWAY_CALL_OTHER,
};

/* Written by the thread it describes only; the loader reads it and deletes it when it has ended. */
struct headway_thread_state {
	struct headway_thread_rec rec;
	__u64 events;			/* probe hits */
	__u64 exited_ns;		/* 0 while it lives */
	__u64 exec_ns;			/* last exec: older lock records are void */
	/* Pairing of futex enter and exit. */
	__u64 call_addr;
	__u64 call_since_ns;
	__u32 call_class;		/* enum headway_call_class */
	__u32 call_op;			/* FUTEX_CMD_MASK applied; of a wait */
	__u64 refused_addr;		/* the mutex that the kernel refused last, or 0 */
	__u64 woken_addr;		/* woken from there, no wake of its own on it since */
	__u64 wait_bp;			/* frame pointer at the wait, for the unwinder */
	/* Pairing of trylock entry and return. */
	__u64 try_addr;
	__u64 goroutine;		/* its descriptor's address; 0: a thread */
	__u32 episode_locks;		/* most locks held at once in the open episode */
	__u32 pad;
};

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
	__u32 tid;			/* in the tool's pid namespace */
	__u32 tgid;
	__u32 ns_tid;			/* in its own */
	__u32 ns_tgid;
	__u32 state;			/* task->__state */
	__u32 exit_state;
	__s32 syscall_nr;		/* -1 when it runs */
	__u32 pad;
	char comm[HEADWAY_COMM_LEN];
};

struct headway_hint {
	__u64 addr[HEADWAY_HINTS];
	__u32 next;
	__u32 pad;
};

_Static_assert(sizeof(struct headway_thread_key) == 8, "headway_thread_key layout");
_Static_assert(sizeof(struct headway_thread_state) ==
	       sizeof(struct headway_thread_rec) + 96, "headway_thread_state layout");
_Static_assert(sizeof(struct headway_pid_pair) == 8, "headway_pid_pair layout");
_Static_assert(sizeof(struct headway_task_rec) == 136, "headway_task_rec layout");
_Static_assert(sizeof(struct headway_mark_key) == 12, "headway_mark_key layout");
_Static_assert(sizeof(struct headway_hint) == 40, "headway_hint layout");

#endif /* HEADWAY_STATE_H */

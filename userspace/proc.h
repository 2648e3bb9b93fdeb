/* SPDX-License-Identifier: GPL-2.0 */
/*
 * proc.h - what /proc tells about processes and their threads. Reads only; every call may find
 * that its subject has just gone (-ESRCH).
 */
#ifndef HEADWAY_PROC_H
#define HEADWAY_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "headway_abi.h"

enum headway_proc_syscall {
	HEADWAY_PROC_RUNNING = -1,	/* on a CPU, or blocked outside a system call */
	HEADWAY_PROC_UNKNOWN = -2,	/* not permitted, or not offered by this kernel */
};

struct headway_proc_thread {
	pid_t tid;
	char comm[HEADWAY_COMM_LEN];
	char state;			/* R S D T t Z X I */
	uint64_t start_ns;		/* since boot, in steps of 10 ms */
	uint64_t cpu_ns;
	int32_t syscall_nr;		/* or enum headway_proc_syscall */
	uint64_t args[6];		/* valid when syscall_nr >= 0 */
	uint64_t sp;
	uint64_t pc;
};

/* The process that a thread id belongs to (any thread's id is accepted), or -ESRCH. */
pid_t headway_proc_tgid(pid_t pid);
/* Does this thread, which has not ended, run a program? Those of the kernel do not. */
bool headway_proc_is_program(pid_t tid);
/* State and start time of a process's leader. */
int headway_proc_process(pid_t pid, struct headway_proc_thread *out);
/*
 * A thread that has not ended: the leader, or another one when that is a zombie, whose mappings,
 * root and memory read as absent. -ESRCH: none.
 */
pid_t headway_proc_live_tid(pid_t pid);
/* Descriptor of /proc/PID/task, for the two calls below. */
int headway_proc_task_open(pid_t pid);
int headway_proc_thread(int task_fd, pid_t tid, struct headway_proc_thread *out);
/* Tids of all threads, ascending, in an array that the caller frees. */
int headway_proc_tids(int task_fd, pid_t **tids, size_t *n);
/* The id that a thread has in its own, innermost pid namespace: what glibc stores as owner. */
pid_t headway_proc_ns_tid(int task_fd, pid_t tid);
/* The user that it works as, -1 when it is gone. */
long headway_proc_euid(pid_t pid);
/* May its memory be read? */
bool headway_proc_readable(pid_t pid);
/* The executable is a 32-bit ELF file: its system calls are not the ones we trace. */
bool headway_proc_is_32bit(pid_t pid);
struct headway_proc_mapping {
	uint64_t start;
	uint64_t end;
	uint64_t offset;		/* of start, in the object that is mapped */
	uint64_t device;
	uint64_t inode;
	bool shared;			/* MAP_SHARED */
};

/* Is there a mapping for which want() is true? 0; -ENOENT: no, or they cannot be read. */
int headway_proc_find_mapping(pid_t tid,
			      bool (*want)(void *ctx, const struct headway_proc_mapping *m),
			      void *ctx);
/* Inode of a namespace link, e.g. ("self", "pid"); 0 when not readable. */
uint32_t headway_proc_ns_ino(const char *pid, const char *ns);
/*
 * Memory of another process; the number of bytes read or a negative errno. Any thread's id will do,
 * and a leader that has ended will not.
 */
ssize_t headway_proc_memory(pid_t tid, uint64_t addr, void *buf, size_t len);
enum { HEADWAY_PROC_PIECES = 64 };
/*
 * Pieces of @len bytes in one call, HEADWAY_PROC_PIECES at most. Return: how many of them, from the
 * first on, could be read.
 */
size_t headway_proc_pieces(pid_t tid, const uint64_t *addrs, size_t nr, void *buf, size_t len);

/*
 * Where a thread sleeps in the kernel, innermost function first, a line each: "a+0x1/0x2[module]".
 * 0 or a negative errno; "" for one that runs. Needs root.
 */
int headway_proc_kernel_stack(pid_t tid, char *text, size_t len);

#endif /* HEADWAY_PROC_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * probe_unwind.h - the stack of a thread that stays blocked, by call frame information.
 *
 * glibc and the distributions' libraries keep no frame pointers, so the kernel's stack walk at a
 * FUTEX_WAIT skips the function that called pthread_mutex_lock: the very one that people ask for.
 * The target is not stopped and no register is fetched: a thread in a system call has its sp and
 * pc in /proc, and its frame pointer in the probe's record.
 */
#ifndef HEADWAY_PROBE_UNWIND_H
#define HEADWAY_PROBE_UNWIND_H

#include <stdint.h>
#include <sys/types.h>

#include "symbolize.h"

struct headway_unwind_start {
	pid_t pid;
	pid_t tid;
	uint64_t pc;
	uint64_t sp;
	uint64_t bp;			/* 0: not known, and the walk ends where it is needed */
};

/* Frames innermost first; their number, 0 when nothing could be told. */
int headway_unwind(struct headway_symbolizer *s, const struct headway_unwind_start *start,
		   uint64_t *ips, int max);

#endif /* HEADWAY_PROBE_UNWIND_H */

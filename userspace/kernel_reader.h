/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kernel_reader.h - where a watch of the kernel gets what it judges: headway.ko's files and the
 * threads that they name, as they are now (kernel_live.h) or as a recording has them
 * (kernel_tape.h).
 */
#ifndef HEADWAY_KERNEL_READER_H
#define HEADWAY_KERNEL_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "headway_abi.h"
#include "logfmt.h"

enum { HEADWAY_KERNEL_STACK_TEXT = 8192 };

struct headway_kernel_thread {
	char comm[HEADWAY_COMM_LEN];
	char state;			/* R S D T t Z X I */
	uint32_t tgid;			/* 0: unknown */
	char stack[HEADWAY_KERNEL_STACK_TEXT];	/* where it sleeps, a line each; "" unknown */
};

/* All that return an int return 0 or a negative errno; error() then says what happened. */
struct headway_kernel_reader {
	/* Begins a look; the boot clock. */
	uint64_t (*look)(void *ctx);
	/* Names, for headway_kernelfs_free_names(). -ENOENT: the module is not there. */
	int (*list)(void *ctx, bool loops, char ***names, size_t *nr);
	/* A file of a domain or a loop. -ENOENT: it is gone. */
	int (*read)(void *ctx, bool is_loop, const char *name, const char *file,
		    struct headway_text *text);
	/* The same of arbiters, which have no verdict: NULL in a recording, which has none. */
	int (*list_arbiters)(void *ctx, char ***names, size_t *nr);
	int (*read_arbiter)(void *ctx, const char *name, const char *file,
			    struct headway_text *text);
	/* -ESRCH: it has ended. */
	int (*thread)(void *ctx, pid_t tid, struct headway_kernel_thread *t);
	const char *(*error)(void *ctx);
	void *ctx;
};

#endif /* HEADWAY_KERNEL_READER_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * kernel_live.c - headway.ko's files in debugfs, and the threads that they name, as they are now.
 */
#define _GNU_SOURCE
#include "kernel_live.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "proc.h"

static uint64_t boot_ns(void *ctx)
{
	struct timespec t;

	(void)ctx;
	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static int list(void *ctx, bool loops, char ***names, size_t *nr)
{
	struct headway_kernel_live *live = ctx;

	return loops ? headway_kernelfs_loops(&live->kfs, names, nr) :
		       headway_kernelfs_domains(&live->kfs, names, nr);
}

/* What debugfs says of a file that is taken away while it is open. */
static int or_gone(int err)
{
	return err == -EIO || err == -ENODEV ? -ENOENT : err;
}

static int read_file(void *ctx, bool is_loop, const char *name, const char *file,
		     struct headway_text *text)
{
	struct headway_kernel_live *live = ctx;

	return or_gone(is_loop ? headway_kernelfs_read_loop(&live->kfs, name, file, text) :
				 headway_kernelfs_read(&live->kfs, name, file, text));
}

static int list_arbiters(void *ctx, char ***names, size_t *nr)
{
	struct headway_kernel_live *live = ctx;

	return headway_kernelfs_arbiters(&live->kfs, names, nr);
}

static int read_arbiter(void *ctx, const char *name, const char *file, struct headway_text *text)
{
	struct headway_kernel_live *live = ctx;

	return or_gone(headway_kernelfs_read_arbiter(&live->kfs, name, file, text));
}

static int ask_thread(void *ctx, pid_t tid, struct headway_kernel_thread *t)
{
	struct headway_proc_thread leader;
	pid_t tgid;
	int err = headway_proc_process(tid, &leader);

	(void)ctx;
	if (err)
		return err;
	memcpy(t->comm, leader.comm, sizeof(t->comm));
	t->state = leader.state;
	tgid = headway_proc_tgid(tid);
	t->tgid = tgid > 0 ? (uint32_t)tgid : 0;
	if (headway_proc_kernel_stack(tid, t->stack, sizeof(t->stack)))
		t->stack[0] = '\0';
	return 0;
}

static const char *error(void *ctx)
{
	struct headway_kernel_live *live = ctx;

	return live->kfs.error;
}

int headway_kernel_live_open(struct headway_kernel_live *live)
{
	return headway_kernelfs_open(&live->kfs, NULL);
}

int headway_kernel_live_check(struct headway_kernel_live *live, const char *name)
{
	char **names;
	bool found = false;
	size_t nr;
	int err = headway_kernelfs_loops(&live->kfs, &names, &nr);

	if (err)
		return err;
	for (size_t i = 0; i < nr && !found; i++)
		found = !strcmp(names[i], name);
	headway_kernelfs_free_names(names);
	return found ? 0 : headway_kernelfs_check_domain(&live->kfs, name);
}

struct headway_kernel_reader headway_kernel_live_reader(struct headway_kernel_live *live)
{
	return (struct headway_kernel_reader){
		.look = boot_ns, .list = list, .read = read_file,
		.list_arbiters = list_arbiters, .read_arbiter = read_arbiter, .thread = ask_thread,
		.error = error, .ctx = live,
	};
}

void headway_kernel_live_close(struct headway_kernel_live *live)
{
	headway_kernelfs_close(&live->kfs);
}

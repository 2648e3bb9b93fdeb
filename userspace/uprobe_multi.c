// SPDX-License-Identifier: GPL-2.0
/*
 * uprobe_multi.c - one link for many sites of a file.
 *
 * Neither the kernel headers nor the libbpf of Debian 12 know of it, so the system call is made
 * here.
 */
#define _GNU_SOURCE
#include "uprobe_multi.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

/* include/uapi/linux/bpf.h of 6.6 */
enum { TRACE_UPROBE_MULTI = 48, UPROBE_MULTI_RETURN = 1 };

enum { CLOSERS = 16 };		/* threads, with the caller */

/* union bpf_attr there, .link_create with .uprobe_multi: the numbers are the kernel's interface. */
struct link_create {
	uint32_t prog_fd;
	uint32_t target_fd;
	uint32_t attach_type;
	uint32_t flags;
	uint64_t path;
	uint64_t offsets;
	uint64_t ref_ctr_offsets;
	uint64_t cookies;
	uint32_t cnt;
	uint32_t multi_flags;
	uint32_t pid;
	uint32_t unused;
};

_Static_assert(sizeof(struct link_create) == 64, "the kernel's layout");

static int create(int prog_fd, struct link_create *attr)
{
	long fd;

	attr->prog_fd = (uint32_t)prog_fd;
	attr->attach_type = TRACE_UPROBE_MULTI;
	fd = syscall(SYS_bpf, BPF_LINK_CREATE, attr, sizeof(*attr));
	return fd < 0 ? -errno : (int)fd;
}

int headway_uprobe_multi_prepare(struct bpf_program *prog)
{
	return bpf_program__set_expected_attach_type(prog,
						     (enum bpf_attach_type)TRACE_UPROBE_MULTI);
}

int headway_uprobe_multi_link(const struct bpf_program *prog, pid_t pid, const char *path,
			      const uint64_t *offsets, const uint64_t *cookies, uint32_t nr,
			      bool ret)
{
	struct link_create attr = {
		.path = (uintptr_t)path,
		.offsets = (uintptr_t)offsets,
		.cookies = (uintptr_t)cookies,
		.cnt = nr,
		.multi_flags = ret ? UPROBE_MULTI_RETURN : 0,
		.pid = (uint32_t)pid,
	};

	return create(bpf_program__fd(prog), &attr);
}

/* `return 0` */
static int load_nothing(void)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = (enum bpf_attach_type)TRACE_UPROBE_MULTI);

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, NULL, "GPL", insns,
			     sizeof(insns) / sizeof(insns[0]), &opts);
}

/*
 * Before about 6.10 (and the stable kernels that took "bpf: fix multi-uprobe PID filtering logic")
 * the filter compared the thread and not the process: other threads of a target would not
 * be seen. That commit is also the one that refuses a negative pid with EINVAL; before it, such a
 * process was looked for, in vain (ESRCH), and only after the path (EBADF: a directory).
 */
bool headway_uprobe_multi_usable(void)
{
	uint64_t offset = 0;
	struct link_create attr = {
		.path = (uintptr_t)"/",
		.offsets = (uintptr_t)&offset,
		.cnt = 1,
	};
	int prog_fd = load_nothing(), known, filters;

	if (prog_fd < 0)
		return false;
	known = create(prog_fd, &attr);
	attr.pid = (uint32_t)-1;
	filters = create(prog_fd, &attr);
	close(prog_fd);
	return known == -EBADF && filters == -EINVAL;
}

struct closing {
	const int *fds;
	size_t nr;
	atomic_size_t next;
};

static void *close_some(void *arg)
{
	struct closing *c = arg;
	size_t i;

	while ((i = c->next++) < c->nr)
		if (c->fds[i] >= 0)
			close(c->fds[i]);
	return NULL;
}

void headway_uprobe_multi_close(const int *fds, size_t nr)
{
	struct closing c = { .fds = fds, .nr = nr };
	pthread_t threads[CLOSERS - 1];
	sigset_t all, before;
	size_t open = 0, n = 0;

	for (size_t i = 0; i < nr; i++)
		open += fds[i] >= 0;
	/* Signals are for the thread that waits for them. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	while (n < CLOSERS - 1 && n + 1 < open &&
	       !pthread_create(&threads[n], NULL, close_some, &c))
		n++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close_some(&c);
	while (n)
		pthread_join(threads[--n], NULL);
}

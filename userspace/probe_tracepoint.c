// SPDX-License-Identifier: GPL-2.0
/*
 * probe_tracepoint.c - attach to the syscalls: tracepoints and to the process events.
 *
 * A syscalls: tracepoint is opened by its id, which only tracefs tells. It may not be mounted, and
 * nothing may be left mounted: fsopen and fsmount make a mount that is reachable through its
 * descriptor alone and is gone when that is closed (Linux 5.2; fs/namespace.c).
 */
#define _GNU_SOURCE
#include "probe_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

static const struct {
	const char *event;
	const char *program;
	enum headway_probe_id id;
	bool times;			/* for wait_times only */
} tracepoints[] = {
	{ "sys_enter_futex", "headway_futex_enter", HEADWAY_PROBE_FUTEX, true },
	{ "sys_enter_futex_waitv", "headway_futex_enter", HEADWAY_PROBE_FUTEX_WAITV, true },
	{ "sys_enter_futex_wait", "headway_futex_enter", HEADWAY_PROBE_FUTEX2, true },
	{ "sys_exit_futex", "headway_futex_exit", HEADWAY_PROBE_FUTEX, false },
	{ "sys_exit_futex_waitv", "headway_futex_waitv_exit", HEADWAY_PROBE_FUTEX_WAITV, false },
	{ "sys_exit_futex_wait", "headway_futex2_wait_exit", HEADWAY_PROBE_FUTEX2, false },
	{ "sys_exit_futex_wake", "headway_futex2_wake_exit", HEADWAY_PROBE_FUTEX2, false },
	{ "sys_exit_sched_yield", "headway_yield_exit", HEADWAY_PROBE_YIELD, false },
	{ "sys_exit_nanosleep", "headway_sleep_exit", HEADWAY_PROBE_SLEEP, false },
	{ "sys_exit_clock_nanosleep", "headway_sleep_exit", HEADWAY_PROBE_SLEEP, false },
};

static const struct {
	const char *event;
	const char *program;
} process_events[] = {
	{ "sched_process_exit", "headway_exit" },
	{ "sched_process_exec", "headway_exec" },
	{ "sched_process_fork", "headway_fork" },
};

static int tracefs_mounted(const char *path)
{
	struct statfs fs;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (!fstatfs(fd, &fs) && fs.f_type == TRACEFS_MAGIC)
		return fd;
	close(fd);
	return -ENOENT;
}

static int tracefs_detached(void)
{
	int fs, mnt = -1, err = 0;

	/* glibc has had wrappers since 2.36 only */
	fs = syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	if (!syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		mnt = syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
	if (mnt < 0)
		err = -errno;
	close(fs);
	return err ? err : mnt;
}

int headway_probe_tracefs(void)
{
	int fd = tracefs_mounted("/sys/kernel/tracing"), err;

	if (fd >= 0)
		return fd;
	err = tracefs_detached();
	if (err >= 0)
		return err;
	/* Last, because looking there may trigger an automount. */
	fd = tracefs_mounted("/sys/kernel/debug/tracing");
	return fd >= 0 ? fd : err;
}

int headway_probe_tracepoint_id(int tracefs, const char *category, const char *event)
{
	char path[320], buf[16];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "events/%s/%s/id", category, event);
	fd = openat(tracefs, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	buf[n] = '\0';
	return atoi(buf);
}

static int link_id(struct headway_probe *p, int id, const char *program, uint64_t cookie,
		   struct bpf_link **link)
{
	LIBBPF_OPTS(bpf_perf_event_opts, opts, .bpf_cookie = cookie);
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = id,
	};
	int fd, err;

	/*
	 * Any CPU that is online will do: the program hangs on the tracepoint and not on the event
	 * (perf_event_attach_bpf_prog in kernel/trace/bpf_trace.c), so it runs on all of them.
	 */
	fd = syscall(SYS_perf_event_open, &attr, -1, sched_getcpu(), -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	*link = bpf_program__attach_perf_event_opts(headway_probe_program(p, program), fd, &opts);
	err = libbpf_get_error(*link);
	if (err) {
		close(fd);
		/*
		 * We were let in, so this is no matter of permission: the program reads beyond the
		 * event's record (__perf_event_set_bpf_prog() in kernel/events/core.c).
		 */
		return err == -EACCES ? -EPROTO : err;
	}
	return 0;		/* the link owns fd */
}

int headway_probe_attach_id(struct headway_probe *p, int id, const char *program, uint64_t cookie)
{
	struct bpf_link *link = NULL;
	int err = link_id(p, id, program, cookie, &link);

	return err ? err : headway_probe_keep_link(p, link);
}

/* What the error of headway_probe_attach_id() means. */
static const char *attach_error(int err)
{
	return err == -EPROTO ? "its record is shorter than the kernel's BTF says" :
				strerror(-err);
}

static int optional(struct headway_probe *p, enum headway_probe_id id, int err, const char *what)
{
	if (err == -ENOENT) {
		/* The system call does not exist here, so nothing stays unseen. */
		snprintf(p->reason[id], sizeof(p->reason[id]),
			 "this kernel has no such system call: nothing to observe");
		return 0;
	}
	p->missing |= 1u << id;
	snprintf(p->reason[id], sizeof(p->reason[id]), "cannot attach to %s: %s", what,
		 attach_error(err));
	return 0;
}

static int failed(struct headway_probe *p, enum headway_probe_id id, int err, const char *what)
{
	if (id != HEADWAY_PROBE_FUTEX && id != HEADWAY_PROBE_YIELD)
		return optional(p, id, err, what);
	if (err == -ENOENT)
		return headway_probe_fail(p, -EOPNOTSUPP,
			"this kernel has no tracepoint syscalls:%s: use a kernel with CONFIG_FTRACE_SYSCALLS",
			what);
	if (err == -EPERM || err == -EACCES)
		return headway_probe_fail(p, -EPERM,
			"not permitted to attach to syscalls:%s: run as root, or with CAP_BPF and CAP_PERFMON",
			what);
	if (err == -EPROTO)
		return headway_probe_fail(p, err,
			"cannot attach to syscalls:%s: %s; is HEADWAY_BTF, if set, of this very kernel? If so, report this with the event's file 'format' in tracefs",
			what, attach_error(err));
	return headway_probe_fail(p, err, "cannot attach to syscalls:%s: %s", what, strerror(-err));
}

static int link_raw(struct headway_probe *p, const char *event, const char *program,
		    struct bpf_link **link)
{
	*link = bpf_program__attach_raw_tracepoint(headway_probe_program(p, program), event);
	return (int)libbpf_get_error(*link);
}

int headway_probe_attach_raw(struct headway_probe *p, const char *event, const char *program)
{
	struct bpf_link *link;
	int err = link_raw(p, event, program, &link);

	return err ? err : headway_probe_keep_link(p, link);
}

static int attach_by_id(struct headway_probe *p, int tracefs)
{
	size_t i;
	int err = 0, id;

	for (i = 0; i < sizeof(tracepoints) / sizeof(tracepoints[0]) && !err; i++) {
		if (tracepoints[i].times && !p->opts.wait_times)
			continue;
		id = headway_probe_tracepoint_id(tracefs, "syscalls", tracepoints[i].event);
		if (id == -EACCES && !p->nr_syscalls)
			return id;
		err = id < 0 ? id : link_id(p, id, tracepoints[i].program, 0,
					    &p->syscalls[p->nr_syscalls]);
		if (!err)
			p->nr_syscalls++;
		else
			err = failed(p, tracepoints[i].id, err, tracepoints[i].event);
	}
	return err;
}

/* Instead of tracepoints[], where tracefs cannot be had. */
static int attach_raw_syscalls(struct headway_probe *p)
{
	int err = link_raw(p, "sys_exit", "headway_raw_exit", &p->syscalls[0]);

	p->nr_syscalls = !err;
	if (!err && p->opts.wait_times) {
		err = link_raw(p, "sys_enter", "headway_raw_enter", &p->syscalls[1]);
		p->nr_syscalls += !err;
	}

	if (err)
		return headway_probe_fail(p, err == -EACCES ? -EPERM : err,
			"cannot attach to system calls (%s), and cannot read tracefs: run as root, or with CAP_BPF and CAP_PERFMON",
			strerror(-err));
	p->nr_syscalls = 1;
	return 0;
}

int headway_probe_attach_syscalls(struct headway_probe *p)
{
	int tracefs = headway_probe_tracefs(), err = -EACCES;

	if (tracefs >= 0) {
		err = attach_by_id(p, tracefs);
		close(tracefs);
	}
	if (tracefs < 0 || err == -EACCES)
		err = attach_raw_syscalls(p);
	return err;
}

void headway_probe_detach_syscalls(struct headway_probe *p)
{
	while (p->nr_syscalls)
		bpf_link__destroy(p->syscalls[--p->nr_syscalls]);
}

int headway_probe_attach_tracepoints(struct headway_probe *p)
{
	int err = headway_probe_attach_syscalls(p);
	size_t i;

	for (i = 0; i < sizeof(process_events) / sizeof(process_events[0]) && !err; i++) {
		err = headway_probe_attach_raw(p, process_events[i].event,
					       process_events[i].program);
		if (err)
			err = optional(p, HEADWAY_PROBE_EXIT, err, process_events[i].event);
	}
	return err;
}

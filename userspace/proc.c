// SPDX-License-Identifier: GPL-2.0
/*
 * proc.c - readers for /proc/PID. Formats: proc(5) and fs/proc/array.c, fs/proc/base.c.
 *
 * A thread may end between any two reads, so nothing here treats absence as an error of ours.
 */
#define _GNU_SOURCE
#include "proc.h"

#include <ctype.h>
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static ssize_t read_at(int dir, const char *path, char *buf, size_t len)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t n, err;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, buf, len - 1);
	} while (n < 0 && errno == EINTR);
	err = n < 0 ? -errno : n;
	close(fd);
	buf[n < 0 ? 0 : n] = '\0';
	return err;
}

static int gone(ssize_t err)
{
	return err == -ENOENT ? -ESRCH : (int)err;
}

/* "tid (comm) state ppid ...": comm may hold anything, so look for the last parenthesis. */
static int parse_stat(char *buf, struct headway_proc_thread *t)
{
	static const long tick_ns = 10000000;	/* USER_HZ is 100 on every ABI we build for */
	char *open = strchr(buf, '('), *close = strrchr(buf, ')'), *p, *save = NULL;
	unsigned long long utime = 0, stime = 0, start = 0;
	int field = 3;

	if (!open || !close || close < open || close[1] != ' ')
		return -EINVAL;
	*close = '\0';
	snprintf(t->comm, sizeof(t->comm), "%s", open + 1);
	for (p = strtok_r(close + 2, " ", &save); p; p = strtok_r(NULL, " ", &save), field++) {
		if (field == 3)
			t->state = *p;
		else if (field == 14)
			utime = strtoull(p, NULL, 10);
		else if (field == 15)
			stime = strtoull(p, NULL, 10);
		else if (field == 22)
			start = strtoull(p, NULL, 10);
	}
	if (field <= 22)
		return -EINVAL;
	t->cpu_ns = (utime + stime) * tick_ns;
	t->start_ns = start * tick_ns;
	return 0;
}

/* "running", "-1 SP PC" or "NR A0 .. A5 SP PC" */
static void parse_syscall(char *buf, struct headway_proc_thread *t)
{
	char *p = buf, *end;
	long nr;
	int i;

	t->syscall_nr = HEADWAY_PROC_RUNNING;
	nr = strtol(p, &end, 10);
	if (end == p)
		return;
	if (nr >= 0)
		for (i = 0; i < 6; i++) {
			p = end;
			t->args[i] = strtoull(p, &end, 16);
			if (end == p)
				return;
		}
	t->sp = strtoull(end, &end, 16);
	t->pc = strtoull(end, &end, 16);
	if (nr >= 0)
		t->syscall_nr = nr;
}

int headway_proc_thread(int task_fd, pid_t tid, struct headway_proc_thread *t)
{
	char path[64], buf[1024];
	ssize_t n;
	int err;

	memset(t, 0, sizeof(*t));
	t->tid = tid;
	t->syscall_nr = HEADWAY_PROC_UNKNOWN;
	snprintf(path, sizeof(path), "%d/stat", tid);
	n = read_at(task_fd, path, buf, sizeof(buf));
	if (n <= 0)
		return n < 0 ? gone(n) : -ESRCH;
	err = parse_stat(buf, t);
	if (err)
		return err;
	/* Nanoseconds where the scheduler keeps them (CONFIG_SCHED_INFO), not 10 ms ticks. */
	snprintf(path, sizeof(path), "%d/schedstat", tid);
	if (read_at(task_fd, path, buf, sizeof(buf)) > 0 && isdigit((unsigned char)buf[0]))
		t->cpu_ns = strtoull(buf, NULL, 10);
	snprintf(path, sizeof(path), "%d/syscall", tid);
	if (read_at(task_fd, path, buf, sizeof(buf)) > 0)
		parse_syscall(buf, t);
	return 0;
}

int headway_proc_task_open(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? gone(-errno) : fd;
}

static int by_tid(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

int headway_proc_tids(int task_fd, pid_t **tids, size_t *n)
{
	size_t cap = 0, len = 0;
	pid_t *out = NULL, *more;
	struct dirent *e;
	int fd, err = 0;
	DIR *dir;

	/* A descriptor of its own: closedir closes it, and the position must start at 0. */
	fd = openat(task_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return gone(-errno);
	dir = fdopendir(fd);
	if (!dir) {
		err = -errno;
		close(fd);
		return err;
	}
	while ((e = readdir(dir))) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		if (len == cap) {
			cap = cap ? cap * 2 : 64;
			more = realloc(out, cap * sizeof(*out));
			if (!more) {
				err = -ENOMEM;
				break;
			}
			out = more;
		}
		out[len++] = atoi(e->d_name);
	}
	closedir(dir);
	if (err || !len) {
		free(out);
		return err ? err : -ESRCH;
	}
	qsort(out, len, sizeof(*out), by_tid);
	*tids = out;
	*n = len;
	return 0;
}

int headway_proc_process(pid_t pid, struct headway_proc_thread *out)
{
	int fd = headway_proc_task_open(pid), err;

	if (fd < 0)
		return fd;
	err = headway_proc_thread(fd, pid, out);
	close(fd);
	return err;
}

pid_t headway_proc_live_tid(pid_t pid)
{
	int fd = headway_proc_task_open(pid);
	struct headway_proc_thread t;
	pid_t *tids = NULL, live = -ESRCH;
	size_t n = 0, i;

	if (fd < 0)
		return fd;
	if (!headway_proc_tids(fd, &tids, &n)) {
		/* The leader's is the lowest, unless ids have come round. */
		if (!headway_proc_thread(fd, pid, &t) && t.state != 'Z' && t.state != 'X')
			live = pid;
		for (i = 0; i < n && live < 0; i++)
			if (!headway_proc_thread(fd, tids[i], &t) && t.state != 'Z' &&
			    t.state != 'X')
				live = tids[i];
		free(tids);
	}
	close(fd);
	return live;
}

/* The value of a "Name:\t" line of a status file. */
static const char *status_line(const char *buf, const char *name)
{
	const char *p = strstr(buf, name);

	return p ? p + strlen(name) : NULL;
}

pid_t headway_proc_tgid(pid_t pid)
{
	char path[64], buf[4096];
	const char *p;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	n = read_at(AT_FDCWD, path, buf, sizeof(buf));
	if (n < 0)
		return gone(n);
	p = status_line(buf, "\nTgid:\t");
	return p ? atoi(p) : -ESRCH;
}

pid_t headway_proc_ns_tid(int task_fd, pid_t tid)
{
	char path[64], buf[4096], *end;
	pid_t last = tid;
	const char *p;
	long nr;

	snprintf(path, sizeof(path), "%d/status", tid);
	if (read_at(task_fd, path, buf, sizeof(buf)) <= 0)
		return tid;
	p = status_line(buf, "\nNSpid:\t");
	if (!p)
		return tid;
	/* One number for each namespace, outermost first. */
	while (*p && *p != '\n') {
		nr = strtol(p, &end, 10);
		if (end == p)
			break;
		last = nr;
		p = end;
	}
	return last;
}

long headway_proc_euid(pid_t pid)
{
	char path[64], buf[4096], *real, *effective;
	const char *p;
	long euid;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (read_at(AT_FDCWD, path, buf, sizeof(buf)) <= 0)
		return -1;
	p = status_line(buf, "\nUid:\t");
	if (!p)
		return -1;
	strtol(p, &real, 10);
	euid = strtol(real, &effective, 10);
	return effective == real ? -1 : euid;
}

bool headway_proc_readable(pid_t pid)
{
	char path[64];
	int fd;

	/* The same check as that of process_vm_readv: PTRACE_MODE_ATTACH. */
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

bool headway_proc_is_program(pid_t tid)
{
	char path[64], first;

	snprintf(path, sizeof(path), "/proc/%d/exe", tid);
	return readlink(path, &first, sizeof(first)) >= 0 || errno != ENOENT;
}

bool headway_proc_is_32bit(pid_t pid)
{
	char path[64], ident[EI_NIDENT + 1] = {};

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return read_at(AT_FDCWD, path, ident, sizeof(ident)) == EI_NIDENT &&
	       !memcmp(ident, ELFMAG, SELFMAG) && ident[EI_CLASS] == ELFCLASS32;
}

uint32_t headway_proc_ns_ino(const char *pid, const char *ns)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%s/ns/%s", pid, ns);
	return stat(path, &st) ? 0 : st.st_ino;
}

int headway_proc_find_mapping(pid_t tid,
			      bool (*want)(void *ctx, const struct headway_proc_mapping *m),
			      void *ctx)
{
	char path[64], *line = NULL;
	size_t cap = 0;
	int err = -ENOENT;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", tid);
	maps = fopen(path, "re");
	while (err && maps && getline(&line, &cap, maps) > 0) {
		struct headway_proc_mapping m = {};
		unsigned int major, minor;
		char kind;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*3c%c %" SCNx64 " %x:%x %" SCNu64,
			   &m.start, &m.end, &kind, &m.offset, &major, &minor, &m.inode) != 7)
			continue;
		m.device = (uint64_t)major << 32 | minor;
		m.shared = kind == 's';
		err = want(ctx, &m) ? 0 : -ENOENT;
	}
	free(line);
	if (maps)
		fclose(maps);
	return err;
}

ssize_t headway_proc_memory(pid_t tid, uint64_t addr, void *buf, size_t len)
{
	struct iovec local = { buf, len };
	struct iovec remote = { (void *)(uintptr_t)addr, len };
	ssize_t n = process_vm_readv(tid, &local, 1, &remote, 1, 0);

	return n < 0 ? -errno : n;
}

size_t headway_proc_pieces(pid_t tid, const uint64_t *addrs, size_t nr, void *buf, size_t len)
{
	struct iovec local = { buf, nr * len };
	struct iovec remote[HEADWAY_PROC_PIECES];
	ssize_t n;

	for (size_t i = 0; i < nr; i++)
		remote[i] = (struct iovec){ (void *)(uintptr_t)addrs[i], len };
	n = process_vm_readv(tid, &local, 1, remote, nr, 0);
	return n < 0 ? 0 : (size_t)n / len;
}

int headway_proc_kernel_stack(pid_t tid, char *text, size_t len)
{
	char path[64], *to = text;
	bool skip = true;		/* "[<0>] " at the beginning of a line */
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stack", tid);
	n = read_at(AT_FDCWD, path, text, len);
	if (n < 0)
		return gone(n);
	for (const char *c = text; *c; c++) {
		if (*c == ' ')
			skip = false;
		else if (*c == '\n' || !skip)
			*to++ = *c;
		if (*c == '\n')
			skip = true;
	}
	while (to > text && to[-1] == '\n')
		to--;
	*to = '\0';
	return 0;
}

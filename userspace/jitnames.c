// SPDX-License-Identifier: GPL-2.0
/*
 * jitnames.c - names of the code that a process compiles while it runs; see jitnames.h.
 */
#define _GNU_SOURCE
#include "jitnames.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"
#include "rootfile.h"

enum { SECOND_NS = 1000000000 };

static int64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * SECOND_NS + ts.tv_nsec;
}

/* What an earlier process of the same id has left behind names other code. */
static bool is_of_process(const struct stat *st, int pid)
{
	struct headway_proc_thread leader;
	int64_t begun_s;

	if (headway_proc_process(pid, &leader))
		return false;
	begun_s = (now_ns(CLOCK_REALTIME) - now_ns(CLOCK_BOOTTIME) + (int64_t)leader.start_ns) /
		  SECOND_NS;
	/* Both times are older than they say by some ticks of their clocks. */
	return st->st_mtim.tv_sec + 1 >= begun_s;
}

static bool is_trusted(const struct stat *st, int pid, int tid)
{
	return (long)st->st_uid == headway_proc_euid(tid) && !(st->st_mode & S_IWOTH) &&
	       st->st_size > 0 && st->st_size <= HEADWAY_PERFMAP_MAX && is_of_process(st, pid);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static struct headway_perfmap *read_map(int fd, size_t size)
{
	char *text = malloc(size + 1);
	size_t n = 0;
	ssize_t got = 1;

	while (text && n < size && got > 0) {
		got = read(fd, text + n, size - n);
		n += got > 0 ? (size_t)got : 0;
	}
	return text ? headway_perfmap_parse(text, n) : NULL;
}

/* The id by which the process knows itself, as it names the file with it. */
static int own_id(int pid)
{
	int task = headway_proc_task_open(pid);
	int id;

	if (task < 0)
		return pid;
	id = headway_proc_ns_tid(task, pid);
	close(task);
	return id;
}

static void look(struct headway_jitnames *j, int root, int pid, int tid)
{
	char path[64];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", own_id(pid));
	fd = headway_rootfile_open(root, path, O_NOFOLLOW);
	if (fd < 0)
		return;
	if (!fstat(fd, &st) && !same_file(&st, &j->file) && is_trusted(&st, pid, tid)) {
		headway_jitnames_forget(j);
		j->map = read_map(fd, (size_t)st.st_size);
		j->file = st;
	}
	close(fd);
}

const char *headway_jitname(struct headway_jitnames *j, int root, int pid, int tid, uint64_t addr,
			    uint64_t *offset)
{
	time_t now = (time_t)(now_ns(CLOCK_MONOTONIC) / SECOND_NS);

	if (j->looked != now)
		look(j, root, pid, tid);
	j->looked = now;
	return headway_perfmap_at(j->map, addr, offset);
}

void headway_jitnames_forget(struct headway_jitnames *j)
{
	headway_perfmap_free(j->map);
	*j = (struct headway_jitnames){};
}

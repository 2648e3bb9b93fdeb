// SPDX-License-Identifier: GPL-2.0
/*
 * cgroup.c - the cgroup v2 hierarchy as a file system: Documentation/admin-guide/cgroup-v2.rst.
 *
 * Only v2: it is the one hierarchy that the kernel tests a task's membership in for BPF programs.
 */
#define _GNU_SOURCE
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "proc.h"

enum { MAX_DEPTH = 64 };	/* directories open at once, not a limit of the walk */

bool headway_cgroup_mount(char *dir, size_t len)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent entry, *e;
	char buf[8192];
	bool found = false;

	if (!mounts)
		return false;
	while (!found && (e = getmntent_r(mounts, &entry, buf, sizeof(buf)))) {
		found = !strcmp(e->mnt_type, "cgroup2");
		if (found)
			snprintf(dir, len, "%s", e->mnt_dir);
	}
	endmntent(mounts);
	return found;
}

__attribute__((format(printf, 4, 5)))
static int refuse(char *why, size_t len, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, len, fmt, ap);
	va_end(ap);
	return err;
}

/* A directory, and of which hierarchy it is: 0, or a negative errno. */
static int open_directory(struct headway_cgroup *c, long *magic)
{
	struct statfs fs;
	struct stat st;

	*magic = 0;
	c->fd = open(c->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->fd < 0)
		return -errno;
	if (fstatfs(c->fd, &fs) || fstat(c->fd, &st)) {
		int err = -errno;

		headway_cgroup_close(c);
		return err;
	}
	*magic = (long)fs.f_type;
	c->id = st.st_ino;
	if (*magic == CGROUP2_SUPER_MAGIC)
		return 0;
	headway_cgroup_close(c);
	return -ENOTDIR;
}

int headway_cgroup_open(struct headway_cgroup *c, const char *path, char *why, size_t len)
{
	char mount[2048];
	bool mounted = headway_cgroup_mount(mount, sizeof(mount));
	long magic = 0;
	int err = -ENOENT;

	*c = (struct headway_cgroup){ .fd = -1 };
	if (strlen(path) >= 2048 || !*path)
		return refuse(why, len, -EINVAL, "'%.64s' is not the path of a cgroup", path);
	/* As a path of the file system first; a name without a slash means one of the hierarchy. */
	if (*path == '/') {
		snprintf(c->path, sizeof(c->path), "%s", path);
		err = open_directory(c, &magic);
	}
	if (!err)
		return 0;
	if (magic == CGROUP_SUPER_MAGIC)
		return refuse(why, len, -EOPNOTSUPP,
			"%s is a cgroup of the v1 hierarchy, which cannot be watched: give one of the v2 hierarchy%s%s (the line that begins with 0:: in /proc/PID/cgroup), or processes (-p)",
			path, mounted ? ", mounted on " : "", mounted ? mount : "");
	if (!mounted)
		return refuse(why, len, -EOPNOTSUPP,
			"no cgroup v2 hierarchy is mounted here: mount -t cgroup2 none DIRECTORY, or give processes (-p)");
	snprintf(c->path, sizeof(c->path), "%s/%s", mount, path + strspn(path, "/"));
	if (!path[strspn(path, "/")])
		c->path[strlen(mount)] = '\0';
	err = open_directory(c, &magic);
	if (err == -ENOENT || err == -ENOTDIR)
		return refuse(why, len, -ENOENT,
			"there is no cgroup %s: it is neither a directory of a cgroup v2 file system nor one below %s (systemd-cgls or `cat /proc/PID/cgroup` show what there is)",
			path, mount);
	if (err)
		return refuse(why, len, err, "cannot open the cgroup %s: %s", c->path,
			      strerror(-err));
	return 0;
}

void headway_cgroup_close(struct headway_cgroup *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

bool headway_cgroup_removed(const struct headway_cgroup *c)
{
	struct stat st;

	return stat(c->path, &st) ? errno == ENOENT : st.st_ino != c->id;
}

struct list {
	pid_t *pids;
	size_t nr, cap;
};

static int list_add(struct list *l, pid_t pid)
{
	size_t cap = l->cap ? l->cap * 2 : 64;
	pid_t *more;

	if (l->nr == l->cap) {
		more = reallocarray(l->pids, cap, sizeof(*more));
		if (!more)
			return -ENOMEM;
		l->pids = more;
		l->cap = cap;
	}
	l->pids[l->nr++] = pid;
	return 0;
}

/* A threaded cgroup has threads only; the process that they are of is what we watch. */
static int read_file(struct list *l, const char *dir, const char *name, bool threads)
{
	char path[4400], *line = NULL;
	size_t cap = 0;
	int err = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	errno = 0;
	while (!err && getline(&line, &cap, f) > 0) {
		pid_t pid = (pid_t)strtol(line, NULL, 10);

		if (threads && pid > 0)
			pid = headway_proc_tgid(pid);
		if (pid > 0)	/* 0: of a pid namespace that is not below ours */
			err = list_add(l, pid);
		errno = 0;
	}
	if (!err && ferror(f))
		err = errno ? -errno : -EIO;
	free(line);
	fclose(f);
	return err;
}

/* nftw() takes no argument for its callback. */
static __thread struct list *walked;

static int visit(const char *path, const struct stat *st, int type, struct FTW *place)
{
	int err;

	(void)st;
	(void)place;
	if (type != FTW_D)
		return 0;
	err = read_file(walked, path, "cgroup.procs", false);
	if (err == -EOPNOTSUPP)
		err = read_file(walked, path, "cgroup.threads", true);
	/* One that is removed while we look has nobody in it. */
	return err == -ENOMEM ? err : 0;
}

static int by_pid(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

int headway_cgroup_members(const struct headway_cgroup *c, pid_t **pids, size_t *n)
{
	struct list l = { 0 };
	size_t i, kept = 0;
	int err;

	walked = &l;
	err = nftw(c->path, visit, MAX_DEPTH, FTW_PHYS | FTW_MOUNT);
	walked = NULL;
	if (err == -ENOMEM) {
		free(l.pids);
		return err;
	}
	if (l.nr)
		qsort(l.pids, l.nr, sizeof(*l.pids), by_pid);
	for (i = 0; i < l.nr; i++)
		if (!kept || l.pids[kept - 1] != l.pids[i])
			l.pids[kept++] = l.pids[i];
	*pids = l.pids;
	*n = kept;
	return 0;
}

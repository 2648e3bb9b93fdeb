/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cgroup.h - one cgroup of the v2 hierarchy: found by its path, and who is in it.
 */
#ifndef HEADWAY_CGROUP_H
#define HEADWAY_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct headway_cgroup {
	int fd;				/* of its directory; -1: none */
	uint64_t id;
	char path[4096];		/* of its directory */
};

/*
 * A path as in /proc/PID/cgroup ("/system.slice/x.service"), or one of the file system below the
 * mount of the v2 hierarchy. 0, or a negative errno and a sentence in `why`.
 */
int headway_cgroup_open(struct headway_cgroup *c, const char *path, char *why, size_t len);
/* Where the v2 hierarchy is mounted. False: nowhere. */
bool headway_cgroup_mount(char *dir, size_t len);
void headway_cgroup_close(struct headway_cgroup *c);
/* Was it removed? Another one of that name is another cgroup. */
bool headway_cgroup_removed(const struct headway_cgroup *c);
/*
 * Processes in it and in the cgroups below it, ascending and each once, in an array that the caller
 * frees. Those that are in no pid namespace of ours are left out. 0 or a negative errno.
 */
int headway_cgroup_members(const struct headway_cgroup *c, pid_t **pids, size_t *n);

#endif /* HEADWAY_CGROUP_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * crowd.c - how often to look; see crowd.h.
 */
#include "crowd.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "proc.h"

static size_t threads_of(pid_t pid)
{
	int fd = headway_proc_task_open(pid);
	pid_t *tids = NULL;
	size_t nr = 0;

	if (fd < 0)
		return 0;
	if (headway_proc_tids(fd, &tids, &nr))
		nr = 0;
	free(tids);
	close(fd);
	return nr;
}

/* 0: not known, as when the controller is not enabled there. */
static size_t threads_of_cgroup(const struct headway_cgroup *cgroup)
{
	int fd = openat(cgroup->fd, "pids.current", O_RDONLY | O_CLOEXEC);
	char text[32] = "";
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? strtoul(text, NULL, 10) : 0;
}

static size_t threads_of_system(void)
{
	struct sysinfo info;

	return sysinfo(&info) ? 0 : info.procs;
}

double headway_crowd_interval(const struct headway_target_options *o,
			      const struct headway_cgroup *cgroup)
{
	size_t nr = 0;

	if (o->interval_s != 0)
		return o->interval_s;
	for (size_t i = 0; i < o->nr_pids && nr <= HEADWAY_CROWD; i++)
		nr += threads_of(o->pids[i]);
	if (o->cgroup)
		nr += threads_of_cgroup(cgroup);
	if (o->all)
		nr += threads_of_system();
	return nr > HEADWAY_CROWD ? o->window_s / 2 : fmin(1.0, o->window_s / 5);
}

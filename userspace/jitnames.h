/* SPDX-License-Identifier: GPL-2.0 */
/*
 * jitnames.h - names that a process gives to the code that it compiles while it runs, in
 * /tmp/perf-PID.map of its own root.
 *
 * Everybody may write to /tmp, so the file counts only when it is regular and no link, belongs to
 * the user that the process works as, may not be written by everybody, has been written since the
 * process began, and is not larger than HEADWAY_PERFMAP_MAX.
 */
#ifndef HEADWAY_JITNAMES_H
#define HEADWAY_JITNAMES_H

#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "perfmap.h"

/* All zero: nothing was looked for yet. */
struct headway_jitnames {
	struct headway_perfmap *map;
	struct stat file;		/* as it was read */
	time_t looked;			/* CLOCK_MONOTONIC, s */
};

/**
 * headway_jitname() - the name of the compiled code at an address.
 * @root: descriptor of the process's root.
 * @pid: of the process.
 * @tid: of a thread of it that has not ended.
 * @offset: set to the distance from its start.
 *
 * The file is looked at once a second at most. What was read stays when the process has ended.
 * Return: NULL when there is none; hostile until an output escapes it.
 */
const char *headway_jitname(struct headway_jitnames *j, int root, int pid, int tid, uint64_t addr,
			    uint64_t *offset);

void headway_jitnames_forget(struct headway_jitnames *j);

#endif /* HEADWAY_JITNAMES_H */

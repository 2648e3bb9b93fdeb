/* SPDX-License-Identifier: GPL-2.0 */
/*
 * probe_tasks.h - the threads of all targets as they are now: from the kernel's task iterator, or
 * from /proc where that is not to be had.
 */
#ifndef HEADWAY_PROBE_TASKS_H
#define HEADWAY_PROBE_TASKS_H

#include "probe_internal.h"

struct headway_tasks {
	struct headway_task *tasks;	/* sorted by process, then by thread */
	size_t nr, cap;
};

struct headway_task {
	pid_t tgid;
	pid_t ns_tid;			/* in its own pid namespace */
	pid_t ns_tgid;
	uint64_t exit_word;		/* see snapshot.h; 0 without the iterator */
	struct headway_proc_thread proc;
	/* The rest only from the iterator: see struct headway_task_rec. 0 = not known. */
	uint64_t bp;
	uint64_t asleep_ns;
	uint64_t last_ns;
	uint64_t woken_addr;
	uint64_t refused_addr;
	uint64_t word_addr;
	uint32_t word;
	uint32_t word_owner;
};

/* 0 or a negative errno: none are known then. */
int headway_tasks_read(struct headway_probe *p, struct headway_tasks *tasks);
void headway_tasks_free(struct headway_tasks *tasks);
/* Those of one process, n of them: 0 = it has ended. */
const struct headway_task *headway_tasks_of(const struct headway_tasks *tasks, pid_t tgid,
					   size_t *n);
/* One thread of a process, or NULL. */
const struct headway_task *headway_tasks_find(const struct headway_tasks *tasks, pid_t tgid,
					     pid_t tid);

#endif /* HEADWAY_PROBE_TASKS_H */

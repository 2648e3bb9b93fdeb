/* SPDX-License-Identifier: GPL-2.0 */
/*
 * target.h - the COMMAND of `headway watch -- COMMAND`: started stopped, released when the probes
 * are attached, and ended with all of its process group.
 */
#ifndef HEADWAY_TARGET_H
#define HEADWAY_TARGET_H

#include <stdbool.h>
#include <sys/types.h>

/* Where its standard output goes. */
enum headway_child_output {
	HEADWAY_CHILD_AS_OURS,
	HEADWAY_CHILD_TO_STDERR,	/* our own stdout is for JSON */
	HEADWAY_CHILD_NOWHERE,		/* and its standard error too: we have the screen */
};

struct headway_child {
	pid_t pid;			/* also its process group; 0: none */
	int go;				/* write end: one byte releases it */
	int report;			/* read end: errno when exec failed, else end of file */
	bool ended;			/* reaped */
	int status;			/* as from waitpid() */
};

/*
 * Forks; the child waits. Call it before anything else opens descriptors: the child has a copy of
 * what is open now. 0 or a negative errno.
 */
int headway_child_start(struct headway_child *c, char **argv, enum headway_child_output output);
/* Lets it run. 0, or the negative errno of its exec. */
int headway_child_release(struct headway_child *c);
/* Has it ended by itself? Reaps it. */
bool headway_child_poll(struct headway_child *c);
/* SIGTERM to the group, SIGKILL after 2 s, reaped. Nothing of the group is left. */
void headway_child_end(struct headway_child *c);

#endif /* HEADWAY_TARGET_H */

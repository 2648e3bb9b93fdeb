// SPDX-License-Identifier: GPL-2.0
/*
 * Spin-hang on a resource that is never released: a lock file that somebody keeps locked for ever,
 * and a thread that looks again every few milliseconds. The file has no name left, so nothing
 * outlives the program.
 *
 * Lock order: none.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "marked.h"

#define POLL_NS	(10 * CORPUS_NSEC_PER_MSEC)

static int left_behind, mine;	/* two descriptions of one file */

static CORPUS_SITE void take_file(struct corpus_actor *self)
{
	unit_tried(self);
	if (flock(mine, LOCK_EX | LOCK_NB)) {
		corpus_fail(self);
		return;
	}
	unit_done(self);
	flock(mine, LOCK_UN);
}

static void poller(struct corpus_actor *self)
{
	while (!corpus_stopped()) {
		take_file(self);
		corpus_sleep_until(corpus_now_ns() + POLL_NS);
	}
}

int main(void)
{
	char path[] = "/tmp/corpus-lockfile.XXXXXX";

	left_behind = mkstemp(path);
	mine = open(path, O_RDWR | O_CLOEXEC);
	unlink(path);
	if (left_behind < 0 || mine < 0 || flock(left_behind, LOCK_EX)) {
		perror("stale_lockfile");
		return 1;
	}
	corpus_add("poller", 0, poller);
	return corpus_run();
}

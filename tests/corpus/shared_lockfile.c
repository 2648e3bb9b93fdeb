// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of stale_lockfile: two threads poll one locked file, and each lets go of it.
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
#define HOLD_NS	(15 * CORPUS_NSEC_PER_MSEC)

static int files[2];	/* by actor: its description of the one file */

static CORPUS_SITE void take_file(struct corpus_actor *self)
{
	unit_tried(self);
	if (flock(files[self->index], LOCK_EX | LOCK_NB)) {
		corpus_fail(self);
		return;
	}
	corpus_sleep_until(corpus_now_ns() + HOLD_NS);
	unit_done(self);
	flock(files[self->index], LOCK_UN);
}

static void poller(struct corpus_actor *self)
{
	while (!corpus_stopped()) {
		take_file(self);
		corpus_sleep_until(corpus_now_ns() + POLL_NS + corpus_random(self) % HOLD_NS);
	}
}

int main(void)
{
	char path[] = "/tmp/corpus-lockfile.XXXXXX";

	files[0] = mkstemp(path);
	files[1] = open(path, O_RDWR | O_CLOEXEC);
	unlink(path);
	if (files[0] < 0 || files[1] < 0) {
		perror("shared_lockfile");
		return 1;
	}
	corpus_add("poller_1", 0, poller);
	corpus_add("poller_2", 1, poller);
	return corpus_run();
}

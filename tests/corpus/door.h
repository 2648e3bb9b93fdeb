/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two processes that ask each other over a socket, once a round, whether they want to go.
 *
 * Invariant: a round's answer is read after both have asked. Lock order: none.
 */
#ifndef CORPUS_DOOR_H
#define CORPUS_DOOR_H

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "marked.h"

#define GRID_NS	(40 * CORPUS_NSEC_PER_MSEC)

static int sockets[2];	/* by actor: its end */

/* Return: false when it is time to end, or the peer is gone. */
static inline bool exchange(int fd, uint64_t mine, uint64_t *theirs)
{
	struct timeval limit = { .tv_usec = 100000 };
	ssize_t got;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (send(fd, &mine, sizeof(mine), MSG_NOSIGNAL) != sizeof(mine))
		return false;
	do {
		got = recv(fd, theirs, sizeof(*theirs), 0);
	} while (got < 0 && (errno == EAGAIN || errno == EINTR) && !corpus_stopped());
	return got == sizeof(*theirs) && !corpus_stopped();
}

static inline int door_main(corpus_fn pass)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets)) {
		perror("corpus: socketpair");
		return 1;
	}
	corpus_add("alphonse", 0, pass);
	corpus_add("gaston", 1, pass);
	return corpus_run_processes();
}

#endif

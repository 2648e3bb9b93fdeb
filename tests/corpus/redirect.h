/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two load balancers and one backend. Each balancer gets requests, asks a rule of its own who is
 * to serve them, and sends them on. REDIRECT_LOOPS: each takes the other for the right one, and a
 * request goes back and forth without end. Without it the second one serves what the first one
 * sends, and the first one gets the answers.
 *
 * Invariant: there is always a request on its way; a balancer waits for one with a timeout.
 *
 * Lock order: none.
 */
#ifndef CORPUS_REDIRECT_H
#define CORPUS_REDIRECT_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "marked.h"

#define REQUESTS	4
#define HOP_NS		(1 * CORPUS_NSEC_PER_MSEC)

struct request {
	uint64_t number;
	uint64_t hops;
};

static int sockets[2];	/* by actor: its end */

/* Serves the request, or sends it on. Return: whether it was served here. */
static CORPUS_SITE bool route(struct corpus_actor *self, struct request *request)
{
	unit_tried(self);
	corpus_sleep_until(corpus_now_ns() + HOP_NS);
#ifndef REDIRECT_LOOPS
	/* The first one has the odd hops: the answers. It asks the next question. */
	unit_done(self);
	request->number += self->index == 0;
	request->hops = self->index;
	return true;
#else
	request->hops++;
	return false;
#endif
}

static void balancer(struct corpus_actor *self)
{
	struct timeval limit = { .tv_usec = 100000 };
	int fd = sockets[self->index];
	struct request request;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	for (uint64_t i = 0; i < REQUESTS && self->index == 0; i++) {
		request = (struct request){ .number = i };
		if (send(fd, &request, sizeof(request), MSG_NOSIGNAL) != sizeof(request))
			return;
	}
	while (!corpus_stopped()) {
		if (recv(fd, &request, sizeof(request), 0) != sizeof(request))
			continue;
		if (!route(self, &request))
			corpus_fail(self);
		if (send(fd, &request, sizeof(request), MSG_NOSIGNAL) != sizeof(request))
			return;
	}
}

static inline int redirect_main(void)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets)) {
		perror("redirect: socketpair");
		return 1;
	}
	corpus_add("balancer_1", 0, balancer);
	corpus_add("balancer_2", 1, balancer);
	return corpus_run_processes();
}

#endif

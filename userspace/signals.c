// SPDX-License-Identifier: GPL-2.0
/*
 * signals.c - the signals that end a watch, as a descriptor.
 */
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

int headway_signals_open(bool screen)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	if (screen)
		sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* A closed pipe on stdout is an error to report, not a reason to die. */
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

bool headway_signals_drain(int fd)
{
	struct signalfd_siginfo si;
	bool end = false;

	while (read(fd, &si, sizeof(si)) == sizeof(si))
		end |= si.ssi_signo != SIGCHLD && si.ssi_signo != SIGWINCH;
	return end;
}

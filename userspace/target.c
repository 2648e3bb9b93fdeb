// SPDX-License-Identifier: GPL-2.0
/*
 * target.c - start and end of the COMMAND.
 *
 * Invariants: between fork and exec the child only waits, so nothing of COMMAND runs unwatched; it
 * dies with us, however we end; after headway_child_end() its process group is empty.
 */
#define _GNU_SOURCE
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { GRACE_MS = 2000, POLL_MS = 10 };

static void wait_ms(long ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

/* What the tool did to signals must not reach the COMMAND. */
static void reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void child_stdio(enum headway_child_output output)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* In a process group of its own it may not read the terminal: it would be stopped. */
	if (isatty(STDIN_FILENO) && null >= 0)
		dup2(null, STDIN_FILENO);
	if (output == HEADWAY_CHILD_TO_STDERR)
		dup2(STDERR_FILENO, STDOUT_FILENO);
	if (output == HEADWAY_CHILD_NOWHERE && null >= 0) {
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
	}
}

static void child_main(char **argv, pid_t parent, int go, int report,
		       enum headway_child_output output)
{
	char byte;
	int err;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	/* Ctrl-C is for the tool, which then ends us; SIGTERM may end us at any time. */
	if (read(go, &byte, 1) != 1)
		_exit(1);
	child_stdio(output);
	reset_signals();
	execvp(argv[0], argv);
	err = errno;
	if (write(report, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

int headway_child_start(struct headway_child *c, char **argv, enum headway_child_output output)
{
	int go[2], report[2], err;
	pid_t parent = getpid();

	memset(c, 0, sizeof(*c));
	c->go = c->report = -1;
	if (pipe2(go, O_CLOEXEC))
		return -errno;
	if (pipe2(report, O_CLOEXEC)) {
		err = -errno;
		goto close_go;
	}
	c->pid = fork();
	if (c->pid < 0) {
		err = -errno;
		c->pid = 0;
		goto close_report;
	}
	if (!c->pid) {
		close(go[1]);
		close(report[0]);
		child_main(argv, parent, go[0], report[1], output);
	}
	/* Both sides set it, so that it is done whoever runs first. */
	setpgid(c->pid, c->pid);
	close(go[0]);
	close(report[1]);
	c->go = go[1];
	c->report = report[0];
	return 0;
close_report:
	close(report[0]);
	close(report[1]);
close_go:
	close(go[0]);
	close(go[1]);
	return err;
}

int headway_child_release(struct headway_child *c)
{
	int err = 0;
	ssize_t n;

	if (write(c->go, "", 1) != 1)
		return -errno;
	close(c->go);
	c->go = -1;
	do {
		n = read(c->report, &err, sizeof(err));
	} while (n < 0 && errno == EINTR);
	close(c->report);
	c->report = -1;
	return n == sizeof(err) ? -err : 0;
}

bool headway_child_poll(struct headway_child *c)
{
	if (c->pid && !c->ended && waitpid(c->pid, &c->status, WNOHANG) == c->pid)
		c->ended = true;
	return c->ended;
}

/* Is anybody left in the group? Also reaps. */
static bool group_alive(struct headway_child *c)
{
	headway_child_poll(c);
	return !kill(-c->pid, 0) || errno == EPERM;
}

void headway_child_end(struct headway_child *c)
{
	if (!c->pid)
		return;
	if (c->go >= 0)
		close(c->go);
	if (c->report >= 0)
		close(c->report);
	c->go = c->report = -1;
	if (group_alive(c)) {
		kill(-c->pid, SIGTERM);
		kill(-c->pid, SIGCONT);		/* a stopped process does not see SIGTERM */
		for (int ms = 0; ms < GRACE_MS && group_alive(c); ms += POLL_MS)
			wait_ms(POLL_MS);
		if (group_alive(c))
			kill(-c->pid, SIGKILL);
	}
	if (!c->ended) {
		while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR)
			;
	}
	c->pid = 0;
}

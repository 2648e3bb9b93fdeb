// SPDX-License-Identifier: GPL-2.0
/*
 * rollbacks.c - an example to copy: a table of the locks at which transactions roll back, every
 * second, from the tracepoints of headway.ko. Its other half is rollbacks.bpf.c.
 *
 * Usage: rollbacks [SECONDS]      default: until Ctrl-C
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "rollbacks.h"
#include "rollbacks.skel.h"

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void print_table(const struct rollbacks_bpf *skeleton)
{
	int fd = bpf_map__fd(skeleton->maps.tallies);
	struct place place, *previous = NULL;
	struct tally tally;

	printf("%-20s %-20s %12s %12s %14s\n", "DOMAIN", "LOCK", "ROLLBACKS", "WOUNDED",
	       "RESTARTS MAX");
	while (!bpf_map_get_next_key(fd, previous, &place)) {
		if (!bpf_map_lookup_elem(fd, &place, &tally))
			printf("%-20s %-20s %12llu %12llu %14u\n", place.domain, place.lock,
			       tally.rollbacks, tally.wounded, tally.restarts_max);
		previous = &place;
	}
	if (skeleton->bss->lost)
		printf("not counted: %llu rollbacks at further locks\n",
		       skeleton->bss->lost);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	long seconds = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	struct sigaction action = { .sa_handler = stop };
	struct rollbacks_bpf *skeleton;
	int err;

	if (argc > 2 || (argc > 1 && seconds <= 0)) {
		fprintf(stderr, "usage: rollbacks [SECONDS]\n");
		return 2;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	skeleton = rollbacks_bpf__open_and_load();
	if (!skeleton) {
		fprintf(stderr, "rollbacks: cannot load the probe: %s\n", strerror(errno));
		return 1;
	}
	err = rollbacks_bpf__attach(skeleton);
	if (err) {
		fprintf(stderr, "rollbacks: no tracepoint headway:headway_rollback (%s): is headway.ko loaded?\n",
			strerror(-err));
		rollbacks_bpf__destroy(skeleton);
		return 1;
	}
	do {
		sleep(1);
		print_table(skeleton);
	} while (!stopped && (!seconds || --seconds));
	rollbacks_bpf__destroy(skeleton);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * options.h - the options that several verbs share: what is watched and how, and how it is told.
 */
#ifndef HEADWAY_OPTIONS_H
#define HEADWAY_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "marker_options.h"
#include "threshold_options.h"

enum { HEADWAY_MAX_PIDS = 256, HEADWAY_MAX_DOMAINS = 64 };

/* watch and record */
struct headway_target_options {
	pid_t pids[HEADWAY_MAX_PIDS];
	size_t nr_pids;
	const char *cgroup;		/* NULL: none */
	bool all;			/* every process */
	bool kernel;			/* of headway.ko: these; none named: all */
	bool kernel_if_loaded;		/* it was not asked for: nothing is wrong without it */
	bool everything;		/* what no target means: all there is; false: an error */
	const char *domains[HEADWAY_MAX_DOMAINS];
	size_t nr_domains;
	double duration_s;		/* 0: until the target ends or a signal */
	double window_s;
	double interval_s;		/* 0: see crowd.h */
	uint64_t max_rate;		/* events a second; 0: no limit */
	uint64_t max_tries;		/* trylocks a second; 0: no limit */
	uint32_t room_processes;	/* 0: HEADWAY_MAX_TARGETS */
	uint32_t room_threads;		/* 0: HEADWAY_MAX_THREADS */
	bool no_uprobes;
	bool uprobe_events;		/* for tests; see probe.h */
	bool verbose;
	bool journal;			/* findings into the systemd journal as well */
	const char *output;		/* record into this file; NULL: do not */
	struct headway_marker_options markers;
	struct headway_threshold_options thresholds;
	char **command;
};

/* watch, record and replay */
struct headway_view_options {
	bool json;
	bool silent;			/* nothing on stdout: a guest tells (guest.h) */
	uint32_t fail_on;		/* bit per verdict */
};

/* A number of seconds; usage errors end the program. */
double headway_parse_seconds(struct argp_state *state, const char *what, const char *arg,
			     double min, double max);
/* Something other than the kernel is watched. */
bool headway_target_has_processes(const struct headway_target_options *o);

/* For argp's children; their inputs are the structures above. */
extern const struct argp headway_target_argp;
extern const struct argp headway_view_argp;
/* args_doc of it. */
#define HEADWAY_TARGET_ARGS_DOC "-p PID...\n-c CGROUP\n-a\n-k [DOMAIN]\n-- COMMAND ARGS..."
/* For verbs that have no other child than this. */
extern const struct argp_child headway_target_only[];

/* What parsers of verbs without arguments end with. */
error_t headway_takes_no_argument(int key, const char *arg, struct argp_state *state);

#endif /* HEADWAY_OPTIONS_H */

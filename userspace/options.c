// SPDX-License-Identifier: GPL-2.0
/*
 * options.c - the options that several verbs share.
 *
 * Invariant: an option that does not suit ends the program with HEADWAY_EXIT_USAGE and a sentence
 * that says what would.
 */
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "finding.h"
#include "rest.h"

enum {
	OPT_NO_UPROBES = 0x100, OPT_JSON, OPT_FAIL_ON, OPT_VERBOSE, OPT_MAX_RATE, OPT_JOURNAL,
	OPT_ROOM_PROCESSES, OPT_ROOM_THREADS, OPT_MAX_TRIES, OPT_UPROBE_EVENTS,
};

static const struct argp_option target_options[] = {
	{ "pid", 'p', "PID", 0, "watch this process (may be given several times)", 0 },
	{ "cgroup", 'c', "CGROUP", 0, "watch the processes of this cgroup (v2) and of those "
				   "below it", 0 },
	{ "all", 'a', NULL, 0, "watch every process, while it does something", 0 },
	{ "kernel", 'k', "DOMAIN", OPTION_ARG_OPTIONAL,
	  "watch the domains and watched loops of headway.ko, or this one (may be given several "
	  "times)", 0 },
	{ "duration", 'd', "SECONDS", 0, "end after this long (default: when the target ends, or "
					 "Ctrl-C)",
	  0 },
	{ "window", 'w', "SECONDS", 0, "length of the window that a verdict is about (default "
				       "5)", 0 },
	{ "interval", 'i', "SECONDS", 0,
	  "how often to look (default: a fifth of the window, at most 1; at more than 2000 "
	  "threads, half the window)", 0 },
	{ "no-uprobes", OPT_NO_UPROBES, NULL, 0,
	  "futex evidence only; trylock livelocks then stay unseen", 0 },
	{ "uprobe-events", OPT_UPROBE_EVENTS, NULL, OPTION_HIDDEN, NULL, 0 },
	{ "max-rate", OPT_MAX_RATE, "EVENTS", 0,
	  "after a window with more events a second than this (default 2000000; 0: no limit) the "
	  "probes rest for one to four windows, about which nothing is said", 0 },
	{ "max-tries", OPT_MAX_TRIES, "TRYLOCKS", 0,
	  "after a window with more trylocks a second than this (default 8000; 0: no limit) and "
	  "nothing wrong they are only peeked at, for one to 60 windows", 0 },
	{ "output", 'o', "FILE", 0, "record what is seen into FILE, for `headway replay`", 0 },
	{ "journal", OPT_JOURNAL, NULL, 0,
	  "also put each finding into the systemd journal, with a field for each fact", 0 },
	{ "room-processes", OPT_ROOM_PROCESSES, "N", 0,
	  "room for so many processes at a time (default 4096)", 0 },
	{ "room-threads", OPT_ROOM_THREADS, "N", 0,
	  "room for so many threads at a time (default 16384)", 0 },
	{ "verbose", OPT_VERBOSE, NULL, 0,
	  "also show libbpf's messages, and how much memory the maps take", 0 },
	{ 0 },
};

static const struct argp_option view_options[] = {
	{ "json", OPT_JSON, NULL, 0, "one JSON object a line on stdout", 0 },
	{ "fail-on", OPT_FAIL_ON, "VERDICT,...", 0,
	  "exit with 3 when one of these is found, with 4 when too little could be observed to "
	  "say", 0 },
	{ 0 },
};

double headway_parse_seconds(struct argp_state *state, const char *what, const char *arg,
			     double min, double max)
{
	char *end;
	double value = strtod(arg, &end);

	if (end == arg || *end || !(value >= min && value <= max))
		argp_error(state, "'%s' is not a %s: %g to %g seconds", arg, what, min, max);
	return value;
}

static uint64_t parse_whole(const char *arg, uint64_t min, uint64_t max, bool *valid)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(arg, &end, 10);
	*valid = end != arg && !*end && !errno && value >= 0 && (uint64_t)value >= min &&
		 (uint64_t)value <= max;
	return (uint64_t)value;
}

static uint64_t parse_rate(struct argp_state *state, const char *arg)
{
	bool valid;
	uint64_t rate = parse_whole(arg, 0, INT64_MAX, &valid);

	if (!valid)
		argp_error(state, "'%s' is not a rate: so many a second, or 0 for no limit", arg);
	return rate;
}

/* Bounded, as the kernel allocates all of it at once. */
static uint32_t parse_room(struct argp_state *state, const char *what, const char *arg)
{
	bool valid;
	uint64_t n = parse_whole(arg, 1, 65536, &valid);

	if (!valid)
		argp_error(state, "'%s' is not a number of %s: 1 to 65536", arg, what);
	return (uint32_t)n;
}

static void parse_pid(struct argp_state *state, struct headway_target_options *o, const char *arg)
{
	char *end;
	long pid;

	errno = 0;
	pid = strtol(arg, &end, 10);
	if (end == arg || *end || errno || pid < 1 || pid > 4194304)
		argp_error(state, "'%s' is not a process id", arg);
	if (o->nr_pids == HEADWAY_MAX_PIDS)
		argp_error(state, "more than %d processes", HEADWAY_MAX_PIDS);
	for (size_t i = 0; i < o->nr_pids; i++)
		if (o->pids[i] == (pid_t)pid)
			return;
	o->pids[o->nr_pids++] = (pid_t)pid;
}

/*
 * getopt takes an optional value only when it is part of the same word; a DOMAIN may follow as a
 * word of its own, as what is to be run comes after --.
 */
static void parse_kernel(struct argp_state *state, struct headway_target_options *o,
			 const char *domain)
{
	const char *next = state->next < state->argc ? state->argv[state->next] : NULL;

	if (!domain && next && *next != '-') {
		domain = next;
		state->next++;
	}
	o->kernel = true;
	if (!domain)
		return;
	if (o->nr_domains == HEADWAY_MAX_DOMAINS)
		argp_error(state, "more than %d domains: -k without a name watches all",
			   HEADWAY_MAX_DOMAINS);
	o->domains[o->nr_domains++] = domain;
}

static void parse_verdicts(struct argp_state *state, struct headway_view_options *o, char *arg)
{
	char *word, *rest = arg;
	enum headway_verdict v;

	while ((word = strsep(&rest, ","))) {
		if (!headway_verdict_parse(word, &v) && headway_verdict_is_finding(v)) {
			o->fail_on |= 1u << v;
			continue;
		}
		fprintf(stderr, "%s: --fail-on: '%s' is not a finding; there are:", state->name,
			word);
		for (v = HEADWAY_UNDETERMINED; v < HEADWAY_NR_VERDICTS; v++)
			fprintf(stderr, " %s", headway_verdict_name(v));
		fprintf(stderr, "\n");
		exit(HEADWAY_EXIT_USAGE);
	}
}

bool headway_target_has_processes(const struct headway_target_options *o)
{
	return o->nr_pids || o->cgroup || o->all || o->command;
}

static void check_kernel_alone(struct argp_state *state, const struct headway_target_options *o)
{
	if (o->markers.nr)
		argp_error(state, "a marker is of a process, and -k alone watches none");
}

static void check_targets(struct argp_state *state, struct headway_target_options *o)
{
	if (!headway_target_has_processes(o) && !o->kernel && o->everything)
		o->all = o->kernel = o->kernel_if_loaded = true;
	if (!headway_target_has_processes(o) && !o->kernel)
		argp_error(state, "nothing to watch: give -p PID, -c CGROUP, -a, -k for the "
				  "kernel, or a command after --");
	if (!headway_target_has_processes(o))
		check_kernel_alone(state, o);
	if (o->all && (o->nr_pids || o->cgroup))
		argp_error(state, "-a watches every process: leave out %s",
			   o->cgroup ? "-c" : "-p");
	if (o->interval_s != 0 &&
	    (o->interval_s > o->window_s / 2 || o->interval_s < o->window_s / 60))
		argp_error(state, "an interval of %g s does not suit a window of %g s: %g to %g",
			   o->interval_s, o->window_s, o->window_s / 60, o->window_s / 2);
}

static error_t parse_target(int key, char *arg, struct argp_state *state)
{
	struct headway_target_options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->markers;
		state->child_inputs[1] = &o->thresholds;
		o->max_rate = HEADWAY_REST_RATE;
		o->max_tries = HEADWAY_REST_TRIES;
		return 0;
	case 'p':
		parse_pid(state, o, arg);
		return 0;
	case 'k':
		parse_kernel(state, o, arg);
		return 0;
	case 'c':
		if (o->cgroup)
			argp_error(state, "more than one cgroup: give one that is above both");
		o->cgroup = arg;
		return 0;
	case 'a':
		o->all = true;
		return 0;
	case 'd':
		o->duration_s = headway_parse_seconds(state, "duration", arg, 0.1, 31536000);
		return 0;
	case 'w':
		o->window_s = headway_parse_seconds(state, "window", arg, 0.5, 3600);
		return 0;
	case 'i':
		o->interval_s = headway_parse_seconds(state, "interval", arg, 0.01, 3600);
		return 0;
	case 'o':
		o->output = arg;
		return 0;
	case OPT_MAX_RATE:
		o->max_rate = parse_rate(state, arg);
		return 0;
	case OPT_MAX_TRIES:
		o->max_tries = parse_rate(state, arg);
		return 0;
	case OPT_NO_UPROBES:
		o->no_uprobes = true;
		return 0;
	case OPT_UPROBE_EVENTS:
		o->uprobe_events = true;
		return 0;
	case OPT_JOURNAL:
		o->journal = true;
		return 0;
	case OPT_ROOM_PROCESSES:
		o->room_processes = parse_room(state, "processes", arg);
		return 0;
	case OPT_ROOM_THREADS:
		o->room_threads = parse_room(state, "threads", arg);
		return 0;
	case OPT_VERBOSE:
		o->verbose = true;
		return 0;
	case ARGP_KEY_ARG:
		/* Everything from the first word on is the COMMAND, options of its own included. */
		o->command = &state->argv[state->next - 1];
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		check_targets(state, o);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_view(int key, char *arg, struct argp_state *state)
{
	struct headway_view_options *o = state->input;

	switch (key) {
	case OPT_JSON:
		o->json = true;
		return 0;
	case OPT_FAIL_ON:
		parse_verdicts(state, o, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

error_t headway_takes_no_argument(int key, const char *arg, struct argp_state *state)
{
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	argp_error(state, "takes no argument: '%s'", arg);
	return 0;
}

static const struct argp_child target_children[] = {
	{ &headway_marker_argp, 0, NULL, 0 },
	{ &headway_threshold_argp, 0, NULL, 0 },
	{ 0 },
};

const struct argp headway_target_argp = {
	.options = target_options, .parser = parse_target, .children = target_children,
};
const struct argp headway_view_argp = { .options = view_options, .parser = parse_view };

const struct argp_child headway_target_only[] = { { &headway_target_argp, 0, NULL, 0 }, { 0 } };

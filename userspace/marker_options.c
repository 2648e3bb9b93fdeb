// SPDX-License-Identifier: GPL-2.0
/*
 * marker_options.c - --progress SPEC and --attempt SPEC.
 *
 * Half of all markers at most: the rest is for those that the target's own binaries carry.
 */
#include "marker_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "escape.h"

enum { OPT_PROGRESS = 0x200, OPT_ATTEMPT };

static const struct argp_option marker_options[] = {
	{ "progress", OPT_PROGRESS, "SPEC", 0,
	  "this is progress: uprobe:PATH:SYMBOL[+OFFSET], usdt:PATH:PROVIDER:NAME, syscall:NAME "
	  "(that succeeds) or tracepoint:CATEGORY:NAME; an empty PATH is the program itself, "
	  "a library's name will do (several times; <headway/sdt.h> needs no option)", 0 },
	{ "attempt", OPT_ATTEMPT, "SPEC", 0,
	  "this is an attempt at it: attempts without progress are a livelock, or starvation, "
	  "for certain", 0 },
	{ 0 },
};

static void take(struct argp_state *state, struct headway_marker_options *o, const char *arg,
		 enum headway_marker_role role)
{
	char why[1024], text[4096];

	if (o->nr == sizeof(o->specs) / sizeof(o->specs[0]))
		argp_error(state, "more than %zu markers", o->nr);
	if (!headway_marker_parse(arg, role, &o->specs[o->nr], why, sizeof(why))) {
		o->nr++;
		return;
	}
	headway_escape(why, strlen(why), text, sizeof(text));
	fprintf(stderr, "%s: %s\n", state->name, text);
	exit(HEADWAY_EXIT_USAGE);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case OPT_PROGRESS:
		take(state, state->input, arg, HEADWAY_MARKER_PROGRESS);
		return 0;
	case OPT_ATTEMPT:
		take(state, state->input, arg, HEADWAY_MARKER_ATTEMPT);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp headway_marker_argp = { .options = marker_options, .parser = parse };

// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_watch.c - `headway watch`: its options, and a session with them.
 */
#include <argp.h>
#include <stddef.h>

#include "command.h"
#include "options.h"
#include "session.h"

struct input {
	struct headway_target_options target;
	struct headway_view_options view;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct input *in = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &in->target;
		state->child_inputs[1] = &in->view;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {
	{ &headway_target_argp, 0, NULL, 0 },
	{ &headway_view_argp, 0, NULL, 0 },
	{ 0 },
};

#define EXIT_STATUS \
	"COMMAND is started when the probes are in place, and ended (SIGTERM, then SIGKILL) when " \
	"the watch ends. With --json its standard output goes to standard error.\n\n" \
	"Exit status: 0 done, 1 failed, 2 usage, 3 a verdict of --fail-on was given, 4 with " \
	"--fail-on, too little could be observed to say."

static const struct argp watch_argp = {
	.parser = parse_option, .children = children, .args_doc = "-p PID...\n-- COMMAND ARGS...",
	.doc = "Watches processes and says whether they make progress: livelock, deadlock, "
	       "starvation, a stalled holder, or healthy.\v" EXIT_STATUS,
};

static int run(int argc, char **argv, char *name, const struct argp *argp)
{
	struct input in = { .target = { .window_s = 5 } };

	argv[0] = name;
	argp_err_exit_status = HEADWAY_EXIT_USAGE;
	argp_parse(argp, argc, argv, ARGP_IN_ORDER, NULL, &in);
	return headway_session_run(name, &in.target, &in.view);
}

int headway_cmd_watch(int argc, char **argv)
{
	static char name[] = "headway watch";

	return run(argc, argv, name, &watch_argp);
}

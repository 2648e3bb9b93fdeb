// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_watch.c - `headway watch` and `headway record`: the same session, which a record always keeps
 * in a file.
 */
#include <argp.h>
#include <stddef.h>

#include "command.h"
#include "options.h"
#include "session.h"

struct input {
	struct headway_target_options target;
	struct headway_view_options view;
	bool must_record;
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
	case ARGP_KEY_END:
		if (in->must_record && !in->target.output)
			argp_error(state, "no file to record into: give -o FILE");
		return ARGP_ERR_UNKNOWN;	/* the children want to know of it as well */
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
	.parser = parse_option, .children = children,
	.args_doc = HEADWAY_TARGET_ARGS_DOC,
	.doc = "Watches processes, and the domains of headway.ko in the kernel, and says whether "
	       "they make progress: livelock, deadlock, starvation, a stalled holder, or "
	       "healthy.\v" EXIT_STATUS,
};

static const struct argp record_argp = {
	.parser = parse_option, .children = children,
	.args_doc = "-o FILE -p PID...\n-o FILE -c CGROUP\n-o FILE -a\n-o FILE -k [DOMAIN]\n-o FILE -- COMMAND ARGS...",
	.doc = "Watches processes as `headway watch` does, and keeps what it saw in FILE, names "
	       "included: `headway replay FILE` judges it again, on any machine and without "
	       "root.\vA recording that was cut off can be replayed as far as it goes.\n\n"
	       EXIT_STATUS,
};

static int run(int argc, char **argv, char *name, const struct argp *argp, bool must_record)
{
	struct input in = { .target = { .window_s = 5 }, .must_record = must_record };

	argv[0] = name;
	argp_err_exit_status = HEADWAY_EXIT_USAGE;
	argp_parse(argp, argc, argv, ARGP_IN_ORDER, NULL, &in);
	return headway_session_run(name, &in.target, &in.view, NULL);
}

int headway_cmd_watch(int argc, char **argv)
{
	static char name[] = "headway watch";

	return run(argc, argv, name, &watch_argp, false);
}

int headway_cmd_record(int argc, char **argv)
{
	static char name[] = "headway record";

	return run(argc, argv, name, &record_argp, true);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_top.c - `headway top`: processes and the kernel's domains in one table on the terminal.
 *
 * A guest of the session (guest.h) that has the screen. The terminal is taken when the first look
 * is there, so that what goes wrong before is said as by any other command.
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "options.h"
#include "session.h"
#include "top.h"
#include "top_screen.h"

static char who[] = "headway top";

struct input {
	struct headway_target_options target;
	bool ascii;
	struct headway_top top;
};

enum { OPT_ASCII = 0x200 };

static const struct argp_option options[] = {
	{ "ascii", OPT_ASCII, NULL, 0, "draw with ASCII only, whatever the locale says", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct input *in = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &in->target;
		return 0;
	case OPT_ASCII:
		in->ascii = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = options, .parser = parse_option, .children = headway_target_only,
	.args_doc = "\n" HEADWAY_TARGET_ARGS_DOC,
	.doc = "Shows processes and the domains of headway.ko in one table, the worst first: "
	       "verdict, attempts, completions and failed tries a second, who waits, and how it "
	       "went; Enter shows all about one of them, ? the keys. Without a target, every process, "
	       "and the kernel if headway.ko is loaded.\vWhat COMMAND prints is thrown away.\n\n"
	       "Exit status: 0 done, 1 failed, 2 usage.",
};

static void on_finding(void *ctx, const struct headway_finding *f, struct headway_names *names)
{
	struct input *in = ctx;

	headway_top_log_add(&in->top, f, names);
}

static void on_sentence(void *ctx, const char *sentence)
{
	struct headway_top *t = &((struct input *)ctx)->top;

	if (!headway_top_screen_is_on())
		fprintf(stderr, "%s: %s\n", who, sentence);
	snprintf(t->message, sizeof(t->message), "%s", sentence);
	t->message_look = t->looks;
}

/* Once for each look. */
static void take_look(struct input *in)
{
	struct headway_top *t = &in->top;

	if (t->looks == t->scene->looks)
		return;
	t->looks = t->scene->looks;
	if (headway_top_feed(t))
		on_sentence(in, "out of memory: the table is not up to date");
	if (t->model.paused)
		return;
	if (t->mode == HEADWAY_TOP_DETAIL)
		headway_top_detail(t);
	if (t->mode == HEADWAY_TOP_LOG)
		headway_top_log_page(t);
}

static bool on_serve(void *ctx, const struct headway_scene *scene)
{
	struct input *in = ctx;
	struct headway_top *t = &in->top;
	char why[256];

	t->scene = scene;
	if (!headway_top_screen_is_on()) {
		if (headway_top_screen_begin(in->ascii, why, sizeof(why))) {
			fprintf(stderr, "%s: %s\n", who, why);
			t->failed = t->ended = true;
			return true;
		}
		t->page.utf8 = t->log.utf8 = t->help.utf8 = headway_top_screen_utf8();
	}
	take_look(in);
	headway_top_keys(t);
	/* To take probes away may take a second, in which nothing would happen. */
	if (t->ended)
		headway_top_screen_end();
	else
		headway_top_draw(t);
	return t->ended;
}

/* Said in time: to attach probes takes a while. */
static int check_terminal(void)
{
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return 0;
	fprintf(stderr, "%s: standard input and output must be a terminal: use `headway watch`, or "
			"`headway stat -i` for the kernel's domains\n", who);
	return HEADWAY_EXIT_FAILED;
}

int headway_cmd_top(int argc, char **argv)
{
	static struct input in = { .target = { .window_s = 5, .everything = true } };
	const struct headway_view_options view = { .silent = true };
	const struct headway_guest guest = {
		.ctx = &in, .finding = on_finding, .serve = on_serve, .say = on_sentence,
		.fd = STDIN_FILENO,
	};
	int status;

	argv[0] = who;
	argp_err_exit_status = HEADWAY_EXIT_USAGE;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &in);
	if (check_terminal())
		return HEADWAY_EXIT_FAILED;
	headway_top_model_init(&in.top.model);
	status = headway_session_run(who, &in.target, &view, &guest);
	if (headway_top_screen_is_on()) {
		headway_top_screen_end();
		/* It was on the screen, which is no more. */
		if (status != HEADWAY_EXIT_DONE && in.top.message[0])
			fprintf(stderr, "%s: %s\n", who, in.top.message);
	}
	headway_top_model_free(&in.top.model);
	headway_top_page_free(&in.top.page);
	headway_top_page_free(&in.top.help);
	headway_top_log_free(&in.top);
	headway_stat_samples_free(&in.top.arbiters);
	return in.top.failed ? HEADWAY_EXIT_FAILED : status;
}

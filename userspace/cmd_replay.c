// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_replay.c - `headway replay`: a recording through the same engine to the same views.
 *
 * Invariant: no privilege is needed and nothing of the machine is looked at; a recording that is
 * cut off or damaged is judged as far as it goes, and the exit status is HEADWAY_EXIT_FAILED.
 */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "pipeline.h"
#include "player.h"
#include "table.h"

struct input {
	struct headway_view_options view;
	struct headway_threshold_options thresholds;
	double window_s;		/* 0: that of the recording */
	const char *file;
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct input *in = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &in->view;
		state->child_inputs[1] = &in->thresholds;
		return 0;
	case 'w':
		in->window_s = headway_parse_seconds(state, "window", arg, 0.5, 3600);
		return 0;
	case ARGP_KEY_ARG:
		if (in->file)
			argp_error(state, "one recording at a time");
		in->file = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which recording? Give its FILE");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{ "window", 'w', "SECONDS", 0, "another window than that of the recording", 0 },
	{ 0 },
};

static const struct argp_child children[] = {
	{ &headway_view_argp, 0, NULL, 0 }, { &headway_threshold_argp, 0, NULL, 0 }, { 0 },
};

static const struct argp argp = {
	.options = options, .parser = parse_option, .children = children, .args_doc = "FILE",
	.doc = "Judges what `headway record` or `headway watch -o` kept in FILE, and says what the "
	       "watch said.\vExit status: 0 done, 1 failed, the recording is cut off or damaged, "
	       "or a marker was never found, 2 usage, 3 a verdict of --fail-on was given, 4 with --fail-on, too little "
	       "could be observed to say.",
};

/* 0: to the end. An error has been told. */
static int play(struct headway_pipeline *pipe, struct headway_player *player, uint64_t *watched_ns)
{
	struct headway_snapshot snap;
	uint64_t first_ns = 0, nr = 0;
	int got, err = 0;

	while ((got = headway_player_next(player, &snap)) > 0) {
		uint64_t now_ns;

		if (got & HEADWAY_PLAYER_SNAPSHOT && pipe->detect)
			err = headway_pipeline_feed(pipe, &snap);
		if (!err && got & HEADWAY_PLAYER_KERNEL)
			err = headway_pipeline_look(pipe);
		if (err) {
			fprintf(stderr, "%s: that was snapshot %llu of the recording\n", pipe->who,
				(unsigned long long)nr + 1);
			return err;
		}
		now_ns = got & HEADWAY_PLAYER_SNAPSHOT ? snap.time_ns :
							 headway_player_look_ns(player);
		if (!nr++)
			first_ns = now_ns;
		*watched_ns = now_ns > first_ns ? now_ns - first_ns : 0;
	}
	if (got < 0)
		fprintf(stderr, "%s: %s\n", pipe->who, headway_player_error(player));
	else
		*watched_ns = headway_player_end(player)->duration_ns;
	return got;
}

/* As it was recorded, but for what the command line says. 0 or the exit status. */
static int open_pipeline(struct headway_pipeline *pipe, struct headway_player *player,
			 const struct input *in)
{
	const struct headway_recording_header *h = headway_player_header(player);
	struct headway_thresholds thresholds = h->thresholds;
	struct headway_detect_options o = {
		.window_ns = h->window_ns, .interval_ns = h->interval_ns,
		.thresholds = &thresholds,
	};

	headway_thresholds_override(&thresholds, &in->thresholds);
	if (in->window_s > 0)
		o.window_ns = (uint64_t)(in->window_s * 1e9);
	if (o.window_ns < 2 * o.interval_ns || o.window_ns > 60 * o.interval_ns) {
		fprintf(stderr, "%s: a window of %g s does not suit the recording's interval of %g "
				"s: %g to %g\n", pipe->who, (double)o.window_ns / 1e9,
			(double)o.interval_ns / 1e9, (double)(2 * o.interval_ns) / 1e9,
			(double)(60 * o.interval_ns) / 1e9);
		return HEADWAY_EXIT_USAGE;
	}

	if (!headway_pipeline_open_recording(pipe, player, &o))
		return 0;
	fprintf(stderr, "%s: out of memory\n", pipe->who);
	return HEADWAY_EXIT_FAILED;
}

static int replay(struct headway_pipeline *pipe, struct headway_player *player,
		  const struct input *in)
{
	const struct headway_recording_header *h = headway_player_header(player);
	const struct headway_recording_end *end = headway_player_end(player);
	struct headway_summary s = { .command = h->command[0] ? h->command : NULL };
	int err, status = open_pipeline(pipe, player, in);

	if (status)
		return status;
	err = play(pipe, player, &s.duration_ns);
	/* What could not be written cannot be summed up either. */
	if (err && err != -ENODATA && err != -EBADMSG)
		return HEADWAY_EXIT_FAILED;
	s.command_ended = end->command_ended;
	s.command_status = end->command_status;
	if (end->has_group)
		s.group = &end->group;
	s.group_alone = end->group_alone;
	s.cgroup = end->cgroup[0] ? end->cgroup : NULL;
	for (int i = 0; i < HEADWAY_NR_PROBES; i++) {
		const char *why = headway_player_missing_reason(player, (enum headway_probe_id)i);

		s.probe_names[i] = headway_probe_name((enum headway_probe_id)i);
		s.probe_reasons[i] = why ? why : "unknown";
	}
	if (headway_pipeline_summary(pipe, &s) || err)
		return HEADWAY_EXIT_FAILED;
	status = headway_pipeline_exit(pipe, &s);
	if (status != HEADWAY_EXIT_DONE || !(pipe->missing_probes & 1u << HEADWAY_PROBE_MARKERS))
		return status;
	/* As for the watch: what was asked for was never looked at. */
	fprintf(stderr, "%s: %s\n", pipe->who, s.probe_reasons[HEADWAY_PROBE_MARKERS]);
	return HEADWAY_EXIT_FAILED;
}

int headway_cmd_replay(int argc, char **argv)
{
	static char name[] = "headway replay";
	struct headway_player *player = headway_player_new();
	struct headway_name_source source;
	struct input in = { .file = NULL };
	struct headway_pipeline pipe = { .who = name, .view = &in.view };
	int status = HEADWAY_EXIT_FAILED;

	argv[0] = name;
	argp_err_exit_status = HEADWAY_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &in);
	signal(SIGPIPE, SIG_IGN);
	pipe.color = headway_table_color(stdout);
	if (player) {
		source = headway_player_names(player);
		pipe.names = headway_names_new(&source);
	}
	if (!pipe.names)
		fprintf(stderr, "%s: out of memory\n", name);
	else if (headway_player_open(player, in.file))
		fprintf(stderr, "%s: %s\n", name, headway_player_error(player));
	else
		status = replay(&pipe, player, &in);
	headway_pipeline_close(&pipe);
	headway_names_free(pipe.names);
	headway_player_free(player);
	return status;
}

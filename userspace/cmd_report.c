// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_report.c - `headway report`: a recording as a page, a trace, stacks or a graph. What is
 * watched live is recorded into memory first, so there is one way to a report.
 *
 * Invariant: the report is data, on standard output and nothing else there; a recording that is cut
 * off or damaged is told as far as it goes, and the exit status is HEADWAY_EXIT_FAILED.
 */
#define _GNU_SOURCE
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "pipeline.h"
#include "report_kernel.h"
#include "report_out.h"
#include "session.h"

enum { OPT_PERFETTO = 0x100, OPT_FOLDED, OPT_DOT, OPT_LIVE };

struct form {
	int key;
	const char *name;
	int (*print)(FILE *out, const struct headway_report_view *v);
};

static const struct form forms[] = {
	{ 0, "page", headway_report_page },
	{ OPT_PERFETTO, "--perfetto", headway_report_trace },
	{ OPT_FOLDED, "--folded", headway_report_folded },
	{ OPT_DOT, "--dot", headway_report_dot },
};

struct input {
	const struct form *form;
	const char *file;
	struct headway_target_options target;	/* of a live one */
};

static const struct argp_option options[] = {
	{ "perfetto", OPT_PERFETTO, NULL, 0, "a trace for ui.perfetto.dev, in JSON, instead of the "
					     "page", 0 },
	{ "folded", OPT_FOLDED, NULL, 0,
	  "the stacks of failed tries, folded for a flame graph", 0 },
	{ "dot", OPT_DOT, NULL, 0, "who waited for whom, for `dot -Tsvg`", 0 },
	{ "live", OPT_LIVE, NULL, 0, "watch now, with the options of `headway watch`; comes first: "
				     "see `headway report --live --help`", 0 },
	{ 0 },
};

static void check_output(struct argp_state *state, const struct form *form)
{
	if (!form->key && isatty(STDOUT_FILENO))
		argp_error(state, "the page goes to a file: add >page.html");
}

static error_t parse_form(int key, struct argp_state *state, const struct form **form)
{
	switch (key) {
	case OPT_PERFETTO:
	case OPT_FOLDED:
	case OPT_DOT:
		if ((*form)->key)
			argp_error(state, "one form at a time: %s is another", (*form)->name);
		*form = &forms[key - OPT_PERFETTO + 1];
		return 0;
	case ARGP_KEY_END:
		check_output(state, *form);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct input *in = state->input;

	switch (key) {
	case OPT_LIVE:
		argp_error(state, "--live comes first: headway report --live ...");
		return 0;
	case ARGP_KEY_ARG:
		if (in->file)
			argp_error(state, "one recording at a time");
		in->file = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which recording? Give its FILE, or --live to watch now");
		return 0;
	default:
		return parse_form(key, state, &in->form);
	}
}

static error_t parse_live(int key, char *arg, struct argp_state *state)
{
	struct input *in = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &in->target;
		return 0;
	case OPT_LIVE:
		return 0;
	case ARGP_KEY_END:
	default:
		return parse_form(key, state, &in->form);
	}
}

#define WHAT_IT_HAS \
	"The page has the attempts and completions of each thread, and of each domain of the " \
	"kernel, over time, the findings with evidence and advice, who waited for whom, the stacks " \
	"of failed tries, and the locks. Of the kernel, locks and waits are read once in a window, " \
	"and stacks when something is found.\n\n" \
	"Exit status: 0 done, 1 failed, or the recording is cut off or damaged, 2 usage."

static const struct argp argp = {
	.options = options, .parser = parse_option, .args_doc = "FILE\n--live ...",
	.doc = "Tells the whole watch that `headway record` kept in FILE: without an option as one "
	       "page of HTML, on standard output, that a browser opens without a network.\v"
	       WHAT_IT_HAS,
};

static const struct argp live_argp = {
	.options = options, .parser = parse_live, .children = headway_target_only,
	.args_doc = "--live -p PID...\n--live -c CGROUP\n--live -a\n--live -k [DOMAIN]\n"
		    "--live -- COMMAND ARGS...",
	.doc = "Watches as `headway watch` does, and then tells the whole watch: without an option as "
	       "one page of HTML, on standard output, that a browser opens without a network. What "
	       "COMMAND prints goes to standard error.\v" WHAT_IT_HAS,
};

struct collector {
	struct headway_pipeline pipe;
	struct headway_report *report;
	struct headway_report_kernel *kernel;
	uint64_t now_ns;
	uint64_t looked_ns;		/* when the kernel was looked at last; 0: never */
};

static void on_changes(void *ctx, const struct headway_view *v)
{
	struct collector *c = ctx;

	headway_report_changes(c->report, v);
}

/* Those of processes are asked for, as they may end again. */
static void on_finding(void *ctx, const struct headway_finding *f, struct headway_names *names)
{
	struct collector *c = ctx;

	if (f->source == HEADWAY_SOURCE_KERNEL)
		headway_report_kernel_add(c->kernel, f, names, c->now_ns);
}

/* What was done in the kernel. An error has been told. */
static int take_kernel(struct collector *c)
{
	/* Without processes there are no other intervals. */
	bool alone = !c->pipe.detect && c->looked_ns;
	int err = headway_pipeline_look(&c->pipe);

	if (err || !c->pipe.kernel)
		return err;
	if (alone)
		headway_report_interval(c->report, c->looked_ns, c->now_ns);
	c->looked_ns = c->now_ns;
	err = headway_report_kernel_look(c->kernel, c->report, c->pipe.kernel, c->now_ns);
	if (err)
		fprintf(stderr, "headway report: out of memory\n");
	return err;
}

/* What is in one record. An error has been told. */
static int take(struct collector *c, int got, const struct headway_snapshot *snap)
{
	int err = 0;

	if (got & HEADWAY_PLAYER_SNAPSHOT && c->pipe.detect) {
		err = headway_pipeline_feed(&c->pipe, snap);
		if (!err && headway_report_look(c->report, c->pipe.detect, snap->time_ns)) {
			fprintf(stderr, "headway report: out of memory\n");
			err = -ENOMEM;
		}
	}
	if (!c->report->began_ns)
		c->report->began_ns = c->now_ns;
	if (!err && got & HEADWAY_PLAYER_KERNEL)
		err = take_kernel(c);
	return err;
}

/* 0: to the end. An error has been told. */
static int collect(struct collector *c, struct headway_player *player, struct headway_summary *s)
{
	struct headway_snapshot snap;
	int got, err;

	while ((got = headway_player_next(player, &snap)) > 0) {
		c->now_ns = got & HEADWAY_PLAYER_SNAPSHOT ? snap.time_ns :
							    headway_player_look_ns(player);
		err = take(c, got, &snap);
		if (err)
			return err;
		if (c->now_ns > c->report->began_ns)
			s->duration_ns = c->now_ns - c->report->began_ns;
	}
	if (got < 0)
		fprintf(stderr, "headway report: %s\n", headway_player_error(player));
	else
		s->duration_ns = headway_player_end(player)->duration_ns;
	return got;
}

static void end_summary(struct headway_summary *s, const struct headway_pipeline *pipe,
			const struct headway_player *player)
{
	const struct headway_recording_end *end = headway_player_end(player);

	s->command_ended = end->command_ended;
	s->command_status = end->command_status;
	s->group = end->has_group ? &end->group : NULL;
	s->group_alone = end->group_alone;
	s->cgroup = end->cgroup[0] ? end->cgroup : NULL;
	s->missing_probes = pipe->missing_probes;
	s->kernel_lost = pipe->kernel ? headway_kernel_watch_lost(pipe->kernel) : NULL;
	for (int i = 0; i < HEADWAY_NR_PROBES; i++) {
		const char *why = headway_player_missing_reason(player, (enum headway_probe_id)i);

		s->probe_names[i] = headway_probe_name((enum headway_probe_id)i);
		s->probe_reasons[i] = why ? why : "unknown";
	}
}

static int print(const struct form *form, const struct headway_report_view *v)
{
	int err = form->print(stdout, v);

	if (err == -ENOSYS)
		fprintf(stderr, "headway report: this program was built without the page: install "
				"the packages that `userspace/report/build.sh --can` names, and "
				"build it again; --perfetto, --folded and --dot work\n");
	else if (err)
		fprintf(stderr, "headway report: cannot write: %s\n", strerror(-err));
	return err;
}

static int report(const struct input *in, struct headway_player *player, struct collector *c)
{
	const struct headway_recording_header *h = headway_player_header(player);
	struct headway_summary s = { .command = h->command[0] ? h->command : NULL };
	const struct headway_report_view v = {
		.report = c->report, .names = c->pipe.names, .summary = &s, .header = h,
		.kernel = c->kernel,
	};
	struct headway_assessment a;
	int err, failed = 0;

	if (headway_pipeline_open_recording(&c->pipe, player, NULL)) {
		fprintf(stderr, "headway report: out of memory\n");
		return HEADWAY_EXIT_FAILED;
	}
	err = collect(c, player, &s);
	if (!err || err == -ENODATA || err == -EBADMSG) {
		a = headway_pipeline_assessment(&c->pipe);
		s.assessment = &a;
		end_summary(&s, &c->pipe, player);
		failed = print(in->form, &v);
	}
	return err || failed ? HEADWAY_EXIT_FAILED : HEADWAY_EXIT_DONE;
}

static const struct headway_view_options silent = { .json = true, .silent = true };

/* Returns the exit status. */
static int report_file(const struct input *in)
{
	struct headway_player *player = headway_player_new();
	struct collector c = {
		.pipe = { .who = "headway report", .view = &silent },
		.report = headway_report_new(), .kernel = headway_report_kernel_new(),
	};
	const struct headway_guest guest = {
		.ctx = &c, .changes = on_changes, .finding = on_finding, .fd = -1,
	};
	struct headway_name_source source;
	int status = HEADWAY_EXIT_FAILED;

	c.pipe.guest = &guest;
	if (player) {
		source = headway_player_names(player);
		c.pipe.names = headway_names_new(&source);
	}
	if (!c.pipe.names || !c.report || !c.kernel)
		fprintf(stderr, "headway report: out of memory\n");
	else if (headway_player_open(player, in->file))
		fprintf(stderr, "headway report: %s\n", headway_player_error(player));
	else
		status = report(in, player, &c);
	headway_pipeline_close(&c.pipe);
	headway_names_free(c.pipe.names);
	headway_report_free(c.report);
	headway_report_kernel_free(c.kernel);
	headway_player_free(player);
	return status;
}

/* Returns the exit status. */
static int report_live(struct input *in)
{
	static char path[64];	/* the options keep it */
	int fd = memfd_create("headway-report", MFD_CLOEXEC), status, told;
	struct stat st;

	if (fd < 0) {
		fprintf(stderr, "headway report: cannot record: %s\n", strerror(errno));
		return HEADWAY_EXIT_FAILED;
	}
	/* Who wants to keep the recording has named a file. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!in->target.output)
		in->target.output = path;
	in->file = in->target.output;
	status = headway_session_run("headway report", &in->target, &silent, NULL);
	/* It was said why there is nothing. */
	if (status != HEADWAY_EXIT_FAILED || (!stat(in->file, &st) && st.st_size)) {
		told = report_file(in);
		status = status ? status : told;
	}
	close(fd);
	return status;
}

int headway_cmd_report(int argc, char **argv)
{
	static char name[] = "headway report";
	struct input in = { .form = &forms[0], .target = { .window_s = 5 } };
	bool live = argc > 1 && !strcmp(argv[1], "--live");

	argv[0] = name;
	argp_err_exit_status = HEADWAY_EXIT_USAGE;
	argp_parse(live ? &live_argp : &argp, argc, argv, live ? ARGP_IN_ORDER : 0, NULL, &in);
	signal(SIGPIPE, SIG_IGN);
	return live ? report_live(&in) : report_file(&in);
}

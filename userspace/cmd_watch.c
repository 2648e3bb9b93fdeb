// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_watch.c - `headway watch`: probes to snapshots to verdicts to a view, until the end.
 *
 * Invariants: status goes to stderr and data to stdout; every way out takes the probes and the
 * COMMAND away; the exit status is that of the contract (command.h).
 */
#define _GNU_SOURCE
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "escape.h"
#include "out.h"
#include "probe.h"
#include "table.h"
#include "target.h"

#define NS_PER_S 1e9

enum {
	OPT_NO_UPROBES = 0x100, OPT_JSON, OPT_FAIL_ON, OPT_VERBOSE,
	MAX_PIDS = 256,
};

struct options {
	pid_t pids[MAX_PIDS];
	size_t nr_pids;
	double duration_s;		/* 0: until the target ends or a signal */
	double window_s;
	double interval_s;		/* 0: chosen from the window */
	bool no_uprobes;
	bool json;
	bool verbose;
	uint32_t fail_on;		/* bit per verdict */
	char **command;
};

struct watch {
	const struct options *opts;
	struct headway_child child;
	struct headway_probe *probe;
	struct headway_detect *detect;
	struct headway_names *names;
	struct headway_snapshot snap;
	struct headway_status status;
	int signals;
	bool color;
	uint64_t begin_ns;
	uint64_t end_ns;		/* 0: none */
	bool fired;			/* a verdict named in --fail-on */
};

static const struct argp_option argp_options[] = {
	{ "pid", 'p', "PID", 0, "watch this process (may be given several times)", 0 },
	{ "duration", 'd', "SECONDS", 0, "end after this long (default: when the target ends, or "
					 "Ctrl-C)",
	  0 },
	{ "window", 'w', "SECONDS", 0, "length of the window that a verdict is about (default "
				       "5)", 0 },
	{ "interval", 'i', "SECONDS", 0,
	  "how often to look (default: a fifth of the window, at most 1)", 0 },
	{ "no-uprobes", OPT_NO_UPROBES, NULL, 0,
	  "futex evidence only; trylock livelocks then stay unseen", 0 },
	{ "json", OPT_JSON, NULL, 0, "one JSON object a line on stdout", 0 },
	{ "fail-on", OPT_FAIL_ON, "VERDICT,...", 0,
	  "exit with 3 when one of these is found, with 4 when too little could be observed to "
	  "say", 0 },
	{ "verbose", OPT_VERBOSE, NULL, 0, "also show libbpf's messages", 0 },
	{ 0 },
};

static double parse_seconds(struct argp_state *state, const char *what, const char *arg, double min,
			    double max)
{
	char *end;
	double value = strtod(arg, &end);

	if (end == arg || *end || !(value >= min && value <= max))
		argp_error(state, "'%s' is not a %s: %g to %g seconds", arg, what, min, max);
	return value;
}

static void parse_pid(struct argp_state *state, struct options *o, const char *arg)
{
	char *end;
	long pid;

	errno = 0;
	pid = strtol(arg, &end, 10);
	if (end == arg || *end || errno || pid < 1 || pid > 4194304)
		argp_error(state, "'%s' is not a process id", arg);
	if (o->nr_pids == MAX_PIDS)
		argp_error(state, "more than %d processes", MAX_PIDS);
	for (size_t i = 0; i < o->nr_pids; i++)
		if (o->pids[i] == (pid_t)pid)
			return;
	o->pids[o->nr_pids++] = (pid_t)pid;
}

static void parse_verdicts(struct argp_state *state, struct options *o, char *arg)
{
	char *word, *rest = arg;
	enum headway_verdict v;

	while ((word = strsep(&rest, ","))) {
		if (!headway_verdict_parse(word, &v) && headway_verdict_is_finding(v)) {
			o->fail_on |= 1u << v;
			continue;
		}
		fprintf(stderr, "headway watch: --fail-on: '%s' is not a finding; there "
				"are:", word);
		for (v = HEADWAY_UNDETERMINED; v < HEADWAY_NR_VERDICTS; v++)
			fprintf(stderr, " %s", headway_verdict_name(v));
		fprintf(stderr, "\n");
		exit(HEADWAY_EXIT_USAGE);
	}
	(void)state;
}

static void check_options(struct argp_state *state, struct options *o)
{
	if (!o->nr_pids && !o->command)
		argp_error(state, "nothing to watch: give -p PID, or a command after --");
	if (o->interval_s == 0)
		o->interval_s = fmin(1.0, o->window_s / 5);
	if (o->interval_s > o->window_s / 2 || o->interval_s < o->window_s / 60)
		argp_error(state, "an interval of %g s does not suit a window of %g s: %g to %g",
			   o->interval_s, o->window_s, o->window_s / 60, o->window_s / 2);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case 'p':
		parse_pid(state, o, arg);
		return 0;
	case 'd':
		o->duration_s = parse_seconds(state, "duration", arg, 0.1, 31536000);
		return 0;
	case 'w':
		o->window_s = parse_seconds(state, "window", arg, 0.5, 3600);
		return 0;
	case 'i':
		o->interval_s = parse_seconds(state, "interval", arg, 0.01, 3600);
		return 0;
	case OPT_NO_UPROBES:
		o->no_uprobes = true;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	case OPT_FAIL_ON:
		parse_verdicts(state, o, arg);
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
		check_options(state, o);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	argp_options, parse_option, "-p PID...\n-- COMMAND ARGS...",
	"Watches processes and says whether they make progress: livelock, deadlock, starvation, a "
	"stalled "
	"holder, or healthy.\v"
	"COMMAND is started when the probes are in place, and ended (SIGTERM, then SIGKILL) when "
	"the watch "
	"ends. With --json its standard output goes to standard error.\n\n"
	"Exit status: 0 done, 1 failed, 2 usage, 3 a verdict of --fail-on was given, 4 with "
	"--fail-on, too "
	"little could be observed to say.",
	NULL, NULL, NULL
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* Ends come as a descriptor, so that none is missed between two calls. */
static int catch_signals(struct watch *w)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* A closed pipe on stdout is an error to report, not a reason to die. */
	signal(SIGPIPE, SIG_IGN);
	w->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return w->signals < 0 ? -errno : 0;
}

static int open_probes(struct watch *w)
{
	struct headway_probe_options po = {
		.uprobes = !w->opts->no_uprobes,
		.verbose = w->opts->verbose,
		.follow_forks = w->opts->command != NULL,
	};
	int err = headway_probe_open(&w->probe, &po);

	for (size_t i = 0; i < w->opts->nr_pids && !err; i++)
		err = headway_probe_add_pid(w->probe, w->opts->pids[i]);
	if (!err && w->child.pid)
		err = headway_probe_add_pid(w->probe, w->child.pid);
	if (!err)
		err = headway_probe_attach(w->probe);
	if (err)
		fprintf(stderr, "headway watch: %s\n", headway_probe_error(w->probe));
	return err;
}

static int print_findings(struct watch *w)
{
	const struct headway_finding *f;
	size_t nr = headway_detect_findings(w->detect, &f);
	int err = 0;

	if (nr)
		headway_status_clear(&w->status);
	for (size_t i = 0; i < nr && !err; i++) {
		if (w->opts->fail_on & 1u << f[i].verdict)
			w->fired = true;
		if (w->opts->json)
			err = headway_out_json_finding(stdout, w->names, &f[i]);
		else
			headway_out_text_finding(stdout, w->names, &f[i], w->color);
	}
	if (nr && (fflush(stdout) || ferror(stdout)))
		return -EIO;
	return err;
}

/* One snapshot through the engine. */
static int look(struct watch *w)
{
	int err = headway_probe_snapshot(w->probe, &w->snap);

	if (err) {
		headway_status_clear(&w->status);
		fprintf(stderr, "headway watch: %s\n", headway_probe_error(w->probe));
		return err;
	}
	err = headway_detect_feed(w->detect, &w->snap);
	if (err) {
		headway_status_clear(&w->status);
		fprintf(stderr, "headway watch: cannot judge the snapshot: %s\n", strerror(-err));
		return err;
	}
	err = print_findings(w);
	if (err) {
		fprintf(stderr, "headway watch: cannot write the findings: %s\n", strerror(-err));
		return err;
	}
	headway_status_update(&w->status, headway_detect_assessment(w->detect),
			      w->end_ns > w->snap.time_ns ? w->end_ns - w->snap.time_ns : 0);
	return 0;
}

/* True when a signal said that it is time to end. */
static bool drain_signals(struct watch *w)
{
	struct signalfd_siginfo si;
	bool end = false;

	while (read(w->signals, &si, sizeof(si)) == sizeof(si))
		end |= si.ssi_signo != SIGCHLD;
	return end;
}

/* Sleeps until `until_ns`; true when something says that the watch is over. */
static bool wait_until(struct watch *w, uint64_t until_ns)
{
	struct pollfd pfd = { .fd = w->signals, .events = POLLIN };

	for (;;) {
		uint64_t now = now_ns();
		struct timespec left;

		if (headway_child_poll(&w->child))
			return true;
		if (now >= until_ns)
			return false;
		left.tv_sec = (time_t)((until_ns - now) / 1000000000ull);
		left.tv_nsec = (long)((until_ns - now) % 1000000000ull);
		if (ppoll(&pfd, 1, &left, NULL) > 0 && drain_signals(w))
			return true;
	}
}

/*
 * When to look for the k-th time; late looks are skipped. Looks are spread around the grid by up to
 * an eighth of the interval: a target with a period of its own would else be seen at the same point
 * of it each time. Multiples of the golden ratio fill the interval evenly.
 */
static uint64_t look_time(const struct watch *w, uint64_t *k)
{
	double interval = w->opts->interval_s * NS_PER_S;
	uint64_t now = now_ns(), next;

	for (;; (*k)++) {
		double phase = fmod((double)*k * 0.6180339887498949, 1.0) - 0.5;

		next = w->begin_ns + (uint64_t)(((double)*k + phase / 4) * interval);
		if (next > now)
			break;
	}
	return w->end_ns && next > w->end_ns ? w->end_ns : next;
}

static int run_watch(struct watch *w)
{
	int err;

	w->begin_ns = now_ns();
	if (w->opts->duration_s > 0)
		w->end_ns = w->begin_ns + (uint64_t)(w->opts->duration_s * NS_PER_S);
	err = look(w);
	if (err)
		return err;
	if (w->child.pid) {
		err = headway_child_release(&w->child);
		if (err) {
			const char *word = w->opts->command[0];
			char name[256];

			headway_status_clear(&w->status);
			headway_escape(word, strlen(word), name, sizeof(name));
			fprintf(stderr, "headway watch: cannot run %s: %s\n", name,
				strerror(-err));
			return err;
		}
	}
	for (uint64_t k = 1; ; k++) {
		uint64_t next = look_time(w, &k);

		if (wait_until(w, next))
			return w->child.ended ? look(w) : 0;
		err = look(w);
		if (err || w->snap.target_exited || (w->end_ns && next >= w->end_ns))
			return err;
	}
}

static int print_summary(struct watch *w)
{
	struct headway_summary s = {
		.assessment = headway_detect_assessment(w->detect),
		.duration_ns = now_ns() - w->begin_ns,
		.missing_probes = w->snap.missing_probes,
		.command = w->opts->command ? w->opts->command[0] : NULL,
		.command_ended = w->child.ended,
		.command_status = w->child.status,
	};
	int err = 0;

	for (int i = 0; i < HEADWAY_NR_PROBES; i++) {
		const char *why;

		if (!(s.missing_probes & 1u << i))
			continue;
		why = headway_probe_missing_reason(w->probe, (enum headway_probe_id)i);
		s.probe_names[i] = headway_probe_name((enum headway_probe_id)i);
		s.probe_reasons[i] = why ? why : "unknown";
	}
	headway_status_clear(&w->status);
	if (w->opts->json)
		err = headway_out_json_summary(stdout, &s);
	else
		headway_out_text_summary(stdout, &s, w->color);
	if (fflush(stdout) || ferror(stdout))
		err = -EIO;
	if (err)
		fprintf(stderr, "headway watch: cannot write the summary: %s\n", strerror(-err));
	return err;
}

/* With --fail-on: could the verdicts that it names have been seen at all? */
static bool was_blind(const struct watch *w)
{
	const struct headway_assessment *a = headway_detect_assessment(w->detect);

	if (!a->judged) {
		fprintf(stderr, "headway watch: no full window was watched, so --fail-on cannot "
				"be answered: "
			"watch longer than %g s, or choose a shorter window "
			"(-w)\n", w->opts->window_s);
		return true;
	}
	if (a->lost * 100 > a->events + a->lost) {
		fprintf(stderr, "headway watch: more than 1 %% of the events were lost, so "
				"--fail-on cannot be "
			"answered\n");
		return true;
	}
	for (int v = 0; v < HEADWAY_NR_VERDICTS; v++) {
		if (!(w->opts->fail_on & 1u << v) ||
		    !(headway_detect_needs((enum headway_verdict)v) & w->snap.missing_probes))
			continue;
		fprintf(stderr, "headway watch: %s cannot be ruled out, because a probe that it "
				"needs is missing\n",
			headway_verdict_name((enum headway_verdict)v));
		return true;
	}
	return false;
}

static int watch_targets(struct watch *w)
{
	struct headway_detect_options dopts = {
		.window_ns = (uint64_t)(w->opts->window_s * NS_PER_S),
		.interval_ns = (uint64_t)(w->opts->interval_s * NS_PER_S),
	};

	w->detect = headway_detect_new(&dopts);
	w->names = headway_names_new(w->probe);
	if (!w->detect || !w->names) {
		fprintf(stderr, "headway watch: out of memory\n");
		return HEADWAY_EXIT_FAILED;
	}
	if (run_watch(w) || print_summary(w))
		return HEADWAY_EXIT_FAILED;
	if (w->fired)
		return HEADWAY_EXIT_FOUND;
	if (w->opts->fail_on && was_blind(w))
		return HEADWAY_EXIT_BLIND;
	return HEADWAY_EXIT_DONE;
}

int headway_cmd_watch(int argc, char **argv)
{
	struct options opts = { .window_s = 5 };
	struct watch w = { .opts = &opts, .signals = -1 };
	static char name[] = "headway watch";
	int status = HEADWAY_EXIT_FAILED;
	int err;

	argv[0] = name;
	argp_err_exit_status = HEADWAY_EXIT_USAGE;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &opts);
	w.color = headway_table_color(stdout);
	headway_status_init(&w.status, stderr);
	err = catch_signals(&w);
	if (!err && opts.command)
		err = headway_child_start(&w.child, opts.command, opts.json);
	if (err)
		fprintf(stderr, "headway watch: cannot start: %s\n", strerror(-err));
	else if (!open_probes(&w))
		status = watch_targets(&w);
	headway_child_end(&w.child);
	headway_names_free(w.names);
	headway_detect_free(w.detect);
	headway_probe_close(w.probe);
	if (w.signals >= 0)
		close(w.signals);
	return status;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * session.c - one live watch: probes to snapshots to the pipeline, and the kernel's verdicts to it,
 * until the end.
 *
 * Invariants: status goes to stderr and data to stdout, or all to who has the screen; every way out
 * takes the probes and the COMMAND away; the exit status is that of the contract (command.h).
 */
#define _GNU_SOURCE
#include "session.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cgroup.h"
#include "command.h"
#include "crowd.h"
#include "journal.h"
#include "kernel_live.h"
#include "looks.h"
#include "names_live.h"
#include "pipeline.h"
#include "privileges.h"
#include "probe.h"
#include "recorder_live.h"
#include "signals.h"
#include "table.h"
#include "target.h"

#define NS_PER_S 1e9
#define KEPT_BYTES (64 << 20)		/* of freed memory */
#define GUEST_NS 1000000000ull		/* how long a guest is left alone at most */

struct session {
	const struct headway_target_options *opts;
	struct headway_child child;
	struct headway_cgroup cgroup;
	struct headway_probe *probe;	/* NULL: only the kernel is watched */
	struct headway_live_names *live;
	struct headway_thresholds thresholds;
	struct headway_kernel_live kernel;
	struct headway_recorder *recorder;	/* NULL: nothing is recorded */
	struct headway_pipeline pipe;
	struct headway_snapshot snap;
	struct headway_status status;
	struct headway_scene scene;	/* what the guest is shown */
	bool warned;			/* of a marker that is nowhere */
	bool stays;			/* the targets have ended, the screen is still up */
	bool rest_told;
	bool tries_told;
	int signals;
	uint64_t begin_ns;
	uint64_t end_ns;		/* 0: none */
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* The guest has. */
static bool has_screen(const struct session *w)
{
	return w->pipe.guest && w->pipe.guest->say;
}

static bool is_told_of(void *arg, pid_t pid)
{
	struct session *w = arg;

	return w->pipe.detect && headway_detect_concerns(w->pipe.detect, (uint32_t)pid);
}

static bool is_calm(void *arg)
{
	struct session *w = arg;

	return w->pipe.detect && headway_detect_calm(w->pipe.detect);
}

static bool watches_group(const struct session *w)
{
	return w->opts->cgroup || w->opts->all;
}

static int add_group(struct session *w)
{
	int err = headway_probe_add_group(w->probe);

	if (!err && w->opts->cgroup && !headway_probe_group(w->probe)->seen)
		headway_pipeline_say(&w->pipe, "no process is in the cgroup %s: waiting for some",
				     w->cgroup.path);
	return err;
}

static int open_cgroup(struct session *w)
{
	char why[4400];
	int err = 0;

	if (w->opts->cgroup)
		err = headway_cgroup_open(&w->cgroup, w->opts->cgroup, why, sizeof(why));
	if (err)
		headway_pipeline_say(&w->pipe, "%s", why);
	return err;
}

static int check_journal(struct session *w)
{
	int err = w->opts->journal ? headway_journal_check() : 0;

	if (err)
		headway_pipeline_say(&w->pipe,
				     "there is no journal to write into (%s): is systemd-journald "
				     "running? Else leave out --journal", strerror(-err));
	return err;
}

static int open_probes(struct session *w)
{
	struct headway_probe_options po = {
		.uprobes = !w->opts->no_uprobes,
		.uprobe_events = w->opts->uprobe_events,
		.verbose = w->opts->verbose,
		.room_processes = w->opts->room_processes,
		.room_threads = w->opts->room_threads,
		/* Of all processes, COMMAND's children are members as others are. */
		.follow_forks = w->opts->command && !w->opts->all,
		.cgroup = w->opts->cgroup ? &w->cgroup : NULL,
		.all = w->opts->all,
		.wait_times = w->pipe.guest != NULL,	/* it shows them; no verdict needs them */
		.wait_histograms = w->pipe.guest && w->pipe.guest->times,
		.max_rate = w->opts->max_rate,
		.max_tries = w->opts->max_tries,
		.window_ns = (uint64_t)(w->opts->window_s * NS_PER_S),
		.interval_ns = (uint64_t)(w->opts->interval_s * NS_PER_S),
		.quiet_ns = (uint64_t)((w->opts->window_s + 2 * w->opts->interval_s) * NS_PER_S),
		.keep = is_told_of,
		.calm = is_calm,
		.arg = w,
	};
	int err = headway_probe_open(&w->probe, &po);

	for (size_t i = 0; i < w->opts->nr_pids && !err; i++)
		err = headway_probe_add_pid(w->probe, w->opts->pids[i]);
	if (!err && w->child.pid)
		err = headway_probe_add_pid(w->probe, w->child.pid);
	if (!err)
		err = add_group(w);
	for (size_t i = 0; i < w->opts->markers.nr && !err; i++)
		err = headway_probe_add_marker(w->probe, &w->opts->markers.specs[i]);
	if (!err)
		err = headway_probe_attach(w->probe);
	if (err)
		headway_pipeline_say(&w->pipe, "%s", headway_probe_error(w->probe));
	return err;
}

static void tell_memory(struct session *w)
{
	struct headway_probe_memory m;

	headway_probe_memory(w->probe, &m);
	headway_pipeline_say(&w->pipe, "room for %u processes and %u threads: the probes' maps take "
			     "%.1f MiB of the kernel's memory", m.processes, m.threads,
			     (double)m.bytes / (1 << 20));
}

static void warn_of_privileges(struct session *w)
{
	char why[1200];

	if (headway_privileges_blind_to_others(w->opts, why, sizeof(why)))
		headway_pipeline_say(&w->pipe, "%s", why);
}

/* Which only makes it safer: where it cannot be done, the watch goes on. */
static void give_up_privileges(struct session *w)
{
	int err = headway_privileges_drop(w->opts);

	if (err)
		headway_pipeline_say(&w->pipe, "cannot give up capabilities: %s", strerror(-err));
}

static int open_kernel(struct session *w)
{
	int err = headway_kernel_live_open(&w->kernel);

	if (err && w->opts->kernel_if_loaded) {
		/* Nobody misses a module that was not asked for. */
		if (err != -ENOENT)
			headway_pipeline_say(&w->pipe, "%s", w->kernel.kfs.error);
		headway_kernel_live_close(&w->kernel);
		return 0;
	}
	for (size_t i = 0; i < w->opts->nr_domains && !err; i++)
		err = headway_kernel_live_check(&w->kernel, w->opts->domains[i]);
	if (err)
		headway_pipeline_say(&w->pipe, "%s", w->kernel.kfs.error);
	return err;
}

static int open_all(struct session *w)
{
	int err = w->opts->kernel ? open_kernel(w) : 0;

	if (!err && headway_target_has_processes(w->opts))
		err = open_probes(w);
	if (!err && w->probe)
		warn_of_privileges(w);
	if (!err && w->probe && w->opts->verbose)
		tell_memory(w);
	return err;
}

static int say_recording(struct session *w, int err)
{
	if (err)
		headway_pipeline_say(&w->pipe, "cannot record into %s: %s", w->opts->output,
				     strerror(-err));
	return err;
}

static void say_marker(struct session *w)
{
	headway_pipeline_say(&w->pipe, "%s",
			     headway_probe_missing_reason(w->probe, HEADWAY_PROBE_MARKERS));
}

/* A named marker that COMMAND has not mapped in the first window is most likely a mistake. */
static void warn_markers(struct session *w)
{
	if (w->warned || !(w->snap.missing_probes & 1u << HEADWAY_PROBE_MARKERS) ||
	    (double)(w->snap.time_ns - w->begin_ns) < w->opts->window_s * NS_PER_S)
		return;
	w->warned = true;
	say_marker(w);
}

/* Once: from then on there are times of which nothing is said. */
static void warn_rest(struct session *w)
{
	if (!w->rest_told && headway_probe_rests(w->probe)) {
		w->rest_told = true;
		headway_pipeline_say(&w->pipe, "more than %llu events a second: to spare the "
				     "target, the probes rest between windows (--max-rate)",
				     (unsigned long long)w->opts->max_rate);
	}
	if (!w->tries_told && headway_probe_tries_rest(w->probe)) {
		w->tries_told = true;
		headway_pipeline_say(&w->pipe, "more than %llu trylocks a second, and nothing is "
				     "wrong: to spare the target, they are only peeked at between "
				     "windows (--max-tries)",
				     (unsigned long long)w->opts->max_tries);
	}
}

/* After the snapshot was fed: who waits has a line in the guest's books by then. */
static int tell_times(struct session *w)
{
	const struct headway_guest *guest = w->pipe.guest;
	struct headway_times times;
	int err;

	if (!guest || !guest->times)
		return 0;
	err = headway_probe_wait_times(w->probe, &w->snap, &times);
	if (err)
		headway_pipeline_say(&w->pipe, "%s", headway_probe_error(w->probe));
	else
		guest->times(guest->ctx, &times);
	return err;
}

/* One snapshot through the engine. */
static int look_at_processes(struct session *w)
{
	int err = headway_probe_snapshot(w->probe, &w->snap);

	if (err) {
		headway_pipeline_say(&w->pipe, "%s", headway_probe_error(w->probe));
		return err;
	}
	if (w->recorder) {
		headway_recorder_snapshot(w->recorder, &w->snap);
		headway_recorder_live_missing(w->recorder, w->probe, w->snap.missing_probes);
	}
	warn_markers(w);
	warn_rest(w);
	err = headway_pipeline_feed(&w->pipe, &w->snap);
	if (!is_calm(w))
		headway_probe_break_rest(w->probe);
	return err ? err : tell_times(w);
}

/* Why the first of these is missing. */
static const char *why_missing(const struct session *w, uint32_t missing)
{
	for (int i = 0; w->probe && i < HEADWAY_NR_PROBES; i++)
		if (missing & 1u << i)
			return headway_probe_missing_reason(w->probe, (enum headway_probe_id)i);
	return NULL;
}

static void set_scene(struct session *w, const struct headway_assessment *a)
{
	uint32_t missing = w->snap.missing_probes & headway_detect_needs(HEADWAY_LIVELOCK);

	w->scene = (struct headway_scene){
		.assessment = *a, .detect = w->pipe.detect, .names = w->pipe.names,
		.snap = w->probe ? &w->snap : NULL,
		.group = watches_group(w) ? headway_probe_group(w->probe) : NULL,
		.missing_probes = missing, .missing_reason = why_missing(w, missing),
		.looks = w->scene.looks + 1, .kernel = w->pipe.kernel,
		.kernel_lost = w->pipe.kernel ? headway_kernel_watch_lost(w->pipe.kernel) : NULL,
	};
}

static int look(struct session *w)
{
	int err = w->probe ? look_at_processes(w) : 0;
	struct headway_assessment a;
	uint64_t now;

	if (!err)
		err = headway_pipeline_look(&w->pipe);
	/* After the findings, whose names belong to the record. */
	if (!err && w->recorder)
		err = say_recording(w, headway_recorder_commit(w->recorder));
	if (err)
		return err;
	now = now_ns();
	a = headway_pipeline_assessment(&w->pipe);
	a.watched_ns = now - w->begin_ns;
	if (w->pipe.guest)
		set_scene(w, &a);
	/* A server has no end, and nobody reads how it is going but on a terminal. */
	if (!w->pipe.guest || (w->status.live && !has_screen(w)))
		headway_status_update(&w->status, &a, w->end_ns > now ? w->end_ns - now : 0);
	return 0;
}

/* Whatever we were to watch has ended by itself. */
static bool targets_ended(const struct session *w)
{
	return w->probe ? w->snap.target_exited : headway_kernel_watch_ended(w->pipe.kernel);
}

/* Sleeps until `until_ns`; true when something says that the watch is over. */
static bool wait_until(struct session *w, uint64_t until_ns)
{
	const struct headway_guest *guest = w->pipe.guest;
	struct pollfd pfd[] = {
		{ .fd = w->signals, .events = POLLIN },
		{ .fd = guest ? guest->fd : -1, .events = POLLIN },
	};

	for (;;) {
		uint64_t now = now_ns(), left_ns = until_ns > now ? until_ns - now : 0;
		struct timespec left;

		if (guest && guest->serve(guest->ctx, &w->scene))
			return true;
		if (headway_child_poll(&w->child) && !w->stays)
			return true;
		if (!left_ns)
			return false;
		if (guest && left_ns > GUEST_NS)
			left_ns = GUEST_NS;
		left.tv_sec = (time_t)(left_ns / 1000000000ull);
		left.tv_nsec = (long)(left_ns % 1000000000ull);
		if (ppoll(pfd, 2, &left, NULL) > 0 && headway_signals_drain(w->signals))
			return true;
		/* The terminal is gone. */
		if (has_screen(w) && pfd[1].revents & (POLLHUP | POLLERR))
			return true;
	}
}

/* Until the next look; a peek at trylocks ends on the way. */
static bool wait_for_look(struct session *w, uint64_t next_ns)
{
	uint64_t peek_ns = w->probe ? headway_probe_peek_end(w->probe) : 0;

	if (peek_ns) {
		if (wait_until(w, peek_ns < next_ns ? peek_ns : next_ns))
			return true;
		headway_probe_end_peek(w->probe);
	}
	return wait_until(w, next_ns);
}

static int release_command(struct session *w)
{
	int err = headway_child_release(&w->child);

	if (!err)
		headway_probe_follow_exec(w->probe);
	else
		headway_pipeline_say(&w->pipe, "cannot run %s: %s", w->opts->command[0],
				     strerror(-err));
	return err;
}

/* A person looks at the last of it, and says when that is enough. */
static bool stays(const struct session *w)
{
	return has_screen(w) && (w->child.ended || targets_ended(w));
}

static int stay_on(struct session *w)
{
	w->stays = true;
	headway_pipeline_say(&w->pipe, "what was watched has ended: this is the last of it");
	while (!wait_until(w, w->end_ns ? w->end_ns : UINT64_MAX) && !w->end_ns)
		;
	return 0;
}

static int watch_on(struct session *w)
{
	struct headway_looks looks = { .interval_ns = w->opts->interval_s * NS_PER_S };
	int err;

	w->begin_ns = now_ns();
	if (w->opts->duration_s > 0)
		w->end_ns = w->begin_ns + (uint64_t)(w->opts->duration_s * NS_PER_S);
	err = look(w);
	if (!err && w->child.pid)
		err = release_command(w);
	if (err)
		return err;
	looks.begin_ns = w->begin_ns;
	looks.end_ns = w->end_ns;
	for (;;) {
		uint64_t next = headway_looks_next(&looks, now_ns());

		if (wait_for_look(w, next)) {
			err = w->child.ended ? look(w) : 0;
			return err || !stays(w) ? err : stay_on(w);
		}
		err = look(w);
		if (!err && stays(w))
			return stay_on(w);
		if (err || targets_ended(w) || (w->end_ns && next >= w->end_ns))
			return err;
	}
}

static int sum_up(struct session *w, struct headway_summary *s)
{
	*s = (struct headway_summary){
		.duration_ns = now_ns() - w->begin_ns,
		.command = w->opts->command ? w->opts->command[0] : NULL,
		.command_ended = w->child.ended,
		.command_status = w->child.status,
		.group = watches_group(w) ? headway_probe_group(w->probe) : NULL,
		.group_alone = !w->opts->nr_pids && !w->opts->command,
		.cgroup = w->opts->cgroup ? w->cgroup.path : NULL,
	};
	for (int i = 0; w->probe && i < HEADWAY_NR_PROBES; i++) {
		const char *why = headway_probe_missing_reason(w->probe, (enum headway_probe_id)i);

		s->probe_names[i] = headway_probe_name((enum headway_probe_id)i);
		s->probe_reasons[i] = why ? why : "unknown";
	}
	if (w->recorder && w->probe)
		headway_recorder_live_missing(w->recorder, w->probe, w->snap.missing_probes);
	if (w->recorder && say_recording(w, headway_recorder_live_finish(w->recorder, s)))
		return -EIO;
	return headway_pipeline_summary(&w->pipe, s);
}

/* The kernel through the recorder, if there is one. */
static int open_pipeline(struct session *w)
{
	struct headway_kernel_reader source = headway_kernel_live_reader(&w->kernel);
	struct headway_detect_options o = {
		.window_ns = (uint64_t)(w->opts->window_s * NS_PER_S),
		.interval_ns = (uint64_t)(w->opts->interval_s * NS_PER_S),
		.thresholds = &w->thresholds,
	};

	if (w->recorder)
		source = headway_recorder_kernel(w->recorder, &source);
	if (w->opts->kernel && w->kernel.kfs.dir >= 0) {
		w->pipe.kernel = headway_kernel_watch_new(w->opts->domains, w->opts->nr_domains,
							  &source);
		if (!w->pipe.kernel)
			return -ENOMEM;
	}
	return w->probe ? headway_pipeline_open(&w->pipe, &o) : 0;
}

/* 0, or the exit status; then it was said why. */
static int open_engine(struct session *w)
{
	struct headway_name_source source;

	w->live = headway_live_names_new(w->probe);
	source = headway_live_names_source(w->live);
	if (w->opts->output && w->live) {
		if (say_recording(w, headway_recorder_live_open(&w->recorder, w->opts,
								&w->thresholds, &source)))
			return HEADWAY_EXIT_FAILED;
		source = headway_recorder_names(w->recorder);
	}
	w->pipe.names = w->live ? headway_names_new(&source) : NULL;
	if (!w->pipe.names || open_pipeline(w)) {
		headway_pipeline_say(&w->pipe, "out of memory");
		return HEADWAY_EXIT_FAILED;
	}
	return 0;
}

static int watch_targets(struct session *w)
{
	struct headway_summary s = { .duration_ns = 0 };
	int status = open_engine(w);

	if (status)
		return status;
	give_up_privileges(w);
	if (watch_on(w))
		return HEADWAY_EXIT_FAILED;
	if (watches_group(w) && headway_probe_group(w->probe)->removed)
		headway_pipeline_say(&w->pipe, "the cgroup was removed, which ends the watch");
	if (sum_up(w, &s))
		return HEADWAY_EXIT_FAILED;
	status = headway_pipeline_exit(&w->pipe, &s);
	if (status != HEADWAY_EXIT_DONE ||
	    !(w->snap.missing_probes & 1u << HEADWAY_PROBE_MARKERS))
		return status;
	/* What was asked for was never looked at. */
	if (!w->warned)
		say_marker(w);
	return HEADWAY_EXIT_FAILED;
}

int headway_session_run(const char *who, const struct headway_target_options *target,
			const struct headway_view_options *view, const struct headway_guest *guest)
{
	enum headway_child_output output = guest && guest->say ? HEADWAY_CHILD_NOWHERE :
		view->json ? HEADWAY_CHILD_TO_STDERR : HEADWAY_CHILD_AS_OURS;
	struct headway_target_options opts = *target;
	struct session w = {
		.opts = &opts, .signals = -1, .cgroup = { .fd = -1 },
		.thresholds = headway_thresholds_default,
		.kernel = { .kfs = { .dir = -1 } },
		.pipe = {
			.who = who, .view = view, .color = headway_table_color(stdout),
			.guest = guest, .journal = target->journal,
		},
	};
	int status = HEADWAY_EXIT_FAILED;
	int err;

	/* A look needs as much each time: the kernel is not to map and clear it anew. */
	mallopt(M_MMAP_THRESHOLD, KEPT_BYTES / 2);
	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
	w.pipe.status = &w.status;
	headway_thresholds_override(&w.thresholds, &target->thresholds);
	headway_status_init(&w.status, stderr);
	w.signals = headway_signals_open(has_screen(&w));
	err = w.signals < 0 ? w.signals : 0;
	if (!err && target->command)
		err = headway_child_start(&w.child, target->command, output);
	if (err) {
		headway_pipeline_say(&w.pipe, "cannot start: %s", strerror(-err));
	} else if (!check_journal(&w) && !open_cgroup(&w)) {
		opts.interval_s = headway_crowd_interval(target, &w.cgroup);
		status = open_all(&w) ? HEADWAY_EXIT_FAILED : watch_targets(&w);
	}
	headway_child_end(&w.child);
	headway_names_free(w.pipe.names);
	headway_recorder_free(w.recorder);
	headway_live_names_free(w.live);
	headway_pipeline_close(&w.pipe);
	headway_kernel_live_close(&w.kernel);
	headway_probe_close(w.probe);
	headway_cgroup_close(&w.cgroup);
	if (w.signals >= 0)
		close(w.signals);
	return status;
}

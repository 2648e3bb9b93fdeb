// SPDX-License-Identifier: GPL-2.0
/*
 * metrics.c - the verdicts of a watch, and what processes and their locks do, as metrics.
 *
 * Invariants: what comes from the target was escaped; a family has its samples at once; as many
 * lines of processes and of locks as the tally has, and one for all others.
 */
#include "metrics.h"

#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "probe.h"

#ifndef HEADWAY_VERSION
#define HEADWAY_VERSION "unknown"
#endif

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static void one_count(struct headway_metrics_text *t, const char *name, const char *help,
		      uint64_t value)
{
	const struct headway_metric family = { HEADWAY_METRIC_COUNTER, name, NULL, help };

	headway_metrics_begin(t, &family);
	headway_metrics_count(t, NULL, value);
}

static void one_gauge(struct headway_metrics_text *t, const char *name, const char *help,
		      double value)
{
	const struct headway_metric family = { HEADWAY_METRIC_GAUGE, name, NULL, help };

	headway_metrics_begin(t, &family);
	headway_metrics_gauge(t, NULL, value);
}

/* --- the watch as a whole --------------------------------------------------------------------- */

static void print_build(struct headway_metrics_text *t)
{
	static const struct headway_metric family = {
		HEADWAY_METRIC_INFO, "headway_build", NULL, "The version of headway.",
	};
	const struct headway_label labels[] = { { "version", HEADWAY_VERSION }, { 0 } };

	headway_metrics_begin(t, &family);
	headway_metrics_info(t, labels);
}

static void print_state(struct headway_metrics_text *t, enum headway_verdict state)
{
	static const struct headway_metric family = {
		HEADWAY_METRIC_STATESET, "headway_state", NULL,
		"The worst verdict of the last window, of processes and kernel together.",
	};

	headway_metrics_begin(t, &family);
	for (int v = 0; v < HEADWAY_NR_VERDICTS; v++)
		headway_metrics_state(t, NULL, headway_verdict_name((enum headway_verdict)v),
				      v == (int)state);
}

static void print_findings(const struct headway_metrics *m, struct headway_metrics_text *t)
{
	static const struct headway_metric family = {
		HEADWAY_METRIC_COUNTER, "headway_findings", NULL,
		"Findings announced since the watch began.",
	};

	headway_metrics_begin(t, &family);
	for (int s = HEADWAY_SOURCE_PROCESS; s <= HEADWAY_SOURCE_KERNEL; s++) {
		for (int v = 0; v < HEADWAY_NR_VERDICTS; v++) {
			const struct headway_label labels[] = {
				{ "source", headway_source_name((enum headway_source)s) },
				{ "verdict", headway_verdict_name((enum headway_verdict)v) }, { 0 },
			};

			if (headway_verdict_is_finding((enum headway_verdict)v))
				headway_metrics_count(t, labels, m->findings[s][v]);
		}
	}
}

/* --- processes -------------------------------------------------------------------------------- */

/* Labels of a process or a lock of it. */
struct who {
	char pid[16];
	char comm[4 * HEADWAY_COMM_LEN + 1];
	char lock[HEADWAY_NAME_LEN];
	char addr[24];
	struct headway_label labels[5];
};

static void name_process(struct who *w, uint32_t pid, const char *comm)
{
	snprintf(w->pid, sizeof(w->pid), "%u", pid);
	headway_escape(comm, HEADWAY_COMM_LEN, w->comm, sizeof(w->comm));
	w->labels[0] = (struct headway_label){ "pid", w->pid };
	w->labels[1] = (struct headway_label){ "comm", w->comm };
	w->labels[2] = (struct headway_label){ 0 };
}

/* Two locks may have one name: the address tells them apart. */
static void name_lock(struct who *w, const struct headway_tally_line *line,
		      struct headway_names *names)
{
	headway_names_lock(names, (pid_t)line->pid, line->addr, w->lock, sizeof(w->lock));
	snprintf(w->addr, sizeof(w->addr), "0x%llx", (unsigned long long)line->addr);
	w->labels[2] = (struct headway_label){ "lock", w->lock };
	w->labels[3] = (struct headway_label){ "address", w->addr };
	w->labels[4] = (struct headway_label){ 0 };
}

static void name_others(struct who *w)
{
	name_process(w, 0, "");
	snprintf(w->pid, sizeof(w->pid), "other");
}

/* What holds now; two of one process with one verdict are one sample. */
static void print_holding(struct headway_metrics_text *t, const struct headway_scene *scene)
{
	static const struct headway_metric family = {
		HEADWAY_METRIC_GAUGE, "headway_finding", NULL,
		"Findings about processes that hold now.",
	};
	const struct headway_finding *f, *g;
	struct who who;

	headway_metrics_begin(t, &family);
	for (size_t i = 0; (f = headway_detect_holds(scene->detect, i)); i++) {
		unsigned int same = 0, earlier = 0;

		for (size_t k = 0; (g = headway_detect_holds(scene->detect, k)); k++) {
			bool is = g->pid == f->pid && g->verdict == f->verdict;

			same += is;
			earlier += is && k < i;
		}
		if (earlier)
			continue;
		name_process(&who, f->pid, f->comm);
		who.labels[2] = (struct headway_label){
			"verdict", headway_verdict_name(f->verdict)
		};
		who.labels[3] = (struct headway_label){ 0 };
		headway_metrics_gauge(t, who.labels, same);
	}
}

enum what { THREADS, ATTEMPTS, FAILS, COMPLETIONS, ROLLBACKS, WAITS, LOCK_FAILS, LOCK_WAITS };

static const struct headway_metric tally_families[] = {
	[THREADS] = { HEADWAY_METRIC_GAUGE, "headway_process_threads", NULL,
		      "Threads that are watched." },
	[ATTEMPTS] = { HEADWAY_METRIC_COUNTER, "headway_process_attempts", NULL,
		       "Tries to get a lock, and attempts that markers tell of." },
	[FAILS] = { HEADWAY_METRIC_COUNTER, "headway_process_failures", NULL,
		    "Tries that did not get the lock." },
	[COMPLETIONS] = { HEADWAY_METRIC_COUNTER, "headway_process_completions", NULL,
			  "Attempts that got what they wanted, and progress that markers tell "
			  "of. In Rust, Java and Python only the latter: that a lock was got "
			  "says nothing there, as failed tries are not seen." },
	[ROLLBACKS] = { HEADWAY_METRIC_COUNTER, "headway_process_rollbacks", NULL,
			"Times that a thread gave back what it held after a failed try." },
	[WAITS] = { HEADWAY_METRIC_HISTOGRAM, "headway_process_wait_seconds", "seconds",
		    "Futex waits that ended." },
	[LOCK_FAILS] = { HEADWAY_METRIC_COUNTER, "headway_lock_failures", NULL,
			 "Tries that did not get this lock." },
	[LOCK_WAITS] = { HEADWAY_METRIC_HISTOGRAM, "headway_lock_wait_seconds", "seconds",
			 "Waits for this lock, or at this futex word, that ended." },
};

static void print_times(struct headway_metrics_text *t, const struct headway_label *labels,
			const struct headway_tally_line *line)
{
	struct headway_log2 times = { .sum_ns = line->wait_ns };

	_Static_assert(sizeof(times.buckets) == sizeof(line->times), "both are powers of two");
	memcpy(times.buckets, line->times, sizeof(times.buckets));
	headway_metrics_histogram(t, labels, &times);
}

static void print_sample(struct headway_metrics_text *t, enum what what,
			 const struct headway_label *labels, const struct headway_tally_line *line)
{
	switch (what) {
	case THREADS:
		headway_metrics_gauge(t, labels, (double)line->threads);
		return;
	case ATTEMPTS:
		headway_metrics_count(t, labels, line->attempts);
		return;
	case COMPLETIONS:
		headway_metrics_count(t, labels, line->completions);
		return;
	case ROLLBACKS:
		headway_metrics_count(t, labels, line->rollbacks);
		return;
	case FAILS:
	case LOCK_FAILS:
		headway_metrics_count(t, labels, line->fails);
		return;
	case WAITS:
	case LOCK_WAITS:
		print_times(t, labels, line);
		return;
	}
}

static void print_lines(struct headway_metrics_text *t, const struct headway_tally_lines *lines,
			enum what what, struct headway_names *names)
{
	struct who who;

	headway_metrics_begin(t, &tally_families[what]);
	for (size_t i = 0; i < lines->nr; i++) {
		const struct headway_tally_line *line = &lines->lines[i];

		name_process(&who, line->pid, line->comm);
		if (line->addr)
			name_lock(&who, line, names);
		print_sample(t, what, who.labels, line);
	}
	if (!lines->folded)
		return;
	name_others(&who);
	print_sample(t, what, who.labels, &lines->others);
}

static void print_folded(const struct headway_metrics *m, struct headway_metrics_text *t)
{
	static const struct headway_metric family = {
		HEADWAY_METRIC_COUNTER, "headway_folded", NULL,
		"Times that something was added to the sample of pid other, for want of series "
		"(--max-series).",
	};
	const struct headway_label processes[] = { { "of", "process" }, { 0 } };
	const struct headway_label locks[] = { { "of", "lock" }, { 0 } };

	headway_metrics_begin(t, &family);
	headway_metrics_count(t, processes, m->tally.processes.folded);
	headway_metrics_count(t, locks, m->tally.locks.folded);
}

/* --- what could not be seen ------------------------------------------------------------------- */

static void print_lost(struct headway_metrics_text *t, const uint64_t *counters,
		       uint64_t times_lost)
{
	static const struct {
		enum headway_counter counter;
		const char *what;
	} lost[] = {
		{ HEADWAY_CNT_LOST_THREADS, "thread" }, { HEADWAY_CNT_LOST_LOCKS, "lock" },
		{ HEADWAY_CNT_LOST_RINGBUF, "event" }, { HEADWAY_CNT_LOST_MARKS, "mark" },
		{ HEADWAY_CNT_LOST_PROCESSES, "process" },
		{ HEADWAY_CNT_LOST_STACKS, "stack" },
	};
	static const struct headway_metric family = {
		HEADWAY_METRIC_COUNTER, "headway_lost", NULL,
		"What the probes had no room for; verdicts suffer, but for stacks and times.",
	};
	const struct headway_label of_times[] = { { "what", "time" }, { 0 } };

	one_count(t, "headway_events", "Events that the probes counted.",
		  counters[HEADWAY_CNT_EVENTS]);
	headway_metrics_begin(t, &family);
	for (size_t i = 0; i < ARRAY_LEN(lost); i++) {
		const struct headway_label labels[] = { { "what", lost[i].what }, { 0 } };

		headway_metrics_count(t, labels, counters[lost[i].counter]);
	}
	headway_metrics_count(t, of_times, times_lost);
}

static void print_missing(struct headway_metrics_text *t, uint32_t missing)
{
	static const struct headway_metric family = {
		HEADWAY_METRIC_GAUGE, "headway_probe_missing", NULL,
		"1: this probe is not in place; `headway doctor` says why.",
	};

	headway_metrics_begin(t, &family);
	for (int i = 0; i < HEADWAY_NR_PROBES; i++) {
		const struct headway_label labels[] = {
			{ "probe", headway_probe_name((enum headway_probe_id)i) }, { 0 },
		};

		headway_metrics_gauge(t, labels, missing >> i & 1);
	}
}

static void print_group(struct headway_metrics_text *t, const struct headway_probe_group *g)
{
	one_gauge(t, "headway_group_processes", "Processes of the group that are watched.",
		  (double)g->now);
	one_gauge(t, "headway_group_left_out", "Processes of the group that have no room.",
		  (double)g->left_out);
}

static void print_processes(const struct headway_metrics *m, const struct headway_scene *scene,
			    struct headway_metrics_text *t)
{
	static const struct headway_metric rested = {
		HEADWAY_METRIC_COUNTER, "headway_rested_seconds", "seconds",
		"Of headway_watched_seconds, not watched: there were too many events.",
	};
	const struct headway_assessment *a = headway_detect_assessment(scene->detect);

	print_holding(t, scene);
	for (enum what what = THREADS; what <= WAITS; what++)
		print_lines(t, &m->tally.processes, what, scene->names);
	for (enum what what = LOCK_FAILS; what <= LOCK_WAITS; what++)
		print_lines(t, &m->tally.locks, what, scene->names);
	print_folded(m, t);
	print_lost(t, scene->snap->counters, m->times_lost);
	print_missing(t, scene->snap->missing_probes);
	one_gauge(t, "headway_observed_well",
		  "0: over 1 % of the last window's events were lost, a probe is missing, or somebody "
		  "found no room.",
		  a->observed_well);
	headway_metrics_begin(t, &rested);
	headway_metrics_seconds(t, NULL, a->rested_ns);
	if (scene->group)
		print_group(t, scene->group);
}

void headway_metrics_print(struct headway_metrics *m, const struct headway_scene *scene,
			   struct headway_metrics_text *t)
{
	static const struct headway_metric watched = {
		HEADWAY_METRIC_COUNTER, "headway_watched_seconds", "seconds",
		"For how long the watch has lasted, at the last look.",
	};

	m->scrapes++;
	print_build(t);
	one_count(t, "headway_scrapes", "Times that this page was made.", m->scrapes);
	headway_metrics_begin(t, &watched);
	headway_metrics_seconds(t, NULL, scene->assessment.watched_ns);
	one_gauge(t, "headway_judged", "1: a full window was watched, so headway_state says something.",
		  scene->assessment.judged);
	print_state(t, scene->assessment.state);
	print_findings(m, t);
	if (scene->detect)
		print_processes(m, scene, t);
	if (m->kernel) {
		one_gauge(t, "headway_kernel_watched",
			  "0: the kernel is not watched any more, as the module was unloaded.",
			  !scene->kernel_lost);
		headway_metrics_kernel_print(m->kernel, t);
	}
	headway_metrics_end(t);
}

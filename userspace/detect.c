// SPDX-License-Identifier: GPL-2.0
/*
 * detect.c - the verdict engine: feeds windows to the verdicts, remembers what was said. PURE.
 *
 * Invariants: a finding is announced once, when the whole window shows it, and is over when two
 * evaluations in a row no longer do; nothing is announced about less than a window; the state is
 * never better than what could be observed.
 */
#include "detect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assess.h"
#include "judge.h"
#include "suspect.h"
#include "window.h"

enum { MAX_ACTIVE = 64, MUTEX_MEMORY_WINDOWS = 10 };

/* A finding that holds. */
struct active {
	struct headway_finding finding;
	unsigned int misses;		/* evaluations in a row without it */
	uint64_t until_ns;		/* kept at least until then */
};

/* Intervals in a row that look like a livelock or starvation, for `transient`. */
struct run {
	struct headway_finding first;	/* as the first of them saw it */
	unsigned int intervals;
	uint64_t since_ns;
	uint64_t attempts;
	bool reported;			/* a full finding came of it */
};

struct headway_detect {
	struct headway_detect_options opts;
	struct headway_thresholds t;
	struct headway_window window;
	uint64_t began_ns;
	uint64_t first_counters[HEADWAY_NR_COUNTERS];
	unsigned int undetermined;	/* evaluations in a row */
	bool undetermined_said;
	bool suspects;			/* trylocks rest, and should not */
	struct headway_mutexes mutexes;
	struct run run;
	size_t nr_active;
	struct active active[MAX_ACTIVE];
	size_t nr_fresh;
	struct headway_finding fresh[HEADWAY_JUDGE_FINDINGS + 2];
	struct headway_assessment assessment;
};

struct headway_detect *headway_detect_new(const struct headway_detect_options *opts)
{
	struct headway_detect *d;

	if (!opts->interval_ns || opts->window_ns < 2 * opts->interval_ns)
		return NULL;
	d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	d->opts = *opts;
	d->t = opts->thresholds ? *opts->thresholds : headway_thresholds_default;
	if (headway_window_init(&d->window, opts->window_ns, opts->interval_ns)) {
		free(d);
		return NULL;
	}
	d->assessment.state = HEADWAY_UNDETERMINED;
	d->assessment.observed_well = true;
	snprintf(d->assessment.reason, sizeof(d->assessment.reason),
		 "not watched for a full window of %.1f s yet", (double)opts->window_ns / 1e9);
	return d;
}

void headway_detect_free(struct headway_detect *d)
{
	if (!d)
		return;
	headway_window_free(&d->window);
	free(d);
}

size_t headway_detect_findings(const struct headway_detect *d, const struct headway_finding **out)
{
	*out = d->fresh;
	return d->nr_fresh;
}

const struct headway_finding *headway_detect_holds(const struct headway_detect *d, size_t i)
{
	return i < d->nr_active ? &d->active[i].finding : NULL;
}

const struct headway_assessment *headway_detect_assessment(const struct headway_detect *d)
{
	return &d->assessment;
}

int headway_detect_view(const struct headway_detect *d, struct headway_view *v, size_t intervals)
{
	return headway_view_build(v, &d->window, &d->mutexes, intervals);
}

bool headway_detect_calm(const struct headway_detect *d)
{
	return d->assessment.judged && d->assessment.state < HEADWAY_UNDETERMINED &&
	       !d->nr_active && !d->run.intervals && !d->suspects;
}

bool headway_detect_concerns(const struct headway_detect *d, uint32_t pid)
{
	for (size_t i = 0; i < d->nr_active; i++) {
		const struct headway_finding *f = &d->active[i].finding;

		if (f->pid == pid)
			return true;
		for (unsigned int k = 0; k < f->nr_actors; k++)
			if (f->actors[k].tgid == pid)
				return true;
	}
	return false;
}

uint32_t headway_detect_needs(enum headway_verdict v)
{
	switch (v) {
	case HEADWAY_DEADLOCK:
	case HEADWAY_STALLED_HOLDER:
		return 1u << HEADWAY_PROBE_FUTEX;
	default:
		return 1u << HEADWAY_PROBE_FUTEX | 1u << HEADWAY_PROBE_TRYLOCK |
		       1u << HEADWAY_PROBE_MARKERS;
	}
}

/* The same story: same verdict, and a leading actor in common. */
static bool same_story(const struct headway_finding *a, const struct headway_finding *b)
{
	if (a->verdict != b->verdict || a->pid != b->pid || !a->nr_actors || !b->nr_actors)
		return false;
	for (unsigned int i = 0; i < a->nr_actors; i++)
		for (unsigned int k = 0; k < b->nr_actors; k++)
			if (a->actors[i].tid == b->actors[k].tid &&
			    a->actors[i].role == a->actors[0].role &&
			    b->actors[k].role == b->actors[0].role)
				return true;
	return false;
}

/* From the clock of the snapshots to seconds since the watch began. */
static void make_relative(const struct headway_detect *d, struct headway_finding *f,
			  uint64_t now_ns)
{
	uint64_t onset = f->first_seen_ns > d->began_ns ? f->first_seen_ns : d->began_ns;

	if (onset > now_ns)
		onset = now_ns;
	f->first_seen_ns = onset - d->began_ns;
	f->latency_ns = now_ns - onset;
}

static void announce(struct headway_detect *d, const struct headway_finding *f)
{
	if (d->nr_fresh == sizeof(d->fresh) / sizeof(d->fresh[0]))
		return;
	d->fresh[d->nr_fresh++] = *f;
	d->assessment.findings[f->verdict]++;
}

static void raise_finding(struct headway_detect *d, struct headway_finding *f, uint64_t now_ns,
			  uint64_t until_ns)
{
	for (size_t i = 0; i < d->nr_active; i++) {
		struct active *a = &d->active[i];

		if (!same_story(&a->finding, f))
			continue;
		a->misses = 0;
		a->until_ns = until_ns;
		return;
	}
	if (d->nr_active == MAX_ACTIVE)
		return;
	make_relative(d, f, now_ns);
	d->active[d->nr_active++] = (struct active){ .finding = *f, .until_ns = until_ns };
	announce(d, f);
}

static void drop_cleared(struct headway_detect *d, uint64_t now_ns)
{
	size_t out = 0;

	for (size_t i = 0; i < d->nr_active; i++) {
		struct active *a = &d->active[i];

		/* misses was set to 0 by raise_finding() if this window showed it. */
		if (a->misses >= d->t.clear_evaluations && now_ns >= a->until_ns)
			continue;
		if (out != i)
			d->active[out] = *a;
		out++;
	}
	d->nr_active = out;
}

/* Can it be told of a window in which trylock rested? */
static bool stands_without_tries(enum headway_verdict v)
{
	return !(headway_detect_needs(v) & 1u << HEADWAY_PROBE_TRYLOCK);
}

static int judge_all(struct headway_judge *j)
{
	static const struct {
		enum headway_verdict verdict;
		int (*judge)(struct headway_judge *j);
	} verdicts[] = {
		{ HEADWAY_DEADLOCK, headway_judge_deadlock },
		{ HEADWAY_LIVELOCK, headway_judge_livelock },
		{ HEADWAY_STALLED_HOLDER, headway_judge_stalled_holder },
		{ HEADWAY_STARVATION, headway_judge_starvation },
		{ HEADWAY_LIVELOCK, headway_judge_markers },
		{ HEADWAY_DEADLOCK, headway_judge_ownerless },
		{ HEADWAY_SPIN_HANG, headway_judge_spin_hang },
		{ HEADWAY_RETRY_STORM, headway_judge_retry_storm },
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]) && !err; i++)
		if (!j->v->tries_rested || stands_without_tries(verdicts[i].verdict))
			err = verdicts[i].judge(j);
	if (!err)
		headway_judge_confirm(j);
	return err;
}

/* Said once in a watch: it is about what we can see, and that does not change by the second. */
static void say_undetermined(struct headway_detect *d, struct headway_judge *j, long actor,
			     uint64_t now_ns)
{
	const struct headway_assessment *a = &d->assessment;
	struct headway_finding *f;

	if (d->undetermined_said || !j->v->nr_actors)
		return;
	d->undetermined_said = true;
	j->nr_findings = 0;
	f = headway_judge_finding(j, HEADWAY_UNDETERMINED, actor >= 0 ? (size_t)actor : 0,
				  j->v->start_ns);
	if (actor >= 0)
		headway_judge_wait(j, f, headway_judge_actor(j, f, (size_t)actor,
							     HEADWAY_ROLE_MEMBER), (size_t)actor);
	headway_finding_evidence(f, "%s", a->reason);
	if (a->advice[0])
		headway_finding_advice(f, "%s", a->advice);
	make_relative(d, f, now_ns);
	announce(d, f);
}

static void set_state(struct headway_detect *d)
{
	struct headway_assessment *a = &d->assessment;
	const struct headway_finding *worst = NULL;

	for (size_t i = 0; i < d->nr_active; i++)
		if (!worst || d->active[i].finding.verdict > worst->verdict)
			worst = &d->active[i].finding;
	if (!worst || worst->verdict <= a->state)
		return;
	a->state = worst->verdict;
	a->advice[0] = '\0';
	snprintf(a->reason, sizeof(a->reason), "%s in process %u (%.16s), since %.1f s",
		 headway_verdict_name(worst->verdict), worst->pid, worst->comm,
		 (double)worst->first_seen_ns / 1e9);
}

static int judge_window(struct headway_detect *d, uint64_t now_ns)
{
	struct headway_judge j;
	struct headway_view v;
	long unexplained;
	int err = headway_view_build(&v, &d->window, &d->mutexes, 0);

	if (err)
		return err;
	/* What was not seen in it may be what disproves a verdict, or proves one. */
	if (v.rested)
		goto free_view;
	err = headway_judge_init(&j, &d->t, &v);
	if (err)
		goto free_view;
	err = judge_all(&j);
	if (err)
		goto free_judge;
	for (size_t i = 0; i < d->nr_active; i++)
		if (!v.tries_rested || stands_without_tries(d->active[i].finding.verdict))
			d->active[i].misses++;
	for (unsigned int i = 0; i < j.nr_findings; i++) {
		raise_finding(d, &j.findings[i], now_ns, 0);
		if (d->run.intervals && j.findings[i].verdict >= HEADWAY_STARVATION)
			d->run.reported = true;
	}
	drop_cleared(d, now_ns);
	/* The state is what it was: whether anybody gets on was not seen. */
	if (v.tries_rested)
		goto free_judge;
	headway_assess(&d->assessment, &j, &unexplained);
	d->assessment.judged = true;
	d->undetermined = d->assessment.state == HEADWAY_UNDETERMINED && !d->nr_active ?
			  d->undetermined + 1 : 0;
	if (d->undetermined == d->t.abstain_evaluations)
		say_undetermined(d, &j, unexplained, now_ns);
free_judge:
	headway_judge_free(&j);
free_view:
	headway_view_free(&v);
	return err;
}

/* Did those who were stuck complete something in this interval? */
static bool resolved(const struct headway_view *v, const struct headway_finding *f)
{
	for (unsigned int i = 0; i < f->nr_actors; i++) {
		long a = headway_view_find_tid(v, f->actors[i].tid);

		if (f->actors[i].role == f->actors[0].role && a >= 0 &&
		    (v->actors[a].delta.commits || v->actors[a].progress))
			return true;
	}
	return false;
}

/* Is one of its leading actors part of something that is reported already? */
static bool is_told(const struct headway_detect *d, const struct headway_finding *f)
{
	for (size_t i = 0; i < d->nr_active; i++) {
		struct headway_finding as = *f;

		as.verdict = d->active[i].finding.verdict;
		if (same_story(&d->active[i].finding, &as))
			return true;
	}
	return false;
}

static void end_run(struct headway_detect *d, const struct headway_view *v)
{
	struct run *r = &d->run;
	struct headway_finding f = r->first;
	double lasted_s = (double)(v->start_ns - r->since_ns) / 1e9;

	if (r->intervals >= d->t.transient_intervals && !r->reported &&
	    v->start_ns - r->since_ns >= d->t.transient_ns && resolved(v, &f) && !is_told(d, &f)) {
		f.verdict = HEADWAY_TRANSIENT;
		f.confidence = HEADWAY_CONFIRMED;
		f.first_seen_ns = r->since_ns;
		f.window_ns = v->start_ns - r->since_ns;
		f.attempts = r->attempts;
		f.nr_advice = 0;
		headway_finding_evidence(&f, "it was a %s for %.1f s (%llu attempts, no "
					     "completion), less than "
					 "the window, and resolved by itself",
					 headway_verdict_name(r->first.verdict), lasted_s,
					 (unsigned long long)r->attempts);
		headway_finding_advice(&f, "it can last longer another time: a random, growing "
					   "wait after a "
				       "rollback, or one order of the locks, ends it for good");
		raise_finding(d, &f, v->end_ns, v->end_ns + d->window.window_ns);
	}
	r->intervals = 0;
}

static void note_mutexes(struct headway_detect *d, const struct headway_view *v)
{
	uint64_t keep_ns = MUTEX_MEMORY_WINDOWS * d->window.window_ns;
	const struct headway_snapshot *now = v->slots[v->nr_slots - 1];

	for (size_t i = 0; i < now->nr_threads; i++) {
		struct headway_thread_rec wait;

		if (headway_snap_wait(now, v->slots[v->nr_slots - 2], &now->threads[i], &wait) &&
		    headway_view_is_mutex(&wait) && headway_view_wait_owner(v, &wait) >= 0)
			headway_mutexes_note(&d->mutexes, wait.tgid, wait.wait_addr, v->end_ns);
	}
	if (v->end_ns > keep_ns)
		headway_mutexes_forget(&d->mutexes, v->end_ns - keep_ns);
}

/* Of an interval in which trylocks rested: was there anything in it that they should not miss? */
static int suspect(struct headway_detect *d, const struct headway_view *newest)
{
	struct headway_view v;
	int err = headway_view_build(&v, &d->window, &d->mutexes, 0);

	if (err)
		return err;
	d->suspects = headway_suspects(&d->t, &v, newest);
	headway_view_free(&v);
	return 0;
}

/* The newest interval alone: does it continue a run, begin one, or end it? */
static int follow_run(struct headway_detect *d)
{
	struct headway_judge j;
	struct headway_view v;
	const struct headway_finding *seen = NULL;
	int err = headway_view_build(&v, &d->window, &d->mutexes, 1);

	if (err)
		return err == -EAGAIN ? 0 : err;
	note_mutexes(d, &v);
	if (d->opts.changes)
		d->opts.changes(d->opts.ctx, &v);
	d->suspects = false;
	if (v.rested || v.tries_rested) {
		d->run = (struct run){ 0 };	/* its end would not be seen */
		if (!v.rested)
			err = suspect(d, &v);
		goto free_view;
	}
	err = headway_judge_init(&j, &d->t, &v);
	if (err)
		goto free_view;
	err = headway_judge_livelock(&j);
	if (!err)
		err = headway_judge_starvation(&j);
	if (!err)
		err = headway_judge_markers(&j);
	for (unsigned int i = 0; i < j.nr_findings && !seen; i++)
		if (!d->run.intervals || same_story(&j.findings[i], &d->run.first))
			seen = &j.findings[i];
	if (seen && !d->run.intervals)
		d->run = (struct run){ .first = *seen, .since_ns = v.start_ns };
	if (seen) {
		d->run.intervals++;
		d->run.attempts += seen->attempts;
	} else if (d->run.intervals) {
		end_run(d, &v);
	}
	headway_judge_free(&j);
free_view:
	headway_view_free(&v);
	return err;
}

static void total_up(struct headway_detect *d, const struct headway_snapshot *snap)
{
	struct headway_assessment *a = &d->assessment;
	uint64_t grown[HEADWAY_NR_COUNTERS];

	for (int i = 0; i < HEADWAY_NR_COUNTERS; i++)
		grown[i] = snap->counters[i] > d->first_counters[i] ?
			   snap->counters[i] - d->first_counters[i] : 0;
	a->watched_ns = snap->time_ns - d->began_ns;
	a->rested_ns = snap->rested_ns;
	a->tries_rested_ns = snap->tries_rested_ns;
	a->events = grown[HEADWAY_CNT_EVENTS];
	a->lost = headway_lost_events(grown);
	a->roomless = grown[HEADWAY_CNT_LOST_THREADS] + grown[HEADWAY_CNT_LOST_PROCESSES];
	if (snap->left_out > a->left_out)
		a->left_out = snap->left_out;
}

/* A target that ended before its first full window is not stuck, if it was seen at all. */
static void target_ended(struct headway_detect *d, const struct headway_snapshot *snap)
{
	struct headway_assessment *a = &d->assessment;
	uint64_t counters[HEADWAY_NR_COUNTERS] = { 0 };
	const struct headway_sight sight = {
		.counters = counters, .missing_probes = snap->missing_probes,
		.left_out = a->left_out,
	};
	char why[HEADWAY_SENTENCE_LEN];

	if (a->judged)
		return;
	a->judged = true;
	counters[HEADWAY_CNT_EVENTS] = a->events;
	counters[HEADWAY_CNT_LOST_LOCKS] = a->lost - a->roomless;
	counters[HEADWAY_CNT_LOST_THREADS] = a->roomless;
	a->observed_well = headway_observed_well(&d->t, &sight, why, sizeof(why));
	if (!a->observed_well) {
		a->state = HEADWAY_UNDETERMINED;
		snprintf(a->reason, sizeof(a->reason), "%s", why);
		return;
	}
	a->state = HEADWAY_HEALTHY;
	snprintf(a->reason, sizeof(a->reason),
		 "the target ended by itself after %.1f s, before a full window of %.1f s",
		 (double)a->watched_ns / 1e9, (double)d->window.window_ns / 1e9);
}

int headway_detect_feed(struct headway_detect *d, const struct headway_snapshot *snap)
{
	bool first = !d->window.nr;
	int err;

	d->nr_fresh = 0;
	if (snap->target_exited && !first) {
		total_up(d, snap);
		target_ended(d, snap);
		return 0;
	}
	err = headway_window_push(&d->window, snap);
	if (err)
		return err;
	if (first) {
		d->began_ns = snap->time_ns;
		memcpy(d->first_counters, snap->counters, sizeof(d->first_counters));
		return 0;
	}
	total_up(d, snap);
	/* The window before the run: what it reports is not told a second time as a transient. */
	if (headway_window_full(&d->window))
		err = judge_window(d, snap->time_ns);
	if (!err)
		err = follow_run(d);
	if (!err && d->assessment.judged)
		set_state(d);
	return err;
}

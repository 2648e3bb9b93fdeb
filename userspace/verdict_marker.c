// SPDX-License-Identifier: GPL-2.0
/*
 * verdict_marker.c - what markers prove: livelock, spin-hang, starvation. PURE.
 *
 * Invariant: progress is counted per thread and per process, never as one sum: a thread that passed
 * a progress marker in the window is not stuck, and one that only tries is, whatever others do.
 */
#include "judge.h"

#include <stdio.h>
#include <string.h>

#define THREAD		"thread %u (%.16s)"
#define THREAD_ARGS(a)	(a)->now.rec.tid, (a)->now.rec.comm

static bool is_listed(const uint32_t *tgids, unsigned int nr, uint32_t tgid)
{
	for (unsigned int i = 0; i < nr; i++)
		if (tgids[i] == tgid)
			return true;
	return !nr;
}

unsigned int headway_count_markers(const struct headway_view *v, const uint32_t *tgids,
				   unsigned int nr, struct headway_finding_marker *out)
{
	const struct headway_snapshot *now = v->slots[v->nr_slots - 1];
	unsigned int used = 0;

	for (uint32_t k = 0; k < now->nr_markers && used < HEADWAY_FINDING_MARKERS; k++) {
		struct headway_finding_marker m = { .role = now->markers[k].role,
						    .automatic = now->markers[k].automatic };
		bool watched = false;

		for (size_t i = 0; i < v->nr_passages; i++) {
			const struct headway_passage *p = &v->passages[i];

			if (p->marker != k ||
			    !is_listed(tgids, nr, v->actors[p->actor].now.rec.tgid))
				continue;
			watched = true;
			m.count += p->count;
			m.threads += p->count > 0;
		}
		if (!watched)
			continue;
		snprintf(m.name, sizeof(m.name), "%s", now->markers[k].name);
		out[used++] = m;
	}
	return used;
}

/* Alive all the while, tries again and again, and no progress of its own. */
static bool is_stuck(const struct headway_judge *j, size_t actor)
{
	const struct headway_actor *a = &j->v->actors[actor];
	const struct headway_marked *m;

	if (j->claimed[actor] || !a->now.alive || !a->whole || a->progress ||
	    a->tries < headway_judge_at_least(j->v, j->t->slow_retries_per_s,
					      j->t->slow_retries_min) ||
	    !headway_judge_most_intervals(j, a->tries_mask))
		return false;
	m = headway_view_marked(j->v, a->now.rec.tgid);
	/* Without a progress marker silence means nothing. */
	return m && m->progress_watched;
}

/* Since when: its last progress, or its birth. */
static uint64_t onset_of(const struct headway_judge *j, size_t actor)
{
	const struct headway_actor *a = &j->v->actors[actor];

	return a->last_progress_ns ? a->last_progress_ns : a->now.rec.first_ns;
}

static void add_stuck(struct headway_judge *j, struct headway_finding *f, size_t actor,
		      enum headway_role role)
{
	const struct headway_actor *a = &j->v->actors[actor];

	headway_judge_actor(j, f, actor, role);
	/* Leave room for what is said of all. */
	if (f->nr_evidence >= HEADWAY_FINDING_SENTENCES / 2)
		return;
	headway_finding_evidence(f, THREAD " passed its attempt markers %llu times in %.1f s, and "
				    "no progress marker", THREAD_ARGS(a),
				 (unsigned long long)a->tries, headway_view_seconds(j->v));
}

static void advise_retry(struct headway_finding *f)
{
	headway_finding_advice(f, "after a failed attempt wait a random time that grows with each "
				  "failure, or let the one that began first win");
	headway_finding_advice(f, "look at why an attempt fails: its stack shows where it is "
				  "rolled back");
}

/* One that the locks have shown already, to which these threads belong as well. */
static struct headway_finding *livelock_of(struct headway_judge *j, uint32_t tgid)
{
	for (unsigned int i = 0; i < j->nr_findings; i++)
		if (j->findings[i].verdict == HEADWAY_LIVELOCK && j->findings[i].pid == tgid)
			return &j->findings[i];
	return NULL;
}

/* How many threads of a process are stuck, and the first of them. */
static size_t count_stuck(const struct headway_judge *j, uint32_t tgid, size_t *first)
{
	size_t n = 0;

	for (size_t i = 0; i < j->v->nr_actors; i++) {
		if (j->v->actors[i].now.rec.tgid != tgid || !is_stuck(j, i))
			continue;
		if (!n++)
			*first = i;
	}
	return n;
}

static void report_livelock(struct headway_judge *j, uint32_t tgid, size_t first)
{
	struct headway_finding *f = livelock_of(j, tgid);
	uint64_t onset = 0;

	for (size_t i = 0; i < j->v->nr_actors; i++)
		if (j->v->actors[i].now.rec.tgid == tgid && is_stuck(j, i) &&
		    onset_of(j, i) > onset)
			onset = onset_of(j, i);
	if (!f)
		f = headway_judge_finding(j, HEADWAY_LIVELOCK, first, onset);
	if (!f)
		return;
	f->confidence = HEADWAY_CONFIRMED;
	for (size_t i = 0; i < j->v->nr_actors; i++)
		if (j->v->actors[i].now.rec.tgid == tgid && is_stuck(j, i))
			add_stuck(j, f, i, HEADWAY_ROLE_MEMBER);
	if (!f->nr_advice)
		advise_retry(f);
}

/* Where a thread's attempts would have got it at the rate at which they succeed for the others. */
static double deserved(const struct headway_marked *m, const struct headway_actor *a)
{
	uint64_t others = m->attempts > a->tries ? m->attempts - a->tries : 0;
	double rate = others ? (double)m->progress / (double)others : 1;

	return (double)a->tries * (rate < 1 ? rate : 1);
}

static void report_starvation(struct headway_judge *j, const struct headway_marked *m, size_t actor,
			      struct headway_finding **fp)
{
	const struct headway_actor *best = &j->v->actors[m->best];
	struct headway_finding *f = *fp;
	bool claimed = j->claimed[m->best];

	if (!f) {
		f = headway_judge_finding(j, HEADWAY_STARVATION, actor, onset_of(j, actor));
		if (!f)
			return;
		*fp = f;
		f->confidence = HEADWAY_CONFIRMED;
	}
	add_stuck(j, f, actor, HEADWAY_ROLE_VICTIM);
	headway_judge_actor(j, f, m->best, HEADWAY_ROLE_HOLDER);
	/* The winner is not stuck: other findings may name it too. */
	j->claimed[m->best] = claimed;
	if (f->nr_advice)
		return;
	headway_finding_evidence(f, "meanwhile progress markers were passed %llu times in process "
				    "%u, most often (%llu) by " THREAD,
				 (unsigned long long)m->progress, m->tgid,
				 (unsigned long long)best->progress, THREAD_ARGS(best));
	headway_finding_advice(f, "let whoever has failed often go first (a queue, or the age of "
				  "the attempt as its priority)");
}

/*
 * Does anyone both try and get on? In a server that accepts in one thread and answers in others
 * nobody does: the work is handed over, and a thread without progress of its own proves nothing.
 */
static bool tries_lead_to_progress(const struct headway_view *v, uint32_t tgid)
{
	for (size_t i = 0; i < v->nr_actors; i++) {
		const struct headway_actor *a = &v->actors[i];

		if (a->now.rec.tgid == tgid && a->tries && a->progress)
			return true;
	}
	return false;
}

static void judge_progressing(struct headway_judge *j, const struct headway_marked *m,
			      uint32_t tgid)
{
	struct headway_finding *f = NULL;

	if (!tries_lead_to_progress(j->v, tgid))
		return;
	for (size_t i = 0; i < j->v->nr_actors; i++) {
		const struct headway_actor *a = &j->v->actors[i];

		if (a->now.rec.tgid == tgid && is_stuck(j, i) &&
		    deserved(m, a) >= (double)j->t->starving_peers_min)
			report_starvation(j, m, i, &f);
	}
}

static bool passed_same(const struct headway_view *v, uint32_t tgid, size_t actor)
{
	for (size_t i = 0; i < v->nr_passages; i++) {
		const struct headway_passage *mine = &v->passages[i];

		if (mine->actor != actor || !mine->count || mine->role != HEADWAY_MARKER_ATTEMPT)
			continue;
		for (size_t k = 0; k < v->nr_passages; k++)
			if (v->passages[k].marker == mine->marker && v->passages[k].count &&
			    v->actors[v->passages[k].actor].now.rec.tgid == tgid)
				return true;
	}
	return false;
}

/*
 * Alone in its process, nobody there to answer: then others that pass the same markers are the
 * group. One of them with progress makes it starvation, another that is stuck a livelock.
 */
static void judge_single(struct headway_judge *j, uint32_t tgid, size_t actor)
{
	struct headway_finding *f = NULL;

	for (size_t i = 0; i < j->v->nr_marked; i++) {
		const struct headway_marked *m = &j->v->marked[i];

		if (m->tgid != tgid && m->progress && passed_same(j->v, m->tgid, actor)) {
			if (deserved(m, &j->v->actors[actor]) >=
			    (double)j->t->starving_peers_min)
				report_starvation(j, m, actor, &f);
			return;
		}
	}
	for (size_t i = 0; i < j->v->nr_marked; i++) {
		const struct headway_marked *m = &j->v->marked[i];
		size_t other;

		if (m->tgid == tgid || m->progress || !passed_same(j->v, m->tgid, actor) ||
		    count_stuck(j, m->tgid, &other) != 1)
			continue;
		if (!f)
			f = headway_judge_finding(j, HEADWAY_LIVELOCK, actor, onset_of(j, actor));
		if (f)
			add_stuck(j, f, other, HEADWAY_ROLE_MEMBER);
	}
	if (f) {
		add_stuck(j, f, actor, HEADWAY_ROLE_MEMBER);
	} else {
		f = headway_judge_finding(j, HEADWAY_SPIN_HANG, actor, onset_of(j, actor));
		if (!f)
			return;
		add_stuck(j, f, actor, HEADWAY_ROLE_VICTIM);
	}
	f->confidence = HEADWAY_CONFIRMED;
	advise_retry(f);
}

int headway_judge_markers(struct headway_judge *j)
{
	size_t first;

	for (size_t i = 0; i < j->v->nr_marked; i++) {
		const struct headway_marked *m = &j->v->marked[i];
		size_t stuck = count_stuck(j, m->tgid, &first);

		if (stuck && m->progress)
			judge_progressing(j, m, m->tgid);
		else if (stuck > 1 || (stuck && livelock_of(j, m->tgid)))
			report_livelock(j, m->tgid, first);
	}
	for (size_t i = 0; i < j->v->nr_marked; i++) {
		const struct headway_marked *m = &j->v->marked[i];

		if (!m->progress && count_stuck(j, m->tgid, &first) == 1)
			judge_single(j, m->tgid, first);
	}
	return 0;
}

static bool is_about_silence(enum headway_verdict v)
{
	return v == HEADWAY_LIVELOCK || v == HEADWAY_SPIN_HANG || v == HEADWAY_STALLED_HOLDER ||
	       v == HEADWAY_DEADLOCK;
}

static void confirm(struct headway_judge *j, struct headway_finding *f)
{
	uint32_t tgids[HEADWAY_FINDING_ACTORS];
	unsigned int nr = 0;
	bool watched = false, silent = true;

	for (unsigned int i = 0; i < f->nr_actors; i++) {
		const struct headway_marked *m = headway_view_marked(j->v, f->actors[i].tgid);

		if (!m || (nr && is_listed(tgids, nr, m->tgid)))
			continue;
		tgids[nr++] = m->tgid;
		watched |= m->progress_watched;
		silent &= !m->progress;
	}
	if (!nr)
		return;
	f->nr_markers = headway_count_markers(j->v, tgids, nr, f->markers);
	if (!watched || !silent || !is_about_silence(f->verdict))
		return;
	/* Its cycle was not seen, and no marker shows it. */
	if (f->verdict == HEADWAY_DEADLOCK && f->nr_locks && !f->locks[0].owner_tid)
		return;
	f->confidence = HEADWAY_CONFIRMED;
	for (unsigned int i = 0; i < f->nr_markers; i++)
		if (f->markers[i].role == HEADWAY_MARKER_PROGRESS)
			headway_finding_evidence(f, "progress marker '%.127s' was watched and "
						    "passed by nobody in %.1f s",
						 f->markers[i].name, headway_view_seconds(j->v));
}

void headway_judge_confirm(struct headway_judge *j)
{
	for (unsigned int i = 0; i < j->nr_findings; i++)
		confirm(j, &j->findings[i]);
}

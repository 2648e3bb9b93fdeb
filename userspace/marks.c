// SPDX-License-Identifier: GPL-2.0
/*
 * marks.c - what each thread and each process passed of the markers in the window. PURE.
 *
 * Invariant: a process in which a marker is watched has a passage of it, of count 0 if need be; so
 * silence can be told from absence.
 */
#include "window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The first mark of a thread in a snapshot; its marks follow each other. */
static size_t first_mark(const struct headway_snapshot *s, uint32_t tid)
{
	size_t lo = 0, hi = s->nr_marks;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->marks[mid].tid < tid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The marks of an actor in one slot, if the tid is that thread's there. Returns their number. */
static size_t marks_in(const struct headway_snapshot *s, const struct headway_actor *a,
		       const struct headway_snap_mark **out)
{
	const struct headway_snap_thread *t;
	size_t first, n = 0;

	if (!s->nr_marks)
		return 0;
	t = headway_snap_find_thread(s, a->now.rec.tid);
	if (!t || t->rec.start_ns != a->now.rec.start_ns)
		return 0;
	first = first_mark(s, a->now.rec.tid);
	while (first + n < s->nr_marks && s->marks[first + n].tid == a->now.rec.tid)
		n++;
	*out = &s->marks[first];
	return n;
}

static uint64_t attempts_in(const struct headway_snapshot *s, const struct headway_actor *a)
{
	const struct headway_snap_mark *m;
	size_t n = marks_in(s, a, &m);
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		if (s->markers[m[i].marker].role == HEADWAY_MARKER_ATTEMPT)
			sum += m[i].rec.count;
	return sum;
}

static uint64_t count_in(const struct headway_snapshot *s, const struct headway_actor *a,
			 uint32_t marker)
{
	const struct headway_snap_mark *m;
	size_t n = marks_in(s, a, &m);

	for (size_t i = 0; i < n; i++)
		if (m[i].marker == marker)
			return m[i].rec.count;
	return 0;
}

static bool is_known(const struct headway_view *v, size_t actor, uint32_t marker)
{
	for (size_t i = v->nr_passages; i-- && v->passages[i].actor == actor;)
		if (v->passages[i].marker == marker)
			return true;
	return false;
}

static int add_passage(struct headway_view *v, size_t *room, const struct headway_passage *p)
{
	struct headway_passage *more;

	if (v->nr_passages == *room) {
		*room = *room ? 2 * *room : 64;
		more = realloc(v->passages, *room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		v->passages = more;
	}
	v->passages[v->nr_passages++] = *p;
	return 0;
}

/* Newest slot first: what was counted last; one that left counts as far as it was seen. */
static int collect_actor(struct headway_view *v, size_t actor, size_t *room)
{
	struct headway_actor *a = &v->actors[actor];
	uint64_t before = attempts_in(v->slots[0], a);
	int err = 0;

	for (size_t i = v->nr_slots; i-- && !err;) {
		const struct headway_snapshot *s = v->slots[i];
		const struct headway_snap_mark *m;
		size_t n = marks_in(s, a, &m);

		for (size_t k = 0; k < n && !err; k++) {
			struct headway_passage p = { .actor = actor, .marker = m[k].marker };

			if (is_known(v, actor, m[k].marker))
				continue;
			p.role = s->markers[m[k].marker].role;
			p.count = headway_grown(m[k].rec.count,
						count_in(v->slots[0], a, m[k].marker));
			if (p.role == HEADWAY_MARKER_PROGRESS) {
				a->progress += p.count;
				if (m[k].rec.last_ns > a->last_progress_ns)
					a->last_progress_ns = m[k].rec.last_ns;
			} else {
				a->tries += p.count;
				if (m[k].rec.last_ns > a->last_try_ns)
					a->last_try_ns = m[k].rec.last_ns;
			}
			err = add_passage(v, room, &p);
		}
	}
	for (size_t i = 1; i < v->nr_slots; i++) {
		uint64_t now = attempts_in(v->slots[i], a);

		if (now > before)
			a->tries_mask |= 1ull << (i - 1);
		before = now;
	}
	return err;
}

static int by_tgid(const void *pa, const void *pb)
{
	const struct headway_marked *a = pa, *b = pb;

	return (a->tgid > b->tgid) - (a->tgid < b->tgid);
}

/* Sums per process. */
static int collect_processes(struct headway_view *v)
{
	struct headway_marked *all;
	size_t out = 0;

	if (!v->nr_passages)
		return 0;
	all = calloc(v->nr_passages, sizeof(*all));
	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < v->nr_passages; i++) {
		const struct headway_passage *p = &v->passages[i];
		bool progress = p->role == HEADWAY_MARKER_PROGRESS;

		all[i] = (struct headway_marked){
			.tgid = v->actors[p->actor].now.rec.tgid, .progress_watched = progress,
			.attempts_watched = !progress, .progress = progress ? p->count : 0,
			.attempts = progress ? 0 : p->count, .best = p->actor,
			.best_progress = v->actors[p->actor].progress,
		};
	}
	qsort(all, v->nr_passages, sizeof(*all), by_tgid);
	for (size_t i = 0; i < v->nr_passages; i++) {
		struct headway_marked *last = out ? &all[out - 1] : NULL;

		if (!last || last->tgid != all[i].tgid) {
			all[out++] = all[i];
			continue;
		}
		last->progress_watched |= all[i].progress_watched;
		last->attempts_watched |= all[i].attempts_watched;
		last->progress += all[i].progress;
		last->attempts += all[i].attempts;
		if (all[i].best_progress > last->best_progress) {
			last->best = all[i].best;
			last->best_progress = all[i].best_progress;
		}
	}
	v->marked = all;
	v->nr_marked = out;
	return 0;
}

int headway_view_collect_marks(struct headway_view *v)
{
	bool any = false;
	size_t room = 0;
	int err = 0;

	for (size_t i = 0; i < v->nr_slots; i++)
		any |= v->slots[i]->nr_marks > 0;
	for (size_t i = 0; any && i < v->nr_actors && !err; i++)
		err = collect_actor(v, i, &room);
	return err ? err : collect_processes(v);
}

const struct headway_marked *headway_view_marked(const struct headway_view *v, uint32_t tgid)
{
	struct headway_marked key = { .tgid = tgid };

	return v->nr_marked ? bsearch(&key, v->marked, v->nr_marked, sizeof(key), by_tgid) : NULL;
}

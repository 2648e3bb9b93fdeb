// SPDX-License-Identifier: GPL-2.0
/*
 * window.c - the ring of snapshots that covers the window. PURE.
 *
 * Invariants: slots are in order of time; the oldest slot kept is the newest one that is at least
 * a window older than the newest slot, so the difference of the two covers the window.
 */
#include "window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int headway_window_init(struct headway_window *w, uint64_t window_ns, uint64_t interval_ns)
{
	memset(w, 0, sizeof(*w));
	if (!interval_ns || window_ns < interval_ns ||
	    window_ns / interval_ns > HEADWAY_WINDOW_SLOTS - 3)
		return -EINVAL;
	w->window_ns = window_ns;
	w->interval_ns = interval_ns;
	return 0;
}

static struct headway_snapshot *slot_at(struct headway_window *w, size_t i)
{
	return &w->slots[(w->head + i) % HEADWAY_WINDOW_SLOTS];
}

static void slot_free(struct headway_snapshot *s)
{
	free(s->threads);
	free(s->locks);
	free(s->markers);
	free(s->marks);
	memset(s, 0, sizeof(*s));
}

void headway_window_free(struct headway_window *w)
{
	for (size_t i = 0; i < w->nr; i++)
		slot_free(slot_at(w, i));
	memset(w, 0, sizeof(*w));
}

static bool is_sorted(const struct headway_snapshot *s)
{
	for (size_t i = 1; i < s->nr_threads; i++)
		if (s->threads[i - 1].rec.tid >= s->threads[i].rec.tid)
			return false;
	for (size_t i = 1; i < s->nr_locks; i++)
		if (headway_compare_keys(&s->locks[i - 1].key, &s->locks[i].key) >= 0)
			return false;
	for (size_t i = 0; i < s->nr_marks; i++)
		if (s->marks[i].marker >= s->nr_markers ||
		    (i && headway_compare_marks(&s->marks[i - 1], &s->marks[i]) >= 0))
			return false;
	return true;
}

/* A copy of an array; NULL of nothing. False: no memory. */
static bool copy_array(void *to, const void *from, size_t nr, size_t size)
{
	void *copy = nr ? malloc(nr * size) : NULL;

	if (copy)
		memcpy(copy, from, nr * size);
	*(void **)to = copy;
	return copy || !nr;
}

static int slot_copy(struct headway_snapshot *to, const struct headway_snapshot *from)
{
	bool all;

	*to = *from;
	all = copy_array(&to->threads, from->threads, from->nr_threads, sizeof(*to->threads));
	all &= copy_array(&to->locks, from->locks, from->nr_locks, sizeof(*to->locks));
	all &= copy_array(&to->markers, from->markers, from->nr_markers, sizeof(*to->markers));
	all &= copy_array(&to->marks, from->marks, from->nr_marks, sizeof(*to->marks));
	if (all)
		return 0;
	slot_free(to);
	return -ENOMEM;
}

/* Timers are late, never early: a quarter of an interval is forgiven. */
static bool old_enough(const struct headway_window *w, uint64_t then, uint64_t now)
{
	return now - then + w->interval_ns / 4 >= w->window_ns;
}

int headway_window_push(struct headway_window *w, const struct headway_snapshot *snap)
{
	struct headway_snapshot copy;
	int err;

	if (!is_sorted(snap))
		return -EINVAL;
	if (w->nr && snap->time_ns <= slot_at(w, w->nr - 1)->time_ns)
		return -EINVAL;
	err = slot_copy(&copy, snap);
	if (err)
		return err;
	/* Snapshots that come faster than agreed push out the oldest. */
	while (w->nr > 1 && (w->nr == HEADWAY_WINDOW_SLOTS ||
			     old_enough(w, slot_at(w, 1)->time_ns, snap->time_ns))) {
		slot_free(slot_at(w, 0));
		w->head = (w->head + 1) % HEADWAY_WINDOW_SLOTS;
		w->nr--;
	}
	*slot_at(w, w->nr++) = copy;
	return 0;
}

bool headway_window_full(const struct headway_window *w)
{
	struct headway_window *rw = (struct headway_window *)w;

	if (w->nr < 2)
		return false;
	return old_enough(w, slot_at(rw, 0)->time_ns, slot_at(rw, w->nr - 1)->time_ns);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * probe_marks.c - the counts of the markers, as the snapshot has them.
 *
 * Invariant: sorted by (tid, marker). A thread's mark is in the snapshot when the thread is.
 */
#define _GNU_SOURCE
#include "probe_maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "probe_marker.h"

static int by_thread(const void *pa, const void *pb)
{
	const struct headway_snap_mark *a = pa, *b = pb;

	if (a->tid != b->tid)
		return a->tid < b->tid ? -1 : 1;
	return (a->marker > b->marker) - (a->marker < b->marker);
}

int headway_probe_put_marks(struct headway_probe *p, struct headway_snapshot *snap,
			    struct headway_raw *raw)
{
	struct headway_raw_thread *owner;
	struct headway_snap_mark *m;
	size_t i;

	if (headway_grow(&p->marks, &p->cap_marks, raw->nr_marks + 1, sizeof(*p->marks)))
		return -ENOMEM;
	for (i = 0; i < raw->nr_marks; i++) {
		owner = headway_raw_owner(raw, raw->marks[i].key.tid, raw->marks[i].key.start);
		/* No owner: born since the threads were read, next time. */
		if (!owner || owner->skip || raw->marks[i].key.marker >= p->markers->nr)
			continue;
		m = &p->marks[snap->nr_marks++];
		m->tid = owner->st.rec.tid;
		m->marker = raw->marks[i].key.marker;
		m->rec = raw->marks[i].rec;
	}
	if (snap->nr_marks)
		qsort(p->marks, snap->nr_marks, sizeof(*p->marks), by_thread);
	return 0;
}

static bool has_thread(const struct headway_snapshot *snap, const struct headway_probe *p,
		       uint32_t tid)
{
	size_t i;

	for (i = 0; i < snap->nr_threads; i++)
		if (p->threads[i].rec.tid == tid)
			return true;
	return false;
}

int headway_probe_put_silent_marks(struct headway_probe *p, struct headway_snapshot *snap)
{
	const struct headway_markers *all = p->markers;
	size_t recorded = snap->nr_marks, i;
	struct headway_snap_mark key = { 0 };
	uint32_t k;

	for (i = 0; i < all->nr; i++) {
		snprintf(p->markers->shown[i].name, sizeof(all->shown[i].name), "%s",
			 all->marker[i].spec.text);
		p->markers->shown[i].role = all->marker[i].spec.role;
		p->markers->shown[i].automatic = all->marker[i].automatic;
		p->markers->shown[i].attached = all->marker[i].attached;
	}
	snap->markers = p->markers->shown;
	snap->nr_markers = all->nr;
	for (i = 0; i < p->nr_targets; i++) {
		key.tid = p->targets[i].pid;
		if (!all->nr || !has_thread(snap, p, key.tid))
			continue;
		for (k = 0; k < all->nr; k++) {
			key.marker = k;
			if (!(headway_probe_markers_in(p, &p->targets[i]) & 1ull << k) ||
			    (recorded && bsearch(&key, p->marks, recorded, sizeof(key), by_thread)))
				continue;
			if (headway_grow(&p->marks, &p->cap_marks, snap->nr_marks + 1, sizeof(key)))
				return -ENOMEM;
			p->marks[snap->nr_marks++] = key;
		}
	}
	if (snap->nr_marks > recorded)
		qsort(p->marks, snap->nr_marks, sizeof(*p->marks), by_thread);
	return 0;
}

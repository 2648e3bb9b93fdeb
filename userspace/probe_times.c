// SPDX-License-Identifier: GPL-2.0
/*
 * probe_times.c - how long waits took, for each process and word.
 *
 * Invariant: what is kept in the kernel is of processes that the last snapshot had; the rest is
 * deleted, or words of those that ended would fill the map.
 */
#include "probe_maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "headway.skel.h"

struct taken {
	struct headway_probe *p;
	size_t nr;
};

static int take_times(void *arg, const void *key, const void *value)
{
	const struct headway_times_key *k = key;
	struct taken *taken = arg;
	struct headway_wait_times *t;

	if (headway_grow(&taken->p->times, &taken->p->cap_times, taken->nr + 1, sizeof(*t)))
		return -ENOMEM;
	t = &taken->p->times[taken->nr++];
	t->addr = k->addr;
	t->pid = k->tgid;
	memcpy(t->buckets, value, sizeof(t->buckets));
	return 0;
}

static int by_pid(const void *a, const void *b)
{
	const struct headway_wait_times *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->addr > y->addr) - (x->addr < y->addr);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Those of processes that are gone have had their last report; returns how many are left. */
static size_t drop_gone(struct headway_probe *p, const struct headway_snapshot *snap, size_t nr)
{
	uint32_t *pids = calloc(snap->nr_threads + 1, sizeof(*pids));
	size_t out = 0;

	if (!pids)
		return nr;
	for (size_t i = 0; i < snap->nr_threads; i++)
		pids[i] = snap->threads[i].rec.tgid;
	qsort(pids, snap->nr_threads, sizeof(*pids), by_number);
	for (size_t i = 0; i < nr; i++) {
		struct headway_times_key key = { p->times[i].addr, p->times[i].pid, 0 };

		if (bsearch(&key.tgid, pids, snap->nr_threads, sizeof(*pids), by_number))
			p->times[out++] = p->times[i];
		else
			bpf_map_delete_elem(headway_probe_map(p, "wait_times"), &key);
	}
	free(pids);
	return out;
}

int headway_probe_wait_times(struct headway_probe *p, const struct headway_snapshot *snap,
			     struct headway_times *out)
{
	struct taken taken = { .p = p };
	int err;

	*out = (struct headway_times){ .lost = p->skel->bss->times_lost };
	if (!p->opts.wait_histograms)
		return 0;
	err = headway_read_map(headway_probe_map(p, "wait_times"),
			       sizeof(struct headway_times_key), sizeof(struct headway_times_rec),
			       take_times, &taken);
	if (err)
		return headway_probe_fail(p, err, "cannot read the times of waits: %s",
					  strerror(-err));
	out->nr = drop_gone(p, snap, taken.nr);
	if (out->nr)
		qsort(p->times, out->nr, sizeof(*p->times), by_pid);
	out->times = p->times;
	return 0;
}

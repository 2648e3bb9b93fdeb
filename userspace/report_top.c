// SPDX-License-Identifier: GPL-2.0
/*
 * report_top.c - which actors, locks, stacks and edges of a report are worth showing. PURE.
 *
 * Invariant: the order depends on the numbers alone, so a recording gives the same report each
 * time.
 */
#include <errno.h>
#include <stdlib.h>

#include "report_out.h"

/* What sorts before what: more first, then by place, which qsort() alone would not keep. */
struct ranked {
	uint64_t first;
	uint64_t second;
	size_t place;
};

static int compare_ranks(const void *pa, const void *pb)
{
	const struct ranked *a = pa, *b = pb;

	if (a->first != b->first)
		return a->first < b->first ? 1 : -1;
	if (a->second != b->second)
		return a->second < b->second ? 1 : -1;
	return (a->place > b->place) - (a->place < b->place);
}

/* Sorts, and writes what `at` finds for each place. */
static long take_top(struct ranked *ranks, size_t nr, const void **out, size_t max,
		     const void *(*at)(const struct headway_report *r, size_t place),
		     const struct headway_report *r)
{
	if (nr)
		qsort(ranks, nr, sizeof(*ranks), compare_ranks);
	if (nr > max)
		nr = max;
	for (size_t i = 0; i < nr; i++)
		out[i] = at(r, ranks[i].place);
	free(ranks);
	return (long)nr;
}

static struct ranked *new_ranks(size_t nr)
{
	return calloc(nr + 1, sizeof(struct ranked));
}

/* Part of a finding, so that it is not left out for one that is only busy. */
static bool is_found(const struct headway_report *r, uint32_t tid)
{
	for (size_t i = 0; i < r->nr_findings; i++) {
		const struct headway_finding *f = &r->findings[i].finding;

		for (unsigned int k = 0; k < f->nr_actors; k++)
			if (f->actors[k].tid == tid)
				return true;
	}
	return false;
}

static const void *actor_at(const struct headway_report *r, size_t place)
{
	return &r->actors[place];
}

long headway_report_top_actors(const struct headway_report *r,
			       const struct headway_report_actor **out, size_t max)
{
	struct ranked *ranks = new_ranks(r->nr_actors);
	size_t nr = 0;

	if (!ranks)
		return -ENOMEM;
	for (size_t i = 0; i < r->nr_actors; i++) {
		const struct headway_report_effort *e = &r->actors[i].all;
		bool found = is_found(r, r->actors[i].tid);

		if (found || e->attempts || e->completions || e->cpu_ns)
			ranks[nr++] = (struct ranked){
				found ? UINT64_MAX : e->attempts, e->cpu_ns, i
			};
	}
	return take_top(ranks, nr, (const void **)out, max, actor_at, r);
}

static const void *lock_at(const struct headway_report *r, size_t place)
{
	return &r->locks[place];
}

long headway_report_top_locks(const struct headway_report *r,
			      const struct headway_report_lock **out, size_t max)
{
	struct ranked *ranks = new_ranks(r->nr_locks);

	if (!ranks)
		return -ENOMEM;
	for (size_t i = 0; i < r->nr_locks; i++) {
		const struct headway_report_lock *l = &r->locks[i];

		ranks[i] = (struct ranked){ l->all.sleepers + l->all.contentions, l->waits, i };
	}
	return take_top(ranks, r->nr_locks, (const void **)out, max, lock_at, r);
}

static const void *stack_at(const struct headway_report *r, size_t place)
{
	return &r->stacks[place];
}

long headway_report_top_stacks(const struct headway_report *r,
			       const struct headway_report_stack **out, size_t max)
{
	struct ranked *ranks = new_ranks(r->nr_stacks);

	if (!ranks)
		return -ENOMEM;
	for (size_t i = 0; i < r->nr_stacks; i++)
		ranks[i] = (struct ranked){ r->stacks[i].fails, r->stacks[i].asleep, i };
	return take_top(ranks, r->nr_stacks, (const void **)out, max, stack_at, r);
}

static const void *edge_at(const struct headway_report *r, size_t place)
{
	return &r->edges[place];
}

long headway_report_top_edges(const struct headway_report *r,
			      const struct headway_report_edge **out, size_t max)
{
	struct ranked *ranks = new_ranks(r->nr_edges);

	if (!ranks)
		return -ENOMEM;
	for (size_t i = 0; i < r->nr_edges; i++)
		ranks[i] = (struct ranked){ r->edges[i].fails, r->edges[i].asleep, i };
	return take_top(ranks, r->nr_edges, (const void **)out, max, edge_at, r);
}

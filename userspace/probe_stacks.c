// SPDX-License-Identifier: GPL-2.0
/*
 * probe_stacks.c - frames of a stack id, and the ids that nobody refers to any more.
 *
 * The kernel never frees an entry of a stack map, and takes no second stack into a bucket that is
 * used. Code without frame pointers gives stacks that end in noise, a new one for each thread, so
 * that a long watch would fill the map and then lose every stack.
 */
#define _GNU_SOURCE
#include "probe_maps.h"

#include <stdlib.h>
#include <string.h>

enum {
	WALK_EVERY = 4,			/* snapshots */
	BITMAP_BYTES = HEADWAY_MAX_STACKS / 8,
};

int headway_probe_stack(struct headway_probe *p, int32_t stack_id, uint64_t *ips, int max)
{
	uint64_t all[HEADWAY_STACK_DEPTH] = {};
	uint32_t key = stack_id;
	int n = 0;

	if (stack_id >= HEADWAY_UNWOUND_BASE)
		return headway_probe_unwound(p, stack_id, ips, max);
	if (stack_id < 0 || bpf_map_lookup_elem(headway_probe_map(p, "stacks"), &key, all))
		return 0;
	/* The walk may end in noise: no user address has the upper bits. */
	while (n < HEADWAY_STACK_DEPTH && n < max && all[n] && all[n] >> 47 == 0) {
		ips[n] = all[n];
		n++;
	}
	return n;
}

static bool test_bit(const uint8_t *map, uint32_t id)
{
	return map[id / 8] & 1u << id % 8;
}

/*
 * Delete what was there and in no lock record at two walks, several snapshots apart: an id that was
 * taken just after the records were read is safe, and so is one that a former snapshot reported.
 */
void headway_probe_free_stacks(struct headway_probe *p, const struct headway_raw *raw)
{
	int fd = headway_probe_map(p, "stacks"), err;
	uint8_t used[BITMAP_BYTES] = {}, idle[BITMAP_BYTES] = {};
	uint32_t id, next;
	size_t i;

	if (p->nr_snapshots++ % WALK_EVERY)
		return;
	if (!p->idle_stacks)
		p->idle_stacks = calloc(1, BITMAP_BYTES);
	if (!p->idle_stacks)
		return;
	for (i = 0; i < raw->nr_locks; i++) {
		id = raw->locks[i].rec.fail_stack;
		if (id < HEADWAY_MAX_STACKS)
			used[id / 8] |= 1u << id % 8;
	}
	for (err = bpf_map_get_next_key(fd, NULL, &id); !err; id = next) {
		err = bpf_map_get_next_key(fd, &id, &next);
		if (id >= HEADWAY_MAX_STACKS || test_bit(used, id))
			continue;
		if (test_bit(p->idle_stacks, id))
			bpf_map_delete_elem(fd, &id);
		else
			idle[id / 8] |= 1u << id % 8;
	}
	memcpy(p->idle_stacks, idle, BITMAP_BYTES);
}

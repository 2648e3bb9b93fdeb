/* SPDX-License-Identifier: GPL-2.0 */
/*
 * probe_maps.h - what the BPF maps hold at one instant, and the removal of what has ended.
 */
#ifndef HEADWAY_PROBE_MAPS_H
#define HEADWAY_PROBE_MAPS_H

#include "probe_internal.h"

struct headway_raw_thread {
	struct headway_thread_key key;
	struct headway_thread_state st;
	bool skip;			/* not filled yet, or the tid's older owner goes first */
};

struct headway_raw_lock {
	struct headway_lock_key key;
	struct headway_lock_rec rec;
};

struct headway_raw_mark {
	struct headway_mark_key key;
	struct headway_mark_rec rec;
};

struct headway_raw {
	struct headway_raw_thread *threads;
	size_t nr_threads;
	struct headway_raw_lock *locks;
	size_t nr_locks;
	struct headway_raw_mark *marks;
	size_t nr_marks;
};

/* Threads, sorted by (tid, start), then locks and marks. Free with _free, also on error. */
int headway_raw_read(struct headway_probe *p, struct headway_raw *raw);
void headway_raw_free(struct headway_raw *raw);
/* The thread of a key: its tid, and the low bits of its start time. */
struct headway_raw_thread *headway_raw_owner(struct headway_raw *raw, uint32_t tid, uint32_t start);
int headway_raw_counters(struct headway_probe *p, uint64_t *counters);
/*
 * After the snapshot was made: delete the records that it reported for the last time. Completes
 * its count of events. The snapshot's threads must be sorted by tid.
 */
void headway_raw_sweep(struct headway_probe *p, struct headway_snapshot *snap,
		       struct headway_raw *raw);
/* probe_stacks.c */
void headway_probe_free_stacks(struct headway_probe *p, const struct headway_raw *raw);
typedef int (*headway_take_fn)(void *arg, const void *key, const void *value);
/* All of a hash map, in batches. 0, a negative errno, or what take() returned. */
int headway_read_map(int fd, size_t key_size, size_t value_size, headway_take_fn take, void *arg);

/* probe_slots.c. Reading returns 0 or what take() returned. */
int headway_slots_map(struct headway_probe *p);
void headway_slots_unmap(struct headway_probe *p);
int headway_slots_read_threads(const struct headway_probe *p, headway_take_fn take, void *arg);
int headway_slots_read_locks(const struct headway_probe *p, headway_take_fn take, void *arg);
/* The next three look in the hash maps, too. */
bool headway_slots_find_thread(struct headway_probe *p, const struct headway_thread_key *key,
			       struct headway_thread_state *out);
void headway_slots_drop_thread(struct headway_probe *p, const struct headway_thread_key *key);
void headway_slots_drop_lock(struct headway_probe *p, const struct headway_lock_key *key);
int headway_grow(void *array, size_t *cap, size_t need, size_t size);

#endif /* HEADWAY_PROBE_MAPS_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * probe_slots.c - the records that lie in places of their own and not in a hash map: see
 * thread.bpf.h.
 *
 * Invariant: a place is given back when nobody writes to it any more, and its content is marked as
 * not filled before that, so that whoever claims it next is not seen with what was left there.
 */
#include "probe_maps.h"

#include <errno.h>
#include <sys/mman.h>

#include "headway.skel.h"

static void *map_slots(const struct bpf_map *map, size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return at == MAP_FAILED ? NULL : at;
}

int headway_slots_map(struct headway_probe *p)
{
	p->nr_thread_slots = bpf_map__max_entries(p->skel->maps.thread_slots);
	p->thread_slots = map_slots(p->skel->maps.thread_slots,
				    p->nr_thread_slots * sizeof(*p->thread_slots));
	p->lock_slots = map_slots(p->skel->maps.lock_slots,
				  HEADWAY_LOCK_SLOTS * sizeof(*p->lock_slots));
	return p->thread_slots && p->lock_slots ? 0 : -errno;
}

void headway_slots_unmap(struct headway_probe *p)
{
	if (p->thread_slots)
		munmap(p->thread_slots, p->nr_thread_slots * sizeof(*p->thread_slots));
	if (p->lock_slots)
		munmap(p->lock_slots, HEADWAY_LOCK_SLOTS * sizeof(*p->lock_slots));
}

int headway_slots_read_threads(const struct headway_probe *p, headway_take_fn take, void *arg)
{
	int err = 0;

	for (size_t i = 0; i < p->nr_thread_slots && !err; i++) {
		const struct headway_thread_slot *slot = &p->thread_slots[i];
		uint64_t claim = __atomic_load_n(&slot->claim, __ATOMIC_ACQUIRE);
		struct headway_thread_key key = { (uint32_t)claim, (uint32_t)(claim >> 32) };

		if (claim)
			err = take(arg, &key, &slot->st);
	}
	return err;
}

int headway_slots_read_locks(const struct headway_probe *p, headway_take_fn take, void *arg)
{
	int err = 0;

	for (size_t i = 0; i < HEADWAY_LOCK_SLOTS && !err; i++) {
		const struct headway_lock_slot *slot = &p->lock_slots[i];
		uint64_t claim = __atomic_load_n(&slot->claim, __ATOMIC_ACQUIRE);
		struct headway_lock_key key = {
			.addr = claim ? __atomic_load_n(&slot->addr, __ATOMIC_ACQUIRE) : 0,
			.tid = (uint32_t)claim,
			.kind = (uint32_t)(claim >> 32),
		};

		if (key.addr)
			err = take(arg, &key, &slot->rec);
	}
	return err;
}

static struct headway_thread_slot *slot_of_thread(const struct headway_probe *p,
						  const struct headway_thread_key *key)
{
	uint32_t place = headway_thread_place(key);
	struct headway_thread_slot *slot = &p->thread_slots[place];

	if (place >= p->nr_thread_slots)	/* with little room there are fewer */
		return NULL;
	return slot->claim == headway_thread_claim(key) ? slot : NULL;
}

bool headway_slots_find_thread(struct headway_probe *p, const struct headway_thread_key *key,
			       struct headway_thread_state *out)
{
	const struct headway_thread_slot *slot = slot_of_thread(p, key);

	if (!slot)
		return !bpf_map_lookup_elem(headway_probe_map(p, "threads"), key, out);
	*out = slot->st;
	return true;
}

void headway_slots_drop_thread(struct headway_probe *p, const struct headway_thread_key *key)
{
	struct headway_thread_slot *slot = slot_of_thread(p, key);

	if (!slot) {
		bpf_map_delete_elem(headway_probe_map(p, "threads"), key);
		return;
	}
	__atomic_store_n(&slot->st.rec.tid, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->claim, 0, __ATOMIC_RELEASE);
}

void headway_slots_drop_lock(struct headway_probe *p, const struct headway_lock_key *key)
{
	struct headway_lock_slot *slot = &p->lock_slots[headway_lock_place(key)];

	if (slot->claim != headway_lock_claim(key) || slot->addr != key->addr) {
		bpf_map_delete_elem(headway_probe_map(p, "locks"), key);
		return;
	}
	__atomic_store_n(&slot->addr, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->claim, 0, __ATOMIC_RELEASE);
}

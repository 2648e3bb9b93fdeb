// SPDX-License-Identifier: GPL-2.0
/*
 * probe_shared.c - words that several processes wait on: which physical word it is, and whether the
 * tid in it belongs to a process that has the same memory.
 *
 * As in the kernel, a word in a shared mapping is known by device, inode and offset, and one in a
 * private mapping by its process and address, whatever the caller's flag says. A tid says nothing
 * without its pid namespace, so an owner must be a thread of a process that maps the same object.
 *
 * Invariant: maps are read only for waits that last, on words that have an owner: once for the
 * wait, and once for each new owner.
 */
#include "probe_tasks.h"

#include "futexword.h"
#include "lockshape.h"

struct place {
	uint64_t addr;
	struct headway_proc_mapping found;
};

static bool holds_address(void *ctx, const struct headway_proc_mapping *m)
{
	struct place *p = ctx;

	if (p->addr < m->start || p->addr >= m->end)
		return false;
	p->found = *m;
	return true;
}

static bool same_object(void *ctx, const struct headway_proc_mapping *m)
{
	const struct headway_proc_mapping *of = ctx;

	return m->shared && m->device == of->device && m->inode == of->inode;
}

/* One step of a multiplicative hash that carries the upper bits down. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 32;
}

/* Two of the few shared words of a watch with one number would be a rare accident. */
static uint64_t identity(uint64_t device, uint64_t inode, uint64_t offset)
{
	uint64_t hash = mix(mix(mix(1, device), inode), offset);

	return hash ? hash : 1;
}

/* The threads that this tid may mean; more than one is as bad as none. */
static bool owner_is_sure(const struct headway_tasks *tasks, uint32_t owner,
			  const struct headway_proc_mapping *of)
{
	unsigned int fitting = 0;

	for (size_t i = 0; i < tasks->nr && fitting < 2; i++) {
		const struct headway_task *t = &tasks->tasks[i];

		if ((uint32_t)t->ns_tid == owner && t->proc.state != 'Z' && t->proc.state != 'X')
			fitting += headway_proc_find_mapping(t->proc.tid, same_object,
							     (void *)of) == 0;
	}
	return fitting == 1;
}

static void find_place(const struct headway_snap_thread *t, struct headway_open_wait *w)
{
	struct place place = { .addr = headway_shape_object(&t->rec) };

	w->place = HEADWAY_PLACE_PRIVATE;
	if (headway_proc_find_mapping(t->rec.tid, holds_address, &place) || !place.found.shared)
		return;
	w->place = HEADWAY_PLACE_SHARED;
	w->mapping = place.found;
	w->object = identity(place.found.device, place.found.inode,
			     place.addr - place.found.start + place.found.offset);
}

void headway_probe_place_wait(const struct headway_tasks *tasks, struct headway_snap_thread *t,
			      struct headway_open_wait *w)
{
	struct headway_thread_rec *rec = &t->rec;
	uint32_t owner = headway_futex_owner(rec->wait_op, rec->wait_flags, rec->wait_word,
					     rec->wait_owner);

	if (!owner || rec->wait_flags & HEADWAY_WAIT_PRIVATE)
		return;
	if (w->place == HEADWAY_PLACE_UNKNOWN)
		find_place(t, w);
	if (w->place == HEADWAY_PLACE_PRIVATE) {
		rec->wait_flags |= HEADWAY_WAIT_PRIVATE;
		return;
	}
	t->wait_object = w->object;
	if (w->owner != owner) {
		w->owner = owner;
		w->owner_sure = owner_is_sure(tasks, owner, &w->mapping);
	}
	if (!w->owner_sure)
		rec->wait_flags &= ~(uint32_t)HEADWAY_WAIT_OWNER_READ;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * probe_go.c - sync.Mutex of Go programs: attach to it, and goroutines as actors of the snapshot.
 *
 * Invariants: a goroutine in the snapshot is alive only when its descriptor in the target's memory
 * still has its id; who is waited for is in the form of a glibc mutex (word 2, then the owner), so
 * that the engine draws one kind of edge.
 */
#define _GNU_SOURCE
#include "probe_maps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gobinary.h"
#include "headway_gostate.h"
#include "uprobe_multi.h"

/* runtime/runtime2.go; _Gscan (0x1000) may be added. */
enum go_status {
	GO_RUNNABLE = 1,
	GO_RUNNING = 2,
	GO_SYSCALL = 3,
	GO_WAITING = 4,
	GO_COPYSTACK = 8,
	GO_PREEMPTED = 9,
	GO_SCAN = 0x1000,
};

enum { CONTENDED_WORD = 2, MUTEX_LOCKED = 1 };

static int free_slot(const struct headway_probe *p)
{
	bool used[HEADWAY_GOROUTINE_SLOTS] = {};

	for (size_t i = 0; i < p->nr_targets; i++)
		if (!p->targets[i].exited && p->targets[i].goid_offset)
			used[p->targets[i].go_slot] = true;
	for (int i = 0; i < (int)HEADWAY_GOROUTINE_SLOTS; i++)
		if (!used[i])
			return i;
	return -1;
}

static int attach_site(struct headway_probe *p, const struct headway_target *t, const char *path,
		       const struct stat *st, const struct headway_goprobe *probe, uint32_t goid)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts);
	struct headway_uprobe *u = headway_probe_add_uprobe(p, t->pid, st);
	struct bpf_program *prog = headway_probe_program(p, "headway_gomutex");
	int err;

	if (!u)
		return -ENOMEM;
	opts.bpf_cookie = headway_gosite_cookie(&probe->site, t->go_slot, goid);
	u->entry = bpf_program__attach_uprobe_opts(prog, t->anchor, path, probe->offset, &opts);
	err = libbpf_get_error(u->entry);
	if (err)
		p->nr_uprobes--;
	return err;
}

/*
 * All sites in one link. It needs the first thread (see probe_uprobe.c), which Go's runtime parks
 * instead of letting it end (runtime.mexit): a link for all would count other runs of the file.
 */
static int attach_multi(struct headway_probe *p, const struct headway_target *t, const char *path,
			const struct stat *st, const struct headway_gobinary *b)
{
	uint64_t offsets[HEADWAY_GOSITES_MAX], cookies[HEADWAY_GOSITES_MAX];
	struct headway_uprobe *u;

	if (t->anchor != t->pid)
		return -ESRCH;
	u = headway_probe_add_uprobe(p, t->pid, st);
	if (!u)
		return -ENOMEM;
	for (size_t i = 0; i < b->nr; i++) {
		offsets[i] = b->probes[i].offset;
		cookies[i] = headway_gosite_cookie(&b->probes[i].site, t->go_slot, b->goid_offset);
	}
	u->multi_entry = headway_uprobe_multi_link(headway_probe_program(p, "headway_gomutex"),
						   t->pid, path, offsets, cookies,
						   (uint32_t)b->nr, false);
	if (u->multi_entry >= 0)
		return 0;
	p->nr_uprobes--;
	return p->uprobes[p->nr_uprobes].multi_entry;
}

static int attach_events(struct headway_probe *p, const struct headway_target *t, const char *path,
			 const struct stat *st, const struct headway_gobinary *b)
{
	int err = 0;

	for (size_t i = 0; i < b->nr && !err; i++)
		err = attach_site(p, t, path, st, &b->probes[i], b->goid_offset);
	return err;
}

static int attach_sites(struct headway_probe *p, struct headway_target *t, const char *path,
			const struct stat *st, const struct headway_gobinary *b)
{
	int slot = free_slot(p), err;

	if (slot < 0) {
		snprintf(t->trylock_reason, sizeof(t->trylock_reason),
			 "%d Go programs are watched already", HEADWAY_GOROUTINE_SLOTS);
		return -EUSERS;
	}
	t->go_slot = (uint32_t)slot;
	err = p->uprobe_multi ? attach_multi(p, t, path, st, b) : attach_events(p, t, path, st, b);
	if (err) {
		headway_probe_detach_uprobes(p, t->pid);
		snprintf(t->trylock_reason, sizeof(t->trylock_reason),
			 "cannot attach to its sync.Mutex: %s", strerror(-err));
		return err;
	}
	t->goid_offset = b->goid_offset;
	t->trylock_found = true;
	return 0;
}

/* Once for each executable: to look through one takes tens of milliseconds. */
void headway_probe_attach_go(struct headway_probe *p, struct headway_target *t)
{
	struct headway_gobinary *b;
	char path[64], why[128] = "";
	struct stat st;
	int err;

	snprintf(path, sizeof(path), "/proc/%d/exe", t->anchor);
	if (t->go != HEADWAY_GO_UNKNOWN || stat(path, &st))
		return;
	b = calloc(1, sizeof(*b));
	if (!b)
		return;
	err = headway_gobinary_read(path, b, why, sizeof(why));
	t->go = err && !*why ? HEADWAY_GO_NOT : HEADWAY_GO_UNREADABLE;
	if (*why)
		snprintf(t->trylock_reason, sizeof(t->trylock_reason), "a Go program, but %s", why);
	if (!err && !attach_sites(p, t, path, &st, b))
		t->go = HEADWAY_GO_PROBED;
	free(b);
}

/* State as in /proc of a thread, 'X' when it has ended. */
static char state_of(const struct headway_target *t, uint64_t g, uint32_t id)
{
	struct {
		uint32_t status, stack_lock;
		uint64_t goid;
	} d;

	/* The status is just before the id in every version. */
	if (!g || headway_proc_memory(t->anchor, g + t->goid_offset - 8, &d, sizeof(d)) !=
	    (ssize_t)sizeof(d))
		return 'X';
	if ((d.goid & HEADWAY_GOROUTINE_MASK) != (id & HEADWAY_GOROUTINE_MASK))
		return 'X';
	switch (d.status & ~(uint32_t)GO_SCAN) {
	case GO_RUNNABLE:
	case GO_RUNNING:
	case GO_COPYSTACK:
	case GO_PREEMPTED:
		return 'R';
	case GO_SYSCALL:
	case GO_WAITING:
		return 'S';
	default:
		return 'X';
	}
}

static bool owner_of(struct headway_probe *p, const struct headway_target *t, uint64_t mutex,
		     struct headway_goowner *out)
{
	struct headway_goowner_key key = { .mutex = mutex, .tgid = t->key_tgid };

	return !bpf_map_lookup_elem(headway_probe_map(p, "goowners"), &key, out);
}

/* Who is waited for. An owner who has no record of its own, having met no contention, gets one. */
static int put_owner(struct headway_probe *p, struct headway_snapshot *snap,
		     const struct headway_target *t, size_t waiter)
{
	struct headway_snap_thread *w = &p->threads[waiter], *o;
	struct headway_goowner owner;
	int32_t word = 0;

	headway_proc_memory(t->anchor, w->rec.wait_addr, &word, sizeof(word));
	if (!(word & MUTEX_LOCKED) || !owner_of(p, t, w->rec.wait_addr, &owner))
		return 0;
	w->rec.wait_word = CONTENDED_WORD;
	w->rec.wait_owner = owner.id;
	w->rec.wait_flags |= HEADWAY_WAIT_OWNER_READ;
	for (size_t i = 0; i < snap->nr_threads; i++)
		if (p->threads[i].rec.tid == owner.id)
			return 0;
	if (headway_grow(&p->threads, &p->cap_threads, snap->nr_threads + 1, sizeof(*o)))
		return -ENOMEM;
	w = &p->threads[waiter];
	o = &p->threads[snap->nr_threads++];
	memset(o, 0, sizeof(*o));
	o->rec.tid = o->rec.ns_tid = owner.id;
	o->rec.tgid = w->rec.tgid;
	o->rec.ns_tgid = w->rec.ns_tgid;
	o->rec.start_ns = w->rec.start_ns;
	memcpy(o->rec.comm, w->rec.comm, sizeof(o->rec.comm));
	o->rec.first_ns = snap->time_ns;
	o->syscall_nr = HEADWAY_PROC_UNKNOWN;
	o->state = state_of(t, owner.g, owner.id);
	o->alive = o->state != 'X';
	return 0;
}

int headway_probe_merge_goroutines(struct headway_probe *p, struct headway_snapshot *snap,
				   struct headway_target *t)
{
	size_t nr = snap->nr_threads;
	int err = 0;

	for (size_t i = 0; i < nr && t->goid_offset && !err; i++) {
		struct headway_snap_thread *s = &p->threads[i];

		if (!(s->rec.tid & HEADWAY_GOROUTINE) || s->rec.tgid != (uint32_t)t->pid ||
		    s->rec.start_ns != t->start_ns)
			continue;
		headway_probe_note_active(t, &s->rec);
		s->state = state_of(t, s->wait_bp, s->rec.tid);
		s->alive = s->state != 'X';
		if (s->alive && s->rec.wait_addr)
			err = put_owner(p, snap, t, i);
	}
	return err;
}

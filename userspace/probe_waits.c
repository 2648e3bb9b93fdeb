// SPDX-License-Identifier: GPL-2.0
/*
 * probe_waits.c - futex waits that are going on at a snapshot: the ones that had begun before we
 * attached, and the stacks of those that last.
 *
 * Invariant: the list of open waits is sorted by tid and rebuilt at each snapshot from the former
 * one, so a wait that ended is forgotten and a stack is unwound once for each wait.
 */
#define _GNU_SOURCE
#include "probe_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "lockshape.h"
#include "probe_unwind.h"

enum {
	/* Shorter waits are ordinary, and to unwind one costs up to a millisecond. */
	LASTING_NS = 200000000,
	/* At most so many in a snapshot: a pool of idle workers has its turn over several. */
	UNWIND_BATCH = 64,
	NONE = -1,
	NOT_TRIED = -2,
};

/* include/uapi/linux/futex.h */
enum {
	FUTEX_CMD = 0x7f,
	FUTEX_PRIVATE = 128,
	CMD_WAIT = 0,
	CMD_LOCK_PI = 6,
	CMD_WAIT_BITSET = 9,
	CMD_WAIT_REQUEUE_PI = 11,
	CMD_LOCK_PI2 = 13,
};

static int by_tid(const void *a, const void *b)
{
	const struct headway_open_wait *x = a, *y = b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

const struct headway_open_wait *headway_probe_find_wait(const struct headway_probe *p,
							const struct headway_snap_thread *t)
{
	struct headway_open_wait key = { .tid = t->rec.tid }, *w = NULL;

	if (p->nr_waits)
		w = bsearch(&key, p->waits, p->nr_waits, sizeof(key), by_tid);
	return w && w->start_ns == t->rec.start_ns && w->addr == t->rec.wait_addr ? w : NULL;
}

static bool in_wait(const struct headway_proc_thread *proc)
{
	uint32_t cmd = proc->args[1] & FUTEX_CMD;

	return proc->syscall_nr == SYS_futex &&
	       (cmd == CMD_WAIT || cmd == CMD_WAIT_BITSET || cmd == CMD_LOCK_PI ||
		cmd == CMD_LOCK_PI2 || cmd == CMD_WAIT_REQUEUE_PI);
}

/*
 * A thread that was in its wait before we attached made no enter event, and one in a deadlock will
 * never make another.
 */
void headway_probe_seed_wait(struct headway_probe *p, struct headway_snap_thread *t,
			     const struct headway_proc_thread *proc, uint64_t now_ns)
{
	struct headway_thread_rec *rec = &t->rec;
	const struct headway_open_wait *w;
	uint64_t addr = proc->args[0];

	if (rec->wait_addr || !in_wait(proc))
		return;
	rec->wait_addr = addr;
	w = headway_probe_find_wait(p, t);
	rec->wait_since_ns = w ? w->since_ns : now_ns;
	rec->wait_op = proc->args[1] & FUTEX_CMD;
	rec->wait_flags = (proc->args[1] & FUTEX_PRIVATE ? HEADWAY_WAIT_PRIVATE : 0) |
			  (proc->args[3] ? HEADWAY_WAIT_TIMEOUT : 0);
}

/* The word that a thread waits on and what is around it, as they are now. */
void headway_probe_read_owner(struct headway_snap_thread *t)
{
	struct headway_thread_rec *rec = &t->rec;
	struct headway_surroundings s = { .nr_before = sizeof(s.before) };
	ssize_t n = headway_proc_memory(rec->tid, rec->wait_addr - sizeof(s.before), s.before,
					sizeof(s.before));

	if (n != (ssize_t)sizeof(s.before))
		s.nr_before = 0;
	n = headway_proc_memory(rec->tid, rec->wait_addr, s.after, sizeof(s.after));
	/* Where memory may not be read, the kernel side did it when the wait began. */
	if (n < (ssize_t)sizeof(uint32_t))
		return;
	s.nr_after = (size_t)n;
	rec->wait_flags |= HEADWAY_WAIT_OWNER_READ;
	headway_shape_recognise(rec, &s);
}

static int32_t unwind(struct headway_probe *p, struct headway_target *target,
		      const struct headway_proc_thread *proc, uint64_t bp)
{
	struct headway_unwind_start start = {
		.pid = target->pid,
		.tid = proc->tid,
		.pc = proc->pc,
		.sp = proc->sp,
		.bp = bp,
	};
	struct headway_unwound *u;

	if (!p->unwound)
		p->unwound = calloc(HEADWAY_UNWOUND_MAX, sizeof(*p->unwound));
	if (!target->symbolizer)
		target->symbolizer = headway_symbolizer_new(target->pid);
	if (!p->unwound || !target->symbolizer)
		return NONE;
	u = &p->unwound[p->nr_unwound % HEADWAY_UNWOUND_MAX];
	u->n = headway_unwind(target->symbolizer, &start, u->ips, HEADWAY_STACK_DEPTH);
	if (u->n <= 0)
		return NONE;
	u->id = HEADWAY_UNWOUND_BASE + p->nr_unwound++ % HEADWAY_UNWOUND_BASE;
	return u->id;
}

static const struct headway_unwound *slot_of(const struct headway_probe *p, int32_t id)
{
	return &p->unwound[(id - HEADWAY_UNWOUND_BASE) % HEADWAY_UNWOUND_MAX];
}

/* Not overwritten by a later one. */
static bool is_kept(const struct headway_probe *p, int32_t id)
{
	return p->unwound && slot_of(p, id)->id == id;
}

int headway_probe_unwound(const struct headway_probe *p, int32_t id, uint64_t *ips, int max)
{
	const struct headway_unwound *u;
	int i;

	if (!is_kept(p, id))
		return 0;
	u = slot_of(p, id);
	for (i = 0; i < u->n && i < max; i++)
		ips[i] = u->ips[i];
	return i;
}

void headway_probe_keep_wait(struct headway_probe *p, struct headway_open_waits *next,
			     struct headway_target *target, struct headway_snap_thread *t,
			     const struct headway_proc_thread *proc,
			     const struct headway_tasks *tasks, uint64_t now_ns)
{
	const struct headway_open_wait *old = headway_probe_find_wait(p, t);
	struct headway_open_wait *w, *more;
	size_t cap = next->cap ? next->cap * 2 : 64;

	if (next->nr == next->cap) {
		more = realloc(next->waits, cap * sizeof(*more));
		if (!more)
			return;		/* its stack, or its age if seeded, is asked for again */
		next->waits = more;
		next->cap = cap;
	}
	w = &next->waits[next->nr++];
	*w = (struct headway_open_wait){
		.tid = t->rec.tid,
		.start_ns = t->rec.start_ns,
		.addr = t->rec.wait_addr,
		.since_ns = t->rec.wait_since_ns,
		.stack = NOT_TRIED,
	};
	if (old && old->since_ns == w->since_ns) {
		*w = *old;
		if (w->stack >= 0 && !is_kept(p, w->stack))
			w->stack = NOT_TRIED;
	}
	if (now_ns - w->since_ns >= LASTING_NS)
		headway_probe_place_wait(tasks, t, w);
	/* The kernel side's view is older than /proc's: is it still this wait? */
	if (w->stack == NOT_TRIED && next->unwound < UNWIND_BATCH && in_wait(proc) &&
	    (proc->args[0] == w->addr || t->rec.wait_flags & HEADWAY_WAIT_REFUSED) &&
	    (!t->wait_bp || now_ns - w->since_ns >= LASTING_NS)) {
		w->stack = unwind(p, target, proc, t->wait_bp);
		next->unwound++;
	}
}

void headway_probe_swap_waits(struct headway_probe *p, struct headway_open_waits *next)
{
	free(p->waits);
	p->waits = next->waits;
	p->nr_waits = next->nr;
	if (p->nr_waits)
		qsort(p->waits, p->nr_waits, sizeof(*p->waits), by_tid);
}

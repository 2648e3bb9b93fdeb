// SPDX-License-Identifier: GPL-2.0
/*
 * probe_waits.c - futex waits that are going on at a snapshot: which they are, since when, and the
 * stacks of those that last.
 *
 * Invariant: the list of open waits is sorted by tid and rebuilt at each snapshot from the former
 * one, so a wait that ended is forgotten and a stack is unwound once for each wait.
 */
#define _GNU_SOURCE
#include "probe_internal.h"

#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "lockshape.h"
#include "probe_tasks.h"
#include "probe_unwind.h"

enum {
	/* Shorter waits are ordinary, and to unwind one costs up to a millisecond. */
	LASTING_NS = 200000000,
	/* At most so many in a snapshot: a pool of idle workers has its turn over several. */
	UNWIND_BATCH = 64,
	NONE = -1,
	NOT_TRIED = -2,
};

enum {
	FUTEX_CMD = 0x7f,		/* without the flags, also those that 7.3 adds */
	NR_FUTEX_WAIT = 455,		/* 6.7 */
	OWN_FRAMES_BYTES = 4096,
};

static bool is_wait(uint32_t cmd)
{
	return cmd == FUTEX_WAIT || cmd == FUTEX_WAIT_BITSET || cmd == FUTEX_LOCK_PI ||
	       cmd == FUTEX_LOCK_PI2 || cmd == FUTEX_WAIT_REQUEUE_PI;
}

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

static uint32_t flags_of(bool private, uint64_t timeout)
{
	return (private ? HEADWAY_WAIT_PRIVATE : 0) | (timeout ? HEADWAY_WAIT_TIMEOUT : 0);
}

/* Sets wait_addr, wait_op and wait_flags, or leaves wait_addr 0. */
static void read_call(struct headway_thread_rec *rec, const struct headway_proc_thread *proc)
{
	const uint64_t *args = proc->args;
	struct futex_waitv first;

	if (proc->syscall_nr == SYS_futex && is_wait(args[1] & FUTEX_CMD)) {
		rec->wait_addr = args[0];
		rec->wait_op = args[1] & FUTEX_CMD;
		rec->wait_flags = flags_of(args[1] & FUTEX_PRIVATE_FLAG, args[3]);
	} else if (proc->syscall_nr == NR_FUTEX_WAIT) {
		rec->wait_addr = args[0];
		rec->wait_op = FUTEX_WAIT;
		rec->wait_flags = flags_of(args[3] & FUTEX_PRIVATE_FLAG, args[4]);
	} else if (proc->syscall_nr == SYS_futex_waitv &&
		   headway_proc_memory(rec->tid, args[0], &first, sizeof(first)) ==
			   sizeof(first)) {
		rec->wait_addr = first.uaddr;
		rec->wait_op = FUTEX_WAIT;
		rec->wait_flags = HEADWAY_WAIT_VECTOR |
				  flags_of(first.flags & FUTEX_PRIVATE_FLAG, args[3]);
	}
}

/* See slept_refused() in futex.bpf.h: here it still sleeps. */
static void redirect_refused(struct headway_thread_rec *rec, const struct headway_task *task)
{
	if (!task->refused_addr || rec->wait_flags & HEADWAY_WAIT_TIMEOUT ||
	    (rec->wait_op != FUTEX_WAIT && rec->wait_op != FUTEX_WAIT_BITSET) ||
	    rec->wait_addr - task->proc.sp >= OWN_FRAMES_BYTES)
		return;
	rec->wait_addr = task->refused_addr;
	rec->wait_op = FUTEX_LOCK_PI;
	rec->wait_flags |= HEADWAY_WAIT_REFUSED;
}

/*
 * The same wait as at the last snapshot if the thread made no event since. Else it began after
 * that, after the thread's last event, and about when it was switched out; where that is not known,
 * it is counted from now.
 */
static uint64_t wait_began(const struct headway_probe *p, const struct headway_snap_thread *t,
			   const struct headway_task *task, uint64_t now_ns)
{
	const struct headway_open_wait *old = headway_probe_find_wait(p, t);
	uint64_t since = task->asleep_ns ? task->asleep_ns : now_ns;

	if (old && task->last_ns <= old->since_ns)
		return old->since_ns;
	if (since < p->waits_ns)
		since = p->waits_ns;
	if (since < task->last_ns)
		since = task->last_ns;
	return since < now_ns ? since : now_ns;
}

void headway_probe_take_wait(struct headway_probe *p, const struct headway_snapshot *snap,
			     struct headway_snap_thread *t, const struct headway_task *task)
{
	struct headway_thread_rec *rec = &t->rec;
	struct headway_snap_lock key = { .key = { .tid = rec->tid, .kind = HEADWAY_KIND_FUTEX } };
	struct headway_snap_lock *lock;

	read_call(rec, &task->proc);
	if (!rec->wait_addr)
		return;
	redirect_refused(rec, task);
	rec->wait_since_ns = wait_began(p, t, task, snap->time_ns);
	t->wait_bp = task->bp;
	if (task->word_addr == rec->wait_addr) {
		rec->wait_flags |= HEADWAY_WAIT_OWNER_READ;
		rec->wait_word = task->word;
		rec->wait_owner = rec->wait_op == FUTEX_LOCK_PI || rec->wait_op == FUTEX_LOCK_PI2 ?
				  task->word & FUTEX_TID_MASK : task->word_owner;
	}
	/* It waits again: the kernel side will count that when it returns. */
	key.key.addr = rec->wait_addr;
	lock = task->woken_addr == rec->wait_addr && snap->nr_locks ?
	       bsearch(&key, p->locks, snap->nr_locks, sizeof(key), headway_snap_by_lock) : NULL;
	if (lock)
		lock->rec.lost_races++;
}

/* How much of s->after could be read. */
static ssize_t read_around(const struct headway_thread_rec *rec, struct headway_surroundings *s)
{
	unsigned char both[sizeof(s->before) + sizeof(s->after)];
	ssize_t n = headway_proc_memory(rec->tid, rec->wait_addr - sizeof(s->before), both,
					sizeof(both));

	n -= (ssize_t)sizeof(s->before);
	if (n <= 0)	/* nothing is mapped before it */
		return headway_proc_memory(rec->tid, rec->wait_addr, s->after, sizeof(s->after));
	memcpy(s->before, both, sizeof(s->before));
	memcpy(s->after, both + sizeof(s->before), (size_t)n);
	s->nr_before = sizeof(s->before);
	return n;
}

/* The word that a thread waits on and what is around it, as they are now. */
static void read_owner(struct headway_thread_rec *rec)
{
	struct headway_surroundings s = {};
	ssize_t n = read_around(rec, &s);

	/* Where memory may not be read, the iterator did it. */
	if (n < (ssize_t)sizeof(uint32_t))
		return;
	s.nr_after = (size_t)n;
	rec->wait_flags |= HEADWAY_WAIT_OWNER_READ;
	headway_shape_recognise(rec, &s);
}

/* As many as can be had in one call. Return: how many. */
static size_t read_some(struct headway_probe *p, const size_t *waiting, size_t nr)
{
	struct headway_surroundings s = { .nr_before = sizeof(s.before),
					  .nr_after = sizeof(s.after) };
	unsigned char both[HEADWAY_PROC_PIECES][sizeof(s.before) + sizeof(s.after)];
	uint64_t addrs[HEADWAY_PROC_PIECES];
	size_t n = nr < HEADWAY_PROC_PIECES ? nr : HEADWAY_PROC_PIECES;

	for (size_t i = 0; i < n; i++)
		addrs[i] = p->threads[waiting[i]].rec.wait_addr - sizeof(s.before);
	n = headway_proc_pieces(p->threads[waiting[0]].rec.tid, addrs, n, both, sizeof(both[0]));
	for (size_t i = 0; i < n; i++) {
		struct headway_thread_rec *rec = &p->threads[waiting[i]].rec;

		memcpy(s.before, both[i], sizeof(s.before));
		memcpy(s.after, both[i] + sizeof(s.before), sizeof(s.after));
		rec->wait_flags |= HEADWAY_WAIT_OWNER_READ;
		headway_shape_recognise(rec, &s);
	}
	return n;
}

void headway_probe_read_owners(struct headway_probe *p, const size_t *waiting, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		i += read_some(p, waiting + i, nr - i);
		/* The next one is at the edge of what is mapped, or its thread has ended. */
		if (i < nr)
			read_owner(&p->threads[waiting[i]].rec);
	}
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
	if (w->stack == NOT_TRIED && next->unwound < UNWIND_BATCH &&
	    now_ns - w->since_ns >= LASTING_NS) {
		w->stack = unwind(p, target, proc, t->wait_bp);
		next->unwound++;
	}
}

void headway_probe_swap_waits(struct headway_probe *p, struct headway_open_waits *next,
			      uint64_t now_ns)
{
	p->waits_ns = now_ns;
	free(p->waits);
	p->waits = next->waits;
	p->nr_waits = next->nr;
	if (p->nr_waits)
		qsort(p->waits, p->nr_waits, sizeof(*p->waits), by_tid);
}

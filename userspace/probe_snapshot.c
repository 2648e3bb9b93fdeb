// SPDX-License-Identifier: GPL-2.0
/*
 * probe_snapshot.c - one consistent picture out of the BPF maps and /proc.
 *
 * Order: ring buffer (exec, fork), thread records, lock records, /proc. A thread counts as dead
 * only by what its record said before the locks were read, so the counts reported with its death
 * are final; both kinds of record are then deleted. Of two threads that had the same tid the
 * older, dead one is reported first and the other in the next snapshot: its counters only grow,
 * so nothing is lost, and keys within a snapshot stay unique.
 */
#define _GNU_SOURCE
#include "probe_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 4096 };

struct raw_thread {
	struct headway_thread_key key;
	struct headway_thread_state st;
	bool skip;			/* not filled yet, or the tid's older owner goes first */
};

struct raw_lock {
	struct headway_lock_key key;
	struct headway_lock_rec rec;
};

struct raw {
	struct raw_thread *threads;
	size_t nr_threads;
	struct raw_lock *locks;
	size_t nr_locks;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static int grow(void *array, size_t *cap, size_t need, size_t size)
{
	size_t n = *cap ? *cap : 256;
	void *more;

	if (need <= *cap)
		return 0;
	while (n < need)
		n *= 2;
	more = realloc(*(void **)array, n * size);
	if (!more)
		return -ENOMEM;
	*(void **)array = more;
	*cap = n;
	return 0;
}

static struct headway_target *target_by_key(struct headway_probe *p, uint32_t key_tgid)
{
	size_t i;

	for (i = 0; i < p->nr_targets; i++)
		if (p->targets[i].key_tgid == key_tgid && !p->targets[i].exited)
			return &p->targets[i];
	return NULL;
}

/* Rare events. Called from ring_buffer__consume, within the snapshot. */
static int on_event(void *ctx, void *data, size_t len)
{
	const struct headway_event *e = data;
	struct headway_probe *p = ctx;
	struct headway_target *t;

	if (len < sizeof(*e))
		return 0;
	t = target_by_key(p, e->tgid);
	if (e->type == HEADWAY_EVENT_EXEC && t) {
		t->trylock_found = false;
		t->exe_ino = 0;
		if (headway_proc_is_32bit(t->pid)) {
			p->missing |= 1u << HEADWAY_PROBE_FUTEX;
			snprintf(p->reason[HEADWAY_PROBE_FUTEX],
				 sizeof(p->reason[HEADWAY_PROBE_FUTEX]),
				 "process %d now runs a 32-bit program, whose calls are not seen", t->pid);
		}
	} else if (e->type == HEADWAY_EVENT_FORK) {
		/* Already in the targets map; one that ended meanwhile is of no use here. */
		headway_probe_target_add(p, e->arg, e->tid);
	}
	return 0;
}

int headway_probe_open_ring(struct headway_probe *p)
{
	p->ring = ring_buffer__new(headway_probe_map(p, "ring"), on_event, p, NULL);
	if (!p->ring)
		return headway_probe_fail(p, -errno, "cannot map the event ring: %s", strerror(errno));
	return 0;
}

/*
 * All of a hash map by batches. -ENOENT ends the walk; -ENOSPC means that a bucket holds more than
 * a batch, which 4096 makes impossible in practice and which is reported and not retried.
 */
static int read_map(int fd, size_t key_size, size_t value_size,
		    int (*take)(void *arg, const void *key, const void *value), void *arg)
{
	void *keys = malloc(BATCH * key_size), *values = malloc(BATCH * value_size);
	uint64_t token = 0;
	bool first = true;
	uint32_t n, i;
	int err = 0, ret;

	if (!keys || !values)
		err = -ENOMEM;
	while (!err) {
		n = BATCH;
		ret = bpf_map_lookup_batch(fd, first ? NULL : &token, &token, keys, values, &n, NULL);
		if (ret && errno != ENOENT) {
			err = -errno;
			break;
		}
		for (i = 0; i < n && !err; i++)
			err = take(arg, (char *)keys + i * key_size, (char *)values + i * value_size);
		if (ret)
			break;
		first = false;
	}
	free(keys);
	free(values);
	return err;
}

struct taken {
	struct raw *raw;
	size_t cap;
};

static int take_thread(void *arg, const void *key, const void *value)
{
	struct taken *t = arg;
	struct raw_thread *r;

	if (grow(&t->raw->threads, &t->cap, t->raw->nr_threads + 1, sizeof(*r)))
		return -ENOMEM;
	r = &t->raw->threads[t->raw->nr_threads++];
	memcpy(&r->key, key, sizeof(r->key));
	memcpy(&r->st, value, sizeof(r->st));
	r->skip = !r->st.rec.tid;
	return 0;
}

static int take_lock(void *arg, const void *key, const void *value)
{
	struct taken *t = arg;
	struct raw_lock *r;

	if (grow(&t->raw->locks, &t->cap, t->raw->nr_locks + 1, sizeof(*r)))
		return -ENOMEM;
	r = &t->raw->locks[t->raw->nr_locks++];
	memcpy(&r->key, key, sizeof(r->key));
	memcpy(&r->rec, value, sizeof(r->rec));
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct raw_thread *x = a, *y = b;

	if (x->key.tid != y->key.tid)
		return x->key.tid < y->key.tid ? -1 : 1;
	return (x->st.rec.start_ns > y->st.rec.start_ns) - (x->st.rec.start_ns < y->st.rec.start_ns);
}

static int read_raw(struct headway_probe *p, struct raw *raw)
{
	struct taken t = { .raw = raw };
	size_t i;
	int err;

	err = read_map(headway_probe_map(p, "threads"), sizeof(struct headway_thread_key),
		       sizeof(struct headway_thread_state), take_thread, &t);
	if (err)
		return err;
	t.cap = 0;
	err = read_map(headway_probe_map(p, "locks"), sizeof(struct headway_lock_key),
		       sizeof(struct headway_lock_rec), take_lock, &t);
	if (err)
		return err;
	if (raw->nr_threads)
		qsort(raw->threads, raw->nr_threads, sizeof(*raw->threads), by_key);
	for (i = 1; i < raw->nr_threads; i++)
		if (raw->threads[i].key.tid == raw->threads[i - 1].key.tid)
			raw->threads[i].skip = true;
	return 0;
}

static struct raw_thread *thread_of_lock(struct raw *raw, const struct headway_lock_key *key)
{
	uint32_t start = key->kind >> HEADWAY_KIND_BITS;
	size_t lo = 0, hi = raw->nr_threads, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (raw->threads[mid].key.tid < key->tid)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < raw->nr_threads && raw->threads[lo].key.tid == key->tid; lo++)
		if (raw->threads[lo].key.start == start)
			return &raw->threads[lo];
	return NULL;
}

static int snap_by_tid(const void *a, const void *b)
{
	const struct headway_snap_thread *x = a, *y = b;

	return (x->rec.tid > y->rec.tid) - (x->rec.tid < y->rec.tid);
}

static int snap_by_lock(const void *a, const void *b)
{
	const struct headway_lock_key *x = a, *y = b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->addr > y->addr) - (x->addr < y->addr);
}

static int put_threads(struct headway_probe *p, struct headway_snapshot *snap, struct raw *raw)
{
	struct headway_snap_thread *t;
	size_t i;

	if (grow(&p->threads, &p->cap_threads, raw->nr_threads + 1, sizeof(*p->threads)))
		return -ENOMEM;
	for (i = 0; i < raw->nr_threads; i++) {
		if (raw->threads[i].skip)
			continue;
		t = &p->threads[snap->nr_threads++];
		memset(t, 0, sizeof(*t));
		t->rec = raw->threads[i].st.rec;
		t->wait_bp = t->rec.wait_addr ? raw->threads[i].st.wait_bp : 0;
		t->syscall_nr = HEADWAY_PROC_UNKNOWN;
		t->state = 'X';		/* until /proc says otherwise */
	}
	if (snap->nr_threads)
		qsort(p->threads, snap->nr_threads, sizeof(*p->threads), snap_by_tid);
	return 0;
}

static int put_locks(struct headway_probe *p, struct headway_snapshot *snap, struct raw *raw)
{
	struct headway_snap_lock *l;
	struct raw_thread *owner;
	size_t i;

	if (grow(&p->locks, &p->cap_locks, raw->nr_locks + 1, sizeof(*p->locks)))
		return -ENOMEM;
	for (i = 0; i < raw->nr_locks; i++) {
		owner = thread_of_lock(raw, &raw->locks[i].key);
		/* No owner: born since the threads were read, next time. */
		if (!owner || owner->skip || raw->locks[i].rec.last_ns < owner->st.exec_ns)
			continue;
		l = &p->locks[snap->nr_locks++];
		l->key = raw->locks[i].key;
		l->key.kind &= (1u << HEADWAY_KIND_BITS) - 1;
		l->key.tid = owner->st.rec.tid;
		l->rec = raw->locks[i].rec;
	}
	if (snap->nr_locks)
		qsort(p->locks, snap->nr_locks, sizeof(*p->locks), snap_by_lock);
	return 0;
}

static struct headway_snap_thread *find_thread(struct headway_probe *p, size_t n, pid_t tid)
{
	struct headway_snap_thread key = { .rec.tid = tid };

	return n ? bsearch(&key, p->threads, n, sizeof(key), snap_by_tid) : NULL;
}

struct merge {
	struct headway_snapshot *snap;
	size_t nr_recorded;		/* threads that the maps gave, sorted */
	struct headway_open_waits waits;
};

/* A lock that was released since the last try is still in the record: leave what is held now. */
static void prune_held(struct headway_thread_rec *rec)
{
	uint32_t owner, kept = 0, i;

	for (i = 0; i < rec->nr_held && i < HEADWAY_HELD_MAX; i++)
		if (headway_proc_memory(rec->tid, rec->held[i] + 8, &owner, sizeof(owner)) !=
			    sizeof(owner) ||
		    owner == rec->ns_tid)
			rec->held[kept++] = rec->held[i];
	rec->nr_held = kept;
}

static int merge_thread(struct headway_probe *p, struct merge *m, struct headway_target *target,
			int task_fd, pid_t tid)
{
	struct headway_proc_thread proc;
	struct headway_snap_thread *t;
	int err = headway_proc_thread(task_fd, tid, &proc);

	if (err)
		return err == -ENOMEM ? err : 0;	/* it has just ended */
	t = find_thread(p, m->nr_recorded, tid);
	if (t && t->rec.start_ns != proc.start_ns)
		return 0;	/* the tid's former thread is reported now, this one next time */
	if (!t) {
		if (grow(&p->threads, &p->cap_threads, m->snap->nr_threads + 1, sizeof(*t)))
			return -ENOMEM;
		t = &p->threads[m->snap->nr_threads++];
		memset(t, 0, sizeof(*t));
		t->rec.start_ns = proc.start_ns;
		t->rec.tid = tid;
		t->rec.tgid = target->pid;
		t->rec.ns_tid = target->other_pidns ? headway_proc_ns_tid(task_fd, tid) : tid;
		t->rec.ns_tgid = target->other_pidns ? headway_proc_ns_tid(task_fd, target->pid) :
				 target->pid;
	}
	memcpy(t->rec.comm, proc.comm, sizeof(t->rec.comm));
	t->cpu_ns = proc.cpu_ns;
	t->state = proc.state;
	t->syscall_nr = proc.syscall_nr;
	t->alive = proc.state != 'Z' && proc.state != 'X';
	if (!t->alive)
		return 0;
	prune_held(&t->rec);
	headway_probe_seed_wait(p, t, &proc, m->snap->time_ns);
	if (t->rec.wait_addr)
		headway_probe_keep_wait(p, &m->waits, target, t, &proc, m->snap->time_ns);
	return 0;
}

/*
 * A uprobe belongs to one thread, although it serves the whole address space, and goes with it:
 * when that thread has ended and others go on (pthread_exit in main), hang it on another.
 */
static void keep_anchor(struct headway_probe *p, struct headway_target *target, int task_fd,
			const pid_t *tids, size_t n)
{
	struct headway_proc_thread t;
	size_t i;

	if (!target->trylock_found)
		return;
	if (!headway_proc_thread(task_fd, target->anchor, &t) && t.state != 'Z' && t.state != 'X')
		return;
	for (i = 0; i < n; i++)
		if (!headway_proc_thread(task_fd, tids[i], &t) && t.state != 'Z' && t.state != 'X')
			break;
	if (i == n)
		return;
	target->anchor = tids[i];
	headway_probe_detach_uprobes(p, target->pid);
	target->exe_ino = 0;
	target->trylock_found = false;
	headway_probe_attach_uprobes(p, target);
}

static int merge_target(struct headway_probe *p, struct merge *m, struct headway_target *target)
{
	struct headway_proc_thread leader;
	pid_t *tids = NULL;
	size_t n = 0, i;
	int fd, err;

	fd = headway_proc_task_open(target->pid);
	if (fd < 0 || headway_proc_thread(fd, target->pid, &leader) ||
	    leader.start_ns != target->start_ns || headway_proc_tids(fd, &tids, &n)) {
		target->exited = true;
		err = 0;
		goto out;
	}
	for (i = 0, err = 0; i < n && !err; i++)
		err = merge_thread(p, m, target, fd, tids[i]);
	if (!err && n > 1)
		keep_anchor(p, target, fd, tids, n);
	/* A leader that has ended stays a zombie while other threads run, or until it is reaped. */
	if (!err && n == 1 && (leader.state == 'Z' || leader.state == 'X'))
		target->exited = true;
	free(tids);
out:
	if (fd >= 0)
		close(fd);
	return err;
}

/* A target is gone: let nobody inherit its id, and take the breakpoints' descriptors back. */
static void retire(struct headway_probe *p, struct headway_target *t)
{
	bpf_map_delete_elem(headway_probe_map(p, "targets"), &t->key_tgid);
	headway_probe_detach_uprobes(p, t->pid);
	headway_symbolizer_free(t->symbolizer);
	t->symbolizer = NULL;
}

/* An open wait's stack goes where that of a finished one is: into the lock record. */
static int put_wait_stacks(struct headway_probe *p, struct headway_snapshot *snap)
{
	size_t i, recorded = snap->nr_locks;
	const struct headway_open_wait *w;
	struct headway_snap_thread *t;
	struct headway_snap_lock key, *l;

	for (i = 0; i < snap->nr_threads; i++) {
		t = &p->threads[i];
		w = t->rec.wait_addr ? headway_probe_find_wait(p, t) : NULL;
		if (!w || w->stack < 0)
			continue;
		memset(&key, 0, sizeof(key));
		key.key.addr = w->addr;
		key.key.tid = t->rec.tid;
		key.key.kind = HEADWAY_KIND_FUTEX;
		l = recorded ? bsearch(&key, p->locks, recorded, sizeof(*l), snap_by_lock) : NULL;
		if (!l) {
			if (grow(&p->locks, &p->cap_locks, snap->nr_locks + 1, sizeof(*l)))
				return -ENOMEM;
			l = &p->locks[snap->nr_locks++];
			*l = key;
			l->rec.first_ns = w->since_ns;
			l->rec.last_ns = w->since_ns;
		}
		l->rec.fail_stack = w->stack;
	}
	if (snap->nr_locks > recorded)
		qsort(p->locks, snap->nr_locks, sizeof(*p->locks), snap_by_lock);
	return 0;
}

static int merge_proc(struct headway_probe *p, struct headway_snapshot *snap)
{
	struct merge m = { .snap = snap, .nr_recorded = snap->nr_threads };
	int err = 0;
	size_t i;

	snap->target_exited = p->nr_targets > 0;
	for (i = 0; i < p->nr_targets && !err; i++) {
		if (p->targets[i].exited)
			continue;
		if (!p->targets[i].trylock_found)
			headway_probe_attach_uprobes(p, &p->targets[i]);
		err = merge_target(p, &m, &p->targets[i]);
		if (p->targets[i].exited)
			retire(p, &p->targets[i]);
		else
			snap->target_exited = false;
		if (!p->targets[i].exited && !p->targets[i].trylock_found)
			snap->missing_probes |= 1u << HEADWAY_PROBE_TRYLOCK;
	}
	headway_probe_swap_waits(p, &m.waits);
	if (snap->nr_threads)
		qsort(p->threads, snap->nr_threads, sizeof(*p->threads), snap_by_tid);
	return err ? err : put_wait_stacks(p, snap);
}

static int read_counters(struct headway_probe *p, struct headway_snapshot *snap)
{
	int fd = headway_probe_map(p, "counters"), cpus = libbpf_num_possible_cpus(), c;
	uint64_t *per_cpu;
	uint32_t i;

	if (cpus < 0)
		return cpus;
	per_cpu = calloc(cpus, sizeof(*per_cpu));
	if (!per_cpu)
		return -ENOMEM;
	for (i = 0; i < HEADWAY_NR_COUNTERS; i++) {
		if (bpf_map_lookup_elem(fd, &i, per_cpu))
			continue;
		for (c = 0; c < cpus; c++)
			snap->counters[i] += per_cpu[c];
	}
	free(per_cpu);
	return 0;
}

/*
 * Is the reported record final? Yes when it was marked before the locks were read. A thread that
 * /proc no longer has was marked since then, and stays for one more snapshot; one that was never
 * marked gave its tid up in exec (de_thread in fs/exec.c).
 */
static bool is_final(struct headway_probe *p, struct headway_snapshot *snap, struct raw_thread *t)
{
	struct headway_snap_thread *s = find_thread(p, snap->nr_threads, t->st.rec.tid);
	struct headway_thread_state now;

	if (t->st.exited_ns)
		return !s || !s->alive || s->rec.start_ns != t->st.rec.start_ns;
	if (s && s->state != 'X')
		return false;
	if (bpf_map_lookup_elem(headway_probe_map(p, "threads"), &t->key, &now))
		return false;
	return !now.exited_ns && now.events == t->st.events;
}

/* Delete what was reported for the last time, and locks of an address space that exec ended. */
static void sweep(struct headway_probe *p, struct headway_snapshot *snap, struct raw *raw)
{
	int threads = headway_probe_map(p, "threads"), locks = headway_probe_map(p, "locks");
	int hints = headway_probe_map(p, "hints");
	struct headway_hint_key hint;
	struct raw_thread *t;
	size_t i;

	snap->counters[HEADWAY_CNT_EVENTS] += p->freed_events;
	for (i = 0; i < raw->nr_threads; i++) {
		t = &raw->threads[i];
		snap->counters[HEADWAY_CNT_EVENTS] += t->st.events;
		if (t->skip)
			continue;
		if (!is_final(p, snap, t)) {
			t->skip = true;
			continue;
		}
		p->freed_events += t->st.events;
		bpf_map_delete_elem(threads, &t->key);
		hint = (struct headway_hint_key){ t->st.rec.tgid, t->st.rec.ns_tid };
		bpf_map_delete_elem(hints, &hint);
	}
	for (i = 0; i < raw->nr_locks; i++) {
		t = thread_of_lock(raw, &raw->locks[i].key);
		if (t && (!t->skip || raw->locks[i].rec.last_ns < t->st.exec_ns))
			bpf_map_delete_elem(locks, &raw->locks[i].key);
	}
}

int headway_probe_snapshot(struct headway_probe *p, struct headway_snapshot *snap)
{
	struct raw raw = {};
	int err;

	memset(snap, 0, sizeof(*snap));
	snap->missing_probes = p->missing;
	if (p->ring)
		ring_buffer__consume(p->ring);
	snap->time_ns = now_ns();
	err = read_raw(p, &raw);
	if (!err)
		err = put_threads(p, snap, &raw);
	if (!err)
		err = put_locks(p, snap, &raw);
	if (!err)
		err = merge_proc(p, snap);
	if (!err)
		err = read_counters(p, snap);
	if (!err)
		sweep(p, snap, &raw);
	snap->threads = p->threads;
	snap->locks = p->locks;
	free(raw.threads);
	free(raw.locks);
	if (err)
		return headway_probe_fail(p, err, "cannot read the probes' records: %s", strerror(-err));
	return 0;
}

void headway_probe_snapshot_free(struct headway_probe *p)
{
	size_t i;

	free(p->threads);
	free(p->locks);
	free(p->waits);
	free(p->unwound);
	for (i = 0; i < p->nr_targets; i++)
		headway_symbolizer_free(p->targets[i].symbolizer);
}

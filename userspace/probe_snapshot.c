// SPDX-License-Identifier: GPL-2.0
/*
 * probe_snapshot.c - one consistent picture out of the BPF maps and the list of threads.
 *
 * Order: ring buffer (exec, fork), thread records, lock records, threads, counters; then the
 * records that were reported for the last time are deleted.
 */
#define _GNU_SOURCE
#include "probe_maps.h"
#include "probe_tasks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static int snap_by_tid(const void *a, const void *b)
{
	const struct headway_snap_thread *x = a, *y = b;

	return (x->rec.tid > y->rec.tid) - (x->rec.tid < y->rec.tid);
}

int headway_snap_by_lock(const void *a, const void *b)
{
	const struct headway_lock_key *x = a, *y = b;

	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->addr > y->addr) - (x->addr < y->addr);
}

static int put_threads(struct headway_probe *p, struct headway_snapshot *snap,
		       struct headway_raw *raw)
{
	struct headway_snap_thread *t;
	size_t i;

	if (headway_grow(&p->threads, &p->cap_threads, raw->nr_threads + 1, sizeof(*p->threads)))
		return -ENOMEM;
	for (i = 0; i < raw->nr_threads; i++) {
		if (raw->threads[i].skip)
			continue;
		t = &p->threads[snap->nr_threads++];
		memset(t, 0, sizeof(*t));
		t->rec = raw->threads[i].st.rec;
		t->wait_bp = raw->threads[i].st.goroutine;
		t->syscall_nr = HEADWAY_PROC_UNKNOWN;
		t->state = 'X';		/* until it is found among the threads */
	}
	if (snap->nr_threads)
		qsort(p->threads, snap->nr_threads, sizeof(*p->threads), snap_by_tid);
	return 0;
}

static int put_locks(struct headway_probe *p, struct headway_snapshot *snap,
		     struct headway_raw *raw)
{
	struct headway_snap_lock *l;
	struct headway_raw_thread *owner;
	size_t i;

	if (headway_grow(&p->locks, &p->cap_locks, raw->nr_locks + 1, sizeof(*p->locks)))
		return -ENOMEM;
	for (i = 0; i < raw->nr_locks; i++) {
		owner = headway_raw_owner(raw, raw->locks[i].key.tid,
					  raw->locks[i].key.kind >> HEADWAY_KIND_BITS);
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
		qsort(p->locks, snap->nr_locks, sizeof(*p->locks), headway_snap_by_lock);
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
	struct headway_tasks tasks;
	struct headway_open_waits waits;
	size_t *waiting;		/* threads of the target that is merged, reused */
	size_t nr_waiting, cap_waiting;
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

static bool lives(const struct headway_task *task)
{
	return task->proc.state != 'Z' && task->proc.state != 'X';
}

static int merge_thread(struct headway_probe *p, struct merge *m, struct headway_target *target,
			const struct headway_task *task)
{
	const struct headway_proc_thread *proc = &task->proc;
	struct headway_snap_thread *t;

	t = find_thread(p, m->nr_recorded, proc->tid);
	if (t && t->rec.start_ns != proc->start_ns)
		return 0;	/* the tid's former thread is reported now, this one next time */
	if (!t) {
		if (headway_grow(&p->threads, &p->cap_threads, m->snap->nr_threads + 1, sizeof(*t)))
			return -ENOMEM;
		t = &p->threads[m->snap->nr_threads++];
		memset(t, 0, sizeof(*t));
		t->rec.start_ns = proc->start_ns;
		t->rec.tid = proc->tid;
		t->rec.tgid = task->tgid;
		t->rec.ns_tid = task->ns_tid;
		t->rec.ns_tgid = task->ns_tgid;
	}
	headway_probe_note_active(target, &t->rec);
	memcpy(t->rec.comm, proc->comm, sizeof(t->rec.comm));
	t->cpu_ns = proc->cpu_ns;
	t->state = proc->state;
	t->syscall_nr = proc->syscall_nr;
	t->alive = lives(task);
	t->tries_hidden = target->tries_hidden;
	t->exit_word = task->exit_word;
	if (!t->alive)
		return 0;
	prune_held(&t->rec);
	headway_probe_take_wait(p, m->snap, t, task);
	if (!t->rec.wait_addr)
		return 0;
	if (headway_grow(&m->waiting, &m->cap_waiting, m->nr_waiting + 1, sizeof(*m->waiting)))
		return -ENOMEM;
	m->waiting[m->nr_waiting++] = (size_t)(t - p->threads);
	return 0;
}

/* Those of a target who wait: where that leads to, and since when. */
static void merge_waits(struct headway_probe *p, struct merge *m, struct headway_target *target)
{
	headway_probe_read_owners(p, m->waiting, m->nr_waiting);
	for (size_t i = 0; i < m->nr_waiting; i++) {
		struct headway_snap_thread *t = &p->threads[m->waiting[i]];
		const struct headway_task *task = headway_tasks_find(&m->tasks, target->pid,
								     (pid_t)t->rec.tid);

		headway_probe_keep_wait(p, &m->waits, target, t, &task->proc, &m->tasks,
					m->snap->time_ns);
	}
	m->nr_waiting = 0;
}

/*
 * A uprobe belongs to one thread, although it serves the whole address space, and goes with it:
 * when that thread has ended and others go on (pthread_exit in main), hang it on another.
 */
static void keep_anchor(struct headway_probe *p, const struct headway_task *tasks, size_t n,
			struct headway_target *target)
{
	pid_t live = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!lives(&tasks[i]))
			continue;
		if (tasks[i].proc.tid == target->anchor)
			return;
		if (!live)
			live = tasks[i].proc.tid;
	}
	if (!live)
		return;
	target->anchor = live;
	headway_probe_detach_uprobes(p, target->pid);
	headway_probe_detach_markers(p, target->pid);
	target->markers = 0;
	target->markers_due = true;
	target->exe_ino = 0;
	target->go = HEADWAY_GO_UNKNOWN;
	target->trylock_found = false;
	headway_probe_attach_uprobes(p, target);
}

static int merge_target(struct headway_probe *p, struct merge *m, struct headway_target *target)
{
	const struct headway_task *tasks, *leader;
	size_t n, i;
	int err = 0;

	tasks = headway_tasks_of(&m->tasks, target->pid, &n);
	leader = headway_tasks_find(&m->tasks, target->pid, target->pid);
	if (target->left || !leader || leader->proc.start_ns != target->start_ns) {
		target->exited = true;
		return 0;
	}
	for (i = 0; i < n && !err; i++)
		err = merge_thread(p, m, target, &tasks[i]);
	if (!err)
		merge_waits(p, m, target);
	if (!err)
		err = headway_probe_merge_goroutines(p, m->snap, target);
	if (!err && n > 1)
		keep_anchor(p, tasks, n, target);
	/* A leader that has ended stays a zombie while other threads run, or until it is reaped. */
	if (!err && n == 1 && !lives(leader))
		target->exited = true;
	return err;
}

/*
 * A target is gone. Its id left the filter when it ended (headway_exit), and may since have come
 * back as a followed child's: delete it here only where that could not be seen.
 */
static void retire(struct headway_probe *p, struct headway_target *t)
{
	if (p->missing & 1u << HEADWAY_PROBE_EXIT)
		bpf_map_delete_elem(headway_probe_map(p, "targets"), &t->key_tgid);
	headway_probe_detach_uprobes(p, t->pid);
	headway_probe_detach_markers(p, t->pid);
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
		l = recorded ? bsearch(&key, p->locks, recorded, sizeof(*l), headway_snap_by_lock) :
			       NULL;
		if (!l) {
			if (headway_grow(&p->locks, &p->cap_locks, snap->nr_locks + 1, sizeof(*l)))
				return -ENOMEM;
			l = &p->locks[snap->nr_locks++];
			*l = key;
			l->rec.first_ns = w->since_ns;
			l->rec.last_ns = w->since_ns;
		}
		l->rec.fail_stack = w->stack;
	}
	if (snap->nr_locks > recorded)
		qsort(p->locks, snap->nr_locks, sizeof(*p->locks), headway_snap_by_lock);
	return 0;
}

/* In a group there is always one without glibc: that limits what is said of it, not of the rest. */
static void note_trylock(struct headway_probe *p, const struct headway_target *t,
			 struct headway_snapshot *snap)
{
	if (t->trylock_found || (t->forked && !t->age) || headway_probe_without_tries(p))
		return;
	if (t->member && p->opts.uprobes && !p->refused[0])
		p->group.without_trylock++;
	else
		snap->missing_probes |= 1u << HEADWAY_PROBE_TRYLOCK;
}

static int merge_tasks(struct headway_probe *p, struct headway_snapshot *snap)
{
	struct merge m = { .snap = snap, .nr_recorded = snap->nr_threads };
	struct headway_target *t;
	size_t i, kept = 0;
	int err;

	p->group.without_trylock = 0;
	err = headway_tasks_read(p, &m.tasks);
	for (i = 0; i < p->nr_targets && !err; i++) {
		t = &p->targets[i];
		/* To attach and detach takes tens of ms, too much for a compiler's short life. */
		if (!t->trylock_found && (!t->forked || t->age))
			headway_probe_attach_uprobes(p, t);
		if (!t->forked || t->age)
			headway_probe_find_markers(p, t);
		headway_probe_find_language(p, t);
		err = merge_target(p, &m, t);
		if (t->exited) {
			retire(p, t);
			continue;
		}
		note_trylock(p, t, snap);
		if (p->rest.phase == HEADWAY_REST_WATCHING)
			headway_probe_note_quiet(p, t, snap->time_ns);
		t->age++;
		p->targets[kept++] = *t;
	}
	while (i < p->nr_targets)	/* after an error: the rest stays */
		p->targets[kept++] = p->targets[i++];
	p->nr_targets = kept;
	if (headway_probe_marker_missing(p))
		snap->missing_probes |= 1u << HEADWAY_PROBE_MARKERS;
	if (p->group_kind == HEADWAY_GROUP_NONE)
		snap->target_exited = p->had_targets && !kept;
	else
		snap->target_exited = p->group.removed && !kept;
	p->group.now = kept;
	p->group.left_out = p->nr_outsiders;
	snap->left_out = p->nr_outsiders;
	if (p->group.most < kept)
		p->group.most = kept;
	headway_tasks_free(&m.tasks);
	free(m.waiting);
	headway_probe_swap_waits(p, &m.waits, snap->time_ns);
	if (snap->nr_threads)
		qsort(p->threads, snap->nr_threads, sizeof(*p->threads), snap_by_tid);
	return err ? err : put_wait_stacks(p, snap);
}

int headway_probe_snapshot(struct headway_probe *p, struct headway_snapshot *snap)
{
	struct headway_raw raw = {};
	int err;

	memset(snap, 0, sizeof(*snap));
	snap->missing_probes = p->missing;
	err = headway_probe_take_events(p);
	snap->time_ns = now_ns();
	if (!err)
		err = headway_probe_group_refresh(p);
	if (!err)
		err = headway_raw_read(p, &raw);
	if (!err)
		err = put_threads(p, snap, &raw);
	if (!err)
		err = put_locks(p, snap, &raw);
	if (!err)
		err = headway_probe_put_marks(p, snap, &raw);
	if (!err)
		err = merge_tasks(p, snap);
	if (!err)
		err = headway_probe_put_silent_marks(p, snap);
	if (!err)
		err = headway_raw_counters(p, snap->counters);
	snap->threads = p->threads;
	snap->locks = p->locks;
	snap->marks = p->marks;
	if (!err) {
		headway_raw_sweep(p, snap, &raw);
		headway_probe_free_stacks(p, &raw);
		err = headway_probe_rest(p, snap);
		if (err) {
			headway_raw_free(&raw);
			return err;	/* it has said why */
		}
	}
	headway_raw_free(&raw);
	if (err)
		return headway_probe_fail(p, err, "cannot read the probes' records: %s",
					  strerror(-err));
	return 0;
}

void headway_probe_snapshot_free(struct headway_probe *p)
{
	size_t i;

	free(p->threads);
	free(p->locks);
	free(p->marks);
	free(p->waits);
	free(p->unwound);
	free(p->idle_stacks);
	free(p->outsiders);
	for (i = 0; i < p->nr_targets; i++)
		headway_symbolizer_free(p->targets[i].symbolizer);
}

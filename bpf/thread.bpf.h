/* SPDX-License-Identifier: GPL-2.0 */
/*
 * thread.bpf.h - the per-thread and per-lock records of who is watched.
 *
 * Invariant: a record has one writer, the thread it describes, so increments are plain. Whatever
 * could not be recorded is counted in `counters`. Records of threads that ended stay until the
 * loader has read them: only it deletes.
 */
#ifndef HEADWAY_THREAD_BPF_H
#define HEADWAY_THREAD_BPF_H

#include "target.bpf.h"

enum { ERR_2BIG = 7 };

/*
 * Preallocated: bpf_mem_alloc's per-CPU caches (used with BPF_F_NO_PREALLOC since 6.1) run dry in
 * a storm of new threads, since they are refilled from irq_work, and an update that fails is a
 * loss. See kernel/bpf/memalloc.c.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HEADWAY_MAX_THREADS);
	__type(key, struct headway_thread_key);
	__type(value, struct headway_thread_state);
} threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HEADWAY_MAX_LOCKS);
	__type(key, struct headway_lock_key);
	__type(value, struct headway_lock_rec);
} locks SEC(".maps");

/*
 * Where most records are, because to find one there costs no hashing and no walk of a bucket, which
 * are half of what a futex call would pay. A key has one place; who comes second to it is recorded
 * in the hash map. The loader maps them and gives places back (probe_slots.c).
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, HEADWAY_THREAD_SLOTS);
	__type(key, __u32);
	__type(value, struct headway_thread_slot);
} thread_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, HEADWAY_LOCK_SLOTS);
	__type(key, __u32);
	__type(value, struct headway_lock_slot);
} lock_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HEADWAY_MAX_HINTS);
	__type(key, struct headway_hint_key);
	__type(value, struct headway_hint);
} hints SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, HEADWAY_MAX_STACKS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, HEADWAY_STACK_DEPTH * sizeof(__u64));
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, HEADWAY_RING_BYTES);
} ring SEC(".maps");

/* Templates in .rodata: a record is too big for the 512-byte stack. */
static const struct headway_thread_state no_state;
static const struct headway_lock_rec no_lock;
static const struct headway_hint no_hint;

/* Of a BTF pointer, so that fields are plain loads: this is on every probe's path. */
static __always_inline __u32 start_of(const struct task_struct *task)
{
	return task->start_boottime >> HEADWAY_START_SHIFT & HEADWAY_START_MASK;
}

static __always_inline struct headway_thread_state *state_find(const struct headway_thread_key *key)
{
	__u32 i = headway_thread_place(key);
	struct headway_thread_slot *slot = bpf_map_lookup_elem(&thread_slots, &i);

	if (slot && slot->claim == headway_thread_claim(key))
		return &slot->st;
	return bpf_map_lookup_elem(&threads, key);
}

/* For the loader it is not there until its rec.tid is set. */
static __always_inline struct headway_thread_state *state_new(const struct headway_thread_key *key)
{
	__u32 i = headway_thread_place(key);
	struct headway_thread_slot *slot = bpf_map_lookup_elem(&thread_slots, &i);

	if (slot && !__sync_val_compare_and_swap(&slot->claim, 0, headway_thread_claim(key))) {
		__builtin_memset(&slot->st, 0, sizeof(slot->st));
		return &slot->st;
	}
	if (bpf_map_update_elem(&threads, key, &no_state, BPF_NOEXIST) == -ERR_2BIG)
		count(HEADWAY_CNT_LOST_THREADS);
	return bpf_map_lookup_elem(&threads, key);
}

static __noinline struct headway_thread_state *thread_new(struct headway_thread_key *key)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct task_struct *leader = task->group_leader;
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct headway_thread_state *st;

	if (!key)
		return NULL;
	st = state_new(key);
	if (!st)
		return NULL;
	/* The resolution of /proc/PID/stat, so that both sources name the same thread. */
	st->rec.start_ns = task->start_boottime / 10000000 * 10000000;
	st->rec.ns_tid = pid_nr(task, 0);
	st->rec.ns_tgid = pid_nr(leader, 0);
	st->rec.tgid = tool_pidns_ino ? pid_nr(leader, tool_pidns_ino) : pid_tgid >> 32;
	bpf_get_current_comm(st->rec.comm, sizeof(st->rec.comm));
	st->rec.first_ns = bpf_ktime_get_ns();
	st->rec.tid = tool_pidns_ino ? pid_nr(task, tool_pidns_ino) : (__u32)pid_tgid;
	return st;
}

static __always_inline struct headway_thread_state *thread_find(struct headway_thread_key *key)
{
	key->tid = (__u32)bpf_get_current_pid_tgid();
	key->start = start_of(bpf_get_current_task_btf());
	return state_find(key);
}

/* The current thread's key and record if its process is watched, made when it is not there. */
static __always_inline struct headway_thread_state *thread_here(struct headway_thread_key *key)
{
	struct headway_thread_state *st;

	if (!watched_or_enters(bpf_get_current_pid_tgid() >> 32))
		return NULL;
	st = thread_find(key);
	if (!st)
		st = thread_new(key);
	if (!st)
		return NULL;
	st->events++;
	/* exec by another thread than the leader takes over the leader's tid and start time. */
	st->exited_ns = 0;
	return st;
}

static __always_inline struct headway_thread_state *thread_get(void)
{
	struct headway_thread_key key;

	return thread_here(&key);
}

static __always_inline void lock_init(struct headway_lock_rec *lock)
{
	__builtin_memset(lock, 0, sizeof(*lock));
	lock->first_ns = bpf_ktime_get_ns();
	lock->fail_stack = -1;
}

/* Makes it in its place if that is free, else in the hash map. */
static __noinline struct headway_lock_rec *lock_new(struct headway_lock_key *key)
{
	struct headway_lock_rec *lock;
	struct headway_lock_slot *slot;
	__u32 i;

	if (!key)
		return NULL;
	i = headway_lock_place(key);
	slot = bpf_map_lookup_elem(&lock_slots, &i);
	if (slot && key->addr &&
	    !__sync_val_compare_and_swap(&slot->claim, 0, headway_lock_claim(key))) {
		lock_init(&slot->rec);
		/* For the loader it is not there until now. */
		*(volatile __u64 *)&slot->addr = key->addr;
		return &slot->rec;
	}
	if (bpf_map_update_elem(&locks, key, &no_lock, BPF_NOEXIST)) {
		count(HEADWAY_CNT_LOST_LOCKS);
		return NULL;
	}
	lock = bpf_map_lookup_elem(&locks, key);
	if (lock)
		lock_init(lock);
	return lock;
}

static __always_inline struct headway_lock_rec *lock_of(const struct headway_thread_key *thread,
							 __u64 addr, __u32 kind)
{
	struct headway_lock_key key = {
		.addr = addr,
		.tid = thread->tid,
		.kind = kind | thread->start << HEADWAY_KIND_BITS,
	};
	__u32 i = headway_lock_place(&key);
	struct headway_lock_slot *slot = bpf_map_lookup_elem(&lock_slots, &i);
	struct headway_lock_rec *lock;

	if (slot && slot->claim == headway_lock_claim(&key) && slot->addr == addr)
		return &slot->rec;
	lock = bpf_map_lookup_elem(&locks, &key);
	return lock ? lock : lock_new(&key);
}

/* A stack costs 1-2 us: take the first four, then each power of two. */
static __always_inline bool stack_due(__u64 n)
{
	return n <= 4 || !(n & (n - 1));
}

/* What the thread entered the kernel with. A system call keeps all but its number. */
static __always_inline const struct pt_regs *user_regs(void)
{
	return (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
}

/* Keeps the former one when this one cannot be had. */
static __always_inline void lock_stack(void *ctx, struct headway_lock_rec *lock)
{
	long id = bpf_get_stackid(ctx, &stacks, BPF_F_USER_STACK);

	if (id >= 0)
		lock->fail_stack = id;
	else if (id == -17)	/* EEXIST: another stack has this bucket */
		count(HEADWAY_CNT_LOST_STACKS);
	else
		count(HEADWAY_CNT_STACK_FAULT);
}

static __always_inline void event_emit(__u32 type, __u32 tid, __u32 tgid, __u32 arg)
{
	struct headway_event *e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);

	if (!e) {
		count(HEADWAY_CNT_LOST_RINGBUF);
		return;
	}
	e->type = type;
	e->tid = tid;
	e->tgid = tgid;
	e->arg = arg;
	e->time_ns = bpf_ktime_get_ns();
	/* The reader looks at each snapshot; a wakeup costs 2-4 us each. */
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
}

#endif /* HEADWAY_THREAD_BPF_H */

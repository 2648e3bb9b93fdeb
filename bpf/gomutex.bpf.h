/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gomutex.bpf.h - sync.Mutex of Go programs: attempts, failures, who holds what, who waits.
 *
 * The loader finds the instructions (userspace/gosites.c) and says in the cookie what each tells.
 * Go's mutex has no owner: it is whoever took it last and has not unlocked it, in a map of its own,
 * so that a goroutine that never meets contention costs no record.
 *
 * A goroutine is recorded as a thread is, by its id; it runs on one thread at a time, so its record
 * still has one writer at a time. An unlock by another goroutine, which Go allows, is not seen as
 * one: it cannot be told from an unlock that reports late.
 */
#ifndef HEADWAY_GOMUTEX_BPF_H
#define HEADWAY_GOMUTEX_BPF_H

enum { FLAG_ZF = 0x40 };

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HEADWAY_MAX_GOOWNERS);
	__type(key, struct headway_goowner_key);
	__type(value, struct headway_goowner);
} goowners SEC(".maps");

struct goroutine {
	struct headway_thread_key key;
	__u64 g;
	__u64 mutex;
	__u64 now;
};

enum { REGISTERS = sizeof(struct pt_regs) / sizeof(__u64) };

static __always_inline __u64 go_register(const __u64 *regs, __u64 n)
{
	return n < REGISTERS ? regs[n] : 0;
}

/* Who runs here, and which mutex is it about? r14 is the goroutine's descriptor in all Go code. */
static __always_inline bool go_here(struct pt_regs *ctx, __u64 cookie, struct goroutine *here)
{
	__u64 goid = 0, g = ctx->r14, regs[REGISTERS];
	__u32 slot = cookie >> HEADWAY_GO_SLOT_SHIFT & (HEADWAY_GOROUTINE_SLOTS - 1);

	if (bpf_probe_read_user(&goid, sizeof(goid),
				(void *)(g + (cookie >> HEADWAY_GO_GOID_SHIFT & 0xff) * 8))) {
		count(HEADWAY_CNT_OWNER_FAULT);
		return false;
	}
	here->key.tid = HEADWAY_GOROUTINE | slot << HEADWAY_GOROUTINE_SLOT_SHIFT |
			(goid & HEADWAY_GOROUTINE_MASK);
	here->key.start = bpf_get_current_pid_tgid() >> 32 & HEADWAY_START_MASK;
	here->g = g;
	/* A copy: no register may be chosen at run time in the context itself. */
	if (bpf_probe_read_kernel(regs, sizeof(regs), ctx))
		return false;
	here->mutex = go_register(regs, cookie >> HEADWAY_GO_BASE_SHIFT & 31) +
		      (go_register(regs, cookie >> HEADWAY_GO_INDEX_SHIFT & 31) <<
		       (cookie >> HEADWAY_GO_SCALE_SHIFT & 3)) +
		      (__s64)(__s32)(cookie >> HEADWAY_GO_DISP_SHIFT);
	here->now = bpf_ktime_get_ns();
	return true;
}

static __noinline struct headway_thread_state *go_new(struct goroutine *here)
{
	struct task_struct *leader = bpf_get_current_task_btf()->group_leader;
	struct headway_thread_state *st;

	if (!here)
		return NULL;
	st = state_new(&here->key);
	if (!st)
		return NULL;
	/* The process's: an id is used once in it. */
	st->rec.start_ns = leader->start_boottime / 10000000 * 10000000;
	st->rec.ns_tid = here->key.tid;
	st->rec.ns_tgid = pid_nr(leader, 0);
	st->rec.tgid = tool_pidns_ino ? pid_nr(leader, tool_pidns_ino) :
		       bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(st->rec.comm, sizeof(st->rec.comm));
	st->rec.first_ns = here->now;
	st->rec.tid = here->key.tid;
	return st;
}

static __always_inline struct headway_thread_state *go_find(struct goroutine *here, bool make)
{
	struct headway_thread_state *st = state_find(&here->key);

	if (!st && make)
		st = go_new(here);
	if (!st) {
		count(HEADWAY_CNT_EVENTS);
		return NULL;
	}
	st->events++;
	st->goroutine = here->g;
	st->rec.last_ns = here->now;
	return st;
}

static __always_inline struct headway_lock_rec *go_lock(struct goroutine *here, __u32 kind)
{
	struct headway_lock_rec *lock = lock_of(&here->key, here->mutex, kind);

	if (lock)
		lock->last_ns = here->now;
	return lock;
}

static __always_inline struct headway_goowner_key go_owner_key(struct goroutine *here)
{
	struct headway_goowner_key key = {
		.mutex = here->mutex, .tgid = bpf_get_current_pid_tgid() >> 32,
	};

	return key;
}

static __always_inline void go_own(struct goroutine *here)
{
	struct headway_goowner_key key = go_owner_key(here);
	struct headway_goowner owner = { .g = here->g, .id = here->key.tid };

	bpf_map_update_elem(&goowners, &key, &owner, BPF_ANY);
}

static __always_inline void go_fail(struct pt_regs *ctx, struct goroutine *here)
{
	struct headway_thread_state *st = go_find(here, true);
	struct headway_goowner_key key = go_owner_key(here);
	struct headway_goowner *owner = bpf_map_lookup_elem(&goowners, &key);
	struct headway_lock_rec *lock;

	if (!st)
		return;
	st->rec.try_fail++;
	lock = go_lock(here, HEADWAY_KIND_PTHREAD_MUTEX);
	if (lock)
		fail_record(ctx, st, lock, owner ? owner->id : 0, here->now);
}

static __always_inline void go_try(struct pt_regs *ctx, struct goroutine *here, bool ok)
{
	struct headway_thread_state *st;
	struct headway_lock_rec *lock;

	if (!ok) {
		go_fail(ctx, here);
		return;
	}
	go_own(here);
	st = go_find(here, true);
	if (!st)
		return;
	lock = go_lock(here, HEADWAY_KIND_PTHREAD_MUTEX);
	try_got(st, lock, here->mutex, here->now);
}

/* By Lock: what it got is a completion only where it had to wait, as with pthread_mutex_lock. */
static __always_inline void go_locked(struct goroutine *here)
{
	struct headway_thread_state *st;

	go_own(here);
	st = go_find(here, false);
	if (st && !is_held(&st->rec, here->mutex))
		held_add(st, here->mutex);
}

static __always_inline void go_wait(struct pt_regs *ctx, struct goroutine *here)
{
	struct headway_thread_state *st = go_find(here, true);
	struct headway_lock_rec *lock;

	if (!st)
		return;
	st->go_mutex = here->mutex;
	st->rec.wait_since_ns = here->now;
	st->rec.wait_op = OP_WAIT;
	st->rec.wait_flags = HEADWAY_WAIT_PRIVATE;
	st->rec.wait_addr = here->mutex;
	if (!stack_due(st->rec.futex_waits + 1))
		return;
	lock = go_lock(here, HEADWAY_KIND_FUTEX);
	if (lock)
		lock_stack(ctx, lock);
}

static __always_inline void go_waited(struct goroutine *here)
{
	struct headway_thread_state *st = go_find(here, false);
	struct headway_lock_rec *lock;

	if (!st || !st->go_mutex)
		return;		/* it had begun before we attached: which mutex is not known */
	here->mutex = st->go_mutex;
	st->go_mutex = 0;
	st->rec.wait_addr = 0;
	st->rec.futex_waits++;
	go_own(here);
	if (!is_held(&st->rec, here->mutex))
		held_add(st, here->mutex);
	wait_timed(st->rec.tgid, here->mutex, here->now - st->rec.wait_since_ns);
	lock = go_lock(here, HEADWAY_KIND_FUTEX);
	if (!lock)
		return;
	lock->wait_ok++;
	lock->wait_ns += here->now - st->rec.wait_since_ns;
}

static __always_inline void held_drop(struct headway_thread_state *st, __u64 mutex, __u64 now)
{
	struct headway_thread_rec *rec = &st->rec;
	__u32 n = rec->nr_held, kept = 0, i;

	for (i = 0; i < HEADWAY_HELD_MAX; i++) {
		if (i >= n)
			break;
		if (rec->held[i] == mutex)
			continue;
		rec->held[kept & HELD_MASK] = rec->held[i];
		kept++;
	}
	rec->nr_held = kept;
	if (n && !kept)
		episode_end(st, now);
}

static __always_inline void go_unlock(struct goroutine *here)
{
	struct headway_goowner_key key = go_owner_key(here);
	struct headway_goowner *owner = bpf_map_lookup_elem(&goowners, &key);
	struct headway_thread_state *st;

	/* The word is free already: another one may have taken it and be in the map by now. */
	if (owner && owner->id == here->key.tid)
		bpf_map_delete_elem(&goowners, &key);
	st = go_find(here, false);
	if (st)
		held_drop(st, here->mutex, here->now);
}

SEC("uprobe")
int headway_gomutex(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	struct goroutine here = {};
	bool yes = !!(ctx->flags & FLAG_ZF) != (cookie >> HEADWAY_GO_INVERT_SHIFT & 1);

	if (!watched(bpf_get_current_pid_tgid() >> 32) || !go_here(ctx, cookie, &here))
		return 0;
	switch (cookie >> HEADWAY_GO_KIND_SHIFT & 15) {
	case HEADWAY_GO_TRY_TEST:
		if (!yes)
			go_fail(ctx, &here);
		break;
	case HEADWAY_GO_TRY_CAS:
		go_try(ctx, &here, yes);
		break;
	case HEADWAY_GO_LOCK_CAS:
		if (yes)
			go_locked(&here);
		break;
	case HEADWAY_GO_LOCK_SLOW:
		go_wait(ctx, &here);
		break;
	case HEADWAY_GO_LOCK_DONE:
		go_waited(&here);
		break;
	case HEADWAY_GO_UNLOCK:
		go_unlock(&here);
		break;
	}
	return 0;
}

#endif /* HEADWAY_GOMUTEX_BPF_H */

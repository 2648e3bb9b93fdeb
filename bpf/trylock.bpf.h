/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trylock.bpf.h - pthread_mutex_trylock: attempts, failures, who was in the way, what was held.
 *
 * Unlock is not probed (a single-stepped probe costs 11 us). What a thread holds is known by
 * looking: at the entry of each try, every lock of its held set whose owner word no longer names
 * it has been released. At the entry and not at the return, because a lock that was released and
 * is the one now taken again would look as if it had been held all along.
 */
#ifndef HEADWAY_TRYLOCK_BPF_H
#define HEADWAY_TRYLOCK_BPF_H

#define HELD_MASK (HEADWAY_HELD_MAX - 1)
_Static_assert((HEADWAY_HELD_MAX & HELD_MASK) == 0, "held set must be a power of two");

enum {
	ERR_BUSY = 16,
	ERR_OWNERDEAD = 130,
	OWNER_OFFSET = 8,	/* __owner, in every kind of glibc mutex */
};

static __always_inline __u32 owner_read(__u64 mutex)
{
	__u32 owner = 0;

	if (bpf_probe_read_user(&owner, sizeof(owner), (void *)(mutex + OWNER_OFFSET)))
		count(HEADWAY_CNT_OWNER_FAULT);
	return owner;
}

static __always_inline bool owns(struct headway_thread_rec *rec, __u64 mutex)
{
	__u32 owner;

	return !bpf_probe_read_user(&owner, sizeof(owner), (void *)(mutex + OWNER_OFFSET)) &&
	       owner == rec->ns_tid;
}

static __always_inline bool is_held(struct headway_thread_rec *rec, __u64 mutex)
{
	__u32 i;

	for (i = 0; i < HEADWAY_HELD_MAX; i++)
		if (i < rec->nr_held && rec->held[i] == mutex)
			return true;
	return false;
}

static __always_inline void held_add(struct headway_thread_state *st, __u64 mutex)
{
	struct headway_thread_rec *rec = &st->rec;
	__u32 n = rec->nr_held;

	if (n >= HEADWAY_HELD_MAX) {
		count(HEADWAY_CNT_HELD_OVERFLOW);
		return;
	}
	rec->held[n & HELD_MASK] = mutex;
	rec->nr_held = n + 1;
	if (st->episode_locks < rec->nr_held)
		st->episode_locks = rec->nr_held;
}

/* Nothing is held any more: what was the episode? */
static __always_inline void episode_end(struct headway_thread_state *st, __u64 now)
{
	struct headway_thread_rec *rec = &st->rec;

	if (rec->episode_failed) {
		rec->aborts++;
		rec->last_abort_ns = now;
	} else if (st->episode_locks == 1) {
		rec->commits++;
		rec->last_commit_ns = now;
	}
	rec->episode_failed = 0;
	st->episode_locks = 0;
}

static __always_inline void held_prune(struct headway_thread_state *st, __u64 now)
{
	struct headway_thread_rec *rec = &st->rec;
	__u32 n = rec->nr_held, kept = 0, i;

	if (!n)
		return;
	for (i = 0; i < HEADWAY_HELD_MAX; i++) {
		__u64 mutex;

		if (i >= n)
			break;
		mutex = rec->held[i];
		if (owner_read(mutex) != rec->ns_tid)
			continue;
		rec->held[kept & HELD_MASK] = mutex;
		kept++;
	}
	rec->nr_held = kept;
	if (!kept)
		episode_end(st, now);
}

/*
 * A mutex that was taken by pthread_mutex_lock is in no held set: lock is not probed. But whoever
 * fails to get it reads its owner, and leaves a hint; the owner looks at its hints when it tries
 * something itself, which makes lock-then-trylock visible where it matters, under contention.
 */
bool hints_left;	/* spares the owner's side a lookup where nothing is contended */

static __always_inline void hint_leave(struct headway_thread_state *st, __u64 mutex, __u32 owner)
{
	struct headway_hint_key key = { .tgid = st->rec.tgid, .ns_tid = owner };
	struct headway_hint *h = bpf_map_lookup_elem(&hints, &key);
	__u32 i;

	if (!h) {
		if (bpf_map_update_elem(&hints, &key, &no_hint, BPF_NOEXIST) == -ERR_2BIG)
			count(HEADWAY_CNT_HELD_OVERFLOW);
		h = bpf_map_lookup_elem(&hints, &key);
		if (!h)
			return;
		hints_left = true;
	}
	for (i = 0; i < HEADWAY_HINTS; i++)
		if (h->addr[i] == mutex)
			return;
	/* Several writers: one that loses its place fails again and returns. */
	h->addr[h->next++ & (HEADWAY_HINTS - 1)] = mutex;
}

static __always_inline void hint_take(struct headway_thread_state *st)
{
	struct headway_hint_key key = { .tgid = st->rec.tgid, .ns_tid = st->rec.ns_tid };
	struct headway_hint *h = hints_left ? bpf_map_lookup_elem(&hints, &key) : NULL;
	__u32 i;

	if (!h)
		return;
	for (i = 0; i < HEADWAY_HINTS; i++) {
		__u64 mutex = h->addr[i];

		if (mutex && mutex != st->try_addr && !is_held(&st->rec, mutex) &&
		    owns(&st->rec, mutex))
			held_add(st, mutex);
	}
}

/*
 * With several targets on one libc each has an event of its own there, and a uretprobe's program
 * runs for all of them: uretprobe_perf_func in kernel/trace/trace_uprobe.c lacks the filter that
 * uprobe_perf_func has (seen on 6.1). The cookie says whose event this is; 0: anybody's, when a
 * group is watched.
 */
static __always_inline struct headway_thread_state *thread_of_event(void *ctx,
								    struct headway_thread_key *key)
{
	__u64 tgid = bpf_get_attach_cookie(ctx);

	if (tgid && tgid != bpf_get_current_pid_tgid() >> 32)
		return NULL;
	return thread_here(key);
}

/* Counted up by the loader when it attaches the two programs below again. */
__u32 tries_epoch;
/* Set by it while not both are attached: one without the other would see what is not so. */
__u32 tries_muted;

/* An episode that was open when they were detached has ended unseen: nobody knows how. */
static __always_inline void episode_forget(struct headway_thread_state *st)
{
	if (st->tries_epoch == tries_epoch)
		return;
	st->tries_epoch = tries_epoch;
	st->rec.episode_failed = 0;
	st->episode_locks = 0;
}

SEC("uprobe")
int headway_trylock_enter(struct pt_regs *ctx)
{
	struct headway_thread_key key;
	struct headway_thread_state *st = tries_muted ? NULL : thread_of_event(ctx, &key);

	if (!st)
		return 0;
	st->try_addr = PT_REGS_PARM1(ctx);
	episode_forget(st);
	held_prune(st, bpf_ktime_get_ns());
	hint_take(st);
	return 0;
}

/* `owner` by the number that the thread's record has as ns_tid; 0 unknown. */
static __always_inline void fail_record(struct pt_regs *ctx, struct headway_thread_state *st,
					struct headway_lock_rec *lock, __u32 owner, __u64 now)
{
	struct headway_thread_rec *rec = &st->rec;
	__u64 interval = now - lock->fail_last_ns;

	lock->try_fail++;
	if (lock->fail_last_ns) {
		lock->fail_interval_sum_ns += interval;
		if (!lock->fail_interval_min_ns || interval < lock->fail_interval_min_ns)
			lock->fail_interval_min_ns = interval;
		if (interval > lock->fail_interval_max_ns)
			lock->fail_interval_max_ns = interval;
		if (owner != lock->fail_owner)
			lock->fail_owner_changes++;
	}
	lock->fail_last_ns = now;
	lock->fail_owner = owner;
	lock->fail_held_addr = 0;
	if (rec->nr_held) {
		lock->fail_holding++;
		lock->fail_held_addr = rec->held[0];
		rec->episode_failed = 1;
	}
	/*
	 * At the return the frame is the caller's again, so the innermost entry is the return
	 * address in it. At the entry glibc has set up no frame: the caller would be missing.
	 */
	if (stack_due(lock->try_fail))
		lock_stack(ctx, lock);
}

static __always_inline void try_failed(struct pt_regs *ctx, struct headway_thread_state *st,
				       struct headway_lock_rec *lock, __u64 mutex, __u64 now)
{
	__u32 owner = owner_read(mutex);

	if (owner)
		hint_leave(st, mutex, owner);
	fail_record(ctx, st, lock, owner, now);
}

/* A try that got it; lock may be NULL. */
static __always_inline void try_got(struct headway_thread_state *st, struct headway_lock_rec *lock,
				    __u64 mutex, __u64 now)
{
	st->rec.try_ok++;
	if (lock)
		lock->try_ok++;
	if (is_held(&st->rec, mutex))	/* recursive */
		return;
	if (st->rec.nr_held) {
		st->rec.commits++;
		st->rec.last_commit_ns = now;
		st->rec.episode_failed = 0;
	}
	held_add(st, mutex);
}

SEC("uretprobe")
int headway_trylock_return(struct pt_regs *ctx)
{
	struct headway_thread_key key;
	struct headway_thread_state *st = tries_muted ? NULL : thread_of_event(ctx, &key);
	struct headway_lock_rec *lock;
	__u64 mutex, now;
	int ret;

	if (!st)
		return 0;
	mutex = st->try_addr;
	st->try_addr = 0;
	if (!mutex) {
		count(HEADWAY_CNT_UNMATCHED_EXIT);
		return 0;
	}
	count(HEADWAY_CNT_TRIES);
	now = bpf_ktime_get_ns();
	st->rec.last_ns = now;
	ret = PT_REGS_RC(ctx);
	lock = lock_of(&key, mutex, HEADWAY_KIND_PTHREAD_MUTEX);
	if (lock)
		lock->last_ns = now;
	if (!ret || ret == ERR_OWNERDEAD) {
		try_got(st, lock, mutex, now);
	} else if (ret == ERR_BUSY) {
		st->rec.try_fail++;
		if (lock)
			try_failed(ctx, st, lock, mutex, now);
	}
	return 0;
}

#endif /* HEADWAY_TRYLOCK_BPF_H */

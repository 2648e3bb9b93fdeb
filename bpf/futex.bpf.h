/* SPDX-License-Identifier: GPL-2.0 */
/*
 * futex.bpf.h - the futex family: who waits where, for whom, and how each wait ended.
 *
 * The calls are paired through the thread's own record. A glibc mutex keeps its owner's tid 8
 * bytes after the futex word. Only waits that are going on at a snapshot need it, so the loader
 * reads it then; to read it here costs each wait 110-200 ns more, a fifth of what we add at all.
 */
#ifndef HEADWAY_FUTEX_BPF_H
#define HEADWAY_FUTEX_BPF_H

/* include/uapi/linux/futex.h: macros, which BTF does not carry. */
enum {
	OP_WAIT = 0,
	OP_WAKE = 1,
	OP_REQUEUE = 3,
	OP_CMP_REQUEUE = 4,
	OP_WAKE_OP = 5,
	OP_LOCK_PI = 6,
	OP_UNLOCK_PI = 7,
	OP_WAIT_BITSET = 9,
	OP_WAKE_BITSET = 10,
	OP_WAIT_REQUEUE_PI = 11,
	OP_CMP_REQUEUE_PI = 12,
	OP_LOCK_PI2 = 13,
	OP_CMD = 0x7f,		/* without PRIVATE, CLOCK_REALTIME and the flags that 7.3 adds */
	OP_PRIVATE = 128,
	FUTEX2_PRIVATE_BIT = 128,	/* of futex_wait, futex_wake and futex_waitv */
	PI_TID_MASK = 0x3fffffff,
};

enum {
	ERR_SRCH = 3,
	ERR_INTR = 4,
	ERR_AGAIN = 11,
	ERR_DEADLK = 35,
	ERR_TIMEDOUT = 110,
	ERR_RESTARTSYS = 512,
	ERR_RESTART_RESTARTBLOCK = 516,
};

/* The glibc mutex as far as it matters here: sysdeps/nptl/bits/struct_mutex.h */
struct mutex_head {
	__u32 word;
	__u32 count;
	__u32 owner;
};

static __always_inline bool is_wait(__u32 cmd)
{
	return cmd == OP_WAIT || cmd == OP_WAIT_BITSET || cmd == OP_LOCK_PI ||
	       cmd == OP_LOCK_PI2 || cmd == OP_WAIT_REQUEUE_PI;
}

static __always_inline bool is_wake(__u32 cmd)
{
	return cmd == OP_WAKE || cmd == OP_WAKE_BITSET || cmd == OP_WAKE_OP || cmd == OP_REQUEUE ||
	       cmd == OP_CMP_REQUEUE || cmd == OP_UNLOCK_PI || cmd == OP_CMP_REQUEUE_PI;
}

/* Set by the loader when it may not read a target's memory. */
bool owners_from_kernel;

static __always_inline __u32 owner_of_word(struct headway_thread_state *st, __u64 addr, __u32 cmd,
					   __u32 flags)
{
	struct mutex_head m = {};

	if (!bpf_probe_read_user(&m, sizeof(m), (void *)addr) ||
	    !bpf_probe_read_user(&m, sizeof(m.word), (void *)addr))
		flags |= HEADWAY_WAIT_OWNER_READ;
	else
		count(HEADWAY_CNT_OWNER_FAULT);
	if (cmd == OP_LOCK_PI || cmd == OP_LOCK_PI2)
		m.owner = m.word & PI_TID_MASK;
	st->rec.wait_word = m.word;
	st->rec.wait_owner = m.owner;
	return flags;
}

/*
 * The kernel refuses a priority-inheriting mutex that would close a cycle (EDEADLK) or whose owner
 * is dead (ESRCH). glibc then sleeps for ever, on a word of its own stack that nobody knows: the
 * thread waits for the mutex, whatever the call says.
 */
static __always_inline bool sleeps_refused(const struct headway_thread_state *st, __u64 addr,
					   __u32 cmd, __u32 flags)
{
	return st->refused_addr && (cmd == OP_WAIT || cmd == OP_WAIT_BITSET) &&
	       !(flags & HEADWAY_WAIT_TIMEOUT) && on_own_stack(addr);
}

static __always_inline bool is_refusal(__u32 cmd, long ret)
{
	return (cmd == OP_LOCK_PI || cmd == OP_LOCK_PI2) &&
	       (ret == -ERR_DEADLK || ret == -ERR_SRCH);
}

static __always_inline void wait_begin(void *ctx, struct headway_thread_state *st, __u64 addr,
				       __u32 cmd, __u32 flags)
{
	struct headway_lock_rec *lock;
	__u64 now = bpf_ktime_get_ns();
	bool lost, stack;

	st->call_op = cmd;
	if (sleeps_refused(st, addr, cmd, flags)) {
		addr = st->refused_addr;
		cmd = OP_LOCK_PI;
		flags |= HEADWAY_WAIT_REFUSED;
	} else {
		st->refused_addr = 0;
	}
	if (owners_from_kernel)
		flags = owner_of_word(st, addr, cmd, flags);
	st->call_class = HEADWAY_CALL_WAIT;
	st->call_addr = addr;
	st->call_since_ns = now;
	st->wait_bp = user_bp();
	lost = st->woken_addr == addr;
	stack = stack_due(st->rec.futex_waits + 1);
	if (lost || stack) {
		lock = lock_get(addr, HEADWAY_KIND_FUTEX);
		if (lock) {
			lock->lost_races += lost;
			if (stack)
				lock_stack(ctx, lock);
			lock->last_ns = now;
		}
	}
	st->woken_addr = 0;

	st->rec.wait_since_ns = now;
	st->rec.wait_op = cmd;
	st->rec.wait_flags = flags;
	st->rec.wait_addr = addr;
	st->rec.last_ns = now;
}

static __always_inline void wake_begin(struct headway_thread_state *st, __u64 addr)
{
	st->call_class = HEADWAY_CALL_WAKE;
	st->call_addr = addr;
	st->rec.futex_wakes++;
	st->rec.last_ns = bpf_ktime_get_ns();
	if (st->woken_addr == addr)
		st->woken_addr = 0;
}

static __always_inline void wait_end(struct headway_thread_state *st, long ret)
{
	__u64 now = bpf_ktime_get_ns();
	struct headway_lock_rec *lock;

	st->rec.wait_addr = 0;
	st->rec.futex_waits++;
	st->rec.last_ns = now;
	if (is_refusal(st->call_op, ret))
		st->refused_addr = st->call_addr;
	if (ret >= 0)		/* futex_waitv returns the index of the word that was woken */
		st->woken_addr = st->call_addr;
	lock = lock_get(st->call_addr, HEADWAY_KIND_FUTEX);
	if (!lock)
		return;
	lock->last_ns = now;
	lock->wait_ns += now - st->call_since_ns;
	if (ret >= 0)
		lock->wait_ok++;
	else if (ret == -ERR_AGAIN)
		lock->wait_eagain++;
	else if (ret == -ERR_TIMEDOUT)
		lock->wait_timeout++;
	else if (ret == -ERR_INTR || (ret <= -ERR_RESTARTSYS && ret >= -ERR_RESTART_RESTARTBLOCK))
		lock->wait_intr++;
	else
		lock->wait_other++;
}

static __always_inline void wake_end(struct headway_thread_state *st, long ret)
{
	struct headway_lock_rec *lock = lock_get(st->call_addr, HEADWAY_KIND_FUTEX);

	if (!lock)
		return;
	lock->last_ns = bpf_ktime_get_ns();
	lock->wakes++;
	if (ret > 0)
		lock->woken += ret;
}

/* futex(uaddr, op, val, timeout, uaddr2, val3) */
static __always_inline void futex_enter(void *ctx, __u64 addr, __u32 op, __u64 timeout)
{
	struct headway_thread_state *st = thread_get();
	__u32 cmd = op & OP_CMD;

	if (!st)
		return;
	if (is_wait(cmd))
		wait_begin(ctx, st, addr, cmd, (op & OP_PRIVATE ? HEADWAY_WAIT_PRIVATE : 0) |
			   (timeout ? HEADWAY_WAIT_TIMEOUT : 0));
	else if (is_wake(cmd))
		wake_begin(st, addr);
	else
		st->call_class = HEADWAY_CALL_OTHER;
}

struct waitv_head {
	__u64 val;
	__u64 uaddr;
	__u32 flags;
	__u32 pad;
};

/* futex_waitv(waiters, nr, flags, timeout, clockid) */
static __always_inline void futex_waitv_enter(void *ctx, __u64 waiters, __u64 timeout)
{
	struct headway_thread_state *st = thread_get();
	struct waitv_head w = {};

	if (!st)
		return;
	if (bpf_probe_read_user(&w, sizeof(w), (void *)waiters)) {
		count(HEADWAY_CNT_OWNER_FAULT);
		st->call_class = HEADWAY_CALL_OTHER;
		return;
	}
	wait_begin(ctx, st, w.uaddr, OP_WAIT, HEADWAY_WAIT_VECTOR |
		   (w.flags & FUTEX2_PRIVATE_BIT ? HEADWAY_WAIT_PRIVATE : 0) |
		   (timeout ? HEADWAY_WAIT_TIMEOUT : 0));
}

/* futex_wait(uaddr, val, mask, flags, timeout, clockid) */
static __always_inline void futex2_wait_enter(void *ctx, __u64 addr, __u32 flags, __u64 timeout)
{
	struct headway_thread_state *st = thread_get();

	if (st)
		wait_begin(ctx, st, addr, OP_WAIT,
			   (flags & FUTEX2_PRIVATE_BIT ? HEADWAY_WAIT_PRIVATE : 0) |
			   (timeout ? HEADWAY_WAIT_TIMEOUT : 0));
}

/* futex_wake(uaddr, mask, nr, flags) */
static __always_inline void futex2_wake_enter(__u64 addr)
{
	struct headway_thread_state *st = thread_get();

	if (st)
		wake_begin(st, addr);
}

/* The return of all of them. */
static __always_inline void futex_exit(long ret)
{
	struct headway_thread_state *st = thread_get();

	if (!st)
		return;
	switch (st->call_class) {
	case HEADWAY_CALL_WAIT:
		wait_end(st, ret);
		break;
	case HEADWAY_CALL_WAKE:
		wake_end(st, ret);
		break;
	case HEADWAY_CALL_NONE:
		count(HEADWAY_CNT_UNMATCHED_EXIT);
		break;
	}
	st->call_class = HEADWAY_CALL_NONE;
}

#endif /* HEADWAY_FUTEX_BPF_H */

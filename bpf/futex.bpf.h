/* SPDX-License-Identifier: GPL-2.0 */
/*
 * futex.bpf.h - the futex family: who waited where, and how each wait ended.
 *
 * A call is seen when it returns, and only then: a tracepoint costs more than all that is done
 * here, and the arguments are still in the registers. How long it took is known only where calls
 * are timed. The waits that are going on come from the iterator headway_tasks at each snapshot.
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

enum { OWN_FRAMES_BYTES = 4096 };

/*
 * The kernel refuses a priority-inheriting mutex that would close a cycle (EDEADLK) or whose owner
 * is dead (ESRCH). glibc then sleeps for ever, on a word of its own stack that nobody knows: the
 * thread waits for the mutex, whatever the call says. If that sleep ends it was for the mutex, too.
 */
static __always_inline bool slept_refused(const struct headway_thread_state *st, __u64 addr,
					  __u32 cmd, __u32 flags)
{
	return st->refused_addr && (cmd == OP_WAIT || cmd == OP_WAIT_BITSET) &&
	       !(flags & HEADWAY_WAIT_TIMEOUT) && addr - user_regs()->sp < OWN_FRAMES_BYTES;
}

static __always_inline bool is_refusal(__u32 cmd, long ret)
{
	return (cmd == OP_LOCK_PI || cmd == OP_LOCK_PI2) &&
	       (ret == -ERR_DEADLK || ret == -ERR_SRCH);
}

static __always_inline void count_wait(struct headway_lock_rec *lock, long ret)
{
	if (ret >= 0)		/* futex_waitv returns the index of the word that was woken */
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

/* Only where it is asked for how long waits last: this costs as much as all the rest. */
static __always_inline void futex_enter(void)
{
	struct headway_thread_state *st = thread_get();

	if (st)
		st->call_since_ns = bpf_ktime_get_ns();
}

static __always_inline void wait_end(void *ctx, const struct headway_thread_key *key,
				     struct headway_thread_state *st, __u64 addr, __u32 cmd,
				     __u32 flags, long ret)
{
	__u64 now = bpf_ktime_get_ns(), since = st->call_since_ns;
	struct headway_lock_rec *lock;
	bool lost;

	st->call_since_ns = 0;	/* the next beginning may not be seen */
	if (slept_refused(st, addr, cmd, flags)) {
		addr = st->refused_addr;
		cmd = OP_LOCK_PI;
		flags |= HEADWAY_WAIT_REFUSED;
	} else {
		st->refused_addr = is_refusal(cmd, ret) ? addr : 0;
	}
	lost = st->woken_addr == addr;
	st->woken_addr = ret >= 0 ? addr : 0;
	st->rec.futex_waits++;
	st->rec.wait_since_ns = st->rec.last_ns + 1;
	st->rec.wait_op = cmd;
	st->rec.wait_flags = flags;
	st->rec.last_ns = now;
	if (since)
		wait_timed(st->rec.tgid, addr, now - since);
	lock = lock_of(key, addr, HEADWAY_KIND_FUTEX);
	if (!lock)
		return;
	lock->last_ns = now;
	lock->lost_races += lost;
	if (since)
		lock->wait_ns += now - since;
	count_wait(lock, ret);
	if (stack_due(st->rec.futex_waits))
		lock_stack(ctx, lock);
}

static __always_inline void wake_end(const struct headway_thread_key *key,
				     struct headway_thread_state *st, __u64 addr, long ret)
{
	struct headway_lock_rec *lock;

	st->rec.futex_wakes++;
	st->rec.last_ns = bpf_ktime_get_ns();
	if (st->woken_addr == addr)
		st->woken_addr = 0;
	lock = lock_of(key, addr, HEADWAY_KIND_FUTEX);
	if (!lock)
		return;
	lock->last_ns = st->rec.last_ns;
	lock->wakes++;
	if (ret > 0)
		lock->woken += ret;
}

static __always_inline __u32 wait_flags(bool private, __u64 timeout)
{
	return (private ? HEADWAY_WAIT_PRIVATE : 0) | (timeout ? HEADWAY_WAIT_TIMEOUT : 0);
}

/* futex(uaddr, op, val, timeout, uaddr2, val3) */
static __always_inline void futex_exit(void *ctx, long ret)
{
	struct headway_thread_key key;
	struct headway_thread_state *st = thread_here(&key);
	const struct pt_regs *regs;
	__u32 cmd;

	if (!st)
		return;
	regs = user_regs();
	cmd = regs->si & OP_CMD;
	if (is_wait(cmd))
		wait_end(ctx, &key, st, regs->di, cmd,
			 wait_flags(regs->si & OP_PRIVATE, regs->r10), ret);
	else if (is_wake(cmd))
		wake_end(&key, st, regs->di, ret);
}

struct waitv_head {
	__u64 val;
	__u64 uaddr;
	__u32 flags;
	__u32 pad;
};

/* futex_waitv(waiters, nr, flags, timeout, clockid) */
static __always_inline void futex_waitv_exit(void *ctx, long ret)
{
	struct headway_thread_key key;
	struct headway_thread_state *st = thread_here(&key);
	struct waitv_head w = {};

	if (!st)
		return;
	if (bpf_probe_read_user(&w, sizeof(w), (void *)user_regs()->di))
		count(HEADWAY_CNT_OWNER_FAULT);
	else
		wait_end(ctx, &key, st, w.uaddr, OP_WAIT, HEADWAY_WAIT_VECTOR |
			 wait_flags(w.flags & FUTEX2_PRIVATE_BIT, user_regs()->r10), ret);
}

/* futex_wait(uaddr, val, mask, flags, timeout, clockid) */
static __always_inline void futex2_wait_exit(void *ctx, long ret)
{
	struct headway_thread_key key;
	struct headway_thread_state *st = thread_here(&key);
	const struct pt_regs *regs;

	if (!st)
		return;
	regs = user_regs();
	wait_end(ctx, &key, st, regs->di, OP_WAIT,
		 wait_flags(regs->r10 & FUTEX2_PRIVATE_BIT, regs->r8), ret);
}

/* futex_wake(uaddr, mask, nr, flags) */
static __always_inline void futex2_wake_exit(long ret)
{
	struct headway_thread_key key;
	struct headway_thread_state *st = thread_here(&key);

	if (st)
		wake_end(&key, st, user_regs()->di, ret);
}

#endif /* HEADWAY_FUTEX_BPF_H */

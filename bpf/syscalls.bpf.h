/* SPDX-License-Identifier: GPL-2.0 */
/*
 * syscalls.bpf.h - where system calls enter the probes: two ways to the same functions.
 *
 * The syscalls: tracepoints are the first choice: only a traced number reaches a program, so every
 * other system call of the machine pays 65 ns (raw tracepoints: 160-190 ns). But their ids are in
 * tracefs, which a tool with CAP_BPF and CAP_PERFMON alone cannot read: then raw ones have to do.
 *
 * Both see returns, and where calls are timed, their beginnings. The records of returns are struct
 * syscall_trace_exit. trace_event_raw_sys_exit, which
 * examples use, is the record of the raw_syscalls: events, and the same only as long as struct
 * trace_entry has 8 bytes: where PREEMPT_RT adds one, what follows lies 8 bytes further.
 *
 * The calls of 32-bit programs have other numbers and arguments. The syscalls: tracepoints leave
 * them out (arch_trace_is_compat_syscall() in the kernel), the raw ones do not.
 */
#ifndef HEADWAY_SYSCALLS_BPF_H
#define HEADWAY_SYSCALLS_BPF_H

#ifndef __TARGET_ARCH_x86
#error "the numbers of system calls below are those of x86-64"
#endif

enum {
	NR_SCHED_YIELD = 24,
	NR_NANOSLEEP = 35,
	NR_FUTEX = 202,
	NR_CLOCK_NANOSLEEP = 230,
	NR_FUTEX_WAITV = 449,
	NR_FUTEX_WAKE = 454,
	NR_FUTEX_WAIT = 455,
};

static __always_inline void yield_exit(void)
{
	struct headway_thread_state *st = thread_get();

	if (st) {
		st->rec.yields++;
		st->rec.last_ns = bpf_ktime_get_ns();
	}
}

/* nanosleep and clock_nanosleep */
static __always_inline void sleep_exit(void)
{
	struct headway_thread_state *st = thread_get();

	if (st) {
		st->rec.sleeps++;
		st->rec.last_ns = bpf_ktime_get_ns();
	}
}

SEC("tp")
int headway_futex_enter(struct syscall_trace_enter *ctx)
{
	futex_enter();
	return 0;
}

SEC("tp")
int headway_futex_exit(struct syscall_trace_exit *ctx)
{
	futex_exit(ctx, ctx->ret);
	return 0;
}

SEC("tp")
int headway_futex_waitv_exit(struct syscall_trace_exit *ctx)
{
	futex_waitv_exit(ctx, ctx->ret);
	return 0;
}

SEC("tp")
int headway_futex2_wait_exit(struct syscall_trace_exit *ctx)
{
	futex2_wait_exit(ctx, ctx->ret);
	return 0;
}

SEC("tp")
int headway_futex2_wake_exit(struct syscall_trace_exit *ctx)
{
	futex2_wake_exit(ctx->ret);
	return 0;
}

SEC("tp")
int headway_yield_exit(struct syscall_trace_exit *ctx)
{
	yield_exit();
	return 0;
}

SEC("tp")
int headway_sleep_exit(struct syscall_trace_exit *ctx)
{
	sleep_exit();
	return 0;
}

/* sys_enter(regs, nr) */
SEC("raw_tp")
int headway_raw_enter(struct bpf_raw_tracepoint_args *ctx)
{
	if (is_compat(bpf_get_current_task_btf()))
		return 0;
	switch (ctx->args[1]) {
	case NR_FUTEX:
	case NR_FUTEX_WAITV:
	case NR_FUTEX_WAIT:
		futex_enter();
		break;
	}
	return 0;
}

/* sys_exit(regs, ret) */
SEC("raw_tp")
int headway_raw_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)ctx->args[0];
	long ret = ctx->args[1];

	if (is_compat(bpf_get_current_task_btf()))
		return 0;
	switch (BPF_CORE_READ(regs, orig_ax)) {
	case NR_FUTEX:
		futex_exit(ctx, ret);
		break;
	case NR_FUTEX_WAITV:
		futex_waitv_exit(ctx, ret);
		break;
	case NR_FUTEX_WAIT:
		futex2_wait_exit(ctx, ret);
		break;
	case NR_FUTEX_WAKE:
		futex2_wake_exit(ret);
		break;
	case NR_SCHED_YIELD:
		yield_exit();
		break;
	case NR_NANOSLEEP:
	case NR_CLOCK_NANOSLEEP:
		sleep_exit();
		break;
	}
	return 0;
}

#endif /* HEADWAY_SYSCALLS_BPF_H */

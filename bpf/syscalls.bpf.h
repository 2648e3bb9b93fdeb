/* SPDX-License-Identifier: GPL-2.0 */
/*
 * syscalls.bpf.h - where system calls enter the probes: two ways to the same functions.
 *
 * The syscalls: tracepoints are the first choice: only a traced number reaches a program, so every
 * other system call of the machine pays 65 ns (raw tracepoints: 160-190 ns). But their ids are in
 * tracefs, which a tool with CAP_BPF and CAP_PERFMON alone cannot read: then raw ones have to do.
 *
 * Their records are struct syscall_trace_enter and _exit. trace_event_raw_sys_enter, which examples
 * use, is the record of the raw_syscalls: events, and the same only as long as struct trace_entry
 * has 8 bytes: where PREEMPT_RT adds one, its arguments lie 8 bytes further.
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

static __always_inline void yield_enter(void)
{
	struct headway_thread_state *st = thread_get();

	if (st) {
		st->rec.yields++;
		st->rec.last_ns = bpf_ktime_get_ns();
	}
}

/* nanosleep and clock_nanosleep */
static __always_inline void sleep_enter(void)
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
	futex_enter(ctx, ctx->args[0], ctx->args[1], ctx->args[3]);
	return 0;
}

SEC("tp")
int headway_futex_waitv_enter(struct syscall_trace_enter *ctx)
{
	futex_waitv_enter(ctx, ctx->args[0], ctx->args[3]);
	return 0;
}

SEC("tp")
int headway_futex2_wait_enter(struct syscall_trace_enter *ctx)
{
	futex2_wait_enter(ctx, ctx->args[0], ctx->args[3], ctx->args[4]);
	return 0;
}

SEC("tp")
int headway_futex2_wake_enter(struct syscall_trace_enter *ctx)
{
	futex2_wake_enter(ctx->args[0]);
	return 0;
}

SEC("tp")
int headway_futex_exit(struct syscall_trace_exit *ctx)
{
	futex_exit(ctx->ret);
	return 0;
}

SEC("tp")
int headway_yield_enter(struct syscall_trace_enter *ctx)
{
	yield_enter();
	return 0;
}

SEC("tp")
int headway_sleep_enter(struct syscall_trace_enter *ctx)
{
	sleep_enter();
	return 0;
}

/* sys_enter(regs, nr) */
SEC("raw_tp")
int headway_raw_enter(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)ctx->args[0];

	switch (ctx->args[1]) {
	case NR_FUTEX:
		futex_enter(ctx, BPF_CORE_READ(regs, di), BPF_CORE_READ(regs, si),
			    BPF_CORE_READ(regs, r10));
		break;
	case NR_FUTEX_WAITV:
		futex_waitv_enter(ctx, BPF_CORE_READ(regs, di), BPF_CORE_READ(regs, r10));
		break;
	case NR_FUTEX_WAIT:
		futex2_wait_enter(ctx, BPF_CORE_READ(regs, di), BPF_CORE_READ(regs, r10),
				  BPF_CORE_READ(regs, r8));
		break;
	case NR_FUTEX_WAKE:
		futex2_wake_enter(BPF_CORE_READ(regs, di));
		break;
	case NR_SCHED_YIELD:
		yield_enter();
		break;
	case NR_NANOSLEEP:
	case NR_CLOCK_NANOSLEEP:
		sleep_enter();
		break;
	}
	return 0;
}

/* sys_exit(regs, ret) */
SEC("raw_tp")
int headway_raw_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)ctx->args[0];

	switch (BPF_CORE_READ(regs, orig_ax)) {
	case NR_FUTEX:
	case NR_FUTEX_WAITV:
	case NR_FUTEX_WAIT:
	case NR_FUTEX_WAKE:
		futex_exit(ctx->args[1]);
		break;
	}
	return 0;
}

#endif /* HEADWAY_SYSCALLS_BPF_H */

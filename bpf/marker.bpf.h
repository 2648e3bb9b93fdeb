/* SPDX-License-Identifier: GPL-2.0 */
/*
 * marker.bpf.h - markers: what the user, or the program itself, says is progress or an attempt.
 *
 * One program for each way in; the attach cookie says which marker was passed. A uprobe's cookie
 * carries its target too, as in trylock.bpf.h. A marker costs its probe and two map lookups.
 */
#ifndef HEADWAY_MARKER_BPF_H
#define HEADWAY_MARKER_BPF_H

/* Raw tracepoints have no cookie before 6.10: a program and a slot for each. */
enum { HEADWAY_RAW_SLOTS = 4, HEADWAY_MARKED_SYSCALLS = 512 };

/*
 * Set by the loader, only where tracefs cannot be had. A system call may be named twice, as an
 * attempt (its entry) and as progress (its success): the marker's number + 1, 0 for none.
 */
__u8 mark_of_enter[HEADWAY_MARKED_SYSCALLS];
__u8 mark_of_exit[HEADWAY_MARKED_SYSCALLS];
__u32 mark_of_raw[HEADWAY_RAW_SLOTS];

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HEADWAY_MAX_MARKS);
	__type(key, struct headway_mark_key);
	__type(value, struct headway_mark_rec);
} marks SEC(".maps");

static __always_inline void mark_passed(__u32 marker)
{
	struct headway_thread_state *st = thread_get();
	struct headway_mark_rec *mark, none = {};
	struct headway_mark_key key;
	__u64 now;

	if (!st)
		return;
	now = bpf_ktime_get_ns();
	st->rec.last_ns = now;
	key.tid = (__u32)bpf_get_current_pid_tgid();
	key.start = start_of(bpf_get_current_task_btf());
	key.marker = marker;
	mark = bpf_map_lookup_elem(&marks, &key);
	if (!mark) {
		none.first_ns = now;
		if (bpf_map_update_elem(&marks, &key, &none, BPF_NOEXIST)) {
			count(HEADWAY_CNT_LOST_MARKS);
			return;
		}
		mark = bpf_map_lookup_elem(&marks, &key);
		if (!mark)
			return;
	}
	mark->count++;
	mark->last_ns = now;
}

/* Cookie: the target's tgid below, the marker above. */
SEC("uprobe")
int headway_mark_uprobe(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);

	if ((__u32)cookie == bpf_get_current_pid_tgid() >> 32)
		mark_passed(cookie >> 32);
	return 0;
}

/* The entry of a system call, or any other tracepoint. */
SEC("tp")
int headway_mark_tracepoint(void *ctx)
{
	mark_passed(bpf_get_attach_cookie(ctx));
	return 0;
}

/* A system call that succeeded. */
SEC("tp")
int headway_mark_syscall_exit(struct syscall_trace_exit *ctx)
{
	if (ctx->ret >= 0)
		mark_passed(bpf_get_attach_cookie(ctx));
	return 0;
}

/* sys_enter(regs, nr) */
SEC("raw_tp")
int headway_mark_raw_enter(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 nr = ctx->args[1];

	if (nr < HEADWAY_MARKED_SYSCALLS && mark_of_enter[nr] &&
	    !is_compat(bpf_get_current_task_btf()))
		mark_passed(mark_of_enter[nr] - 1);
	return 0;
}

/* sys_exit(regs, ret) */
SEC("raw_tp")
int headway_mark_raw_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *regs = (struct pt_regs *)ctx->args[0];
	__u64 nr = BPF_CORE_READ(regs, orig_ax);

	if (nr < HEADWAY_MARKED_SYSCALLS && mark_of_exit[nr] && (__s64)ctx->args[1] >= 0 &&
	    !is_compat(bpf_get_current_task_btf()))
		mark_passed(mark_of_exit[nr] - 1);
	return 0;
}

#define MARK_RAW_SLOT(slot)							\
SEC("raw_tp")									\
int headway_mark_raw_##slot(struct bpf_raw_tracepoint_args *ctx)		\
{										\
	mark_passed(mark_of_raw[slot]);						\
	return 0;								\
}

MARK_RAW_SLOT(0)
MARK_RAW_SLOT(1)
MARK_RAW_SLOT(2)
MARK_RAW_SLOT(3)

#endif /* HEADWAY_MARKER_BPF_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * headway.bpf.c - the probes: they count what watched processes do, and decide nothing.
 *
 * Only tracepoints and uprobes are used: kprobes and fentry may be missing. The loader attaches
 * everything by hand, so sections carry no event names. Here are the events of a process's life;
 * the files included have one noun each.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "headway_gostate.h"
#include "headway_state.h"
#include "thread.bpf.h"
#include "times.bpf.h"
#include "futex.bpf.h"
#include "syscalls.bpf.h"
#include "trylock.bpf.h"
#include "marker.bpf.h"
#include "gomutex.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* sched_process_exit(task, ...): in the task that exits, after it left signal->live. */
SEC("raw_tp")
int headway_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx->args[0];
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct headway_thread_state *st;
	struct headway_thread_key key;
	__u32 tgid;

	if (!watched(pid_tgid >> 32))
		return 0;
	st = thread_find(&key);
	if (st) {
		st->rec.nr_held = 0;
		st->exited_ns = bpf_ktime_get_ns();
	}
	if (BPF_CORE_READ(task, signal, live.counter))
		return 0;
	/* The last thread: nobody may inherit the id before the loader looks. */
	tgid = pid_tgid >> 32;
	bpf_map_delete_elem(&targets, &tgid);
	if (only_tgid == tgid)
		only_tgid = NO_TGID;
	event_emit(HEADWAY_EVENT_PROCESS_EXIT, pid_tgid, tgid, 0);
	return 0;
}

/* sched_process_exec(task, old_pid, bprm): a new address space, so every address is void. */
SEC("raw_tp")
int headway_exec(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct headway_thread_state *st;

	/* exec alone makes nobody a member of the group: most who call it end soon. */
	st = watched(pid_tgid >> 32) ? thread_get() : NULL;
	if (!st)
		return 0;
	st->exec_ns = bpf_ktime_get_ns();
	st->rec.nr_held = 0;
	st->rec.episode_failed = 0;
	st->refused_addr = 0;
	st->woken_addr = 0;
	st->try_addr = 0;
	st->episode_locks = 0;
	bpf_get_current_comm(st->rec.comm, sizeof(st->rec.comm));
	event_emit(HEADWAY_EVENT_EXEC, pid_tgid, pid_tgid >> 32, 0);
	return 0;
}

/* sched_process_fork(parent, child): in the parent. Threads need nothing: tgid includes them. */
SEC("raw_tp")
int headway_fork(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *child = (struct task_struct *)ctx->args[1];
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	__u32 parent = pid_tgid >> 32, tgid, tool_pid;

	if (!follow_forks || !watched(parent))
		return 0;
	tgid = BPF_CORE_READ(child, tgid);
	if (tgid == parent)
		return 0;
	tool_pid = tool_pidns_ino ? pid_nr(child, tool_pidns_ino) : tgid;
	/* Of one without room the loader is to know all the same. */
	if (bpf_map_update_elem(&targets, &tgid, &tool_pid, BPF_ANY))
		count(HEADWAY_CNT_LOST_PROCESSES);
	only_tgid = 0;
	event_emit(HEADWAY_EVENT_FORK, tgid, parent, tool_pid);
	return 0;
}

/*
 * Run only when the tool is in a pid namespace of its own: the pids that its user names are not
 * those that the hot paths compare. One pair for each process that the tool can see.
 */
SEC("iter/task")
int headway_pids(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct headway_pid_pair pair;

	if (!task || task->pid != task->tgid)
		return 0;
	pair.tool_pid = pid_nr(task, tool_pidns_ino);
	pair.key_tgid = task->tgid;
	if (pair.tool_pid)
		bpf_seq_write(ctx->meta->seq, &pair, sizeof(pair));
	return 0;
}

/* Set by the loader when it may not read a target's memory: then the futex word is read here. */
bool words_from_kernel;

enum { MAX_RT_PRIO = 100 };

/*
 * When the task was switched out, on the clock of the scheduler, which began at boot and which only
 * differences make sense of. 0: not known. prev_sum_exec_runtime is what it had run before it was
 * last switched in, but for real-time tasks, which do not keep it.
 */
static __always_inline __u64 switched_out(const struct task_struct *task)
{
	__u64 ran = task->se.sum_exec_runtime - task->se.prev_sum_exec_runtime;

	if (!bpf_core_field_exists(task->sched_info.last_arrival))
		return 0;
	return BPF_CORE_READ(task, sched_info.last_arrival) +
	       (task->prio < MAX_RT_PRIO ? 0 : ran);
}

static __always_inline void task_call(struct headway_task_rec *rec, struct task_struct *task)
{
	const struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	__u64 now = switched_out(bpf_get_current_task_btf()), then = switched_out(task);

	rec->args[0] = regs->di;
	rec->args[1] = regs->si;
	rec->args[2] = regs->dx;
	rec->args[3] = regs->r10;
	rec->args[4] = regs->r8;
	rec->args[5] = regs->r9;
	rec->sp = regs->sp;
	rec->pc = regs->ip;
	rec->bp = regs->bp;
	if (!is_compat(task) && (__s64)regs->orig_ax >= 0)
		rec->syscall_nr = (__s32)regs->orig_ax;
	if (then && now > then)
		rec->asleep_ns = bpf_ktime_get_ns() - (now - then);
}

static __always_inline void task_record(struct headway_task_rec *rec, struct task_struct *task)
{
	struct headway_thread_key key = { .tid = task->pid, .start = start_of(task) };
	const struct headway_thread_state *st = state_find(&key);

	if (!st)
		return;
	rec->last_ns = st->rec.last_ns;
	rec->woken_addr = st->woken_addr;
	rec->refused_addr = st->refused_addr;
}

static __always_inline void task_word(struct headway_task_rec *rec, struct task_struct *task)
{
	__u64 addr = rec->refused_addr ? rec->refused_addr : rec->args[0];

	if (!bpf_copy_from_user_task(rec->word, sizeof(rec->word), (void *)addr, task, 0) ||
	    !bpf_copy_from_user_task(rec->word, sizeof(rec->word[0]), (void *)addr, task, 0))
		rec->word_addr = addr;
}

/*
 * What /proc says of each thread of the targets, in one pass over all tasks: three files for each
 * of 5,000 threads once a second are a fifth of a CPU, this is a hundredth of one. It may sleep,
 * for the sake of words_from_kernel.
 */
SEC("iter.s/task")
int headway_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task, *leader;
	struct headway_task_rec rec = {};
	__u32 tgid;

	if (!task)
		return 0;
	tgid = task->tgid;
	if (!bpf_map_lookup_elem(&targets, &tgid))
		return 0;
	leader = task->group_leader;
	rec.start_ns = task->start_boottime / 10000000 * 10000000;
	rec.cpu_ns = task->se.sum_exec_runtime;
	rec.tid = tool_pidns_ino ? pid_nr(task, tool_pidns_ino) : task->pid;
	rec.tgid = tool_pidns_ino ? pid_nr(leader, tool_pidns_ino) : tgid;
	rec.ns_tid = pid_nr(task, 0);
	rec.ns_tgid = pid_nr(leader, 0);
	rec.state = task->__state;
	rec.exit_state = task->exit_state;
	rec.syscall_nr = -1;
	bpf_core_read(rec.comm, sizeof(rec.comm), &task->comm);
	bpf_core_read(&rec.exit_word, sizeof(rec.exit_word), &task->clear_child_tid);
	/* One that runs changes them; as in /proc/PID/syscall. */
	if (rec.state && !rec.exit_state) {
		task_call(&rec, task);
		task_record(&rec, task);
		if (words_from_kernel && rec.syscall_nr == NR_FUTEX)
			task_word(&rec, task);
	}
	bpf_seq_write(ctx->meta->seq, &rec, sizeof(rec));
	return 0;
}

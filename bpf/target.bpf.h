/* SPDX-License-Identifier: GPL-2.0 */
/*
 * target.bpf.h - who is watched: processes that the loader named, their children, and the members
 * of a group, which is a cgroup or the whole system.
 *
 * Invariant: all who are watched are in `targets`. A member of the group is put there at the first
 * event that is seen of it; whoever does not fit is not watched, and its events count as lost.
 */
#ifndef HEADWAY_TARGET_BPF_H
#define HEADWAY_TARGET_BPF_H

/* Set before load: the inode of the tool's pid namespace, 0 when that is the initial one. */
const volatile __u32 tool_pidns_ino;
/* Set by the loader: the target when there is just one, so that a stranger costs a compare. */
__u32 only_tgid;
enum { NO_TGID = 0xffffffff };
/* Children of targets become targets. */
__u32 follow_forks;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HEADWAY_MAX_TARGETS);
	__type(key, __u32);			/* tgid, initial pid namespace */
	__type(value, __u32);			/* in the tool's */
} targets SEC(".maps");

/*
 * Set before load, so that nothing of it is left where no group is watched, nor needed of the
 * kernel: enum headway_group.
 */
const volatile __u32 group;
/* Set by the loader: itself, which is no member. */
__u32 tool_tgid;

/* The cgroup and not its id: how deep it lies cannot be told from within a cgroup namespace. */
struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} group_cgroup SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HEADWAY_NR_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

static __always_inline void count(__u32 counter)
{
	__u64 *n = bpf_map_lookup_elem(&counters, &counter);

	if (n)
		(*n)++;
}

static __always_inline bool watched(__u32 tgid)
{
	if (only_tgid)
		return tgid == only_tgid;
	return bpf_map_lookup_elem(&targets, &tgid) != NULL;
}

/* The number of a pid in the namespace `ino`; 0 = the innermost, its own. */
static __always_inline __u32 pid_nr(struct task_struct *task, __u32 ino)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level), i;
	struct upid upid;

	for (i = 0; i < 32; i++) {	/* MAX_PID_NS_LEVEL */
		if (i > level)
			break;
		if (!ino && i != level)
			continue;
		if (bpf_core_read(&upid, sizeof(upid), &pid->numbers[i]))
			return 0;
		if (!ino || BPF_CORE_READ(upid.ns, ns.inum) == ino)
			return upid.nr;
	}
	return 0;
}

enum {
	KERNEL_THREAD = 0x00200000,	/* PF_KTHREAD */
	STATUS_COMPAT = 2,		/* TS_COMPAT */
};

/* In a system call of the 32-bit table? */
static __always_inline bool is_compat(const struct task_struct *task)
{
	return task->thread_info.status & STATUS_COMPAT;
}

/* A process that is no target: does it belong to the group? Then it is one from now on. */
static __noinline bool group_enter(__u32 tgid)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 tool_pid;

	if (tgid == tool_tgid || task->flags & KERNEL_THREAD)
		return false;
	if (group == HEADWAY_GROUP_CGROUP && bpf_current_task_under_cgroup(&group_cgroup, 0) != 1)
		return false;
	tool_pid = tool_pidns_ino ? pid_nr(task->group_leader, tool_pidns_ino) : tgid;
	if (!tool_pid)		/* in no pid namespace that the tool can see */
		return false;
	/* Another thread may have been first. */
	if (bpf_map_update_elem(&targets, &tgid, &tool_pid, BPF_NOEXIST) && !watched(tgid)) {
		count(HEADWAY_CNT_LOST_PROCESSES);
		return false;
	}
	return true;
}

static __always_inline bool watched_or_enters(__u32 tgid)
{
	return watched(tgid) || (group && group_enter(tgid));
}

#endif /* HEADWAY_TARGET_BPF_H */

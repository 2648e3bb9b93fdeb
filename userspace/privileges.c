// SPDX-License-Identifier: GPL-2.0
/*
 * privileges.c - the capabilities of this process: which it lacks, and giving up those that it has
 * no use for.
 */
#include "privileges.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc.h"

struct sets {
	uint64_t effective;
	uint64_t permitted;
};

static int get_sets(struct sets *s)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	if (syscall(SYS_capget, &head, data))
		return -errno;
	s->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	s->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return 0;
}

/* None is inheritable: we start no program after this. */
static int put_sets(const struct sets *s)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ .effective = (uint32_t)s->effective, .permitted = (uint32_t)s->permitted },
		{ .effective = (uint32_t)(s->effective >> 32),
		  .permitted = (uint32_t)(s->permitted >> 32) },
	};

	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

bool headway_privileges_missing(uint64_t wanted, char *names, size_t len)
{
	static const struct {
		int cap;
		const char *name;
	} known[] = {
		{ CAP_BPF, "CAP_BPF" }, { CAP_PERFMON, "CAP_PERFMON" },
		{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE" },
	};
	struct sets have = { 0 };
	size_t used = 0;

	get_sets(&have);	/* if that fails, all are missing */
	if (have.effective & HEADWAY_CAP(CAP_SYS_ADMIN))
		have.effective |= HEADWAY_CAPS_PROBES;
	names[0] = '\0';
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]) && used < len; i++)
		if (wanted & ~have.effective & HEADWAY_CAP(known[i].cap))
			used += (size_t)snprintf(names + used, len - used, "%s%s",
						 used ? ", " : "", known[i].name);
	return used;
}

void headway_privileges_remedy(char *text, size_t len)
{
	char path[512];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[n > 0 ? n : 0] = '\0';
	snprintf(text, len, "run as root, or once: sudo setcap "
			    "cap_bpf,cap_perfmon,cap_sys_ptrace=ep %s", n > 0 ? path : "headway");
}

bool headway_privileges_explain(uint64_t wanted, char *text, size_t len)
{
	char names[64], remedy[640];

	text[0] = '\0';
	if (!headway_privileges_missing(wanted, names, sizeof(names)))
		return false;
	headway_privileges_remedy(remedy, sizeof(remedy));
	snprintf(text, len, "missing: %s; %s", names, remedy);
	return true;
}

/* Asked for nothing, as which the kernel refuses it after it has asked who we are. */
static int open_no_uprobe(void)
{
	struct perf_event_attr attr = { .size = sizeof(attr) };
	FILE *f = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	unsigned int type;
	bool known;
	long fd;

	if (!f)
		return -EACCES;
	known = fscanf(f, "%u", &type) == 1;
	fclose(f);
	if (!known)
		return -EACCES;
	attr.type = type;
	attr.config1 = (uintptr_t)"";
	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd >= 0)
		close((int)fd);
	return fd < 0 ? -errno : 0;
}

/* Does this kernel want CAP_SYS_ADMIN for a uprobe, or is CAP_PERFMON enough? */
static bool uprobe_needs_admin(void)
{
	struct sets before = { 0 }, without;
	int err;

	if (get_sets(&before))
		return true;
	without = before;
	without.effective &= ~HEADWAY_CAP(CAP_SYS_ADMIN);
	if (put_sets(&without))
		return true;
	err = open_no_uprobe();
	if (put_sets(&before))
		return true;
	return err == -EACCES || err == -EPERM;
}

static int keep_only(uint64_t keep)
{
	struct sets s = { 0 };
	int err = get_sets(&s);

	if (err)
		return err;
	/* The older one that stands for them. */
	if (HEADWAY_CAPS_PROBES & ~s.permitted)
		keep |= HEADWAY_CAP(CAP_SYS_ADMIN);
	s.permitted &= keep;
	s.effective &= keep;
	return put_sets(&s);
}

bool headway_privileges_blind_to_others(const struct headway_target_options *o, char *text,
					size_t len)
{
	bool others = o->cgroup || o->all;
	char why[768];

	for (size_t i = 0; i < o->nr_pids; i++)
		others |= !headway_proc_readable(o->pids[i]);
	if (!others || !headway_privileges_explain(HEADWAY_CAPS_OTHERS, why, sizeof(why)))
		return false;
	snprintf(text, len, "cannot look into processes of other users; %s", why);
	return true;
}

int headway_privileges_drop(const struct headway_target_options *o)
{
	/* To attach to later processes and libraries, to read them and their files. */
	uint64_t keep = HEADWAY_CAPS_PROBES | HEADWAY_CAPS_OTHERS |
			HEADWAY_CAP(CAP_DAC_READ_SEARCH) | HEADWAY_CAP(CAP_CHECKPOINT_RESTORE);
	bool uprobes = headway_target_has_processes(o) && (!o->no_uprobes || o->markers.nr);

	/* COMMAND may run as somebody else when it is to be ended. */
	if (o->command)
		keep |= HEADWAY_CAP(CAP_KILL);
	/* With -k for /proc/PID/stack. */
	if (o->kernel || (uprobes && uprobe_needs_admin()))
		keep |= HEADWAY_CAP(CAP_SYS_ADMIN);
	return keep_only(keep);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * probe_group.c - processes that are watched because they are members of a group: a cgroup, or the
 * whole system.
 *
 * Members enter in three ways: those that are there at the start are looked for; later ones are put
 * into the map of targets by the kernel side at their first event, and found there; those of a
 * cgroup are also read from its list at each snapshot, so that one moved in asleep is seen.
 *
 * Invariant: a member is in the map of targets if, and only if, it is among p->targets after
 * headway_probe_group_refresh(). 32-bit programs are in the map alone, to be counted.
 */
#define _GNU_SOURCE
#include "probe_maps.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "headway.skel.h"

/* Quiet looks in a row until a process is let go: the engine has judged its silence by then. */
enum { QUIET_LOOKS = 3 };

bool headway_probe_grows(const struct headway_probe *p)
{
	return p->opts.follow_forks || p->group_kind != HEADWAY_GROUP_NONE;
}

const struct headway_probe_group *headway_probe_group(const struct headway_probe *p)
{
	return &p->group;
}

int headway_probe_add_group(struct headway_probe *p)
{
	uint32_t first = 0;

	if (p->group_kind == HEADWAY_GROUP_NONE)
		return 0;
	p->skel->bss->tool_tgid = headway_probe_key_of(p, getpid());
	if (p->opts.cgroup && bpf_map_update_elem(headway_probe_map(p, "group_cgroup"), &first,
						  &p->opts.cgroup->fd, BPF_ANY))
		return headway_probe_fail(p, -errno, "cannot watch the cgroup %s: %s",
					  p->opts.cgroup->path, strerror(errno));
	return headway_probe_group_refresh(p);
}

static struct headway_target *find_key(const struct headway_probe *p, uint32_t key)
{
	for (size_t i = 0; i < p->nr_targets; i++)
		if (p->targets[i].key_tgid == key)
			return &p->targets[i];
	return NULL;
}

static struct headway_target *find_pid(const struct headway_probe *p, pid_t pid)
{
	for (size_t i = 0; i < p->nr_targets; i++)
		if (p->targets[i].pid == pid)
			return &p->targets[i];
	return NULL;
}

/* Memory is what may end the watch here; a process that cannot be watched does not. */
static int enter(struct headway_probe *p, pid_t pid, uint32_t key)
{
	size_t before = p->nr_targets;
	pid_t live;
	int err;

	if (!key || key == p->skel->bss->tool_tgid)
		return 0;
	live = headway_proc_live_tid(pid);
	if (live > 0 && !headway_proc_is_program(live))
		return 0;
	if (headway_proc_is_32bit(pid)) {
		/* In the map it is counted once at each look, by take_entered(). */
		if (!bpf_map_update_elem(headway_probe_map(p, "targets"), &key, &pid, BPF_NOEXIST))
			p->bits32++;
		return 0;
	}
	err = headway_probe_target_add(p, pid, key, true);
	if (p->nr_targets > before) {
		p->targets[before].member = true;
		p->group.seen++;
	} else if (err == -E2BIG) {
		return headway_probe_leave_out(p, &(struct headway_outsider){
			.pid = pid, .key_tgid = key, .member = true });
	} else if (err) {
		/* It has ended, perhaps after it had entered. */
		bpf_map_delete_elem(headway_probe_map(p, "targets"), &key);
	}
	return err == -ENOMEM ? err : 0;
}

static int take_entered(void *arg, const void *key, const void *value)
{
	struct headway_probe *p = arg;
	uint32_t tgid, pid;

	memcpy(&tgid, key, sizeof(tgid));
	memcpy(&pid, value, sizeof(pid));
	if (find_key(p, tgid))
		return 0;
	if (headway_proc_is_32bit((pid_t)pid)) {
		p->bits32++;
		return 0;
	}
	return enter(p, (pid_t)pid, tgid);
}

static void leave(struct headway_probe *p, struct headway_target *t)
{
	bpf_map_delete_elem(headway_probe_map(p, "targets"), &t->key_tgid);
	t->left = true;
}

static int by_pid(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* Its list says who is in it. */
static int follow_cgroup(struct headway_probe *p)
{
	pid_t *pids = NULL;
	size_t n = 0, i;
	int err;

	headway_probe_forget_outsiders(p, true);
	if (p->group.removed || headway_cgroup_removed(p->opts.cgroup)) {
		p->group.removed = true;
		return 0;
	}
	err = headway_cgroup_members(p->opts.cgroup, &pids, &n);
	for (i = 0; i < p->nr_targets && !err; i++) {
		struct headway_target *t = &p->targets[i];

		if (t->member && (!n || !bsearch(&t->pid, pids, n, sizeof(*pids), by_pid)))
			leave(p, t);
	}
	for (i = 0; i < n && !err; i++)
		if (!find_pid(p, pids[i]))
			err = enter(p, pids[i], headway_probe_key_of(p, pids[i]));
	free(pids);
	return err;
}

/* One that is stuck for good makes no event any more by which it would enter. */
static int look_around(struct headway_probe *p)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	int err = 0;

	if (!proc)
		return -errno;
	headway_probe_forget_outsiders(p, true);
	while (!err && (e = readdir(proc))) {
		pid_t pid = isdigit((unsigned char)e->d_name[0]) ? atoi(e->d_name) : 0;

		if (pid > 0 && !find_pid(p, pid))
			err = enter(p, pid, headway_probe_key_of(p, pid));
	}
	closedir(proc);
	return err;
}

static void let_quiet_go(struct headway_probe *p)
{
	for (size_t i = 0; i < p->nr_targets; i++)
		if (p->targets[i].quiet >= QUIET_LOOKS)
			leave(p, &p->targets[i]);
}

/* Who was refused at an event of its own may never make another one. */
static int was_refused(struct headway_probe *p, bool *refused)
{
	uint64_t counters[HEADWAY_NR_COUNTERS];
	int err = headway_raw_counters(p, counters);

	if (err)
		return err;
	*refused = counters[HEADWAY_CNT_LOST_PROCESSES] != p->refused_events;
	p->refused_events = counters[HEADWAY_CNT_LOST_PROCESSES];
	return 0;
}

static int follow_all(struct headway_probe *p)
{
	bool refused = false;
	int err = was_refused(p, &refused);

	if (err)
		return err;
	if (p->group_looks)
		let_quiet_go(p);
	if (!p->group_looks || refused)
		return look_around(p);
	return headway_probe_retry_outsiders(p, true, enter);
}

int headway_probe_group_refresh(struct headway_probe *p)
{
	bool cgroup = p->group_kind == HEADWAY_GROUP_CGROUP;
	int err;

	if (p->group_kind == HEADWAY_GROUP_NONE)
		return 0;
	p->bits32 = 0;
	/* Before the list of the cgroup is read: who has entered is on it, or has left again. */
	err = headway_read_map(headway_probe_map(p, "targets"), sizeof(uint32_t), sizeof(uint32_t),
			       take_entered, p);
	if (!err)
		err = cgroup ? follow_cgroup(p) : follow_all(p);
	if (p->bits32 > p->group.bits32)	/* the most at one time */
		p->group.bits32 = p->bits32;
	p->group_looks++;
	return err;
}

void headway_probe_note_quiet(struct headway_probe *p, struct headway_target *t, uint64_t now_ns)
{
	if (!t->active_ns)
		t->active_ns = now_ns;	/* when it entered */
	if (!t->member || p->group_kind != HEADWAY_GROUP_ALL ||
	    now_ns < t->active_ns + p->opts.quiet_ns ||
	    (p->opts.keep && p->opts.keep(p->opts.arg, t->pid)))
		t->quiet = 0;
	else
		t->quiet++;
}

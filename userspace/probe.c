// SPDX-License-Identifier: GPL-2.0
/*
 * probe.c - life cycle of the BPF probes: open, targets, attach, close, and errors in words.
 *
 * Nothing is pinned: programs, maps and links live as long as this process's descriptors, so that
 * the kernel removes them however the tool ends.
 */
#define _GNU_SOURCE
#include "probe_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "headway.skel.h"
#include "privileges.h"
#include "probe_maps.h"
#include "uprobe_multi.h"

/* include/linux/proc_ns.h: PROC_PID_INIT_INO, the same in every kernel. */
#define INITIAL_PIDNS_INO 0xeffffffcu

/* open can fail before there is an object to keep the sentence in. */
static char open_error[512];
static bool verbose;

int headway_probe_fail(struct headway_probe *p, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p ? p->error : open_error, sizeof(open_error), fmt, ap);
	va_end(ap);
	return err < 0 ? err : -EIO;
}

const char *headway_probe_error(const struct headway_probe *p)
{
	return p ? p->error : open_error;
}

const char *headway_probe_missing_reason(const struct headway_probe *p, enum headway_probe_id id)
{
	size_t i;

	if (!p || id >= HEADWAY_NR_PROBES)
		return "";
	if (id == HEADWAY_PROBE_MARKERS)
		return headway_probe_marker_missing(p);
	if (id == HEADWAY_PROBE_TRYLOCK && p->refused[0])
		return p->refused;
	if (id == HEADWAY_PROBE_TRYLOCK)
		for (i = 0; i < p->nr_targets; i++)
			if (!p->targets[i].exited && !p->targets[i].trylock_found &&
			    !p->targets[i].member)
				return p->targets[i].trylock_reason;
	return p->reason[id];
}

struct bpf_program *headway_probe_program(struct headway_probe *p, const char *name)
{
	return bpf_object__find_program_by_name(p->skel->obj, name);
}

int headway_probe_map(struct headway_probe *p, const char *name)
{
	return bpf_object__find_map_fd_by_name(p->skel->obj, name);
}

int headway_probe_keep_link(struct headway_probe *p, struct bpf_link *link)
{
	struct bpf_link **more;

	more = reallocarray(p->links, p->nr_links + 1, sizeof(struct bpf_link *));
	if (!more) {
		bpf_link__destroy(link);
		return headway_probe_fail(p, -ENOMEM, "out of memory");
	}
	p->links = more;
	more[p->nr_links++] = link;
	return 0;
}

static int print_libbpf(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (!verbose || level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stderr, fmt, ap);
}

static int load_failed(int err)
{
	char why[768];

	if (err == -EPERM || err == -EACCES)
		return headway_probe_fail(NULL, -EPERM, "not permitted to load BPF programs; %s",
			headway_privileges_explain(HEADWAY_CAPS_PROBES, why, sizeof(why)) ? why :
			"CAP_BPF and CAP_PERFMON are there, so a container or lockdown forbids it");
	return headway_probe_fail(NULL, err,
		"the kernel refused the BPF programs (%s): run with verbose messages to see why",
		strerror(-err));
}

/* Where libbpf looks (btf__load_vmlinux_btf) has a kernel with BTF in the first place, always. */
static int check_btf(const char *custom)
{
	const char *path = custom ? custom : "/sys/kernel/btf/vmlinux";

	if (!access(path, R_OK))
		return 0;
	if (custom)
		return headway_probe_fail(NULL, -EOPNOTSUPP, "cannot read HEADWAY_BTF=%s: %s",
					  custom, strerror(errno));
	return headway_probe_fail(NULL, -EOPNOTSUPP,
		"this kernel carries no BTF (%s): boot one with CONFIG_DEBUG_INFO_BTF=y, or point HEADWAY_BTF at a BTF file made for this kernel",
		path);
}

/* A thread whose place is beyond the last one goes into the hash map, which has room for all. */
static void make_room(struct headway_probe *p)
{
	uint32_t processes = p->opts.room_processes, threads = p->opts.room_threads;

	if (processes)
		bpf_map__set_max_entries(p->skel->maps.targets, processes);
	if (!threads)
		return;
	bpf_map__set_max_entries(p->skel->maps.threads, threads);
	if (threads < HEADWAY_THREAD_SLOTS)
		bpf_map__set_max_entries(p->skel->maps.thread_slots, threads);
}

/* Markers have a program of their own, and stay with events. */
static int choose_uprobes(struct headway_probe *p)
{
	int err;

	p->uprobe_multi = p->opts.uprobes && !p->opts.uprobe_events &&
			  headway_uprobe_multi_usable();
	if (!p->uprobe_multi)
		return 0;
	err = headway_uprobe_multi_prepare(p->skel->progs.headway_trylock_enter);
	if (!err)
		err = headway_uprobe_multi_prepare(p->skel->progs.headway_trylock_return);
	if (!err)
		err = headway_uprobe_multi_prepare(p->skel->progs.headway_gomutex);
	return err;
}

bool headway_probe_uprobe_multi(const struct headway_probe *p)
{
	return p->uprobe_multi;
}

int headway_probe_open(struct headway_probe **out, const struct headway_probe_options *opts)
{
	const char *custom = getenv("HEADWAY_BTF");
	LIBBPF_OPTS(bpf_object_open_opts, oo);
	struct headway_probe *p;
	uint32_t ns;
	int err;

	if (custom && !*custom)
		custom = NULL;
	*out = NULL;
	verbose = opts->verbose;
	libbpf_set_print(print_libbpf);
	err = check_btf(custom);
	if (err)
		return err;
	p = calloc(1, sizeof(*p));
	if (!p)
		return headway_probe_fail(NULL, -ENOMEM, "out of memory");
	p->opts = *opts;
	p->rest = (struct headway_rest){
		.max_rate = opts->max_rate,
		.most = HEADWAY_REST_MOST,
		.window_ns = opts->window_ns,
		.interval_ns = opts->interval_ns,
	};
	p->tries_rest = p->rest;
	p->tries_rest.max_rate = opts->max_tries;
	err = headway_probe_markers_new(p);
	if (err)
		goto free_probe;
	oo.btf_custom_path = custom;
	p->skel = headway_bpf__open_opts(&oo);
	if (!p->skel) {
		err = load_failed(-errno);
		goto free_probe;
	}
	ns = headway_proc_ns_ino("self", "pid");
	p->skel->rodata->tool_pidns_ino = ns == INITIAL_PIDNS_INO ? 0 : ns;
	p->skel->bss->follow_forks = opts->follow_forks;
	p->group_kind = opts->cgroup ? HEADWAY_GROUP_CGROUP :
			opts->all ? HEADWAY_GROUP_ALL : HEADWAY_GROUP_NONE;
	p->skel->rodata->group = p->group_kind;
	p->skel->rodata->wait_histograms = opts->wait_histograms;
	if (opts->wait_histograms)
		bpf_map__set_max_entries(p->skel->maps.wait_times, HEADWAY_MAX_TIMES);
	bpf_map__set_autocreate(p->skel->maps.group_cgroup, opts->cgroup != NULL);
	bpf_program__set_autoload(p->skel->progs.headway_pids,
				  p->skel->rodata->tool_pidns_ino != 0);
	make_room(p);
	err = choose_uprobes(p);
	if (!err)
		err = headway_bpf__load(p->skel);
	if (err) {
		err = load_failed(err);
		goto destroy_skel;
	}
	err = headway_slots_map(p);
	if (err) {
		headway_probe_fail(NULL, err, "cannot map the probes' records: %s", strerror(-err));
		goto unmap_slots;
	}
	*out = p;
	return 0;
unmap_slots:
	headway_slots_unmap(p);
destroy_skel:
	headway_bpf__destroy(p->skel);
free_probe:
	headway_probe_markers_free(p);
	free(p);
	return err;
}

static uint32_t live_targets(const struct headway_probe *p, uint32_t *last)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < p->nr_targets; i++)
		if (!p->targets[i].exited) {
			*last = p->targets[i].key_tgid;
			n++;
		}
	return n;
}

int headway_probe_target_add(struct headway_probe *p, pid_t pid, uint32_t key_tgid, bool forked)
{
	struct headway_proc_thread leader;
	struct headway_target *more, *t;
	pid_t live = headway_proc_live_tid(pid);
	char pid_str[16];
	uint32_t tool_pid = (uint32_t)pid;
	size_t i;
	int err;

	if (live < 0)
		return live;
	err = headway_proc_process(pid, &leader);
	if (err)
		return err;
	for (i = 0; i < p->nr_targets; i++)
		if (p->targets[i].pid == pid && p->targets[i].start_ns == leader.start_ns)
			return 0;
	if (bpf_map_update_elem(headway_probe_map(p, "targets"), &key_tgid, &tool_pid, BPF_ANY))
		return -errno;
	more = realloc(p->targets, (p->nr_targets + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	p->targets = more;
	t = &more[p->nr_targets++];
	*t = (struct headway_target){
		.pid = pid,
		.anchor = live,
		.key_tgid = key_tgid,
		.forked = forked,
		.start_ns = leader.start_ns,
		.markers_due = true,
	};
	snprintf(pid_str, sizeof(pid_str), "%d", live);
	t->other_pidns = headway_proc_ns_ino(pid_str, "pid") != headway_proc_ns_ino("self", "pid");
	if (!headway_proc_readable(live))
		p->skel->bss->words_from_kernel = true;
	/* BPF programs read it with one load: 0 in between would only cost them a map lookup. */
	p->skel->bss->only_tgid = live_targets(p, &key_tgid) == 1 && !headway_probe_grows(p) ?
				  key_tgid : 0;
	p->had_targets = true;
	if (p->attached && !forked)
		headway_probe_attach_uprobes(p, t);
	return 0;
}

uint32_t headway_probe_key_of(struct headway_probe *p, pid_t tgid)
{
	struct headway_pid_pair pairs[256];
	struct bpf_link *link;
	uint32_t key = 0;
	ssize_t n;
	int fd;

	if (!p->skel->rodata->tool_pidns_ino)
		return tgid;
	link = bpf_program__attach_iter(p->skel->progs.headway_pids, NULL);
	if (libbpf_get_error(link))
		return 0;
	fd = bpf_iter_create(bpf_link__fd(link));
	while (fd >= 0 && !key && (n = read(fd, pairs, sizeof(pairs))) > 0)
		for (size_t i = 0; i < n / sizeof(pairs[0]); i++)
			if (pairs[i].tool_pid == (uint32_t)tgid)
				key = pairs[i].key_tgid;
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	return key;
}

int headway_probe_add_pid(struct headway_probe *p, pid_t pid)
{
	pid_t tgid = headway_proc_tgid(pid);
	uint32_t key = tgid > 0 ? headway_probe_key_of(p, tgid) : 0;
	int err;

	if (!key)
		return headway_probe_fail(p, -ESRCH,
			"no process %d: it has ended, or is in another pid namespace", pid);
	if (headway_proc_is_32bit(tgid))
		return headway_probe_fail(p, -EOPNOTSUPP,
			"process %d is a 32-bit program, whose system calls the probes cannot see: watch a 64-bit build of it",
			tgid);
	err = headway_probe_target_add(p, tgid, key, false);
	if (err == -ESRCH)
		return headway_probe_fail(p, err,
			"process %d ended while Headway was attaching to it", tgid);
	if (err == -E2BIG)
		return headway_probe_fail(p, err,
			"cannot watch process %d: %u are watched already, see --room-processes",
			tgid, bpf_map__max_entries(p->skel->maps.targets));
	if (err)
		return headway_probe_fail(p, err, "cannot watch process %d: %s", tgid,
					  strerror(-err));
	return 0;
}

int headway_probe_attach(struct headway_probe *p)
{
	size_t i;
	int err;

	err = headway_probe_attach_tracepoints(p);
	if (err)
		return err;
	for (i = 0; i < p->nr_targets; i++)
		headway_probe_attach_uprobes(p, &p->targets[i]);
	err = headway_probe_attach_markers(p);
	if (err)
		return err;
	p->attached = true;
	return headway_probe_open_ring(p);
}

void headway_probe_close(struct headway_probe *p)
{
	size_t i;

	if (!p)
		return;
	headway_probe_detach_uprobes(p, 0);
	headway_probe_detach_markers(p, 0);
	headway_probe_markers_free(p);
	for (i = 0; i < p->nr_links; i++)
		bpf_link__destroy(p->links[i]);
	headway_probe_detach_syscalls(p);
	bpf_link__destroy(p->tasks_link);
	ring_buffer__free(p->ring);
	headway_slots_unmap(p);
	headway_bpf__destroy(p->skel);
	headway_probe_snapshot_free(p);
	free(p->times);
	free(p->uprobes);
	free(p->uprobe_fds);
	free(p->links);
	free(p->targets);
	free(p);
}

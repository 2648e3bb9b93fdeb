/* SPDX-License-Identifier: GPL-2.0 */
/*
 * probe_internal.h - shared by probe.c (life cycle), probe_tracepoint.c, probe_uprobe.c (where
 * programs are attached) and probe_snapshot.c (maps and /proc merged). Nobody else includes it.
 */
#ifndef HEADWAY_PROBE_INTERNAL_H
#define HEADWAY_PROBE_INTERNAL_H

#include <stdarg.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "headway_state.h"
#include "probe.h"
#include "proc.h"

struct headway_bpf;

struct headway_target {
	pid_t pid;			/* in the tool's pid namespace */
	uint32_t key_tgid;		/* in the initial pid namespace: key of the targets map */
	uint64_t start_ns;
	bool exited;
	bool other_pidns;		/* thread ids inside differ from the ones we see */
	bool trylock_found;
	dev_t exe_dev;			/* executable that was searched for trylock */
	ino_t exe_ino;
	char trylock_reason[160];	/* why trylock is not probed in it */
};

/* Programs attached to one file for one process; the kernel keys uprobes by inode too. */
struct headway_uprobe {
	pid_t pid;
	dev_t dev;
	ino_t ino;
	struct bpf_link *entry;
	struct bpf_link *ret;
};

/* A wait that had begun before we attached: the kernel side saw no enter. */
struct headway_seed {
	pid_t tid;
	uint64_t start_ns;
	uint64_t addr;
	uint64_t since_ns;
};

struct headway_probe {
	struct headway_probe_options opts;
	struct headway_bpf *skel;
	struct ring_buffer *ring;
	bool attached;
	char error[512];
	char reason[HEADWAY_NR_PROBES][192];
	uint32_t missing;		/* without HEADWAY_PROBE_TRYLOCK, which is per target */

	struct headway_target *targets;
	size_t nr_targets;
	struct bpf_link **links;
	size_t nr_links;
	struct headway_uprobe *uprobes;
	size_t nr_uprobes;

	/* Snapshot buffers, reused. */
	struct headway_snap_thread *threads;
	size_t cap_threads;
	struct headway_snap_lock *locks;
	size_t cap_locks;
	struct headway_seed *seeds;
	size_t nr_seeds;
	uint64_t freed_events;		/* of records that were deleted */
};

/* probe.c */
int headway_probe_fail(struct headway_probe *p, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int headway_probe_keep_link(struct headway_probe *p, struct bpf_link *link);
int headway_probe_target_add(struct headway_probe *p, pid_t pid, uint32_t key_tgid);
struct bpf_program *headway_probe_program(struct headway_probe *p, const char *name);
int headway_probe_map(struct headway_probe *p, const char *name);	/* descriptor */

/* probe_tracepoint.c */
int headway_probe_attach_tracepoints(struct headway_probe *p);

/* probe_uprobe.c */
void headway_probe_attach_uprobes(struct headway_probe *p, struct headway_target *t);
void headway_probe_detach_uprobes(struct headway_probe *p, pid_t pid);

/* probe_snapshot.c */
int headway_probe_open_ring(struct headway_probe *p);
void headway_probe_snapshot_free(struct headway_probe *p);

#endif /* HEADWAY_PROBE_INTERNAL_H */

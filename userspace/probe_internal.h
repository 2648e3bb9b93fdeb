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
#include "rest.h"
#include "symbolize.h"

struct headway_bpf;
struct headway_markers;
struct headway_raw;
struct headway_task;
struct headway_tasks;
struct stat;

enum headway_target_go {
	HEADWAY_GO_UNKNOWN,		/* its executable was not looked at */
	HEADWAY_GO_NOT,
	HEADWAY_GO_PROBED,
	HEADWAY_GO_UNREADABLE,		/* trylock_reason says why */
};

struct headway_target {
	pid_t pid;			/* in the tool's pid namespace */
	uint32_t key_tgid;		/* in the initial pid namespace: key of the targets map */
	uint64_t start_ns;
	pid_t anchor;			/* the thread that its uprobes hang on */
	bool exited;
	bool forked;			/* followed, not named by the user */
	bool member;			/* of the group (probe_group.c), not named or followed */
	bool left;			/* it, or we let it go */
	uint32_t quiet;			/* looks in a row at which it had long been silent */
	uint64_t active_ns;		/* its last event, or when it was seen first */
	uint32_t age;			/* snapshots so far */
	bool other_pidns;		/* thread ids inside differ from the ones we see */
	bool trylock_found;
	bool tries_hidden;		/* see snapshot.h */
	uint32_t language_looks;
	dev_t exe_dev;			/* executable that was searched for trylock */
	ino_t exe_ino;
	uint64_t markers;		/* bit per marker that is watched in it */
	bool markers_due;		/* new, or has called exec: look for markers */
	enum headway_target_go go;
	uint32_t goid_offset;		/* not 0: a Go program whose mutexes are probed */
	uint32_t go_slot;		/* which of them, see enum headway_goroutine_id */
	char trylock_reason[160];	/* why trylock is not probed in it */
	struct headway_symbolizer *symbolizer;	/* made at the first unwinding */
};

/* One that should be watched, for which there was no room (probe_room.c). */
struct headway_outsider {
	pid_t pid;			/* in the tool's pid namespace */
	uint32_t key_tgid;		/* in the initial one */
	bool member;			/* of the group; else the child of a target */
	uint64_t start_ns;		/* of the process */
};

/* Where trylock is in a file, or why not (errno): to read symbols takes milliseconds. */
struct headway_probed_file {
	dev_t dev;
	ino_t ino;
	int64_t mtime_ns;
	uint64_t offset;
	int err;
};

/* Whether a file is a Rust program: to read its constants takes milliseconds, too. */
struct headway_rust_file {
	dev_t dev;
	ino_t ino;
	bool is;
};

/*
 * Programs attached to one file for one process; the kernel keys uprobes by inode too. pid 0: for
 * all processes, when a group is watched: one for each would make each hit ask them all.
 */
struct headway_uprobe {
	pid_t pid;
	dev_t dev;
	ino_t ino;
	bool trylock;			/* else of Go */
	struct bpf_link *entry;		/* perf events */
	struct bpf_link *ret;
	int multi_entry;		/* descriptors of uprobe_multi.h instead; -1: none */
	int multi_ret;
};

enum headway_wait_place {
	HEADWAY_PLACE_UNKNOWN,
	HEADWAY_PLACE_PRIVATE,		/* memory of one process */
	HEADWAY_PLACE_SHARED,
};

/* A wait that is still going on: since when, and its stack, which is taken once. */
struct headway_open_wait {
	pid_t tid;
	uint64_t start_ns;
	uint64_t addr;
	uint64_t since_ns;
	int32_t stack;			/* id of an unwound stack; -1 none, -2 not tried yet */
	enum headway_wait_place place;	/* this and the rest: probe_shared.c */
	bool owner_sure;
	uint32_t owner;			/* that owner_sure is about */
	uint64_t object;
	struct headway_proc_mapping mapping;
};

/* Unwound stacks. Their ids follow those of the BPF stack map; old ones are overwritten. */
enum {
	HEADWAY_UNWOUND_BASE = 0x40000000,
	HEADWAY_UNWOUND_MAX = 512,
};

struct headway_unwound {
	int32_t id;
	int n;
	uint64_t ips[HEADWAY_STACK_DEPTH];
};

struct headway_probe {
	struct headway_probe_options opts;
	struct headway_bpf *skel;
	struct headway_thread_slot *thread_slots;	/* the kernel's, see probe_slots.c */
	size_t nr_thread_slots;
	struct headway_lock_slot *lock_slots;
	struct ring_buffer *ring;
	uint64_t lost_events;		/* of the ring, which were made good for */
	bool attached;
	char error[512];
	char reason[HEADWAY_NR_PROBES][192];
	uint32_t missing;		/* without HEADWAY_PROBE_TRYLOCK, which is per target */

	struct headway_target *targets;
	size_t nr_targets;
	struct headway_outsider *outsiders;
	size_t nr_outsiders;
	size_t cap_outsiders;
	uint64_t refused_events;	/* of processes without room, at the last look */
	struct bpf_link **links;
	size_t nr_links;
	struct bpf_link *syscalls[16];	/* of probe_tracepoint.c; taken away for a rest */
	size_t nr_syscalls;
	struct headway_rest rest;
	struct headway_rest tries_rest;	/* of trylock alone */
	bool peeks;			/* in that rest, trylock is probed for an instant */
	uint64_t peek_end_ns;
	struct bpf_link *tasks_link;	/* the task iterator; NULL before its first use */
	bool uprobe_multi;		/* chosen once: the programs are loaded for it */
	struct headway_uprobe *uprobes;
	size_t nr_uprobes;
	int *uprobe_fds;		/* room to collect those that are closed together */
	struct headway_probed_file files[16];	/* the last ones, round robin */
	uint32_t nr_files;
	struct headway_rust_file rust_files[16];
	uint32_t nr_rust_files;
	bool had_targets;
	enum headway_group group_kind;
	uint32_t group_looks;
	struct headway_probe_group group;
	size_t bits32;			/* 32-bit members of the look that goes on */
	char refused[192];		/* uprobes of a group were not permitted: why */
	struct headway_markers *markers;	/* probe_marker.c */

	struct headway_wait_times *times;	/* reused */
	size_t cap_times;
	/* Snapshot buffers, reused. */
	struct headway_snap_thread *threads;
	size_t cap_threads;
	struct headway_snap_lock *locks;
	size_t cap_locks;
	struct headway_snap_mark *marks;
	size_t cap_marks;
	struct headway_open_wait *waits;
	size_t nr_waits;
	uint64_t waits_ns;			/* when they were; 0 never */
	struct headway_unwound *unwound;	/* HEADWAY_UNWOUND_MAX */
	uint32_t nr_unwound;			/* ever */
	uint8_t *idle_stacks;			/* bit per stack id: unused at the last walk */
	uint32_t nr_snapshots;
	uint64_t freed_events;		/* of records that were deleted */
};

/* probe.c */
int headway_probe_fail(struct headway_probe *p, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int headway_probe_keep_link(struct headway_probe *p, struct bpf_link *link);
int headway_probe_target_add(struct headway_probe *p, pid_t pid, uint32_t key_tgid, bool forked);
/* The id that the kernel side knows a process by, 0 when it is gone. */
uint32_t headway_probe_key_of(struct headway_probe *p, pid_t tgid);
struct bpf_program *headway_probe_program(struct headway_probe *p, const char *name);
int headway_probe_map(struct headway_probe *p, const char *name);	/* descriptor */

/* probe_group.c */
/* May targets come later that are not there yet? */
bool headway_probe_grows(const struct headway_probe *p);
/* Who has entered and left since the last look. 0 or a negative errno. */
int headway_probe_group_refresh(struct headway_probe *p);
static inline void headway_probe_note_active(struct headway_target *t,
					     const struct headway_thread_rec *rec)
{
	if (rec->last_ns > t->active_ns)
		t->active_ns = rec->last_ns;
}

/* After a target was merged: has it been silent for long? */
void headway_probe_note_quiet(struct headway_probe *p, struct headway_target *t, uint64_t now_ns);

/* probe_room.c: these return 0 or -ENOMEM. Who has ended is nobody any more. */
typedef int (*headway_admit_fn)(struct headway_probe *p, pid_t pid, uint32_t key);
int headway_probe_leave_out(struct headway_probe *p, const struct headway_outsider *who);
/* Members of the group or the others. admit: leaves it out once more when there is no room. */
int headway_probe_retry_outsiders(struct headway_probe *p, bool members, headway_admit_fn admit);
void headway_probe_forget_outsiders(struct headway_probe *p, bool members);

/* probe_tracepoint.c */
int headway_probe_attach_tracepoints(struct headway_probe *p);
/* A directory descriptor of tracefs, mounted or not. */
int headway_probe_tracefs(void);
int headway_probe_tracepoint_id(int tracefs, const char *category, const char *event);
int headway_probe_attach_id(struct headway_probe *p, int id, const char *program, uint64_t cookie);
int headway_probe_attach_raw(struct headway_probe *p, const char *event, const char *program);

/* System calls alone; they can come back. */
int headway_probe_attach_syscalls(struct headway_probe *p);
void headway_probe_detach_syscalls(struct headway_probe *p);

/* probe_rest.c: after a snapshot is complete. Sets its rested_ns and tries_rested_ns. */
int headway_probe_rest(struct headway_probe *p, struct headway_snapshot *snap);

/* Is trylock not to be probed now, for one reason or the other? */
bool headway_probe_without_tries(const struct headway_probe *p);

/* probe_uprobe.c */
void headway_probe_detach_trylock(struct headway_probe *p);	/* of all */
size_t headway_probe_count_trylock(const struct headway_probe *p);
void headway_probe_attach_uprobes(struct headway_probe *p, struct headway_target *t);
void headway_probe_detach_uprobes(struct headway_probe *p, pid_t pid);

/* probe_language.c: sets tries_hidden, when it is time to look */
void headway_probe_find_language(struct headway_probe *p, struct headway_target *t);

/* probe_marker.c */
int headway_probe_markers_new(struct headway_probe *p);
void headway_probe_markers_free(struct headway_probe *p);
/* What does not belong to one process: system calls and tracepoints. */
int headway_probe_attach_markers(struct headway_probe *p);
/* Those of the target's files, if it is time to look. */
void headway_probe_find_markers(struct headway_probe *p, struct headway_target *t);
void headway_probe_detach_markers(struct headway_probe *p, pid_t pid);
/* A named marker that was not found anywhere, as a sentence; NULL: there is none. */
const char *headway_probe_marker_missing(const struct headway_probe *p);

/* probe_marker_event.c: a system call or tracepoint. Leaves the sentence in p->error. */
struct headway_marker_spec;
int headway_probe_attach_event(struct headway_probe *p, const struct headway_marker_spec *spec,
			       uint32_t marker);

/* probe_marks.c */
int headway_probe_put_marks(struct headway_probe *p, struct headway_snapshot *snap,
			    struct headway_raw *raw);
/* After merging with /proc: a mark for the first thread where a marker is watched. */
int headway_probe_put_silent_marks(struct headway_probe *p, struct headway_snapshot *snap);
struct headway_uprobe *headway_probe_add_uprobe(struct headway_probe *p, pid_t pid,
						const struct stat *st);

/* probe_go.c */
void headway_probe_attach_go(struct headway_probe *p, struct headway_target *t);
int headway_probe_merge_goroutines(struct headway_probe *p, struct headway_snapshot *snap,
				   struct headway_target *t);

/* probe_waits.c: called by the snapshot, in this order */
struct headway_open_waits {
	struct headway_open_wait *waits;
	size_t nr;
	size_t cap;
	size_t unwound;			/* in this snapshot */
};

/* Is the system call that the thread is in a wait? */
void headway_probe_take_wait(struct headway_probe *p, const struct headway_snapshot *snap,
			     struct headway_snap_thread *t, const struct headway_task *task);
/* Of p->threads, all of one process, those whose numbers are given; they wait. */
void headway_probe_read_owners(struct headway_probe *p, const size_t *waiting, size_t nr);
/* Remember a thread's open wait; unwind and place it when it has lasted. */
void headway_probe_keep_wait(struct headway_probe *p, struct headway_open_waits *next,
			     struct headway_target *target, struct headway_snap_thread *t,
			     const struct headway_proc_thread *proc,
			     const struct headway_tasks *tasks, uint64_t now_ns);
void headway_probe_swap_waits(struct headway_probe *p, struct headway_open_waits *next,
			      uint64_t now_ns);
const struct headway_open_wait *headway_probe_find_wait(const struct headway_probe *p,
							const struct headway_snap_thread *t);
int headway_probe_unwound(const struct headway_probe *p, int32_t id, uint64_t *ips, int max);

/*
 * probe_shared.c: where a wait's word is. Sets wait_object, or the private flag, and takes back an
 * owner that is not sure.
 */
void headway_probe_place_wait(const struct headway_tasks *tasks, struct headway_snap_thread *t,
			      struct headway_open_wait *w);

/* probe_snapshot.c */
int headway_snap_by_lock(const void *a, const void *b);	/* for bsearch: by the key */
int headway_probe_open_ring(struct headway_probe *p);
/* Takes what is in the ring, and makes good for what was lost. 0 or a negative errno. */
int headway_probe_take_events(struct headway_probe *p);
void headway_probe_snapshot_free(struct headway_probe *p);

#endif /* HEADWAY_PROBE_INTERNAL_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * probe.h - life cycle of the BPF probes. Probes never decide: they count.
 *
 * headway_probe_open -> _add_pid... -> _attach -> _snapshot... -> _close. Nothing is pinned, so the
 * kernel removes everything when the process ends, however it ends.
 */
#ifndef HEADWAY_PROBE_H
#define HEADWAY_PROBE_H

#include <sys/types.h>

#include "marker.h"
#include "snapshot.h"
#include "times.h"

struct headway_cgroup;
struct headway_probe;

struct headway_probe_options {
	bool uprobes;			/* false: --no-uprobes */
	bool uprobe_events;		/* as before 6.10, for tests: see uprobe_multi.h */
	bool wait_times;		/* how long futex waits last; twice the cost of a call */
	bool wait_histograms;		/* with wait_times: for headway_probe_wait_times() */
	bool verbose;			/* libbpf's own messages to stderr */
	uint32_t room_processes;	/* room for so many; 0: HEADWAY_MAX_TARGETS */
	uint32_t room_threads;		/* 0: HEADWAY_MAX_THREADS */
	bool follow_forks;		/* children of targets become targets (watch -- COMMAND) */
	/*
	 * A group, at most one: who is in this cgroup (which must stay open) or below it, or every
	 * process. A member is watched from its first event on.
	 */
	const struct headway_cgroup *cgroup;
	bool all;
	/* More events a second than this in a window, and the probes rest. 0: never. */
	uint64_t max_rate;
	/* So for trylocks alone, if all is calm (NULL: always); they are peeked at. */
	uint64_t max_tries;
	bool (*calm)(void *arg);
	uint64_t window_ns;
	uint64_t interval_ns;
	/*
	 * Of all processes of the system: let one go that made no event for so long, unless it is
	 * to be kept. It is back at its next event.
	 */
	uint64_t quiet_ns;
	bool (*keep)(void *arg, pid_t pid);	/* may be NULL */
	void *arg;			/* of both */
};

/* What is known of the members of a group. */
struct headway_probe_group {
	size_t seen;			/* processes that entered, ever */
	size_t now;			/* watched at the last snapshot */
	size_t most;			/* at any */
	size_t without_trylock;		/* of `now`: no glibc whose trylock could be probed */
	size_t left_out;		/* at the last snapshot: there is no room for them */
	size_t bits32;			/* 32-bit programs, unseen; the most at one time */
	bool removed;			/* the cgroup was */
};

/*
 * All return 0 or a negative errno and leave one readable sentence (what happened, what to do) in
 * headway_probe_error().
 */
int headway_probe_open(struct headway_probe **out, const struct headway_probe_options *opts);
int headway_probe_add_pid(struct headway_probe *p, pid_t pid);	/* -ESRCH: no such process */
/*
 * Before _attach: those who are members of the group now. The snapshots' target_exited is then true
 * when the cgroup was removed, or never. Nothing to do without a group.
 */
int headway_probe_add_group(struct headway_probe *p);
const struct headway_probe_group *headway_probe_group(const struct headway_probe *p);
/*
 * Before _attach. That fails when a marker can never be found; one that COMMAND may yet map is
 * looked for at each snapshot, and is missing (HEADWAY_PROBE_MARKERS) until then.
 */
int headway_probe_add_marker(struct headway_probe *p, const struct headway_marker_spec *spec);
int headway_probe_attach(struct headway_probe *p);
/* Right after a command was started: do not wait for a snapshot to see what it is. */
void headway_probe_follow_exec(struct headway_probe *p);
/* Fills *snap with arrays that the next call and _close reuse or free. */
int headway_probe_snapshot(struct headway_probe *p, struct headway_snapshot *snap);
/* Not to be told from the last snapshot: will nothing be counted until the next? */
bool headway_probe_rests(const struct headway_probe *p);
/* Or only no trylock, but in peeks. */
bool headway_probe_tries_rest(const struct headway_probe *p);
/* CLOCK_MONOTONIC, when headway_probe_end_peek() is due, before the next snapshot; 0: it is not. */
uint64_t headway_probe_peek_end(const struct headway_probe *p);
void headway_probe_end_peek(struct headway_probe *p);
/* It is no longer calm: if trylock rests, that ends now and not at the next snapshot. */
void headway_probe_break_rest(struct headway_probe *p);
/*
 * How long waits have taken since the watch began, of the processes in the last snapshot: sorted,
 * and valid until the next call. Nothing without wait_histograms.
 */
int headway_probe_wait_times(struct headway_probe *p, const struct headway_snapshot *snap,
			     struct headway_times *out);
/* Frames of a stack id, innermost first; returns their number, 0 when unknown. */
int headway_probe_stack(struct headway_probe *p, int32_t stack_id, uint64_t *ips, int max);
/* Is one link used for all sites of a file? Else each site has an event, slow to detach. */
bool headway_probe_uprobe_multi(const struct headway_probe *p);
/* Bit set of enum headway_probe_id, and why each is missing. */
const char *headway_probe_missing_reason(const struct headway_probe *p, enum headway_probe_id id);
const char *headway_probe_error(const struct headway_probe *p);
struct headway_probe_memory {
	uint32_t processes;		/* there is room for so many */
	uint32_t threads;
	uint64_t bytes;			/* of the kernel, for all maps */
};

void headway_probe_memory(const struct headway_probe *p, struct headway_probe_memory *m);
void headway_probe_close(struct headway_probe *p);

#endif /* HEADWAY_PROBE_H */

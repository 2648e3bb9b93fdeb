// SPDX-License-Identifier: GPL-2.0
/*
 * probe_events.c - rare events, by the ring buffer: a target has called exec, or has a child.
 *
 * Invariant: after headway_probe_take_events() each child that is watched is among p->targets, even
 * when the event that told of it was lost.
 */
#define _GNU_SOURCE
#include "probe_maps.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct headway_target *target_by_key(struct headway_probe *p, uint32_t key_tgid)
{
	size_t i;

	for (i = 0; i < p->nr_targets; i++)
		if (p->targets[i].key_tgid == key_tgid && !p->targets[i].exited)
			return &p->targets[i];
	return NULL;
}

/* Whatever was known of its program is of another one. */
static void forget_program(struct headway_probe *p, struct headway_target *t)
{
	t->trylock_found = false;
	t->exe_ino = 0;
	t->markers = 0;
	t->markers_due = true;
	t->go = HEADWAY_GO_UNKNOWN;
	t->goid_offset = 0;
	t->tries_hidden = false;
	t->language_looks = 0;
	if (headway_proc_is_32bit(t->pid)) {
		p->missing |= 1u << HEADWAY_PROBE_FUTEX;
		snprintf(p->reason[HEADWAY_PROBE_FUTEX], sizeof(p->reason[HEADWAY_PROBE_FUTEX]),
			 "process %d now runs a 32-bit program, whose calls are not seen", t->pid);
	}
}

static int admit_child(struct headway_probe *p, pid_t pid, uint32_t key)
{
	int err = headway_probe_target_add(p, pid, key, true);

	if (err == -E2BIG)
		return headway_probe_leave_out(p, &(struct headway_outsider){
			.pid = pid, .key_tgid = key });
	return err == -ENOMEM ? err : 0;
}

static int on_event(void *ctx, void *data, size_t len)
{
	const struct headway_event *e = data;
	struct headway_probe *p = ctx;
	struct headway_target *t;

	if (len < sizeof(*e))
		return 0;
	t = target_by_key(p, e->tgid);
	if (e->type == HEADWAY_EVENT_EXEC && t)
		forget_program(p, t);
	else if (e->type == HEADWAY_EVENT_FORK)
		/* In the targets map, where it fits; one that ended meanwhile is of no use here. */
		return admit_child(p, (pid_t)e->arg, e->tid);
	return 0;
}

int headway_probe_open_ring(struct headway_probe *p)
{
	p->ring = ring_buffer__new(headway_probe_map(p, "ring"), on_event, p, NULL);
	if (!p->ring)
		return headway_probe_fail(p, -errno, "cannot map the event ring: %s",
					  strerror(errno));
	return 0;
}

/* One in the map of targets of whom no event has told. */
static int take_child(void *arg, const void *key, const void *value)
{
	struct headway_probe *p = arg;
	uint32_t tgid, pid;

	memcpy(&tgid, key, sizeof(tgid));
	memcpy(&pid, value, sizeof(pid));
	return target_by_key(p, tgid) ? 0 : admit_child(p, (pid_t)pid, tgid);
}

/* The map of targets tells who was born; that one called exec must be taken to be so of all. */
static int make_good_for_lost(struct headway_probe *p)
{
	uint64_t counters[HEADWAY_NR_COUNTERS];
	int err = headway_raw_counters(p, counters);

	if (err || counters[HEADWAY_CNT_LOST_RINGBUF] == p->lost_events)
		return err;
	p->lost_events = counters[HEADWAY_CNT_LOST_RINGBUF];
	for (size_t i = 0; i < p->nr_targets; i++)
		if (!p->targets[i].exited)
			forget_program(p, &p->targets[i]);
	/* Members of a group are found there anyway (probe_group.c). */
	if (!p->opts.follow_forks)
		return 0;
	return headway_read_map(headway_probe_map(p, "targets"), sizeof(uint32_t), sizeof(uint32_t),
				take_child, p);
}

int headway_probe_take_events(struct headway_probe *p)
{
	int err;

	if (!p->ring)
		return 0;
	err = ring_buffer__consume(p->ring);
	if (err >= 0)
		err = make_good_for_lost(p);
	return err ? err : headway_probe_retry_outsiders(p, false, admit_child);
}

void headway_probe_follow_exec(struct headway_probe *p)
{
	if (p->ring)
		ring_buffer__consume(p->ring);
	for (size_t i = 0; i < p->nr_targets; i++)
		if (!p->targets[i].trylock_found && !p->targets[i].forked)
			headway_probe_attach_uprobes(p, &p->targets[i]);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * probe_marker_event.c - markers that are system calls or tracepoints.
 *
 * First choice are the tracepoints of tracefs, where only the named event costs anything. Where
 * tracefs cannot be had, raw tracepoints do: all system calls pass then, or one of a few slots.
 */
#define _GNU_SOURCE
#include "probe_marker.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "headway.skel.h"

/* Sizes of what is in bpf/marker.bpf.h. */
#define RAW_SLOTS	(sizeof(((struct headway_bpf__bss *)0)->mark_of_raw) / sizeof(__u32))
#define MARKED_CALLS	(sizeof(((struct headway_bpf__bss *)0)->mark_of_exit))

static int refused(struct headway_probe *p, const struct headway_marker_spec *s, int err)
{
	if (err == -EPERM || err == -EACCES)
		return headway_probe_fail(p, err,
			"marker '%s': not permitted: run as root, or with CAP_BPF and CAP_PERFMON",
			s->text);
	/* A program hangs on an event once. */
	if (err == -EEXIST)
		return headway_probe_fail(p, err,
			"marker '%s': that event is a marker already: name it once", s->text);
	return headway_probe_fail(p, err, "marker '%s': cannot attach: %s", s->text,
				  strerror(-err));
}

/* Progress is a call that succeeded, an attempt one that began. */
static int attach_raw_call(struct headway_probe *p, const struct headway_marker_spec *s,
			   uint32_t marker)
{
	bool exit = s->role == HEADWAY_MARKER_PROGRESS;
	__u8 *slots = exit ? p->skel->bss->mark_of_exit : p->skel->bss->mark_of_enter;
	bool first = true;
	size_t i;
	int err = 0;

	if ((size_t)s->syscall_nr >= MARKED_CALLS)
		return headway_probe_fail(p, -EINVAL, "marker '%s': system call %d is not known",
					  s->text, s->syscall_nr);
	for (i = 0; i < MARKED_CALLS; i++)
		first &= !slots[i];
	slots[s->syscall_nr] = (__u8)(marker + 1);
	if (first)
		err = headway_probe_attach_raw(p, exit ? "sys_exit" : "sys_enter",
					       exit ? "headway_mark_raw_exit" :
						      "headway_mark_raw_enter");
	return err ? refused(p, s, err) : 0;
}

/* Some are named otherwise in the kernel: sys_newfstat, sys_newuname. */
static int call_id(int tracefs, const struct headway_marker_spec *s)
{
	const char *end = s->role == HEADWAY_MARKER_PROGRESS ? "exit" : "enter";
	char event[HEADWAY_MARKER_NAME_LEN + 16];
	int id;

	snprintf(event, sizeof(event), "sys_%s_%s", end, s->name);
	id = headway_probe_tracepoint_id(tracefs, "syscalls", event);
	if (id != -ENOENT)
		return id;
	snprintf(event, sizeof(event), "sys_%s_new%s", end, s->name);
	return headway_probe_tracepoint_id(tracefs, "syscalls", event);
}

static int attach_call(struct headway_probe *p, const struct headway_marker_spec *s,
		       uint32_t marker, int tracefs)
{
	bool exit = s->role == HEADWAY_MARKER_PROGRESS;
	int id = tracefs < 0 ? tracefs : call_id(tracefs, s), err;

	if (id < 0)
		return attach_raw_call(p, s, marker);
	err = headway_probe_attach_id(p, id, exit ? "headway_mark_syscall_exit" :
						    "headway_mark_tracepoint", marker);
	return err ? refused(p, s, err) : 0;
}

/* What is similar, in its category; or that there is no such category. */
static int no_tracepoint(struct headway_probe *p, const struct headway_marker_spec *s, int tracefs)
{
	struct headway_near near = { .wanted = s->name };
	char path[HEADWAY_MARKER_NAME_LEN + 16], hint[512];
	struct dirent *entry;
	bool category = false;
	DIR *dir = NULL;
	int fd;

	snprintf(path, sizeof(path), "events/%s", s->group);
	fd = openat(tracefs, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		dir = fdopendir(fd);
	category = dir;
	if (!dir) {
		near.wanted = s->group;
		fd = openat(tracefs, "events", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		dir = fd >= 0 ? fdopendir(fd) : NULL;
	}
	while (dir && (entry = readdir(dir)))
		headway_near_offer(&near, entry->d_name);
	if (dir)
		closedir(dir);
	return headway_probe_fail(p, -ENOENT,
		"marker '%s': this kernel has no tracepoint %s %s%s (ls /sys/kernel/tracing/events lists them)",
		s->text, category ? "of that name in" : "category", s->group,
		headway_near_say(&near, hint, sizeof(hint)));
}

static int attach_raw_event(struct headway_probe *p, const struct headway_marker_spec *s,
			    uint32_t marker)
{
	static size_t used;
	char program[32];
	int err;

	if (used == RAW_SLOTS)
		return headway_probe_fail(p, -E2BIG,
			"marker '%s': without tracefs no more than %zu tracepoints can be markers; run as root",
			s->text, RAW_SLOTS);
	p->skel->bss->mark_of_raw[used] = marker;
	snprintf(program, sizeof(program), "headway_mark_raw_%zu", used);
	err = headway_probe_attach_raw(p, s->name, program);
	if (err == -ENOENT)
		return headway_probe_fail(p, err, "marker '%s': this kernel has no tracepoint %s",
					  s->text, s->name);
	if (err)
		return refused(p, s, err);
	used++;
	return 0;
}

static int attach_tracepoint(struct headway_probe *p, const struct headway_marker_spec *s,
			     uint32_t marker, int tracefs)
{
	int id = tracefs < 0 ? -EACCES :
		 headway_probe_tracepoint_id(tracefs, s->group, s->name), err;

	if (id == -ENOENT)
		return no_tracepoint(p, s, tracefs);
	if (id < 0)
		return attach_raw_event(p, s, marker);
	err = headway_probe_attach_id(p, id, "headway_mark_tracepoint", marker);
	return err ? refused(p, s, err) : 0;
}

int headway_probe_attach_event(struct headway_probe *p, const struct headway_marker_spec *spec,
			       uint32_t marker)
{
	int tracefs = headway_probe_tracefs(), err;

	if (spec->kind == HEADWAY_MARKER_SYSCALL)
		err = attach_call(p, spec, marker, tracefs);
	else
		err = attach_tracepoint(p, spec, marker, tracefs);
	if (tracefs >= 0)
		close(tracefs);
	return err;
}

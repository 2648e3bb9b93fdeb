/* SPDX-License-Identifier: GPL-2.0 */
/*
 * marker.h - what a marker is: the SPEC of --progress and --attempt, parsed. PURE.
 *
 *	uprobe:PATH:SYMBOL[+OFFSET]	usdt:PATH:PROVIDER:NAME
 *	syscall:NAME			tracepoint:CATEGORY:NAME
 */
#ifndef HEADWAY_MARKER_H
#define HEADWAY_MARKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "headway_abi.h"

enum headway_marker_kind {
	HEADWAY_MARKER_UPROBE,
	HEADWAY_MARKER_USDT,
	HEADWAY_MARKER_SYSCALL,
	HEADWAY_MARKER_TRACEPOINT,
};

struct headway_marker_spec {
	enum headway_marker_kind kind;
	enum headway_marker_role role;
	char text[HEADWAY_MARKER_NAME_LEN];	/* as it was given */
	char path[HEADWAY_MARKER_NAME_LEN];	/* uprobe, usdt; "": the target's executable */
	char group[HEADWAY_MARKER_NAME_LEN];	/* usdt: provider; tracepoint: category */
	char name[HEADWAY_MARKER_NAME_LEN];	/* symbol, probe, system call, event */
	uint64_t offset;			/* uprobe */
	int syscall_nr;				/* syscall */
};

/* 0, or -EINVAL and a sentence that says what is wrong and what to write instead. */
int headway_marker_parse(const char *text, enum headway_marker_role role,
			 struct headway_marker_spec *out, char *why, size_t len);
/* Of the native system calls; -1: there is none of that name. */
int headway_marker_syscall(const char *name);

/*
 * The names nearest to one that was not found: those that contain it, and those that a few typing
 * errors would turn into it. Fed one by one; keeps the best.
 */
enum { HEADWAY_NEAR_NAMES = 3 };

struct headway_near {
	const char *wanted;
	int score[HEADWAY_NEAR_NAMES];		/* lower is nearer */
	char name[HEADWAY_NEAR_NAMES][HEADWAY_MARKER_NAME_LEN];
	unsigned int nr;
};

void headway_near_offer(struct headway_near *n, const char *name);
/* ": did you mean A, B or C?", or "". */
const char *headway_near_say(const struct headway_near *n, char *out, size_t len);

#endif /* HEADWAY_MARKER_H */

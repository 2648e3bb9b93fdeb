/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kernel_names.h - what the numbers in a finding about the kernel stand for. PURE.
 *
 * headway.ko gives names and stacks as text and shows no address, so locks and stacks get numbers
 * here, and the views turn them back as they do those of a process (names.h).
 */
#ifndef HEADWAY_KERNEL_NAMES_H
#define HEADWAY_KERNEL_NAMES_H

#include "finding.h"
#include "names.h"

enum {
	HEADWAY_KERNEL_LOCKS = HEADWAY_FINDING_LOCKS + HEADWAY_FINDING_ACTORS,
	HEADWAY_KERNEL_NOTES = 4,
};

struct headway_kernel_lock {
	char name[64];
	uint32_t owner_tid;		/* tells locks of one name apart; 0 nobody */
};

struct headway_kernel_stack {
	int nr;
	char frames[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN];
};

/* Of one finding. Large: not for the stack. */
struct headway_kernel_names {
	unsigned int nr_locks;
	struct headway_kernel_lock locks[HEADWAY_KERNEL_LOCKS];
	int nr_stacks;
	struct headway_kernel_stack stacks[HEADWAY_FINDING_ACTORS];
	struct headway_kernel_stack notes;
};

/* For the next finding. */
void headway_kernel_names_clear(struct headway_kernel_names *n);
/* The lock's number, new or old; 0 when there is no room. */
uint64_t headway_kernel_names_lock(struct headway_kernel_names *n, const char *name,
				   uint32_t owner_tid);
/* The stack's number; -1: it is empty ("" or "-"), or there is no room. */
int32_t headway_kernel_names_stack(struct headway_kernel_names *n, const char *text,
				   const char *separator);
void headway_kernel_names_note(struct headway_kernel_names *n, const char *note);
/* As the views want it; good as long as n. */
struct headway_name_source headway_kernel_names_source(struct headway_kernel_names *n);

#endif /* HEADWAY_KERNEL_NAMES_H */

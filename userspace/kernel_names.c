// SPDX-License-Identifier: GPL-2.0
/*
 * kernel_names.c - names of locks, and stacks, of a finding about the kernel. PURE.
 *
 * Invariant: nothing is longer than its array, however long the module's words are.
 */
#include "kernel_names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void headway_kernel_names_clear(struct headway_kernel_names *n)
{
	n->nr_locks = 0;
	n->nr_stacks = 0;
	n->notes.nr = 0;
}

uint64_t headway_kernel_names_lock(struct headway_kernel_names *n, const char *name,
				   uint32_t owner_tid)
{
	struct headway_kernel_lock lock = { .owner_tid = owner_tid };
	unsigned int i;

	snprintf(lock.name, sizeof(lock.name), "%s", name);
	for (i = 0; i < n->nr_locks; i++)
		if (!strcmp(n->locks[i].name, lock.name) && n->locks[i].owner_tid == owner_tid)
			return i + 1;
	if (i == HEADWAY_KERNEL_LOCKS)
		return 0;
	n->locks[n->nr_locks++] = lock;
	return i + 1;
}

int32_t headway_kernel_names_stack(struct headway_kernel_names *n, const char *text,
				   const char *separator)
{
	struct headway_kernel_stack *s = &n->stacks[n->nr_stacks];
	size_t len;

	if (!*text || !strcmp(text, "-") || n->nr_stacks == HEADWAY_FINDING_ACTORS)
		return -1;
	for (s->nr = 0; s->nr < HEADWAY_STACK_DEPTH; text += strlen(separator)) {
		const char *end = strstr(text, separator);

		len = end ? (size_t)(end - text) : strlen(text);
		if (len)
			snprintf(s->frames[s->nr++], HEADWAY_NAME_LEN, "%.*s", (int)len, text);
		text += len;
		if (!end)
			break;
	}
	return s->nr ? n->nr_stacks++ : -1;
}

void headway_kernel_names_note(struct headway_kernel_names *n, const char *note)
{
	if (n->notes.nr < HEADWAY_KERNEL_NOTES)
		snprintf(n->notes.frames[n->notes.nr++], HEADWAY_NAME_LEN, "%s", note);
}

static int lock_name(void *ctx, pid_t pid, uint64_t addr, char *name, size_t len)
{
	const struct headway_kernel_names *n = ctx;

	(void)pid;
	if (!addr || addr > n->nr_locks)
		return -ENOENT;
	snprintf(name, len, "%s", n->locks[addr - 1].name);
	return 0;
}

static int stack_frames(void *ctx, pid_t pid, int32_t stack_id,
			char frames[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN])
{
	const struct headway_kernel_names *n = ctx;
	const struct headway_kernel_stack *s;

	(void)pid;
	if (stack_id == HEADWAY_STACK_OF_NOTES)
		s = &n->notes;
	else if (stack_id >= 0 && stack_id < n->nr_stacks)
		s = &n->stacks[stack_id];
	else
		return 0;
	memcpy(frames, s->frames, (size_t)s->nr * sizeof(s->frames[0]));
	return s->nr;
}

struct headway_name_source headway_kernel_names_source(struct headway_kernel_names *n)
{
	return (struct headway_name_source){ .lock = lock_name, .stack = stack_frames, .ctx = n };
}

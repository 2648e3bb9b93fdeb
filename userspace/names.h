/* SPDX-License-Identifier: GPL-2.0 */
/*
 * names.h - turns what a finding carries (addresses, stack ids, numbers) into names for a view.
 *
 * Everything that comes out is escaped: safe for a terminal, valid UTF-8.
 */
#ifndef HEADWAY_NAMES_H
#define HEADWAY_NAMES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "headway_abi.h"

enum { HEADWAY_NAME_LEN = 512, HEADWAY_STACK_OF_NOTES = 0x7fffffff };

/* Where names come from: the live target, or a recording. What they give is hostile. */
struct headway_name_source {
	/* 0, or -ENOENT: it has no name. */
	int (*lock)(void *ctx, pid_t pid, uint64_t addr, char *name, size_t len);
	/*
	 * Innermost first; returns their number, 0 when the stack is not known. The notes about
	 * a process travel as the frames of an id of their own, so that recordings have them.
	 */
	int (*stack)(void *ctx, pid_t pid, int32_t stack_id,
		     char frames[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN]);
	void *ctx;
};

struct headway_names;

/* source may be NULL: then nothing has a name. */
struct headway_names *headway_names_new(const struct headway_name_source *source);
/* "mutex_a", or "0x55..." when it has no name. */
void headway_names_lock(struct headway_names *n, pid_t pid, uint64_t addr, char *out, size_t len);
/* "thread 123" or "goroutine 18". Returns out. */
const char *headway_names_thread(uint32_t tid, char *out, size_t len);
/* "read" or "system call 999". */
void headway_names_syscall(int nr, char *out, size_t len);
/*
 * Replaces the tokens of finding.h in a sentence, and "thread" by "goroutine" where it is one, and
 * escapes the rest.
 */
void headway_names_sentence(struct headway_names *n, pid_t pid, const char *sentence, char *out,
			    size_t len);
/* Frames of a stack, innermost first, as "function+0x12 (file.c:34)". Returns their number. */
int headway_names_stack(struct headway_names *n, pid_t pid, int32_t stack_id,
			char frames[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN]);
/* What limits the view of this process, as sentences. Returns their number. */
int headway_names_notes(struct headway_names *n, pid_t pid,
			char notes[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN]);
void headway_names_free(struct headway_names *n);

#endif /* HEADWAY_NAMES_H */

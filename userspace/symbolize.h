/* SPDX-License-Identifier: GPL-2.0 */
/*
 * symbolize.h - names for addresses of another process (elfutils libdwfl).
 */
#ifndef HEADWAY_SYMBOLIZE_H
#define HEADWAY_SYMBOLIZE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct headway_symbolizer;
struct Dwfl;

/* NULL when the process is gone or cannot be read; every call below accepts NULL. */
struct headway_symbolizer *headway_symbolizer_new(pid_t pid);
/*
 * The frames of a return address, into up to `max` strings of `len` bytes: what was inlined there,
 * "function [inlined] (file.c:12)", innermost first, then the function itself, as "function+0x12"
 * or "function+0x12 (file.c:34)", or "0x7f..." when nothing is known. Returns their number.
 * Names come from the target's files: they are hostile until an output escapes them.
 */
int headway_symbolize_frames(struct headway_symbolizer *s, uint64_t addr, char *bufs, size_t len,
			     int max);
/* "global" or "global+off", "0x7f..." when nothing is known; returns 0 or -ENOENT. */
int headway_symbolize_data(struct headway_symbolizer *s, uint64_t addr, char *buf, size_t len);
/* For the unwinder: the library's handle, with the process's present mappings. */
struct Dwfl *headway_symbolizer_dwfl(struct headway_symbolizer *s);
void headway_symbolizer_free(struct headway_symbolizer *s);

#endif /* HEADWAY_SYMBOLIZE_H */

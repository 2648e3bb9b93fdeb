/* SPDX-License-Identifier: GPL-2.0 */
/*
 * escape.h - names from other programs, made safe to print. PURE.
 */
#ifndef HEADWAY_ESCAPE_H
#define HEADWAY_ESCAPE_H

#include <stddef.h>

/*
 * Writes `in` (at most in_len bytes, ends at a NUL) with every byte that could steer a terminal or
 * break an encoding as \xNN: control characters, DEL, what is not UTF-8, and the characters that
 * reorder text or end a line. A backslash becomes \\, so that nothing can pretend to be escaped.
 * Always terminates; what does not fit is cut between characters. Returns out.
 */
char *headway_escape(const char *in, size_t in_len, char *out, size_t out_len);

/*
 * The bytes that headway_escape() was given. Always terminates (out_len must not be 0); -EINVAL,
 * and out is empty, when `in` is not of that form or does not fit.
 */
int headway_unescape(const char *in, char *out, size_t out_len);

#endif /* HEADWAY_ESCAPE_H */

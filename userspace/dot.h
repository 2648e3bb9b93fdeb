/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dot.h - names in the language of Graphviz.
 */
#ifndef HEADWAY_DOT_H
#define HEADWAY_DOT_H

#include <stdio.h>

/* What stands between the quotes of a string; the quotes are the caller's. */
static inline void headway_dot_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putc('\\', out);
		putc(*text, out);
	}
}

#endif /* HEADWAY_DOT_H */

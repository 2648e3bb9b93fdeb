// SPDX-License-Identifier: GPL-2.0
/*
 * demangle.c - C++ and Rust names as their programmers wrote them.
 *
 * GNU's demangler does the work: it knows both of Rust's schemes, and limits its own recursion, for
 * the names are the target's and may be hostile.
 */
#include "demangle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

enum { MANGLED_MAX = 2048 };

void headway_demangle(const char *name, size_t len, char *out, size_t room)
{
	char mangled[MANGLED_MAX], *plain = NULL;

	len = strnlen(name, len);
	/* Only what is mangled for certain: its types have names such as "i" too. */
	if (len < sizeof(mangled) && name[0] == '_' && (name[1] == 'Z' || name[1] == 'R')) {
		memcpy(mangled, name, len);
		mangled[len] = '\0';
		plain = cplus_demangle(mangled, DMGL_ANSI | DMGL_AUTO);
	}
	if (plain)
		snprintf(out, room, "%s", plain);
	else
		snprintf(out, room, "%.*s", (int)(len < room ? len : room), name);
	free(plain);
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sourceline.h - functions, inlined ones too, and source lines of an address, from DWARF.
 */
#ifndef HEADWAY_SOURCELINE_H
#define HEADWAY_SOURCELINE_H

#include <stdint.h>

enum { HEADWAY_SOURCE_FRAMES = 16 };

struct Dwfl_Module;

struct headway_source {
	const char *function;		/* mangled, may be NULL; valid as long as the module */
	const char *file;		/* base name, may be NULL */
	int line;
};

/*
 * Innermost first; the last one is the function that the code belongs to, the others were inlined
 * there. Returns their number, 0 without debug information.
 */
int headway_source_frames(struct Dwfl_Module *mod, uint64_t addr, struct headway_source *out,
			  int max);

#endif /* HEADWAY_SOURCELINE_H */

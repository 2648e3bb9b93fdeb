/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gobinary.h - what there is to probe in a Go program, read from its file.
 *
 * The file belongs to the target and may be hostile or change meanwhile: it is read and not mapped.
 */
#ifndef HEADWAY_GOBINARY_H
#define HEADWAY_GOBINARY_H

#include "gosites.h"

enum { HEADWAY_GOSITES_MAX = 192 };

struct headway_goprobe {
	struct headway_gosite site;
	uint64_t offset;		/* in the file */
	bool own;			/* in the program's own code, not in the standard library */
};

struct headway_gobinary {
	char version[32];		/* "go1.19.8", "" unknown */
	unsigned int goid_offset;	/* in a goroutine's descriptor, 0 unknown */
	bool inlines;			/* inlined calls could be looked for */
	size_t nr;
	size_t total;			/* with those that did not fit */
	struct headway_goprobe probes[HEADWAY_GOSITES_MAX];
};

struct headway_gonames;

/* -ENOENT: not a Go program; otherwise why[] says what is wrong when it is not 0. */
int headway_gobinary_read(const char *path, struct headway_gobinary *b, char *why, size_t len);

/* Names of the functions of a Go program, for one without symbols. NULL: not a Go program. */
struct headway_gonames *headway_gonames_read(int fd);
/* The function at an address as in the file, NULL when there is none. */
const char *headway_gonames_at(const struct headway_gonames *n, uint64_t addr, uint64_t *start);
void headway_gonames_free(struct headway_gonames *n);

#endif /* HEADWAY_GOBINARY_H */

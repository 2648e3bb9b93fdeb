/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gotable.h - reads the table of functions that every Go program carries (.gopclntab). PURE.
 *
 * The runtime needs it for its own stack traces, so it survives `-ldflags="-s -w"` and strip. It
 * has each function's name and extent, and which calls were inlined where. The table belongs to the
 * target and may be hostile: whatever points outside of it is an error, never an access.
 */
#ifndef HEADWAY_GOTABLE_H
#define HEADWAY_GOTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct headway_gobytes {
	const uint8_t *data;
	size_t len;
};

struct headway_gotable {
	struct headway_gobytes all;
	struct headway_gobytes names;		/* terminated strings */
	struct headway_gobytes values;		/* tables of values by address */
	struct headway_gobytes funcs;		/* the index, then the functions */
	struct headway_gobytes data;		/* "go.func.*", not in the table; may be empty */
	uint64_t text;			/* where the offsets count from; 0: not in the table */
	uint32_t nr;
	bool go1_20;				/* layout since Go 1.20 */
};

struct headway_gofunc {
	uint64_t start, end;			/* addresses as in the file */
	const char *name;
	size_t at;				/* its record, in `funcs` */
};

/* An inlined call, for the addresses from start to before end of a function. */
struct headway_goinline {
	uint64_t start, end;
	const char *name;
};

/* -EINVAL: no such table, or a damaged one; -EOPNOTSUPP: older than Go 1.18, or not 64-bit. */
int headway_gotable_open(struct headway_gotable *t, const void *data, size_t len);
/* -EINVAL: damaged; -ENOENT: no function of this number. */
int headway_gotable_func(const struct headway_gotable *t, uint32_t i, struct headway_gofunc *f);
/* The function that an address belongs to, or -ENOENT. */
int headway_gotable_at(const struct headway_gotable *t, uint64_t addr, struct headway_gofunc *f);
/* The innermost inlined call for each range of addresses; stops when each() returns non-zero. */
int headway_gotable_inlines(const struct headway_gotable *t, const struct headway_gofunc *f,
			    int (*each)(void *arg, const struct headway_goinline *in), void *arg);

#endif /* HEADWAY_GOTABLE_H */

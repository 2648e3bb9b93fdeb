/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gosites.h - which instructions of Go code tell what happens to a sync.Mutex. PURE.
 *
 * The compiler inlines TryLock always, Lock and Unlock nearly always, so there is no function to
 * probe; but the inlined code is there, in known ranges, around one locked instruction each.
 */
#ifndef HEADWAY_GOSITES_H
#define HEADWAY_GOSITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "headway_gostate.h"

enum headway_gocall {
	HEADWAY_GOCALL_LOCK,
	HEADWAY_GOCALL_TRYLOCK,
	HEADWAY_GOCALL_UNLOCK,
	HEADWAY_GOCALL_LOCK_SLOW,	/* the function itself, never inlined */
};

/* Addresses that belong to one of these functions, inlined or not. */
struct headway_gospan {
	uint64_t start, end;
	enum headway_gocall call;
};

/* Other registers are by their number in the instruction set. */
enum headway_goreg {
	HEADWAY_GO_REG_IP = 16,
	HEADWAY_GO_REG_NONE = 31,
};

struct headway_gosite {
	uint64_t addr;
	uint8_t kind;			/* enum headway_gosite_kind */
	uint8_t base, index;		/* registers */
	uint8_t scale;			/* log2 */
	bool inverted;			/* ZF clear means yes */
	int32_t disp;
};

/*
 * Looks through one function's code at `addr`. Calls add() for each site, stops when it returns
 * non-zero and returns that. -EOPNOTSUPP: built without a disassembler (capstone).
 */
int headway_gosites_scan(const uint8_t *code, size_t len, uint64_t addr,
			 const struct headway_gospan *spans, size_t nr_spans,
			 int (*add)(void *arg, const struct headway_gosite *site), void *arg);
uint64_t headway_gosite_cookie(const struct headway_gosite *site, unsigned int slot,
			       unsigned int goid_offset);

#endif /* HEADWAY_GOSITES_H */

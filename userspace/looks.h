/* SPDX-License-Identifier: GPL-2.0 */
/*
 * looks.h - when a watch looks at its targets. PURE.
 */
#ifndef HEADWAY_LOOKS_H
#define HEADWAY_LOOKS_H

#include <stdint.h>

struct headway_looks {
	uint64_t begin_ns;
	uint64_t end_ns;		/* of the watch; 0: none */
	double interval_ns;
	uint64_t nr;			/* the next one's number; the first look is at begin_ns */
};

/* When to look next, after now_ns. Looks that are late already are skipped. */
uint64_t headway_looks_next(struct headway_looks *l, uint64_t now_ns);

#endif /* HEADWAY_LOOKS_H */

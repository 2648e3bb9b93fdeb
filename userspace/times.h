/* SPDX-License-Identifier: GPL-2.0 */
/*
 * times.h - how long the waits of a process at a word took: counts by powers of two.
 */
#ifndef HEADWAY_TIMES_H
#define HEADWAY_TIMES_H

#include <stddef.h>
#include <stdint.h>

enum { HEADWAY_WAIT_BUCKETS = 32 };

struct headway_wait_times {
	uint32_t pid;
	uint64_t addr;
	uint64_t buckets[HEADWAY_WAIT_BUCKETS];	/* [2^k, 2^(k+1)) ns, the last without end */
};

struct headway_times {
	size_t nr;
	const struct headway_wait_times *times;	/* sorted by pid, addr */
	uint64_t lost;			/* waits that found no room */
};

#endif /* HEADWAY_TIMES_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * broken.h - breakages of the module's own code, for the negative controls of tests/torture.
 *
 * A test that cannot fail shows nothing, so torture must catch these. In a module as it is built
 * for use headway_broken() is the constant false and the compiler drops what depends on it. Only
 * with HEADWAY_BROKEN=y is it a bit of a word that the torture module sets.
 */
#ifndef HEADWAY_BROKEN_H
#define HEADWAY_BROKEN_H

enum headway_broken {
	HEADWAY_BROKEN_WAKEUP,		/* a release does not wake the first waiter */
	HEADWAY_BROKEN_WOUND,		/* a wounded transaction goes on */
	HEADWAY_BROKEN_TICKET,		/* a retry gets a new ticket */
	HEADWAY_BROKEN_QUEUE,		/* a retry does not wait where it lost */
	HEADWAY_BROKEN_KEEP,		/* a set that fails keeps what it took */
	HEADWAY_BROKEN_SIGNAL,		/* every wait can be interrupted */
	HEADWAY_BROKEN_COUNT,		/* conflicts are not counted */
};

#ifdef HEADWAY_BROKEN
#include <linux/bits.h>
#include <linux/compiler.h>

extern unsigned long headway_broken_mask;
#define headway_broken(what) (READ_ONCE(headway_broken_mask) & BIT(HEADWAY_BROKEN_##what))
#else
#define headway_broken(what) false
#endif

#endif /* HEADWAY_BROKEN_H */

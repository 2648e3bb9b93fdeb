/* SPDX-License-Identifier: GPL-2.0 */
/* rollbacks.h - what the two halves of the example share. */
#ifndef HEADWAY_EXAMPLE_ROLLBACKS_H
#define HEADWAY_EXAMPLE_ROLLBACKS_H

#define NAME_MAX_BYTES 32

struct place {
	char domain[NAME_MAX_BYTES];
	char lock[NAME_MAX_BYTES];
};

struct tally {
	unsigned long long rollbacks;
	unsigned long long wounded;	/* of them: told to by an older transaction */
	unsigned int restarts_max;
	unsigned int unused;
};

#endif

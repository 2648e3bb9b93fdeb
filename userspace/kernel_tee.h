/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kernel_tee.h - a source of a watch of the kernel whose answers are written into a recording.
 */
#ifndef HEADWAY_KERNEL_TEE_H
#define HEADWAY_KERNEL_TEE_H

#include "kernel_reader.h"
#include "recwriter.h"

struct headway_kernel_tee {
	struct headway_kernel_reader from;
	struct headway_recwriter *out;
	bool looking;			/* else what is asked for is no part of the watch */
	size_t bytes;			/* of text in this look */
	/*
	 * So often, and at the first look, what no verdict hangs on is kept too, for a report: the
	 * locks and transactions of domains. 0: never.
	 */
	uint64_t detail_ns;
	uint64_t next_detail_ns;	/* when they are kept again; of the look's clock */
	unsigned int details_left;	/* domains that have room in this look */
};

/* What tee->from says; good as long as tee. */
struct headway_kernel_reader headway_kernel_tee_reader(struct headway_kernel_tee *tee);

#endif /* HEADWAY_KERNEL_TEE_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kernel_live.h - headway.ko's files in debugfs, and the threads that they name, as they are now.
 */
#ifndef HEADWAY_KERNEL_LIVE_H
#define HEADWAY_KERNEL_LIVE_H

#include "kernel_reader.h"
#include "kernelfs.h"

struct headway_kernel_live {
	struct headway_kernelfs kfs;
};

/* Finds debugfs. 0 or a negative errno, and a sentence in live->kfs.error. */
int headway_kernel_live_open(struct headway_kernel_live *live);
/* Is there a domain or a loop of this name? -ENOENT, and which domains there are. */
int headway_kernel_live_check(struct headway_kernel_live *live, const char *name);
/* Good as long as live. */
struct headway_kernel_reader headway_kernel_live_reader(struct headway_kernel_live *live);
void headway_kernel_live_close(struct headway_kernel_live *live);

#endif /* HEADWAY_KERNEL_LIVE_H */

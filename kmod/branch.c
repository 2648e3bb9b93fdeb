// SPDX-License-Identifier: GPL-2.0
/*
 * branch.c - how often each branch was taken, and how long a stall takes; only in a module built
 * with HEADWAY_TORTURE=y. See branch.h.
 */
#include <linux/module.h>

#include "branch.h"

unsigned long headway_branch_counts[HEADWAY_NR_BRANCHES];
EXPORT_SYMBOL_GPL(headway_branch_counts);

unsigned int headway_stall_ns;
EXPORT_SYMBOL_GPL(headway_stall_ns);

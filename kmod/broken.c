// SPDX-License-Identifier: GPL-2.0
/*
 * broken.c - which breakages are on; only in a module built with HEADWAY_BROKEN=y. See broken.h.
 */
#include <linux/module.h>

#include "broken.h"

unsigned long headway_broken_mask;
EXPORT_SYMBOL_GPL(headway_broken_mask);

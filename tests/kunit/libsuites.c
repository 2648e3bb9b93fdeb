// SPDX-License-Identifier: GPL-2.0
/*
 * libsuites.c - the module's list of suites.
 *
 * Kbuild makes HEADWAY_SUITES, X(lock) X(txn) ..., from the directory: every file AREA_kunit.c
 * defines headway_AREA_suite. So a suite cannot be written and forgotten.
 */
#include <linux/module.h>

#include "lab.h"

#if !IS_ENABLED(CONFIG_KUNIT)
#include "kunit_shim.c"
#endif

/* The last name is there for the last comma only. */
#define X(area) headway_##area##_suite,
extern struct kunit_suite HEADWAY_SUITES headway_no_suite;
#undef X

#define X(area) &headway_##area##_suite,
kunit_test_suites(HEADWAY_SUITES);
#undef X

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Headway: KUnit suites");

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * report_live.h - what a recording does not have of a live watch: what was found in the kernel.
 */
#ifndef HEADWAY_REPORT_LIVE_H
#define HEADWAY_REPORT_LIVE_H

#include "guest.h"

struct headway_report_live;
struct json_object;

/* NULL: no memory; the functions below take it. */
struct headway_report_live *headway_report_live_new(void);
/* Who collects during the watch. */
struct headway_guest headway_report_live_guest(struct headway_report_live *live);
/* Adds the findings to an array, their times as the others' are; began_ns: CLOCK_MONOTONIC. */
void headway_report_live_findings(const struct headway_report_live *live, uint64_t began_ns,
				  struct json_object *array);
void headway_report_live_free(struct headway_report_live *live);

#endif /* HEADWAY_REPORT_LIVE_H */

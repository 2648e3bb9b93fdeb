/* SPDX-License-Identifier: GPL-2.0 */
/*
 * report_kernel.h - what a report has beside that of processes: what was found in the kernel.
 */
#ifndef HEADWAY_REPORT_KERNEL_H
#define HEADWAY_REPORT_KERNEL_H

#include "finding.h"
#include "names.h"

struct headway_report_kernel;
struct json_object;

/* NULL: no memory; the functions below take it. */
struct headway_report_kernel *headway_report_kernel_new(void);
/* One that came at this time, of CLOCK_MONOTONIC. */
void headway_report_kernel_add(struct headway_report_kernel *k, const struct headway_finding *f,
			       struct headway_names *names, uint64_t now_ns);
/* Adds the findings to an array, their times as the others' are; began_ns: CLOCK_MONOTONIC. */
void headway_report_kernel_findings(const struct headway_report_kernel *k, uint64_t began_ns,
				  struct json_object *array);
void headway_report_kernel_free(struct headway_report_kernel *k);

#endif /* HEADWAY_REPORT_KERNEL_H */

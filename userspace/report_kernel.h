/* SPDX-License-Identifier: GPL-2.0 */
/*
 * report_kernel.h - what a report has beside that of processes: what the kernel's domains and
 * watched loops did in the columns of the report, and what was found in them.
 */
#ifndef HEADWAY_REPORT_KERNEL_H
#define HEADWAY_REPORT_KERNEL_H

#include "finding.h"
#include "kernel_watch.h"
#include "names.h"
#include "report.h"

struct headway_report_kernel;
struct json_object;

/* In words, of any source; null where there are none. */
struct json_object *headway_report_meaning(enum headway_verdict v);
/* NULL: no memory; the functions below take it. */
struct headway_report_kernel *headway_report_kernel_new(void);
/* One that came at this time, of the report's clock. */
void headway_report_kernel_add(struct headway_report_kernel *k, const struct headway_finding *f,
			       struct headway_names *names, uint64_t now_ns);
/*
 * After each look, and after the report took in the interval before it: what was done since, and
 * whether what was found still holds. now_ns: of the report's clock. 0 or -ENOMEM.
 */
int headway_report_kernel_look(struct headway_report_kernel *k, struct headway_report *r,
			       struct headway_kernel_watch *w, uint64_t now_ns);
/* An array of the domains and loops, each with a value for each column; the caller puts it. */
struct json_object *headway_report_kernel_domains(const struct headway_report_kernel *k,
						  const struct headway_report *r);
/*
 * Adds their locks, the waits at them and the stacks to a report, which may have its own: "locks",
 * "edges" and "stacks".
 */
void headway_report_kernel_add_locks(const struct headway_report_kernel *k,
				     const struct headway_report *r, struct json_object *report);
/* How many of them, in how many columns, had no room. */
uint64_t headway_report_kernel_left_out(const struct headway_report_kernel *k);
/* Adds the findings to an array, their times as the others' are; began_ns: the report's. */
void headway_report_kernel_findings(const struct headway_report_kernel *k, uint64_t began_ns,
				  struct json_object *array);
void headway_report_kernel_free(struct headway_report_kernel *k);

#endif /* HEADWAY_REPORT_KERNEL_H */

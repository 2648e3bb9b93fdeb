/* SPDX-License-Identifier: GPL-2.0 */
/*
 * report_kernel_locks.h - the locks of the kernel's domains in a report, who waited for whom at
 * them, and where: as the module's files told it whenever the watch has read them.
 *
 * It is bounded; what has no room is counted.
 */
#ifndef HEADWAY_REPORT_KERNEL_LOCKS_H
#define HEADWAY_REPORT_KERNEL_LOCKS_H

#include "finding.h"
#include "logfmt.h"
#include "names.h"
#include "report.h"

struct headway_report_kernel_locks;
struct json_object;

/* NULL: no memory. */
struct headway_report_kernel_locks *headway_report_kernel_locks_new(void);
/* The columns of the report became half as many. */
void headway_report_kernel_locks_halve(struct headway_report_kernel_locks *k);
/*
 * The file `locks` of a domain. What was counted since the reading before is of the report's
 * columns since then. 0 or -ENOMEM.
 */
int headway_report_kernel_locks_take(struct headway_report_kernel_locks *k,
				     const struct headway_report *r, const char *domain,
				     const struct headway_text *locks);
/* The file `transactions` of a domain. */
void headway_report_kernel_locks_waits(struct headway_report_kernel_locks *k, const char *domain,
				       const struct headway_text *transactions);
/* Where the threads of a finding were. */
void headway_report_kernel_locks_finding(struct headway_report_kernel_locks *k,
					 const struct headway_finding *f,
					 struct headway_names *names);
/* Adds them to "locks", "edges" and "stacks" of a report, to "locks_total" and "left_out". */
void headway_report_kernel_locks_json(const struct headway_report_kernel_locks *k,
				      const struct headway_report *r, struct json_object *report);
void headway_report_kernel_locks_free(struct headway_report_kernel_locks *k);

#endif /* HEADWAY_REPORT_KERNEL_LOCKS_H */

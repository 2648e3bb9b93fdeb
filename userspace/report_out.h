/* SPDX-License-Identifier: GPL-2.0 */
/*
 * report_out.h - the forms of a report. They print what report.h has collected.
 */
#ifndef HEADWAY_REPORT_OUT_H
#define HEADWAY_REPORT_OUT_H

#include <stdio.h>

#include "out.h"
#include "recording.h"
#include "report.h"
#include "report_kernel.h"

/* How much of a report is shown; the rest is counted. */
enum headway_report_shown {
	HEADWAY_SHOWN_ACTORS = 200,
	HEADWAY_SHOWN_LOCKS = 500,
	HEADWAY_SHOWN_STACKS = 1000,
	HEADWAY_SHOWN_EDGES = 200,
};

struct headway_report_view {
	const struct headway_report *report;
	struct headway_names *names;
	const struct headway_summary *summary;
	const struct headway_recording_header *header;
	const struct headway_report_kernel *kernel;	/* NULL: nothing of it */
};

/* All return 0, -ENOMEM or -EIO. */
/* One page of HTML; -ENOSYS: this program was built without it. */
int headway_report_page(FILE *out, const struct headway_report_view *v);
/* Trace events in JSON, which ui.perfetto.dev and chrome://tracing open. */
int headway_report_trace(FILE *out, const struct headway_report_view *v);
/* "process;outermost;...;innermost COUNT" for flame graphs. */
int headway_report_folded(FILE *out, const struct headway_report_view *v);
/* Who waits for whom, for dot -Tsvg. */
int headway_report_dot(FILE *out, const struct headway_report_view *v);

/* What the page is given; the caller puts it. NULL: no memory. */
struct json_object *headway_report_json(const struct headway_report_view *v);
/* An array of all findings, each as in headway.schema.json, with meaning, at_s, until_s, over. */
struct json_object *headway_report_findings(const struct headway_report_view *v);

/* What all times are of: processes have another one than the kernel's module alone. */
const char *headway_report_clock(const struct headway_report_view *v);

/* Those that are worth showing, by rank; returns how many (at most max), -ENOMEM. */
long headway_report_top_actors(const struct headway_report *r,
			       const struct headway_report_actor **out, size_t max);
long headway_report_top_locks(const struct headway_report *r,
			      const struct headway_report_lock **out, size_t max);
long headway_report_top_stacks(const struct headway_report *r,
			       const struct headway_report_stack **out, size_t max);
long headway_report_top_edges(const struct headway_report *r,
			      const struct headway_report_edge **out, size_t max);

#endif /* HEADWAY_REPORT_OUT_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * out.h - the views of a watch. They print what they are given and compute nothing.
 */
#ifndef HEADWAY_OUT_H
#define HEADWAY_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "detect.h"
#include "finding.h"
#include "names.h"

/* How the watch ended, for the last line. */
struct headway_summary {
	const struct headway_assessment *assessment;
	uint64_t duration_ns;
	const char *kernel_lost;	/* why the kernel was not watched to the end, or NULL */
	uint32_t missing_probes;
	const char *probe_names[32];	/* by enum headway_probe_id, those that are missing */
	const char *probe_reasons[32];
	const struct headway_probe_group *group;	/* NULL: only processes that were named */
	bool group_alone;		/* no other process was named */
	const char *cgroup;		/* whose processes; NULL: the whole system's */
	const char *command;		/* COMMAND that was started, NULL none */
	bool command_ended;		/* by itself, before the watch */
	int command_status;		/* as from waitpid(), valid when it ended */
};

/* Text for people, on `out`. */
void headway_out_text_finding(FILE *out, struct headway_names *names,
			      const struct headway_finding *f, bool color);
void headway_out_text_summary(FILE *out, const struct headway_summary *s, bool color);

/* JSON lines, as the schema beside this file says. Return 0 or -ENOMEM. */
struct json_object;
int headway_out_json_finding(FILE *out, struct headway_names *names,
			     const struct headway_finding *f);
int headway_out_json_summary(FILE *out, const struct headway_summary *s);
/* The same as objects, which the caller puts; NULL: no memory. */
struct json_object *headway_json_finding(struct headway_names *names,
					 const struct headway_finding *f);
struct json_object *headway_json_summary(const struct headway_summary *s);

/* The live line on a terminal, or a line every few seconds elsewhere. */
struct headway_status {
	FILE *out;
	bool live;			/* a terminal: one line, rewritten */
	bool shown;
	uint64_t last_ns;
};

void headway_status_init(struct headway_status *st, FILE *out);
/* left_ns: until the end, 0 when there is none. */
void headway_status_update(struct headway_status *st, const struct headway_assessment *a,
			   uint64_t left_ns);
/* Takes the live line away, so that other text can be printed. */
void headway_status_clear(struct headway_status *st);

#endif /* HEADWAY_OUT_H */

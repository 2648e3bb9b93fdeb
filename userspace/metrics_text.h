/* SPDX-License-Identifier: GPL-2.0 */
/*
 * metrics_text.h - writes metrics in the two text formats that Prometheus reads. PURE.
 *
 * A family is begun, then its samples follow, all of them at once; the end is said. What comes out
 * is OpenMetrics 1.0, or the older text format 0.0.4, which has no units, state sets or end. Values
 * of labels may hold any UTF-8: names from other programs go through headway_escape() before.
 */
#ifndef HEADWAY_METRICS_TEXT_H
#define HEADWAY_METRICS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "histogram.h"

enum headway_metric_type {
	HEADWAY_METRIC_COUNTER,
	HEADWAY_METRIC_GAUGE,
	HEADWAY_METRIC_STATESET,
	HEADWAY_METRIC_INFO,
	HEADWAY_METRIC_HISTOGRAM,
};


/* The name has neither "_total" nor "_info"; it ends in the unit, if there is one. */
struct headway_metric {
	enum headway_metric_type type;
	const char *name;
	const char *unit;		/* NULL: a count */
	const char *help;
};

/* Arrays of these end with one that has no name; NULL instead of an array: no label. */
struct headway_label {
	const char *name;
	const char *value;
};

/* Times in [2^k, 2^(k+1)) ns, the first from 0, the last without end. */
struct headway_log2 {
	uint64_t buckets[HEADWAY_LOG2_BUCKETS];
	uint64_t sum_ns;
};

struct headway_metrics_text {
	FILE *out;
	bool openmetrics;		/* else the text format 0.0.4 */
	const struct headway_metric *family;	/* that was begun last */
};

/* The Content-Type of what is written. */
const char *headway_metrics_type(bool openmetrics);
/* Does who sent this Accept header (NULL: none) want OpenMetrics rather than plain text? */
bool headway_metrics_accepts(const char *accept);

void headway_metrics_begin(struct headway_metrics_text *t, const struct headway_metric *family);
void headway_metrics_count(struct headway_metrics_text *t, const struct headway_label *labels,
			   uint64_t value);
/* A counter of time. */
void headway_metrics_seconds(struct headway_metrics_text *t, const struct headway_label *labels,
			     uint64_t ns);
void headway_metrics_gauge(struct headway_metrics_text *t, const struct headway_label *labels,
			   double value);
/* Of these states, that are told apart by a label of the family's name, the one that holds. */
void headway_metrics_state(struct headway_metrics_text *t, const struct headway_label *labels,
			   const char *state, bool holds);
void headway_metrics_info(struct headway_metrics_text *t, const struct headway_label *labels);
void headway_metrics_histogram(struct headway_metrics_text *t, const struct headway_label *labels,
			       const struct headway_log2 *times);
void headway_metrics_end(struct headway_metrics_text *t);

#endif /* HEADWAY_METRICS_TEXT_H */

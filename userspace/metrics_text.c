// SPDX-License-Identifier: GPL-2.0
/*
 * metrics_text.c - writes metrics in the two text formats that Prometheus reads. PURE.
 *
 * Invariant: whatever the values of labels hold, a sample is one line, and its quotes are paired.
 */
#include "metrics_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Buckets of a histogram: four times as long each, 1.024 us to 1.07 s; finer ones cost series. */
enum { FIRST_BOUND = 10, LAST_BOUND = 30, BOUND_STEP = 2 };

static const struct {
	const char *openmetrics;
	const char *plain;
	const char *suffix;		/* of a sample, and in 0.0.4 of the family too */
} types[] = {
	[HEADWAY_METRIC_COUNTER] = { "counter", "counter", "_total" },
	[HEADWAY_METRIC_GAUGE] = { "gauge", "gauge", "" },
	[HEADWAY_METRIC_STATESET] = { "stateset", "gauge", "" },
	[HEADWAY_METRIC_INFO] = { "info", "gauge", "_info" },
	[HEADWAY_METRIC_HISTOGRAM] = { "histogram", "histogram", "" },
};

const char *headway_metrics_type(bool openmetrics)
{
	return openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8" :
			     "text/plain; version=0.0.4; charset=utf-8";
}

/* --- Accept ----------------------------------------------------------------------------------- */

/* The q of a media range, whose parameters begin at `params`. */
static double quality_of(const char *params, size_t len)
{
	for (size_t i = 0; i + 2 < len; i++) {
		if (params[i] != ';')
			continue;
		do
			i++;
		while (i + 2 < len && (params[i] == ' ' || params[i] == '\t'));
		if ((params[i] == 'q' || params[i] == 'Q') && params[i + 1] == '=')
			return strtod(params + i + 2, NULL);
	}
	return 1;
}

static bool is_range(const char *range, size_t len, const char *name)
{
	return len == strlen(name) && !strncasecmp(range, name, len);
}

bool headway_metrics_accepts(const char *accept)
{
	double openmetrics = 0, plain = 0;

	while (accept && *accept) {
		size_t skip = strspn(accept, " \t,"), len, name;
		double q;

		accept += skip;
		len = strcspn(accept, ",");
		name = strcspn(accept, "; \t,");
		q = quality_of(accept + name, len - name);
		if (is_range(accept, name, "application/openmetrics-text") && q > openmetrics)
			openmetrics = q;
		if (is_range(accept, name, "text/plain") && q > plain)
			plain = q;
		accept += len;
	}
	return openmetrics > 0 && openmetrics >= plain;
}

/* --- samples ---------------------------------------------------------------------------------- */

static void print_quoted(FILE *out, const char *value)
{
	fputc('"', out);
	for (; *value; value++) {
		if (*value == '\n') {
			fputs("\\n", out);
			continue;
		}
		if (*value == '"' || *value == '\\')
			fputc('\\', out);
		fputc(*value, out);
	}
	fputc('"', out);
}

/* More: one label after those in the array, unless its name is NULL. */
static void print_name(struct headway_metrics_text *t, const char *suffix,
		       const struct headway_label *labels, const char *more, const char *value)
{
	char before = '{';

	fprintf(t->out, "%s%s", t->family->name, suffix);
	for (; labels && labels->name; labels++) {
		fprintf(t->out, "%c%s=", before, labels->name);
		print_quoted(t->out, labels->value);
		before = ',';
	}
	if (more) {
		fprintf(t->out, "%c%s=", before, more);
		print_quoted(t->out, value);
		before = ',';
	}
	fputs(before == ',' ? "} " : " ", t->out);
}

void headway_metrics_begin(struct headway_metrics_text *t, const struct headway_metric *family)
{
	const char *type = t->openmetrics ? types[family->type].openmetrics :
					    types[family->type].plain;
	const char *suffix = t->openmetrics ? "" : types[family->type].suffix;

	t->family = family;
	fprintf(t->out, "# TYPE %s%s %s\n", family->name, suffix, type);
	if (t->openmetrics && family->unit)
		fprintf(t->out, "# UNIT %s %s\n", family->name, family->unit);
	fprintf(t->out, "# HELP %s%s %s\n", family->name, suffix, family->help);
}

void headway_metrics_count(struct headway_metrics_text *t, const struct headway_label *labels,
			   uint64_t value)
{
	print_name(t, "_total", labels, NULL, NULL);
	fprintf(t->out, "%" PRIu64 "\n", value);
}

void headway_metrics_seconds(struct headway_metrics_text *t, const struct headway_label *labels,
			     uint64_t ns)
{
	print_name(t, "_total", labels, NULL, NULL);
	fprintf(t->out, "%.15g\n", (double)ns / 1e9);
}

void headway_metrics_gauge(struct headway_metrics_text *t, const struct headway_label *labels,
			   double value)
{
	print_name(t, "", labels, NULL, NULL);
	fprintf(t->out, "%.15g\n", value);
}

void headway_metrics_state(struct headway_metrics_text *t, const struct headway_label *labels,
			   const char *state, bool holds)
{
	print_name(t, "", labels, t->family->name, state);
	fprintf(t->out, "%d\n", holds);
}

void headway_metrics_info(struct headway_metrics_text *t, const struct headway_label *labels)
{
	print_name(t, "_info", labels, NULL, NULL);
	fputs("1\n", t->out);
}

void headway_metrics_histogram(struct headway_metrics_text *t, const struct headway_label *labels,
			       const struct headway_log2 *times)
{
	uint64_t count = 0;
	int next = 0;

	for (int bound = FIRST_BOUND; bound <= LAST_BOUND; bound += BOUND_STEP) {
		char le[32];

		while (next < bound)
			count += times->buckets[next++];
		snprintf(le, sizeof(le), "%.10g", (double)(1ull << bound) / 1e9);
		print_name(t, "_bucket", labels, "le", le);
		fprintf(t->out, "%" PRIu64 "\n", count);
	}
	while (next < HEADWAY_LOG2_BUCKETS)
		count += times->buckets[next++];
	print_name(t, "_bucket", labels, "le", "+Inf");
	fprintf(t->out, "%" PRIu64 "\n", count);
	print_name(t, "_count", labels, NULL, NULL);
	fprintf(t->out, "%" PRIu64 "\n", count);
	print_name(t, "_sum", labels, NULL, NULL);
	fprintf(t->out, "%.15g\n", (double)times->sum_ns / 1e9);
}

void headway_metrics_end(struct headway_metrics_text *t)
{
	if (t->openmetrics)
		fputs("# EOF\n", t->out);
}

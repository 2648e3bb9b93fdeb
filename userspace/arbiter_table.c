// SPDX-License-Identifier: GPL-2.0
/*
 * arbiter_table.c - arbiters and their requests as tables for people. PURE. See arbiter_table.h.
 */
#include "arbiter_table.h"

#include <string.h>

#include "stat.h"

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

static const struct headway_column arbiter_columns[] = {
	{ "ARBITER", NULL, true }, { "RESOURCES", NULL, false }, { "HELD", NULL, false },
	{ "WAITING", NULL, false }, { "VICTIMS", NULL, false }, { "GRANTS", NULL, false },
	{ "PASSES", NULL, false }, { "DEADLOCKS", NULL, false }, { "CANCELS", NULL, false },
	{ "TIMEOUTS", NULL, false },
};

static const struct headway_column request_columns[] = {
	{ "PID", NULL, false }, { "REQUEST OF", NULL, true }, { "STATE", NULL, true },
	{ "PRIORITY", NULL, false }, { "WANTS", NULL, true }, { "HOLDS", NULL, true },
	{ "WAITED", "ms", false }, { "HELD", "ms", false }, { "DEADLINE IN", "ms", false },
	{ "PASSED", NULL, false },
};

void headway_arbiter_table_init(struct headway_table *t)
{
	headway_table_init(t, arbiter_columns, ARRAY_LEN(arbiter_columns));
}

void headway_arbiter_table_add(struct headway_table *t, const char *arbiter,
			       const struct headway_record *summary)
{
	static const char *const counts[] = {
		"resources", "held", "waiting", "victims", "grants", "passes", "deadlocks",
		"cancels", "timeouts",
	};

	stat_add(t, "%s%s", arbiter, stat_u64(summary, "closing") ? " (closing)" : "");
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		stat_add(t, "%s", stat_str(summary, counts[i]));
}

void headway_request_table_init(struct headway_table *t)
{
	headway_table_init(t, request_columns, ARRAY_LEN(request_columns));
}

void headway_request_table_add(struct headway_table *t, const struct headway_record *request)
{
	const char *state = stat_str(request, "state");
	int64_t deadline_ns;

	stat_add(t, "%s", stat_str(request, "pid"));
	stat_add(t, "%s", stat_str(request, "comm"));
	headway_table_add(t, !strcmp(state, "victim-told") ? HEADWAY_TINT_WARN : HEADWAY_TINT_NONE,
			  "%s", state);
	stat_add(t, "%s", stat_str(request, "priority"));
	stat_add(t, "%s", stat_str(request, "wants"));
	stat_add(t, "%s", stat_str(request, "holds"));
	stat_add_time(t, request, NULL, "waited_ns", 1e6);
	if (stat_u64(request, "held_ns"))
		stat_add_time(t, request, NULL, "held_ns", 1e6);
	else
		stat_add(t, "-");
	if (headway_record_s64(request, "deadline_in_ns", &deadline_ns))
		stat_add(t, "%.1f", (double)deadline_ns / 1e6);
	else
		stat_add(t, "-");
	stat_add(t, "%s", stat_str(request, "passed"));
}

const char *headway_request_edge_why(const struct headway_record *edge)
{
	return strcmp(stat_str(edge, "why"), "reserved") ? "held by" : "reserved for";
}

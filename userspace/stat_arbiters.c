// SPDX-License-Identifier: GPL-2.0
/*
 * stat_arbiters.c - the part of `headway stat` about arbiters: their counts, and of one the
 * requests and who waits for whom, as text, JSON or DOT.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dot.h"
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

static void add_arbiter(struct headway_table *t, const char *arbiter,
			const struct headway_record *r)
{
	static const char *const counts[] = {
		"resources", "held", "waiting", "victims", "grants", "passes", "deadlocks",
		"cancels", "timeouts",
	};

	stat_add(t, "%s%s", arbiter, stat_u64(r, "closing") ? " (closing)" : "");
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		stat_add(t, "%s", stat_str(r, counts[i]));
}

static void add_request(struct headway_table *t, const struct headway_record *r)
{
	const char *state = stat_str(r, "state");
	int64_t deadline_ns;

	stat_add(t, "%s", stat_str(r, "pid"));
	stat_add(t, "%s", stat_str(r, "comm"));
	headway_table_add(t, !strcmp(state, "victim-told") ? HEADWAY_TINT_WARN : HEADWAY_TINT_NONE,
			  "%s", state);
	stat_add(t, "%s", stat_str(r, "priority"));
	stat_add(t, "%s", stat_str(r, "wants"));
	stat_add(t, "%s", stat_str(r, "holds"));
	headway_stat_add_time(t, r, NULL, "waited_ns", 1e6);
	if (stat_u64(r, "held_ns"))
		headway_stat_add_time(t, r, NULL, "held_ns", 1e6);
	else
		stat_add(t, "-");
	if (headway_record_s64(r, "deadline_in_ns", &deadline_ns))
		stat_add(t, "%.1f", (double)deadline_ns / 1e6);
	else
		stat_add(t, "-");
	stat_add(t, "%s", stat_str(r, "passed"));
}

static void print_edge(const struct headway_record *r, bool first)
{
	printf("%s%s (%s) waits for %s, ", first ? "\n" : "", stat_str(r, "waiter"),
	       stat_str(r, "waiter_pid"), stat_str(r, "resources"));
	printf("%s %s (%s), since %.1f ms\n",
	       strcmp(stat_str(r, "why"), "reserved") ? "held by" : "reserved for",
	       stat_str(r, "holder"), stat_str(r, "holder_pid"),
	       (double)stat_u64(r, "wait_ns") / 1e6);
}

/* --- DOT -------------------------------------------------------------------------------------- */

/* A holder is a node: all its requests are one activity. */
static void put_node(const struct headway_record *r, const char *end)
{
	char label[64];

	snprintf(label, sizeof(label), "%s_activity", end);
	printf("\t\"a");
	headway_dot_text(stdout, stat_str(r, label));
	printf("\" [label=\"");
	headway_dot_text(stdout, stat_str(r, end));
	snprintf(label, sizeof(label), "%s_pid", end);
	printf(" (");
	headway_dot_text(stdout, stat_str(r, label));
	printf(")\"];\n");
}

static void put_arrow(const struct headway_record *r)
{
	printf("\t\"a");
	headway_dot_text(stdout, stat_str(r, "waiter_activity"));
	printf("\" -> \"a");
	headway_dot_text(stdout, stat_str(r, "holder_activity"));
	printf("\" [label=\"");
	headway_dot_text(stdout, stat_str(r, "resources"));
	printf("\\n");
	headway_dot_text(stdout, stat_str(r, "why"));
	printf(", %.0f ms\"];\n", (double)stat_u64(r, "wait_ns") / 1e6);
}

int headway_stat_arbiter_dot(struct headway_kernelfs *k, const char *arbiter, size_t *garbled)
{
	struct headway_text text;
	int err;

	err = headway_kernelfs_read_arbiter(k, arbiter, "graph", &text);
	if (err)
		return err;
	*garbled += text.garbled;
	printf("digraph \"");
	headway_dot_text(stdout, arbiter);
	printf("\" {\n");
	for (size_t i = 0; i < text.nr_records; i++) {
		put_node(&text.records[i], "waiter");
		put_node(&text.records[i], "holder");
		put_arrow(&text.records[i]);
	}
	printf("}\n");
	headway_text_free(&text);
	return 0;
}

/* --- reports ---------------------------------------------------------------------------------- */

/* The arbiter's line, into TABLE unless that is NULL. */
static int report_summary(struct headway_kernelfs *k, const char *arbiter,
			  struct headway_table *table, size_t *garbled)
{
	struct headway_record summary;
	struct headway_text text;
	struct json_object *o;
	int err;

	err = headway_kernelfs_read_arbiter(k, arbiter, "summary", &text);
	if (err)
		return err;
	*garbled += text.garbled;
	summary = headway_text_all(&text);
	if (table) {
		add_arbiter(table, arbiter, &summary);
	} else {
		o = headway_stat_json("arbiter", "arbiter", arbiter, &summary);
		headway_stat_add_now(o);
		headway_stat_print_json(o);
	}
	headway_text_free(&text);
	return 0;
}

int headway_stat_arbiters(struct headway_kernelfs *k, bool json, bool dot, bool color,
			  size_t *garbled)
{
	struct headway_table table;
	char **names;
	size_t nr;
	int err;

	err = headway_kernelfs_arbiters(k, &names, &nr);
	if (err)
		return err;
	headway_table_init(&table, arbiter_columns, ARRAY_LEN(arbiter_columns));
	for (size_t i = 0; i < nr && !err; i++)
		err = dot ? headway_stat_arbiter_dot(k, names[i], garbled) :
			    report_summary(k, names[i], json ? NULL : &table, garbled);
	if (!json && !dot && nr && !err) {
		putchar('\n');
		headway_table_print(&table, stdout, color);
	}
	headway_kernelfs_free_names(names);
	return err;
}

/* FILE of the arbiter: JSON of TYPE, rows of TABLE, or edges when that is NULL. */
static int report_file(struct headway_kernelfs *k, const char *arbiter, const char *file,
		       const char *type, bool json, struct headway_table *table, size_t *garbled)
{
	struct headway_text text;
	int err;

	err = headway_kernelfs_read_arbiter(k, arbiter, file, &text);
	if (err)
		return err;
	*garbled += text.garbled;
	for (size_t i = 0; i < text.nr_records; i++) {
		const struct headway_record *r = &text.records[i];

		if (json)
			headway_stat_print_json(headway_stat_json(type, "arbiter", arbiter, r));
		else if (table)
			add_request(table, r);
		else
			print_edge(r, !i);
	}
	headway_text_free(&text);
	return 0;
}

int headway_stat_arbiter(struct headway_kernelfs *k, const char *arbiter, bool json, bool color,
			 size_t *garbled)
{
	struct headway_table summary, requests;
	int err;

	headway_table_init(&summary, arbiter_columns, ARRAY_LEN(arbiter_columns));
	headway_table_init(&requests, request_columns, ARRAY_LEN(request_columns));
	err = report_summary(k, arbiter, json ? NULL : &summary, garbled);
	if (err)
		return err;
	if (!json)
		headway_table_print(&summary, stdout, color);
	err = report_file(k, arbiter, "requests", "request", json, &requests, garbled);
	if (err)
		return err;
	if (!json && requests.nr_cells) {
		putchar('\n');
		headway_table_print(&requests, stdout, color);
	} else if (!json) {
		puts("\nNo request holds resources or waits for any.");
	}
	return report_file(k, arbiter, "graph", "request_edge", json, NULL, garbled);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * stat_arbiters.c - the part of `headway stat` about arbiters: their counts, and of one the
 * requests and who waits for whom, as text, JSON or DOT.
 */
#include <errno.h>
#include <stdio.h>

#include "arbiter_table.h"
#include "dot.h"
#include "stat.h"

static void print_edge(const struct headway_record *r, bool first)
{
	printf("%s%s (%s) waits for %s, ", first ? "\n" : "", stat_str(r, "waiter"),
	       stat_str(r, "waiter_pid"), stat_str(r, "resources"));
	printf("%s %s (%s), since %.1f ms\n", headway_request_edge_why(r),
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
		headway_arbiter_table_add(table, arbiter, &summary);
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
	headway_arbiter_table_init(&table);
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
			headway_request_table_add(table, r);
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

	headway_arbiter_table_init(&summary);
	headway_request_table_init(&requests);
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

// SPDX-License-Identifier: GPL-2.0
/*
 * stat_loops.c - the part of `headway stat` about watched retry loops.
 */
#include <stdio.h>

#include "stat.h"

static const struct headway_column loop_columns[] = {
	{ "LOOP", NULL, true }, { "VERDICT", NULL, true }, { "FOR", "s", false },
	{ "IN FLIGHT", NULL, false }, { "ATTEMPTS", NULL, false }, { "COMMITS", NULL, false },
	{ "ABORTS", NULL, false }, { "ROLLBACKS", NULL, false }, { "COMMITS/s", NULL, false },
	{ "ROLLBACKS/s", NULL, false },
};

static void add_loop(struct headway_table *t, const char *loop, const struct headway_record *r)
{
	static const char *const counts[] = {
		"in_flight", "attempts", "commits", "aborts", "rollbacks", "commits_per_s",
		"rollbacks_per_s",
	};
	const char *verdict = stat_str(r, "verdict");
	double age_s = headway_stat_age_s(r);

	stat_add(t, "%s", loop);
	headway_table_add(t, headway_stat_tint(verdict), "%s", verdict);
	if (age_s < 0)
		stat_add(t, "-");
	else
		stat_add(t, "%.0f", age_s);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		stat_add(t, "%s", stat_str(r, counts[i]));
}

static void print_loop(const char *loop, const struct headway_record *r)
{
	struct json_object *o = headway_stat_json("loop", "loop", loop, r);
	double age_s = headway_stat_age_s(r);

	json_object_object_add(o, "verdict_age_s",
			       age_s < 0 ? NULL : headway_stat_number(age_s, 1));
	headway_stat_add_now(o);
	headway_stat_print_json(o);
}

int headway_stat_loops(struct headway_kernelfs *k, bool json, bool color, size_t *garbled)
{
	struct headway_record summary;
	struct headway_table table;
	struct headway_text text;
	char **names;
	size_t nr;
	int err;

	err = headway_kernelfs_loops(k, &names, &nr);
	if (err)
		return err;
	headway_table_init(&table, loop_columns, sizeof(loop_columns) / sizeof(loop_columns[0]));
	for (size_t i = 0; i < nr && !err; i++) {
		err = headway_kernelfs_read_loop(k, names[i], "summary", &text);
		if (err)
			break;
		*garbled += text.garbled;
		summary = headway_text_all(&text);
		if (json)
			print_loop(names[i], &summary);
		else
			add_loop(&table, names[i], &summary);
		headway_text_free(&text);
	}
	if (!json && nr && !err) {
		putchar('\n');
		headway_table_print(&table, stdout, color);
	}
	headway_kernelfs_free_names(names);
	return err;
}

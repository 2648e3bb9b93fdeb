// SPDX-License-Identifier: GPL-2.0
/*
 * stat_live.c - how `headway stat` shows live transactions: rows, edges, stacks, the graph in DOT.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stat.h"

const struct headway_column headway_txn_columns[HEADWAY_TXN_COLUMNS] = {
	{ "PID", NULL, false }, { "TRANSACTION OF", NULL, true }, { "TICKET", NULL, false },
	{ "PRIORITY", NULL, false }, { "HOLDS", "locks", false }, { "RESTARTS", NULL, false },
	{ "AGE", "ms", false }, { "WOUNDED", NULL, true }, { "WAITS FOR", NULL, true },
	{ "HELD BY", NULL, true },
};

void headway_stat_add_txn(struct headway_table *t, const struct headway_record *r)
{
	bool waits = stat_u64(r, "waiting") != 0;

	stat_add(t, "%s", stat_str(r, "pid"));
	stat_add(t, "%s", stat_str(r, "comm"));
	stat_add(t, "%s", stat_str(r, "ticket"));
	stat_add(t, "%s", stat_str(r, "priority"));
	stat_add(t, "%s", stat_str(r, "held"));
	stat_add(t, "%s", stat_str(r, "restarts"));
	stat_add_time(t, r, NULL, "age_ns", 1e6);
	stat_add(t, "%s", stat_u64(r, "wounded") ? "yes" : "no");
	if (waits) {
		stat_add(t, "%s since %.1f ms", stat_str(r, "lock"),
			 (double)stat_u64(r, "wait_ns") / 1e6);
		stat_add(t, "%s (%s)", stat_str(r, "holder"), stat_str(r, "holder_pid"));
	} else {
		stat_add(t, "-");
		stat_add(t, "-");
	}
}

void headway_stat_print_edge(const struct headway_record *r, bool first)
{
	printf("%s%s (%s) waits for %s, ", first ? "\n" : "", stat_str(r, "waiter"),
	       stat_str(r, "waiter_pid"), stat_str(r, "lock"));
	printf("held by %s (%s, %s), since %.1f ms\n", stat_str(r, "holder"),
	       stat_str(r, "holder_pid"), stat_str(r, "holder_state"),
	       (double)stat_u64(r, "wait_ns") / 1e6);
}

void headway_stat_print_stack(const struct headway_record *r)
{
	const char *stack = stat_str(r, "stack"), *end;

	if (!strcmp(stack, "-") || !strcmp(stack, "?"))
		return;
	printf("\n%s (%s) %s at:\n", stat_str(r, "comm"), stat_str(r, "pid"),
	       stat_u64(r, "waiting") ? "waits" : "backs off");
	for (;; stack = end + 2) {
		end = strstr(stack, "<-");
		printf("    %.*s\n", end ? (int)(end - stack) : (int)strlen(stack), stack);
		if (!end)
			return;
	}
}

int headway_stat_print_dot(struct headway_kernelfs *k, const char *domain)
{
	static const char head[] = "# headway.graph_dot v1\n";
	char *text = NULL;
	size_t len = 0;
	int err;

	err = headway_kernelfs_read_raw(k, domain, "graph_dot", &text, &len);
	if (err)
		return err;
	if (strncmp(text, head, strlen(head))) {
		snprintf(k->error, sizeof(k->error), "headway.ko's file 'graph_dot' does not start with '%.*s': "
			 "build the module and this program from the same source",
			 (int)strlen(head) - 1, head);
		free(text);
		return -EPROTO;
	}
	/* The module writes printable text only; whatever else comes must not reach a terminal. */
	for (size_t i = 0; i < len; i++)
		putchar((text[i] >= ' ' && text[i] <= '~') || text[i] == '\n' || text[i] == '\t' ?
			text[i] : '?');
	free(text);
	return 0;
}

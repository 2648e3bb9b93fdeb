// SPDX-License-Identifier: GPL-2.0
/*
 * stat_arbiter_test.c - what `headway stat` says about arbiters: as tables, JSON and DOT.
 */
// links: userspace/cmd_stat.c userspace/stat_live.c userspace/stat_loops.c
// links: userspace/stat_locks.c userspace/stat_rates.c userspace/stat_histograms.c
// links: userspace/histogram.c
// links: userspace/stat_arbiters.c userspace/arbiter_table.c userspace/stat_json.c
// links: userspace/table.c
// links: userspace/kernelfs.c userspace/logfmt.c userspace/finding.c
// libs: -ljson-c -Wl,--wrap=headway_kernelfs_open
// libs: -Wl,--wrap=headway_kernelfs_write
#include "stat_tree.h"

#define ARBITER "# headway.summary v1\narbiter=office\nresources=4\nage_step=16\nmax_passed=4\n" \
	"closing=0\nheld=2\nwaiting=2\nvictims=0\nsleepers=2\ncallbacks_due=0\n" \
	"callbacks_running=0\ngrants=90\npasses=7\ndeadlocks=3\nacknowledged=3\ncancels=1\ntimeouts=5\n"

static void put_arbiter(void)
{
	make_dir("arbiters");
	make_dir("arbiters/office");
	put("arbiters/office/summary", ARBITER);
	put("arbiters/office/requests", "# headway.requests v1\n"
	    "pid=12 comm=scan state=granted priority=0 effective_priority=0 wants=- holds=0-1,3 "
	    "waited_ns=1500000 held_ns=2000000 deadline_in_ns=- passed=0 ticket=5 activity=5 "
	    "times_victim=0 sleeps=0 callback=-\n"
	    "pid=13 comm=77 state=waiting priority=2 effective_priority=-1 wants=2 holds=- "
	    "waited_ns=3000000 held_ns=0 deadline_in_ns=-2500000 passed=4 ticket=6 activity=6 "
	    "times_victim=1 sleeps=1 callback=-\n");
	put("arbiters/office/graph", "# headway.graph v1\n"
	    "waiter=77 waiter_pid=13 resources=2 holder=scan holder_pid=12 why=held "
	    "wait_ns=3000000 waiter_activity=6 holder_activity=5\n"
	    "waiter=print waiter_pid=14 resources=1-2 holder=77 holder_pid=13 why=reserved "
	    "wait_ns=1000000 waiter_activity=7 holder_activity=6\n");
}

KTAP_TEST(stat_shows_arbiters)
{
	const char *table =
"ARBITER  RESOURCES  HELD  WAITING  VICTIMS  GRANTS  PASSES  DEADLOCKS  CANCELS  TIMEOUTS\n"
"office           4     2        2        0      90       7          3        1         5\n";
	const char *requests =
"\nPID  REQUEST OF  STATE    PRIORITY  WANTS  HOLDS  WAITED  HELD  DEADLINE IN  PASSED\n"
"                                                      ms    ms           ms\n"
" 12  scan        granted         0  -      0-1,3     1.5   2.0            -       0\n"
" 13  77          waiting         2  2      -         3.0     -         -2.5       4\n"
"\n77 (13) waits for 2, held by scan (12), since 3.0 ms\n"
"print (14) waits for 1-2, reserved for 77 (13), since 1.0 ms\n";

	make_tree();
	make_dir("arbiters");
	EXPECT_EQ(run(stat), 0);
	EXPECT(!strstr(out, "ARBITER"));
	EXPECT_EQ(run(stat, "--arbiter", "office"), 1);
	EXPECT_STREQ(err, "headway stat: no arbiter 'office': there are no arbiters at all. One appears "
		     "when a module that uses headway.ko registers it\n");
	remove_tree();
	make_tree();
	put_arbiter();
	EXPECT_EQ(run(stat), 0);
	ASSERT(strstr(out, "\nARBITER"));
	EXPECT_STREQ(strstr(out, "\nARBITER") + 1, table);
	EXPECT_EQ(run(stat, "dinner"), 0);
	EXPECT(!strstr(out, "office"));
	EXPECT_EQ(run(stat, "-a", "office"), 0);
	EXPECT(!strncmp(out, table, strlen(table)));
	EXPECT_STREQ(out + strlen(table), requests);
	put("arbiters/office/requests", "# headway.requests v1\n");
	put("arbiters/office/graph", "# headway.graph v1\n");
	EXPECT_EQ(run(stat, "-a", "office"), 0);
	EXPECT_STREQ(out + strlen(table), "\nNo request holds resources or waits for any.\n");
	put("arbiters/office/summary", "# headway.summary v1\nclosing=1\n");
	EXPECT_EQ(run(stat), 0);
	EXPECT(strstr(out, "\noffice (closing)          ?"));
	remove_tree();
}

/* The array as text. */
static const char *array_of(struct json_object *o, const char *key)
{
	return json_object_to_json_string_ext(json_object_object_get(o, key),
					      JSON_C_TO_STRING_PLAIN);
}

KTAP_TEST(stat_json_of_an_arbiter)
{
	static const char *const types[] = {
		"arbiter", "request", "request", "request_edge", "request_edge",
	};
	struct json_object *o;

	make_tree();
	put_arbiter();
	EXPECT_EQ(run(stat, "--json"), 0);
	o = json_line(1);
	ASSERT(o);
	EXPECT_STREQ(string_of(o, "type"), "arbiter");
	json_object_put(o);
	EXPECT_EQ(run(stat, "--json", "--arbiter=office"), 0);
	for (int i = 0; i < 5; i++) {
		o = json_line(i);
		ASSERT(o);
		EXPECT_STREQ(string_of(o, "type"), types[i]);
		EXPECT_STREQ(string_of(o, "arbiter"), "office");
		if (i == 0)
			EXPECT_EQ(int_of(o, "resources"), 4);
		if (i == 1) {
			EXPECT_STREQ(array_of(o, "wants"), "[]");
			EXPECT_STREQ(array_of(o, "holds"), "[0,1,3]");
			EXPECT(json_object_object_get_ex(o, "deadline_in_ns", NULL));
			EXPECT(!json_object_object_get(o, "deadline_in_ns"));
		}
		if (i == 2) {
			EXPECT_STREQ(array_of(o, "wants"), "[2]");
			EXPECT_STREQ(array_of(o, "comm"), "\"77\"");
			EXPECT_EQ(int_of(o, "deadline_in_ns"), -2500000);
			EXPECT_STREQ(array_of(o, "effective_priority"), "-1");
		}
		if (i == 4)
			EXPECT_STREQ(array_of(o, "resources"), "[1,2]");
		json_object_put(o);
	}
	EXPECT(json_line(5) == NULL);
	remove_tree();
}

KTAP_TEST(stat_json_passes_on_what_is_no_set)
{
	static const char *const sets[] = {
		"x", "1-", "-1", "2-1", "1,", ",1", "1,,2", "0-4294967295", "1-2-3", "99999999999999999999",
	};
	struct json_object *o;
	char graph[128];

	make_tree();
	put_arbiter();
	put("arbiters/office/requests", "# headway.requests v1\n");
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		snprintf(graph, sizeof(graph), "# headway.graph v1\nresources=%s\n", sets[i]);
		put("arbiters/office/graph", graph);
		EXPECT_EQ(run(stat, "-j", "-a", "office"), 0);
		o = json_line(1);
		ASSERT(o);
		EXPECT_STREQ(string_of(o, "resources"), sets[i]);
		json_object_put(o);
	}
	remove_tree();
}

#define OFFICE_DOT "digraph \"office\" {\n" \
	"\t\"a6\" [label=\"77 (13)\"];\n\t\"a5\" [label=\"scan (12)\"];\n" \
	"\t\"a6\" -> \"a5\" [label=\"2\\nheld, 3 ms\"];\n" \
	"\t\"a7\" [label=\"print (14)\"];\n\t\"a6\" [label=\"77 (13)\"];\n" \
	"\t\"a7\" -> \"a6\" [label=\"1-2\\nreserved, 1 ms\"];\n}\n"

KTAP_TEST(stat_draws_arbiters)
{
	make_tree();
	put_arbiter();
	put("domains/dinner/graph_dot", "# headway.graph_dot v1\ndigraph \"dinner\" {\n}\n");
	EXPECT_EQ(run(stat, "--dot"), 0);
	EXPECT_STREQ(out, "# headway.graph_dot v1\ndigraph \"dinner\" {\n}\n" OFFICE_DOT);
	EXPECT_EQ(run(stat, "--dot", "--arbiter=office"), 0);
	EXPECT_STREQ(out, OFFICE_DOT);
	EXPECT_EQ(run(stat, "--dot", "dinner"), 0);
	EXPECT(!strstr(out, "office"));
	/* Nothing gets out of the quotes. */
	put("arbiters/office/graph", "# headway.graph v1\nwaiter=x\"];b waiter_activity=1\\ wait_ns=1\n");
	EXPECT_EQ(run(stat, "--dot", "-a", "office"), 0);
	EXPECT(strstr(out, "\t\"a1\\\\\" [label=\"x\\\"];b (?)\"];\n"));
	remove_tree();
}

KTAP_TEST(stat_arbiter_errors)
{
	make_tree();
	put_arbiter();
	EXPECT_EQ(run(stat, "-a", "attic\033"), 1);
	EXPECT_STREQ(err, "headway stat: no arbiter 'attic?'. Arbiters now: office\n");
	EXPECT_EQ(run(stat, "-a", "../domains/dinner"), 1);
	EXPECT_EQ(run(stat, "-a", "office", "dinner"), 2);
	EXPECT_EQ(run(stat, "-a", "office", "--stacks"), 2);
	put("arbiters/office/requests", "# headway.requests v2\n");
	EXPECT_EQ(run(stat, "-a", "office"), 1);
	EXPECT(strstr(err, "'# headway.requests v2'"));
	put("arbiters/office/summary", "# headway.summary v2\n");
	EXPECT_EQ(run(stat), 1);
	remove_tree();
}

KTAP_MAIN("stat_arbiter")

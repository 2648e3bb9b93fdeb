// SPDX-License-Identifier: GPL-2.0
/*
 * stat_test.c - what `headway stat` and `headway policy` print and how they end, on a tree of files
 * that stands in for debugfs.
 */
// links: userspace/cmd_stat.c userspace/stat_live.c userspace/stat_loops.c
// links: userspace/stat_locks.c userspace/stat_rates.c userspace/stat_histograms.c
// links: userspace/histogram.c
// links: userspace/stat_arbiters.c userspace/arbiter_table.c userspace/stat_json.c
// links: userspace/cmd_policy.c userspace/table.c
// links: userspace/kernelfs.c userspace/logfmt.c userspace/finding.c
// libs: -ljson-c -Wl,--wrap=headway_kernelfs_open
// libs: -Wl,--wrap=headway_kernelfs_write
#include "stat_rates.h"
#include "stat_tree.h"

KTAP_TEST(stat_lists_domains)
{
	make_tree();
	EXPECT_EQ(run(stat), 0);
	EXPECT_STREQ(out,
		     "DOMAIN  POLICY  VERDICT   FOR  IN FLIGHT  ATTEMPTS  COMMITS  ROLLBACKS  COMMITS/s  ROLLBACKS/s\n"
		     "                            s\n"
		     "dinner  none    livelock    -          5      1234        7       1227        0.0        100.0\n"
		     "Rates are over the last full window of 1.0 s.\n");
	EXPECT_STREQ(err, "");
	remove_tree();
}

KTAP_TEST(stat_of_one_domain_shows_locks_and_edges)
{
	const char *table =
"\nLOCK   ACQUISITIONS  CONTENTIONS  ROLLBACKS  WAIT AVG  WAIT MAX  HOLD AVG  WAITERS  HOLDER\n"
"                                                   us        us        us\n"
"77                1            0          0      12.3     100.0         -        0  -\n"
"fork0           100           50         49         -         -      10.5        1  phil/0 (12)\n";
	const char *edge =
		"\nphil/1 (13) waits for fork0, held by phil/0 (12, S), since 1.5 ms\n";

	make_tree();
	EXPECT_EQ(run(stat, "dinner"), 0);
	EXPECT(strstr(out, table));
	EXPECT(strstr(out, "\nNo live transaction has met a conflict.\n"));
	EXPECT(strstr(out, edge));
	remove_tree();
}

#define LOOP "# headway.summary v1\nloop=claim\nverdict=starvation\nin_flight=3\nlisted=1\n" \
	"attempts=90\ncommits=40\naborts=2\nrollbacks=48\nwindow_ns=1000000000\n" \
	"commits_per_s=4\nrollbacks_per_s=5\n"

KTAP_TEST(stat_shows_loops_beside_domains)
{
	struct json_object *o;

	make_tree();
	make_dir("loops");
	EXPECT_EQ(run(stat), 0);
	EXPECT(!strstr(out, "LOOP"));
	make_dir("loops/claim");
	put("loops/claim/summary", LOOP);
	EXPECT_EQ(run(stat), 0);
	EXPECT(strstr(out,
		      "\nLOOP   VERDICT     FOR  IN FLIGHT  ATTEMPTS  COMMITS  ABORTS  ROLLBACKS  COMMITS/s"
		      "  ROLLBACKS/s\n"
		      "                     s\n"
		      "claim  starvation    -          3        90       40       2         48          4"
		      "            5\n"));
	EXPECT_EQ(run(stat, "--json"), 0);
	o = json_line(1);
	ASSERT(o);
	EXPECT_STREQ(string_of(o, "type"), "loop");
	EXPECT_STREQ(string_of(o, "loop"), "claim");
	EXPECT_EQ(int_of(o, "rollbacks"), 48);
	json_object_put(o);
	/* A loop is not asked for when a domain is. */
	EXPECT_EQ(run(stat, "dinner"), 0);
	EXPECT(!strstr(out, "claim"));
	put("loops/claim/summary", "# headway.summary v2\n");
	EXPECT_EQ(run(stat), 1);
	EXPECT(strstr(err, "'# headway.summary v2'"));
	remove_tree();
}

KTAP_TEST(stat_json_is_one_object_a_line)
{
	static const char *const types[] = { "domain", "lock", "lock", "edge" };
	struct json_object *o;

	make_tree();
	EXPECT_EQ(run(stat, "dinner", "--json"), 0);
	for (int i = 0; i < 4; i++) {
		o = json_line(i);
		ASSERT(o);
		EXPECT_STREQ(string_of(o, "type"), types[i]);
		EXPECT_STREQ(string_of(o, "domain"), "dinner");
		EXPECT_EQ(int_of(o, "v"), 1);
		if (i == 0) {
			/* What a newer module adds is passed on. */
			EXPECT_EQ(int_of(o, "new_counter"), 42);
			EXPECT_EQ(int_of(o, "commits"), 7);
		}
		if (i == 1) {
			/* A name that looks like a number is still a name. */
			EXPECT(json_object_is_type(json_object_object_get(o, "name"),
						   json_type_string));
			EXPECT_EQ(int_of(o, "waittime_avg_ns"), 12345);
			EXPECT(json_object_object_get(o, "holder") == NULL);
			EXPECT(json_object_object_get_ex(o, "holder", NULL));
		}
		json_object_put(o);
	}
	EXPECT(json_line(4) == NULL);
	remove_tree();
}

#define TRANSACTION(comm, pid, state, stack) \
	"pid=" pid " comm=" comm " ticket=1 priority=0 held=1 restarts=0 age_ns=2000000 wounded=0 " \
	state " wait_ns=0 lock=fork0 holder=phil/0 holder_pid=12 " stack "\n"

static void put_transactions(void)
{
	put("domains/dinner/transactions", "# headway.transactions v1\n"
	    TRANSACTION("phil/1", "13", "waiting=1",
			"backing_off=0 stack=inner+0x1/0x2[mod]<-outer+0x3/0x4")
	    TRANSACTION("phil/2", "14", "waiting=0", "backing_off=1 stack=alone+0x5/0x6")
	    TRANSACTION("phil/3", "15", "waiting=0", "backing_off=0 stack=-")
	    TRANSACTION("phil/4", "16", "waiting=0", ""));
}

KTAP_TEST(stat_shows_stacks_when_asked)
{
	make_tree();
	put_transactions();
	EXPECT_EQ(run(stat, "dinner", "--stacks"), 0);
	EXPECT(strstr(out, "\nphil/1 (13) waits at:\n    inner+0x1/0x2[mod]\n    outer+0x3/0x4\n"));
	EXPECT(strstr(out, "\nphil/2 (14) backs off at:\n    alone+0x5/0x6\n"));
	EXPECT(!strstr(out, "phil/3 (15) "));
	EXPECT(!strstr(out, "phil/4 (16) "));
	EXPECT_EQ(run(stat, "dinner"), 0);
	EXPECT(!strstr(out, "inner+"));
	EXPECT_EQ(run(stat, "--stacks"), 2);
	remove_tree();
}

#define HISTOGRAMS "# headway.histograms v1\nlock=fork0 kind=wait count=3 b12=1 b20=2\n" \
	"lock=77 kind=wait count=4 b12=4\nlock=77 kind=hold count=1 b11=1\n"

KTAP_TEST(stat_shows_histograms_when_asked)
{
	const char *table =
"\n                TIME  WAITS    HOLDS\n"
"                             sampled\n"
"    2 us to 4 us          0        1\n"
"    4 us to 8 us          5        0\n";
	const char *last =
"    1 ms to 2 ms          2        0\n";
	struct json_object *o;

	make_tree();
	put("domains/dinner/histograms", HISTOGRAMS);
	EXPECT_EQ(run(stat, "dinner", "--histograms"), 0);
	EXPECT(strstr(out, table));
	EXPECT(strstr(out, last));
	EXPECT_EQ(run(stat, "dinner"), 0);
	EXPECT(!strstr(out, "2 us to 4 us"));
	EXPECT_EQ(run(stat, "dinner", "--histograms", "--json"), 0);
	o = json_line(4);
	ASSERT(o);
	EXPECT_STREQ(json_object_get_string(json_object_object_get(o, "type")), "histogram");
	EXPECT_STREQ(json_object_get_string(json_object_object_get(o, "lock")), "77");
	EXPECT_EQ(json_object_get_int(json_object_object_get(o, "b12")), 4);
	json_object_put(o);
	put("domains/dinner/histograms", "# headway.histograms v1\n");
	EXPECT_EQ(run(stat, "dinner", "-H"), 0);
	EXPECT(strstr(out, "\nNo wait and no hold has been timed yet.\n"));
	EXPECT_EQ(run(stat, "--histograms"), 2);
	EXPECT_EQ(run(stat, "dinner", "-H", "--dot"), 2);
	remove_tree();
}

KTAP_TEST(stat_json_has_stacks_as_arrays)
{
	struct json_object *o, *stack;

	make_tree();
	put_transactions();
	EXPECT_EQ(run(stat, "dinner", "--json"), 0);
	o = json_line(3);
	ASSERT(o);
	stack = json_object_object_get(o, "stack");
	ASSERT(json_object_is_type(stack, json_type_array));
	EXPECT_EQ((int)json_object_array_length(stack), 2);
	EXPECT_STREQ(json_object_get_string(json_object_array_get_idx(stack, 0)), "inner+0x1/0x2[mod]");
	EXPECT_STREQ(json_object_get_string(json_object_array_get_idx(stack, 1)), "outer+0x3/0x4");
	json_object_put(o);
	o = json_line(5);
	ASSERT(o);
	EXPECT(json_object_object_get_ex(o, "stack", &stack) && !stack);
	json_object_put(o);
	remove_tree();
}

#define DOT "digraph \"dinner\" {\n\tt13 [label=\"phil/1 (13)\\nwaiting, holds 1\\nrestarts 0\"];\n" \
	"\tt13 -> t12 [label=\"fork0 (0, 0)\\n1 ms\"];\n}\n"

KTAP_TEST(stat_prints_the_modules_dot)
{
	make_tree();
	put("domains/dinner/graph_dot", "# headway.graph_dot v1\n" DOT);
	EXPECT_EQ(run(stat, "--dot"), 0);
	EXPECT_STREQ(out, "# headway.graph_dot v1\n" DOT);
	EXPECT_EQ(run(stat, "--dot", "dinner"), 0);
	EXPECT_STREQ(out, "# headway.graph_dot v1\n" DOT);
	EXPECT_EQ(run(stat, "--dot", "--json"), 2);
	put("domains/dinner/graph_dot", "# headway.graph_dot v1\ndigraph \"\x1b[2J\" {}\n");
	EXPECT_EQ(run(stat, "--dot"), 0);
	EXPECT(!strchr(out, '\x1b'));
	put("domains/dinner/graph_dot", "digraph {}\n");
	EXPECT_EQ(run(stat, "--dot"), 1);
	EXPECT(strstr(err, "graph_dot"));
	remove_tree();
}

KTAP_TEST(stat_says_for_how_long)
{
	struct timespec now;
	char summary[256];

	make_tree();
	clock_gettime(CLOCK_BOOTTIME, &now);
	snprintf(summary, sizeof(summary), "# headway.summary v1\nverdict=livelock\nverdict_since_ns=%llu\n",
		 (now.tv_sec - 3ull) * 1000000000ull + now.tv_nsec);
	put("domains/dinner/summary", summary);
	EXPECT_EQ(run(stat), 0);
	EXPECT(strstr(out, "livelock    3 ") || strstr(out, "livelock    4 "));
	/* From the future: another boot's file, or nonsense. */
	put("domains/dinner/summary", "# headway.summary v1\nverdict=livelock\n"
	    "verdict_since_ns=18446744073709551615\n");
	EXPECT_EQ(run(stat), 0);
	EXPECT(strstr(out, "livelock    - "));
	remove_tree();
}

KTAP_TEST(stat_interval_computes_rates_from_its_own_samples)
{
	struct json_object *first, *second;

	make_tree();
	EXPECT_EQ(run(stat, "--json", "-i", "0.05", "-n", "2"), 0);
	first = json_line(0);
	second = json_line(1);
	ASSERT(first && second);
	EXPECT_EQ(int_of(first, "rollbacks_per_s"), 100);
	EXPECT_EQ(int_of(second, "commits_per_s"), 0);
	/* Nothing moved between the two, whatever the module's last window says. */
	EXPECT_EQ(int_of(second, "rollbacks_per_s"), 0);
	EXPECT(json_object_get_double(json_object_object_get(second, "rates_over_s")) < 1.0);
	EXPECT(json_line(2) == NULL);
	json_object_put(first);
	json_object_put(second);
	remove_tree();
}

static struct headway_stat_rates rates(struct headway_stat_samples *s, const char *name,
				       uint64_t second, uint64_t count)
{
	return headway_stat_rate(s, name, second * 1000000000ull,
				 (uint64_t[HEADWAY_STAT_COUNTS]) { count, 7 });
}

KTAP_TEST(rates_are_of_one_name_since_the_time_before)
{
	struct headway_stat_samples s = { 0 };

	EXPECT(!rates(&s, "a", 1, 100).known);
	EXPECT(!rates(&s, "b", 1, 5000).known);
	EXPECT_NEAR(rates(&s, "a", 3, 150).per_s[0], 25, 0.001);
	EXPECT_NEAR(rates(&s, "a", 4, 150).per_s[0], 0, 0.001);
	EXPECT_NEAR(rates(&s, "b", 5, 5004).over_s, 4, 0.001);
	/* Reset: the next one counts from there. */
	EXPECT(!rates(&s, "a", 5, 10).known);
	EXPECT_EQ((int)rates(&s, "a", 6, 30).grown[0], 20);
	/* No time has passed. */
	EXPECT(!rates(&s, "a", 6, 40).known);
	headway_stat_samples_free(&s);
}

KTAP_TEST(stat_interval_shows_rates_of_locks)
{
	const char *first =
"\nLOCK   ACQUISITIONS  CONTENTIONS  ROLLBACKS  WAIT AVG  WAIT MAX  HOLD AVG  WAITERS  HOLDER\n"
"                 /s           /s         /s        us        us        us\n"
"77                -            -          -         -     100.0         -        0  -\n";
	struct json_object *o;

	make_tree();
	EXPECT_EQ(run(stat, "dinner", "-i", "0.05", "-n", "2"), 0);
	EXPECT(strstr(out, first));
	EXPECT(strstr(out, "\n77              0.0          0.0        0.0         -     100.0"));
	EXPECT_EQ(run(stat, "dinner", "--json", "-i", "0.05", "-n", "2"), 0);
	o = json_line(1);
	ASSERT(o);
	EXPECT(json_object_object_get_ex(o, "acquisitions_per_s", NULL));
	EXPECT(!json_object_object_get(o, "acquisitions_per_s"));
	json_object_put(o);
	o = json_line(5);
	ASSERT(o);
	EXPECT_STREQ(string_of(o, "type"), "lock");
	EXPECT(json_object_object_get(o, "acquisitions_per_s") != NULL);
	EXPECT(json_object_get_double(json_object_object_get(o, "rates_over_s")) > 0);
	json_object_put(o);
	/* Who cannot be told apart has no rates. */
	put("domains/dinner/locks", "# headway.locks v1\nname=a rank=1 key=0 acquisitions=1\n"
	    "name=a rank=1 key=0 acquisitions=2\n");
	EXPECT_EQ(run(stat, "dinner", "-i", "0.05", "-n", "2"), 0);
	EXPECT(!strstr(out, "\na   0.0"));
	EXPECT(strstr(strstr(out, "\n\n") + 2, "\na                -            - "));
	remove_tree();
}

KTAP_TEST(stat_ends_cleanly_on_sigterm)
{
	char *argv[] = { (char[]){ "stat" }, "-i", "3600", NULL };

	make_tree();
	EXPECT_EQ(run_for(500, headway_cmd_stat, argv), 0);
	EXPECT(strstr(out, "dinner"));
	remove_tree();
}

KTAP_TEST(stat_says_what_it_left_out)
{
	make_tree();
	put("domains/dinner/summary", "# headway.summary v1\nverdict=\033[31mred\ncommits=x y\npolicy=none\n");
	EXPECT_EQ(run(stat), 0);
	EXPECT(strstr(out, "dinner  none    ?  "));
	EXPECT(!strchr(out, '\033'));
	EXPECT(strstr(err, "2 times"));
	remove_tree();
}

KTAP_TEST(stat_errors)
{
	make_tree();
	EXPECT_EQ(run(stat, "lunch"), 1);
	EXPECT_STREQ(out, "");
	EXPECT_STREQ(err, "headway stat: no domain 'lunch'. Domains now: dinner\n");
	EXPECT_EQ(run(stat, "a", "b"), 2);
	EXPECT_EQ(run(stat, "-i", "0"), 2);
	EXPECT_EQ(run(stat, "-i", "nan"), 2);
	EXPECT_EQ(run(stat, "-n", "3"), 2);
	EXPECT_EQ(run(stat, "-i", "1", "-n", "-1"), 2);
	EXPECT_EQ(run(stat, "--frobnicate"), 2);
	put("domains/dinner/summary", "# headway.summary v2\n");
	EXPECT_EQ(run(stat), 1);
	EXPECT(strstr(err, "'# headway.summary v2', not '# headway.summary v1'"));
	remove_tree();
}

KTAP_TEST(policy_shows_what_there_is)
{
	make_tree();
	EXPECT_EQ(run(policy, "dinner"), 0);
	EXPECT_STREQ(out, "Domain dinner: policy none.\n\n"
		     "   POLICY   WHAT IT DOES\n"
		     "*  none     livelocks\n"
		     "   ordered  waits in order\n\n"
		     "Switch with: headway policy dinner NAME\n");
	EXPECT_EQ(run(policy, "dinner", "--json"), 0);
	EXPECT_STREQ(out, "{\"v\":1,\"type\":\"policy\",\"domain\":\"dinner\",\"policy\":\"none\","
		     "\"available\":[{\"policy\":\"none\",\"help\":\"livelocks\"},"
		     "{\"policy\":\"ordered\",\"help\":\"waits in order\"}]}\n");
	remove_tree();
}

KTAP_TEST(policy_switches)
{
	make_tree();
	EXPECT_EQ(run(policy, "dinner", "ordered"), 0);
	EXPECT(!strncmp(out, "dinner: policy none -> ordered, in ", 35));
	EXPECT_STREQ(err, "");
	EXPECT_EQ(run(policy, "dinner", "ordered"), 0);
	EXPECT_STREQ(out, "dinner: policy ordered already, nothing changed.\n");
	EXPECT_EQ(run(policy, "dinner", "ordered", "--json"), 0);
	EXPECT(!strncmp(out, "{\"v\":1,\"type\":\"policy\",\"domain\":\"dinner\",\"policy\":\"ordered\","
			"\"previous\":\"ordered\",\"took_ms\":", 87));
	remove_tree();
}

KTAP_TEST(policy_that_does_not_switch)
{
	make_tree();
	write_result = -EBUSY;
	EXPECT_EQ(run(policy, "dinner", "ordered"), 1);
	EXPECT_STREQ(out, "");
	EXPECT(strstr(err, "the old policy stays"));
	EXPECT(strstr(err, "headway stat dinner"));
	write_result = -EINTR;
	EXPECT_EQ(run(policy, "dinner", "ordered"), 1);
	EXPECT(strstr(err, "interrupted"));
	write_result = 0;
	remove_tree();
}

KTAP_TEST(policy_errors)
{
	char path[PATH_MAX];

	make_tree();
	EXPECT_EQ(run(policy), 2);
	EXPECT_EQ(run(policy, "dinner", "ordered", "more"), 2);
	EXPECT_EQ(run(policy, "lunch", "ordered"), 1);
	EXPECT_STREQ(err, "headway policy: no domain 'lunch'. Domains now: dinner\n");
	EXPECT_EQ(run(policy, "dinner", "greedy\033"), 1);
	EXPECT_STREQ(err, "headway policy: no policy 'greedy?'. Policies: none, ordered\n");
	snprintf(path, sizeof(path), "%s/version", root);
	EXPECT_EQ(unlink(path), 0);
	EXPECT_EQ(run(policy, "dinner"), 1);
	EXPECT(strstr(err, "version is gone"));
	remove_tree();
}

KTAP_MAIN("stat")

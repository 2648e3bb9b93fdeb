// SPDX-License-Identifier: GPL-2.0
/*
 * top_domain_test.c - the rows of `headway top` of domains, loops and arbiters of headway.ko, and
 * the page about one, on a tree of files that stands in for debugfs.
 */
// links: userspace/top_domain.c userspace/top_log.c userspace/top_page.c userspace/top_waits.c
// links: userspace/top_feed.c userspace/top_model.c userspace/top_arbiter.c
// links: userspace/arbiter_table.c userspace/stat_rates.c
// links: userspace/kernel_watch.c userspace/kernel_finding.c userspace/kernel_names.c
// links: userspace/kernel_live.c userspace/histogram.c
// links: userspace/kernelfs.c userspace/logfmt.c userspace/finding.c userspace/names.c
// links: userspace/escape.c userspace/proc.c userspace/out_text.c userspace/table.c
// libs: -ljson-c -Wl,--wrap=headway_kernelfs_open
// libs: -Wl,--wrap=headway_kernelfs_write
#include "stat_tree.h"

#include "activity.h"
#include "kernel_live.h"
#include "kernel_watch.h"
#include "top.h"

static struct headway_top top;
static struct headway_scene scene;
static struct headway_kernel_live live;
static char page[32768];

/* No process is watched here. */
int headway_activity_collect(struct headway_activity *a, const struct headway_detect *d,
			     uint32_t pid)
{
	(void)a;
	(void)d;
	(void)pid;
	abort();
}

void headway_activity_free(struct headway_activity *a)
{
	(void)a;
	abort();
}

static int on_finding(void *ctx, const struct headway_finding *f, struct headway_names *names)
{
	headway_top_log_add(ctx, f, names);
	return 0;
}

static void on_word(void *ctx, const char *sentence)
{
	(void)ctx;
	(void)sentence;
}

static void look(void)
{
	const struct headway_kernel_listener to = {
		.finding = on_finding, .say = on_word, .ctx = &top,
	};

	EXPECT_EQ(headway_kernel_watch_look(scene.kernel, &to), 0);
}

static void begin(void)
{
	struct headway_kernel_reader reader;

	make_tree();
	make_dir("loops");
	put("domains/dinner/summary", "# headway.summary v1\npolicy=none\nverdict=livelock\n"
	    "verdict_since_ns=1\nlocks=2\nwindow_ns=2000000000\nwindow_attempts=10\n"
	    "window_commits=2\nwindow_rollbacks=8\nin_flight=5\n");
	put("domains/dinner/events", "# headway.events v1\n"
	    "at_ns=1 event=verdict from=healthy to=livelock after_ns=5 commits=0 rollbacks=90 "
	    "in_flight=2 actors=2 detail=fork1\n");
	put("domains/dinner/histograms", "# headway.histograms v1\n"
	    "lock=fork0 kind=wait count=3 b20=1 b21=2\nlock=fork1 kind=wait count=1 b21=1\n");
	put("domains/dinner/transactions", "# headway.transactions v1\n"
	    "pid=13 comm=phil/1 ticket=4 priority=0 held=1 restarts=7 age_ns=2000000 wounded=1 "
	    "waiting=1 wait_ns=1500000 lock=fork0 holder=phil/0 holder_pid=12 backing_off=0 "
	    "stack=inner+0x1/0x2[mod]<-outer+0x3/0x4\n");
	EXPECT_EQ(headway_kernel_live_open(&live), 0);
	reader = headway_kernel_live_reader(&live);
	scene.kernel = headway_kernel_watch_new(NULL, 0, &reader);
	ASSERT(scene.kernel);
	top.scene = &scene;
	top.about = (struct headway_top_row){ .source = HEADWAY_TOP_DOMAIN, .name = "dinner" };
	look();
}

static void end(void)
{
	headway_top_page_free(&top.page);
	headway_top_log_free(&top);
	headway_kernel_watch_free(scene.kernel);
	headway_kernel_live_close(&live);
	memset(&top, 0, sizeof(top));
	remove_tree();
}

static const char *text_of(const struct headway_top_page *p)
{
	size_t used = 0;

	page[0] = '\0';
	for (size_t i = 0; i < p->nr && used < sizeof(page); i++)
		used += (size_t)snprintf(page + used, sizeof(page) - used, "%s\n",
					 p->lines[i].text);
	return page;
}

static void expect_line(const char *line)
{
	if (!strstr(page, line))
		KTAP_FAIL("no line '%s' in:\n%s", line, page);
}

KTAP_TEST(a_source_is_as_its_summary_says)
{
	struct headway_kernel_source s;

	begin();
	ASSERT(headway_kernel_watch_source(scene.kernel, 0, &s));
	EXPECT_STREQ(s.name, "dinner");
	EXPECT(!s.is_loop && s.verdict == HEADWAY_LIVELOCK);
	EXPECT_EQ((int)s.attempts, 10);
	EXPECT_EQ((int)s.commits, 2);
	EXPECT_EQ((int)s.rollbacks, 8);
	EXPECT_EQ((int)s.in_flight, 5);
	EXPECT(!headway_kernel_watch_source(scene.kernel, 1, &s));
	end();
}

KTAP_TEST(domains_and_loops_have_rows)
{
	const struct headway_top_row *row;

	begin();
	make_dir("loops/claim");
	put("loops/claim/summary", "# headway.summary v1\nverdict=idle\nwindow_ns=0\n");
	put("loops/claim/events", "# headway.events v1\n");
	look();
	headway_top_model_init(&top.model);
	EXPECT_EQ(headway_top_feed(&top), 0);
	EXPECT_EQ((int)top.model.nr_order, 2);
	row = headway_top_row_at(&top.model, 0);
	ASSERT(row);
	EXPECT(row->source == HEADWAY_TOP_DOMAIN && row->judged &&
	       row->verdict == HEADWAY_LIVELOCK);
	EXPECT_STREQ(row->name, "dinner");
	/* Of a window of 2 s. */
	EXPECT_NEAR(row->attempts_per_s, 5, 0.001);
	EXPECT_NEAR(row->completions_per_s, 1, 0.001);
	EXPECT_NEAR(row->failed_per_s, 4, 0.001);
	EXPECT_EQ((int)row->actors, 5);
	EXPECT_EQ((int)row->waiting, -1);
	row = headway_top_row_at(&top.model, 1);
	ASSERT(row);
	/* Its first window is not over. */
	EXPECT(row->source == HEADWAY_TOP_LOOP && !row->judged);
	headway_top_model_free(&top.model);
	end();
}

KTAP_TEST(a_page_has_all_about_a_domain)
{
	begin();
	headway_top_domain_page(&top);
	text_of(&top.page);
	expect_line("  phil/0 (12, S)\n  `- phil/1 (13) waits for fork0 for 1.5 ms\n");
	expect_line("  fork0, held by phil/0 (12), for 1.5 ms\n");
	expect_line("  phil/1 (13)\n    at inner+0x1/0x2[mod]\n       outer+0x3/0x4\n");
	/* The most contended first; figures as the module gives them. */
	expect_line("  fork0                         100          50        49");
	EXPECT(strstr(page, "  fork0   ") < strstr(page, "  77   "));
	expect_line("WAIT TIMES (4, all locks)");
	expect_line("2 ms to 4 ms              3  ####");
	expect_line("LAST FINDING\nLIVELOCK (confirmed) in kernel domain dinner");
	EXPECT(!top.page.failed);
	end();
}

KTAP_TEST(a_file_that_cannot_be_read_is_said)
{
	begin();
	put("domains/dinner/graph", "# headway.graph v9\n");
	headway_top_domain_page(&top);
	text_of(&top.page);
	expect_line("'# headway.graph v9', not '# headway.graph v1'");
	expect_line("  fork0   ");
	end();
}

KTAP_TEST(a_loop_has_actors)
{
	begin();
	make_dir("loops/claim");
	put("loops/claim/summary", "# headway.summary v1\nverdict=starvation\nwindow_ns=1000000000\n");
	put("loops/claim/events", "# headway.events v1\n");
	put("loops/claim/actors", "# headway.actors v1\npid=13 comm=claimer restarts=70 "
	    "failing_ns=3000000 attempt_ns=1000000 stack=claim+0x1/0x2\n");
	look();
	top.about = (struct headway_top_row){ .source = HEADWAY_TOP_LOOP, .name = "claim" };
	headway_top_domain_page(&top);
	text_of(&top.page);
	expect_line("          13 claimer               70         3.0         1.0\n");
	expect_line("    at claim+0x1/0x2\n");
	EXPECT(!strstr(page, "LOCKS"));
	top.about.source = HEADWAY_TOP_DOMAIN;
	headway_top_page_clear(&top.page);
	headway_top_domain_page(&top);
	expect_line("claim");
	EXPECT(strstr(text_of(&top.page), "kernel domain claim is not watched"));
	end();
}

static void put_arbiter(int grants, int timeouts)
{
	char summary[256];

	snprintf(summary, sizeof(summary), "# headway.summary v1\narbiter=office\nresources=4\n"
		 "closing=0\nheld=3\nwaiting=2\nvictims=0\ngrants=%d\npasses=7\ndeadlocks=3\n"
		 "cancels=1\ntimeouts=%d\n", grants, timeouts);
	put("arbiters/office/summary", summary);
}

static void begin_with_arbiter(void)
{
	begin();
	make_dir("arbiters");
	make_dir("arbiters/office");
	put_arbiter(90, 5);
	put("arbiters/office/requests", "# headway.requests v1\n"
	    "pid=12 comm=scan state=granted priority=0 wants=- holds=0-1,3 waited_ns=1500000 "
	    "held_ns=2000000 deadline_in_ns=- passed=0 activity=5\n"
	    "pid=13 comm=copy state=waiting priority=2 wants=0 holds=- waited_ns=3000000 "
	    "held_ns=0 deadline_in_ns=- passed=4 activity=6\n");
	put("arbiters/office/graph", "# headway.graph v1\n"
	    "waiter=copy waiter_pid=13 resources=0 holder=scan holder_pid=12 why=held "
	    "wait_ns=3000000 waiter_activity=6 holder_activity=5\n"
	    "waiter=print waiter_pid=14 resources=1 holder=copy holder_pid=13 why=reserved "
	    "wait_ns=1000000 waiter_activity=7 holder_activity=6\n");
}

KTAP_TEST(an_arbiter_has_a_row_without_a_verdict)
{
	const struct headway_top_row *row;

	begin_with_arbiter();
	headway_top_model_init(&top.model);
	scene.assessment.watched_ns = 1000000000;
	EXPECT_EQ(headway_top_feed(&top), 0);
	put_arbiter(110, 9);
	scene.assessment.watched_ns = 3000000000;
	EXPECT_EQ(headway_top_feed(&top), 0);
	EXPECT_EQ((int)top.model.nr_order, 2);
	row = headway_top_row_at(&top.model, 1);
	ASSERT(row);
	EXPECT(row->source == HEADWAY_TOP_ARBITER && !row->judged);
	EXPECT_STREQ(row->name, "office");
	EXPECT_NEAR(row->attempts_per_s, 12, 0.001);
	EXPECT_NEAR(row->completions_per_s, 10, 0.001);
	EXPECT_NEAR(row->failed_per_s, 2, 0.001);
	EXPECT_EQ((int)row->waiting, 2);
	EXPECT_EQ((int)row->actors, 3);
	headway_top_model_free(&top.model);
	headway_stat_samples_free(&top.arbiters);
	end();
}

KTAP_TEST(a_page_has_all_about_an_arbiter)
{
	begin_with_arbiter();
	top.about = (struct headway_top_row){ .source = HEADWAY_TOP_ARBITER, .name = "office" };
	headway_top_arbiter_page(&top);
	text_of(&top.page);
	expect_line("  office           4     3        2        0      90       7          3");
	expect_line("  scan (12)\n  `- copy (13) waits for resource 0, held by that one, for 3.0 ms\n"
		    "     `- print (14) waits for resource 1, reserved for that one, for 1.0 ms\n");
	expect_line("   12  scan        granted         0  -      0-1,3     1.5   2.0");
	expect_line("   13  copy        waiting         2  0      -         3.0     -");
	EXPECT(!top.page.failed);
	put("arbiters/office/requests", "# headway.requests v1\n");
	put("arbiters/office/graph", "# headway.graph v9\n");
	headway_top_page_clear(&top.page);
	headway_top_arbiter_page(&top);
	text_of(&top.page);
	expect_line("'# headway.graph v9', not '# headway.graph v1'");
	expect_line("  No request holds resources or waits for any.");
	end();
}

KTAP_TEST(where_a_domain_is_named_arbiters_are_not_shown)
{
	static const char *const names[] = { "dinner" };
	struct headway_kernel_reader reader;
	char **arbiters;
	size_t nr = 9;

	begin_with_arbiter();
	headway_kernel_watch_free(scene.kernel);
	reader = headway_kernel_live_reader(&live);
	scene.kernel = headway_kernel_watch_new(names, 1, &reader);
	ASSERT(scene.kernel);
	EXPECT_EQ(headway_kernel_watch_arbiters(scene.kernel, &arbiters, &nr), 0);
	EXPECT(!nr && !arbiters);
	end();
}

KTAP_TEST(the_log_keeps_the_last)
{
	begin();
	headway_top_log_page(&top);
	text_of(&top.log);
	expect_line("1 findings so far, the newest first.");
	expect_line("FINDING 1\nLIVELOCK (confirmed) in kernel domain dinner");
	EXPECT(headway_top_log_about(&top, "dinner"));
	EXPECT(!headway_top_log_about(&top, "lunch"));
	end();
}

KTAP_MAIN("top_domain")

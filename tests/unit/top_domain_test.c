// SPDX-License-Identifier: GPL-2.0
/*
 * top_domain_test.c - the rows of `headway top` of domains and loops of headway.ko, and the page
 * about one, on a tree of files that stands in for debugfs.
 */
// links: userspace/top_domain.c userspace/top_log.c userspace/top_page.c userspace/top_waits.c
// links: userspace/top_feed.c userspace/top_model.c
// links: userspace/kernel_watch.c userspace/kernel_finding.c userspace/kernel_names.c
// links: userspace/kernel_live.c
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
	expect_line("waits for fork0 for 1.5 ms, held by phil/0 (12)\n");
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

// SPDX-License-Identifier: GPL-2.0
// links: userspace/metrics.c userspace/metrics_kernel.c userspace/metrics_text.c userspace/tally.c
// links: userspace/detect.c userspace/assess.c userspace/judge.c userspace/verdict_blocked.c
// links: userspace/verdict_retry.c userspace/verdict_storm.c userspace/window.c userspace/view.c
// links: userspace/contact.c userspace/mutexes.c userspace/graph.c userspace/finding.c
// links: userspace/futexword.c userspace/marks.c userspace/verdict_marker.c userspace/lockshape.c
// links: userspace/names.c userspace/escape.c userspace/kernelfs.c userspace/logfmt.c
// links: userspace/probe_name.c userspace/histogram.c
// links: userspace/verdict_ownerless.c userspace/suspect.c
// libs: -ljson-c -Wl,--wrap=headway_kernelfs_open
// libs: -Wl,--wrap=headway_kernelfs_write
/*
 * metrics_test.c - the page of `headway export`: a watch with hostile names, and a tree of files
 * that stands in for debugfs.
 *
 * That Prometheus reads such a page is the export tier's to show.
 */
#include "stat_tree.h"
#include "stream.h"

#include "metrics.h"

static char page[65536];

static void on_changes(void *ctx, const struct headway_view *v)
{
	headway_tally_add(ctx, v);
}

static void print(struct headway_metrics *m, const struct headway_scene *scene)
{
	struct headway_metrics_text t = {
		.out = fmemopen(page, sizeof(page), "w"), .openmetrics = true,
	};

	headway_metrics_print(m, scene, &t);
	EXPECT(!ferror(t.out));
	fclose(t.out);
}

/* Has the page this line, once? */
static bool has(const char *line)
{
	const char *at = page;
	size_t len = strlen(line);
	int nr = 0;

	while ((at = strstr(at, line))) {
		nr += (at == page || at[-1] == '\n') && at[len] == '\n';
		at += len;
	}
	if (nr != 1)
		printf("# %d times in the page: %s\n", nr, line);
	return nr == 1;
}

static bool lacks(const char *text)
{
	return !strstr(page, text);
}

static int lock_name(void *ctx, pid_t pid, uint64_t addr, char *name, size_t len)
{
	(void)ctx;
	(void)pid;
	if (addr != 0xb000)
		return -ENOENT;
	snprintf(name, len, "a\"b\n");
	return 0;
}

static int no_stack(void *ctx, pid_t pid, int32_t stack_id,
		    char frames[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN])
{
	(void)ctx;
	(void)pid;
	(void)stack_id;
	(void)frames;
	return 0;
}

KTAP_TEST(processes)
{
	const struct headway_name_source source = { .lock = lock_name, .stack = no_stack };
	struct headway_names *names = headway_names_new(&source);
	struct headway_metrics m = { .scrapes = 2 };
	struct headway_detect_options o = {
		.window_ns = 5 * SECOND, .interval_ns = SECOND,
		.changes = on_changes, .ctx = &m.tally,
	};
	struct headway_scene scene = { .names = names };
	struct stream s;

	stream_begin(&s, 5 * SECOND, SECOND);
	headway_detect_free(s.detect);
	s.detect = headway_detect_new(&o);
	ASSERT(names && s.detect && !headway_tally_init(&m.tally, 1, 1));
	stream_feed(&s);
	memcpy(stream_thread(&s, 100)->rec.comm, "\"}\n\033\xff\\", 7);
	stream_commit(&s, 90, 0xa000, 4);
	stream_process(&s, 90, 200);
	stream_for_each_tick(&s, i, 6)
		stream_abba(&s, 20);
	m.tally.processes.lines[0].times[10] = 6;
	m.tally.processes.lines[0].wait_ns = 12000;
	m.times_lost = 8;
	m.findings[HEADWAY_SOURCE_PROCESS][HEADWAY_LIVELOCK] = 3;
	s.snap.counters[HEADWAY_CNT_LOST_LOCKS] = 9;
	s.snap.missing_probes = 1u << HEADWAY_PROBE_YIELD;
	scene.assessment = *headway_detect_assessment(s.detect);
	scene.detect = s.detect;
	scene.snap = &s.snap;
	print(&m, &scene);

	EXPECT(has("headway_scrapes_total 3"));
	EXPECT(has("headway_judged 1"));
	EXPECT(has("headway_watched_seconds_total 6"));
	EXPECT(has("headway_state{headway_state=\"livelock\"} 1"));
	EXPECT(has("headway_state{headway_state=\"deadlock\"} 0"));
	EXPECT(has("headway_findings_total{source=\"process\",verdict=\"livelock\"} 3"));
	EXPECT(has("headway_findings_total{source=\"kernel\",verdict=\"livelock\"} 0"));
	EXPECT(lacks("verdict=\"healthy\""));
#define HOSTILE "pid=\"100\",comm=\"\\\"}\\\\x0a\\\\x1b\\\\xff\\\\\\\\\""
	EXPECT(has("headway_finding{" HOSTILE ",verdict=\"livelock\"} 1"));
	/* One process and one lock have lines; the rest is in one more. */
	EXPECT(has("headway_process_completions_total{pid=\"200\",comm=\"actor\"} 4"));
	EXPECT(has("headway_process_rollbacks_total{pid=\"other\",comm=\"\"} 240"));
	EXPECT(has("headway_lock_failures_total{" HOSTILE ",lock=\"a\\\"b\\\\x0a\","
		   "address=\"0xb000\"} 120"));
	EXPECT(has("headway_lock_failures_total{pid=\"other\",comm=\"\"} 120"));
	EXPECT(lacks("headway_folded_total{of=\"lock\"} 0\n"));
	EXPECT(has("headway_process_wait_seconds_bucket{pid=\"200\",comm=\"actor\","
		   "le=\"4.096e-06\"} 6"));
	EXPECT(has("headway_process_wait_seconds_sum{pid=\"200\",comm=\"actor\"} 1.2e-05"));
	EXPECT(has("headway_lost_total{what=\"time\"} 8"));
	EXPECT(has("headway_lost_total{what=\"lock\"} 9"));
	EXPECT(has("headway_probe_missing{probe=\"sched_yield\"} 1"));
	EXPECT(has("headway_probe_missing{probe=\"futex\"} 0"));
	EXPECT(lacks("headway_domain"));
	EXPECT(lacks("headway_kernel_watched"));
	EXPECT(has("# EOF"));

	stream_end(&s);
	headway_tally_free(&m.tally);
	headway_names_free(names);
}

#define HISTOGRAMS "# headway.histograms v1\nlock=fork0 kind=wait count=3 b9=1 b31=2\n" \
	"lock=fork0 kind=hold count=5 b9=5\nlock=fork0 kind=wait count=4 b10=4\n" \
	"lock=fork1 kind=wait count=1 b0=1\n"

KTAP_TEST(kernel)
{
	struct headway_metrics m = { 0 };
	struct headway_scene scene = { .assessment = { .state = HEADWAY_IDLE } };

	make_tree();
	make_dir("loops");
	make_dir("loops/dinner");
	put("loops/dinner/summary", "# headway.summary v1\nloop=dinner\nverdict=idle\ncommits=1\n");
	put("domains/dinner/histograms", HISTOGRAMS);
	put("domains/dinner/locks", "# headway.locks v1\nname=fork0 waittime-total_ns=1500000000\n"
	    "name=fork0 waittime-total_ns=500000000\nname=fork1 waittime-total_ns=1\n");
	m.kernel = headway_metrics_kernel_new(NULL, 0, 2, NULL);
	ASSERT(m.kernel != NULL);
	print(&m, &scene);
	EXPECT(has("headway_kernel_watched 1"));
	EXPECT(has("headway_domain_state{domain=\"dinner\",kind=\"domain\","
		   "headway_domain_state=\"livelock\"} 1"));
	EXPECT(has("headway_domain_state{domain=\"dinner\",kind=\"loop\","
		   "headway_domain_state=\"livelock\"} 0"));
	EXPECT(has("headway_domain_policy_info{domain=\"dinner\",policy=\"none\"} 1"));
	EXPECT(has("headway_domain_rollbacks_total{domain=\"dinner\",kind=\"domain\"} 1227"));
	EXPECT(has("headway_domain_commits_total{domain=\"dinner\",kind=\"loop\"} 1"));
	EXPECT(has("headway_domain_in_flight{domain=\"dinner\",kind=\"domain\"} 5"));
	EXPECT(has("headway_domain_wait_seconds_count{domain=\"dinner\"} 8"));
	EXPECT(has("headway_domain_wait_seconds_sum{domain=\"dinner\"} 2.000000001"));
	/* Two locks of one name are one. */
	EXPECT(has("headway_domain_lock_wait_seconds_bucket{domain=\"dinner\",lock=\"fork0\","
		   "le=\"1.024e-06\"} 1"));
	EXPECT(has("headway_domain_lock_wait_seconds_bucket{domain=\"dinner\",lock=\"fork0\","
		   "le=\"+Inf\"} 7"));
	EXPECT(has("headway_domain_lock_wait_seconds_sum{domain=\"dinner\",lock=\"fork0\"} 2"));
	EXPECT(has("headway_domain_locks_folded_total 0"));

	/* More than have room; those that had a place keep it. */
	make_dir("domains/a");
	put("domains/a/summary", SUMMARY);
	put("domains/a/histograms", HISTOGRAMS);
	put("domains/a/locks", "# headway.locks v1\n");
	print(&m, &scene);
	EXPECT(has("headway_domain_left_out{why=\"series\"} 1"));
	EXPECT(has("headway_domain_lock_wait_seconds_count{domain=\"dinner\",lock=\"fork0\"} 7"));
	EXPECT(has("headway_domain_wait_seconds_count{domain=\"a\"} 8"));
	EXPECT(lacks("headway_domain_lock_wait_seconds_count{domain=\"a\""));
	EXPECT(lacks("headway_domain_locks_folded_total 0\n"));

	/* Too many locks to read them for each page. */
	put("domains/a/summary", "# headway.summary v1\nlocks=4097\n");
	print(&m, &scene);
	EXPECT(has("headway_domain_left_out{why=\"locks\"} 1"));
	EXPECT(lacks("headway_domain_wait_seconds_count{domain=\"a\""));
	EXPECT(lacks("headway_domain_commits_total{domain=\"a\""));

	/* The module is gone. */
	remove_tree();
	scene.kernel_lost = "gone";
	print(&m, &scene);
	EXPECT(has("headway_kernel_watched 0"));
	EXPECT(lacks("headway_domain_state{"));
	EXPECT(lacks("headway_domain_unreadable_total 0\n"));
	headway_metrics_kernel_free(m.kernel);
}

/* -k with names: the others are not shown. */
KTAP_TEST(kernel_named)
{
	const char *names[] = { "supper" };
	struct headway_metrics m = { 0 };
	struct headway_scene scene = { .assessment = { .state = HEADWAY_IDLE } };

	make_tree();
	make_dir("domains/supper");
	put("domains/supper/summary", SUMMARY);
	m.kernel = headway_metrics_kernel_new(names, 1, 8, NULL);
	ASSERT(m.kernel != NULL);
	print(&m, &scene);
	EXPECT(has("headway_domain_commits_total{domain=\"supper\",kind=\"domain\"} 7"));
	EXPECT(lacks("\"dinner\""));
	headway_metrics_kernel_free(m.kernel);
	remove_tree();
}

KTAP_MAIN("metrics")

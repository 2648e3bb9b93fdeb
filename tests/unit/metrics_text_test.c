// SPDX-License-Identifier: GPL-2.0
// links: userspace/metrics_text.c
/*
 * metrics_text_test.c - each kind of metric in both text formats, byte for byte; hostile values of
 * labels; and what a scraper's Accept header asks for.
 *
 * That Prometheus itself reads it is the tool tier's to show.
 */
#include "ktap.h"

#include "metrics_text.h"

static char page[8192];

static struct headway_metrics_text page_begin(bool openmetrics)
{
	memset(page, 0, sizeof(page));
	return (struct headway_metrics_text){
		.out = fmemopen(page, sizeof(page), "w"), .openmetrics = openmetrics,
	};
}

static const char *page_end(struct headway_metrics_text *t)
{
	headway_metrics_end(t);
	fclose(t->out);
	return page;
}

static const struct headway_label two[] = { { "pid", "12" }, { "comm", "a b" }, { 0 } };

static const struct headway_metric counter = {
	HEADWAY_METRIC_COUNTER, "x_tries", NULL, "Tries.",
};
static const struct headway_metric gauge = {
	HEADWAY_METRIC_GAUGE, "x_age_seconds", "seconds", "Age.",
};
static const struct headway_metric states = { HEADWAY_METRIC_STATESET, "x_state", NULL, "State." };
static const struct headway_metric info = { HEADWAY_METRIC_INFO, "x_build", NULL, "Build." };

static const char *of_each_kind(bool openmetrics)
{
	struct headway_metrics_text t = page_begin(openmetrics);

	headway_metrics_begin(&t, &counter);
	headway_metrics_count(&t, NULL, 0);
	headway_metrics_count(&t, two, UINT64_MAX);
	headway_metrics_begin(&t, &gauge);
	headway_metrics_gauge(&t, NULL, 0.25);
	headway_metrics_begin(&t, &states);
	headway_metrics_state(&t, two, "idle", false);
	headway_metrics_state(&t, NULL, "livelock", true);
	headway_metrics_begin(&t, &info);
	headway_metrics_info(&t, two);
	return page_end(&t);
}

KTAP_TEST(openmetrics)
{
	EXPECT_STREQ(of_each_kind(true),
		     "# TYPE x_tries counter\n"
		     "# HELP x_tries Tries.\n"
		     "x_tries_total 0\n"
		     "x_tries_total{pid=\"12\",comm=\"a b\"} 18446744073709551615\n"
		     "# TYPE x_age_seconds gauge\n"
		     "# UNIT x_age_seconds seconds\n"
		     "# HELP x_age_seconds Age.\n"
		     "x_age_seconds 0.25\n"
		     "# TYPE x_state stateset\n"
		     "# HELP x_state State.\n"
		     "x_state{pid=\"12\",comm=\"a b\",x_state=\"idle\"} 0\n"
		     "x_state{x_state=\"livelock\"} 1\n"
		     "# TYPE x_build info\n"
		     "# HELP x_build Build.\n"
		     "x_build_info{pid=\"12\",comm=\"a b\"} 1\n"
		     "# EOF\n");
}

/* The old format knows the names of samples only, and neither units nor an end. */
KTAP_TEST(plain)
{
	EXPECT_STREQ(of_each_kind(false),
		     "# TYPE x_tries_total counter\n"
		     "# HELP x_tries_total Tries.\n"
		     "x_tries_total 0\n"
		     "x_tries_total{pid=\"12\",comm=\"a b\"} 18446744073709551615\n"
		     "# TYPE x_age_seconds gauge\n"
		     "# HELP x_age_seconds Age.\n"
		     "x_age_seconds 0.25\n"
		     "# TYPE x_state gauge\n"
		     "# HELP x_state State.\n"
		     "x_state{pid=\"12\",comm=\"a b\",x_state=\"idle\"} 0\n"
		     "x_state{x_state=\"livelock\"} 1\n"
		     "# TYPE x_build_info gauge\n"
		     "# HELP x_build_info Build.\n"
		     "x_build_info{pid=\"12\",comm=\"a b\"} 1\n");
}

KTAP_TEST(hostile_label)
{
	const struct headway_label hostile[] = {
		{ "comm", "\"} 1\nevil_total{a=\"\\\n" }, { "empty", "" }, { 0 },
	};
	struct headway_metrics_text t = page_begin(true);

	t.family = &counter;
	headway_metrics_count(&t, hostile, 7);
	EXPECT_STREQ(page_end(&t), "x_tries_total{comm=\"\\\"} 1\\nevil_total{a=\\\"\\\\\\n\","
				   "empty=\"\"} 7\n# EOF\n");
}

/* Each time is counted in the first bucket that is not below it, and in all after that. */
KTAP_TEST(histogram)
{
	static const struct headway_metric waits = {
		HEADWAY_METRIC_HISTOGRAM, "x_wait_seconds", "seconds", "Waits.",
	};
	struct headway_log2 times = { .sum_ns = 1500000000 };
	struct headway_metrics_text t = page_begin(true);
	const char *text;

	times.buckets[0] = 1;		/* 0 to 2 ns */
	times.buckets[9] = 10;		/* 512 to 1024 ns */
	times.buckets[10] = 100;	/* 1024 to 2048 ns */
	times.buckets[29] = 1000;	/* up to 1.07 s */
	times.buckets[31] = 10000;	/* 2.1 s and more */
	headway_metrics_begin(&t, &waits);
	headway_metrics_histogram(&t, two, &times);
	text = page_end(&t);
	EXPECT(strstr(text, "# TYPE x_wait_seconds histogram\n# UNIT x_wait_seconds seconds\n"));
	EXPECT(strstr(text, "x_wait_seconds_bucket{pid=\"12\",comm=\"a b\","
			    "le=\"1.024e-06\"} 11\n"));
	EXPECT(strstr(text, ",le=\"4.096e-06\"} 111\n"));
	EXPECT(strstr(text, ",le=\"0.268435456\"} 111\n"));
	EXPECT(strstr(text, ",le=\"1.073741824\"} 1111\n"));
	EXPECT(strstr(text, ",le=\"+Inf\"} 11111\n"));
	EXPECT(strstr(text, "x_wait_seconds_count{pid=\"12\",comm=\"a b\"} 11111\n"
			    "x_wait_seconds_sum{pid=\"12\",comm=\"a b\"} 1.5\n"));
}

KTAP_TEST(accept)
{
	EXPECT(headway_metrics_accepts("application/openmetrics-text"));
	/* Prometheus 2.42's own. */
	EXPECT(headway_metrics_accepts("application/openmetrics-text;version=1.0.0,"
				       "application/openmetrics-text;version=0.0.1;q=0.75,"
				       "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));
	EXPECT(headway_metrics_accepts("text/html, Application/OpenMetrics-Text ; q=1, */*;q=0.5"));
	EXPECT(!headway_metrics_accepts(NULL));
	EXPECT(!headway_metrics_accepts(""));
	EXPECT(!headway_metrics_accepts("*/*"));
	EXPECT(!headway_metrics_accepts("text/plain;version=0.0.4"));
	EXPECT(!headway_metrics_accepts("application/openmetrics-text;q=0"));
	EXPECT(!headway_metrics_accepts("application/openmetrics-text; q=0.4, text/plain; q=0.6"));
	EXPECT(!headway_metrics_accepts("application/openmetrics-textual"));
	EXPECT(!headway_metrics_accepts(",,; ;;q=, ,"));
	EXPECT(headway_metrics_type(true) != headway_metrics_type(false));
}

KTAP_MAIN("metrics_text")

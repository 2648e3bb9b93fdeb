// SPDX-License-Identifier: GPL-2.0
// links: userspace/report_kernel.c userspace/out_json.c userspace/names.c userspace/escape.c
// links: userspace/detect.c userspace/assess.c userspace/judge.c userspace/verdict_blocked.c
// links: userspace/verdict_retry.c userspace/verdict_storm.c userspace/window.c userspace/view.c
// links: userspace/contact.c userspace/mutexes.c userspace/graph.c userspace/finding.c
// links: userspace/futexword.c userspace/marks.c userspace/verdict_marker.c userspace/lockshape.c
// links: userspace/verdict_ownerless.c userspace/report.c
// libs: -ljson-c
/*
 * report_kernel_test.c - the kernel in a report: what was found, on the same clock as the rest and
 * with the names that it had then; and what each domain did in each column.
 */
#include <json-c/json.h>

#include "ktap.h"
#include "names.h"
#include "report_kernel.h"

#define SECOND 1000000000ull

static double number(struct json_object *finding, const char *key)
{
	return json_object_get_double(json_object_object_get(finding, key));
}

static const char *text(struct json_object *finding, const char *key)
{
	return json_object_get_string(json_object_object_get(finding, key));
}

KTAP_TEST(kernel_findings_are_on_our_clock)
{
	struct headway_report_kernel *kernel = headway_report_kernel_new();
	struct headway_names *names = headway_names_new(NULL);
	struct headway_finding f = {
		.verdict = HEADWAY_LIVELOCK, .source = HEADWAY_SOURCE_KERNEL, .domain = "forks",
		.latency_ns = 2 * SECOND, .first_seen_ns = 77 * SECOND,
	};
	uint64_t began_ns = 90 * SECOND;
	struct json_object *array = json_object_new_array(), *o;

	ASSERT(kernel && names);
	headway_report_kernel_add(kernel, &f, names, 100 * SECOND);
	headway_names_free(names);
	headway_report_kernel_findings(kernel, began_ns, array);
	ASSERT(json_object_array_length(array) == 1);
	o = json_object_array_get_idx(array, 0);
	EXPECT(!strcmp(text(o, "domain"), "forks"));
	EXPECT(!strcmp(text(o, "verdict"), "livelock"));
	EXPECT(number(o, "at_s") == 10);
	EXPECT(number(o, "at_s") - number(o, "first_seen_s") > 1.99);
	EXPECT(number(o, "at_s") - number(o, "first_seen_s") < 2.01);
	json_object_put(array);
	/* It began before the watch did. */
	array = json_object_new_array();
	headway_report_kernel_findings(kernel, 100 * SECOND, array);
	EXPECT(number(json_object_array_get_idx(array, 0), "first_seen_s") == 0);
	json_object_put(array);
	headway_report_kernel_free(kernel);
}

/* --- what domains did ------------------------------------------------------------------------- */

static struct headway_kernel_source sources[80];
static size_t nr_sources;

/* In place of the watch. */
bool headway_kernel_watch_source(const struct headway_kernel_watch *k, size_t i,
				 struct headway_kernel_source *out)
{
	(void)k;
	if (i >= nr_sources)
		return false;
	*out = sources[i];
	return true;
}

static void set_source(uint64_t attempts, uint64_t commits, enum headway_verdict verdict)
{
	sources[0] = (struct headway_kernel_source){
		.name = "forks", .window_ns = SECOND, .verdict = verdict,
		.total_attempts = attempts, .total_commits = commits,
		.total_rollbacks = attempts - commits,
	};
	nr_sources = 1;
}

/* An interval of a second without processes, and the look at its end. */
static void pass(struct headway_report_kernel *k, struct headway_report *r, uint64_t end_s)
{
	if (end_s > 1)
		headway_report_interval(r, (end_s - 1) * SECOND, end_s * SECOND);
	EXPECT_EQ(headway_report_kernel_look(k, r, NULL, end_s * SECOND), 0);
}

static int cell(struct json_object *domain, const char *key, size_t i)
{
	return json_object_get_int(json_object_array_get_idx(
		json_object_object_get(domain, key), i));
}

static const char *state(struct json_object *domain, size_t i)
{
	return json_object_get_string(json_object_array_get_idx(
		json_object_object_get(domain, "states"), i));
}

KTAP_TEST(a_domain_has_what_it_did_in_each_column)
{
	struct headway_report_kernel *k = headway_report_kernel_new();
	struct headway_report *r = headway_report_new();
	struct json_object *array, *o;

	ASSERT(k && r);
	set_source(1000, 10, HEADWAY_LIVELOCK);
	pass(k, r, 1);
	set_source(1100, 10, HEADWAY_LIVELOCK);
	pass(k, r, 2);
	set_source(1130, 30, HEADWAY_HEALTHY);
	pass(k, r, 3);
	/* Its counters were reset. */
	set_source(8, 6, HEADWAY_HEALTHY);
	pass(k, r, 4);
	array = headway_report_kernel_domains(k, r);
	ASSERT(json_object_array_length(array) == 1);
	o = json_object_array_get_idx(array, 0);
	EXPECT_STREQ(text(o, "name"), "forks");
	EXPECT_STREQ(text(o, "kind"), "domain");
	EXPECT_EQ(json_object_array_length(json_object_object_get(o, "attempts")), 3u);
	EXPECT_EQ(cell(o, "attempts", 0), 100);
	EXPECT_EQ(cell(o, "completions", 0), 0);
	EXPECT_EQ(cell(o, "rollbacks", 0), 100);
	EXPECT_STREQ(state(o, 0), "livelock");
	EXPECT_EQ(cell(o, "attempts", 1), 30);
	EXPECT_EQ(cell(o, "completions", 1), 20);
	EXPECT_STREQ(state(o, 1), "healthy");
	EXPECT_EQ(cell(o, "attempts", 2), 8);
	/* The whole is judged by it. */
	EXPECT(r->columns[0].judged && r->columns[0].state == HEADWAY_LIVELOCK);
	EXPECT(r->columns[2].state == HEADWAY_HEALTHY);
	json_object_put(array);
	headway_report_free(r);
	headway_report_kernel_free(k);
}

KTAP_TEST(columns_of_a_domain_become_one_when_those_of_the_report_do)
{
	struct headway_report_kernel *k = headway_report_kernel_new();
	struct headway_report *r = headway_report_new();
	uint64_t attempts = 0, sum = 0;
	struct json_object *array, *o;

	ASSERT(k && r);
	for (uint64_t s = 1; s <= 2 * HEADWAY_REPORT_COLUMNS; s++) {
		set_source(attempts, 0, HEADWAY_LIVELOCK);
		pass(k, r, s);
		attempts += 3;
	}
	array = headway_report_kernel_domains(k, r);
	o = json_object_array_get_idx(array, 0);
	ASSERT(r->merge > 1);
	EXPECT_EQ(cell(o, "attempts", 0), (int)(3 * r->merge));
	EXPECT_EQ(cell(o, "attempts", 1), (int)(3 * r->merge));
	for (size_t i = 0; i < r->nr_columns; i++)
		sum += (uint64_t)cell(o, "attempts", i);
	EXPECT_EQ(sum, attempts - 3);
	json_object_put(array);
	headway_report_free(r);
	headway_report_kernel_free(k);
}

KTAP_TEST(domains_without_room_are_counted)
{
	struct headway_report_kernel *k = headway_report_kernel_new();
	struct headway_report *r = headway_report_new();
	static char names[80][8];
	struct json_object *array;

	ASSERT(k && r);
	for (nr_sources = 0; nr_sources < 80; nr_sources++) {
		snprintf(names[nr_sources], sizeof(names[0]), "d%zu", nr_sources);
		sources[nr_sources] = (struct headway_kernel_source){ .name = names[nr_sources] };
	}
	pass(k, r, 1);
	pass(k, r, 2);
	array = headway_report_kernel_domains(k, r);
	EXPECT_EQ(json_object_array_length(array), 64u);
	EXPECT_EQ(headway_report_kernel_left_out(k), 32u);
	json_object_put(array);
	headway_report_free(r);
	headway_report_kernel_free(k);
}

KTAP_TEST(a_finding_lasts_as_long_as_the_verdict)
{
	struct headway_report_kernel *k = headway_report_kernel_new();
	struct headway_names *names = headway_names_new(NULL);
	struct headway_report *r = headway_report_new();
	struct headway_finding f = {
		.verdict = HEADWAY_LIVELOCK, .source = HEADWAY_SOURCE_KERNEL, .domain = "forks",
	};
	struct json_object *array = json_object_new_array(), *o;

	ASSERT(k && r && names);
	headway_report_kernel_add(k, &f, names, SECOND);
	set_source(9, 0, HEADWAY_LIVELOCK);
	pass(k, r, 1);
	pass(k, r, 2);
	set_source(9, 9, HEADWAY_HEALTHY);
	pass(k, r, 3);
	/* That is another one. */
	set_source(9, 9, HEADWAY_LIVELOCK);
	pass(k, r, 4);
	headway_report_kernel_findings(k, SECOND, array);
	o = json_object_array_get_idx(array, 0);
	EXPECT(number(o, "at_s") == 0);
	EXPECT(number(o, "until_s") == 1);
	EXPECT(json_object_get_boolean(json_object_object_get(o, "over")));
	json_object_put(array);
	headway_names_free(names);
	headway_report_free(r);
	headway_report_kernel_free(k);
}

KTAP_TEST(without_the_kernel_there_are_none)
{
	struct json_object *array = json_object_new_array();

	headway_report_kernel_findings(NULL, 0, array);
	EXPECT_EQ(json_object_array_length(array), 0u);
	json_object_put(array);
}

KTAP_MAIN("report_kernel")

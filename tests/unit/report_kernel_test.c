// SPDX-License-Identifier: GPL-2.0
// links: userspace/report_kernel.c userspace/out_json.c userspace/names.c userspace/escape.c
// links: userspace/finding.c
// libs: -ljson-c
/*
 * report_kernel_test.c - what was found in the kernel, in a report: on the same clock as
 * the rest, and with the names that it had then.
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

KTAP_TEST(without_the_kernel_there_are_none)
{
	struct json_object *array = json_object_new_array();

	headway_report_kernel_findings(NULL, 0, array);
	EXPECT_EQ(json_object_array_length(array), 0u);
	json_object_put(array);
}

KTAP_MAIN("report_kernel")

// SPDX-License-Identifier: GPL-2.0
/*
 * report_live.c - what a recording does not have of a live watch: what was found in the kernel.
 *
 * Invariant: a finding is made into JSON when it comes, as its names are gone later; its times are
 * by CLOCK_MONOTONIC, as those of the processes are.
 */
#include "report_live.h"

#include <stdlib.h>
#include <time.h>

#include "jsonvalue.h"
#include "out.h"

enum { MAX_FINDINGS = 256 };

struct kernel_finding {
	uint64_t at_ns;
	uint64_t latency_ns;
	struct json_object *json;
};

struct headway_report_live {
	size_t nr;
	struct kernel_finding findings[MAX_FINDINGS];
};

struct headway_report_live *headway_report_live_new(void)
{
	return calloc(1, sizeof(struct headway_report_live));
}

void headway_report_live_free(struct headway_report_live *live)
{
	for (size_t i = 0; live && i < live->nr; i++)
		json_object_put(live->findings[i].json);
	free(live);
}

/* Those of processes are in the recording. */
static void on_finding(void *ctx, const struct headway_finding *f, struct headway_names *names)
{
	struct headway_report_live *live = ctx;
	struct kernel_finding *k;
	struct timespec t;

	if (f->source != HEADWAY_SOURCE_KERNEL || live->nr == MAX_FINDINGS)
		return;
	clock_gettime(CLOCK_MONOTONIC, &t);
	k = &live->findings[live->nr++];
	k->at_ns = (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
	k->latency_ns = f->latency_ns;
	k->json = headway_json_finding(names, f);
}

static bool go_on(void *ctx, const struct headway_scene *scene)
{
	(void)ctx;
	(void)scene;
	return false;
}

struct headway_guest headway_report_live_guest(struct headway_report_live *live)
{
	return (struct headway_guest){
		.ctx = live, .finding = on_finding, .serve = go_on, .fd = -1,
	};
}

void headway_report_live_findings(const struct headway_report_live *live, uint64_t began_ns,
				  struct json_object *array)
{
	for (size_t i = 0; live && i < live->nr; i++) {
		const struct kernel_finding *k = &live->findings[i];
		uint64_t at_ns = k->at_ns > began_ns ? k->at_ns - began_ns : 0;
		uint64_t first_ns = at_ns > k->latency_ns ? at_ns - k->latency_ns : 0;

		if (!k->json)
			continue;
		json_add(k->json, "first_seen_s", json_seconds(first_ns));
		json_add(k->json, "at_s", json_seconds(at_ns));
		json_add(k->json, "until_s", json_seconds(at_ns));
		json_add(k->json, "over", json_object_new_boolean(false));
		json_object_array_add(array, json_object_get(k->json));
	}
}

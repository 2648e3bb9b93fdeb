// SPDX-License-Identifier: GPL-2.0
/*
 * report_kernel.c - what a report has beside that of processes: what was found in the kernel.
 *
 * Invariant: a finding is made into JSON when it comes, as its names are gone later; its times are
 * by CLOCK_MONOTONIC, as those of the processes are.
 */
#include "report_kernel.h"

#include <stdlib.h>

#include "jsonvalue.h"
#include "out.h"

enum { MAX_FINDINGS = 256 };

struct kernel_finding {
	uint64_t at_ns;
	uint64_t latency_ns;
	struct json_object *json;
};

struct headway_report_kernel {
	size_t nr;
	struct kernel_finding findings[MAX_FINDINGS];
};

struct headway_report_kernel *headway_report_kernel_new(void)
{
	return calloc(1, sizeof(struct headway_report_kernel));
}

void headway_report_kernel_free(struct headway_report_kernel *kernel)
{
	for (size_t i = 0; kernel && i < kernel->nr; i++)
		json_object_put(kernel->findings[i].json);
	free(kernel);
}

void headway_report_kernel_add(struct headway_report_kernel *kernel,
			       const struct headway_finding *f, struct headway_names *names,
			       uint64_t now_ns)
{
	if (kernel->nr < MAX_FINDINGS)
		kernel->findings[kernel->nr++] = (struct kernel_finding){
			.at_ns = now_ns, .latency_ns = f->latency_ns,
			.json = headway_json_finding(names, f),
		};
}

void headway_report_kernel_findings(const struct headway_report_kernel *kernel, uint64_t began_ns,
				  struct json_object *array)
{
	for (size_t i = 0; kernel && i < kernel->nr; i++) {
		const struct kernel_finding *k = &kernel->findings[i];
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

// SPDX-License-Identifier: GPL-2.0
/*
 * recorder_live.c - what a recording says of the live watch that it is of.
 */
#include "recorder_live.h"

#include <stdio.h>
#include <sys/utsname.h>
#include <time.h>

#ifndef HEADWAY_VERSION
#define HEADWAY_VERSION "unknown"
#endif

#define NS_PER_S 1e9

int headway_recorder_live_open(struct headway_recorder **out,
			       const struct headway_target_options *o,
			       const struct headway_thresholds *thresholds,
			       const struct headway_name_source *names)
{
	struct headway_recording_header h = {
		.window_ns = (uint64_t)(o->window_s * NS_PER_S),
		.interval_ns = (uint64_t)(o->interval_s * NS_PER_S),
		.thresholds = *thresholds,
		.kernel_alone = !headway_target_has_processes(o),
		.watches_kernel = o->kernel,
		.domains = o->domains,
		.nr_domains = o->nr_domains,
		.tool = HEADWAY_VERSION,
	};
	time_t now = time(NULL);
	struct utsname kernel;
	struct tm utc;

	if (!uname(&kernel)) {
		snprintf(h.kernel, sizeof(h.kernel), "%s", kernel.release);
		snprintf(h.machine, sizeof(h.machine), "%s", kernel.machine);
	}
	if (gmtime_r(&now, &utc))
		strftime(h.started, sizeof(h.started), "%Y-%m-%dT%H:%M:%SZ", &utc);
	if (o->command)
		snprintf(h.command, sizeof(h.command), "%s", o->command[0]);
	return headway_recorder_open(out, o->output, &h, names);
}

void headway_recorder_live_missing(struct headway_recorder *r, const struct headway_probe *probe,
				   uint32_t missing)
{
	for (int i = 0; i < HEADWAY_NR_PROBES; i++) {
		const char *why = headway_probe_missing_reason(probe, (enum headway_probe_id)i);

		if (missing & 1u << i)
			headway_recorder_missing(r, (enum headway_probe_id)i,
						 why ? why : "unknown");
	}
}

int headway_recorder_live_finish(struct headway_recorder *r, const struct headway_summary *s)
{
	struct headway_recording_end end = {
		.duration_ns = s->duration_ns, .command_ended = s->command_ended,
		.command_status = s->command_status, .has_group = s->group != NULL,
		.group_alone = s->group_alone,
	};

	if (s->group)
		end.group = *s->group;
	snprintf(end.cgroup, sizeof(end.cgroup), "%s", s->cgroup ? s->cgroup : "");
	return headway_recorder_finish(r, &end);
}

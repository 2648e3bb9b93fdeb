// SPDX-License-Identifier: GPL-2.0
/*
 * torture_cover.c - what a run has to have gone through. One that never took a branch says nothing
 * of it, so it is invalid, whatever else was seen.
 */
#define pr_fmt(fmt) "torture: " fmt

#include <linux/bits.h>
#include <linux/cpumask.h>
#include <linux/percpu.h>

#include "torture.h"

static const char * const torture_stat_names[] = {
#define X(id, name, help) [HEADWAY_STAT_##id] = name,
#include "stats_list.h"
#undef X
};

static const char * const torture_event_names[] = {
#define X(id, name) [TORTURE_SAW_##id] = name,
TORTURE_EVENTS(X)
#undef X
};

#define STAT(id) BIT(HEADWAY_STAT_##id)
#define SAW(id) BIT(TORTURE_SAW_##id)

/* Under every policy. */
#define TORTURE_STATS_ALL (STAT(COMMITS) | STAT(CONFLICTS) | STAT(WAITS) | STAT(STEALS) | \
			   STAT(HANDOFFS) | STAT(TIMEOUTS) | STAT(INTERRUPTS) | STAT(BUSY))
#define TORTURE_EVENTS_ALL (SAW(ETIMEDOUT) | SAW(EINTR) | SAW(EBUSY) | SAW(EALREADY) | \
			    SAW(EINVAL) | SAW(EARLY) | SAW(NESTED) | SAW(DUPLICATES) | \
			    SAW(PRIORITIES) | SAW(PARKED) | SAW(SIGNALS) | SAW(KILLS) | \
			    SAW(SHUFFLES) | SAW(DOMAINS))

/*
 * And what only the policy has. A policy that is missing here cannot be tortured: see
 * torture_init().
 */
static const struct torture_needs {
	bool known;
	unsigned long stats;
	unsigned long events;
} torture_needs[HEADWAY_NR_POLICIES] = {
	[HEADWAY_POLICY_ORDERED] = { true, STAT(ABORTS), 0 },
	[HEADWAY_POLICY_SERIAL] = { true, 0, SAW(REFUSED) },
	/* Which policies it moves through depends on the load. */
	[HEADWAY_POLICY_ADAPTIVE] = { true, STAT(ABORTS), 0 },
	[HEADWAY_POLICY_POLITE] = { true, STAT(ABORTS) | STAT(ROLLBACKS) | STAT(BACKOFFS),
				    SAW(EDEADLK) },
	[HEADWAY_POLICY_WOUND_WAIT] = { true, STAT(ABORTS) | STAT(ROLLBACKS) | STAT(WOUNDS),
					SAW(EDEADLK) | SAW(JUDGED) },
	[HEADWAY_POLICY_WAIT_DIE] = { true, STAT(ABORTS) | STAT(ROLLBACKS),
				      SAW(EDEADLK) | SAW(JUDGED) },
	[HEADWAY_POLICY_DETECT] = { true, STAT(ABORTS) | STAT(ROLLBACKS) | STAT(WOUNDS) |
				    STAT(CYCLES), SAW(EDEADLK) | SAW(JUDGED) },
};

/* The domain's counter, since it was made. */
u64 torture_stat(enum headway_stat stat)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(torture.domain->pcpu, cpu)->stat[stat]);
	return sum;
}

u64 torture_event(enum torture_event event)
{
	u64 sum = atomic64_read(&torture.events[event]);
	unsigned int i;

	for (i = 0; i < torture.nr_workers; i++)
		sum += READ_ONCE(torture.workers[i].events[event]);
	return sum;
}

bool torture_known(enum headway_policy policy)
{
	return torture_needs[policy].known;
}

/* Whether all was seen that the policy has; with @say, how much of each. */
bool torture_covered(bool say)
{
	unsigned long stats = TORTURE_STATS_ALL, events = TORTURE_EVENTS_ALL;
	bool covered = true;
	u64 count;
	int i;

	if (torture.flips) {
		stats |= STAT(MIGRATIONS) | STAT(ROLLBACKS);
		events |= SAW(FLIPS);
	} else if (!torture.calm) {
		stats |= torture_needs[torture.policy].stats;
		events |= torture_needs[torture.policy].events;
	}
	if (torture.enomem)
		events |= SAW(ENOMEM);
	for (i = 0; i < HEADWAY_NR_STATS; i++) {
		count = torture_stat(i);
		if (say && (count || stats & BIT(i)))
			pr_info("count %s=%llu%s\n", torture_stat_names[i], count,
				count ? "" : " NEVER");
		covered &= count || !(stats & BIT(i));
	}
	for (i = 0; i < TORTURE_NR_EVENTS; i++) {
		count = torture_event(i);
		if (say && (count || events & BIT(i)))
			pr_info("saw %s=%llu%s\n", torture_event_names[i], count,
				count ? "" : " NEVER");
		covered &= count || !(events & BIT(i));
	}
	return covered;
}

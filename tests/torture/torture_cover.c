// SPDX-License-Identifier: GPL-2.0
/*
 * torture_cover.c - what a run has to have gone through. One that never took a branch says nothing
 * of it, so it is invalid, whatever else was seen.
 */
#define pr_fmt(fmt) "torture: " fmt

#include <linux/bits.h>
#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/string.h>
#include <linux/sysfs.h>

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

static const char * const torture_branch_names[] = {
#define X(id, name) [HEADWAY_BRANCH_##id] = name,
HEADWAY_BRANCHES(X)
#undef X
};

#define STAT(id) BIT(HEADWAY_STAT_##id)
#define SAW(id) BIT(TORTURE_SAW_##id)
#define TOOK(id) BIT_ULL(HEADWAY_BRANCH_##id)
static_assert(HEADWAY_NR_BRANCHES <= 64);

/* Each page of the file `locks` is looked for from the first lock on. */
#define TORTURE_READ_LOCKS 10000

/* Under every policy. */
#define TORTURE_STATS_ALL (STAT(COMMITS) | STAT(CONFLICTS) | STAT(WAITS) | STAT(STEALS) | \
			   STAT(HANDOFFS) | STAT(TIMEOUTS) | STAT(INTERRUPTS) | STAT(BUSY))
#define TORTURE_EVENTS_ALL (SAW(ETIMEDOUT) | SAW(EINTR) | SAW(EBUSY) | SAW(EALREADY) | \
			    SAW(EINVAL) | SAW(EARLY) | SAW(NESTED) | SAW(DUPLICATES) | \
			    SAW(PRIORITIES) | SAW(PARKED) | SAW(SIGNALS) | SAW(KILLS) | \
			    SAW(SHUFFLES) | SAW(DOMAINS) | SAW(NOISE) | SAW(PRIVATE))

#define TORTURE_TOOK_ALL (TOOK(SPIN_TOOK) | TOOK(SPIN_HANDOFF) | TOOK(SPIN_OFF_CPU) | \
			  TOOK(DEQUEUE_FIRST) | TOOK(DEQUEUE_OTHER) | TOOK(WAIT_GRANTED) | \
			  TOOK(WAIT_TOOK) | TOOK(WAIT_OVERTAKEN) | TOOK(WAIT_EINTR) | \
			  TOOK(WAIT_ETIMEDOUT) | TOOK(RELEASE_WOKE))
/* Under every policy that rolls back. */
#define TORTURE_TOOK_ROLLBACK (TOOK(SPIN_BEHIND) | TOOK(SLOW_BEHIND) | TOOK(SET_RETRY) | \
			       TOOK(SET_PRELOCKED) | TOOK(LOCK_PRELOCKED) | \
			       TOOK(PRELOCKED_DROPPED) | TOOK(ROLLBACK_FAILED) | \
			       TOOK(UNLOCK_CONFLICT) | TOOK(SET_FAILED) | TOOK(SET_KEPT))
#define TORTURE_TOOK_AGE (TOOK(ENQUEUE_AHEAD) | TOOK(ENQUEUE_AHEAD_OF_HOLDER) | \
			  TOOK(QUEUED_SPIN_WOKEN) | TOOK(QUEUED_SPIN_OFF_CPU))

/*
 * And what only the policy has. A policy that is missing here cannot be tortured: see
 * torture_init().
 */
static const struct torture_needs {
	bool known;
	unsigned long stats;
	unsigned long events;
	u64 branches;
	bool rings;			/* cycles of every size */
} torture_needs[HEADWAY_NR_POLICIES] = {
	[HEADWAY_POLICY_ORDERED] = { true, STAT(ABORTS), 0, TOOK(SET_FAILED) | TOOK(SET_KEPT) },
	[HEADWAY_POLICY_SERIAL] = { true, 0, SAW(REFUSED), TOOK(TOKEN_FAILED) },
	/* Which policies it moves through depends on the load. */
	[HEADWAY_POLICY_ADAPTIVE] = { true, STAT(ABORTS) | STAT(ROLLBACKS) | STAT(TURNS),
				      SAW(JUDGED) | SAW(ARMS),
				      TORTURE_TOOK_ROLLBACK | TORTURE_TOOK_AGE },
	[HEADWAY_POLICY_POLITE] = { true, STAT(ABORTS) | STAT(ROLLBACKS) | STAT(BACKOFFS),
				    SAW(EDEADLK), TORTURE_TOOK_ROLLBACK |
				    TOOK(CONFLICT_BACKOUT) | TOOK(BACKOFF_FAILED) |
				    TOOK(BACKOFF_YIELD), true },
	[HEADWAY_POLICY_WOUND_WAIT] = { true, STAT(ABORTS) | STAT(ROLLBACKS) | STAT(WOUNDS),
					SAW(EDEADLK) | SAW(JUDGED), TORTURE_TOOK_ROLLBACK |
					TORTURE_TOOK_AGE | TOOK(WOUND_AGAIN) | TOOK(WOUND_ASLEEP) |
					TOOK(WOUND_AWAKE) | TOOK(CONFLICT_WOUNDED) |
					TOOK(REVIEW_STANDS) | TOOK(REVIEW_FALLS) |
					TOOK(ROLLBACK_WOUNDED) | TOOK(WAIT_EDEADLK), true },
	[HEADWAY_POLICY_WAIT_DIE] = { true, STAT(ABORTS) | STAT(ROLLBACKS),
				      SAW(EDEADLK) | SAW(JUDGED), TORTURE_TOOK_ROLLBACK |
				      TORTURE_TOOK_AGE | TOOK(CONFLICT_BACKOUT), true },
	[HEADWAY_POLICY_DETECT] = { true, STAT(ABORTS) | STAT(ROLLBACKS) | STAT(WOUNDS) |
				    STAT(CYCLES), SAW(EDEADLK) | SAW(JUDGED),
				    TORTURE_TOOK_ROLLBACK | TOOK(DETECT_SELF) |
				    TOOK(DETECT_OTHER) | TOOK(DETECT_WOUNDED) |
				    TOOK(WAIT_EDEADLK), true },
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

static bool torture_is_name(const char *name, const char *text, size_t length)
{
	return strlen(name) == length && !memcmp(name, text, length);
}

bool torture_known(enum headway_policy policy)
{
	return torture_needs[policy].known;
}

/* Whether all was seen that the policy has; with @say, how much of each. */
bool torture_covered(bool say)
{
	unsigned long stats = TORTURE_STATS_ALL, events = TORTURE_EVENTS_ALL;
	u64 branches = TORTURE_TOOK_ALL;
	bool covered = true;
	u64 count;
	int i;

	if (torture.only) {
		stats = 0;
		events = 0;
		branches = 0;
	} else if (torture.flips) {
		stats |= STAT(MIGRATIONS) | STAT(ROLLBACKS);
		events |= SAW(FLIPS) | SAW(JUDGED);
		branches |= TOOK(GATE_WAIT);
	} else if (!torture.calm) {
		stats |= torture_needs[torture.policy].stats;
		events |= torture_needs[torture.policy].events;
		branches |= torture_needs[torture.policy].branches;
		if (torture_needs[torture.policy].rings)
			covered = torture_rings_covered();
	}
	stats |= torture.must_stats;
	events |= torture.must_events;
	branches |= torture.must_branches;
	if (torture.pool >= TORTURE_SET_MAX && !torture.only)
		events |= SAW(LARGEST);
	/* Whatever the load is: readers are from outside. Of many locks they read for minutes. */
	if (!torture.control && torture.nr_shared <= TORTURE_READ_LOCKS)
		events |= SAW(READINGS);
	if (say && !covered)
		pr_info("saw no ring of every size: NEVER\n");
	if (torture.enomem && !torture.only)
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
	for (i = 0; i < HEADWAY_NR_BRANCHES; i++) {
		count = READ_ONCE(headway_branch_counts[i]) - torture.branches[i];
		if (say && (count || branches & BIT_ULL(i)))
			pr_info("branch %s=%llu%s\n", torture_branch_names[i], count,
				count ? "" : " NEVER");
		covered &= count || !(branches & BIT_ULL(i));
	}
	return covered;
}

/* For the parameter `missed`: of all runs so far, separated by spaces. */
int torture_branches_missed(char *buffer, const struct kernel_param *param)
{
	int i, at = 0;

	for (i = 0; i < HEADWAY_NR_BRANCHES; i++)
		if (!READ_ONCE(headway_branch_counts[i]))
			at += sysfs_emit_at(buffer, at, "%s ", torture_branch_names[i]);
	return at + sysfs_emit_at(buffer, at, "\n");
}

/* Counters and branches by their names, separated by commas. */
int torture_choose_must(const char *must)
{
	unsigned long stats, events;
	u64 branches;
	size_t length;
	int i;

	if (!strcmp(must, "none"))
		return 0;
	for (; *must; must += length + (must[length] == ',')) {
		length = strcspn(must, ",");
		stats = 0;
		events = 0;
		branches = 0;
		for (i = 0; i < HEADWAY_NR_BRANCHES; i++)
			if (torture_is_name(torture_branch_names[i], must, length))
				branches |= BIT_ULL(i);
		for (i = 0; i < HEADWAY_NR_STATS; i++)
			if (torture_is_name(torture_stat_names[i], must, length))
				stats |= BIT(i);
		for (i = 0; i < TORTURE_NR_EVENTS; i++)
			if (torture_is_name(torture_event_names[i], must, length))
				events |= BIT(i);
		if (!stats && !events && !branches)
			return -EINVAL;
		torture.must_branches |= branches;
		torture.must_stats |= stats;
		torture.must_events |= events;
	}
	return 0;
}

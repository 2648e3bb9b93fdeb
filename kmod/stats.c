// SPDX-License-Identifier: GPL-2.0
/*
 * stats.c - counters, time histograms, and the names of things.
 *
 * Nobody but its owner ever writes a counter: per-CPU counters only grow, per-lock figures are the
 * lock owner's. So a reset from outside cannot store zeroes without losing, or bringing back,
 * what an owner writes at the same time. Instead it moves the zero point: for counters it remembers
 * what they were, for histograms it starts a new generation, and the next
 * owner that finds its histogram to be of an older one clears it.
 *
 * Lock order: locks_mutex > watch->lock; locks_mutex > lock->wait_lock.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "branch.h"
#include "internal.h"
#include "lock.h"

/* Owners write on meanwhile: what is read may be a moment old, and figures a moment apart. */
#define headway_peek(figure) data_race(figure)	/* see above */

DEFINE_STATIC_KEY_TRUE(headway_stats_key);
unsigned int headway_hold_sample_mask = 511;

static const char * const headway_stat_names[] = {
#define X(id, name, help) [HEADWAY_STAT_##id] = name,
#include "stats_list.h"
#undef X
};

static const char * const headway_stat_helps[] = {
#define X(id, name, help) [HEADWAY_STAT_##id] = help,
#include "stats_list.h"
#undef X
};

static const char * const headway_policy_names[] = {
#define X(id, name, help) [HEADWAY_POLICY_##id] = name,
HEADWAY_POLICIES(X)
#undef X
};

static const char * const headway_policy_helps[] = {
#define X(id, name, help) [HEADWAY_POLICY_##id] = help,
HEADWAY_POLICIES(X)
#undef X
};

static const char * const headway_verdict_names[] = {
#define X(id, name) [HEADWAY_VERDICT_##id] = name,
HEADWAY_VERDICTS(X)
#undef X
};

/*
 * The watchdog lives on these, so they count even with statistics off. They are slow-path events,
 * or counted by domain.c in the same breath as `ended`.
 */
static bool headway_stat_is_vital(enum headway_stat stat)
{
	return stat == HEADWAY_STAT_COMMITS || stat == HEADWAY_STAT_ABORTS ||
	       stat == HEADWAY_STAT_ROLLBACKS || stat == HEADWAY_STAT_MIGRATIONS;
}

/**
 * headway_count - count one event of a domain
 * @domain: domain
 * @stat: which
 *
 * Context: task context.
 */
void headway_count(struct headway_domain *domain, enum headway_stat stat)
{
	if (headway_stat_is_vital(stat) || static_branch_likely(&headway_stats_key))
		headway_cpu_inc(&domain->pcpu->stat[stat], current);
}

static void headway_hist_clear(struct headway_time_hist *hist)
{
	memset(hist, 0, sizeof(*hist));
	hist->min_ns = U64_MAX;
}

/*
 * The caller owns the lock, so that nobody else writes, or allocates, at the same time; only
 * headway_stats_reset() may install an empty one meanwhile. No memory means no figures this time.
 */
static struct headway_lock_times *headway_times(struct headway_lock *lock, gfp_t gfp)
{
	struct headway_lock_times *times = READ_ONCE(lock->stats.times), *other;

	if (likely(times))
		return times;
	times = kzalloc(sizeof(*times), gfp | __GFP_NOWARN);
	if (!times) {
		headway_branch(TIMES_NO_MEMORY);
		return NULL;
	}
	times->generation = READ_ONCE(lock->domain->watch.generation);
	headway_hist_clear(&times->wait);
	headway_hist_clear(&times->hold);
	/* Full barrier; pairs with the READ_ONCE() above and the address dependency after it. */
	other = cmpxchg(&lock->stats.times, NULL, times);
	if (!other)
		return times;
	kfree(times);
	return other;
}

/* Single writer; readers take each field as it comes. */
static void headway_hist_add(struct headway_time_hist *hist, u64 ns)
{
	unsigned int bucket = ns ? min_t(unsigned int, ilog2(ns), HEADWAY_HIST_BUCKETS - 1) : 0;

	WRITE_ONCE(hist->bucket[bucket], hist->bucket[bucket] + 1);
	WRITE_ONCE(hist->count, hist->count + 1);
	WRITE_ONCE(hist->total_ns, hist->total_ns + ns);
	if (ns < hist->min_ns)
		WRITE_ONCE(hist->min_ns, ns);
	if (ns > hist->max_ns)
		WRITE_ONCE(hist->max_ns, ns);
}

static struct headway_lock_times *headway_times_now(struct headway_lock *lock)
{
	struct headway_lock_times *times = headway_times(lock, GFP_NOWAIT);
	u32 generation = READ_ONCE(lock->domain->watch.generation);

	if (times && unlikely(times->generation != generation)) {
		headway_hist_clear(&times->wait);
		headway_hist_clear(&times->hold);
		/* Release pairs with the acquire in headway_stats_read(): cleared, then shown. */
		smp_store_release(&times->generation, generation);
	}
	return times;
}

/**
 * headway_stats_wait - record a wait that ended with the lock acquired
 * @lock: lock that the caller owns
 * @ns: how long
 */
void headway_stats_wait(struct headway_lock *lock, u64 ns)
{
	struct headway_lock_times *times = headway_times_now(lock);

	if (times)
		headway_hist_add(&times->wait, ns);
}

/**
 * headway_stats_hold_begin - note when a hold that is to be timed begins
 * @lock: lock that the caller owns
 *
 * Called for the first hold of a lock, too, to put the lock on its domain's list. That one is not
 * timed, unless all are: many a lock is taken once, and would pay for its histograms.
 */
void headway_stats_hold_begin(struct headway_lock *lock)
{
	if (unlikely(!lock->stats.node.next)) {
		headway_lock_track(lock);
		if (headway_hold_sample_mask)
			return;
	}
	lock->stats.hold_since_ns = ktime_get_ns();
}

/**
 * headway_stats_hold_end - record a timed hold
 * @lock: lock that the caller still owns
 */
void headway_stats_hold_end(struct headway_lock *lock)
{
	struct headway_lock_times *times = headway_times_now(lock);

	if (times)
		headway_hist_add(&times->hold, ktime_get_ns() - lock->stats.hold_since_ns);
	lock->stats.hold_since_ns = 0;
}

/**
 * headway_stats_free - free what the statistics of a lock allocated
 * @lock: lock that is off its domain's list and out of use
 */
void headway_stats_free(struct headway_lock *lock)
{
	kfree(lock->stats.times);
	lock->stats.times = NULL;
}

/**
 * headway_stats_read - copy a lock's figures since the last reset
 * @lock: lock on its domain's list; the caller holds locks_mutex
 * @figures: filled
 */
void headway_stats_read(struct headway_lock *lock, struct headway_lock_figures *figures)
{
	struct headway_lock_times *times = READ_ONCE(lock->stats.times);

	lockdep_assert_held(&lock->domain->locks_mutex);
	figures->acquired = headway_peek(lock->stats.acquired);
	figures->contended = headway_peek(lock->stats.contended);
	figures->rollbacks = headway_peek(lock->stats.rollbacks);
	headway_hist_clear(&figures->wait);
	headway_hist_clear(&figures->hold);
	if (!times)
		return;
	figures->acquired -= times->base_acquired;
	figures->contended -= times->base_contended;
	figures->rollbacks -= times->base_rollbacks;
	/* Acquire pairs with the release in headway_times_now(). */
	if (smp_load_acquire(&times->generation) == READ_ONCE(lock->domain->watch.generation)) {
		figures->wait = headway_peek(times->wait);
		figures->hold = headway_peek(times->hold);
	}
}

/**
 * headway_stats_reset - let a domain's and its locks' figures start again from zero
 * @domain: registered domain
 *
 * Tickets and transactions in flight are not statistics and stay. The watchdog is not disturbed.
 *
 * Context: may sleep.
 * Return: 0, or -ENOMEM: then some locks start again and others do not.
 */
int headway_stats_reset(struct headway_domain *domain)
{
	struct headway_lock_times *times;
	struct headway_lock *lock;
	struct headway_sums sums;
	int ret = 0;

	mutex_lock(&domain->locks_mutex);
	list_for_each_entry(lock, &domain->locks, stats.node) {
		times = headway_times(lock, GFP_KERNEL);
		if (!times) {
			ret = -ENOMEM;
			break;
		}
		times->base_acquired = headway_peek(lock->stats.acquired);
		times->base_contended = headway_peek(lock->stats.contended);
		times->base_rollbacks = headway_peek(lock->stats.rollbacks);
	}
	if (!ret)
		WRITE_ONCE(domain->watch.generation, domain->watch.generation + 1);
	mutex_unlock(&domain->locks_mutex);

	headway_domain_sum(domain, &sums);
	headway_progress_rebase(domain, &sums);
	return ret;
}

/**
 * headway_stat_name - a counter's name
 * @stat: which
 *
 * Return: the name in debugfs
 */
const char *headway_stat_name(enum headway_stat stat)
{
	return stat < ARRAY_SIZE(headway_stat_names) ? headway_stat_names[stat] : "?";
}

/**
 * headway_stat_help - a counter's meaning
 * @stat: which
 *
 * Return: one line without a full stop
 */
const char *headway_stat_help(enum headway_stat stat)
{
	return stat < ARRAY_SIZE(headway_stat_helps) ? headway_stat_helps[stat] : "?";
}

/**
 * headway_policy_name - a policy's name
 * @policy: which
 *
 * Return: the name, as it is read and written in debugfs
 */
const char *headway_policy_name(enum headway_policy policy)
{
	return policy < ARRAY_SIZE(headway_policy_names) ? headway_policy_names[policy] : "?";
}

/**
 * headway_policy_help - what a policy does
 * @policy: which
 *
 * Return: one line without a full stop
 */
const char *headway_policy_help(enum headway_policy policy)
{
	return policy < ARRAY_SIZE(headway_policy_helps) ? headway_policy_helps[policy] : "?";
}

/**
 * headway_policy_parse - the policy of a name
 * @name: exactly one policy name
 *
 * Return: enum headway_policy, or -EINVAL
 */
int headway_policy_parse(const char *name)
{
	return match_string(headway_policy_names, ARRAY_SIZE(headway_policy_names), name);
}

/**
 * headway_verdict_name - a verdict's name
 * @verdict: which
 *
 * Return: the name, one of userspace's words
 */
const char *headway_verdict_name(enum headway_verdict verdict)
{
	return verdict < ARRAY_SIZE(headway_verdict_names) ? headway_verdict_names[verdict] : "?";
}

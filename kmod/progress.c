// SPDX-License-Identifier: GPL-2.0
/*
 * progress.c - a domain as what the watchdog (watch.c) watches.
 *
 * Watching costs transactions nothing: it reads counters that they keep anyway. Only when nothing
 * commits while transactions roll back does it look at the owners of locks.
 *
 * Lock order: locks_mutex > lock->wait_lock; live_lock alone; watch->lock alone.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "progress.h"

#define HEADWAY_OWNER_LOCKS 256		/* locks looked at in one sample */

static struct headway_domain *headway_watched(struct headway_watch *watch)
{
	return container_of(watch, struct headway_domain, watch);
}

static void headway_tenure_note(struct headway_progress *state,
				const struct headway_owner *owner, u64 now_ns)
{
	struct headway_tenure *tenure = state->owners;
	struct headway_tenure *end = tenure + state->nr_owners;

	for (; tenure < end; tenure++) {
		if (tenure->ticket != owner->ticket)
			continue;
		if (tenure->restarts != owner->restarts)
			tenure->since_ns = now_ns;
		tenure->restarts = owner->restarts;
		tenure->seen = true;
		return;
	}
	if (state->nr_owners == HEADWAY_OWNERS)
		return;
	*tenure = (struct headway_tenure){
		.ticket = owner->ticket,
		.since_ns = now_ns,
		.restarts = owner->restarts,
		.seen = true,
	};
	state->nr_owners++;
}

static void headway_tenure_sweep(struct headway_progress *state)
{
	u32 i, kept = 0;

	for (i = 0; i < state->nr_owners; i++) {
		if (!state->owners[i].seen)
			continue;
		state->owners[kept] = state->owners[i];
		state->owners[kept++].seen = false;
	}
	state->nr_owners = kept;
}

/*
 * Transactions roll back and none commits: do those that own something roll back too, or does one
 * just sit there? An owner without a ticket has met nobody, and a lock that nobody lost on is not
 * in anybody's way.
 */
static void headway_watch_owners(struct headway_domain *domain, u64 now_ns)
{
	struct headway_progress *state = headway_progress(domain);
	struct headway_owner owner;
	struct headway_lock *lock;
	u32 looked = 0;

	mutex_lock(&domain->locks_mutex);
	list_for_each_entry(lock, &domain->locks, stats.node) {
		/* A count that is a moment old is as good. */
		if (!data_race(lock->stats.contended))
			continue;
		headway_lock_owner(lock, &owner);
		if (owner.held && owner.ticket)
			headway_tenure_note(state, &owner, now_ns);
		if (++looked == HEADWAY_OWNER_LOCKS)
			break;
	}
	mutex_unlock(&domain->locks_mutex);
	headway_tenure_sweep(state);
}

/*
 * Figures of single transactions. They are read while their owners change them; one that is read
 * wrongly would have to be so in two windows in a row to matter.
 */
static void headway_watch_live(struct headway_domain *domain, struct headway_window *window,
			       u64 now_ns)
{
	struct headway_txn *txn;

	raw_spin_lock(&domain->live_lock);
	list_for_each_entry(txn, &domain->live, live_node) {
		u32 restarts = READ_ONCE(txn->restarts);

		if (restarts != txn->restarts_seen) {
			txn->restarts_seen = restarts;
			window->actors++;
			window->restarts_max = max(window->restarts_max, restarts);
		}
		if (READ_ONCE(txn->waiting_on)) {
			s64 wait_ns = now_ns - READ_ONCE(txn->wait_since_ns);

			window->waiters++;
			window->wait_max_ns = max_t(s64, window->wait_max_ns, wait_ns);
		}
	}
	raw_spin_unlock(&domain->live_lock);
}

static void headway_progress_count(struct headway_watch *watch, struct headway_counts *counts)
{
	struct headway_sums sums;

	headway_domain_sum(headway_watched(watch), &sums);
	*counts = (struct headway_counts){
		.in_flight = sums.in_flight,
		.attempts = sums.attempts,
		.commits = sums.stat[HEADWAY_STAT_COMMITS],
		.aborts = sums.stat[HEADWAY_STAT_ABORTS],
		.rollbacks = sums.stat[HEADWAY_STAT_ROLLBACKS],
	};
}

static void headway_progress_sample(struct headway_watch *watch, const struct headway_counts *start,
				    const struct headway_counts *counts, u64 now_ns)
{
	struct headway_domain *domain = headway_watched(watch);

	if (counts->commits != start->commits)
		headway_progress(domain)->nr_owners = 0;
	else if (counts->rollbacks != start->rollbacks)
		headway_watch_owners(domain, now_ns);
}

static void headway_progress_measure(struct headway_watch *watch, struct headway_window *window,
				     u64 now_ns)
{
	struct headway_domain *domain = headway_watched(watch);
	struct headway_progress *state = headway_progress(domain);
	u32 i;

	headway_watch_live(domain, window, now_ns);
	for (i = 0; i < state->nr_owners; i++)
		window->held_max_ns = max(window->held_max_ns,
					  now_ns - state->owners[i].since_ns);
}

static void headway_progress_judged(struct headway_watch *watch,
				    const struct headway_window *window,
				    enum headway_verdict seen, enum headway_verdict believed)
{
	struct headway_domain *domain = headway_watched(watch);

	headway_escalator_window(&headway_progress(domain)->escalator, window, seen, believed);
}

static void headway_progress_detail(struct headway_watch *watch, enum headway_verdict verdict,
				    char *detail, size_t size)
{
	headway_evidence_detail(headway_watched(watch), verdict, detail, size);
}

static void headway_progress_log(struct headway_watch *watch, const struct headway_event *event,
				 const struct headway_window *window)
{
	headway_evidence_log(headway_watched(watch), event, window);
}

static const struct headway_watch_ops headway_progress_ops = {
	.what = "domain",
	.escalates = true,
	.count = headway_progress_count,
	.sample = headway_progress_sample,
	.measure = headway_progress_measure,
	.judged = headway_progress_judged,
	.detail = headway_progress_detail,
	.log = headway_progress_log,
};

/**
 * headway_domain_verdict - what the watchdog believes of a domain now
 * @domain: registered domain
 *
 * Two windows in a row make a verdict.
 *
 * Context: task context.
 * Return: the verdict.
 */
enum headway_verdict headway_domain_verdict(struct headway_domain *domain)
{
	return headway_watch_verdict(&domain->watch);
}
EXPORT_SYMBOL_GPL(headway_domain_verdict);

/**
 * headway_domain_escalate - let the watchdog change a domain's policy when it livelocks
 * @domain: registered domain
 * @on: whether it may; it may not unless told so, since a policy is its author's choice
 *
 * When the verdict becomes livelock the policy becomes `serial`; after so many healthy windows
 * (debugfs file watchdog, healthy_windows) it becomes again what it was. Switched off meanwhile,
 * that comes at once. See kmod/escalate.c.
 *
 * Context: may sleep.
 */
void headway_domain_escalate(struct headway_domain *domain, bool on)
{
	spin_lock(&domain->watch.lock);
	domain->watch.escalate = on;
	spin_unlock(&domain->watch.lock);
}
EXPORT_SYMBOL_GPL(headway_domain_escalate);

/**
 * headway_progress_escalation - copy what escalation has done
 * @domain: domain whose watchdog runs
 * @report: filled
 */
void headway_progress_escalation(struct headway_domain *domain,
				 struct headway_escalation_report *report)
{
	headway_escalator_report(&headway_progress(domain)->escalator, report);
}

/**
 * headway_progress_base - the counters as of the last reset
 * @domain: domain whose watchdog runs
 * @base: filled
 */
void headway_progress_base(struct headway_domain *domain, struct headway_sums *base)
{
	spin_lock(&domain->watch.lock);
	*base = headway_progress(domain)->base;
	spin_unlock(&domain->watch.lock);
}

/**
 * headway_progress_rebase - let the counters that are shown start from here
 * @domain: domain whose watchdog runs
 * @sums: what they are now
 *
 * Windows compare the counters themselves and do not notice.
 */
void headway_progress_rebase(struct headway_domain *domain, const struct headway_sums *sums)
{
	spin_lock(&domain->watch.lock);
	headway_progress(domain)->base = *sums;
	spin_unlock(&domain->watch.lock);
}

/**
 * headway_progress_start - start a domain's watchdog
 * @domain: domain with its counters allocated
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int headway_progress_start(struct headway_domain *domain)
{
	struct headway_progress *state = kvzalloc(sizeof(*state), GFP_KERNEL);
	int ret;

	if (!state)
		return -ENOMEM;
	headway_escalator_init(&state->escalator, domain);
	ret = headway_watch_start(&domain->watch, &state->watch, &headway_progress_ops,
				  domain->name);
	if (ret)
		kvfree(state);
	return ret;
}

/**
 * headway_progress_stop - stop a domain's watchdog
 * @domain: domain whose debugfs files are gone and whose transactions have ended
 *
 * Context: may sleep.
 */
void headway_progress_stop(struct headway_domain *domain)
{
	struct headway_progress *state = headway_progress(domain);

	headway_watch_stop(&domain->watch);
	headway_escalator_stop(&state->escalator);
	kvfree(state);
	domain->watch.state = NULL;
}

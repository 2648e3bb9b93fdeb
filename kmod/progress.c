// SPDX-License-Identifier: GPL-2.0
/*
 * progress.c - the watchdog: samples a domain, judges each window, tells when the verdict changes.
 *
 * One delayed work for each domain, on an unbound workqueue of our own. It never waits for a
 * transaction and takes no headway lock, so that a stuck domain cannot stop it and stopping it
 * cannot hang. A window is sampled ten times, so that "in flight throughout" is more than two looks
 * at the ends; an idle domain is looked at once in a window.
 *
 * Watching costs transactions nothing: it reads counters that they keep anyway. Only when nothing
 * commits while transactions roll back does it look at the owners of locks.
 *
 * Lock order: locks_mutex > lock->wait_lock; live_lock alone; watch_lock alone.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "progress.h"
#include "trace.h"

#define HEADWAY_SAMPLES 10
#define HEADWAY_OWNERS 64		/* owners remembered between samples */
#define HEADWAY_OWNER_LOCKS 256		/* locks looked at in one sample */

/* An owner of a contended lock, seen in every sample since. */
struct headway_tenure {
	u64 ticket;
	u64 since_ns;
	u32 restarts;
	bool seen;
};

/* The work's own, but what is under watch_lock. */
struct headway_watch_state {
	u64 start_ns;			/* of the window; CLOCK_MONOTONIC, as waits are */
	struct headway_sums start;
	bool in_flight_throughout;
	struct headway_hysteresis hysteresis;
	struct headway_tenure owners[HEADWAY_OWNERS];
	u32 nr_owners;
	struct ratelimit_state ratelimit;

	/* watch_lock */
	enum headway_verdict verdict;
	u64 since_ns;
	struct headway_window window;
	struct headway_sums base;
	u64 nr_events;
	struct headway_event events[HEADWAY_EVENTS];
};

static struct workqueue_struct *headway_watch_wq;

bool headway_panic_on_livelock;

static struct headway_watch_settings headway_settings(const struct headway_watch *watch)
{
	return (struct headway_watch_settings){
		.window_ns = watch->window_ns,
		.limits = {
			.rollbacks_min = watch->rollbacks_min,
			.contended_ratio = watch->contended_ratio,
			.restarts_max = watch->restarts_max,
			.wait_max_ns = watch->wait_max_ns,
		},
	};
}

static void headway_tenure_note(struct headway_watch_state *state,
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

static void headway_tenure_sweep(struct headway_watch_state *state)
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
	struct headway_watch_state *state = domain->watch.state;
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

static void headway_watch_measure(struct headway_domain *domain, const struct headway_sums *sums,
				  u64 now_ns, struct headway_window *window)
{
	struct headway_watch_state *state = domain->watch.state;
	const struct headway_sums *start = &state->start;
	u32 i;

	*window = (struct headway_window){
		.length_ns = now_ns - state->start_ns,
		.in_flight_throughout = state->in_flight_throughout,
		.in_flight = sums->in_flight,
		.attempts = sums->attempts - start->attempts,
		.commits = sums->stat[HEADWAY_STAT_COMMITS] - start->stat[HEADWAY_STAT_COMMITS],
		.aborts = sums->stat[HEADWAY_STAT_ABORTS] - start->stat[HEADWAY_STAT_ABORTS],
		.rollbacks = sums->stat[HEADWAY_STAT_ROLLBACKS] -
			     start->stat[HEADWAY_STAT_ROLLBACKS],
	};
	headway_watch_live(domain, window, now_ns);
	for (i = 0; i < state->nr_owners; i++)
		window->held_max_ns = max(window->held_max_ns,
					  now_ns - state->owners[i].since_ns);
}

/* Lets the window's figures be seen, and the transition if there was one. */
static void headway_watch_publish(struct headway_domain *domain,
				  const struct headway_window *window,
				  const struct headway_event *event)
{
	struct headway_watch_state *state = domain->watch.state;

	spin_lock(&domain->watch_lock);
	state->window = *window;
	if (event) {
		state->events[state->nr_events++ % HEADWAY_EVENTS] = *event;
		WRITE_ONCE(state->verdict, event->to);
		state->since_ns = event->at_ns;
	}
	spin_unlock(&domain->watch_lock);
}

static void headway_watch_transition(struct headway_domain *domain, enum headway_verdict from,
				     const struct headway_window *window)
{
	struct headway_watch_state *state = domain->watch.state;
	struct headway_event event = {
		.at_ns = ktime_get_boottime_ns(),
		.from = from,
		.to = state->hysteresis.verdict,
		.commits = window->commits,
		.rollbacks = window->rollbacks,
		.in_flight = window->in_flight,
		.actors = window->actors,
	};

	/* Only we write since_ns. */
	event.after_ns = event.at_ns - state->since_ns;
	if (headway_verdict_is_alarm(event.to))
		headway_evidence_detail(domain, event.to, event.detail, sizeof(event.detail));
	headway_watch_publish(domain, window, &event);
	trace_headway_verdict(domain, event.from, event.to, event.commits, event.rollbacks,
			      event.actors);
	if ((headway_verdict_is_alarm(event.to) || headway_verdict_is_alarm(from)) &&
	    __ratelimit(&state->ratelimit))
		headway_evidence_log(domain, &event, window);
	if (event.to == HEADWAY_VERDICT_LIVELOCK && READ_ONCE(headway_panic_on_livelock))
		panic("headway: %s: livelock, and panic_on_livelock is set\n", domain->name);
}

static void headway_watch_begin_window(struct headway_watch_state *state,
				       const struct headway_sums *sums, u64 now_ns)
{
	state->start_ns = now_ns;
	state->start = *sums;
	state->in_flight_throughout = sums->in_flight > 0;
}

static void headway_watch_work(struct work_struct *work)
{
	struct headway_domain *domain = container_of(to_delayed_work(work), struct headway_domain,
						     watch.work);
	struct headway_watch_state *state = domain->watch.state;
	struct headway_watch_settings settings;
	struct headway_window window;
	struct headway_sums sums;
	enum headway_verdict from = state->hysteresis.verdict;
	u64 now_ns = ktime_get_ns();
	u64 period_ns;

	spin_lock(&domain->watch_lock);
	settings = headway_settings(&domain->watch);
	spin_unlock(&domain->watch_lock);

	headway_domain_sum(domain, &sums);
	if (!sums.in_flight)
		state->in_flight_throughout = false;
	if (sums.stat[HEADWAY_STAT_COMMITS] == state->start.stat[HEADWAY_STAT_COMMITS] &&
	    sums.stat[HEADWAY_STAT_ROLLBACKS] != state->start.stat[HEADWAY_STAT_ROLLBACKS])
		headway_watch_owners(domain, now_ns);
	else if (sums.stat[HEADWAY_STAT_COMMITS] != state->start.stat[HEADWAY_STAT_COMMITS])
		state->nr_owners = 0;

	period_ns = settings.window_ns / HEADWAY_SAMPLES;
	/* Timers are late, never early, so half a period of grace costs no sample. */
	if (now_ns - state->start_ns + period_ns / 2 >= settings.window_ns) {
		headway_watch_measure(domain, &sums, now_ns, &window);
		if (headway_verdict_step(&state->hysteresis,
					 headway_judge(&window, &settings.limits)))
			headway_watch_transition(domain, from, &window);
		else
			headway_watch_publish(domain, &window, NULL);
		if (!window.attempts && !sums.in_flight)
			period_ns = settings.window_ns;
		headway_watch_begin_window(state, &sums, now_ns);
	}
	queue_delayed_work(headway_watch_wq, &domain->watch.work,
			   max(nsecs_to_jiffies(period_ns), 1UL));
}

static bool headway_settings_ok(const struct headway_watch_settings *s)
{
	return s->window_ns >= HEADWAY_WINDOW_MIN_NS && s->window_ns <= HEADWAY_WINDOW_MAX_NS &&
	       s->limits.rollbacks_min >= 1 && s->limits.rollbacks_min <= HEADWAY_COUNT_MAX &&
	       s->limits.contended_ratio >= 1 && s->limits.contended_ratio <= HEADWAY_RATIO_MAX &&
	       s->limits.restarts_max >= 1 && s->limits.restarts_max <= HEADWAY_COUNT_MAX &&
	       s->limits.wait_max_ns >= HEADWAY_WAIT_MAX_MIN_NS &&
	       s->limits.wait_max_ns <= HEADWAY_WAIT_MAX_MAX_NS;
}

/**
 * headway_watch_configure - change settings, all or none
 * @domain: domain whose watchdog runs, and is not stopped meanwhile
 * @edit: changes a copy of the settings; called with watch_lock held
 * @arg: for @edit
 *
 * Context: may sleep.
 * Return: 0, or -ERANGE: something would be out of bounds, nothing was changed.
 */
int headway_watch_configure(struct headway_domain *domain,
			    void (*edit)(struct headway_watch_settings *settings, const void *arg),
			    const void *arg)
{
	struct headway_watch *watch = &domain->watch;
	struct headway_watch_settings settings;
	int ret = -ERANGE;

	spin_lock(&domain->watch_lock);
	settings = headway_settings(watch);
	edit(&settings, arg);
	if (headway_settings_ok(&settings)) {
		watch->window_ns = settings.window_ns;
		watch->rollbacks_min = settings.limits.rollbacks_min;
		watch->contended_ratio = settings.limits.contended_ratio;
		watch->restarts_max = settings.limits.restarts_max;
		watch->wait_max_ns = settings.limits.wait_max_ns;
		ret = 0;
	}
	spin_unlock(&domain->watch_lock);
	/* The next look may be an hour off under the old settings. */
	if (!ret)
		mod_delayed_work(headway_watch_wq, &watch->work, 0);
	return ret;
}

/**
 * headway_watch_report - copy what the watchdog knows
 * @domain: domain whose watchdog runs
 * @report: filled
 *
 * Context: task context.
 */
void headway_watch_report(struct headway_domain *domain, struct headway_report *report)
{
	struct headway_watch_state *state = domain->watch.state;
	u64 i, first;

	spin_lock(&domain->watch_lock);
	report->verdict = state->verdict;
	report->since_ns = state->since_ns;
	report->window = state->window;
	report->settings = headway_settings(&domain->watch);
	report->base = state->base;
	report->nr_events = state->nr_events;
	first = state->nr_events - min_t(u64, state->nr_events, HEADWAY_EVENTS);
	for (i = first; i < state->nr_events; i++)
		report->events[i - first] = state->events[i % HEADWAY_EVENTS];
	spin_unlock(&domain->watch_lock);
}

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
	struct headway_watch_state *state = domain->watch.state;

	return READ_ONCE(state->verdict);
}
EXPORT_SYMBOL_GPL(headway_domain_verdict);

/**
 * headway_watch_rebase - let the counters that are shown start from here
 * @domain: domain whose watchdog runs
 * @sums: what they are now
 *
 * Windows compare the counters themselves and do not notice.
 */
void headway_watch_rebase(struct headway_domain *domain, const struct headway_sums *sums)
{
	struct headway_watch_state *state = domain->watch.state;

	spin_lock(&domain->watch_lock);
	state->base = *sums;
	spin_unlock(&domain->watch_lock);
}

/**
 * headway_watch_start - start a domain's watchdog
 * @domain: domain with its counters allocated; settings that are 0 get their defaults
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int headway_watch_start(struct headway_domain *domain)
{
	struct headway_watch *watch = &domain->watch;
	struct headway_watch_state *state;
	struct headway_sums sums;

	state = kvzalloc(sizeof(*state), GFP_KERNEL);
	if (!state)
		return -ENOMEM;
	watch->window_ns = watch->window_ns ?: NSEC_PER_SEC;
	watch->rollbacks_min = watch->rollbacks_min ?: 16;
	watch->contended_ratio = watch->contended_ratio ?: 200;
	watch->restarts_max = watch->restarts_max ?: 256;
	watch->wait_max_ns = watch->wait_max_ns ?: 10 * NSEC_PER_SEC;
	ratelimit_state_init(&state->ratelimit, 10 * HZ, 8);
	ratelimit_set_flags(&state->ratelimit, RATELIMIT_MSG_ON_RELEASE);
	state->since_ns = ktime_get_boottime_ns();
	headway_domain_sum(domain, &sums);
	headway_watch_begin_window(state, &sums, ktime_get_ns());
	watch->state = state;
	INIT_DELAYED_WORK(&watch->work, headway_watch_work);
	queue_delayed_work(headway_watch_wq, &watch->work, 1);
	return 0;
}

/**
 * headway_watch_stop - stop a domain's watchdog
 * @domain: domain whose debugfs files are gone
 *
 * The work waits for nothing that its domain's users do, so this always returns.
 *
 * Context: may sleep.
 */
void headway_watch_stop(struct headway_domain *domain)
{
	cancel_delayed_work_sync(&domain->watch.work);
	kvfree(domain->watch.state);
	domain->watch.state = NULL;
}

/**
 * headway_progress_init - make what all watchdogs share
 *
 * Return: 0 or -ENOMEM.
 */
int headway_progress_init(void)
{
	headway_watch_wq = alloc_workqueue("headway_watch", WQ_UNBOUND, 0);
	return headway_watch_wq ? 0 : -ENOMEM;
}

/**
 * headway_progress_exit - undo headway_progress_init()
 *
 * All domains are gone.
 */
void headway_progress_exit(void)
{
	destroy_workqueue(headway_watch_wq);
}

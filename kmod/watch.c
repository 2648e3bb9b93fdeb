// SPDX-License-Identifier: GPL-2.0
/*
 * watch.c - the watchdog: samples what it watches, judges each window, tells when the verdict
 * changes.
 *
 * One delayed work for each domain and each loop, on an unbound workqueue of our own. It never
 * waits for a transaction or an actor to end and takes no headway lock, so that a stuck domain
 * cannot stop it and stopping it cannot hang; for the log it waits some ms for stacks. A window is
 * sampled ten times, so that "in flight throughout" is more than two looks at the ends; what is
 * idle is looked at once in a window.
 *
 * Lock order: watch->lock is innermost.
 */
#include <linux/kernel.h>
#include <linux/panic.h>
#include <linux/workqueue.h>

#include "trace.h"
#include "watch.h"

#define HEADWAY_SAMPLES 10

static struct workqueue_struct *headway_watch_wq;

bool headway_panic_on_livelock;

static const char * const headway_event_names[] = {
#define X(id, name) [HEADWAY_EVENT_##id] = name,
	HEADWAY_EVENT_KINDS(X)
#undef X
};

/**
 * headway_event_name - an event kind's name
 * @kind: which
 *
 * Return: the name in debugfs
 */
const char *headway_event_name(enum headway_event_kind kind)
{
	return kind < ARRAY_SIZE(headway_event_names) ? headway_event_names[kind] : "?";
}

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
		.escalate = watch->escalate,
		.healthy_windows = watch->healthy_windows,
	};
}

static void headway_watch_measure(struct headway_watch *watch, const struct headway_counts *counts,
				  u64 now_ns, struct headway_window *window)
{
	struct headway_watch_state *state = watch->state;
	const struct headway_counts *start = &state->start;

	*window = (struct headway_window){
		.length_ns = now_ns - state->start_ns,
		.in_flight_throughout = state->in_flight_throughout,
		.in_flight = counts->in_flight,
		.attempts = counts->attempts - start->attempts,
		.commits = counts->commits - start->commits,
		.aborts = counts->aborts - start->aborts,
		.rollbacks = counts->rollbacks - start->rollbacks,
	};
	state->ops->measure(watch, window, now_ns);
}

/* Under watch->lock. */
static void headway_watch_remember(struct headway_watch_state *state,
				   const struct headway_event *event)
{
	state->events[state->nr_events++ % HEADWAY_EVENTS] = *event;
}

/**
 * headway_watch_event - add to the ring of events
 * @watch: running watchdog
 * @event: copied
 *
 * Context: any but interrupts.
 */
void headway_watch_event(struct headway_watch *watch, const struct headway_event *event)
{
	spin_lock(&watch->lock);
	headway_watch_remember(watch->state, event);
	spin_unlock(&watch->lock);
}

/* Lets the window's figures be seen, and the transition if there was one. */
static void headway_watch_publish(struct headway_watch *watch, const struct headway_window *window,
				  const struct headway_event *event)
{
	struct headway_watch_state *state = watch->state;

	spin_lock(&watch->lock);
	state->window = *window;
	if (event) {
		headway_watch_remember(state, event);
		WRITE_ONCE(state->verdict, event->to);
		state->since_ns = event->at_ns;
	}
	spin_unlock(&watch->lock);
}

static void headway_watch_transition(struct headway_watch *watch, enum headway_verdict from,
				     const struct headway_window *window)
{
	struct headway_watch_state *state = watch->state;
	const struct headway_watch_ops *ops = state->ops;
	struct headway_event event = {
		.kind = HEADWAY_EVENT_VERDICT,
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
		ops->detail(watch, event.to, event.detail, sizeof(event.detail));
	headway_watch_publish(watch, window, &event);
	trace_headway_verdict(ops->what, state->name, event.from, event.to, event.commits,
			      event.rollbacks, event.actors);
	if ((headway_verdict_is_alarm(event.to) || headway_verdict_is_alarm(from)) &&
	    __ratelimit(&state->ratelimit))
		ops->log(watch, &event, window);
	if (event.to == HEADWAY_VERDICT_LIVELOCK && READ_ONCE(headway_panic_on_livelock))
		panic("headway: %s: livelock, and panic_on_livelock is set\n", state->name);
}

static void headway_watch_begin_window(struct headway_watch_state *state,
				       const struct headway_counts *counts, u64 now_ns)
{
	state->start_ns = now_ns;
	state->start = *counts;
	state->in_flight_throughout = counts->in_flight > 0;
}

/* Return: whether nothing happened in it, nor is about to. */
static bool headway_watch_end_window(struct headway_watch *watch,
				     const struct headway_watch_settings *settings,
				     const struct headway_counts *counts, u64 now_ns)
{
	struct headway_watch_state *state = watch->state;
	enum headway_verdict from = state->hysteresis.verdict;
	struct headway_window window;
	enum headway_verdict seen;

	headway_watch_measure(watch, counts, now_ns, &window);
	seen = headway_judge(&window, &settings->limits);
	if (headway_verdict_step(&state->hysteresis, seen))
		headway_watch_transition(watch, from, &window);
	else
		headway_watch_publish(watch, &window, NULL);
	state->ops->judged(watch, &window, seen, state->hysteresis.verdict);
	headway_watch_begin_window(state, counts, now_ns);
	return !window.attempts && !counts->in_flight;
}

static void headway_watch_work(struct work_struct *work)
{
	struct headway_watch *watch = container_of(to_delayed_work(work), struct headway_watch,
						   work);
	struct headway_watch_state *state = watch->state;
	struct headway_watch_settings settings;
	struct headway_counts counts;
	u64 now_ns = ktime_get_ns();
	u64 period_ns;

	spin_lock(&watch->lock);
	settings = headway_settings(watch);
	spin_unlock(&watch->lock);

	state->ops->count(watch, &counts);
	if (!counts.in_flight)
		state->in_flight_throughout = false;
	state->ops->sample(watch, &state->start, &counts, now_ns);

	period_ns = settings.window_ns / HEADWAY_SAMPLES;
	/* Timers are late, never early, so half a period of grace costs no sample. */
	if (now_ns - state->start_ns + period_ns / 2 >= settings.window_ns &&
	    headway_watch_end_window(watch, &settings, &counts, now_ns))
		period_ns = settings.window_ns;
	queue_delayed_work(headway_watch_wq, &watch->work, max(nsecs_to_jiffies(period_ns), 1UL));
}

static bool headway_settings_ok(const struct headway_watch_settings *s)
{
	return s->window_ns >= HEADWAY_WINDOW_MIN_NS && s->window_ns <= HEADWAY_WINDOW_MAX_NS &&
	       s->limits.rollbacks_min >= 1 && s->limits.rollbacks_min <= HEADWAY_COUNT_MAX &&
	       s->limits.contended_ratio >= 1 && s->limits.contended_ratio <= HEADWAY_RATIO_MAX &&
	       s->limits.restarts_max >= 1 && s->limits.restarts_max <= HEADWAY_COUNT_MAX &&
	       s->limits.wait_max_ns >= HEADWAY_WAIT_MAX_MIN_NS &&
	       s->limits.wait_max_ns <= HEADWAY_WAIT_MAX_MAX_NS &&
	       s->healthy_windows >= HEADWAY_VERDICT_WINDOWS &&
	       s->healthy_windows <= HEADWAY_HEALTHY_MAX;
}

/**
 * headway_watch_configure - change settings, all or none
 * @watch: watchdog that runs, and is not stopped meanwhile
 * @edit: changes a copy of the settings; called with watch->lock held
 * @arg: for @edit
 *
 * Context: may sleep.
 * Return: 0, or -ERANGE: something would be out of bounds, nothing was changed.
 */
int headway_watch_configure(struct headway_watch *watch, headway_watch_edit *edit,
			    const void *arg)
{
	struct headway_watch_settings settings;
	int ret = -ERANGE;

	spin_lock(&watch->lock);
	settings = headway_settings(watch);
	edit(&settings, arg);
	if (headway_settings_ok(&settings)) {
		watch->window_ns = settings.window_ns;
		watch->rollbacks_min = settings.limits.rollbacks_min;
		watch->contended_ratio = settings.limits.contended_ratio;
		watch->restarts_max = settings.limits.restarts_max;
		watch->wait_max_ns = settings.limits.wait_max_ns;
		watch->escalate = settings.escalate;
		watch->healthy_windows = settings.healthy_windows;
		ret = 0;
	}
	spin_unlock(&watch->lock);
	/* The next look may be an hour off under the old settings. */
	if (!ret)
		mod_delayed_work(headway_watch_wq, &watch->work, 0);
	return ret;
}

/**
 * headway_watch_report - copy what the watchdog knows
 * @watch: running watchdog
 * @report: filled
 *
 * Context: task context.
 */
void headway_watch_report(struct headway_watch *watch, struct headway_report *report)
{
	struct headway_watch_state *state = watch->state;
	u64 i, first;

	spin_lock(&watch->lock);
	report->verdict = state->verdict;
	report->since_ns = state->since_ns;
	report->window = state->window;
	report->settings = headway_settings(watch);
	report->nr_events = state->nr_events;
	first = state->nr_events - min_t(u64, state->nr_events, HEADWAY_EVENTS);
	for (i = first; i < state->nr_events; i++)
		report->events[i - first] = state->events[i % HEADWAY_EVENTS];
	spin_unlock(&watch->lock);
}

/**
 * headway_watch_verdict - what the watchdog believes now
 * @watch: running watchdog
 *
 * Return: the verdict.
 */
enum headway_verdict headway_watch_verdict(const struct headway_watch *watch)
{
	return READ_ONCE(watch->state->verdict);
}

/**
 * headway_watch_start - start a watchdog
 * @watch: settings that are 0 get their defaults
 * @state: zeroed, but for what the source has beside it; freed by the source after the stop
 * @ops: what is watched; usable from now on
 * @name: outlives the watchdog
 *
 * Context: may sleep.
 * Return: 0, or -EINVAL: the window is out of bounds.
 */
int headway_watch_start(struct headway_watch *watch, struct headway_watch_state *state,
			const struct headway_watch_ops *ops, const char *name)
{
	struct headway_counts counts;
	struct headway_watch_settings settings;

	watch->window_ns = watch->window_ns ?: NSEC_PER_SEC;
	watch->rollbacks_min = watch->rollbacks_min ?: 16;
	watch->contended_ratio = watch->contended_ratio ?: 200;
	watch->restarts_max = watch->restarts_max ?: 256;
	watch->wait_max_ns = watch->wait_max_ns ?: 10 * NSEC_PER_SEC;
	watch->healthy_windows = watch->healthy_windows ?: 10;
	settings = headway_settings(watch);
	if (!headway_settings_ok(&settings))
		return -EINVAL;
	state->ops = ops;
	state->name = name;
	ratelimit_state_init(&state->ratelimit, 10 * HZ, 8);
	ratelimit_set_flags(&state->ratelimit, RATELIMIT_MSG_ON_RELEASE);
	state->since_ns = ktime_get_boottime_ns();
	watch->state = state;
	ops->count(watch, &counts);
	headway_watch_begin_window(state, &counts, ktime_get_ns());
	INIT_DELAYED_WORK(&watch->work, headway_watch_work);
	queue_delayed_work(headway_watch_wq, &watch->work, 1);
	return 0;
}

/**
 * headway_watch_stop - stop a watchdog
 * @watch: its debugfs files are gone
 *
 * The work waits for nothing that the users of what it watches do, so this always returns.
 *
 * Context: may sleep.
 */
void headway_watch_stop(struct headway_watch *watch)
{
	cancel_delayed_work_sync(&watch->work);
}

/**
 * headway_watch_init - make what all watchdogs share
 *
 * Return: 0 or -ENOMEM.
 */
int headway_watch_init(void)
{
	headway_watch_wq = alloc_workqueue("headway_watch", WQ_UNBOUND, 0);
	return headway_watch_wq ? 0 : -ENOMEM;
}

/**
 * headway_watch_exit - undo headway_watch_init()
 *
 * All domains and loops are gone.
 */
void headway_watch_exit(void)
{
	destroy_workqueue(headway_watch_wq);
}

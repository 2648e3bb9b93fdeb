// SPDX-License-Identifier: GPL-2.0
/*
 * escalate.c - a livelocked domain goes to `serial`, and back when it is healthy.
 *
 * Off unless the domain's author (headway_domain_escalate()) or root (debugfs file watchdog) says
 * otherwise: a policy is chosen for its cost and for what it lets run at once, and a domain that
 * goes to `serial` behind its author's back would hide the very livelock that it was chosen wrongly
 * for. escalation.c decides when; this file makes the change and says so: in the ring of events,
 * with a tracepoint and in the kernel log.
 *
 * The change waits for transactions, so it has a work of its own, on a workqueue of its own: the
 * watchdog goes on judging meanwhile. It waits for HEADWAY_ESCALATE_WAIT_NS at most (new
 * transactions wait as long at the gate), and for another change under way, which has a limit too;
 * so stopping it cannot hang either.
 *
 * Whoever sets a policy by hand wins. Every change opens an epoch: when the present one is not that
 * which we opened, nothing is restored.
 *
 * Lock order: flip_mutex > watch->lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/math64.h>
#include <linux/workqueue.h>

#include "escalate.h"
#include "trace.h"

#define HEADWAY_ESCALATE_WAIT_NS NSEC_PER_SEC

static struct workqueue_struct *headway_escalate_wq;

static void headway_escalator_log(struct headway_escalator *escalator,
				  const struct headway_event *event, u32 windows)
{
	const char *name = escalator->domain->name;
	u64 after_ms = div_u64(event->after_ns, NSEC_PER_MSEC);
	u64 took_us = div_u64(event->took_ns, NSEC_PER_USEC);
	const char *from = headway_policy_name(event->policy_from);
	const char *to = headway_policy_name(event->policy_to);

	if (!__ratelimit(&escalator->domain->watch.state->ratelimit))
		return;
	switch (event->kind) {
	case HEADWAY_EVENT_ESCALATE:
		pr_warn("%s: escalated from %s to %s %llu ms after the verdict livelock (the change took %llu us); back after %u healthy windows\n",
			name, from, to, after_ms, took_us, windows);
		break;
	case HEADWAY_EVENT_RECOVER:
		pr_info("%s: recovered %llu ms after the verdict livelock, under %s\n", name,
			after_ms, to);
		break;
	case HEADWAY_EVENT_RESTORE:
		pr_info("%s: policy %s again after %llu ms of %s (the change took %llu us)\n", name,
			to, after_ms, from, took_us);
		break;
	case HEADWAY_EVENT_OVERRIDE:
		pr_info("%s: somebody set policy %s: it stays, the escalation is over\n", name, to);
		break;
	default:
		pr_warn("%s: policy %s could not be made %s within %llu us: a transaction neither ended nor rolled back; next attempt in %u windows\n",
			name, from, to, took_us, windows);
	}
}

/* @windows: that it takes to go on, for the log. */
static void headway_escalator_tell(struct headway_escalator *escalator, struct headway_event *event,
				   u32 windows)
{
	headway_watch_event(&escalator->domain->watch, event);
	trace_headway_escalation(escalator->domain, headway_event_name(event->kind),
				 event->policy_from, event->policy_to, event->after_ns,
				 event->took_ns);
	headway_escalator_log(escalator, event, windows);
}

/* The change is over. Under watch->lock. Return: windows that it takes to go on. */
static u32 headway_escalator_settle(struct headway_escalator *escalator,
				    enum headway_escalation_step step, int ret, u32 epoch,
				    struct headway_event *event)
{
	struct headway_escalation_report *report = &escalator->report;

	if (ret == -ESTALE) {
		event->kind = HEADWAY_EVENT_OVERRIDE;
		event->policy_to = READ_ONCE(escalator->domain->policy);
		report->overrides++;
		headway_escalation_override(&escalator->core);
		return 0;
	}
	headway_escalation_ended(&escalator->core, step, !ret);
	if (ret) {
		event->kind = HEADWAY_EVENT_REFUSE;
		report->refusals++;
		return escalator->core.hold_off;
	}
	if (step == HEADWAY_ESCALATION_RAISE) {
		event->kind = HEADWAY_EVENT_ESCALATE;
		event->after_ns = event->at_ns - escalator->livelock_ns;
		escalator->epoch = epoch;
		escalator->raised_ns = event->at_ns;
		escalator->recovered = false;
		report->escalations++;
		report->last_escalation_ns = event->after_ns;
		return escalator->core.need;
	}
	/* That the epoch is not the one noted keeps this window from counting as a livelock. */
	event->kind = HEADWAY_EVENT_RESTORE;
	event->after_ns = event->at_ns - escalator->raised_ns;
	report->restores++;
	report->last_restore_ns = event->after_ns;
	return 0;
}

static void headway_escalator_work(struct work_struct *work)
{
	struct headway_escalator *escalator = container_of(work, struct headway_escalator, work);
	struct headway_domain *domain = escalator->domain;
	const struct headway_wait wait = {
		.state = TASK_IDLE,
		.deadline = ktime_add_ns(ktime_get(), HEADWAY_ESCALATE_WAIT_NS),
	};
	struct headway_event event = {};
	enum headway_escalation_step step;
	u64 start_ns = ktime_get_ns();
	u32 epoch, windows;
	int ret;

	spin_lock(&domain->watch.lock);
	step = escalator->step;
	epoch = escalator->epoch;
	event.policy_from = step == HEADWAY_ESCALATION_RAISE ? escalator->own_policy :
							       HEADWAY_POLICY_SERIAL;
	event.policy_to = step == HEADWAY_ESCALATION_RAISE ? HEADWAY_POLICY_SERIAL :
							     escalator->own_policy;
	spin_unlock(&domain->watch.lock);

	ret = headway_domain_change_policy(domain, event.policy_to, &wait, &epoch);
	event.took_ns = ktime_get_ns() - start_ns;
	event.at_ns = ktime_get_boottime_ns();

	spin_lock(&domain->watch.lock);
	windows = headway_escalator_settle(escalator, step, ret, epoch, &event);
	spin_unlock(&domain->watch.lock);
	headway_escalator_tell(escalator, &event, windows);
}

/* Under watch->lock. Return: whether there is something to tell. */
static bool headway_escalator_look(struct headway_escalator *escalator, u32 epoch, bool alarm,
				   struct headway_event *event)
{
	struct headway_escalation *core = &escalator->core;

	if (core->busy || !core->raised)
		return false;
	event->policy_from = HEADWAY_POLICY_SERIAL;
	event->policy_to = READ_ONCE(escalator->domain->policy);
	if (epoch != escalator->epoch) {
		event->kind = HEADWAY_EVENT_OVERRIDE;
		event->after_ns = event->at_ns - escalator->raised_ns;
		escalator->report.overrides++;
		headway_escalation_override(core);
		return true;
	}
	if (alarm || escalator->recovered)
		return false;
	escalator->recovered = true;
	event->kind = HEADWAY_EVENT_RECOVER;
	event->after_ns = event->at_ns - escalator->livelock_ns;
	escalator->report.last_recovery_ns = event->after_ns;
	return true;
}

/* Under watch->lock. Return: the step to take. */
static enum headway_escalation_step headway_escalator_step(struct headway_escalator *escalator,
							   u32 epoch, u64 livelock_ns,
							   struct headway_escalation_window *window)
{
	struct headway_domain *domain = escalator->domain;
	enum headway_policy policy = READ_ONCE(domain->policy);
	enum headway_escalation_step step;

	window->enabled = domain->watch.escalate;
	window->healthy_windows = domain->watch.healthy_windows;
	window->raisable = policy != HEADWAY_POLICY_SERIAL && epoch == escalator->epoch;
	step = headway_escalation_window(&escalator->core, window);
	if (step != HEADWAY_ESCALATION_NOTHING)
		escalator->step = step;
	if (step == HEADWAY_ESCALATION_RAISE) {
		escalator->own_policy = policy;
		escalator->livelock_ns = livelock_ns;
	}
	if (!escalator->core.raised && !escalator->core.busy)
		escalator->epoch = epoch;
	return step;
}

/**
 * headway_escalator_window - a window is over
 * @escalator: of a domain whose watchdog calls this
 * @window: its figures
 * @seen: what it showed
 * @believed: what is believed now
 */
void headway_escalator_window(struct headway_escalator *escalator,
			      const struct headway_window *window, enum headway_verdict seen,
			      enum headway_verdict believed)
{
	struct headway_domain *domain = escalator->domain;
	struct headway_escalation_window what = {
		.livelock = believed == HEADWAY_VERDICT_LIVELOCK && seen == believed,
		.alarm = headway_verdict_is_alarm(seen),
		.healthy = window->commits && !headway_verdict_is_alarm(seen),
	};
	struct headway_event event = { .at_ns = ktime_get_boottime_ns() };
	u32 epoch = READ_ONCE(domain->epoch);
	enum headway_escalation_step step;
	bool tell;

	spin_lock(&domain->watch.lock);
	tell = headway_escalator_look(escalator, epoch, headway_verdict_is_alarm(believed), &event);
	step = headway_escalator_step(escalator, epoch, domain->watch.state->since_ns, &what);
	spin_unlock(&domain->watch.lock);
	if (tell)
		headway_escalator_tell(escalator, &event, 0);
	if (step != HEADWAY_ESCALATION_NOTHING)
		queue_work(headway_escalate_wq, &escalator->work);
}

/**
 * headway_escalator_report - copy what has been done
 * @escalator: of a domain whose watchdog runs
 * @report: filled
 */
void headway_escalator_report(struct headway_escalator *escalator,
			      struct headway_escalation_report *report)
{
	spin_lock(&escalator->domain->watch.lock);
	*report = escalator->report;
	report->raised = escalator->core.raised;
	report->healthy = escalator->core.raised ? escalator->core.healthy : 0;
	report->need = escalator->core.raised ? escalator->core.need : 0;
	report->relapses = escalator->core.relapses;
	spin_unlock(&escalator->domain->watch.lock);
}

/**
 * headway_escalator_init - make a domain's escalator
 * @escalator: zeroed
 * @domain: its domain
 */
void headway_escalator_init(struct headway_escalator *escalator, struct headway_domain *domain)
{
	escalator->domain = domain;
	escalator->epoch = domain->epoch;
	INIT_WORK(&escalator->work, headway_escalator_work);
}

/**
 * headway_escalator_stop - let it do nothing any more
 * @escalator: of a domain whose watchdog has been stopped and whose transactions have ended
 *
 * A static domain may be registered again: it then has its own policy.
 *
 * Context: may sleep.
 */
void headway_escalator_stop(struct headway_escalator *escalator)
{
	struct headway_domain *domain = escalator->domain;

	cancel_work_sync(&escalator->work);
	mutex_lock(&domain->flip_mutex);
	if (escalator->core.raised && domain->epoch == escalator->epoch)
		domain->policy = escalator->own_policy;
	mutex_unlock(&domain->flip_mutex);
}

/**
 * headway_escalate_init - make what all escalators share
 *
 * Return: 0 or -ENOMEM.
 */
int headway_escalate_init(void)
{
	headway_escalate_wq = alloc_workqueue("headway_escalate", WQ_UNBOUND, 0);
	return headway_escalate_wq ? 0 : -ENOMEM;
}

/**
 * headway_escalate_exit - undo headway_escalate_init()
 *
 * All domains are gone.
 */
void headway_escalate_exit(void)
{
	destroy_workqueue(headway_escalate_wq);
}

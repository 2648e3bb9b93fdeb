// SPDX-License-Identifier: GPL-2.0
/*
 * loop.c - retry loops as what the watchdog (watch.c) watches.
 *
 * An actor costs nothing shared until it has failed HEADWAY_LOOP_QUIET times in a row: then it goes
 * on loop->live, where the watchdog and debugfs see it. When attempts fail and nothing gets done,
 * the loop is `suspect`, and every actor is listed as it enters or fails. So those that are not
 * listed were in an attempt before the suspicion began, and still are: whoever is busy for long is
 * known, although nobody looked when it came. That is what tells a livelock from a long piece of
 * work.
 *
 * Counters are changed by this_cpu_inc(), so all calls may come from any context but NMI.
 *
 * Lock order: live_lock is taken with interrupts off, and nothing but the unwinder runs under it;
 * watch->lock alone; headway_loops_mutex alone.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/stacktrace.h>

#include "loop.h"

/* Loops by name. */
static LIST_HEAD(headway_loops);
static DEFINE_MUTEX(headway_loops_mutex);

static struct headway_loop *headway_watched(struct headway_watch *watch)
{
	return container_of(watch, struct headway_loop, watch);
}

static struct headway_loop_progress *headway_loop_progress(struct headway_loop *loop)
{
	return container_of(loop->watch.state, struct headway_loop_progress, watch);
}

/* ---- the actors' side ----------------------------------------------------------------------- */

/* An actor that is not listed is gone, or listed from now on. */
static void headway_loop_unlisted_end(struct headway_loop *loop)
{
	/* Pairs with smp_load_acquire() in headway_loop_unlisted(): what we counted came before. */
	smp_wmb();
	this_cpu_inc(loop->pcpu->ended);
}

static void headway_loop_list(struct headway_loop_actor *actor, bool entering)
{
	struct headway_loop *loop = actor->loop;
	unsigned long flags;

	actor->attempt_ns = ktime_get_ns();
	actor->failing_ns = entering ? 0 : actor->attempt_ns;
	actor->live = true;
	raw_spin_lock_irqsave(&loop->live_lock, flags);
	list_add_tail(&actor->node, &loop->live);
	loop->nr_live++;
	loop->begun_live += entering;
	raw_spin_unlock_irqrestore(&loop->live_lock, flags);
	if (!entering)
		headway_loop_unlisted_end(loop);
}

/**
 * headway_loop_enter - an actor enters a loop
 * @actor: on the caller's stack, until headway_loop_leave()
 * @loop: registered loop
 *
 * The first attempt begins here.
 *
 * Context: any but NMI.
 */
void headway_loop_enter(struct headway_loop_actor *actor, struct headway_loop *loop)
{
	actor->loop = loop;
	actor->task = in_task() ? current : NULL;
	actor->restarts = 0;
	actor->restarts_seen = 0;
	actor->stack_asked = 0;
	actor->nr_frames = 0;
	actor->live = false;
	actor->done = false;
	if (unlikely(READ_ONCE(loop->suspect)))
		headway_loop_list(actor, true);
	else
		this_cpu_inc(loop->pcpu->begun);
}
EXPORT_SYMBOL_GPL(headway_loop_enter);

/* Something is attempted after something was done. */
static void headway_loop_go_on(struct headway_loop_actor *actor)
{
	if (!actor->done)
		return;
	actor->done = false;
	this_cpu_inc(actor->loop->pcpu->again);
}

static_assert(HEADWAY_LOOP_FRAMES <= HEADWAY_STACK_DEPTH);

/* A frame of its own, so that it can be left out. */
static noinline void headway_loop_save_stack(struct headway_loop_actor *actor)
{
	struct headway_loop *loop = actor->loop;
	unsigned long flags;

	raw_spin_lock_irqsave(&loop->live_lock, flags);
	actor->stack_asked = READ_ONCE(loop->stacks_asked);
	actor->nr_frames = stack_trace_save(actor->frames, HEADWAY_LOOP_FRAMES, 1);
	raw_spin_unlock_irqrestore(&loop->live_lock, flags);
}

/**
 * headway_loop_retry - an attempt failed, and the actor will make another
 * @actor: actor of a loop
 *
 * Call it before whatever delay there is: the delay is part of the next attempt.
 *
 * Context: any but NMI.
 */
void headway_loop_retry(struct headway_loop_actor *actor)
{
	struct headway_loop *loop = actor->loop;

	headway_loop_go_on(actor);
	this_cpu_inc(loop->pcpu->rollbacks);
	WRITE_ONCE(actor->restarts, actor->restarts + 1);
	if (!actor->live) {
		if (actor->restarts < HEADWAY_LOOP_QUIET && likely(!READ_ONCE(loop->suspect)))
			return;
		headway_loop_list(actor, false);
		return;
	}
	WRITE_ONCE(actor->attempt_ns, ktime_get_ns());
	if (actor->restarts == 1)
		WRITE_ONCE(actor->failing_ns, actor->attempt_ns);
	if (unlikely(READ_ONCE(loop->stacks_asked) != actor->stack_asked))
		headway_loop_save_stack(actor);
}
EXPORT_SYMBOL_GPL(headway_loop_retry);

/**
 * headway_loop_done - an actor got something done
 * @actor: actor of a loop; it may leave now, or go on with something else
 *
 * Context: any but NMI.
 */
void headway_loop_done(struct headway_loop_actor *actor)
{
	headway_loop_go_on(actor);
	actor->done = true;
	WRITE_ONCE(actor->restarts, 0);
	this_cpu_inc(actor->loop->pcpu->commits);
	if (actor->live) {
		WRITE_ONCE(actor->failing_ns, 0);
		WRITE_ONCE(actor->attempt_ns, ktime_get_ns());
	}
}
EXPORT_SYMBOL_GPL(headway_loop_done);

/**
 * headway_loop_leave - an actor leaves its loop
 * @actor: actor of a loop; its last attempt failed if it has got nothing done since
 *
 * Context: any but NMI.
 */
void headway_loop_leave(struct headway_loop_actor *actor)
{
	struct headway_loop *loop = actor->loop;
	unsigned long flags;

	if (!actor->done)
		this_cpu_inc(loop->pcpu->aborts);
	if (!actor->live) {
		headway_loop_unlisted_end(loop);
		return;
	}
	raw_spin_lock_irqsave(&loop->live_lock, flags);
	list_del(&actor->node);
	loop->nr_live--;
	raw_spin_unlock_irqrestore(&loop->live_lock, flags);
}
EXPORT_SYMBOL_GPL(headway_loop_leave);

/* ---- the watchdog's side -------------------------------------------------------------------- */

/* Actors in the loop that are not listed; too many by those that left meanwhile, never too few. */
static u64 headway_loop_unlisted(struct headway_loop *loop)
{
	u64 begun = 0, ended = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		/* Pairs with smp_wmb() in headway_loop_unlisted_end(). */
		ended += smp_load_acquire(&per_cpu_ptr(loop->pcpu, cpu)->ended);
	}
	for_each_possible_cpu(cpu)
		begun += READ_ONCE(per_cpu_ptr(loop->pcpu, cpu)->begun);
	return begun - ended;
}

/**
 * headway_loop_count - add up a loop's counters
 * @loop: registered loop
 * @counts: result
 */
void headway_loop_count(struct headway_loop *loop, struct headway_counts *counts)
{
	u64 unlisted = headway_loop_unlisted(loop);
	unsigned long flags;
	u64 begun = 0;
	int cpu;

	*counts = (struct headway_counts){};
	for_each_possible_cpu(cpu) {
		const struct headway_loop_pcpu *p = per_cpu_ptr(loop->pcpu, cpu);

		begun += READ_ONCE(p->begun) + READ_ONCE(p->again);
		counts->commits += READ_ONCE(p->commits);
		counts->aborts += READ_ONCE(p->aborts);
		counts->rollbacks += READ_ONCE(p->rollbacks);
	}
	raw_spin_lock_irqsave(&loop->live_lock, flags);
	counts->in_flight = unlisted + loop->nr_live;
	begun += loop->begun_live;
	raw_spin_unlock_irqrestore(&loop->live_lock, flags);
	counts->attempts = begun + counts->rollbacks;
}

static void headway_loop_watch_count(struct headway_watch *watch, struct headway_counts *counts)
{
	headway_loop_count(headway_watched(watch), counts);
}

static void headway_loop_sample(struct headway_watch *watch, const struct headway_counts *start,
				const struct headway_counts *counts, u64 now_ns)
{
	struct headway_loop *loop = headway_watched(watch);
	struct headway_loop_progress *progress = headway_loop_progress(loop);
	bool suspect = loop->suspect;

	if (counts->commits != start->commits || !counts->in_flight)
		suspect = false;
	else if (counts->rollbacks != start->rollbacks)
		suspect = true;
	if (suspect != loop->suspect || !headway_loop_unlisted(loop))
		progress->unlisted_ns = now_ns;
	WRITE_ONCE(loop->suspect, suspect);
}

static void headway_loop_measure(struct headway_watch *watch, struct headway_window *window,
				 u64 now_ns)
{
	struct headway_loop *loop = headway_watched(watch);
	struct headway_loop_actor *actor;
	s64 held_ns, wait_ns;
	unsigned long flags;
	u64 restarts;

	/* Nobody listed them as they came, and they are there since the suspicion began. */
	if (loop->suspect)
		window->held_max_ns = now_ns - headway_loop_progress(loop)->unlisted_ns;
	raw_spin_lock_irqsave(&loop->live_lock, flags);
	list_for_each_entry(actor, &loop->live, node) {
		restarts = READ_ONCE(actor->restarts);
		held_ns = now_ns - READ_ONCE(actor->attempt_ns);
		window->held_max_ns = max_t(s64, window->held_max_ns, held_ns);
		if (restarts == actor->restarts_seen)
			continue;
		actor->restarts_seen = restarts;
		if (!restarts)
			continue;
		wait_ns = now_ns - READ_ONCE(actor->failing_ns);
		window->actors++;
		restarts = min_t(u64, restarts, U32_MAX);
		window->restarts_max = max_t(u32, window->restarts_max, restarts);
		window->wait_max_ns = max_t(s64, window->wait_max_ns, wait_ns);
	}
	raw_spin_unlock_irqrestore(&loop->live_lock, flags);
}

/**
 * headway_loop_ask_stacks - let actors save their stacks when they next retry
 * @loop: registered loop
 */
void headway_loop_ask_stacks(struct headway_loop *loop)
{
	/* Who asks at the same time asks for the same. */
	WRITE_ONCE(loop->stacks_asked, READ_ONCE(loop->stacks_asked) + 1);
}

/* A window before the alarm is believed, so that the stacks are there when it is. */
static void headway_loop_judged(struct headway_watch *watch, const struct headway_window *window,
				enum headway_verdict seen, enum headway_verdict believed)
{
	if (headway_verdict_is_alarm(seen) && !headway_verdict_is_alarm(believed))
		headway_loop_ask_stacks(headway_watched(watch));
}

static void headway_loop_watch_detail(struct headway_watch *watch, enum headway_verdict verdict,
				      char *detail, size_t size)
{
	headway_loop_detail(headway_watched(watch), detail, size);
}

static void headway_loop_watch_log(struct headway_watch *watch, const struct headway_event *event,
				   const struct headway_window *window)
{
	headway_loop_log(headway_watched(watch), event, window);
}

static const struct headway_watch_ops headway_loop_ops = {
	.what = "loop",
	.count = headway_loop_watch_count,
	.sample = headway_loop_sample,
	.measure = headway_loop_measure,
	.judged = headway_loop_judged,
	.detail = headway_loop_watch_detail,
	.log = headway_loop_watch_log,
};

/**
 * headway_loop_views_copy - describe a loop's listed actors
 * @loop: registered loop
 * @views: filled
 * @max: room in @views, at most HEADWAY_VIEWS_MAX
 * @live: set to how many there are; may be NULL
 *
 * Return: how many were described.
 */
u32 headway_loop_views_copy(struct headway_loop *loop, struct headway_loop_view *views, u32 max,
			    u32 *live)
{
	struct headway_loop_actor *actor;
	unsigned long flags;
	u32 n = 0;

	raw_spin_lock_irqsave(&loop->live_lock, flags);
	if (live)
		*live = loop->nr_live;
	list_for_each_entry(actor, &loop->live, node) {
		struct headway_loop_view *view = &views[n];

		if (n++ == max)
			break;
		view->pid = actor->task ? task_pid_nr(actor->task) : 0;
		strscpy(view->comm, actor->task ? actor->task->comm : "interrupt",
			sizeof(view->comm));
		view->restarts = READ_ONCE(actor->restarts);
		view->failing_ns = READ_ONCE(actor->failing_ns);
		view->attempt_ns = READ_ONCE(actor->attempt_ns);
		view->stack.nr = actor->nr_frames;
		memcpy(view->stack.entries, actor->frames, sizeof(actor->frames));
	}
	raw_spin_unlock_irqrestore(&loop->live_lock, flags);
	return min(n, max);
}

/* ---- loops ---------------------------------------------------------------------------------- */

/**
 * headway_loop_base - the counters as of the last reset
 * @loop: registered loop
 * @base: filled
 */
void headway_loop_base(struct headway_loop *loop, struct headway_counts *base)
{
	spin_lock(&loop->watch.lock);
	*base = headway_loop_progress(loop)->base;
	spin_unlock(&loop->watch.lock);
}

/**
 * headway_loop_reset - let the counters that are shown start again from zero
 * @loop: registered loop
 */
void headway_loop_reset(struct headway_loop *loop)
{
	struct headway_counts now;

	headway_loop_count(loop, &now);
	spin_lock(&loop->watch.lock);
	headway_loop_progress(loop)->base = now;
	spin_unlock(&loop->watch.lock);
}

/**
 * headway_loop_verdict - what the watchdog believes of a loop now
 * @loop: registered loop
 *
 * Return: the verdict.
 */
enum headway_verdict headway_loop_verdict(struct headway_loop *loop)
{
	return headway_watch_verdict(&loop->watch);
}
EXPORT_SYMBOL_GPL(headway_loop_verdict);

static int headway_loop_enlist(struct headway_loop *loop)
{
	struct headway_loop *other;
	int ret = 0;

	mutex_lock(&headway_loops_mutex);
	list_for_each_entry(other, &headway_loops, node)
		if (!strcmp(other->name, loop->name))
			ret = -EEXIST;
	if (!ret)
		list_add_tail(&loop->node, &headway_loops);
	mutex_unlock(&headway_loops_mutex);
	return ret;
}

static void headway_loop_delist(struct headway_loop *loop)
{
	mutex_lock(&headway_loops_mutex);
	list_del_init(&loop->node);
	mutex_unlock(&headway_loops_mutex);
}

static int headway_loop_watch(struct headway_loop *loop)
{
	struct headway_loop_progress *progress = kvzalloc(sizeof(*progress), GFP_KERNEL);
	int ret;

	if (!progress)
		return -ENOMEM;
	/* What counts is for how long an actor fails: one that spins fails often in no time. */
	loop->watch.restarts_max = loop->watch.restarts_max ?: HEADWAY_COUNT_MAX;
	ret = headway_watch_start(&loop->watch, &progress->watch, &headway_loop_ops, loop->name);
	if (ret)
		kvfree(progress);
	return ret;
}

/**
 * headway_loop_register - let a loop be watched and seen in debugfs
 * @loop: from DEFINE_HEADWAY_LOOP(); nobody is in it
 *
 * Context: may sleep.
 * Return: 0; -EINVAL: bad name (as headway_domain_register()) or a window out of bounds; -EEXIST: a
 * loop of this name is registered; -ENOMEM.
 */
int headway_loop_register(struct headway_loop *loop)
{
	int ret;

	if (!headway_name_ok(loop->name))
		return -EINVAL;
	loop->pcpu = alloc_percpu(struct headway_loop_pcpu);
	if (!loop->pcpu)
		return -ENOMEM;
	loop->suspect = false;
	loop->begun_live = 0;
	ret = headway_loop_enlist(loop);
	if (ret)
		goto free_pcpu;
	ret = headway_loop_watch(loop);
	if (ret)
		goto delist;
	headway_debugfs_add_loop(loop);
	loop->registered = true;
	return 0;

delist:
	headway_loop_delist(loop);
free_pcpu:
	free_percpu(loop->pcpu);
	loop->pcpu = NULL;
	return ret;
}
EXPORT_SYMBOL_GPL(headway_loop_register);

/**
 * headway_loop_unregister - take a loop out of use
 * @loop: registered loop that all actors have left; anything else warns. One that was never
 *	registered is left alone, for error paths.
 *
 * Context: may sleep: waits for readers of its debugfs files and for its watchdog.
 */
void headway_loop_unregister(struct headway_loop *loop)
{
	struct headway_counts counts;

	if (!loop->registered)
		return;
	headway_debugfs_remove_loop(loop);
	headway_watch_stop(&loop->watch);
	headway_loop_delist(loop);
	headway_loop_count(loop, &counts);
	WARN(counts.in_flight, "headway: loop %s: actors in it at unregister\n", loop->name);
	kvfree(headway_loop_progress(loop));
	loop->watch.state = NULL;
	free_percpu(loop->pcpu);
	loop->pcpu = NULL;
	loop->registered = false;
}
EXPORT_SYMBOL_GPL(headway_loop_unregister);

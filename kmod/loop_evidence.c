// SPDX-License-Identifier: GPL-2.0
/*
 * loop_evidence.c - who is behind a loop's verdict: log lines, and a word for the ring of events.
 *
 * Stacks are those that actors saved themselves at their last retry but one, on request (loop.c).
 * They are printed one to a line, in our own words: nothing that looks like a kernel's report.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "loop.h"

#define HEADWAY_LOG_ITEMS 3
#define HEADWAY_LOG_VIEWS 64
#define HEADWAY_LOG_SIZE 768

static u64 headway_failing(const struct headway_loop_view *view, u64 now_ns)
{
	return view->failing_ns && view->failing_ns < now_ns ? now_ns - view->failing_ns : 0;
}

/* Who fails for longest goes to the front. Return: whether anybody fails. */
static bool headway_worst_first(struct headway_loop_view *views, u32 n, u64 now_ns)
{
	u32 i, worst = 0;

	for (i = 1; i < n; i++)
		if (headway_failing(&views[i], now_ns) > headway_failing(&views[worst], now_ns))
			worst = i;
	if (n)
		swap(views[0], views[worst]);
	return n && headway_failing(&views[0], now_ns);
}

static void headway_loop_log_actor(struct headway_loop *loop, const struct headway_loop_view *view,
				   u64 now_ns, char *stack)
{
	char comm[HEADWAY_CLEAN_MAX];

	headway_stack_text(stack, HEADWAY_LOG_SIZE, &view->stack);
	pr_warn("loop %s: %s[%d] failed %llu times in %llu ms; stack %s\n", loop->name,
		headway_clean(comm, view->comm), view->pid, view->restarts,
		div_u64(headway_failing(view, now_ns), NSEC_PER_MSEC), stack);
}

/**
 * headway_loop_log - write a transition to the kernel log
 * @loop: registered loop
 * @event: the transition, to or from an alarm
 * @window: the window that decided
 *
 * Context: may sleep.
 */
void headway_loop_log(struct headway_loop *loop, const struct headway_event *event,
		      const struct headway_window *window)
{
	u32 tenths = div_u64(window->length_ns + NSEC_PER_SEC / 20, NSEC_PER_SEC / 10);
	struct headway_loop_view *views;
	u64 now_ns = ktime_get_ns();
	char *stack;
	u32 i, n;

	if (!headway_verdict_is_alarm(event->to)) {
		pr_info("loop %s: %s again after %llu s of %s: %llu commits, %llu rollbacks in %u.%u s\n",
			loop->name, headway_verdict_name(event->to),
			div_u64(event->after_ns, NSEC_PER_SEC), headway_verdict_name(event->from),
			event->commits, event->rollbacks, tenths / 10, tenths % 10);
		return;
	}
	pr_warn("loop %s: %s: %llu commits, %llu rollbacks by %u actors, %llu in flight, in %u.%u s; next: cat /sys/kernel/debug/headway/loops/%s/actors\n",
		loop->name, headway_verdict_name(event->to), event->commits, event->rollbacks,
		event->actors, event->in_flight, tenths / 10, tenths % 10, loop->name);
	stack = kmalloc(HEADWAY_LOG_SIZE, GFP_KERNEL);
	views = kvmalloc_array(HEADWAY_LOG_VIEWS, sizeof(*views), GFP_KERNEL);
	if (stack && views) {
		n = headway_loop_views_copy(loop, views, HEADWAY_LOG_VIEWS, NULL);
		for (i = 0; i < n && i < HEADWAY_LOG_ITEMS; i++)
			if (headway_worst_first(views + i, n - i, now_ns))
				headway_loop_log_actor(loop, &views[i], now_ns, stack);
	}
	kvfree(views);
	kfree(stack);
}

/**
 * headway_loop_detail - one word about an alarm, for the ring of events
 * @loop: registered loop
 * @detail: result; left empty if there is nothing to say
 * @size: its size
 *
 * The actor that fails for longest.
 *
 * Context: may sleep.
 */
void headway_loop_detail(struct headway_loop *loop, char *detail, size_t size)
{
	struct headway_loop_view *views;
	char comm[HEADWAY_CLEAN_MAX];
	u32 n;

	views = kvmalloc_array(HEADWAY_LOG_VIEWS, sizeof(*views), GFP_KERNEL);
	if (!views)
		return;
	n = headway_loop_views_copy(loop, views, HEADWAY_LOG_VIEWS, NULL);
	if (headway_worst_first(views, n, ktime_get_ns()))
		scnprintf(detail, size, "%s:%d", headway_clean(comm, views[0].comm), views[0].pid);
	kvfree(views);
}

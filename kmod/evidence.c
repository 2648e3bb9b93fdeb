// SPDX-License-Identifier: GPL-2.0
/*
 * evidence.c - who and what is behind a verdict: log lines, and a word for the ring of events.
 *
 * Names come from callers and from user space (comm), so none is shown before headway_clean().
 *
 * Lock order: locks_mutex > lock->wait_lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/stacktrace.h>

#include "progress.h"

#define HEADWAY_LOG_ITEMS 3
#define HEADWAY_LOG_VIEWS 64
#define HEADWAY_LOG_SIZE 384
#define HEADWAY_LOG_STACK 768		/* printk cuts what is much longer */

#define HEADWAY_DIR "/sys/kernel/debug/headway/domains"

/**
 * headway_clean - make a name safe to show as one word
 * @clean: result
 * @name: anything
 *
 * Return: @clean; ``-`` for an empty name
 */
const char *headway_clean(char clean[HEADWAY_CLEAN_MAX], const char *name)
{
	size_t i;

	for (i = 0; i < HEADWAY_CLEAN_MAX - 1 && name[i]; i++)
		clean[i] = isascii(name[i]) && (isalnum(name[i]) || strchr("_.:@/-", name[i])) ?
			   name[i] : '?';
	if (!i)
		clean[i++] = '-';
	clean[i] = '\0';
	return clean;
}

static const struct headway_txn_view *
headway_longest_wait(const struct headway_txn_view *views, u32 n)
{
	const struct headway_txn_view *longest = NULL;
	u32 i;

	for (i = 0; i < n; i++)
		if (views[i].waiting && views[i].owner.held &&
		    (!longest || views[i].wait_since_ns < longest->wait_since_ns))
			longest = &views[i];
	return longest;
}

/*
 * "waiter[pid] -> lock -> holder[pid]" of some that wait, and who rolled back how often.
 *
 * Return: pid of whom the one who waits longest waits for, or 0.
 */
static pid_t headway_log_views(const struct headway_txn_view *views, u32 n, char *line, size_t size)
{
	const struct headway_txn_view *longest = headway_longest_wait(views, n);
	char a[HEADWAY_CLEAN_MAX], b[HEADWAY_CLEAN_MAX], c[HEADWAY_CLEAN_MAX];
	u32 i, shown = 0;
	size_t len = 0;

	for (i = 0; i < n && shown < HEADWAY_LOG_ITEMS; i++) {
		const struct headway_txn_view *v = &views[i];

		if (!v->waiting || !v->owner.held)
			continue;
		len += scnprintf(line + len, size - len, "%s %s[%d] -> %s -> %s[%d]",
				 shown++ ? "," : "; waits:", headway_clean(a, v->comm), v->pid,
				 headway_clean(b, v->lock_name), headway_clean(c, v->owner.comm),
				 v->owner.pid);
	}
	for (i = 0; i < n && shown < HEADWAY_LOG_ITEMS; i++) {
		const struct headway_txn_view *v = &views[i];

		if (v->waiting || !v->restarts)
			continue;
		len += scnprintf(line + len, size - len, "%s %s[%d] rolled back %u times",
				 shown++ ? "," : ";", headway_clean(a, v->comm), v->pid,
				 v->restarts);
	}
	return longest ? longest->owner.pid : 0;
}

/* The lock that most transactions gave up at, since the last reset. Under locks_mutex. */
static struct headway_lock *headway_worst_lock(struct headway_domain *domain, u64 *rollbacks)
{
	struct headway_lock *lock, *worst = NULL;
	struct headway_lock_figures *figures;

	lockdep_assert_held(&domain->locks_mutex);
	*rollbacks = 0;
	figures = kmalloc(sizeof(*figures), GFP_KERNEL);
	if (!figures)
		return NULL;
	list_for_each_entry(lock, &domain->locks, stats.node) {
		headway_stats_read(lock, figures);
		if (figures->rollbacks > *rollbacks) {
			*rollbacks = figures->rollbacks;
			worst = lock;
		}
	}
	kfree(figures);
	return worst;
}

/* Return: pid of the worst lock's owner, or 0. */
static pid_t headway_log_lock(struct headway_domain *domain, char *line, size_t size)
{
	char name[HEADWAY_CLEAN_MAX], comm[HEADWAY_CLEAN_MAX];
	struct headway_owner owner = {};
	struct headway_lock *lock;
	u64 rollbacks;

	mutex_lock(&domain->locks_mutex);
	lock = headway_worst_lock(domain, &rollbacks);
	if (lock) {
		headway_clean(name, lock->stats.name);
		headway_lock_owner(lock, &owner);
	}
	mutex_unlock(&domain->locks_mutex);
	if (owner.held)
		scnprintf(line, size, "; worst lock: %s, %llu rollbacks, held by %s[%d]", name,
			  rollbacks, headway_clean(comm, owner.comm), owner.pid);
	else if (lock)
		scnprintf(line, size, "; worst lock: %s, %llu rollbacks, free now", name,
			  rollbacks);
	return owner.pid;
}

static void headway_log_next(struct headway_domain *domain, enum headway_verdict verdict,
			     pid_t holder, char *line, size_t size)
{
	enum headway_policy policy = READ_ONCE(domain->policy);

	if (verdict == HEADWAY_VERDICT_LIVELOCK && READ_ONCE(domain->watch.escalate) &&
	    policy != HEADWAY_POLICY_SERIAL)
		scnprintf(line, size, "policy serial, by escalation");
	else if (verdict == HEADWAY_VERDICT_LIVELOCK)
		scnprintf(line, size, "echo %s > " HEADWAY_DIR "/%s/policy",
			  headway_policy_name(policy == HEADWAY_POLICY_NONE ?
					      HEADWAY_POLICY_ORDERED : HEADWAY_POLICY_WOUND_WAIT),
			  domain->name);
	else if (verdict == HEADWAY_VERDICT_STALLED_HOLDER && holder)
		scnprintf(line, size, "cat /proc/%d/stack, to see where the holder is", holder);
	else
		scnprintf(line, size, "cat " HEADWAY_DIR "/%s/transactions", domain->name);
}

/* Of some that wait or back off. One line each, in our own words: it is no kernel's report. */
static void headway_log_stacks(struct headway_domain *domain, const struct headway_txn_view *views,
			       const struct headway_stack *stacks, u32 n)
{
	char *text = kmalloc(HEADWAY_LOG_STACK, GFP_KERNEL);
	char comm[HEADWAY_CLEAN_MAX];
	u32 i, shown = 0;

	for (i = 0; text && i < n && shown < HEADWAY_LOG_ITEMS; i++) {
		if (!stacks[i].nr)
			continue;
		headway_stack_text(text, HEADWAY_LOG_STACK, &stacks[i]);
		pr_warn("%s: %s[%d] %s; stack %s\n", domain->name,
			headway_clean(comm, views[i].comm), views[i].pid,
			views[i].waiting ? "waits" : "backs off", text);
		shown++;
	}
	kfree(text);
}

/*
 * Where it sleeps whom the others wait for. It may have ended since, and another may have its pid:
 * then that one is named, in vain.
 */
static void headway_log_holder(struct headway_domain *domain, pid_t holder)
{
	struct headway_stack *stack = kzalloc(sizeof(*stack), GFP_KERNEL);
	char *text = kmalloc(HEADWAY_LOG_STACK, GFP_KERNEL);
	char comm[TASK_COMM_LEN], clean[HEADWAY_CLEAN_MAX];
	struct pid *pid = find_get_pid(holder);
	struct task_struct *task = get_pid_task(pid, PIDTYPE_PID);

	if (task && stack && text && !task_is_running(task))
		stack->nr = headway_stack_of(task, stack->entries, HEADWAY_STACK_DEPTH);
	if (task && stack && stack->nr) {
		get_task_comm(comm, task);
		headway_stack_text(text, HEADWAY_LOG_STACK, stack);
		pr_warn("%s: %s[%d] holds; stack %s\n", domain->name,
			headway_clean(clean, comm), holder, text);
	}
	if (task)
		put_task_struct(task);
	put_pid(pid);
	kfree(text);
	kfree(stack);
}

/**
 * headway_evidence_log - write a transition to the kernel log
 * @domain: registered domain
 * @event: the transition, to or from an alarm
 * @window: the window that decided
 *
 * Context: may sleep; waits for stacks, see headway_stacks_get().
 */
void headway_evidence_log(struct headway_domain *domain, const struct headway_event *event,
			  const struct headway_window *window)
{
	u32 tenths = div_u64(window->length_ns + NSEC_PER_SEC / 20, NSEC_PER_SEC / 10);
	struct headway_txn_view *views;
	struct headway_stack *stacks;
	char *who, *where, *next;
	pid_t holder, worst;
	u32 n;

	if (!headway_verdict_is_alarm(event->to)) {
		pr_info("%s: %s again after %llu s of %s: %llu commits, %llu rollbacks in %u.%u s\n",
			domain->name, headway_verdict_name(event->to),
			div_u64(event->after_ns, NSEC_PER_SEC), headway_verdict_name(event->from),
			event->commits, event->rollbacks, tenths / 10, tenths % 10);
		return;
	}
	who = kzalloc(3 * HEADWAY_LOG_SIZE, GFP_KERNEL);
	views = kvmalloc_array(HEADWAY_LOG_VIEWS, sizeof(*views), GFP_KERNEL);
	stacks = kvmalloc_array(HEADWAY_LOG_VIEWS, sizeof(*stacks), GFP_KERNEL);
	if (who && views && stacks) {
		where = who + HEADWAY_LOG_SIZE;
		next = where + HEADWAY_LOG_SIZE;
		n = headway_stacks_get(domain, views, stacks, HEADWAY_LOG_VIEWS, NULL);
		holder = headway_log_views(views, n, who, HEADWAY_LOG_SIZE);
		worst = headway_log_lock(domain, where, HEADWAY_LOG_SIZE);
		headway_log_next(domain, event->to, holder ?: worst, next, HEADWAY_LOG_SIZE);
		pr_warn("%s: %s: %llu commits, %llu rollbacks by %u transactions, %u waiting (longest %llu ms) in %u.%u s, policy %s%s%s; next: %s\n",
			domain->name, headway_verdict_name(event->to), event->commits,
			event->rollbacks, event->actors, window->waiters,
			div_u64(window->wait_max_ns, NSEC_PER_MSEC), tenths / 10, tenths % 10,
			headway_policy_name(READ_ONCE(domain->policy)), who, where, next);
		headway_log_stacks(domain, views, stacks, n);
		if (event->to == HEADWAY_VERDICT_STALLED_HOLDER && (holder ?: worst))
			headway_log_holder(domain, holder ?: worst);
	} else {
		pr_warn("%s: %s: %llu commits, %llu rollbacks by %u transactions in %u.%u s\n",
			domain->name, headway_verdict_name(event->to), event->commits,
			event->rollbacks, event->actors, tenths / 10, tenths % 10);
	}
	kvfree(stacks);
	kvfree(views);
	kfree(who);
}

/**
 * headway_evidence_detail - one word about an alarm, for the ring of events
 * @domain: registered domain
 * @verdict: the alarm
 * @detail: result; left empty if there is nothing to say
 * @size: its size
 *
 * The chain of whoever waits longest, or the lock that most gave up at, and its owner.
 *
 * Context: may sleep.
 */
void headway_evidence_detail(struct headway_domain *domain, enum headway_verdict verdict,
			     char *detail, size_t size)
{
	char a[HEADWAY_CLEAN_MAX], b[HEADWAY_CLEAN_MAX], c[HEADWAY_CLEAN_MAX];
	const struct headway_txn_view *longest = NULL;
	struct headway_txn_view *views;
	struct headway_owner owner;
	struct headway_lock *lock;
	u64 rollbacks;

	views = kvmalloc_array(HEADWAY_LOG_VIEWS, sizeof(*views), GFP_KERNEL);
	if (views && verdict != HEADWAY_VERDICT_LIVELOCK)
		longest = headway_longest_wait(views, headway_views_copy(domain, views,
									 HEADWAY_LOG_VIEWS, NULL));
	if (longest)
		scnprintf(detail, size, "%s:%d->%s->%s:%d", headway_clean(a, longest->comm),
			  longest->pid, headway_clean(b, longest->lock_name),
			  headway_clean(c, longest->owner.comm), longest->owner.pid);
	kvfree(views);
	if (longest)
		return;

	mutex_lock(&domain->locks_mutex);
	lock = headway_worst_lock(domain, &rollbacks);
	if (lock) {
		headway_lock_owner(lock, &owner);
		headway_clean(a, lock->stats.name);
		if (owner.held && verdict != HEADWAY_VERDICT_LIVELOCK)
			scnprintf(detail, size, "%s->%s:%d", a, headway_clean(b, owner.comm),
				  owner.pid);
		else
			scnprintf(detail, size, "%s", a);
	}
	mutex_unlock(&domain->locks_mutex);
}

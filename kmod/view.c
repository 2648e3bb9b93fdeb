// SPDX-License-Identifier: GPL-2.0
/*
 * view.c - the live transactions of a domain as others see them: copies, and stacks on request.
 *
 * A stack costs a transaction nothing until somebody asks. The reader leaves a buffer in
 * txn->stack_to and wakes the task, which saves its own stack there before it sleeps on, at the
 * latest when its wait or its delay is over. So it is the stack of the very wait that the copy
 * shows, and no task is unwound while it runs.
 *
 * Invariants: txn->stack_to changes under txn->pin. It is set only in members of domain->live that
 * wait or back off, and the reader takes back what was not used before its buffer goes. One that
 * leaves domain->live may leave with a request, as it will not sleep again. One reader asks at a
 * time.
 *
 * Lock order: headway_stacks_mutex > domain->live_lock > txn->pin > lock->wait_lock.
 */
#include <linux/ctype.h>
#include <linux/delay.h>
#include <linux/kallsyms.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/stacktrace.h>

#include "progress.h"

/* Whoever waits answers as soon as it gets a CPU; on a busy machine that can take some ticks. */
#define HEADWAY_STACKS_PATIENCE_NS (50 * NSEC_PER_MSEC)

static DEFINE_MUTEX(headway_stacks_mutex);

/**
 * headway_stack_give - save the own stack if somebody asked for it
 * @txn: transaction of the current task; the caller holds its pin
 */
void headway_stack_give(struct headway_txn *txn)
{
	struct headway_stack *stack = txn->stack_to;

	lockdep_assert_held(&txn->pin);
	if (likely(!stack))
		return;
	/* Without this function itself. */
	stack->nr = stack_trace_save(stack->entries, HEADWAY_STACK_DEPTH, 1);
	WRITE_ONCE(txn->stack_to, NULL);
}

/* Under live_lock. With @stack, and when it sleeps for us, it is asked for its stack as well. */
static void headway_view_txn(struct headway_txn *txn, struct headway_txn_view *view,
			     struct headway_stack *stack)
{
	struct headway_lock *lock;

	lockdep_assert_held(&txn->domain->live_lock);
	memset(view, 0, sizeof(*view));
	view->ticket = atomic64_read(&txn->ticket);
	view->bonus = txn->bonus;
	view->nr_held = READ_ONCE(txn->nr_held);
	view->restarts = READ_ONCE(txn->restarts);
	view->begin_ns = txn->begin_ns;
	view->pid = task_pid_nr(txn->task);
	strscpy(view->comm, txn->task->comm, sizeof(view->comm));
	view->wounded = READ_ONCE(txn->wounded);

	/* Under the pin the waiter cannot return from its call, so the lock stays allocated. */
	raw_spin_lock(&txn->pin);
	lock = READ_ONCE(txn->waiting_on);
	if (lock) {
		view->waiting = true;
		view->wait_since_ns = READ_ONCE(txn->wait_since_ns);
		strscpy(view->lock_name, lock->stats.name, sizeof(view->lock_name));
		view->lock_key = lock->key;
		view->lock_rank = lock->rank;
		headway_lock_owner(lock, &view->owner);
	}
	view->backing_off = txn->backing_off;
	if (stack && (view->waiting || view->backing_off)) {
		WRITE_ONCE(txn->stack_to, stack);
		/* Delays are short, and answer at their end. */
		if (view->waiting)
			wake_up_process(txn->task);
	}
	raw_spin_unlock(&txn->pin);
}

static u32 headway_views_ask(struct headway_domain *domain, struct headway_txn_view *views,
			     struct headway_stack *stacks, u32 max, u32 *live)
{
	struct headway_txn *txn;
	u32 n = 0, total = 0;

	raw_spin_lock(&domain->live_lock);
	list_for_each_entry(txn, &domain->live, live_node) {
		if (n < max) {
			headway_view_txn(txn, &views[n], stacks ? &stacks[n] : NULL);
			n++;
		}
		total++;
	}
	raw_spin_unlock(&domain->live_lock);
	if (live)
		*live = total;
	return n;
}

/**
 * headway_views_copy - describe a domain's live transactions
 * @domain: registered domain
 * @views: filled
 * @max: room in @views, at most HEADWAY_VIEWS_MAX
 * @live: set to how many there are; may be NULL
 *
 * Return: how many were described.
 */
u32 headway_views_copy(struct headway_domain *domain, struct headway_txn_view *views, u32 max,
		       u32 *live)
{
	return headway_views_ask(domain, views, NULL, max, live);
}

/* Takes all requests back, or counts them and wakes once more whom the first call missed. */
static u32 headway_stacks_pending(struct headway_domain *domain, bool take_back)
{
	struct headway_txn *txn;
	u32 n = 0;

	raw_spin_lock(&domain->live_lock);
	list_for_each_entry(txn, &domain->live, live_node) {
		raw_spin_lock(&txn->pin);
		if (txn->stack_to && take_back)
			WRITE_ONCE(txn->stack_to, NULL);
		else if (txn->stack_to)
			n++;
		/* It may have looked before we asked, and gone to sleep after we woke it. */
		if (txn->stack_to && txn->waiting_on)
			wake_up_process(txn->task);
		raw_spin_unlock(&txn->pin);
	}
	raw_spin_unlock(&domain->live_lock);
	return n;
}

/**
 * headway_stacks_get - describe a domain's live transactions, and where those that wait do so
 * @domain: registered domain
 * @views: filled
 * @stacks: filled, one for each view; empty for one that runs, and when there was no answer in time
 * @max: room in each, at most HEADWAY_VIEWS_MAX
 * @live: set to how many there are; may be NULL
 *
 * Context: may sleep: some milliseconds, at most HEADWAY_STACKS_PATIENCE_NS for itself and for each
 * that came before.
 * Return: how many were described.
 */
u32 headway_stacks_get(struct headway_domain *domain, struct headway_txn_view *views,
		       struct headway_stack *stacks, u32 max, u32 *live)
{
	u64 start;
	u32 n;

	memset(stacks, 0, max * sizeof(*stacks));
	mutex_lock(&headway_stacks_mutex);
	start = ktime_get_ns();
	n = headway_views_ask(domain, views, stacks, max, live);
	while (headway_stacks_pending(domain, false) &&
	       ktime_get_ns() - start < HEADWAY_STACKS_PATIENCE_NS)
		usleep_range(200, 500);
	headway_stacks_pending(domain, true);
	mutex_unlock(&headway_stacks_mutex);
	return n;
}

/* One function as part of a word; never an address, also where the kernel knows no name. */
static size_t headway_put_symbol(char *text, size_t size, unsigned long entry,
				 char symbol[KSYM_SYMBOL_LEN])
{
	size_t i, len = 0;

	scnprintf(symbol, KSYM_SYMBOL_LEN, "%pB", (void *)entry);
	if (strstarts(symbol, "0x"))
		return scnprintf(text, size, "?");
	/* "name+0x1/0x2 [module]": the space goes. */
	for (i = 0; symbol[i] && len + 1 < size; i++)
		if (isascii(symbol[i]) && isgraph(symbol[i]) && symbol[i] != '=')
			text[len++] = symbol[i];
	text[len] = '\0';
	return len;
}

/**
 * headway_stack_text - write a stack as one word, innermost function first
 * @text: result: ``a+0x1/0x2<-b+0x3/0x4[module]``, or ``-`` for an empty stack
 * @size: its size; HEADWAY_STACK_TEXT has room for most
 * @stack: from headway_stacks_get()
 *
 * Context: may sleep.
 * Return: @text
 */
const char *headway_stack_text(char *text, size_t size, const struct headway_stack *stack)
{
	char *symbol = kmalloc(KSYM_SYMBOL_LEN, GFP_KERNEL);
	size_t len = 0;
	u32 i;

	if (!symbol || !stack->nr)
		scnprintf(text, size, "-");
	for (i = 0; symbol && i < stack->nr; i++) {
		if (i)
			len += scnprintf(text + len, size - len, "<-");
		len += headway_put_symbol(text + len, size - len, stack->entries[i], symbol);
	}
	kfree(symbol);
	return text;
}

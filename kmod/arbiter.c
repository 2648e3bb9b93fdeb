// SPDX-License-Identifier: GPL-2.0
/*
 * arbiter.c - the arbiter's kernel side: a lock around arbiter_core.c, callbacks, deadlines.
 *
 * Lock order: a caller's own locks > arbiter->lock > arbiter->idle.lock, a completion's lock, the
 * workqueue's and the scheduler's locks. arbiter->lock is a spinlock_t taken with interrupts off,
 * so all that does not sleep may be called in any context that may take one: interrupts too, except
 * on PREEMPT_RT. It is held for a time that grows with the number of waiting requests.
 *
 * Invariants: every change settles before the lock is dropped, so that whoever can be granted is,
 * and whoever is told has been woken. A request with a waiter cannot go away while we look at it,
 * since the waiter must take the lock to leave; one with a completion is not touched after
 * complete(). The waits are in arbiter_wait.c, the ends in arbiter_end.c.
 */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "arbiter.h"
#include "internal.h"
#include "trace.h"

/* Under the lock. The request may be gone when this returns. */
void headway_arbiter_finish(struct headway_arbiter *arbiter, struct headway_request *request)
{
	request->ended_ns = ktime_get_ns();
	trace_headway_grant(arbiter->name, request->ticket, request->priority,
			    request->ended_ns - request->since_ns, request->result);
	if (request->async && request->callback) {
		list_add_tail(&request->called, &arbiter->calls);
		queue_work(arbiter->wq, &arbiter->call_work);
	}
	if (request->waiter)
		wake_up_process(request->waiter);
	if (request->async && request->done)
		complete(request->done);
}

/* Under the lock: tells those for whom something has changed. */
static void headway_tell_all(struct headway_arbiter *arbiter)
{
	struct headway_holder *victim = NULL;
	struct headway_request *request;

	while ((request = headway_arbiter_core_next(&arbiter->core))) {
		/* A victim's requests come one after the other: one event for all of them. */
		if (request->result == -EDEADLK && request->holder != victim) {
			victim = request->holder;
			trace_headway_victim(arbiter->name, request);
		}
		headway_arbiter_finish(arbiter, request);
	}
}

void headway_arbiter_settle(struct headway_arbiter *arbiter)
{
	headway_arbiter_core_settle(&arbiter->core);
	headway_tell_all(arbiter);
}

/* Under the lock: a pending request ends with an error. */
void headway_arbiter_fail(struct headway_arbiter *arbiter, struct headway_request *request, int ret)
{
	headway_arbiter_core_fail(&arbiter->core, request, ret);
	headway_arbiter_finish(arbiter, request);
}

/* One callback at a time, without the lock. */
static void headway_call_work(struct work_struct *work)
{
	struct headway_arbiter *arbiter = container_of(work, struct headway_arbiter, call_work);
	struct headway_request *request;

	spin_lock_irq(&arbiter->lock);
	while ((request = list_first_entry_or_null(&arbiter->calls, struct headway_request,
						   called))) {
		void (*callback)(struct headway_request *request, int ret) = request->callback;
		int ret = request->result;

		list_del_init(&request->called);
		arbiter->calling = request;
		WRITE_ONCE(arbiter->caller, current);
		spin_unlock_irq(&arbiter->lock);
		callback(request, ret);
		cond_resched();
		spin_lock_irq(&arbiter->lock);
		arbiter->calling = NULL;
		WRITE_ONCE(arbiter->caller, NULL);
		headway_arbiter_stir(arbiter);
	}
	spin_unlock_irq(&arbiter->lock);
}

/* Under the lock: expire_work shall come at @deadline at the latest. */
static void headway_expire_at(struct headway_arbiter *arbiter, ktime_t deadline)
{
	s64 left;

	if (ktime_compare(deadline, arbiter->expires) >= 0)
		return;
	arbiter->expires = deadline;
	left = max_t(s64, ktime_to_ns(ktime_sub(deadline, ktime_get())), 0);
	/* One jiffy more, as the present one has begun. */
	mod_delayed_work(arbiter->wq, &arbiter->expire_work,
			 min_t(u64, nsecs_to_jiffies64(left) + 1, MAX_JIFFY_OFFSET));
}

static void headway_expire_work(struct work_struct *work)
{
	struct headway_arbiter *arbiter = container_of(to_delayed_work(work),
						       struct headway_arbiter, expire_work);
	struct headway_request *request, *next;
	ktime_t now, first = KTIME_MAX;

	spin_lock_irq(&arbiter->lock);
	now = ktime_get();
	for (request = arbiter->core.oldest; request; request = next) {
		next = request->younger;
		if (request->async && ktime_compare(request->deadline, now) <= 0)
			headway_arbiter_fail(arbiter, request, -ETIMEDOUT);
	}
	headway_arbiter_settle(arbiter);
	for (request = arbiter->core.oldest; request; request = request->younger)
		if (request->async)
			first = min(first, request->deadline);
	arbiter->expires = KTIME_MAX;
	headway_expire_at(arbiter, first);
	spin_unlock_irq(&arbiter->lock);
}

/**
 * headway_arbiter_create - make an arbiter, with everything free
 * @name: shown in debugfs and in the tracepoints; copied, at most 31 letters of it. Letters, digits
 *	and ``_.:@-`` are shown as they are, anything else as ``?``; where several arbiters have one
 *	name, debugfs shows the later ones with a number behind it
 * @params: its settings
 *
 * Context: task context, may sleep.
 * Return: the arbiter, or ERR_PTR(): -EINVAL: @params->nr is 0 or too large; -ENOMEM.
 */
struct headway_arbiter *headway_arbiter_create(const char *name,
					       const struct headway_arbiter_params *params)
{
	struct headway_arbiter *arbiter;

	if (!params->nr || params->nr > HEADWAY_ARBITER_MAX)
		return ERR_PTR(-EINVAL);
	arbiter = kzalloc(struct_size(arbiter, owner, params->nr), GFP_KERNEL);
	if (!arbiter)
		return ERR_PTR(-ENOMEM);
	strscpy(arbiter->name, name ?: "?", sizeof(arbiter->name));
	arbiter->wq = alloc_workqueue("headway_%s", WQ_UNBOUND, 0, arbiter->name);
	if (!arbiter->wq) {
		kfree(arbiter);
		return ERR_PTR(-ENOMEM);
	}
	spin_lock_init(&arbiter->lock);
	INIT_LIST_HEAD(&arbiter->calls);
	init_waitqueue_head(&arbiter->idle);
	INIT_WORK(&arbiter->call_work, headway_call_work);
	INIT_DELAYED_WORK(&arbiter->expire_work, headway_expire_work);
	arbiter->expires = KTIME_MAX;
	headway_arbiter_core_init(&arbiter->core, params, arbiter->owner);
	headway_debugfs_add_arbiter(arbiter);
	return arbiter;
}
EXPORT_SYMBOL_GPL(headway_arbiter_create);

/**
 * headway_arbiter_read - read an arbiter's figures
 * @arbiter: the arbiter
 * @stats: result, of one instant
 *
 * Context: any that may take a spinlock_t with interrupts off.
 */
void headway_arbiter_read(struct headway_arbiter *arbiter, struct headway_arbiter_stats *stats)
{
	unsigned long flags;

	spin_lock_irqsave(&arbiter->lock, flags);
	*stats = arbiter->core.stats;
	spin_unlock_irqrestore(&arbiter->lock, flags);
}
EXPORT_SYMBOL_GPL(headway_arbiter_read);

/**
 * headway_holder_init - make a holder, who holds nothing
 * @holder: the holder
 * @arbiter: its arbiter, for good
 *
 * Context: any.
 */
void headway_holder_init(struct headway_holder *holder, struct headway_arbiter *arbiter)
{
	*holder = (struct headway_holder){ .arbiter = arbiter };
}
EXPORT_SYMBOL_GPL(headway_holder_init);

/**
 * headway_request_init - make a request for an empty set
 * @request: the request
 * @holder: who makes it, for good
 * @priority: 0 (normal) to HEADWAY_ARBITER_PRIORITY_MAX; more is cut to that
 *
 * Context: any.
 */
void headway_request_init(struct headway_request *request, struct headway_holder *holder,
			  unsigned int priority)
{
	*request = (struct headway_request){
		.holder = holder,
		.priority = min_t(unsigned int, priority, HEADWAY_ARBITER_PRIORITY_MAX),
	};
	INIT_LIST_HEAD(&request->called);
}
EXPORT_SYMBOL_GPL(headway_request_init);

static bool headway_in_use(const struct headway_request *request)
{
	return request->state == HEADWAY_REQUEST_PENDING ||
	       request->state == HEADWAY_REQUEST_GRANTED || !list_empty(&request->called);
}

/**
 * headway_request_add - add a resource to a request's set
 * @request: not in use
 * @id: 0 to the arbiter's number of resources - 1; one that is in the set already changes nothing
 *
 * Context: any.
 * Return: 0; -EINVAL: no such resource; -EBUSY: the request is in use.
 */
int headway_request_add(struct headway_request *request, unsigned int id)
{
	u64 bit = BIT_ULL(id % 64);

	if (id >= request->holder->arbiter->core.params.nr)
		return -EINVAL;
	if (headway_in_use(request))
		return -EBUSY;
	if (!(request->ids.word[id / 64] & bit)) {
		request->ids.word[id / 64] |= bit;
		request->nr_ids++;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(headway_request_add);

/**
 * headway_request_on_grant - say how the result of headway_arbiter_submit() is to be told
 * @request: not in use
 * @callback: called once with the result, by a workqueue of the arbiter, one callback at a time. It
 *	may sleep, call the arbiter and, as its last act, free the request. NULL = none.
 * @done: completed when there is a result; the request may be freed right after. NULL = none.
 *
 * A request that is released or withdrawn before its callback began is not called back any more.
 *
 * Context: any.
 */
void headway_request_on_grant(struct headway_request *request,
			      void (*callback)(struct headway_request *request, int ret),
			      struct completion *done)
{
	request->callback = callback;
	request->done = done;
}
EXPORT_SYMBOL_GPL(headway_request_on_grant);

/* Under the lock. */
int headway_arbiter_enter(struct headway_arbiter *arbiter, struct headway_request *request,
			  bool try)
{
	int ret;

	if (arbiter->closing)
		return -ECANCELED;
	if (headway_in_use(request))
		return -EBUSY;
	request->since_ns = ktime_get_ns();
	request->ended_ns = request->since_ns;
	request->deadline = KTIME_MAX;
	request->async = false;
	/* An interrupt asks in nobody's name. */
	request->pid = in_task() ? current->pid : 0;
	strscpy(request->comm, in_task() ? current->comm : "interrupt", sizeof(request->comm));
	request->one_of = false;
	if (!try) {
		ret = headway_arbiter_core_submit(&arbiter->core, request);
		if (!ret)
			trace_headway_request(arbiter->name, request);
		return ret;
	}
	ret = headway_arbiter_core_try(&arbiter->core, request);
	if (!ret)
		trace_headway_grant(arbiter->name, request->ticket, request->priority, 0, 0);
	headway_tell_all(arbiter);
	return ret;
}

/**
 * headway_arbiter_submit - ask for a set without waiting for it
 * @request: not in use
 * @deadline: CLOCK_MONOTONIC: fail with -ETIMEDOUT then, or up to two ticks later; KTIME_MAX =
 *	never
 *
 * The result is told as headway_request_on_grant() says, also when it was there at once, and can be
 * had from headway_arbiter_wait(), headway_arbiter_wait_any() and headway_request_result().
 *
 * Context: any that may take a spinlock_t with interrupts off.
 * Return: 0: there will be a result; otherwise there will be none: -EINVAL, -EBUSY, -EALREADY,
 * -EDEADLK, -ECANCELED, see above.
 */
int headway_arbiter_submit(struct headway_request *request, ktime_t deadline)
{
	struct headway_arbiter *arbiter = request->holder->arbiter;
	unsigned long flags;
	int ret;

	spin_lock_irqsave(&arbiter->lock, flags);
	ret = headway_arbiter_enter(arbiter, request, false);
	if (!ret) {
		request->async = true;
		request->deadline = deadline;
		headway_expire_at(arbiter, deadline);
		/* The request may be gone after this. */
		headway_arbiter_settle(arbiter);
	}
	spin_unlock_irqrestore(&arbiter->lock, flags);
	return ret;
}
EXPORT_SYMBOL_GPL(headway_arbiter_submit);

/**
 * headway_arbiter_release - give a set back
 * @request: granted; anything else warns and changes nothing
 *
 * A victim that has given back all that it held has acknowledged.
 *
 * Context: any that may take a spinlock_t with interrupts off.
 */
void headway_arbiter_release(struct headway_request *request)
{
	struct headway_arbiter *arbiter = request->holder->arbiter;
	unsigned long flags;

	spin_lock_irqsave(&arbiter->lock, flags);
	if (!WARN_ON_ONCE(request->state != HEADWAY_REQUEST_GRANTED)) {
		list_del_init(&request->called);
		headway_arbiter_core_release(&arbiter->core, request);
		headway_arbiter_settle(arbiter);
		headway_arbiter_stir(arbiter);
	}
	spin_unlock_irqrestore(&arbiter->lock, flags);
}
EXPORT_SYMBOL_GPL(headway_arbiter_release);

/**
 * headway_request_cancel - let a request wait no longer
 * @request: any; it must stay allocated meanwhile
 *
 * Cancelled in time, it ends with -ECANCELED, which its waiter, callback or completion is told.
 *
 * Context: any that may take a spinlock_t with interrupts off.
 * Return: 0: it is cancelled; -EALREADY: the grant was faster, and the set is held until it is
 * released; -ENOENT: it was not waiting.
 */
int headway_request_cancel(struct headway_request *request)
{
	struct headway_arbiter *arbiter = request->holder->arbiter;
	unsigned long flags;
	int ret = -ENOENT;

	spin_lock_irqsave(&arbiter->lock, flags);
	if (request->state == HEADWAY_REQUEST_GRANTED) {
		ret = -EALREADY;
	} else if (request->state == HEADWAY_REQUEST_PENDING) {
		ret = 0;
		headway_arbiter_fail(arbiter, request, -ECANCELED);
		headway_arbiter_settle(arbiter);
	}
	spin_unlock_irqrestore(&arbiter->lock, flags);
	return ret;
}
EXPORT_SYMBOL_GPL(headway_request_cancel);

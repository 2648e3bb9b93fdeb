/* SPDX-License-Identifier: GPL-2.0 */
/*
 * headway.h - ordered multi-lock transactions with timeouts, conflict policies and proof of
 * progress. The only header a caller includes.
 */
#ifndef HEADWAY_H
#define HEADWAY_H

#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "headway_types.h"
#include "headway_progress.h"

/**
 * DOC: Headway in one page
 *
 * A *domain* groups locks that are taken together. It has a policy, which says how conflicts are
 * resolved, statistics, and a watchdog that tells when nothing gets done. A *transaction* takes
 * one or more locks of a domain and ends; what it holds is released at the end. Whole caller,
 * compiled as kmod/examples/caller.c::
 *
 *	DEFINE_HEADWAY_DOMAIN(bank, HEADWAY_POLICY_WOUND_WAIT);
 *
 *	static int transfer(struct account *from, struct account *to, s64 amount)
 *	{
 *		struct headway_lock *locks[] = { &from->lock, &to->lock };
 *		struct headway_txn txn;
 *		int err;
 *
 *		headway_txn_begin(&txn, &bank);
 *		err = headway_lock_many_killable(&txn, locks, ARRAY_SIZE(locks));
 *		if (!err) {
 *			from->balance -= amount;
 *			to->balance += amount;
 *		}
 *		headway_txn_end(&txn);
 *		return err;
 *	}
 *
 * When the set is not known beforehand, take the locks one by one; a conflict sends the flow back
 * to the loop's top with nothing held::
 *
 *	headway_txn_begin(&txn, &bank);
 *	headway_txn_until_done(&txn) {
 *		err = headway_lock(&txn, &node->lock);
 *		headway_txn_retry_on_conflict(&txn);
 *		...
 *		err = headway_lock(&txn, &node->parent->lock);
 *		headway_txn_retry_on_conflict(&txn);
 *		...
 *	}
 *	headway_txn_end(&txn);
 *
 * Errors. A failed call holds nothing that it did not hold before.
 *
 * ============ ==================================================================================
 * -EDEADLK     conflict that only a rollback resolves: roll back (the loop above does) and retry.
 *              Until then lock calls warn once and fail; unlocking something allows them again
 * -ETIMEDOUT   the deadline passed
 * -EINTR       a signal (interruptible) or a fatal signal (killable) arrived
 * -EALREADY    this transaction already holds the lock
 * -EBUSY       a try form found the lock held
 * -ECANCELED   somebody else gave the work up: withdrawn requests, cancelled groups
 * -EINVAL      the lock belongs to another domain
 * ============ ==================================================================================
 *
 * Lifetime. A lock that a call names must stay allocated until the call returns, and while held;
 * after a conflict the one that was asked for and those that are held must stay until
 * headway_txn_rollback() returns, which waits for one of them (as ww_mutex_lock_slow() does).
 * headway_lock_destroy() comes before freeing.
 *
 * Progress. Order transactions by age less the head start of their priority (see
 * headway_txn_begin_wait()). One that releases locks only by rollback and end restarts at most
 *
 * ================================ ===============================================================
 * serial; ordered, in order        0 times
 * polite                           32 times; then it takes the domain's token and waits instead
 * wound-wait, wait-die, adaptive,  once for each attempt of an older one that lives at the same
 * detect                           time: sum of (1 + restarts(O)) over those O, hence 2^k - 1 for
 *                                  k of them; the oldest never
 * none                             any number of times: that is the livelock
 * ================================ ===============================================================
 *
 * Proof of the third: whoever makes T restart is older, and holds, waits for, or is given a lock
 * that T then waits for before it starts anew, with nothing held but, where adaptive lets it take
 * turns, the domain's token, at which nobody gives way and which it waited for with nothing held.
 * T neither steals that lock nor passes an older waiter, so it goes on only after that attempt has
 * begun to end, by commit or rollback, and nobody restarts because of one that is ending: one
 * attempt costs T one restart. By induction over age, R(k) <= sum of (1 + R(j)) over j < k gives
 * 2^k - 1. And k is bounded: of those older than T, all had a ticket when T got its own, but for at
 * most 960 that a higher priority put before it. tests/model and tests/torture check it.
 *
 * Context. Everything here may sleep unless it says otherwise: task context, no spinlocks held.
 *
 * Debugfs. What the module shows below /sys/kernel/debug/headway/, and what may be written there,
 * is in kmod/debugfs.md: each file, each label.
 *
 * PREEMPT_RT. Locks have no priority inheritance: their queues know age, and a preempted holder is
 * lent no priority. So the module refuses to load there, with -EOPNOTSUPP, unless it is loaded with
 * allow_without_pi=1.
 */

struct headway_domain;
struct headway_lock;
struct headway_txn;
struct headway_pcpu;
struct headway_lock_times;
struct headway_adaptive;

/**
 * struct headway_lock_stats - per-lock statistics; private, shown in debugfs
 *
 * Owner-written fields need no atomics: only the holder writes them, while it holds the lock.
 */
struct headway_lock_stats {
	/* private: */
	u64 acquired;			/* owner */
	u64 hold_since_ns;		/* owner; 0 = this hold is not sampled */
	struct list_head node;		/* domain->locks; domain->locks_mutex */
	const char *name;		/* never NULL after init */
	u64 contended;			/* wait_lock: acquisitions that met an owner */
	u64 rollbacks;			/* wait_lock: transactions that gave up here */
	struct headway_lock_times *times;	/* installed once by cmpxchg; NULL before */
};

/**
 * struct headway_lock - a sleeping, exclusive lock of a domain
 *
 * Initialise with DEFINE_HEADWAY_LOCK() or headway_lock_init(); take it in a transaction.
 */
struct headway_lock {
	/* private: see lock.c. To stats.hold_since_ns: all that the fast path uses, in 64 bytes. */
	atomic_long_t owner;		/* struct headway_txn * | HEADWAY_LOCK_WAITERS | _HANDOFF */
	struct task_struct *spin_task;	/* owner's task, for spinners only; NULL when free */
	struct headway_lock *held_next;	/* owner: next in txn->held */
	struct headway_domain *domain;	/* const */
	raw_spinlock_t wait_lock;
	u32 rank;			/* const */
	u64 key;			/* const */
	struct headway_lock_stats stats;
	struct list_head waiters;	/* wait_lock; oldest first, FIFO under `ordered` */
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	struct lockdep_map dep_map;
#endif
};

/**
 * struct headway_wait - how long a call may block, and what may end it early
 * @state: TASK_UNINTERRUPTIBLE, TASK_INTERRUPTIBLE or TASK_KILLABLE; TASK_RUNNING = do not block
 * @deadline: CLOCK_MONOTONIC; KTIME_MAX = none
 */
struct headway_wait {
	unsigned int state;
	ktime_t deadline;
};

/**
 * struct headway_txn - one transaction; lives on its caller's stack
 *
 * Used by the task that began it only.
 */
struct headway_txn {
	/* private: to `policy`: what begin sets, in the order that takes the fewest stores. */
	struct headway_domain *domain;
	struct task_struct *task;
	struct headway_lock *held;	/* own; newest first, through held_next */
	struct headway_lock *waiting_on;	/* own, under pin; read under pin */
	atomic64_t ticket;		/* 0 = none yet; set once, by self or by who runs into us */
	u32 nr_held;			/* own; where locks are taken without waiting it lags */
	u32 restarts;			/* own; the watchdog reads */
	int pending;			/* own; the next lock call's result; 0 = let it try */
	u8 wounded;			/* set by a wounder under a held lock's wait_lock */
	u8 ending;			/* own; others read: gives back all that it holds */
	u8 started;			/* own; headway_txn_until_done() has entered its body */
	u8 live;			/* own, under live_lock; on domain->live */
	int last;			/* own; the last lock call's result; > 0 = none yet */
	s32 bonus;			/* const; priority as ticket distance */
	u8 joined;			/* own; counted in the domain's epoch */
	u8 policy;			/* own; enum headway_policy of the epoch it joined */
	u8 adaptive;			/* own; @policy is an arm of `adaptive` */
	struct headway_lock *wounded_at;	/* while @wounded: held, wanted by the wounder */
	/* From here on valid when @live: see headway_txn_go_live(). */
	struct headway_lock *prelocked;	/* own; taken by the rollback, not yet asked for again */
	struct headway_lock *contended;	/* own; where the last conflict was lost; NULL = none */
	raw_spinlock_t pin;		/* guards waiting_on for readers who follow it */
	u32 restarts_seen;		/* watchdog, domain->live_lock */
	u8 backing_off;			/* own, cleared under pin; read under pin */
	u8 backoff_policy;		/* own; enum headway_policy that @backoff was seeded for */
	struct headway_stack *stack_to;	/* pin: a reader wants our stack; see view.c */
	u64 begin_ns;			/* own; of the first conflict */
	u64 wait_since_ns;		/* own, under pin */
	u64 wait_look;			/* own, under wait_lock: domain->looks as the wait began */
	struct list_head live_node;	/* domain->live, domain->live_lock */
	struct headway_wait wait;	/* own; of the call that lost the conflict */
	struct headway_backoff backoff;	/* own; seeded at the first rollback of an epoch */
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	struct lockdep_map dep_map;
#endif
};

/**
 * struct headway_domain - a named group of locks and transactions
 *
 * DEFINE_HEADWAY_DOMAIN() and headway_domain_register(), or headway_domain_create().
 */
struct headway_domain {
	/* private: */
	const char *name;
	enum headway_policy policy;	/* flip_mutex; as it was set */
	enum headway_policy arm;	/* flip_mutex */
	u32 epoch;			/* flip_mutex */
	u32 gate;			/* flip_mutex; begin reads it: see epoch.h */
	struct headway_pcpu __percpu *pcpu;	/* each CPU its own, preemption disabled */
	atomic64_t last_ticket;
	raw_spinlock_t live_lock;	/* order: live_lock > txn->pin > lock->wait_lock */
	struct list_head live;		/* live_lock: transactions that have met a conflict */
	u64 looks;			/* live_lock: looks for a cycle that have begun */
	struct mutex locks_mutex;
	struct list_head locks;		/* locks_mutex */
	u32 nr_locks;			/* locks_mutex; the caller's, that is, without the token */
	u32 locks_gone;			/* locks_mutex: how often one was taken off the list */
	struct mutex flip_mutex;	/* one policy change at a time */
	wait_queue_head_t flip_wq;	/* begins at a shut gate; the flip, for ends */
	u64 last_flip_ns;		/* flip_mutex: how long the last change took */
	struct headway_backoff_params backoff;	/* const after register; `polite` */
	struct headway_backoff_params grid;	/* const after register; `none` */
	struct headway_watch watch;
	struct headway_adaptive *adaptive;	/* const after register; adaptive.c's own */
	struct dentry *debugfs;
	struct list_head node;		/* headway_domains; headway_domains_mutex */
	struct headway_lock token;	/* policy `serial`: every transaction takes it first */
	bool registered;
	bool dynamic;			/* made by headway_domain_create() */
	struct lock_class_key txn_key;	/* lockdep: this domain's transactions */
	struct lock_class_key lock_key;	/* lockdep: its locks, all of them */
};

#ifdef CONFIG_DEBUG_LOCK_ALLOC
extern const char headway_lock_class[];

#define __HEADWAY_LOCK_DEP_MAP(_domain) \
	.dep_map = { \
		.name = headway_lock_class, \
		.key = &(_domain)->lock_key, \
		.wait_type_inner = LD_WAIT_SLEEP, \
	},
#else
#define __HEADWAY_LOCK_DEP_MAP(_domain)
#endif

#define __HEADWAY_LOCK_INIT(_var, _name, _domain, _rank, _key) { \
	.owner = ATOMIC_LONG_INIT(0), \
	.wait_lock = __RAW_SPIN_LOCK_UNLOCKED(_var.wait_lock), \
	.rank = (_rank), \
	.waiters = LIST_HEAD_INIT(_var.waiters), \
	.domain = (_domain), \
	.key = (_key), \
	.stats = { .name = (_name) }, \
	__HEADWAY_LOCK_DEP_MAP(_domain) \
}

#define __HEADWAY_DOMAIN_INIT(_var, _name, _policy) { \
	.name = (_name), \
	.policy = (_policy), \
	.live_lock = __RAW_SPIN_LOCK_UNLOCKED(_var.live_lock), \
	.live = LIST_HEAD_INIT(_var.live), \
	.locks_mutex = __MUTEX_INITIALIZER(_var.locks_mutex), \
	.locks = LIST_HEAD_INIT(_var.locks), \
	.flip_mutex = __MUTEX_INITIALIZER(_var.flip_mutex), \
	.flip_wq = __WAIT_QUEUE_HEAD_INITIALIZER(_var.flip_wq), \
	.watch = { .lock = __SPIN_LOCK_UNLOCKED(_var.watch.lock) }, \
	.node = LIST_HEAD_INIT(_var.node), \
	.token = __HEADWAY_LOCK_INIT(_var.token, "serial-token", &_var, 0, 0), \
}

/**
 * DEFINE_HEADWAY_DOMAIN - define a domain statically
 * @var: variable; its name is the domain's name in debugfs
 * @_policy: enum headway_policy that it starts with
 *
 * Call headway_domain_register() before the first transaction.
 */
#define DEFINE_HEADWAY_DOMAIN(var, _policy) \
	struct headway_domain var = __HEADWAY_DOMAIN_INIT(var, #var, _policy)

/**
 * DEFINE_HEADWAY_LOCK - define a lock statically
 * @var: variable; its name is the lock's name in debugfs
 * @_domain: pointer to the domain
 * @_rank: order among the domain's locks, lowest first
 */
#define DEFINE_HEADWAY_LOCK(var, _domain, _rank) \
	struct headway_lock var = __HEADWAY_LOCK_INIT(var, #var, _domain, _rank, 0)

/* domain.c */
int headway_domain_register(struct headway_domain *domain);
void headway_domain_unregister(struct headway_domain *domain);
struct headway_domain *headway_domain_create(const char *name, enum headway_policy policy);
void headway_domain_destroy(struct headway_domain *domain);
int headway_domain_set_policy(struct headway_domain *domain, enum headway_policy policy,
			      const struct headway_wait *wait);

/* progress.c */
enum headway_verdict headway_domain_verdict(struct headway_domain *domain);
void headway_domain_escalate(struct headway_domain *domain, bool on);

/* lock.c */
void headway_lock_init(struct headway_lock *lock, struct headway_domain *domain, u32 rank, u64 key,
		       const char *name);
void headway_lock_destroy(struct headway_lock *lock);

/* txn.c */
void headway_txn_begin_prio(struct headway_txn *txn, struct headway_domain *domain,
			    unsigned int priority);
int __must_check headway_txn_begin_wait(struct headway_txn *txn, struct headway_domain *domain,
					unsigned int priority, const struct headway_wait *wait);
void headway_txn_end(struct headway_txn *txn);
int __must_check headway_lock_wait(struct headway_txn *txn, struct headway_lock *lock,
				   const struct headway_wait *wait);
int __must_check headway_lock_many_wait(struct headway_txn *txn, struct headway_lock **locks,
					unsigned int n, const struct headway_wait *wait);
void headway_unlock(struct headway_txn *txn, struct headway_lock *lock);
int headway_txn_rollback_wait(struct headway_txn *txn, const struct headway_wait *wait);
bool __headway_txn_again(struct headway_txn *txn, const void *from_top);

/**
 * headway_txn_policy - the policy that a transaction runs under now
 * @txn: own transaction
 *
 * It can change at a rollback, when the domain's policy was changed. In a domain with policy
 * `adaptive` it is one of those that this chooses from.
 *
 * Return: the policy.
 */
static inline enum headway_policy headway_txn_policy(const struct headway_txn *txn)
{
	return txn->policy;
}

bool headway_lock_held(const struct headway_txn *txn, const struct headway_lock *lock);
bool headway_sort(struct headway_lock **locks, unsigned int n);

/**
 * headway_txn_begin - begin a transaction of normal priority
 * @txn: the transaction, on the caller's stack
 * @domain: a registered domain
 *
 * Context: may sleep. Waits only while the domain's policy is being changed, or for the token.
 */
static inline void headway_txn_begin(struct headway_txn *txn, struct headway_domain *domain)
{
	headway_txn_begin_prio(txn, domain, 0);
}

#define __HEADWAY_WAIT(_state, _deadline) \
	(&(const struct headway_wait){ .state = (_state), .deadline = (_deadline) })

/*
 * The wait forms. For each: Return: 0, or -EDEADLK, -EALREADY (one lock only), -EINVAL, and
 * -EBUSY (try), -EINTR (interruptible, killable), -ETIMEDOUT (timeout, deadline).
 * Timeouts are in nanoseconds, counted from the call, and killable.
 */
#define __HEADWAY_LOCK_FORM(suffix, wait) \
static inline int __must_check headway_lock##suffix(struct headway_txn *txn, \
						    struct headway_lock *lock) \
{ \
	return headway_lock_wait(txn, lock, wait); \
} \
static inline int __must_check headway_lock_many##suffix(struct headway_txn *txn, \
							 struct headway_lock **locks, \
							 unsigned int n) \
{ \
	return headway_lock_many_wait(txn, locks, n, wait); \
}

__HEADWAY_LOCK_FORM(, NULL)
__HEADWAY_LOCK_FORM(_interruptible, __HEADWAY_WAIT(TASK_INTERRUPTIBLE, KTIME_MAX))
__HEADWAY_LOCK_FORM(_killable, __HEADWAY_WAIT(TASK_KILLABLE, KTIME_MAX))
__HEADWAY_LOCK_FORM(_try, __HEADWAY_WAIT(TASK_RUNNING, KTIME_MAX))
#undef __HEADWAY_LOCK_FORM

/**
 * headway_lock_timeout - take one lock within a time
 * @txn: transaction
 * @lock: lock
 * @timeout_ns: from now, ns
 *
 * Return: as headway_lock_killable(), and -ETIMEDOUT.
 */
static inline int __must_check headway_lock_timeout(struct headway_txn *txn,
						    struct headway_lock *lock, u64 timeout_ns)
{
	return headway_lock_wait(txn, lock, __HEADWAY_WAIT(TASK_KILLABLE,
				 ktime_add_safe(ktime_get(), ns_to_ktime(timeout_ns))));
}

/**
 * headway_lock_many_timeout - take a set of locks within a time, retries included
 * @txn: transaction
 * @locks: set; sorted in place
 * @n: its size
 * @timeout_ns: from now, ns
 *
 * Return: as headway_lock_many_killable(), and -ETIMEDOUT.
 */
static inline int __must_check headway_lock_many_timeout(struct headway_txn *txn,
							 struct headway_lock **locks,
							 unsigned int n, u64 timeout_ns)
{
	return headway_lock_many_wait(txn, locks, n, __HEADWAY_WAIT(TASK_KILLABLE,
				      ktime_add_safe(ktime_get(), ns_to_ktime(timeout_ns))));
}

/**
 * headway_lock_deadline - take one lock by a point in time
 * @txn: transaction
 * @lock: lock
 * @deadline: CLOCK_MONOTONIC
 *
 * Return: as headway_lock_killable(), and -ETIMEDOUT.
 */
static inline int __must_check headway_lock_deadline(struct headway_txn *txn,
						     struct headway_lock *lock, ktime_t deadline)
{
	return headway_lock_wait(txn, lock, __HEADWAY_WAIT(TASK_KILLABLE, deadline));
}

/**
 * headway_lock_many_deadline - take a set of locks by a point in time, retries included
 * @txn: transaction
 * @locks: set; sorted in place
 * @n: its size
 * @deadline: CLOCK_MONOTONIC; one for several calls bounds them all
 *
 * Return: as headway_lock_many_killable(), and -ETIMEDOUT.
 */
static inline int __must_check headway_lock_many_deadline(struct headway_txn *txn,
							  struct headway_lock **locks,
							  unsigned int n, ktime_t deadline)
{
	return headway_lock_many_wait(txn, locks, n, __HEADWAY_WAIT(TASK_KILLABLE, deadline));
}

/**
 * headway_txn_rollback - release everything and wait until a retry makes sense
 * @txn: transaction whose last call returned -EDEADLK
 *
 * Uninterruptible form of headway_txn_rollback_wait().
 */
static inline void headway_txn_rollback(struct headway_txn *txn)
{
	headway_txn_rollback_wait(txn, NULL);
}

/**
 * headway_txn_until_done - repeat the block until no lock call in it lost a conflict
 * @txn: a transaction that was begun
 *
 * Each repetition starts after a rollback, with nothing held but, perhaps, the lock that the
 * conflict was lost on. Use headway_txn_retry_on_conflict() after each lock call in the block: a
 * conflict that reaches the block's end, or a `continue`, unnoticed warns once, since what came
 * after it ran without the lock. The label's address is kept in a variable, as in drm_exec, so that
 * the retry works from nested loops; one such loop per line.
 */
#define headway_txn_until_done(txn) \
__PASTE(__headway_again_, __LINE__) : \
	for (void *__headway_again = &&__PASTE(__headway_again_, __LINE__); \
	     __headway_txn_again(txn, __headway_again); __headway_again = NULL)

/**
 * headway_txn_retry_on_conflict - back to the top of headway_txn_until_done() after a conflict
 * @txn: the transaction; the last lock call's result is kept in it
 */
#define headway_txn_retry_on_conflict(txn) do { \
	if (unlikely((txn)->last == -EDEADLK)) \
		goto *__headway_again; \
} while (0)

/* backoff_wait.c */
int headway_backoff_wait(struct headway_backoff *backoff, const struct headway_wait *wait);
int headway_backoff_spin_until(struct headway_backoff *backoff, u64 end_ns);

/**
 * headway_backoff_spin - spin for the schedule's next delay, 1 ms at most
 * @backoff: where the retrier stands
 *
 * Context: any but NMI.
 * Return: 0; -EAGAIN: the schedule's attempts are used up.
 */
static inline int headway_backoff_spin(struct headway_backoff *backoff)
{
	return headway_backoff_spin_until(backoff, U64_MAX);
}

#include "headway_arbiter.h"
#include "headway_breaker.h"
#include "headway_group.h"
#include "headway_sets.h"

#endif /* HEADWAY_H */

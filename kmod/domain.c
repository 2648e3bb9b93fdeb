// SPDX-License-Identifier: GPL-2.0
/*
 * domain.c - domains, and the epochs that make policies switchable under load.
 *
 * Transactions of different policies could deadlock each other: one only waits, the other only
 * wounds the younger. So a policy belongs to an epoch. A transaction joins the present epoch when
 * it begins and leaves it when it ends. A policy change shuts the gate, waits until everyone has
 * left, sets the policy and opens the gate. A transaction that rolls back holds nothing, so it
 * leaves and joins anew there: that is how a change gets through a livelock.
 *
 * Gate: join counts itself and then looks whether the gate is shut; the change shuts it and waits
 * for a grace period, and then knows that everybody who did not see that is counted. So begin pays
 * no barrier; the grace period has them all. (membarrier(2) gives user space the same, with
 * MEMBARRIER_CMD_GLOBAL.)
 *
 * Lock order: headway_domains_mutex > flip_mutex.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "adaptive.h"
#include "branch.h"
#include "epoch.h"
#include "internal.h"
#include "lock.h"
#include "trace.h"

/* A change that cannot be made in this time is given up; the old policy stays. */
#define HEADWAY_FLIP_TIMEOUT_NS	(10 * NSEC_PER_SEC)
/* The ends of transactions wake us; this only bounds what a missed wake-up can cost. */
#define HEADWAY_FLIP_POLL	msecs_to_jiffies(10)

#define HEADWAY_NAME_MAX	32

LIST_HEAD(headway_domains);
/* Guards the list above; the first in the lock order. */
DEFINE_MUTEX(headway_domains_mutex);

static const struct headway_backoff_params headway_default_backoff = {
	.base_ns = 50 * NSEC_PER_USEC,
	.cap_ns = 10 * NSEC_PER_MSEC,
	.kind = HEADWAY_BACKOFF_EXPONENTIAL,
	.jitter = HEADWAY_JITTER_FULL,
};

/* What naive code does: the same delay for everyone, rounded to a common tick. */
static const struct headway_backoff_params headway_default_grid = {
	.base_ns = 20 * NSEC_PER_MSEC,
	.kind = HEADWAY_BACKOFF_CONSTANT,
	.jitter = HEADWAY_JITTER_GRID,
};

/**
 * headway_domain_sum - add up a domain's counters
 * @domain: registered domain
 * @sums: result
 *
 * `ended` is summed first: whoever is seen to have ended has been counted as begun, so in_flight is
 * not negative; it can be too high by the transactions that ended meanwhile.
 */
void headway_domain_sum(const struct headway_domain *domain, struct headway_sums *sums)
{
	int cpu, i;

	memset(sums, 0, sizeof(*sums));
	for_each_possible_cpu(cpu)
		sums->ended += headway_pcpu_ended(per_cpu_ptr(domain->pcpu, cpu));
	for_each_possible_cpu(cpu) {
		const struct headway_pcpu *p = per_cpu_ptr(domain->pcpu, cpu);

		sums->begun += READ_ONCE(p->begun);
		for (i = 0; i < HEADWAY_NR_STATS; i++)
			sums->stat[i] += READ_ONCE(p->stat[i]);
	}
	sums->in_flight = sums->begun - sums->ended;
	sums->attempts = sums->begun - sums->stat[HEADWAY_STAT_MIGRATIONS] +
			 sums->stat[HEADWAY_STAT_ROLLBACKS];
}

/* Waits until the gate may be open. Return: 0, -EBUSY (try), -EINTR, -ETIMEDOUT. */
static int headway_gate_wait(struct headway_domain *domain, const struct headway_wait *wait)
{
	unsigned int state = wait ? wait->state : TASK_UNINTERRUPTIBLE;
	ktime_t deadline = wait ? wait->deadline : KTIME_MAX;
	DEFINE_WAIT(entry);
	int ret = 0;

	if (state == TASK_RUNNING) {
		headway_branch(GATE_EBUSY);
		return -EBUSY;
	}
	headway_branch(GATE_WAIT);
	for (;;) {
		prepare_to_wait(&domain->flip_wq, &entry, state);
		if (!headway_gate_is_shut(domain))
			break;
		if (signal_pending_state(state, current))
			ret = -EINTR;
		else if (ktime_compare(ktime_get(), deadline) >= 0)
			ret = -ETIMEDOUT;
		if (ret)
			break;
		if (deadline == KTIME_MAX)
			schedule();
		else
			schedule_hrtimeout(&deadline, HRTIMER_MODE_ABS);
	}
	finish_wait(&domain->flip_wq, &entry);
	if (ret == -EINTR)
		headway_branch(GATE_EINTR);
	else if (ret)
		headway_branch(GATE_ETIMEDOUT);
	return ret;
}

/* Where it is taken, the token comes before everything else. It is released like any held lock. */
static int headway_take_token(struct headway_txn *txn, const struct headway_wait *wait)
{
	int ret;

	if (likely(!headway_takes_token(txn->policy, txn->adaptive, txn->restarts)))
		return 0;
	ret = headway_acquire(txn, &txn->domain->token, wait);
	if (ret == -EALREADY)
		return 0;
	if (!ret && txn->restarts)
		headway_count(txn->domain, HEADWAY_STAT_TURNS);
	return ret;
}

/**
 * headway_epoch_join_other - the rest of headway_epoch_join(), where there is something to wait for
 * @txn: transaction that holds nothing
 * @passed: whether it has passed the gate
 * @wait: how to wait; NULL = for as long as it takes
 *
 * Return: 0, -EBUSY (try), -EINTR, -ETIMEDOUT.
 */
int headway_epoch_join_other(struct headway_txn *txn, bool passed, const struct headway_wait *wait)
{
	int ret;

	while (!passed) {
		ret = headway_gate_wait(txn->domain, wait);
		if (ret)
			return ret;
		passed = headway_gate_pass(txn);
	}
	ret = headway_take_token(txn, wait);
	if (unlikely(ret)) {
		headway_branch(TOKEN_FAILED);
		headway_epoch_leave(txn, HEADWAY_STAT_MIGRATIONS);
	}
	return ret;
}

/**
 * headway_epoch_migrate - let a policy change through, at a rollback
 * @txn: transaction that holds nothing
 * @wait: how to wait; NULL = for as long as it takes
 *
 * Return: 0, or as headway_epoch_join(): the transaction is then in no epoch, until a later call
 * succeeds.
 */
int headway_epoch_migrate(struct headway_txn *txn, const struct headway_wait *wait)
{
	int ret;

	/* The token is taken where an epoch is joined: whoever needs it goes through that. */
	if (likely(txn->joined && !headway_gate_is_shut(txn->domain) &&
		   !headway_takes_token(txn->policy, txn->adaptive, txn->restarts)))
		return 0;
	if (txn->joined)
		headway_epoch_leave(txn, HEADWAY_STAT_MIGRATIONS);
	ret = headway_epoch_join(txn, wait);
	if (ret)
		headway_branch(MIGRATE_FAILED);
	txn->joined = !ret;
	/* Outside of any epoch no lock may be taken: every lock call fails until we are back in. */
	txn->pending = ret;
	return ret;
}

/**
 * headway_gate_turn_away - uncount a transaction that met the gate as it was being shut
 * @txn: transaction that is counted, and holds nothing
 */
void headway_gate_turn_away(struct headway_txn *txn)
{
	headway_branch(GATE_TURNED_AWAY);
	headway_epoch_leave(txn, HEADWAY_STAT_MIGRATIONS);
}

/**
 * headway_gate_wake - tell a policy change that a transaction has left
 * @domain: domain whose gate is shut
 */
void headway_gate_wake(struct headway_domain *domain)
{
	wake_up_all(&domain->flip_wq);
}

static void headway_gate_shut(struct headway_domain *domain)
{
	WRITE_ONCE(domain->gate, HEADWAY_GATE_SHUT);
	/*
	 * Orders those who pass the gate: see headway_gate_pass(). Expedited, since the whole
	 * domain waits for it: tens of microseconds, where a normal one takes tens of milliseconds.
	 */
	synchronize_rcu_expedited();
}

static void headway_gate_open(struct headway_domain *domain)
{
	u32 gate = domain->arm;

	if (domain->policy == HEADWAY_POLICY_ADAPTIVE)
		gate |= HEADWAY_GATE_ADAPTIVE;
	WRITE_ONCE(domain->gate, gate);
	wake_up_all(&domain->flip_wq);
}

static bool headway_drained(const struct headway_domain *domain)
{
	struct headway_sums sums;

	headway_domain_sum(domain, &sums);
	return !sums.in_flight;
}

static int headway_drain(struct headway_domain *domain, unsigned int state, ktime_t deadline)
{
	DEFINE_WAIT(entry);
	int ret = 0;

	for (;;) {
		prepare_to_wait(&domain->flip_wq, &entry, state);
		if (headway_drained(domain))
			break;
		if (signal_pending_state(state, current))
			ret = -EINTR;
		else if (ktime_compare(ktime_get(), deadline) >= 0)
			ret = -EBUSY;
		if (ret)
			break;
		schedule_timeout(HEADWAY_FLIP_POLL);
	}
	finish_wait(&domain->flip_wq, &entry);
	return ret;
}

/* Under flip_mutex. Return: as headway_drain(); then nothing has changed. */
static int headway_flip(struct headway_domain *domain, enum headway_policy policy,
			enum headway_policy arm, unsigned int state, ktime_t deadline)
{
	ktime_t start = ktime_get();
	int ret;

	headway_gate_shut(domain);
	ret = headway_drain(domain, state, deadline);
	if (!ret) {
		domain->policy = policy;
		domain->arm = arm;
	}
	headway_gate_open(domain);
	if (!ret)
		domain->last_flip_ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	return ret;
}

/**
 * headway_domain_change_arm - change what transactions run under; the policy stays `adaptive`
 * @domain: domain with that policy; the caller holds flip_mutex
 * @arm: the new arm
 * @limit_ns: how long to wait for the transactions in flight
 *
 * No epoch begins, as nobody set a policy: who watches the epoch for that is not disturbed.
 *
 * Context: may sleep.
 * Return: 0; -EBUSY: a transaction neither ended nor rolled back in time.
 */
int headway_domain_change_arm(struct headway_domain *domain, enum headway_policy arm, u64 limit_ns)
{
	enum headway_policy from = domain->arm;
	int ret;

	lockdep_assert_held(&domain->flip_mutex);
	ret = headway_flip(domain, domain->policy, arm, TASK_IDLE,
			   ktime_add_ns(ktime_get(), limit_ns));
	if (!ret)
		trace_headway_policy(domain, from, arm, domain->last_flip_ns);
	return ret;
}

/**
 * headway_domain_change_policy - headway_domain_set_policy(), but only from a certain epoch
 * @domain: registered domain
 * @policy: the new policy
 * @wait: how to wait
 * @epoch: the epoch that must be the present one; set to that of the new policy. NULL = whatever
 *
 * Context: may sleep.
 * Return: as headway_domain_set_policy(); -ESTALE: it is another epoch, nothing was changed.
 */
int headway_domain_change_policy(struct headway_domain *domain, enum headway_policy policy,
				 const struct headway_wait *wait, u32 *epoch)
{
	unsigned int state = wait ? wait->state : TASK_KILLABLE;
	ktime_t deadline = ktime_add_ns(ktime_get(), HEADWAY_FLIP_TIMEOUT_NS);
	enum headway_policy from;
	int ret;

	if ((unsigned int)policy >= HEADWAY_NR_POLICIES || state == TASK_RUNNING)
		return -EINVAL;
	if (wait && ktime_before(wait->deadline, deadline))
		deadline = wait->deadline;
	if (mutex_lock_killable(&domain->flip_mutex))
		return -EINTR;
	if (epoch && *epoch != domain->epoch) {
		mutex_unlock(&domain->flip_mutex);
		return -ESTALE;
	}
	from = domain->policy;
	ret = headway_flip(domain, policy, headway_adaptive_first(policy), state, deadline);
	if (!ret) {
		domain->epoch++;
		if (epoch)
			*epoch = domain->epoch;
		if (policy == HEADWAY_POLICY_ADAPTIVE)
			headway_adaptive_begin(domain);
		trace_headway_policy(domain, from, policy, domain->last_flip_ns);
	}
	mutex_unlock(&domain->flip_mutex);
	return ret;
}

/**
 * headway_domain_set_policy - change a domain's policy under load
 * @domain: registered domain
 * @policy: the new policy
 * @wait: how to wait for the transactions in flight to end or roll back; NULL = killable, 10 s. A
 *	later deadline than 10 s from now is cut to that.
 *
 * New transactions wait meanwhile. On failure the old policy stays and they go on. Must not be
 * called inside a transaction of the domain.
 *
 * Context: may sleep.
 * Return: 0; -EINVAL: no such policy; -EBUSY: a transaction neither ended nor rolled back in time;
 * -EINTR: a signal arrived.
 */
int headway_domain_set_policy(struct headway_domain *domain, enum headway_policy policy,
			      const struct headway_wait *wait)
{
	return headway_domain_change_policy(domain, policy, wait, NULL);
}
EXPORT_SYMBOL_GPL(headway_domain_set_policy);

/**
 * headway_name_ok - whether a domain or a loop may be called so
 * @name: any; may be NULL
 *
 * Return: true for 1 to 32 letters, digits and ``_.:-`` without a leading dot.
 */
bool headway_name_ok(const char *name)
{
	const char *c;

	if (!name || !*name || *name == '.' || strlen(name) > HEADWAY_NAME_MAX)
		return false;
	for (c = name; *c; c++)
		if (!isalnum(*c) && !strchr("_.:-", *c))
			return false;
	return true;
}

static int headway_domain_enlist(struct headway_domain *domain)
{
	struct headway_domain *other;
	int ret = 0;

	mutex_lock(&headway_domains_mutex);
	list_for_each_entry(other, &headway_domains, node)
		if (!strcmp(other->name, domain->name))
			ret = -EEXIST;
	if (!ret)
		list_add_tail(&domain->node, &headway_domains);
	mutex_unlock(&headway_domains_mutex);
	return ret;
}

static void headway_domain_delist(struct headway_domain *domain)
{
	mutex_lock(&headway_domains_mutex);
	list_del_init(&domain->node);
	mutex_unlock(&headway_domains_mutex);
}

/**
 * headway_domain_register - make a domain usable: counters, watchdog, debugfs
 * @domain: from DEFINE_HEADWAY_DOMAIN()
 *
 * Context: may sleep.
 * Return: 0; -EINVAL: bad name (letters, digits and ``_.:-``, 1 to 32, no leading dot) or policy;
 * -EEXIST: a domain of this name, or this very one, is registered; -ENOMEM.
 */
int headway_domain_register(struct headway_domain *domain)
{
	int ret;

	if (!headway_name_ok(domain->name) || (unsigned int)domain->policy >= HEADWAY_NR_POLICIES)
		return -EINVAL;
	/* Before anything of it is touched that its transactions use. */
	if (domain->registered)
		return -EEXIST;
	if (!domain->backoff.base_ns)
		domain->backoff = headway_default_backoff;
	if (!domain->grid.base_ns)
		domain->grid = headway_default_grid;
	domain->pcpu = alloc_percpu(struct headway_pcpu);
	if (!domain->pcpu)
		return -ENOMEM;
	ret = headway_domain_enlist(domain);
	if (ret)
		goto free_pcpu;
	ret = headway_adaptive_start(domain);
	if (ret)
		goto delist;
	headway_gate_open(domain);
	ret = headway_progress_start(domain);
	if (ret)
		goto adaptive_stop;
	headway_debugfs_add(domain);
	domain->registered = true;
	return 0;

adaptive_stop:
	headway_adaptive_stop(domain);
delist:
	headway_domain_delist(domain);
free_pcpu:
	free_percpu(domain->pcpu);
	domain->pcpu = NULL;
	return ret;
}
EXPORT_SYMBOL_GPL(headway_domain_register);

/**
 * headway_domain_unregister - take a domain out of use
 * @domain: registered domain, whose locks have been destroyed and whose transactions have ended;
 *	anything else warns. One that was never registered is left alone, for error paths.
 *
 * Context: may sleep: waits for readers of its debugfs files and for its watchdog.
 */
void headway_domain_unregister(struct headway_domain *domain)
{
	if (!domain->registered)
		return;
	headway_debugfs_remove(domain);
	headway_progress_stop(domain);
	headway_adaptive_stop(domain);
	headway_domain_delist(domain);
	headway_lock_destroy(&domain->token);
	WARN(!headway_drained(domain), "headway: %s: transactions in flight at unregister\n",
	     domain->name);
	WARN(!list_empty(&domain->locks), "headway: %s: %u locks not destroyed at unregister\n",
	     domain->name, domain->nr_locks);
	free_percpu(domain->pcpu);
	domain->pcpu = NULL;
	domain->registered = false;
}
EXPORT_SYMBOL_GPL(headway_domain_unregister);

static void headway_domain_init(struct headway_domain *domain)
{
	raw_spin_lock_init(&domain->live_lock);
	INIT_LIST_HEAD(&domain->live);
	mutex_init(&domain->locks_mutex);
	INIT_LIST_HEAD(&domain->locks);
	mutex_init(&domain->flip_mutex);
	init_waitqueue_head(&domain->flip_wq);
	spin_lock_init(&domain->watch.lock);
	INIT_LIST_HEAD(&domain->node);
	headway_lock_init(&domain->token, domain, 0, 0, "serial-token");
}

/**
 * headway_domain_create - allocate and register a domain
 * @name: copied; as in headway_domain_register()
 * @policy: the policy it starts with
 *
 * Context: may sleep.
 * Return: the domain, or ERR_PTR() of headway_domain_register()'s errors.
 */
struct headway_domain *headway_domain_create(const char *name, enum headway_policy policy)
{
	struct headway_domain *domain;
	int ret;

	if (!headway_name_ok(name))
		return ERR_PTR(-EINVAL);
	domain = kzalloc(sizeof(*domain), GFP_KERNEL);
	if (!domain)
		return ERR_PTR(-ENOMEM);
	domain->name = kstrdup(name, GFP_KERNEL);
	if (!domain->name) {
		ret = -ENOMEM;
		goto free_domain;
	}
	lockdep_register_key(&domain->txn_key);
	lockdep_register_key(&domain->lock_key);
	headway_domain_init(domain);
	domain->policy = policy;
	domain->dynamic = true;
	ret = headway_domain_register(domain);
	if (ret)
		goto free_name;
	return domain;

free_name:
	lockdep_unregister_key(&domain->lock_key);
	lockdep_unregister_key(&domain->txn_key);
	kfree(domain->name);
free_domain:
	kfree(domain);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(headway_domain_create);

/**
 * headway_domain_destroy - unregister and free a domain
 * @domain: from headway_domain_create(), or an ERR_PTR() or NULL, which are ignored
 *
 * Context: may sleep.
 */
void headway_domain_destroy(struct headway_domain *domain)
{
	if (IS_ERR_OR_NULL(domain) || WARN_ON_ONCE(!domain->dynamic))
		return;
	headway_domain_unregister(domain);
	lockdep_unregister_key(&domain->lock_key);
	lockdep_unregister_key(&domain->txn_key);
	kfree(domain->name);
	kfree(domain);
}
EXPORT_SYMBOL_GPL(headway_domain_destroy);

// SPDX-License-Identifier: GPL-2.0
/*
 * detect.c - policy `detect`: finds a cycle in the wait-for graph and chooses who breaks it.
 *
 * Every waiter looks after it has published where it waits and before it sleeps, so whoever adds a
 * cycle's last edge sees all the others. Edges also change when a lock changes hands, but the new
 * owner waits for nothing then, so that closes no cycle. Looks are serialized by live_lock, which
 * also keeps every transaction that waits from ending.
 *
 * A look takes its time, and edges of different times need not make a cycle: one that is passed on
 * the way may get its lock, let go of it, and wait elsewhere. So waits that began after the look
 * did count for nothing; whoever waits since before it has held the same all the while. If such a
 * wait closes a cycle, then its own look, which is still to come, finds that. See BREAK_LATE in
 * tests/model/queue.pml: false alarms, of transactions that take their locks in order.
 *
 * The victim is the effectively youngest, that is, priority and age decide: the oldest transaction
 * of a domain never is one, so that everybody gets through in the end. (Least work first would be
 * cheaper at times, but could choose the same transaction for ever.)
 *
 * Lock order: live_lock > txn->pin > lock->wait_lock.
 */
#include "branch.h"
#include "internal.h"
#include "trace.h"

/*
 * Under live_lock. Return: the live transaction that @txn, which is live, waits for, or NULL: none,
 * one that is not waiting itself, at which every chain ends, or @txn waits since too short a time.
 */
static struct headway_txn *headway_waits_for(struct headway_txn *txn)
{
	struct headway_txn *owner = NULL;
	struct headway_lock *lock;

	raw_spin_lock(&txn->pin);
	lock = READ_ONCE(txn->waiting_on);
	if (lock) {
		raw_spin_lock(&lock->wait_lock);
		/*
		 * Not stale: if it held what led us here, it has released that since, under a
		 * wait_lock that we had taken after we raised looks.
		 */
		if (READ_ONCE(txn->wait_look) < txn->domain->looks)
			owner = headway_pin_owner(lock);
		if (owner) {
			headway_unpin(lock);
			/*
			 * While we hold wait_lock it cannot end; if it is live, it cannot while we
			 * hold live_lock. @txn itself has been given the lock and not noticed yet.
			 */
			if (owner == txn || !owner->live || !READ_ONCE(owner->waiting_on))
				owner = NULL;
		}
		raw_spin_unlock(&lock->wait_lock);
	}
	raw_spin_unlock(&txn->pin);
	return owner;
}

static bool headway_younger(struct headway_txn *a, struct headway_txn *b)
{
	struct headway_party pa = { .ticket = atomic64_read(&a->ticket), .bonus = a->bonus };
	struct headway_party pb = { .ticket = atomic64_read(&b->ticket), .bonus = b->bonus };

	return headway_party_cmp(&pa, &pb) > 0;
}

/*
 * Under live_lock. Follows the chain from @txn. A chain can run into a cycle that @txn is not part
 * of, and whose members find it themselves: Brent's algorithm (An improved Monte Carlo
 * factorization algorithm, 1980) notices that without any limit on the depth.
 *
 * A wounded member is on its way out: the cycle was found by another member and is broken already.
 *
 * Return: the youngest of the cycle through @txn, or NULL.
 */
static struct headway_txn *headway_find_victim(struct headway_txn *txn)
{
	struct headway_txn *victim = txn, *mark = txn, *cur = txn;
	unsigned long steps = 0, limit = 1;

	while (!READ_ONCE(cur->wounded) && (cur = headway_waits_for(cur)) != NULL) {
		if (cur == txn)
			return victim;
		if (cur == mark) {
			headway_branch(DETECT_FOREIGN);
			return NULL;
		}
		if (headway_younger(cur, victim))
			victim = cur;
		if (++steps == limit) {
			mark = cur;
			steps = 0;
			limit *= 2;
		}
	}
	if (cur)
		headway_branch(DETECT_WOUNDED);
	return NULL;
}

/**
 * headway_detect - look for a cycle through a transaction that is about to sleep
 * @txn: transaction of the current task, queued, with waiting_on published
 *
 * The victim is wounded: its wait fails with -EDEADLK. It may be @txn.
 */
void headway_detect(struct headway_txn *txn)
{
	struct headway_domain *domain = txn->domain;
	struct headway_txn *victim;
	u64 victim_ticket = 0;

	raw_spin_lock(&domain->live_lock);
	WRITE_ONCE(domain->looks, domain->looks + 1);
	victim = headway_find_victim(txn);
	if (victim) {
		headway_stall();
		/* The pin orders with headway_wait_done(): a wound never outlives its wait. */
		raw_spin_lock(&victim->pin);
		if (victim->waiting_on) {
			WRITE_ONCE(victim->wounded, 1);
			victim_ticket = atomic64_read(&victim->ticket);
			wake_up_process(victim->task);
			if (victim == txn)
				headway_branch(DETECT_SELF);
			else
				headway_branch(DETECT_OTHER);
		} else {
			headway_branch(DETECT_GONE);
		}
		raw_spin_unlock(&victim->pin);
	}
	raw_spin_unlock(&domain->live_lock);

	if (victim_ticket) {
		headway_count(domain, HEADWAY_STAT_CYCLES);
		headway_count(domain, HEADWAY_STAT_WOUNDS);
		trace_headway_wound(txn->waiting_on, victim_ticket, atomic64_read(&txn->ticket));
	}
}

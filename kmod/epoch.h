/* SPDX-License-Identifier: GPL-2.0 */
/*
 * epoch.h - the gate that every transaction passes at its begin, and the count of those inside.
 *
 * The gate is one word that says both whether it is open and what is behind it, so that passing it
 * takes one plain read. How it is shut and opened is in domain.c.
 */
#ifndef HEADWAY_EPOCH_H
#define HEADWAY_EPOCH_H

#include "branch.h"
#include "compat.h"
#include "internal.h"

/* domain.c */
void headway_gate_turn_away(struct headway_txn *txn);
void headway_gate_wake(struct headway_domain *domain);

/* Return: whether the gate was open: then the transaction is counted, and has its policy. */
static __always_inline bool headway_gate_pass(struct headway_txn *txn)
{
	struct headway_domain *domain = txn->domain;
	u32 gate;

	/* So that those who come while it is shut do not keep the count from becoming zero. */
	if (unlikely(headway_gate_is_shut(domain)))
		return false;
	headway_cpu_inc(&domain->pcpu->begun, txn->task);
	headway_stall();
	/*
	 * Not ordered here but by the grace period in headway_gate_shut(): until it ends each CPU
	 * has passed a full barrier, with that read before it, and so the count, or after it, and
	 * so the gate seen shut.
	 */
	barrier();
	gate = READ_ONCE(domain->gate);
	txn->policy = gate & HEADWAY_GATE_POLICY;
	txn->adaptive = !!(gate & HEADWAY_GATE_ADAPTIVE);
	if (likely(!(gate & HEADWAY_GATE_SHUT)))
		return true;
	headway_gate_turn_away(txn);
	return false;
}

int headway_epoch_join_other(struct headway_txn *txn, bool passed, const struct headway_wait *wait);

/**
 * headway_epoch_join - join the domain's present epoch and adopt its policy
 * @txn: transaction that holds nothing
 * @wait: how to wait while the gate is shut, or for the token; NULL = for as long as it takes
 *
 * Return: 0, -EBUSY (try), -EINTR, -ETIMEDOUT.
 */
static __always_inline int headway_epoch_join(struct headway_txn *txn,
					      const struct headway_wait *wait)
{
	bool passed = headway_gate_pass(txn);

	if (likely(passed && !headway_takes_token(txn->policy, txn->adaptive, txn->restarts)))
		return 0;
	return headway_epoch_join_other(txn, passed, wait);
}

/**
 * headway_epoch_leave - leave the epoch, at the end or to join another
 * @txn: transaction that holds nothing
 * @why: counter to add to; HEADWAY_NR_STATS = none
 */
static __always_inline void headway_epoch_leave(struct headway_txn *txn, enum headway_stat why)
{
	struct headway_domain *domain = txn->domain;

	/* Pairs with headway_pcpu_ended(): all that we did came before. */
	if (why == HEADWAY_STAT_COMMITS) {
		headway_cpu_inc_release(&domain->pcpu->stat[HEADWAY_STAT_COMMITS], txn->task);
	} else {
		if (why < HEADWAY_NR_STATS)
			headway_count(domain, why);
		headway_cpu_inc_release(&domain->pcpu->left, txn->task);
	}
	if (unlikely(headway_gate_is_shut(domain)))
		headway_gate_wake(domain);
}

#endif /* HEADWAY_EPOCH_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * epoch.h - the gate that every transaction passes at its begin, and the count of those inside.
 *
 * The gate is one word that says both whether it is open and what is behind it, so that passing it
 * takes one plain read. How it is shut and opened is in domain.c.
 */
#ifndef HEADWAY_EPOCH_H
#define HEADWAY_EPOCH_H

#include "compat.h"
#include "internal.h"

/* With preemption off. In User Mode Linux raw_cpu_ptr() is a function call. */
static __always_inline struct headway_pcpu *headway_my_pcpu(const struct headway_txn *txn)
{
	return per_cpu_ptr(txn->domain->pcpu, task_cpu(txn->task));
}

/* Return: whether the gate was open: then the transaction is counted, and has its policy. */
static __always_inline bool headway_gate_pass(struct headway_txn *txn)
{
	struct headway_domain *domain = txn->domain;
	struct headway_pcpu *p;
	u32 gate;

	/*
	 * Read and counted with preemption off, which pairs with the grace period in
	 * headway_gate_shut(): who did not see the gate shut is counted when that is over.
	 */
	preempt_disable();
	gate = READ_ONCE(domain->gate);
	if (likely(!(gate & HEADWAY_GATE_SHUT))) {
		p = headway_my_pcpu(txn);
		WRITE_ONCE(p->begun, p->begun + 1);
	}
	preempt_enable();
	txn->policy = gate & HEADWAY_GATE_POLICY;
	txn->adaptive = !!(gate & HEADWAY_GATE_ADAPTIVE);
	return !(gate & HEADWAY_GATE_SHUT);
}

/* domain.c */
void headway_gate_wake(struct headway_domain *domain);
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
	struct headway_pcpu *p;

	preempt_disable();
	p = headway_my_pcpu(txn);
	if (why < HEADWAY_NR_STATS)
		WRITE_ONCE(p->stat[why], p->stat[why] + 1);
	/* Pairs with smp_load_acquire() in headway_domain_sum(): all that we did came before. */
	headway_store_release(&p->ended, p->ended + 1);
	preempt_enable();
	if (unlikely(headway_gate_is_shut(domain)))
		headway_gate_wake(domain);
}

#endif /* HEADWAY_EPOCH_H */

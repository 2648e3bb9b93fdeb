/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lock.h - what lock.c and lock_wait.c share: the word and the queue. All of it under wait_lock,
 * unless it says otherwise.
 */
#ifndef HEADWAY_LOCK_H
#define HEADWAY_LOCK_H

#include "broken.h"
#include "internal.h"

struct headway_waiter {
	struct list_head node;		/* lock->waiters, wait_lock */
	struct headway_txn *txn;	/* const */
	bool granted;			/* wait_lock: the release gave it to us, unlinked us */
};

/* Of any value of the word; the transaction may only be looked at as lock.c says. */
static inline struct headway_txn *headway_word_txn(long word)
{
	return (struct headway_txn *)(word & ~HEADWAY_LOCK_FLAGS);
}

static inline struct headway_waiter *headway_first(struct headway_lock *lock)
{
	return list_first_entry_or_null(&lock->waiters, struct headway_waiter, node);
}

static inline struct headway_party headway_party(struct headway_txn *txn)
{
	return (struct headway_party){
		.ticket = atomic64_read(&txn->ticket),
		.bonus = txn->bonus,
		.nr_held = READ_ONCE(txn->nr_held),
	};
}

/* Under wait_lock: whether somebody older than @txn, which may be queued itself, waits already. */
static inline bool headway_behind(struct headway_txn *txn, struct headway_lock *lock)
{
	struct headway_waiter *first = headway_first(lock);
	struct headway_party self = headway_party(txn);
	struct headway_party other;

	if (!first || first->txn == txn)
		return false;
	other = headway_party(first->txn);
	return headway_party_cmp(&other, &self) < 0;
}

/* Own transaction, any context: nobody waits for what it holds, but at the token. */
static inline bool headway_txn_bare(const struct headway_txn *txn)
{
	/* Where it is taken, the token is taken first, and so is the last of the list. */
	return !txn->held || txn->held == &txn->domain->token;
}

/* Own transaction, any context: a wounded one that holds nothing is in nobody's way. */
static inline bool headway_must_back_out(const struct headway_txn *txn)
{
	return READ_ONCE(txn->wounded) && txn->nr_held && !headway_broken(WOUND);
}

/* lock_wait.c; called without wait_lock */
int headway_acquire_slow(struct headway_txn *txn, struct headway_lock *lock,
			 const struct headway_wait *wait);

#endif /* HEADWAY_LOCK_H */

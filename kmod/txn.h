/* SPDX-License-Identifier: GPL-2.0 */
/*
 * txn.h - what txn.c and lock_many.c share: giving locks back, and what a failed call leaves.
 */
#ifndef HEADWAY_TXN_H
#define HEADWAY_TXN_H

#include "branch.h"
#include "lock.h"

/* txn.c */
void headway_release_others(struct headway_txn *txn, struct headway_lock *mark, bool unlinked);
int headway_take_pending(struct headway_txn *txn, unsigned long caller);
void headway_note_conflict(struct headway_txn *txn, struct headway_lock *lock,
			   const struct headway_wait *wait);

/*
 * Releases what was acquired after @mark was the newest held lock, up to one that somebody waits
 * for or whose hold is timed; with *@unlinked, of that one only the word is left to do.
 *
 * Return: whether that was all.
 */
static __always_inline bool headway_release_free_ones(struct headway_txn *txn,
						      struct headway_lock *mark, bool *unlinked)
{
	struct headway_lock *lock, *next;
	unsigned int n = 0;

	*unlinked = false;
	for (lock = txn->held; lock != mark; lock = next) {
		next = lock->held_next;
		if (unlikely(lock->stats.hold_since_ns))
			break;
		headway_unlink(lock);
		if (unlikely(!headway_let_go(txn, lock))) {
			*unlinked = true;
			break;
		}
		n++;
	}
	txn->held = lock;
	WRITE_ONCE(txn->nr_held, txn->nr_held - n);
	return likely(lock == mark);
}

/* Releases what was acquired after @mark was the newest held lock. */
static __always_inline void headway_release_until(struct headway_txn *txn,
						  struct headway_lock *mark)
{
	bool unlinked;

	/* It was taken first of all: it goes when all goes. */
	if (!mark && txn->live && txn->prelocked) {
		headway_branch(PRELOCKED_DROPPED);
		txn->prelocked = NULL;
	}
	if (!headway_release_free_ones(txn, mark, &unlinked))
		headway_release_others(txn, mark, unlinked);
}

#endif /* HEADWAY_TXN_H */

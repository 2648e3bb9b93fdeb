// SPDX-License-Identifier: GPL-2.0
/*
 * Livelock in a database: two connections begin a deferred transaction, both read (a SHARED lock
 * each), and then both want to write. One gets RESERVED and cannot commit while the other reads,
 * the other is refused at once; both see SQLITE_BUSY, roll back, and start again on a grid.
 *
 * Invariant: both read before either writes, and neither rolls back before both were refused.
 *
 * Lock order: that of SQLite: SHARED, RESERVED, EXCLUSIVE.
 */
// libs: -lsqlite3
#include "account.h"

static _Atomic uint64_t *have_read, *were_refused;	/* by actor: rounds; shared */

/* Return: 1 when it committed, 0 when it rolled back, -1 when it is time to end. */
static CORPUS_SITE int transfer(struct corpus_actor *self, sqlite3 *db, uint64_t round)
{
	unsigned int me = self->index, peer = !me;
	int busy;

	/* The peer may be late with its rollback: then it does not let us read yet. */
	while (run_sql(db, "begin") || run_sql(db, "select balance from account")) {
		run_sql(db, "rollback");
		if (corpus_stopped())
			return -1;
		corpus_sleep_until(corpus_now_ns() + CORPUS_NSEC_PER_MSEC);
	}
	atomic_store(&have_read[me], round + 1);
	/* At the end the transaction stays open: a late rollback would let the peer commit. */
	if (!corpus_gate(&have_read[peer], round + 1))
		return -1;
	busy = run_sql(db, "update account set balance = balance + 1");
	if (!busy)
		busy = run_sql(db, "commit");
	atomic_store(&were_refused[me], round + 1);
	if (!corpus_gate(&were_refused[peer], round + 1))
		return -1;
	if (busy)
		run_sql(db, "rollback");
	return !busy;
}

static void client(struct corpus_actor *self)
{
	sqlite3 *db;
	uint64_t round;
	int committed = 0;

	if (sqlite3_open(account_path, &db))
		return;
	for (round = 0; committed >= 0; round++) {
		corpus_sleep_until(corpus_grid_ns(round, GRID_NS));
		unit_tried(self);
		committed = transfer(self, db, round);
		if (committed > 0)
			unit_done(self);
		else if (committed == 0)
			corpus_fail(self);
	}
}

int main(void)
{
	have_read = corpus_shared(4 * sizeof(*have_read));
	were_refused = have_read + 2;
	return account_main(client);
}

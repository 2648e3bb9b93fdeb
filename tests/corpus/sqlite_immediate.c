// SPDX-License-Identifier: GPL-2.0
/*
 * Healthy twin of sqlite_upgrade: who is going to write says so at once ("begin immediate"), and
 * SQLite makes the other one wait.
 *
 * Lock order: that of SQLite: RESERVED, EXCLUSIVE.
 */
// libs: -lsqlite3
#include "account.h"

#define BUSY_MS	1000

static CORPUS_SITE bool transfer(sqlite3 *db)
{
	if (run_sql(db, "begin immediate"))
		return false;
	if (run_sql(db, "update account set balance = balance + 1") || run_sql(db, "commit")) {
		run_sql(db, "rollback");
		return false;
	}
	return true;
}

static void client(struct corpus_actor *self)
{
	sqlite3 *db;
	uint64_t round;

	if (sqlite3_open(account_path, &db) || sqlite3_busy_timeout(db, BUSY_MS))
		return;
	for (round = 0; !corpus_stopped(); round++) {
		corpus_sleep_until(corpus_grid_ns(round, GRID_NS));
		unit_tried(self);
		if (transfer(db))
			unit_done(self);
		else
			corpus_fail(self);
	}
}

int main(void)
{
	return account_main(client);
}

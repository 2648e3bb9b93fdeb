/* SPDX-License-Identifier: GPL-2.0 */
/* One SQLite database with one account, and two processes that change its balance. */
#ifndef CORPUS_ACCOUNT_H
#define CORPUS_ACCOUNT_H

#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "marked.h"

#define GRID_NS	(100 * CORPUS_NSEC_PER_MSEC)

static char account_path[PATH_MAX];

static inline int run_sql(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* Beside the counters, in a directory that the harness removes; in /tmp without a harness. */
static inline int account_main(corpus_fn client)
{
	const char *counters = getenv("CORPUS_COUNTERS");
	sqlite3 *db;

	snprintf(account_path, sizeof(account_path), "%s.db", counters && *counters ? counters :
		 "/tmp/corpus-account");
	unlink(account_path);
	if (sqlite3_open(account_path, &db) ||
	    run_sql(db, "create table account(balance); insert into account values (0)") ||
	    sqlite3_close(db)) {
		fprintf(stderr, "corpus: %s: no database\n", account_path);
		return 1;
	}
	corpus_add("client_1", 0, client);
	corpus_add("client_2", 1, client);
	return corpus_run_processes();
}

#endif

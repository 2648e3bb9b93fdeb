/* SPDX-License-Identifier: GPL-2.0 */
/*
 * journal.h - findings as entries of the systemd journal, with a field for each fact.
 */
#ifndef HEADWAY_JOURNAL_H
#define HEADWAY_JOURNAL_H

#include "finding.h"
#include "names.h"

/* Of all entries that are findings: journalctl MESSAGE_ID=... */
#define HEADWAY_JOURNAL_ID "6d310a42f31c4a6f995ef4d5522e3a0a"

/* -ENOENT: there is no journal here. The library itself would say nothing and lose all. */
int headway_journal_check(void);
/* 0 or a negative errno. */
int headway_journal_finding(struct headway_names *names, const struct headway_finding *f);

#endif /* HEADWAY_JOURNAL_H */

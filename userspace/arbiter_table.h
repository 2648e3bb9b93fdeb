/* SPDX-License-Identifier: GPL-2.0 */
/*
 * arbiter_table.h - arbiters and their requests as tables for people, from what headway.ko's files
 * say of them (kmod/debugfs.md). PURE.
 */
#ifndef HEADWAY_ARBITER_TABLE_H
#define HEADWAY_ARBITER_TABLE_H

#include "logfmt.h"
#include "table.h"

void headway_arbiter_table_init(struct headway_table *t);
/* summary: of this arbiter. */
void headway_arbiter_table_add(struct headway_table *t, const char *arbiter,
			       const struct headway_record *summary);

void headway_request_table_init(struct headway_table *t);
void headway_request_table_add(struct headway_table *t, const struct headway_record *request);

/* "held by", or "reserved for": whose the resources are that an edge is about. */
const char *headway_request_edge_why(const struct headway_record *edge);

#endif /* HEADWAY_ARBITER_TABLE_H */

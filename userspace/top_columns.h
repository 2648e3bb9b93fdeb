/* SPDX-License-Identifier: GPL-2.0 */
/*
 * top_columns.h - which columns of `headway top` fit a terminal, and what stands in them. PURE.
 */
#ifndef HEADWAY_TOP_COLUMNS_H
#define HEADWAY_TOP_COLUMNS_H

#include "table.h"
#include "top_model.h"

struct headway_top_layout {
	struct {
		int x;
		int width;		/* 0: not drawn */
	} at[HEADWAY_TOP_NR_COLUMNS];
};

void headway_top_layout(struct headway_top_layout *l, int width);
const char *headway_top_head(enum headway_top_column c);
/* Text, as opposed to numbers. */
bool headway_top_is_left(enum headway_top_column c);
/* Of all columns but the history. Returns out. */
const char *headway_top_cell(const struct headway_top_row *r, enum headway_top_column c, char *out,
			     size_t len);
/* "1234", "12.3k", "4.5M": at most five characters. */
void headway_top_number(double value, char *out, size_t len);
/* '!' a finding, '?' cannot be told, '~' contended, '+' healthy, '.' idle. */
char headway_top_symbol(enum headway_verdict v);
enum headway_tint headway_top_tint(enum headway_verdict v);
/* In a history: a bar, the worse the higher, or without UTF-8 a letter; " " for none. */
const char *headway_top_mark(unsigned int verdict, bool utf8);

#endif /* HEADWAY_TOP_COLUMNS_H */

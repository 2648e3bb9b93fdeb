/* SPDX-License-Identifier: GPL-2.0 */
/*
 * table.h - aligned columns for people. Collects cells, then prints; knows not what they mean.
 */
#ifndef HEADWAY_TABLE_H
#define HEADWAY_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define HEADWAY_TABLE_COLUMNS	16

enum headway_tint {
	HEADWAY_TINT_NONE,
	HEADWAY_TINT_BAD,
	HEADWAY_TINT_WARN,
	HEADWAY_TINT_GOOD,
	HEADWAY_TINT_DIM,
};

struct headway_column {
	const char *head;
	const char *unit;		/* second head line; NULL = none */
	bool left;			/* text; numbers are right-aligned */
};

struct headway_cell {
	char *text;
	enum headway_tint tint;
};

struct headway_table {
	const struct headway_column *columns;
	size_t nr_columns;
	struct headway_cell *cells;	/* row by row */
	size_t nr_cells;
	bool failed;			/* out of memory: print says so */
};

/* COLUMNS must outlive the table. */
void headway_table_init(struct headway_table *t, const struct headway_column *columns, size_t nr);
__attribute__((format(printf, 3, 4)))
void headway_table_add(struct headway_table *t, enum headway_tint tint, const char *fmt, ...);
/* Prints, and frees the cells. Returns 0 or -ENOMEM. */
int headway_table_print(struct headway_table *t, FILE *out, bool color);

/* Is OUT a terminal whose user has not said NO_COLOR? */
bool headway_table_color(FILE *out);
/* Start and end of a colour; "" without COLOR. */
const char *headway_tint_on(enum headway_tint tint, bool color);
const char *headway_tint_off(enum headway_tint tint, bool color);

#endif /* HEADWAY_TABLE_H */

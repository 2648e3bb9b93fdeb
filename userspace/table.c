// SPDX-License-Identifier: GPL-2.0
/*
 * table.c - aligned columns for people. See table.h.
 *
 * Cells are ASCII (kernelfs.c sees to that), so bytes are columns. Colour is written around the
 * padded cell, so that it does not count as width.
 */
#define _GNU_SOURCE		/* vasprintf */

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "table.h"

void headway_table_init(struct headway_table *t, const struct headway_column *columns, size_t nr)
{
	memset(t, 0, sizeof(*t));
	t->columns = columns;
	t->nr_columns = nr;
}

void headway_table_add(struct headway_table *t, enum headway_tint tint, const char *fmt, ...)
{
	struct headway_cell *bigger;
	va_list ap;
	int n;

	if (t->failed)
		return;
	if (!(t->nr_cells & (t->nr_cells - 1))) {
		bigger = reallocarray(t->cells, t->nr_cells ? 2 * t->nr_cells : 1, sizeof(*bigger));
		if (!bigger) {
			t->failed = true;
			return;
		}
		t->cells = bigger;
	}
	va_start(ap, fmt);
	n = vasprintf(&t->cells[t->nr_cells].text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		t->failed = true;
		return;
	}
	t->cells[t->nr_cells++].tint = tint;
}

const char *headway_tint_on(enum headway_tint tint, bool color)
{
	static const char *const codes[] = {
		[HEADWAY_TINT_NONE] = "", [HEADWAY_TINT_BAD] = "\033[1;31m",
		[HEADWAY_TINT_WARN] = "\033[33m", [HEADWAY_TINT_GOOD] = "\033[32m",
		[HEADWAY_TINT_DIM] = "\033[2m",
	};

	return color ? codes[tint] : "";
}

const char *headway_tint_off(enum headway_tint tint, bool color)
{
	return color && tint != HEADWAY_TINT_NONE ? "\033[0m" : "";
}

static void print_cell(FILE *out, const struct headway_column *column, const char *text,
		       size_t width, bool last, enum headway_tint tint, bool color)
{
	/* No blanks at the end of a line. */
	int pad = column->left && last ? 0 : (int)width;

	fprintf(out, "%s%*s%s%s", headway_tint_on(tint, color), column->left ? -pad : pad, text,
		headway_tint_off(tint, color), last ? "\n" : "  ");
}

static size_t head_width(const struct headway_column *column)
{
	size_t head = strlen(column->head), unit = column->unit ? strlen(column->unit) : 0;

	return head > unit ? head : unit;
}

int headway_table_print(struct headway_table *t, FILE *out, bool color)
{
	size_t width[HEADWAY_TABLE_COLUMNS] = { 0 }, n = t->nr_columns;
	bool failed = t->failed;
	size_t units = 0;		/* columns up to the last one that has a unit */

	for (size_t c = 0; c < n; c++) {
		width[c] = head_width(&t->columns[c]);
		if (t->columns[c].unit)
			units = c + 1;
	}
	if (!n)
		return -EINVAL;
	for (size_t i = 0; i < t->nr_cells; i++) {
		size_t len = strlen(t->cells[i].text);

		if (len > width[i % n])
			width[i % n] = len;
	}
	for (size_t c = 0; c < n; c++)
		print_cell(out, &t->columns[c], t->columns[c].head, width[c], c == n - 1,
			   HEADWAY_TINT_NONE, false);
	for (size_t c = 0; c < units; c++)
		print_cell(out, &t->columns[c], t->columns[c].unit ? t->columns[c].unit : "",
			   width[c], c == units - 1, HEADWAY_TINT_DIM, color);
	for (size_t i = 0; i < t->nr_cells; i++) {
		if (!failed)
			print_cell(out, &t->columns[i % n], t->cells[i].text, width[i % n],
				   i % n == n - 1, t->cells[i].tint, color);
		free(t->cells[i].text);
	}
	free(t->cells);
	headway_table_init(t, t->columns, n);
	return failed ? -ENOMEM : 0;
}

bool headway_table_color(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(out)) && !(no && *no) && !(term && !strcmp(term, "dumb"));
}

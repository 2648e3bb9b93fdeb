// SPDX-License-Identifier: GPL-2.0
/*
 * top_columns.c - which columns of `headway top` fit a terminal, and what stands in them. PURE.
 */
#include "top_columns.h"

#include <stdio.h>

struct column {
	const char *head;
	int width;
	int want;			/* when there is room */
	int drop;			/* the least is the first to go; 0 stays */
	bool left;
};

static const struct column columns[] = {
	[HEADWAY_TOP_BY_SOURCE] = { "SOURCE", 7, 7, 4, true },
	[HEADWAY_TOP_BY_PID] = { "PID", 7, 7, 9, false },
	[HEADWAY_TOP_BY_NAME] = { "NAME", 13, 32, 0, true },
	[HEADWAY_TOP_BY_VERDICT] = { "VERDICT", 16, 16, 0, true },
	[HEADWAY_TOP_BY_ATTEMPTS] = { "ATT/s", 5, 5, 6, false },
	[HEADWAY_TOP_BY_COMPLETIONS] = { "COMPL/s", 7, 7, 7, false },
	[HEADWAY_TOP_BY_FAILED] = { "FAIL/s", 6, 6, 8, false },
	[HEADWAY_TOP_BY_WAITING] = { "WAIT", 4, 5, 5, false },
	[HEADWAY_TOP_BY_ACTORS] = { "ACTORS", 6, 6, 1, false },
	[HEADWAY_TOP_BY_CPU] = { "CPU%", 5, 5, 2, false },
	[HEADWAY_TOP_BY_HISTORY] = { "HISTORY", 7, 120, 3, true },
};

/* What the columns take, each with a blank behind it. */
static int total(const struct headway_top_layout *l)
{
	int sum = 0;

	for (int c = 0; c < HEADWAY_TOP_NR_COLUMNS; c++)
		sum += l->at[c].width ? l->at[c].width + 1 : 0;
	return sum - 1;
}

static void drop_one(struct headway_top_layout *l)
{
	int next = -1;

	for (int c = 0; c < HEADWAY_TOP_NR_COLUMNS; c++)
		if (l->at[c].width && columns[c].drop &&
		    (next < 0 || columns[c].drop < columns[next].drop))
			next = c;
	if (next >= 0)
		l->at[next].width = 0;
	else
		l->at[HEADWAY_TOP_BY_NAME].width--;
}

void headway_top_layout(struct headway_top_layout *l, int width)
{
	int x = 0, more;

	for (int c = 0; c < HEADWAY_TOP_NR_COLUMNS; c++)
		l->at[c].width = columns[c].width;
	while (total(l) > width && l->at[HEADWAY_TOP_BY_NAME].width > 1)
		drop_one(l);
	/* What is left goes to the name, then to the history. */
	for (int c = 0; c < HEADWAY_TOP_NR_COLUMNS; c++) {
		more = columns[c].want - l->at[c].width;
		if (more > width - total(l))
			more = width - total(l);
		if (l->at[c].width && more > 0)
			l->at[c].width += c == HEADWAY_TOP_BY_NAME &&
					  l->at[HEADWAY_TOP_BY_HISTORY].width ? more / 3 : more;
	}
	for (int c = 0; c < HEADWAY_TOP_NR_COLUMNS; c++) {
		l->at[c].x = x;
		x += l->at[c].width ? l->at[c].width + 1 : 0;
	}
}

const char *headway_top_head(enum headway_top_column c)
{
	return columns[c].head;
}

bool headway_top_is_left(enum headway_top_column c)
{
	return columns[c].left;
}

void headway_top_number(double value, char *out, size_t len)
{
	static const char units[] = "kMGTP";
	size_t unit = 0;

	if (value < 9.95) {
		/* Not a bare 0 for what does happen, if seldom. */
		snprintf(out, len, value <= 0 ? "0" : value < 0.05 ? "<0.1" : "%.1f", value);
		return;
	}
	if (value < 99999.5) {
		snprintf(out, len, "%.0f", value);
		return;
	}
	for (value /= 1000; value >= 999.5 && unit + 2 < sizeof(units); unit++)
		value /= 1000;
	snprintf(out, len, "%.0f%c", value < 9999 ? value : 9999, units[unit]);
}

char headway_top_symbol(enum headway_verdict v)
{
	switch (v) {
	case HEADWAY_IDLE:
		return '.';
	case HEADWAY_HEALTHY:
		return '+';
	case HEADWAY_CONTENDED:
		return '~';
	case HEADWAY_UNDETERMINED:
		return '?';
	default:
		return '!';
	}
}

enum headway_tint headway_top_tint(enum headway_verdict v)
{
	switch (v) {
	case HEADWAY_IDLE:
		return HEADWAY_TINT_DIM;
	case HEADWAY_HEALTHY:
		return HEADWAY_TINT_GOOD;
	case HEADWAY_CONTENDED:
		return HEADWAY_TINT_NONE;
	case HEADWAY_UNDETERMINED:
	case HEADWAY_TRANSIENT:
		return HEADWAY_TINT_WARN;
	default:
		return HEADWAY_TINT_BAD;
	}
}

const char *headway_top_mark(unsigned int verdict, bool utf8)
{
	static const struct {
		const char *letter;
		const char *bar;
	} marks[HEADWAY_NR_VERDICTS] = {
		[HEADWAY_IDLE] = { ".", "\u2581" }, [HEADWAY_HEALTHY] = { "+", "\u2582" },
		[HEADWAY_CONTENDED] = { "~", "\u2583" },
		[HEADWAY_UNDETERMINED] = { "?", "\u2584" },
		[HEADWAY_TRANSIENT] = { "T", "\u2585" },
		[HEADWAY_RETRY_STORM] = { "R", "\u2586" },
		[HEADWAY_SPIN_HANG] = { "H", "\u2587" },
		[HEADWAY_STALLED_HOLDER] = { "O", "\u2587" },
		[HEADWAY_STARVATION] = { "S", "\u2587" }, [HEADWAY_LIVELOCK] = { "L", "\u2588" },
		[HEADWAY_DEADLOCK] = { "D", "\u2588" },
	};

	if (verdict >= HEADWAY_NR_VERDICTS)
		return " ";
	return utf8 ? marks[verdict].bar : marks[verdict].letter;
}

static const char *cell_number(double value, char *out, size_t len)
{
	headway_top_number(value, out, len);
	return out;
}

const char *headway_top_cell(const struct headway_top_row *r, enum headway_top_column c, char *out,
			     size_t len)
{
	switch (c) {
	case HEADWAY_TOP_BY_SOURCE:
		return headway_top_source_name(r->source);
	case HEADWAY_TOP_BY_PID:
		snprintf(out, len, r->pid ? "%u" : "-", r->pid);
		return out;
	case HEADWAY_TOP_BY_NAME:
		return r->name;
	case HEADWAY_TOP_BY_VERDICT:
		if (r->source == HEADWAY_TOP_ARBITER)
			return "  -";
		if (!r->judged)
			return "  (first window)";
		snprintf(out, len, "%c %s", headway_top_symbol(r->verdict),
			 headway_verdict_name(r->verdict));
		return out;
	case HEADWAY_TOP_BY_ATTEMPTS:
		return cell_number(r->attempts_per_s, out, len);
	case HEADWAY_TOP_BY_COMPLETIONS:
		return cell_number(r->completions_per_s, out, len);
	case HEADWAY_TOP_BY_FAILED:
		return cell_number(r->failed_per_s, out, len);
	case HEADWAY_TOP_BY_WAITING:
		snprintf(out, len, r->waiting < 0 ? "-" : "%ld", r->waiting);
		return out;
	case HEADWAY_TOP_BY_ACTORS:
		snprintf(out, len, "%lu", r->actors);
		return out;
	case HEADWAY_TOP_BY_CPU:
		snprintf(out, len, r->cpu_share < 0 ? "-" : "%.1f", r->cpu_share * 100);
		return out;
	default:
		return "";
	}
}

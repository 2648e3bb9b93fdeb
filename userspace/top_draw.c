// SPDX-License-Identifier: GPL-2.0
/*
 * top_draw.c - draws `headway top`: header, table or page, footer. Computes nothing.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "probe.h"
#include "top.h"
#include "top_columns.h"
#include "top_screen.h"

/* How long a sentence stays, in looks. */
enum { MESSAGE_LOOKS = 10, HEADER = 3, TALL = 8 };

__attribute__((format(printf, 6, 7)))
static int put(int y, int x, int width, enum headway_tint tint, unsigned int style,
	       const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return headway_top_put(y, x, width, text, tint, style, false);
}

/* Lines above the table or the page; a table's head is one more. */
static int header_height(const struct headway_top *t)
{
	if (t->height < TALL)
		return 0;
	return t->mode == HEADWAY_TOP_LIST ? HEADER : 1;
}

static int body_top(const struct headway_top *t)
{
	return header_height(t) + (t->mode == HEADWAY_TOP_LIST);
}

int headway_top_body_height(const struct headway_top *t)
{
	int height = t->height - body_top(t) - 1;

	return height > 0 ? height : 0;
}

long headway_top_row_at_line(const struct headway_top *t, int y)
{
	long place = (long)t->model.first + y - body_top(t);

	if (t->mode != HEADWAY_TOP_LIST || y < body_top(t) || y >= t->height - 1 ||
	    place >= (long)t->model.nr_order)
		return -1;
	return place;
}

enum headway_top_column headway_top_column_at(const struct headway_top *t, int y, int x)
{
	struct headway_top_layout l;
	int c;

	if (t->mode != HEADWAY_TOP_LIST || y != body_top(t) - 1)
		return HEADWAY_TOP_NR_COLUMNS;
	headway_top_layout(&l, t->width);
	for (c = 0; c < HEADWAY_TOP_BY_HISTORY; c++)
		if (l.at[c].width && x >= l.at[c].x && x <= l.at[c].x + l.at[c].width)
			return (enum headway_top_column)c;
	return HEADWAY_TOP_NR_COLUMNS;
}

/* --- header ----------------------------------------------------------------------------------- */

static void draw_title(const struct headway_top *t, const char *what)
{
	const struct headway_assessment *a = &t->scene->assessment;
	int x = put(0, 0, t->width, HEADWAY_TINT_NONE, HEADWAY_TOP_BOLD, "headway top");

	if (t->model.paused)
		x += put(0, x, t->width - x, HEADWAY_TINT_WARN, HEADWAY_TOP_REVERSE, " PAUSED ");
	put(0, x, t->width - x, HEADWAY_TINT_NONE, 0, "  %s  watched %.0f s%s", what,
	    (double)a->watched_ns / 1e9, t->gone && t->mode == HEADWAY_TOP_DETAIL ?
	    "  HAS ENDED: this is the last that was seen" : "");
}

static void draw_counts(const struct headway_top *t)
{
	unsigned int nr[HEADWAY_NR_VERDICTS] = { 0 };
	int x = 0;

	for (size_t i = 0; i < t->model.shown.nr; i++)
		if (t->model.shown.rows[i].judged)
			nr[t->model.shown.rows[i].verdict]++;
	for (int v = HEADWAY_NR_VERDICTS; v--;) {
		enum headway_verdict verdict = (enum headway_verdict)v;

		if (nr[v])
			x += put(1, x, t->width - x, headway_top_tint(verdict), 0, "%c %u %s  ",
				 headway_top_symbol(verdict), nr[v], headway_verdict_name(verdict));
	}
	if (t->model.nr_order < t->model.shown.nr)
		x += put(1, x, t->width - x, HEADWAY_TINT_WARN, 0, "(%zu not shown)",
			 t->model.shown.nr - t->model.nr_order);
	if (!x)
		put(1, 0, t->width, HEADWAY_TINT_DIM, 0, "the first window is not over");
}

/* What limits what is seen comes before how much was seen. */
static void draw_state(const struct headway_top *t)
{
	const struct headway_scene *s = t->scene;
	const struct headway_assessment *a = &s->assessment;
	int x = 0;

	if (a->lost)
		x += put(2, x, t->width - x, HEADWAY_TINT_BAD, 0, "LOST %llu of %llu events  ",
			 (unsigned long long)a->lost, (unsigned long long)a->events + a->lost);
	if (s->snap && s->snap->left_out)
		x += put(2, x, t->width - x, HEADWAY_TINT_BAD, 0, "NO ROOM for %llu processes  ",
			 (unsigned long long)s->snap->left_out);
	if (s->kernel_lost)
		x += put(2, x, t->width - x, HEADWAY_TINT_BAD, 0, "KERNEL not watched: %s  ",
			 s->kernel_lost);
	if (s->missing_probes)
		x += put(2, x, t->width - x, HEADWAY_TINT_WARN, 0, "LIMITED: no %s probe: %s  ",
			 headway_probe_name((enum headway_probe_id)
					    __builtin_ctz(s->missing_probes)),
			 s->missing_reason ? s->missing_reason : "unknown");
	x += put(2, x, t->width - x, HEADWAY_TINT_DIM, 0, "%zu threads, %.0f %% CPU, %llu events",
		 a->threads, a->cpu_share * 100, (unsigned long long)a->events);
	if (t->rates_over_s > 0)
		x += put(2, x, t->width - x, HEADWAY_TINT_DIM, 0, ", rates over %.1f s",
			 t->rates_over_s);
	put(2, x, t->width - x, HEADWAY_TINT_DIM, 0, s->kernel ? ", with the kernel's domains" :
	    ", headway.ko not watched");
}

/* --- table ------------------------------------------------------------------------------------ */

static void draw_head(const struct headway_top *t, const struct headway_top_layout *l, int y)
{
	char text[32];

	headway_top_put(y, 0, t->width, "", HEADWAY_TINT_NONE, HEADWAY_TOP_REVERSE, true);
	for (int c = 0; c < HEADWAY_TOP_NR_COLUMNS; c++) {
		bool sorted = c == (int)t->model.sort;
		int width = l->at[c].width;

		if (!width)
			continue;
		/* The mark takes the place of the blank between columns, if need be. */
		snprintf(text, sizeof(text), "%s%s", headway_top_head((enum headway_top_column)c),
			 !sorted ? "" : t->model.ascending ? "^" : "v");
		if (!headway_top_is_left((enum headway_top_column)c) &&
		    (int)strlen(headway_top_head((enum headway_top_column)c)) < width)
			headway_top_put(y, l->at[c].x + width + sorted - (int)strlen(text),
					width + 1, text, HEADWAY_TINT_NONE, HEADWAY_TOP_REVERSE |
					(sorted ? HEADWAY_TOP_BOLD : 0), false);
		else
			headway_top_put(y, l->at[c].x, width + sorted, text, HEADWAY_TINT_NONE,
					HEADWAY_TOP_REVERSE | (sorted ? HEADWAY_TOP_BOLD : 0),
					false);
	}
}

static void draw_history(const struct headway_top_row *row, int y, int x, int width,
			 unsigned int style)
{
	for (int i = 0; i < width; i++) {
		unsigned int v = headway_top_history(row, (size_t)(width - 1 - i));
		enum headway_tint tint = v < HEADWAY_NR_VERDICTS ?
			headway_top_tint((enum headway_verdict)v) : HEADWAY_TINT_NONE;

		headway_top_put(y, x + i, 1, headway_top_mark(v, headway_top_screen_utf8()), tint,
				style, false);
	}
}

static void draw_row(const struct headway_top *t, const struct headway_top_layout *l,
		     const struct headway_top_row *row, int y, bool selected)
{
	unsigned int style = selected ? HEADWAY_TOP_REVERSE : 0;
	char text[64];

	headway_top_put(y, 0, t->width, "", HEADWAY_TINT_NONE, style, true);
	for (int c = 0; c < HEADWAY_TOP_NR_COLUMNS; c++) {
		enum headway_top_column column = (enum headway_top_column)c;
		const char *cell = headway_top_cell(row, column, text, sizeof(text));
		enum headway_tint tint = HEADWAY_TINT_NONE;
		int width = l->at[c].width, at = l->at[c].x;

		if (!width)
			continue;
		if (column == HEADWAY_TOP_BY_HISTORY) {
			draw_history(row, y, at, width, style);
			continue;
		}
		if (column == HEADWAY_TOP_BY_VERDICT)
			tint = row->judged ? headway_top_tint(row->verdict) : HEADWAY_TINT_DIM;
		if (!headway_top_is_left(column) && (int)strlen(cell) < width)
			at += width - (int)strlen(cell);
		headway_top_put(y, at, l->at[c].x + width - at, cell, tint, style, false);
	}
}

static void draw_table(struct headway_top *t)
{
	int y = body_top(t), height = headway_top_body_height(t);
	const struct headway_top_row *row;
	struct headway_top_layout l;

	headway_top_layout(&l, t->width);
	headway_top_scroll(&t->model, (size_t)height);
	draw_head(t, &l, y - 1);
	for (int i = 0; i < height; i++) {
		size_t place = t->model.first + (size_t)i;

		row = headway_top_row_at(&t->model, place);
		if (row)
			draw_row(t, &l, row, y + i, place == t->model.selected);
	}
	if (!t->model.nr_order)
		put(y, 0, t->width, HEADWAY_TINT_DIM, 0, t->model.shown.nr ?
		    "  No row passes the filter (f changes it, i shows the idle)." :
		    "  Nothing has done anything yet that can be seen.");
}

/* --- pages, footer ---------------------------------------------------------------------------- */

static void draw_page(struct headway_top *t, struct headway_top_page *p)
{
	int y = body_top(t), height = headway_top_body_height(t);

	headway_top_page_scroll(p, 0, (size_t)height);
	for (int i = 0; i < height && p->first + (size_t)i < p->nr; i++) {
		const struct headway_top_line *line = &p->lines[p->first + (size_t)i];

		headway_top_put(y + i, 0, t->width, line->text, line->tint,
				line->kind == HEADWAY_TOP_SECTION ? HEADWAY_TOP_BOLD : 0, false);
	}
}

static const char *page_place(const struct headway_top *t, const struct headway_top_page *p,
			      char *out, size_t len)
{
	size_t height = (size_t)headway_top_body_height(t);
	size_t last = p->first + height < p->nr ? p->first + height : p->nr;

	snprintf(out, len, "%zu-%zu of %zu%s", p->nr ? p->first + 1 : 0, last, p->nr,
		 p->failed ? ", out of memory: lines are missing" : "");
	return out;
}

static void draw_footer(const struct headway_top *t, const struct headway_top_page *page)
{
	char place[96];
	int y = t->height - 1, x;

	if (t->prompt != HEADWAY_TOP_NO_PROMPT) {
		x = put(y, 0, t->width, HEADWAY_TINT_NONE, HEADWAY_TOP_BOLD, "%s: ",
			t->prompt == HEADWAY_TOP_ASK_SEARCH ? "search" : "show only rows with");
		put(y, x, t->width - x, HEADWAY_TINT_NONE, 0, "%s_", t->input);
	} else if (t->message[0] && t->looks < t->message_look + MESSAGE_LOOKS) {
		put(y, 0, t->width, HEADWAY_TINT_WARN, 0, "%s", t->message);
	} else if (page) {
		put(y, 0, t->width, HEADWAY_TINT_DIM, 0, "Esc back  Tab section  ? help  %s",
		    page_place(t, page, place, sizeof(place)));
	} else {
		x = t->model.filter[0] ? put(y, 0, t->width, HEADWAY_TINT_WARN, 0, "only: %s  ",
					     t->model.filter) : 0;
		put(y, x, t->width - x, HEADWAY_TINT_DIM, 0,
		    "q quit  ? help  Enter details  / search  f filter  < > sort  p pause  l log");
	}
}

static struct headway_top_page *page_of(struct headway_top *t)
{
	switch (t->mode) {
	case HEADWAY_TOP_DETAIL:
		return &t->page;
	case HEADWAY_TOP_LOG:
		return &t->log;
	case HEADWAY_TOP_HELP:
		return &t->help;
	default:
		return NULL;
	}
}

static void draw_header(const struct headway_top *t)
{
	char what[HEADWAY_TOP_NAME_LEN + 64];
	const struct headway_top_row *r = &t->about;

	switch (t->mode) {
	case HEADWAY_TOP_DETAIL:
		if (r->source == HEADWAY_TOP_PROCESS)
			snprintf(what, sizeof(what), "process %u (%s)", r->pid, r->name);
		else
			snprintf(what, sizeof(what), "kernel %s %s",
				 headway_top_source_name(r->source), r->name);
		draw_title(t, what);
		return;
	case HEADWAY_TOP_LOG:
		draw_title(t, "what was found");
		return;
	case HEADWAY_TOP_HELP:
		draw_title(t, "help");
		return;
	default:
		snprintf(what, sizeof(what), "%zu of %zu rows", t->model.nr_order,
			 t->model.shown.nr);
		draw_title(t, what);
		draw_counts(t);
		draw_state(t);
	}
}

/* What is long goes on in the next line, wherever that is now. */
static void fit_pages(struct headway_top *t)
{
	if (t->page.width == t->width)
		return;
	t->page.width = t->log.width = t->width;
	if (t->mode == HEADWAY_TOP_LOG)
		headway_top_log_page(t);
	else if (t->mode == HEADWAY_TOP_DETAIL)
		headway_top_detail(t);
}

void headway_top_draw(struct headway_top *t)
{
	struct headway_top_page *page = page_of(t);

	headway_top_screen_size(&t->height, &t->width);
	fit_pages(t);
	headway_top_screen_clear();
	if (header_height(t))
		draw_header(t);
	if (page)
		draw_page(t, page);
	else
		draw_table(t);
	draw_footer(t, page);
	headway_top_screen_refresh();
}

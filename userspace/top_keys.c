// SPDX-License-Identifier: GPL-2.0
/*
 * top_keys.c - what keys and the mouse do in `headway top`.
 */
#define _GNU_SOURCE
#include <ncurses.h>
#include <stdio.h>
#include <string.h>

#include "top.h"
#include "top_screen.h"

enum { KEY_ESCAPE = 27, CTRL_H = 8, CTRL_L = 12, CTRL_U = 21, DELETE = 127, WHEEL = 3 };

__attribute__((format(printf, 2, 3)))
static void say(struct headway_top *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(t->message, sizeof(t->message), fmt, ap);
	va_end(ap);
	t->message_look = t->looks;
}

static struct headway_top_page *page_of(struct headway_top *t)
{
	return t->mode == HEADWAY_TOP_DETAIL ? &t->page :
	       t->mode == HEADWAY_TOP_LOG ? &t->log : &t->help;
}

/* --- the prompt ------------------------------------------------------------------------------- */

static void end_prompt(struct headway_top *t, bool take)
{
	if (take && t->prompt == HEADWAY_TOP_ASK_SEARCH &&
	    !headway_top_search(&t->model, t->input, 1))
		say(t, "no row has '%s'", t->input);
	if (take && t->prompt == HEADWAY_TOP_ASK_FILTER)
		headway_top_filter(&t->model, t->input);
	t->prompt = HEADWAY_TOP_NO_PROMPT;
}

static void type_character(struct headway_top *t, int key)
{
	size_t len = strlen(t->input);

	if (key == KEY_BACKSPACE || key == DELETE || key == CTRL_H)
		t->input[len ? len - 1 : 0] = '\0';
	else if (key == CTRL_U)
		t->input[0] = '\0';
	else if (key >= ' ' && key < DELETE && len + 1 < sizeof(t->input))
		memcpy(&t->input[len], (char[]){ (char)key, '\0' }, 2);
}

static void on_prompt_key(struct headway_top *t, int key)
{
	if (key == '\r' || key == '\n' || key == KEY_ENTER)
		end_prompt(t, true);
	else if (key == KEY_ESCAPE)
		end_prompt(t, false);
	else
		type_character(t, key);
}

static void ask(struct headway_top *t, enum headway_top_prompt prompt, const char *before)
{
	t->prompt = prompt;
	snprintf(t->input, sizeof(t->input), "%s", before);
}

/* --- pages ------------------------------------------------------------------------------------ */

static void open_detail(struct headway_top *t)
{
	const struct headway_top_row *row = headway_top_selected(&t->model);

	if (!row)
		return;
	t->about = *row;
	t->mode = HEADWAY_TOP_DETAIL;
	headway_top_page_clear(&t->page);
	t->page.first = 0;
	headway_top_detail(t);
}

static void open_log(struct headway_top *t)
{
	t->mode = HEADWAY_TOP_LOG;
	t->log.first = 0;
	headway_top_log_page(t);
}

static void open_help(struct headway_top *t)
{
	t->mode = HEADWAY_TOP_HELP;
	t->help.first = 0;
	headway_top_help_page(&t->help);
}

static void on_page_key(struct headway_top *t, int key)
{
	size_t height = (size_t)headway_top_body_height(t);
	struct headway_top_page *p = page_of(t);

	switch (key) {
	case KEY_ESCAPE:
	case KEY_LEFT:
	case KEY_BACKSPACE:
	case DELETE:
	case CTRL_H:
	case 'q':
		t->mode = HEADWAY_TOP_LIST;
		break;
	case '\t':
		headway_top_page_jump(p, 1, height);
		break;
	case KEY_BTAB:
		headway_top_page_jump(p, -1, height);
		break;
	default:
		break;
	}
}

/* --- the table -------------------------------------------------------------------------------- */

static void search_again(struct headway_top *t, int step)
{
	if (!headway_top_search(&t->model, t->model.search, step))
		say(t, t->model.search[0] ? "no row has '%s'" : "/ searches for a text%s",
		    t->model.search);
}

static int on_list_key(struct headway_top *t, int key)
{
	struct headway_top_model *m = &t->model;

	switch (key) {
	case 'q':
		t->ended = true;
		return 0;
	case '\r':
	case '\n':
	case KEY_ENTER:
	case KEY_RIGHT:
		open_detail(t);
		return 0;
	case '/':
		ask(t, HEADWAY_TOP_ASK_SEARCH, "");
		return 0;
	case 'f':
	case '\\':
		ask(t, HEADWAY_TOP_ASK_FILTER, m->filter);
		return 0;
	case 'n':
	case 'N':
		search_again(t, key == 'n' ? 1 : -1);
		return 0;
	case KEY_ESCAPE:
		return headway_top_filter(m, "");
	case '<':
	case ',':
		return headway_top_sort_next(m, -1);
	case '>':
	case '.':
		return headway_top_sort_next(m, 1);
	case 'r':
		return headway_top_reverse(m);
	case 'i':
		return headway_top_hide_idle(m, !m->hide_idle);
	default:
		return 0;
	}
}

/* --- both ------------------------------------------------------------------------------------- */

static void move_by(struct headway_top *t, long by)
{
	if (t->mode == HEADWAY_TOP_LIST)
		headway_top_move(&t->model, by);
	else
		headway_top_page_scroll(page_of(t), by, (size_t)headway_top_body_height(t));
}

static void on_mouse(struct headway_top *t)
{
	enum headway_top_column column;
	MEVENT e;
	long place;

	if (getmouse(&e) != OK)
		return;
	if (e.bstate & BUTTON4_PRESSED)
		move_by(t, -WHEEL);
	else if (e.bstate & BUTTON5_PRESSED)
		move_by(t, WHEEL);
	if (!(e.bstate & BUTTON1_PRESSED))
		return;
	place = headway_top_row_at_line(t, e.y);
	column = headway_top_column_at(t, e.y, e.x);
	if (column != HEADWAY_TOP_NR_COLUMNS)
		headway_top_sort(&t->model, column);
	else if (place >= 0 && (size_t)place == t->model.selected)
		open_detail(t);
	else if (place >= 0)
		headway_top_move(&t->model, place - (long)t->model.selected);
}

/* True: it means the same in the table and in pages. */
static bool on_common_key(struct headway_top *t, int key)
{
	long height = headway_top_body_height(t), all = INT32_MAX;

	switch (key) {
	case KEY_UP:
	case 'k':
		move_by(t, -1);
		return true;
	case KEY_DOWN:
	case 'j':
		move_by(t, 1);
		return true;
	case KEY_PPAGE:
		move_by(t, -height);
		return true;
	case KEY_NPAGE:
		move_by(t, height);
		return true;
	case KEY_HOME:
	case 'g':
		move_by(t, -all);
		return true;
	case KEY_END:
	case 'G':
		move_by(t, all);
		return true;
	case KEY_MOUSE:
		on_mouse(t);
		return true;
	case 'p':
	case ' ':
		headway_top_pause(&t->model, !t->model.paused);
		return true;
	case '?':
	case 'h':
	case KEY_F(1):
		open_help(t);
		return true;
	case 'l':
		open_log(t);
		return true;
	case CTRL_L:
		headway_top_screen_repaint();
		return true;
	default:
		return false;
	}
}

void headway_top_keys(struct headway_top *t)
{
	int key;

	while ((key = getch()) != ERR && !t->ended) {
		t->message[0] = '\0';
		if (t->prompt != HEADWAY_TOP_NO_PROMPT)
			on_prompt_key(t, key);
		else if (on_common_key(t, key))
			continue;
		else if (t->mode == HEADWAY_TOP_LIST)
			on_list_key(t, key);
		else
			on_page_key(t, key);
	}
}

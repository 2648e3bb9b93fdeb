// SPDX-License-Identifier: GPL-2.0
/*
 * top_screen.c - the terminal, through ncurses. See top_screen.h.
 *
 * Invariants: nothing depends on colour alone, so a terminal without it, or a user who said
 * NO_COLOR, misses nothing; only printable characters are sent.
 */
#define _GNU_SOURCE
#include "top_screen.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <unistd.h>
#include <wchar.h>

enum { ESCAPE_MS = 100 };

static struct {
	bool on;
	bool utf8;
	bool color;
	SCREEN *screen;
} term;

/* Terminals of hardware, and those that say of themselves that they are nothing more. */
static bool is_plain_terminal(const char *name)
{
	static const char *const plain[] = { "vt", "dumb", "ansi", "linux-m" };

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (!strncmp(name, plain[i], strlen(plain[i])))
			return true;
	return false;
}

static void choose_colors(void)
{
	static const struct {
		short pair;
		short color;
	} colors[] = {
		/* Apart also for those who do not tell red from green. */
		{ HEADWAY_TINT_BAD, COLOR_RED }, { HEADWAY_TINT_WARN, COLOR_YELLOW },
		{ HEADWAY_TINT_GOOD, COLOR_CYAN },
	};

	term.color = headway_table_color(stdout) && has_colors() && start_color() == OK &&
		     use_default_colors() == OK;
	for (size_t i = 0; term.color && i < sizeof(colors) / sizeof(colors[0]); i++)
		init_pair(colors[i].pair, colors[i].color, -1);
}

int headway_top_screen_begin(bool ascii, char *why, size_t len)
{
	const char *name = getenv("TERM");
	int err;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		snprintf(why, len, "this is no terminal: use `headway watch`, or `headway stat -i`");
		return -ENOTTY;
	}
	setlocale(LC_CTYPE, "");
	if (setupterm(NULL, STDOUT_FILENO, &err) != OK || !cursor_address) {
		snprintf(why, len, "the terminal '%.32s' (TERM) is not known to place its cursor: "
			 "use `headway watch`, or TERM=vt100 if it does", name ? name : "");
		return -EOPNOTSUPP;
	}
	term.screen = newterm(NULL, stdout, stdin);
	if (!term.screen) {
		snprintf(why, len, "cannot use the terminal '%.32s' (TERM): use `headway watch`",
			 name ? name : "");
		return -EOPNOTSUPP;
	}
	set_term(term.screen);
	term.on = true;
	term.utf8 = !ascii && !strcmp(nl_langinfo(CODESET), "UTF-8") &&
		    !is_plain_terminal(name ? name : "");
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL);
	mouseinterval(0);
	choose_colors();
	return 0;
}

void headway_top_screen_end(void)
{
	if (!term.on)
		return;
	term.on = false;
	endwin();
	delscreen(term.screen);
	term.screen = NULL;
}

bool headway_top_screen_is_on(void)
{
	return term.on;
}

bool headway_top_screen_utf8(void)
{
	return term.utf8;
}

void headway_top_screen_size(int *height, int *width)
{
	struct winsize size;

	/* A serial line knows no size: then what terminfo says. */
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col &&
	    is_term_resized(size.ws_row, size.ws_col))
		resizeterm(size.ws_row, size.ws_col);
	*height = LINES;
	*width = COLS;
}

void headway_top_screen_clear(void)
{
	erase();
}

void headway_top_screen_refresh(void)
{
	refresh();
}

void headway_top_screen_repaint(void)
{
	clearok(stdscr, TRUE);
}

static int attributes(enum headway_tint tint, unsigned int style)
{
	int attr = A_NORMAL;

	if (style & HEADWAY_TOP_BOLD || tint == HEADWAY_TINT_BAD)
		attr |= A_BOLD;
	if (style & HEADWAY_TOP_REVERSE)
		attr |= A_REVERSE;
	if (tint == HEADWAY_TINT_DIM && term.color && !(style & HEADWAY_TOP_REVERSE))
		attr |= A_DIM;
	if (term.color && (tint == HEADWAY_TINT_BAD || tint == HEADWAY_TINT_WARN ||
			   tint == HEADWAY_TINT_GOOD))
		attr |= COLOR_PAIR(tint);
	return attr;
}

/* One character of the text: how many bytes it has, and how wide it is. */
static size_t next_character(const char *text, int *wide)
{
	mbstate_t state;
	wchar_t c;
	size_t n;

	memset(&state, 0, sizeof(state));
	n = mbrtowc(&c, text, MB_CUR_MAX, &state);
	*wide = n == (size_t)-1 || n == (size_t)-2 ? -1 : wcwidth(c);
	return *wide < 0 ? 1 : n;
}

/* The rest of a character that is not drawn as it is. */
static size_t rest_of(const char *text)
{
	size_t n = 0;

	while (((unsigned char)text[n] & 0xc0) == 0x80)
		n++;
	return n;
}

int headway_top_put(int y, int x, int width, const char *text, enum headway_tint tint,
		    unsigned int style, bool pad)
{
	int at = 0, wide;

	if (width <= 0 || move(y, x) != OK)
		return 0;
	attrset(attributes(tint, style));
	while (*text && at < width) {
		size_t n = next_character(text, &wide);

		if (wide < 0 || (!term.utf8 && (unsigned char)*text >= 0x80)) {
			addch('?');
			wide = 1;
			n = 1 + rest_of(text + 1);
		} else if (at + wide <= width) {
			addnstr(text, (int)n);
		} else {
			break;
		}
		at += wide;
		text += n;
	}
	while (pad && at < width) {
		addch(' ');
		at++;
	}
	attrset(A_NORMAL);
	return at;
}

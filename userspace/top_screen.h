/* SPDX-License-Identifier: GPL-2.0 */
/*
 * top_screen.h - the terminal, through ncurses: the only files that know it are top_screen.c and
 * top_keys.c.
 */
#ifndef HEADWAY_TOP_SCREEN_H
#define HEADWAY_TOP_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "table.h"

enum headway_top_style {
	HEADWAY_TOP_PLAIN = 0,
	HEADWAY_TOP_BOLD = 1,
	HEADWAY_TOP_REVERSE = 2,
};

/*
 * 0, or a negative errno with a sentence in WHY: not a terminal, or one that cannot place its
 * cursor. ascii: nothing but ASCII is drawn, whatever the locale says.
 */
int headway_top_screen_begin(bool ascii, char *why, size_t len);
/* Gives the terminal back as it was; may be called without _begin, and twice. */
void headway_top_screen_end(void);
bool headway_top_screen_is_on(void);
bool headway_top_screen_utf8(void);
/* Rows and columns now; follows a terminal that was resized. */
void headway_top_screen_size(int *height, int *width);
/* Between them, the picture is drawn anew; what has not changed is not sent. */
void headway_top_screen_clear(void);
void headway_top_screen_refresh(void);
/* Send all of it again: something else wrote to the terminal. */
void headway_top_screen_repaint(void);
/*
 * Text from column x on, cut to `width` columns, padded with blanks when pad. Returns how many
 * columns were written. What cannot be drawn is a '?'.
 */
int headway_top_put(int y, int x, int width, const char *text, enum headway_tint tint,
		    unsigned int style, bool pad);

#endif /* HEADWAY_TOP_SCREEN_H */

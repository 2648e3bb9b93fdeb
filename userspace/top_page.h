/* SPDX-License-Identifier: GPL-2.0 */
/*
 * top_page.h - a page of `headway top`: lines of text, made from what is known, drawn elsewhere.
 * PURE.
 *
 * Text is UTF-8 and printable; whoever adds a name from outside escapes it first.
 */
#ifndef HEADWAY_TOP_PAGE_H
#define HEADWAY_TOP_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "table.h"

enum headway_top_line_kind {
	HEADWAY_TOP_TEXT,
	HEADWAY_TOP_SECTION,		/* a heading; one can go from one to the next */
	HEADWAY_TOP_HEAD,		/* of a table */
};

struct headway_top_line {
	char *text;
	enum headway_top_line_kind kind;
	enum headway_tint tint;
};

struct headway_top_page {
	size_t nr;
	size_t room;
	struct headway_top_line *lines;
	size_t first;			/* that is drawn: kept when the page is made anew */
	bool utf8;			/* may more than ASCII be drawn? */
	int width;			/* sentences go on in the next line there; 0: never */
	bool failed;			/* out of memory: lines are missing */
};

/* Takes all lines away. */
void headway_top_page_clear(struct headway_top_page *p);
void headway_top_page_free(struct headway_top_page *p);
void headway_top_line(struct headway_top_page *p, enum headway_tint tint, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* An empty line and the heading. */
void headway_top_section(struct headway_top_page *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void headway_top_table_head(struct headway_top_page *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* A table, which is freed. */
void headway_top_add_table(struct headway_top_page *p, struct headway_table *table);
/* A text of several lines, headings without a blank before them; the long ones are broken. */
void headway_top_text(struct headway_top_page *p, const char *text);
/* A bar of `width` columns, of which a share is filled. Returns out. */
const char *headway_top_bar(const struct headway_top_page *p, double share, int width, char *out,
			    size_t len);
/* So many lines are drawn; by: lines. */
void headway_top_page_scroll(struct headway_top_page *p, long by, size_t height);
/* To the next heading, or the one before. */
void headway_top_page_jump(struct headway_top_page *p, int step, size_t height);

/*
 * A histogram of powers of two, of nanoseconds: a line for each bucket from the first to the last.
 */
void headway_top_histogram(struct headway_top_page *p, const uint64_t *buckets, int nr);

/* Who waits for whom, as trees that grow from those who wait for nobody; and cycles. */
struct headway_top_wait {
	uint32_t waiter;		/* any number; equal ones are the same */
	uint32_t holder;
	char how[160];			/* "sleeps on mutex_a", escaped */
};

/* name: of a node; escaped, returns out. */
void headway_top_waits(struct headway_top_page *p, const struct headway_top_wait *waits, size_t nr,
		       const char *(*name)(void *ctx, uint32_t node, char *out, size_t len),
		       void *ctx);

#endif /* HEADWAY_TOP_PAGE_H */

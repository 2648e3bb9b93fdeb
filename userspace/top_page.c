// SPDX-License-Identifier: GPL-2.0
/*
 * top_page.c - a page of `headway top`. PURE. See top_page.h.
 */
#define _GNU_SOURCE
#include "top_page.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "histogram.h"

enum { MAX_LINES = 20000, HISTOGRAM_WIDTH = 40 };

void headway_top_page_clear(struct headway_top_page *p)
{
	for (size_t i = 0; i < p->nr; i++)
		free(p->lines[i].text);
	p->nr = 0;
	p->failed = false;
}

void headway_top_page_free(struct headway_top_page *p)
{
	headway_top_page_clear(p);
	free(p->lines);
	memset(p, 0, sizeof(*p));
}

/* Takes over the text. */
static void add_line(struct headway_top_page *p, enum headway_top_line_kind kind,
		     enum headway_tint tint, char *text)
{
	struct headway_top_line *bigger;

	if (text && p->nr == p->room) {
		bigger = reallocarray(p->lines, p->room ? 2 * p->room : 64, sizeof(*bigger));
		if (bigger) {
			p->lines = bigger;
			p->room = p->room ? 2 * p->room : 64;
		}
	}
	if (!text || p->nr == p->room || p->nr == MAX_LINES) {
		p->failed = true;
		free(text);
		return;
	}
	p->lines[p->nr++] = (struct headway_top_line){ text, kind, tint };
}

__attribute__((format(printf, 1, 0)))
static char *formatted(const char *fmt, va_list ap)
{
	char *text;

	return vasprintf(&text, fmt, ap) < 0 ? NULL : text;
}

void headway_top_line(struct headway_top_page *p, enum headway_tint tint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(p, HEADWAY_TOP_TEXT, tint, formatted(fmt, ap));
	va_end(ap);
}

void headway_top_section(struct headway_top_page *p, const char *fmt, ...)
{
	va_list ap;

	if (p->nr)
		add_line(p, HEADWAY_TOP_TEXT, HEADWAY_TINT_NONE, strdup(""));
	va_start(ap, fmt);
	add_line(p, HEADWAY_TOP_SECTION, HEADWAY_TINT_NONE, formatted(fmt, ap));
	va_end(ap);
}

void headway_top_table_head(struct headway_top_page *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_line(p, HEADWAY_TOP_HEAD, HEADWAY_TINT_DIM, formatted(fmt, ap));
	va_end(ap);
}

static void add_lines(struct headway_top_page *p, const char *before, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		headway_top_line(p, HEADWAY_TINT_NONE, "%s%.*s", before, (int)len, text);
		text += len + (text[len] == '\n');
	}
}

/* So many bytes take at most so many columns, and end at a blank if there is one. */
static size_t fitting(const char *text, size_t len, size_t columns)
{
	size_t blank = 0, used = 0, i;

	for (i = 0; i < len; i++) {
		/* What goes on with a character takes no column. */
		used += ((unsigned char)text[i] & 0xc0) != 0x80;
		if (text[i] == ' ' && i)
			blank = i;
		if (used > columns)
			return blank ? blank : i;
	}
	return len;
}

/* What does not fit goes on below, a little further in than the line began. */
static void add_broken(struct headway_top_page *p, const char *line, size_t len)
{
	size_t begin = strspn(line, " "), in, fits;

	if (begin > len)
		begin = len;
	in = begin + 2;
	fits = begin + fitting(line + begin, len - begin, (size_t)p->width - begin);
	headway_top_line(p, HEADWAY_TINT_NONE, "%.*s", (int)fits, line);
	while (fits < len) {
		line += fits;
		len -= fits;
		begin = strspn(line, " ");
		if (begin >= len)
			return;
		line += begin;
		len -= begin;
		fits = fitting(line, len, (size_t)p->width - in);
		headway_top_line(p, HEADWAY_TINT_NONE, "%*s%.*s", (int)in, "", (int)fits, line);
	}
}

void headway_top_text(struct headway_top_page *p, const char *text)
{
	/* Where there is hardly room for a word, it is better cut. */
	if (p->width < 40) {
		add_lines(p, "", text);
		return;
	}
	while (*text) {
		size_t len = strcspn(text, "\n");

		add_broken(p, text, len);
		text += len + (text[len] == '\n');
	}
}

void headway_top_add_table(struct headway_top_page *p, struct headway_table *table)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	/* What is printed there is freed as well. */
	if (!f || headway_table_print(table, f, false))
		p->failed = true;
	if (f && fclose(f))
		p->failed = true;
	if (text)
		add_lines(p, "  ", text);
	free(text);
}

const char *headway_top_bar(const struct headway_top_page *p, double share, int width, char *out,
			    size_t len)
{
	static const char *const full = "\u2588", *const part[] = {
		"", "\u258f", "\u258e", "\u258d", "\u258c", "\u258b", "\u258a", "\u2589",
	};
	int eighths, used = 0;

	share = share < 0 ? 0 : share > 1 ? 1 : share;
	eighths = (int)(share * width * 8 + 0.5);
	/* Whatever there is, is seen. */
	if (share > 0 && !eighths)
		eighths = 1;
	out[0] = '\0';
	for (int i = 0; i < width && (size_t)used + 4 < len; i++) {
		int here = eighths - 8 * i;

		if (here <= 0)
			break;
		if (p->utf8)
			used += snprintf(out + used, len - (size_t)used, "%s",
					 here >= 8 ? full : part[here]);
		else if (here >= 4 || !i)
			used += snprintf(out + used, len - (size_t)used, "#");
	}
	return out;
}

void headway_top_page_scroll(struct headway_top_page *p, long by, size_t height)
{
	long last = (long)p->nr > (long)height ? (long)(p->nr - height) : 0;
	long first = (long)p->first + by;

	if (first > last)
		first = last;
	p->first = first > 0 ? (size_t)first : 0;
}

void headway_top_page_jump(struct headway_top_page *p, int step, size_t height)
{
	long i = (long)p->first + step;

	while (i > 0 && i < (long)p->nr && p->lines[i].kind != HEADWAY_TOP_SECTION)
		i += step;
	headway_top_page_scroll(p, i - (long)p->first, height);
}

/* --- histograms ------------------------------------------------------------------------------- */

void headway_top_histogram(struct headway_top_page *p, const uint64_t *buckets, int nr)
{
	char bar[4 * HISTOGRAM_WIDTH + 1], range[64];
	int first = nr, last = -1;
	uint64_t most = 0;

	for (int i = 0; i < nr; i++) {
		if (!buckets[i])
			continue;
		first = i < first ? i : first;
		last = i;
		most = buckets[i] > most ? buckets[i] : most;
	}
	for (int i = first; i <= last; i++)
		headway_top_line(p, HEADWAY_TINT_NONE, "  %s %10" PRIu64 "  %s",
				 headway_histogram_range(i, range, sizeof(range)), buckets[i],
				 headway_top_bar(p, (double)buckets[i] / (double)most,
						 HISTOGRAM_WIDTH, bar, sizeof(bar)));
}

// SPDX-License-Identifier: GPL-2.0
/*
 * report_html.c - a report as one page of HTML, which needs nothing else.
 *
 * Invariant: of what comes from the target, nothing but text can get into the page: it travels as
 * JSON in which no character is left that HTML knows, the page's script shows it with textContent,
 * and the page's policy lets no other script run and nothing be loaded.
 */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "report_out.h"

/* report_page.S */
extern const char headway_page_head[], headway_page_head_end[];
extern const char headway_page_tail[], headway_page_tail_end[];

/* All of these stand in strings, where JSON lets any character be written as a number. */
static void put_json(FILE *out, const char *text)
{
	size_t plain;

	for (; *text; text += plain) {
		plain = strcspn(text, "<>&\xe2");
		fwrite(text, 1, plain, out);
		text += plain;
		plain = 1;
		if (!*text)
			break;
		if (!strncmp(text, "\xe2\x80\xa8", 3) || !strncmp(text, "\xe2\x80\xa9", 3)) {
			fprintf(out, "\\u202%d", text[2] & 1 ? 9 : 8);
			plain = 3;
		} else if (*text == '<' || *text == '>' || *text == '&') {
			fprintf(out, "\\u%04x", *text);
		} else {
			putc(*text, out);
		}
	}
}

int headway_report_page(FILE *out, const struct headway_report_view *v)
{
	size_t head = (size_t)(headway_page_head_end - headway_page_head);
	size_t tail = (size_t)(headway_page_tail_end - headway_page_tail);
	struct json_object *o;
	const char *text;

	if (!head || !tail)
		return -ENOSYS;
	o = headway_report_json(v);
	text = o ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
						     JSON_C_TO_STRING_NOSLASHESCAPE) : NULL;
	if (text) {
		fwrite(headway_page_head, 1, head, out);
		put_json(out, text);
		fwrite(headway_page_tail, 1, tail, out);
	}
	json_object_put(o);
	if (!text)
		return -ENOMEM;
	return fflush(out) || ferror(out) ? -EIO : 0;
}

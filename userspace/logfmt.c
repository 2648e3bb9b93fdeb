// SPDX-License-Identifier: GPL-2.0
/*
 * logfmt.c - PURE: the text format of headway.ko's debugfs files. See logfmt.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logfmt.h"

static bool is_label_char(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

/* Splits WORD at its `=`; false when it is not exactly label=value. */
static bool parse_word(char *word, size_t len, struct headway_field *field)
{
	size_t i = 0, value;

	while (i < len && is_label_char(word[i]))
		i++;
	if (i == 0 || i == len || word[i] != '=')
		return false;
	value = i + 1;
	if (value == len)
		return false;
	for (size_t j = value; j < len; j++)
		if (word[j] <= ' ' || word[j] > '~' || word[j] == '=')
			return false;
	word[i] = '\0';
	word[len] = '\0';		/* the separator, or the byte that parse() appended */
	field->label = word;
	field->value = word + value;
	return true;
}

/* Room for one more element of SIZE; doubles. */
static int grow(void *array, size_t nr, size_t size)
{
	void **p = array, *bigger;

	if (nr & (nr - 1))		/* grows at 0 and at powers of two */
		return 0;
	bigger = reallocarray(*p, nr ? 2 * nr : 1, size);
	if (!bigger)
		return -ENOMEM;
	*p = bigger;
	return 0;
}

static int parse_line(struct headway_text *text, char *line, size_t len, bool cut)
{
	size_t first = text->nr_fields, i = 0;

	while (i < len) {
		size_t start = i;

		if (line[i] == ' ') {
			i++;
			continue;
		}
		while (i < len && line[i] != ' ')
			i++;
		if (grow(&text->fields, text->nr_fields, sizeof(*text->fields)))
			return -ENOMEM;
		/* A word that the end of the file cut off may be a prefix: commits=12 of 1234. */
		if ((cut && i == len) ||
		    !parse_word(line + start, i - start, &text->fields[text->nr_fields]))
			text->garbled++;
		else
			text->nr_fields++;
		i++;			/* past the separator, which may now be a NUL */
	}
	if (text->nr_fields == first)
		return 0;
	if (grow(&text->records, text->nr_records, sizeof(*text->records)))
		return -ENOMEM;
	text->records[text->nr_records++].nr = text->nr_fields - first;
	return 0;
}

void headway_copy_printable(char *to, size_t size, const char *from, size_t len)
{
	size_t i;

	for (i = 0; i < len && i + 1 < size; i++)
		to[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
	to[i] = '\0';
}

int headway_text_parse(struct headway_text *text, const char *file, const void *data, size_t len)
{
	char expected[sizeof(text->header)];
	size_t pos, first = 0;
	const char *end;

	memset(text, 0, sizeof(*text));
	end = len ? memchr(data, '\n', len) : NULL;
	pos = end ? (size_t)(end - (const char *)data) : len;
	headway_copy_printable(text->header, sizeof(text->header), data, pos);
	snprintf(expected, sizeof(expected), "# headway.%s v%d", file, HEADWAY_LOGFMT_VERSION);
	if (!end || strlen(expected) != pos || memcmp(data, expected, pos))
		return -EPROTO;

	text->buf = malloc(len + 1);
	if (!text->buf)
		return -ENOMEM;
	memcpy(text->buf, data, len);
	text->buf[len] = '\0';
	for (pos++; pos < len;) {
		char *line = text->buf + pos;
		char *newline = memchr(line, '\n', len - pos);
		size_t n = newline ? (size_t)(newline - line) : len - pos;

		if (*line != '#' && parse_line(text, line, n, !newline)) {
			headway_text_free(text);
			return -ENOMEM;
		}
		pos += n + 1;
	}
	/* Only now do the fields stay where they are. */
	for (size_t i = 0; i < text->nr_records; i++) {
		text->records[i].fields = text->fields + first;
		first += text->records[i].nr;
	}
	return 0;
}

void headway_text_free(struct headway_text *text)
{
	free(text->records);
	free(text->fields);
	free(text->buf);
	memset(text, 0, sizeof(*text));
}

struct headway_record headway_text_all(const struct headway_text *text)
{
	return (struct headway_record){ .fields = text->fields, .nr = text->nr_fields };
}

const char *headway_record_get(const struct headway_record *record, const char *label)
{
	for (size_t i = 0; i < record->nr; i++)
		if (!strcmp(record->fields[i].label, label))
			return record->fields[i].value;
	return NULL;
}

bool headway_record_u64(const struct headway_record *record, const char *label, uint64_t *value)
{
	const char *s = headway_record_get(record, label);
	uint64_t n = 0;

	*value = 0;
	if (!s || !*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || __builtin_mul_overflow(n, 10u, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*s - '0'), &n))
			return false;
	}
	*value = n;
	return true;
}

uint64_t headway_number(const struct headway_record *record, const char *label)
{
	uint64_t value;

	headway_record_u64(record, label, &value);
	return value;
}

bool headway_record_s64(const struct headway_record *record, const char *label, int64_t *value)
{
	const char *s = headway_record_get(record, label);
	bool negative = s && *s == '-';
	struct headway_field field = { .label = label, .value = negative ? s + 1 : s };
	struct headway_record one = { .fields = &field, .nr = 1 };
	uint64_t n;

	*value = 0;
	if (!s || !headway_record_u64(&one, label, &n) || n > INT64_MAX)
		return false;
	*value = negative ? -(int64_t)n : (int64_t)n;
	return true;
}

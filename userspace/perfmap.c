// SPDX-License-Identifier: GPL-2.0
/*
 * perfmap.c - names of code that was compiled while the program ran. PURE.
 */
#include "perfmap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct code {
	uint64_t start;
	uint64_t end;
	const char *name;		/* in the text; of two with one start the later is higher */
};

struct headway_perfmap {
	char *text;
	size_t nr;
	struct code *codes;		/* sorted by start, then by place in the text */
};

static int by_start(const void *pa, const void *pb)
{
	const struct code *a = pa, *b = pb;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return (a->name > b->name) - (a->name < b->name);
}

/* One line, which ends in a NUL. False: it is none of ours. */
static bool parse_line(char *line, struct code *out)
{
	uint64_t start, size;
	char *end;

	start = strtoull(line, &end, 16);
	if (end == line || *end != ' ')
		return false;
	line = end + 1;
	size = strtoull(line, &end, 16);
	if (end == line || *end != ' ' || !end[1] || !size || start + size < start)
		return false;
	*out = (struct code){ start, start + size, end + 1 };
	return true;
}

struct headway_perfmap *headway_perfmap_parse(char *text, size_t len)
{
	struct headway_perfmap *m = calloc(1, sizeof(*m));
	size_t lines = 1;

	text[len] = '\0';
	for (size_t i = 0; i < len && lines < HEADWAY_PERFMAP_NAMES; i++)
		lines += text[i] == '\n';
	if (m)
		m->codes = calloc(lines, sizeof(*m->codes));
	if (!m || !m->codes) {
		free(m);
		free(text);
		return NULL;
	}
	m->text = text;
	for (char *line = text, *next; line && m->nr < lines; line = next) {
		next = memchr(line, '\n', len - (size_t)(line - text));
		if (next)
			*next++ = '\0';
		m->nr += (size_t)parse_line(line, &m->codes[m->nr]);
	}
	if (m->nr)
		qsort(m->codes, m->nr, sizeof(*m->codes), by_start);
	return m;
}

const char *headway_perfmap_at(const struct headway_perfmap *m, uint64_t addr, uint64_t *offset)
{
	size_t lo = 0, hi = m ? m->nr : 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (m->codes[mid].start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || addr >= m->codes[lo - 1].end)
		return NULL;
	*offset = addr - m->codes[lo - 1].start;
	return m->codes[lo - 1].name;
}

void headway_perfmap_free(struct headway_perfmap *m)
{
	if (!m)
		return;
	free(m->codes);
	free(m->text);
	free(m);
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * perfmap.h - names of code that was compiled while the program ran: /tmp/perf-PID.map, which
 * Java, node, Python and others write for perf(1).
 */
#ifndef HEADWAY_PERFMAP_H
#define HEADWAY_PERFMAP_H

#include <stddef.h>
#include <stdint.h>

struct headway_perfmap;

enum {
	HEADWAY_PERFMAP_MAX = 8 * 1024 * 1024,	/* bytes; larger files are not read */
	HEADWAY_PERFMAP_NAMES = 128 * 1024,	/* the first ones */
};

/**
 * headway_perfmap_parse() - take the lines "START SIZE NAME", numbers in hex, of such a file.
 * @text: from malloc(), with room for one byte more than @len; belongs to the map afterwards.
 *
 * The text is the target's: lines that are anything else are left out.
 * Return: NULL when there is no memory; @text is freed then.
 */
struct headway_perfmap *headway_perfmap_parse(char *text, size_t len);

/**
 * headway_perfmap_at() - the name of what was compiled to an address.
 * @offset: set to the distance from its start.
 *
 * Where memory was used again the later line counts.
 * Return: NULL when nothing covers it; hostile until an output escapes it.
 */
const char *headway_perfmap_at(const struct headway_perfmap *m, uint64_t addr, uint64_t *offset);

void headway_perfmap_free(struct headway_perfmap *m);

#endif /* HEADWAY_PERFMAP_H */

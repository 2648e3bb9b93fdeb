// SPDX-License-Identifier: GPL-2.0
/*
 * stat_rates.c - rates of `headway stat -i`. PURE. See stat_rates.h.
 *
 * Invariant: counters that went back were reset, and then the interval says nothing.
 */
#define _GNU_SOURCE
#include "stat_rates.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct sample {
	char *name;
	uint64_t at_ns;			/* 0: it is new */
	uint64_t counts[HEADWAY_STAT_COUNTS];
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct sample *)a)->name, ((const struct sample *)b)->name);
}

static void free_sample(void *p)
{
	struct sample *s = p;

	free(s->name);
	free(s);
}

/* The one of this name, or a new one; NULL: no memory. */
static struct sample *sample_of(struct headway_stat_samples *s, const char *name)
{
	struct sample key = { .name = (char *)name }, *new;
	void *found = tfind(&key, &s->tree, compare);

	if (found)
		return *(struct sample **)found;
	new = calloc(1, sizeof(*new));
	if (!new)
		return NULL;
	new->name = strdup(name);
	if (new->name && tsearch(new, &s->tree, compare))
		return new;
	free_sample(new);
	return NULL;
}

struct headway_stat_rates headway_stat_rate(struct headway_stat_samples *s, const char *name,
					    uint64_t now_ns,
					    const uint64_t counts[HEADWAY_STAT_COUNTS])
{
	struct headway_stat_rates r = { 0 };
	struct sample *last = sample_of(s, name);

	if (!last)
		return r;
	r.known = last->at_ns && now_ns > last->at_ns;
	r.over_s = r.known ? (double)(now_ns - last->at_ns) / 1e9 : 0;
	for (int i = 0; i < HEADWAY_STAT_COUNTS; i++) {
		r.known &= counts[i] >= last->counts[i];
		r.grown[i] = counts[i] - last->counts[i];
		r.per_s[i] = r.known ? (double)r.grown[i] / r.over_s : 0;
	}
	last->at_ns = now_ns;
	memcpy(last->counts, counts, sizeof(last->counts));
	return r;
}

void headway_stat_samples_free(struct headway_stat_samples *s)
{
	tdestroy(s->tree, free_sample);
	s->tree = NULL;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * mutexes.c - futex words that were once seen to be locks with an owner. PURE.
 */
#include "mutexes.h"

#include <string.h>

/* Index of the word, or of the place where it belongs. */
static size_t place_of(const struct headway_mutexes *m, uint32_t tgid, uint64_t addr)
{
	size_t lo = 0, hi = m->nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct headway_mutex_word *w = &m->words[mid];

		if (w->tgid < tgid || (w->tgid == tgid && w->addr < addr))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool headway_mutexes_know(const struct headway_mutexes *m, uint32_t tgid, uint64_t addr)
{
	size_t i = place_of(m, tgid, addr);

	return i < m->nr && m->words[i].tgid == tgid && m->words[i].addr == addr;
}

static void drop(struct headway_mutexes *m, size_t i)
{
	memmove(&m->words[i], &m->words[i + 1], (m->nr - i - 1) * sizeof(m->words[0]));
	m->nr--;
}

static void drop_oldest(struct headway_mutexes *m)
{
	size_t oldest = 0;

	for (size_t i = 1; i < m->nr; i++)
		if (m->words[i].seen_ns < m->words[oldest].seen_ns)
			oldest = i;
	drop(m, oldest);
}

void headway_mutexes_note(struct headway_mutexes *m, uint32_t tgid, uint64_t addr,
			  uint64_t now_ns)
{
	size_t i;

	if (!headway_mutexes_know(m, tgid, addr)) {
		if (m->nr == HEADWAY_MUTEXES_MAX)
			drop_oldest(m);
		i = place_of(m, tgid, addr);
		memmove(&m->words[i + 1], &m->words[i], (m->nr - i) * sizeof(m->words[0]));
		m->nr++;
	} else {
		i = place_of(m, tgid, addr);
	}
	m->words[i] = (struct headway_mutex_word){
		.addr = addr, .tgid = tgid, .seen_ns = now_ns,
	};
}

void headway_mutexes_forget(struct headway_mutexes *m, uint64_t before_ns)
{
	size_t out = 0;

	for (size_t i = 0; i < m->nr; i++)
		if (m->words[i].seen_ns >= before_ns)
			m->words[out++] = m->words[i];
	m->nr = out;
}

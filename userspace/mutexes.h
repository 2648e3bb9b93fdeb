/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mutexes.h - futex words that were once seen to be locks with an owner. PURE.
 *
 * Whether a word is a mutex shows only while somebody sleeps on it, and a snapshot may find nobody
 * there. What was seen is remembered for a while, but not for ever: memory is used again.
 */
#ifndef HEADWAY_MUTEXES_H
#define HEADWAY_MUTEXES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HEADWAY_MUTEXES_MAX = 4096 };

struct headway_mutex_word {
	uint64_t addr;
	uint64_t seen_ns;
	uint32_t tgid;
};

struct headway_mutexes {
	size_t nr;
	struct headway_mutex_word words[HEADWAY_MUTEXES_MAX];	/* sorted by (tgid, addr) */
};

/* When it is full, the word seen longest ago makes room. */
void headway_mutexes_note(struct headway_mutexes *m, uint32_t tgid, uint64_t addr,
			  uint64_t now_ns);
bool headway_mutexes_know(const struct headway_mutexes *m, uint32_t tgid, uint64_t addr);
/* Forgets what was not seen since. */
void headway_mutexes_forget(struct headway_mutexes *m, uint64_t before_ns);

#endif /* HEADWAY_MUTEXES_H */

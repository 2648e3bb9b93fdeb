/* SPDX-License-Identifier: GPL-2.0 */
/*
 * elfsites.h - where in an ELF file a uprobe belongs: symbols and USDT notes, as file offsets.
 */
#ifndef HEADWAY_ELFSITES_H
#define HEADWAY_ELFSITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "marker.h"

struct headway_site {
	uint64_t offset;		/* in the file */
	uint64_t semaphore;		/* offset of a USDT reference counter, 0 none */
};

/* A marker is one place, or a few: a function that was inlined, or static in several files. */
enum { HEADWAY_SITES_MAX = 64 };

/*
 * Each returns the number of sites, or -ENOENT (not there; `near` has what is similar), -ENODATA
 * (the file has no symbols, or no notes, at all), -ENOEXEC (no ELF file) or what open() said.
 * More than HEADWAY_SITES_MAX are -E2BIG. `near` may be NULL.
 */
int headway_elf_symbol(const char *path, const char *name, struct headway_site *sites,
		       struct headway_near *near);
int headway_elf_usdt(const char *path, const char *provider, const char *name,
		     struct headway_site *sites, struct headway_near *near);
/* Every USDT note of a provider; stops when take() returns something else than 0. */
int headway_elf_notes(const char *path, const char *provider,
		      int (*take)(void *arg, const char *name, const struct headway_site *site),
		      void *arg);
/* The same place, or the instruction behind it, whichever is cheaper to probe. */
uint64_t headway_elf_cheap_entry(const char *path, uint64_t offset);

#endif /* HEADWAY_ELFSITES_H */

// SPDX-License-Identifier: GPL-2.0
// links: userspace/elfsites.c userspace/marker.c
// libs: -lelf
/*
 * elf_fuzz.c - an ELF file from a stranger: its symbols and its USDT notes.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "elfsites.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int take(void *arg, const char *name, const struct headway_site *site)
{
	uint64_t *sum = arg;

	*sum += site->offset + (uint8_t)name[0];
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct headway_site sites[HEADWAY_SITES_MAX];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct headway_near near = { .wanted = "main" };
	char path[64], said[512];
	uint64_t sum = 0;

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (headway_elf_symbol(path, "main", sites, &near) > HEADWAY_SITES_MAX)
		abort();
	headway_near_say(&near, said, sizeof(said));
	if (headway_elf_usdt(path, "headway", "progress", sites, NULL) > HEADWAY_SITES_MAX)
		abort();
	headway_elf_notes(path, "headway", take, &sum);
	headway_elf_cheap_entry(path, len ? data[len - 1] : 0);
	close(fd);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * probe_memory.c - how much of the kernel's memory the probes' maps take, all of which is allocated
 * when they are loaded.
 */
#include "probe_internal.h"

#include <stdio.h>

#include "headway.skel.h"

static uint64_t bytes_of(const struct bpf_map *map)
{
	unsigned long long bytes = 0;
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", bpf_map__fd(map));
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f) && sscanf(line, "memlock: %llu", &bytes) != 1)
		;
	fclose(f);
	return bytes;
}

void headway_probe_memory(const struct headway_probe *p, struct headway_probe_memory *m)
{
	const struct bpf_map *map;

	*m = (struct headway_probe_memory){
		.processes = bpf_map__max_entries(p->skel->maps.targets),
		.threads = bpf_map__max_entries(p->skel->maps.threads),
	};
	bpf_object__for_each_map(map, p->skel->obj)
		m->bytes += bytes_of(map);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * rollbacks.bpf.c - an example to copy: counts at which locks the transactions of headway.ko roll
 * back.
 *
 * It is attached to a classic tracepoint, so it needs no BTF of the module, which one that was
 * built by DKMS does not have. Counts only; rollbacks.c prints.
 */
#include <vmlinux.h>
#include <bpf/bpf_helpers.h>

#include "rollbacks.h"

/* As in /sys/kernel/tracing/events/headway/headway_rollback/format. */
struct rollback {
	struct trace_entry common;
	u32 domain;		/* __data_loc: offset in the low 16 bits, length in the high */
	u32 lock;		/* __data_loc */
	u64 key;
	u64 ticket;
	u32 rank;
	u32 restarts;
	u32 nr_held;
	bool wounded;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct place);
	__type(value, struct tally);
} tallies SEC(".maps");

unsigned long long lost;	/* rollbacks at a place for which there was no room */

static void copy_name(char *to, const struct rollback *event, u32 data_loc)
{
	bpf_probe_read_kernel_str(to, NAME_MAX_BYTES, (const char *)event + (data_loc & 0xffff));
}

SEC("tracepoint/headway/headway_rollback")
int count_rollback(const struct rollback *event)
{
	static const struct tally none;
	struct place place = {};
	struct tally *tally;

	copy_name(place.domain, event, event->domain);
	copy_name(place.lock, event, event->lock);
	bpf_map_update_elem(&tallies, &place, &none, BPF_NOEXIST);
	tally = bpf_map_lookup_elem(&tallies, &place);
	if (!tally) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	__sync_fetch_and_add(&tally->rollbacks, 1);
	if (event->wounded)
		__sync_fetch_and_add(&tally->wounded, 1);
	/* Two that meet here may lose the larger one; the next rollback brings it again. */
	if (event->restarts > tally->restarts_max)
		tally->restarts_max = event->restarts;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * times.bpf.h - how long the waits of a process at a word took, in powers of two; only where the
 * loader asks for it, so that a watch that needs none pays nothing.
 *
 * Invariant: several threads write one record, so the increments are atomic.
 */
#ifndef HEADWAY_TIMES_BPF_H
#define HEADWAY_TIMES_BPF_H

#include "target.bpf.h"

/* Set before load. */
const volatile bool wait_histograms;
/* Waits that found no room. */
__u64 times_lost;

/* As large as HEADWAY_MAX_TIMES where it is used: the loader says so. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct headway_times_key);
	__type(value, struct headway_times_rec);
} wait_times SEC(".maps");

static const struct headway_times_rec no_times;

/* The number of the highest bit of NS, 31 at most. */
static __always_inline __u32 times_bucket(__u64 ns)
{
	__u32 v = ns >> HEADWAY_TIMES_BUCKETS ? 0xffffffff : ns, bit = 0, step;

	step = (v > 0xffff) << 4;
	v >>= step;
	bit |= step;
	step = (v > 0xff) << 3;
	v >>= step;
	bit |= step;
	step = (v > 0xf) << 2;
	v >>= step;
	bit |= step;
	step = (v > 0x3) << 1;
	v >>= step;
	bit |= step;
	return (bit | v >> 1) & (HEADWAY_TIMES_BUCKETS - 1);
}

static __always_inline void wait_timed(__u32 tgid, __u64 addr, __u64 ns)
{
	struct headway_times_key key = { .addr = addr, .tgid = tgid };
	struct headway_times_rec *times;

	if (!wait_histograms)
		return;
	times = bpf_map_lookup_elem(&wait_times, &key);
	if (!times) {
		/* Another thread may have been first. */
		bpf_map_update_elem(&wait_times, &key, &no_times, BPF_NOEXIST);
		times = bpf_map_lookup_elem(&wait_times, &key);
	}
	if (times)
		__sync_fetch_and_add(&times->buckets[times_bucket(ns)], 1);
	else
		__sync_fetch_and_add(&times_lost, 1);
}

#endif /* HEADWAY_TIMES_BPF_H */

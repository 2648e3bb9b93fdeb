// SPDX-License-Identifier: GPL-2.0
/*
 * scale.c - one thread takes one of 1 to 1,000,000 locks of a domain, at random; and what a lock
 * costs in memory once it has been in use.
 *
 * The more locks, the fewer of them are in the CPU's caches, whatever kind they are: a mutex in an
 * object of the same size says how much of the growth is that.
 */
#include "peers.h"

#define SCALE_BURST 2048

static u64 scale_lock_bytes;	/* for each lock of the headway pool that was opened last */

static u64 scale_free_bytes(void)
{
	struct sysinfo info;

	si_meminfo(&info);
	return (u64)info.freeram * info.mem_unit;
}

static __always_inline void *scale_object(struct bench_worker *worker, struct bench_pool *pool)
{
	return &pool->objects[((bench_random(&worker->rng) >> 32) * bench_pool) >> 32];
}

static void scale_headway(struct bench_worker *worker, void *state)
{
	struct headway_txn txn;
	unsigned int i;

	for (i = 0; i < SCALE_BURST; i++) {
		worker->set[0] = scale_object(worker, state);
		bench_headway_take(&txn, state, worker->set);
		headway_txn_end(&txn);
	}
}

static void scale_mutex(struct bench_worker *worker, void *state)
{
	unsigned int i;

	for (i = 0; i < SCALE_BURST; i++) {
		worker->set[0] = scale_object(worker, state);
		bench_mutex_take(worker->set);
		bench_mutex_drop(worker->set, 1);
	}
}

/* All of them are taken once, as what a lock needs beyond itself is allocated when it is used. */
static void *scale_open(const struct bench_side *side)
{
	u64 before = scale_free_bytes(), now;
	struct bench_pool *pool = bench_open_headway(side);
	struct headway_txn txn;
	unsigned int i;

	for (i = 0; pool && i < bench_pool; i++) {
		headway_txn_begin(&txn, pool->domain);
		if (headway_lock(&txn, &pool->objects[i].headway))
			WARN_ON_ONCE(1);
		headway_txn_end(&txn);
		bench_give_way();
	}
	now = scale_free_bytes();
	/* Without what makes an object of it here. */
	scale_lock_bytes = before > now ? div_u64(before - now, bench_pool) : 0;
	if (scale_lock_bytes > sizeof(struct bench_object) - sizeof(struct headway_lock))
		scale_lock_bytes -= sizeof(struct bench_object) - sizeof(struct headway_lock);
	return pool;
}

static void scale_tell(void *state, char *text, size_t size)
{
	scnprintf(text, size, "lock_bytes=%zu stats_bytes=%zu used_bytes=%llu",
		  sizeof(struct headway_lock), sizeof(struct headway_lock_stats),
		  scale_lock_bytes);
}

static const struct bench_side scale[] = {
	{
		.name = "headway", .open = scale_open, .close = bench_close_headway,
		.once = scale_headway, .tell = scale_tell, .policy = HEADWAY_POLICY_WOUND_WAIT,
	},
	BENCH_PEER("mutex", mutex, scale_mutex),
	{}
};

const struct bench_op bench_scale = {
	.name = "scale", .sides = scale, .burst = SCALE_BURST,
	.threads = 1, .pool = 1, .locks = 1,
};

// SPDX-License-Identifier: GPL-2.0
/*
 * contended.c - threads take random sets out of one pool, all at once, keep them for a while, and
 * go on: who gets most done, how evenly, and how long does the unluckiest wait?
 *
 * A set is known before it is taken, in random order. Who needs it sorted sorts it, within the time
 * that is measured.
 */
#include "peers.h"

static void **contended_set(struct bench_worker *worker, struct bench_pool *pool)
{
	unsigned int i;

	for (i = 0; i < bench_locks; i++)
		worker->set[i] = &pool->objects[worker->picks[i]];
	return worker->set;
}

static void **contended_set_sorted(struct bench_worker *worker, struct bench_pool *pool)
{
	void **set = contended_set(worker, pool);

	bench_sort_set(set);
	return set;
}

void bench_contended_headway(struct bench_worker *worker, void *state)
{
	struct headway_txn txn;

	bench_headway_take(&txn, state, contended_set(worker, state));
	bench_hold(worker);
	bench_restarted(worker, txn.restarts);
	headway_txn_end(&txn);
}

static void contended_mutex(struct bench_worker *worker, void *state)
{
	void **set = contended_set_sorted(worker, state);

	bench_mutex_take(set);
	bench_hold(worker);
	bench_mutex_drop(set, bench_locks);
}

static void contended_rt_mutex(struct bench_worker *worker, void *state)
{
	void **set = contended_set_sorted(worker, state);

	bench_rt_take(set);
	bench_hold(worker);
	bench_rt_drop(set);
}

static void contended_ww(struct bench_worker *worker, void *state)
{
	void **set = contended_set(worker, state);
	struct ww_acquire_ctx ctx;

	bench_restarted(worker, bench_ww_take(&ctx, set));
	bench_hold(worker);
	bench_ww_end(&ctx, set);
}

static void contended_exec(struct bench_worker *worker, void *state)
{
	struct bench_exec exec;

	bench_restarted(worker, bench_exec_take(&exec, contended_set(worker, state)));
	bench_hold(worker);
	bench_exec_end(&exec);
}

static void contended_try_delay(struct bench_worker *worker, void *state)
{
	void **set = contended_set_sorted(worker, state);

	bench_restarted(worker, bench_try_delay_take(set));
	bench_hold(worker);
	bench_mutex_drop(set, bench_locks);
}

static void contended_try_yield(struct bench_worker *worker, void *state)
{
	void **set = contended_set(worker, state);

	bench_restarted(worker, bench_try_yield_take(set));
	bench_hold(worker);
	bench_mutex_drop(set, bench_locks);
}

static const struct bench_side contended[] = {
	BENCH_HEADWAY("ordered", ORDERED, bench_contended_headway),
	BENCH_PEER("mutex", mutex, contended_mutex),
	BENCH_HEADWAY("wound-wait", WOUND_WAIT, bench_contended_headway),
	BENCH_PEER("ww_mutex", ww, contended_ww),
	BENCH_HEADWAY("wait-die", WAIT_DIE, bench_contended_headway),
	BENCH_HEADWAY("polite", POLITE, bench_contended_headway),
	BENCH_PEER("std-lock", mutex, contended_try_yield),
	BENCH_HEADWAY("adaptive", ADAPTIVE, bench_contended_headway),
	BENCH_PEER("xfs-trylock", mutex, contended_try_delay),
	BENCH_PEER("drm_exec", ww, contended_exec),
	BENCH_PEER("rt_mutex", rt, contended_rt_mutex),
	{}
};

const struct bench_op bench_contended = {
	.name = "contended", .sides = contended, .pick = bench_pick,
	.threads = 4, .pool = 64, .locks = 2, .hold_ns = 0,
};

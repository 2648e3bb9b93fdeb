// SPDX-License-Identifier: GPL-2.0
/*
 * uncontended.c - one thread takes and gives back a set that nobody else wants, over and over.
 *
 * `presorted`: the set is in order, as in a caller that walks a sorted structure. `unsorted`: in
 * random order for headway and ww_mutex; those who cannot do without get it sorted, for free.
 * `incremental`: one by one, with the retry loop that this takes. What is compared is the fastest
 * burst of each round: a burst is longer than the distance of two sampled holds, so that none of
 * what statistics cost is left out.
 */
#include "peers.h"

#define UNCONTENDED_ORDERS (BENCH_UNCONTENDED_SETS - 1)	/* more than a branch predictor learns */

/* worker->set is the set in order, and after it are that many random ones. */
void bench_uncontended_pick(struct bench_worker *worker)
{
	struct bench_pool *pool = worker->run->state;
	void **set = worker->set;
	unsigned int i, n;

	for (i = 0; i < bench_locks; i++)
		set[i] = &pool->objects[i];
	for (n = 0; n < UNCONTENDED_ORDERS; n++) {
		set += bench_locks;
		for (i = 0; i < bench_locks; i++) {
			unsigned int k = ((bench_random(&worker->rng) >> 32) * (i + 1)) >> 32;

			set[i] = set[k];
			set[k] = &pool->objects[i];
		}
	}
}

static __always_inline void **uncontended_order(struct bench_worker *worker, unsigned int i)
{
	return worker->set + (1 + i % UNCONTENDED_ORDERS) * bench_locks;
}

void bench_uncontended_headway(struct bench_worker *worker, void *state)
{
	struct headway_txn txn;
	unsigned int i;

	for (i = 0; i < BENCH_UNCONTENDED_BURST; i++) {
		bench_headway_take(&txn, state, worker->set);
		headway_txn_end(&txn);
	}
}

/* Sorts in place, so the set has to be filled in for each transaction, as a caller would do. */
static void uncontended_headway_unsorted(struct bench_worker *worker, void *state)
{
	struct headway_txn txn;
	unsigned int i, k;

	for (i = 0; i < BENCH_UNCONTENDED_BURST; i++) {
		void **order = uncontended_order(worker, i);

		for (k = 0; k < bench_locks; k++)
			worker->set[k] = order[k];
		bench_headway_take(&txn, state, worker->set);
		headway_txn_end(&txn);
	}
}

static void uncontended_headway_each(struct bench_worker *worker, void *state)
{
	struct bench_pool *pool = state;
	struct headway_txn txn;
	unsigned int i, k;

	for (i = 0; i < BENCH_UNCONTENDED_BURST; i++) {
		headway_txn_begin(&txn, pool->domain);
		headway_txn_until_done(&txn) {
			for (k = 0; k < bench_locks; k++) {
				if (headway_lock(&txn, worker->set[k]))
					headway_txn_retry_on_conflict(&txn);
			}
		}
		headway_txn_end(&txn);
	}
}

static void uncontended_mutex(struct bench_worker *worker, void *state)
{
	unsigned int i;

	for (i = 0; i < BENCH_UNCONTENDED_BURST; i++) {
		bench_mutex_take(worker->set);
		bench_mutex_drop(worker->set, bench_locks);
	}
}

static void uncontended_rt_mutex(struct bench_worker *worker, void *state)
{
	unsigned int i;

	for (i = 0; i < BENCH_UNCONTENDED_BURST; i++) {
		bench_rt_take(worker->set);
		bench_rt_drop(worker->set);
	}
}

static void uncontended_ww(struct bench_worker *worker, void *state)
{
	struct ww_acquire_ctx ctx;
	unsigned int i;

	for (i = 0; i < BENCH_UNCONTENDED_BURST; i++) {
		bench_ww_take(&ctx, worker->set);
		bench_ww_end(&ctx, worker->set);
	}
}

static void uncontended_ww_unsorted(struct bench_worker *worker, void *state)
{
	struct ww_acquire_ctx ctx;
	unsigned int i;

	for (i = 0; i < BENCH_UNCONTENDED_BURST; i++) {
		void **order = uncontended_order(worker, i);

		bench_ww_take(&ctx, order);
		bench_ww_end(&ctx, order);
	}
}

static void uncontended_exec(struct bench_worker *worker, void *state)
{
	struct bench_exec exec;
	unsigned int i;

	for (i = 0; i < BENCH_UNCONTENDED_BURST; i++) {
		bench_exec_take(&exec, worker->set);
		bench_exec_end(&exec);
	}
}

static void uncontended_try_delay(struct bench_worker *worker, void *state)
{
	unsigned int i;

	for (i = 0; i < BENCH_UNCONTENDED_BURST; i++) {
		bench_try_delay_take(worker->set);
		bench_mutex_drop(worker->set, bench_locks);
	}
}

static void uncontended_try_yield(struct bench_worker *worker, void *state)
{
	unsigned int i;

	for (i = 0; i < BENCH_UNCONTENDED_BURST; i++) {
		void **order = uncontended_order(worker, i);

		bench_try_yield_take(order);
		bench_mutex_drop(order, bench_locks);
	}
}

static const struct bench_side presorted[] = {
	BENCH_HEADWAY("wound-wait", WOUND_WAIT, bench_uncontended_headway),
	BENCH_PEER("mutex", mutex, uncontended_mutex),
	BENCH_PEER("ww_mutex", ww, uncontended_ww),
	BENCH_HEADWAY("ordered", ORDERED, bench_uncontended_headway),
	BENCH_PEER("drm_exec", ww, uncontended_exec),
	BENCH_PEER("xfs-trylock", mutex, uncontended_try_delay),
	BENCH_PEER("rt_mutex", rt, uncontended_rt_mutex),
	{}
};

static const struct bench_side unsorted[] = {
	BENCH_HEADWAY("wound-wait", WOUND_WAIT, uncontended_headway_unsorted),
	BENCH_PEER("mutex", mutex, uncontended_mutex),
	BENCH_PEER("ww_mutex", ww, uncontended_ww_unsorted),
	BENCH_HEADWAY("ordered", ORDERED, uncontended_headway_unsorted),
	BENCH_PEER("std-lock", mutex, uncontended_try_yield),
	{}
};

static const struct bench_side incremental[] = {
	BENCH_HEADWAY("wound-wait", WOUND_WAIT, uncontended_headway_each),
	BENCH_PEER("mutex", mutex, uncontended_mutex),
	BENCH_PEER("ww_mutex", ww, uncontended_ww),
	BENCH_HEADWAY("ordered", ORDERED, uncontended_headway_each),
	BENCH_PEER("drm_exec", ww, uncontended_exec),
	{}
};

#define UNCONTENDED(_name) { \
	.name = #_name, .sides = _name, .pick = bench_uncontended_pick, \
	.sets = BENCH_UNCONTENDED_SETS, .burst = BENCH_UNCONTENDED_BURST, \
	.threads = 1, .pool = 64, .locks = 8, \
}

const struct bench_op bench_presorted = UNCONTENDED(presorted);
const struct bench_op bench_unsorted = UNCONTENDED(unsorted);
const struct bench_op bench_incremental = UNCONTENDED(incremental);

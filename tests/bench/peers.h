/* SPDX-License-Identifier: GPL-2.0 */
/*
 * peers.h - ways to take a set of locks and to give it back: headway's, and what people use
 * instead, each in the shape in which its users write it.
 *
 * All are over one kind of object, so that the memory that a contestant walks is no larger than
 * another's, and no two objects share a cache line. A set is set[0..bench_locks): objects, in the
 * order in which its user has them; mutexes, rt_mutexes and try-delay want it sorted by address.
 */
#ifndef HEADWAY_BENCH_PEERS_H
#define HEADWAY_BENCH_PEERS_H

#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rtmutex.h>
#include <linux/slab.h>
#include <linux/ww_mutex.h>

#include "bench.h"

struct bench_object {
	union {
		struct headway_lock headway;	/* first: see bench_headway_take() */
		struct mutex mutex;
		struct rt_mutex rt;
		struct ww_mutex ww;
	};
	struct kref ref;			/* drm_exec's users count references */
} ____cacheline_aligned;

struct bench_pool {
	struct headway_domain *domain;		/* headway's sides only */
	struct bench_object *objects;		/* bench_pool of them */
};

/* peers.c */
extern struct ww_class bench_ww_class;
void *bench_open_headway(const struct bench_side *side);
void *bench_open_mutex(const struct bench_side *side);
void *bench_open_rt(const struct bench_side *side);
void *bench_open_ww(const struct bench_side *side);
void bench_close_headway(void *state);
void bench_close_mutex(void *state);
void bench_close_rt(void *state);
void bench_close_ww(void *state);
void bench_sort_set(void **set);

#define BENCH_HEADWAY(_name, _policy, _once) { \
	.name = _name, .open = bench_open_headway, .close = bench_close_headway, .once = _once, \
	.policy = HEADWAY_POLICY_##_policy, \
}

#define BENCH_PEER(_name, _kind, _once) { \
	.name = _name, .open = bench_open_##_kind, .close = bench_close_##_kind, .once = _once, \
}

/* ---- headway: all at once (one by one: its retry loop cannot be inlined) -------------------- */

/* The lock is the object's first member: the set of objects is a set of locks. */
static __always_inline void bench_headway_take(struct headway_txn *txn, struct bench_pool *pool,
					       void **set)
{
	static_assert(!offsetof(struct bench_object, headway));

	headway_txn_begin(txn, pool->domain);
	if (headway_lock_many(txn, (struct headway_lock **)set, bench_locks))
		WARN_ON_ONCE(1);
}

/* ---- one lock after the other, in order ----------------------------------------------------- */

static __always_inline void bench_mutex_take(void **set)
{
	unsigned int i;

	for (i = 0; i < bench_locks; i++)
		mutex_lock(&((struct bench_object *)set[i])->mutex);
}

static __always_inline void bench_mutex_drop(void **set, unsigned int n)
{
	while (n--)
		mutex_unlock(&((struct bench_object *)set[n])->mutex);
}

static __always_inline void bench_rt_take(void **set)
{
	unsigned int i;

	for (i = 0; i < bench_locks; i++)
		rt_mutex_lock(&((struct bench_object *)set[i])->rt);
}

static __always_inline void bench_rt_drop(void **set)
{
	unsigned int n = bench_locks;

	while (n--)
		rt_mutex_unlock(&((struct bench_object *)set[n])->rt);
}

/* ---- ww_mutex with a context ---------------------------------------------------------------- */

static __always_inline void bench_ww_drop(void **set, unsigned int n)
{
	while (n--)
		ww_mutex_unlock(&((struct bench_object *)set[n])->ww);
}

/* Return: how often it was rolled back. */
static __always_inline u32 bench_ww_take(struct ww_acquire_ctx *ctx, void **set)
{
	unsigned int i, lost = UINT_MAX;
	u32 restarts = 0;

	ww_acquire_init(ctx, &bench_ww_class);
retry:
	for (i = 0; i < bench_locks; i++) {
		struct ww_mutex *ww = &((struct bench_object *)set[i])->ww;

		if (i == lost || likely(!ww_mutex_lock(ww, ctx)))
			continue;
		if (lost != UINT_MAX && lost > i)
			ww_mutex_unlock(&((struct bench_object *)set[lost])->ww);
		bench_ww_drop(set, i);
		lost = i;
		ww_mutex_lock_slow(ww, ctx);
		restarts++;
		goto retry;
	}
	ww_acquire_done(ctx);
	return restarts;
}

static __always_inline void bench_ww_end(struct ww_acquire_ctx *ctx, void **set)
{
	bench_ww_drop(set, bench_locks);
	ww_acquire_fini(ctx);
}

/* ---- the shape of drm_exec: a list of referenced objects, the contended one first ----------- */

struct bench_exec {
	struct ww_acquire_ctx ctx;
	struct bench_object **objects;	/* held; allocated for each transaction */
	unsigned int nr;
	struct bench_object *contended;	/* lost on it; referenced; taken first by the next try */
	struct bench_object *prelocked;	/* taken, and not asked for yet in this try */
	u32 restarts;
};

u32 bench_exec_take(struct bench_exec *exec, void **set);
void bench_exec_end(struct bench_exec *exec);

/* ---- try, give all back, again -------------------------------------------------------------- */

u32 bench_try_delay_take(void **set);
u32 bench_try_yield_take(void **set);

#endif /* HEADWAY_BENCH_PEERS_H */

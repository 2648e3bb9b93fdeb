// SPDX-License-Identifier: GPL-2.0
/*
 * peers.c - pools of objects for each kind of lock, and the longer of the peers of peers.h.
 */
#include <linux/sched.h>

#include "peers.h"

DEFINE_WW_CLASS(bench_ww_class);

static struct bench_pool *bench_new_pool(void)
{
	struct bench_pool *pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	unsigned int i;

	if (!pool)
		return NULL;
	pool->objects = kvcalloc(bench_pool, sizeof(*pool->objects), GFP_KERNEL);
	if (!pool->objects) {
		kfree(pool);
		return NULL;
	}
	for (i = 0; i < bench_pool; i++)
		kref_init(&pool->objects[i].ref);
	return pool;
}

static void bench_free_pool(struct bench_pool *pool)
{
	kvfree(pool->objects);
	kfree(pool);
}

void *bench_open_headway(const struct bench_side *side)
{
	struct bench_pool *pool = bench_new_pool();
	unsigned int i;

	if (!pool)
		return NULL;
	pool->domain = headway_domain_create(side->name, side->policy);
	if (IS_ERR(pool->domain)) {
		bench_free_pool(pool);
		return NULL;
	}
	for (i = 0; i < bench_pool; i++)
		headway_lock_init(&pool->objects[i].headway, pool->domain, 0, 0, "bench");
	return pool;
}

void bench_close_headway(void *state)
{
	struct bench_pool *pool = state;
	unsigned int i;

	for (i = 0; i < bench_pool; i++)
		headway_lock_destroy(&pool->objects[i].headway);
	headway_domain_destroy(pool->domain);
	bench_free_pool(pool);
}

/* A lock class for lockdep for each of them comes with the place of the initialiser. */
#define BENCH_POOL_OF(kind, init, destroy) \
void *bench_open_##kind(const struct bench_side *side) \
{ \
	struct bench_pool *pool = bench_new_pool(); \
	unsigned int i; \
\
	for (i = 0; pool && i < bench_pool; i++) \
		init; \
	return pool; \
} \
\
void bench_close_##kind(void *state) \
{ \
	struct bench_pool *pool = state; \
	unsigned int i; \
\
	for (i = 0; i < bench_pool; i++) \
		destroy; \
	bench_free_pool(pool); \
}

BENCH_POOL_OF(mutex, mutex_init(&pool->objects[i].mutex), mutex_destroy(&pool->objects[i].mutex))
BENCH_POOL_OF(rt, rt_mutex_init(&pool->objects[i].rt), cond_resched())
BENCH_POOL_OF(ww, ww_mutex_init(&pool->objects[i].ww, &bench_ww_class),
	      ww_mutex_destroy(&pool->objects[i].ww))

/* As a user of plain locks would: sets are small. */
void bench_sort_set(void **set)
{
	unsigned int i, j;

	for (i = 1; i < bench_locks; i++) {
		void *object = set[i];

		for (j = i; j && object < set[j - 1]; j--)
			set[j] = set[j - 1];
		set[j] = object;
	}
}

static void bench_object_free(struct kref *ref)
{
	/* The pool has a reference to each. */
	WARN_ON_ONCE(1);
}

static void bench_exec_add(struct bench_exec *exec, struct bench_object *object)
{
	kref_get(&object->ref);
	exec->objects[exec->nr++] = object;
}

static void bench_exec_drop(struct bench_exec *exec)
{
	while (exec->nr) {
		struct bench_object *object = exec->objects[--exec->nr];

		ww_mutex_unlock(&object->ww);
		kref_put(&object->ref, bench_object_free);
	}
	if (exec->prelocked)
		kref_put(&exec->prelocked->ref, bench_object_free);
	exec->prelocked = NULL;
}

static int bench_exec_lock(struct bench_exec *exec, struct bench_object *object)
{
	if (unlikely(exec->contended)) {
		struct bench_object *contended = exec->contended;

		ww_mutex_lock_slow(&contended->ww, &exec->ctx);
		bench_exec_add(exec, contended);
		exec->prelocked = contended;
		exec->contended = NULL;
	}
	if (unlikely(exec->prelocked == object)) {
		kref_put(&object->ref, bench_object_free);
		exec->prelocked = NULL;
		return 0;
	}
	if (unlikely(ww_mutex_lock(&object->ww, &exec->ctx))) {
		kref_get(&object->ref);
		exec->contended = object;
		return -EDEADLK;
	}
	bench_exec_add(exec, object);
	return 0;
}

/* Return: how often it was rolled back. */
u32 bench_exec_take(struct bench_exec *exec, void **set)
{
	u32 restarts = 0;
	unsigned int i;

	/* A page's worth, or what it takes, whatever is more, as there. */
	exec->objects = kvmalloc(max_t(size_t, PAGE_SIZE, bench_locks * sizeof(void *)),
				 GFP_KERNEL | __GFP_NOFAIL);
	exec->nr = 0;
	exec->contended = NULL;
	exec->prelocked = NULL;
	ww_acquire_init(&exec->ctx, &bench_ww_class);
retry:
	for (i = 0; i < bench_locks; i++) {
		if (unlikely(bench_exec_lock(exec, set[i]))) {
			bench_exec_drop(exec);
			restarts++;
			goto retry;
		}
	}
	ww_acquire_done(&exec->ctx);
	return restarts;
}

void bench_exec_end(struct bench_exec *exec)
{
	bench_exec_drop(exec);
	kvfree(exec->objects);
	ww_acquire_fini(&exec->ctx);
}

/* Return: the first of the set, other than @held which is held, that was not free; n = has all. */
static unsigned int bench_try_rest(void **set, unsigned int held)
{
	unsigned int i;

	for (i = 0; i < bench_locks; i++) {
		if (i == held || mutex_trylock(&((struct bench_object *)set[i])->mutex))
			continue;
		if (held > i)
			mutex_unlock(&((struct bench_object *)set[held])->mutex);
		bench_mutex_drop(set, i);
		return i;
	}
	return i;
}

/*
 * What xfs_lock_inodes() does with a sorted set once one of its inodes is in the log: waits for the
 * first, tries the rest, and after every fifth failure sleeps for a tick. Return: failures.
 */
u32 bench_try_delay_take(void **set)
{
	u32 restarts = 0;

	for (;;) {
		mutex_lock(&((struct bench_object *)set[0])->mutex);
		if (bench_try_rest(set, 0) == bench_locks)
			return restarts;
		if (++restarts % 5 == 0)
			schedule_timeout_uninterruptible(1);
	}
}

/*
 * What the C++ libraries' std::lock() does with a set in any order: waits for one, tries the rest;
 * the one that was not free is waited for next. Return: failures.
 */
u32 bench_try_yield_take(void **set)
{
	unsigned int first = 0, lost;
	u32 restarts = 0;

	for (;;) {
		mutex_lock(&((struct bench_object *)set[first])->mutex);
		lost = bench_try_rest(set, first);
		if (lost == bench_locks)
			return restarts;
		first = lost;
		restarts++;
		bench_give_way();
	}
}

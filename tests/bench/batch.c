// SPDX-License-Identifier: GPL-2.0
/*
 * batch.c - each transaction takes 800 of 100,000 locks: headway's policies, and ww_mutex's two.
 *
 * The workload that came with ww_mutex's wound-wait (kernel commit 08295b3b5bee): there wound-wait
 * won with 4 threads on 4 CPUs, wait-die with 16. `batch800` takes the locks one by one in random
 * order with a retry loop, as both interfaces are meant to be used; `batch800_sorted` as one set,
 * which headway sorts and a user of ww_mutex would sort: no deadlock is possible there, so every
 * rollback is for nothing.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/ww_mutex.h>

#include "bench.h"

/* ---- headway ------------------------------------------------------------------------------ */

struct batch {
	struct bench_domain d;
	u64 told[HEADWAY_NR_STATS];	/* counters as of the last batch_tell() */
};

static void batch_close(void *state)
{
	struct batch *batch = state;

	bench_domain_close(&batch->d);
	kfree(batch);
}

static void *batch_open(const struct bench_side *side)
{
	struct batch *batch = kzalloc(sizeof(*batch), GFP_KERNEL);

	if (!batch || !bench_domain_open(&batch->d, side)) {
		kfree(batch);
		return NULL;
	}
	return batch;
}

static void batch_once(struct bench_worker *worker, void *state)
{
	struct batch *batch = state;
	struct headway_txn txn;
	unsigned int i;

	headway_txn_begin(&txn, batch->d.domain);
	headway_txn_until_done(&txn) {
		for (i = 0; i < bench_locks; i++) {
			if (!headway_lock(&txn, &batch->d.locks[worker->picks[i]]))
				worker->acquired++;
			headway_txn_retry_on_conflict(&txn);
		}
	}
	bench_hold(worker);
	bench_restarted(worker, txn.restarts);
	headway_txn_end(&txn);
}

static void batch_once_sorted(struct bench_worker *worker, void *state)
{
	struct headway_lock **set = (struct headway_lock **)worker->set;
	struct batch *batch = state;
	struct headway_txn txn;
	unsigned int i;

	for (i = 0; i < bench_locks; i++)
		set[i] = &batch->d.locks[worker->picks[i]];
	headway_txn_begin(&txn, batch->d.domain);
	if (!headway_lock_many(&txn, set, bench_locks))
		worker->acquired += bench_locks;
	bench_hold(worker);
	bench_restarted(worker, txn.restarts);
	headway_txn_end(&txn);
}

/* Ever, by all CPUs. */
static u64 batch_stat(const struct headway_domain *domain, enum headway_stat stat)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(domain->pcpu, cpu)->stat[stat]);
	return sum;
}

static void batch_tell(void *state, char *text, size_t size)
{
	static const struct {
		enum headway_stat stat;
		const char *name;
	} shown[] = {
		{ HEADWAY_STAT_CONFLICTS, "conflicts" }, { HEADWAY_STAT_WAITS, "waits" },
		{ HEADWAY_STAT_WOUNDS, "wounds" }, { HEADWAY_STAT_STEALS, "steals" },
		{ HEADWAY_STAT_HANDOFFS, "handoffs" },
	};
	struct batch *batch = state;
	unsigned int i;
	int n = 0;

	for (i = 0; i < ARRAY_SIZE(shown); i++) {
		u64 now = batch_stat(batch->d.domain, shown[i].stat);

		n += scnprintf(text + n, size - n, "%s=%llu ", shown[i].name,
			       now - batch->told[shown[i].stat]);
		batch->told[shown[i].stat] = now;
	}
	scnprintf(text + n, size - n, "epoch=%u flip_ns=%llu", READ_ONCE(batch->d.domain->epoch),
		  READ_ONCE(batch->d.domain->last_flip_ns));
}

/* ---- ww_mutex ----------------------------------------------------------------------------- */

static DEFINE_WW_CLASS(batch_ww_wound);
static DEFINE_WD_CLASS(batch_ww_die);

struct batch_ww {
	struct ww_class *class;
	struct ww_mutex *locks;
};

static void batch_ww_close(void *state)
{
	struct batch_ww *batch = state;
	unsigned int i;

	for (i = 0; i < bench_pool; i++)
		ww_mutex_destroy(&batch->locks[i]);
	kvfree(batch->locks);
	kfree(batch);
}

static void *batch_ww_open(const struct bench_side *side)
{
	struct batch_ww *batch = kzalloc(sizeof(*batch), GFP_KERNEL);
	unsigned int i;

	if (!batch)
		return NULL;
	batch->class = side->policy == HEADWAY_POLICY_WOUND_WAIT ? &batch_ww_wound : &batch_ww_die;
	batch->locks = kvcalloc(bench_pool, sizeof(*batch->locks), GFP_KERNEL);
	if (!batch->locks) {
		kfree(batch);
		return NULL;
	}
	for (i = 0; i < bench_pool; i++)
		ww_mutex_init(&batch->locks[i], batch->class);
	return batch;
}

/* Takes all of the set but @slow, which is held already; -1 = none is. Return: -1, or who lost. */
static int batch_ww_pass(struct bench_worker *worker, struct batch_ww *batch,
			 struct ww_acquire_ctx *ctx, int slow)
{
	int i;

	for (i = 0; i < bench_locks; i++) {
		if (i == slow)
			continue;
		if (ww_mutex_lock(&batch->locks[worker->picks[i]], ctx))
			break;
		worker->acquired++;
	}
	if (i == bench_locks)
		return -1;
	if (slow > i)
		ww_mutex_unlock(&batch->locks[worker->picks[slow]]);
	slow = i;
	while (i--)
		ww_mutex_unlock(&batch->locks[worker->picks[i]]);
	return slow;
}

static void batch_ww_once(struct bench_worker *worker, void *state)
{
	struct batch_ww *batch = state;
	struct ww_acquire_ctx ctx;
	u32 restarts = 0;
	int i, slow = -1;

	ww_acquire_init(&ctx, batch->class);
	for (;;) {
		slow = batch_ww_pass(worker, batch, &ctx, slow);
		if (slow < 0)
			break;
		restarts++;
		ww_mutex_lock_slow(&batch->locks[worker->picks[slow]], &ctx);
		worker->acquired++;
	}
	ww_acquire_done(&ctx);
	bench_hold(worker);
	for (i = bench_locks; i--;)
		ww_mutex_unlock(&batch->locks[worker->picks[i]]);
	ww_acquire_fini(&ctx);
	bench_restarted(worker, restarts);
}

static int batch_pick_cmp(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static void batch_ww_once_sorted(struct bench_worker *worker, void *state)
{
	sort(worker->picks, bench_locks, sizeof(u32), batch_pick_cmp, NULL);
	batch_ww_once(worker, state);
}

#define BATCH(_name, _policy, _once) { \
	.name = _name, .open = batch_open, .close = batch_close, .once = _once, \
	.tell = batch_tell, .policy = HEADWAY_POLICY_##_policy, \
}

#define BATCH_WW(_name, _policy, _once) { \
	.name = _name, .open = batch_ww_open, .close = batch_ww_close, .once = _once, \
	.policy = HEADWAY_POLICY_##_policy, \
}

static const struct bench_side batch_incremental[] = {
	BATCH("wound-wait", WOUND_WAIT, batch_once),
	BATCH("wait-die", WAIT_DIE, batch_once),
	BATCH("adaptive", ADAPTIVE, batch_once),
	/* What two domains differ by that are alike: less than that cannot be told. */
	BATCH("wound-wait-again", WOUND_WAIT, batch_once),
	BATCH("wait-die-again", WAIT_DIE, batch_once),
	BATCH("detect", DETECT, batch_once),
	BATCH("polite", POLITE, batch_once),
	BATCH("serial", SERIAL, batch_once),
	BATCH_WW("ww_mutex-wound-wait", WOUND_WAIT, batch_ww_once),
	BATCH_WW("ww_mutex-wait-die", WAIT_DIE, batch_ww_once),
	{}
};

static const struct bench_side batch_sorted[] = {
	BATCH("wound-wait", WOUND_WAIT, batch_once_sorted),
	BATCH("wait-die", WAIT_DIE, batch_once_sorted),
	BATCH("adaptive", ADAPTIVE, batch_once_sorted),
	BATCH("ordered", ORDERED, batch_once_sorted),
	BATCH("detect", DETECT, batch_once_sorted),
	BATCH_WW("ww_mutex-wound-wait", WOUND_WAIT, batch_ww_once_sorted),
	BATCH_WW("ww_mutex-wait-die", WAIT_DIE, batch_ww_once_sorted),
	{}
};

#define BATCH_OP(_name, _sides) { \
	.name = _name, .sides = _sides, .pick = bench_pick, \
	.threads = 4, .pool = 100000, .locks = 800, \
}

const struct bench_op bench_batch800 = BATCH_OP("batch800", batch_incremental);
const struct bench_op bench_batch800_sorted = BATCH_OP("batch800_sorted", batch_sorted);

// SPDX-License-Identifier: GPL-2.0
/*
 * bench.c - headway_bench.ko: runs one operation at insmod; one line in the log for each run.
 *
 * A run is a fixed time, as contestants may differ by more than ten; threads are pinned to the CPUs
 * in turn. tests/bench/run.sh makes medians and ratios of the lines.
 */
#define pr_fmt(fmt) "headway-bench: " fmt

#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <uapi/linux/sched/types.h>

#include "bench.h"

#define BENCH_SIDES_MAX 16

static char *op = "batch800";
module_param(op, charp, 0444);
MODULE_PARM_DESC(op, "batch800 (locks one by one, in random order), batch800_sorted (one set)");

static unsigned int threads = 4;
module_param(threads, uint, 0444);
MODULE_PARM_DESC(threads, "Threads, pinned to the CPUs in turn");

static unsigned int rounds = 5;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "Runs of each contestant");

static unsigned int run_ms = 400;
module_param(run_ms, uint, 0444);
MODULE_PARM_DESC(run_ms, "Length of a run; what has been begun by then is finished");

static char *only;
module_param(only, charp, 0444);
MODULE_PARM_DESC(only, "Contestants to run, separated by commas (default all)");

static bool awake = true;
module_param(awake, bool, 0444);
MODULE_PARM_DESC(awake, "Keep the CPUs from idling, as idle=poll does (default Y)");

unsigned int bench_pool = 100000;
module_param_named(pool, bench_pool, uint, 0444);
MODULE_PARM_DESC(pool, "Locks");

unsigned int bench_locks = 800;
module_param_named(locks, bench_locks, uint, 0444);
MODULE_PARM_DESC(locks, "Locks of a transaction");

static struct bench_worker *workers;
static DEFINE_PER_CPU(struct task_struct *, keepers);

/* User Mode Linux preempts kernel threads at preempt_enable() only; its cond_resched() is empty. */
static void bench_give_way(void)
{
	if (need_resched())
		schedule();
}

/* SplitMix64, as in backoff.c. */
static u64 bench_random(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* Different locks of the pool, in random order. */
static void bench_pick(struct bench_worker *worker)
{
	unsigned int i;

	for (i = 0; i < bench_locks;) {
		u32 pick = ((bench_random(&worker->rng) >> 32) * bench_pool) >> 32;

		if (!__test_and_set_bit(pick, worker->picked))
			worker->picks[i++] = pick;
	}
	for (i = 0; i < bench_locks; i++)
		__clear_bit(worker->picks[i], worker->picked);
}

static int bench_thread(void *data)
{
	struct bench_worker *worker = data;
	struct bench_run *run = worker->run;

	wait_for_completion(&run->go);
	while (ktime_get_ns() < run->end_ns) {
		bench_pick(worker);
		run->side->once(worker, run->state);
		worker->commits++;
		bench_give_way();
	}
	if (atomic_dec_and_test(&run->running))
		complete(&run->done);
	while (!kthread_should_stop()) {
		set_current_state(TASK_IDLE);
		if (!kthread_should_stop())
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	return 0;
}

static unsigned int bench_cpu(unsigned int number)
{
	unsigned int cpu = cpumask_first(cpu_online_mask);

	for (number %= num_online_cpus(); number; number--)
		cpu = cpumask_next(cpu, cpu_online_mask);
	return cpu;
}

/* Return: threads that were started; they wait for run->go. */
static unsigned int bench_start(struct bench_run *run, unsigned int round)
{
	unsigned int i;

	for (i = 0; i < run->threads; i++) {
		struct bench_worker *worker = &workers[i];

		worker->run = run;
		worker->number = i;
		/* The same transactions for each contestant of a round. */
		worker->rng = ((u64)round << 32) + i;
		worker->commits = 0;
		worker->rollbacks = 0;
		worker->acquired = 0;
		worker->restarts_max = 0;
		worker->task = kthread_create(bench_thread, worker, "bench/%u", i);
		if (IS_ERR(worker->task))
			break;
		kthread_bind(worker->task, bench_cpu(i));
		wake_up_process(worker->task);
	}
	return i;
}

static void bench_print(const struct bench_run *run, unsigned int round, u64 time_ns)
{
	u64 commits = 0, rollbacks = 0, acquired = 0, most = 0, least = U64_MAX;
	u32 restarts_max = 0;
	char text[256] = "";
	unsigned int i;

	for (i = 0; i < run->threads; i++) {
		commits += workers[i].commits;
		rollbacks += workers[i].rollbacks;
		acquired += workers[i].acquired;
		restarts_max = max(restarts_max, workers[i].restarts_max);
		most = max(most, workers[i].commits);
		least = min(least, workers[i].commits);
	}
	if (run->side->tell)
		run->side->tell(run->state, text, sizeof(text));
	pr_info("op=%s threads=%u round=%u side=%s time_ns=%llu commits=%llu rollbacks=%llu wasted=%lld restarts_max=%u commits_most=%llu commits_least=%llu %s\n",
		op, run->threads, round, run->side->name, time_ns, commits, rollbacks,
		(s64)(acquired - commits * bench_locks), restarts_max, most, least, text);
}

static int bench_run_once(const struct bench_side *side, void *state, unsigned int round)
{
	struct bench_run run = { .side = side, .state = state };
	u64 start_ns;
	unsigned int i;

	init_completion(&run.go);
	init_completion(&run.done);
	run.threads = threads;
	atomic_set(&run.running, threads);
	run.threads = bench_start(&run, round);
	start_ns = ktime_get_ns();
	if (run.threads == threads)
		run.end_ns = start_ns + run_ms * NSEC_PER_MSEC;
	complete_all(&run.go);
	if (run.threads == threads) {
		wait_for_completion(&run.done);
		bench_print(&run, round, ktime_get_ns() - start_ns);
	}
	for (i = 0; i < run.threads; i++)
		kthread_stop(workers[i].task);
	return run.threads == threads ? 0 : -ENOMEM;
}

/*
 * A virtual CPU that idles gives its host CPU away, and on a busy host gets it back milliseconds
 * later. That would measure the host, not the locks: something of the lowest priority keeps it.
 */
static int bench_keeper(void *unused)
{
	while (!kthread_should_stop()) {
		cpu_relax();
		bench_give_way();
	}
	return 0;
}

static void bench_sleep(void)
{
	int cpu;

	for_each_online_cpu(cpu) {
		struct task_struct **keeper = per_cpu_ptr(&keepers, cpu);

		if (*keeper)
			kthread_stop(*keeper);
		*keeper = NULL;
	}
}

static int bench_wake(void)
{
	/* Anybody else preempts it at once; a low priority alone would have its slice. */
	const struct sched_attr idle = { .size = sizeof(idle), .sched_policy = SCHED_IDLE };
	int cpu;

	for_each_online_cpu(cpu) {
		struct task_struct *keeper = kthread_create(bench_keeper, NULL, "keeper/%d", cpu);

		if (IS_ERR(keeper)) {
			bench_sleep();
			return PTR_ERR(keeper);
		}
		kthread_bind(keeper, cpu);
		sched_setattr_nocheck(keeper, &idle);
		*per_cpu_ptr(&keepers, cpu) = keeper;
		wake_up_process(keeper);
	}
	return 0;
}

static bool bench_wanted(const char *name)
{
	const char *at = only;
	size_t len = strlen(name);

	while (at && *at) {
		if (!strncmp(at, name, len) && (!at[len] || at[len] == ','))
			return true;
		at = strchr(at, ',');
		at = at ? at + 1 : NULL;
	}
	return !only;
}

static int bench_compare(const struct bench_side *sides)
{
	const struct bench_side *chosen[BENCH_SIDES_MAX];
	void *states[BENCH_SIDES_MAX];
	unsigned int i, n = 0, round;
	int ret = 0;

	for (; sides->name && !ret; sides++) {
		if (!bench_wanted(sides->name) || n == BENCH_SIDES_MAX)
			continue;
		chosen[n] = sides;
		states[n] = sides->open(sides);
		if (states[n])
			n++;
		else
			ret = -ENOMEM;
	}
	/* Round 0 warms up. Who comes first changes, so that nobody always follows the same one. */
	for (round = 0; round <= rounds && !ret; round++)
		for (i = 0; i < n && !ret; i++)
			ret = bench_run_once(chosen[(i + round) % n], states[(i + round) % n],
					     round);
	for (i = 0; i < n; i++)
		chosen[i]->close(states[i]);
	return ret;
}

static void bench_free_workers(void)
{
	unsigned int i;

	for (i = 0; i < threads; i++) {
		kvfree(workers[i].picks);
		kvfree(workers[i].set);
		bitmap_free(workers[i].picked);
	}
	kfree(workers);
}

static int bench_alloc_workers(void)
{
	unsigned int i;

	workers = kcalloc(threads, sizeof(*workers), GFP_KERNEL);
	if (!workers)
		return -ENOMEM;
	for (i = 0; i < threads; i++) {
		workers[i].picks = kvmalloc_array(bench_locks, sizeof(u32), GFP_KERNEL);
		workers[i].set = kvmalloc_array(bench_locks, sizeof(void *), GFP_KERNEL);
		workers[i].picked = bitmap_zalloc(bench_pool, GFP_KERNEL);
		if (!workers[i].picks || !workers[i].set || !workers[i].picked) {
			bench_free_workers();
			return -ENOMEM;
		}
	}
	return 0;
}

static int __init bench_init(void)
{
	const struct bench_side *sides;
	int ret;

	if (!strcmp(op, "batch800"))
		sides = batch_incremental;
	else if (!strcmp(op, "batch800_sorted"))
		sides = batch_sorted;
	else
		return -EINVAL;
	/* A set of most of the pool would take for ever to draw. */
	if (!threads || !bench_locks || bench_locks > bench_pool / 2)
		return -EINVAL;
	ret = bench_alloc_workers();
	if (ret)
		return ret;
	if (awake)
		ret = bench_wake();
	if (!ret)
		ret = bench_compare(sides);
	bench_sleep();
	bench_free_workers();
	return ret;
}

static void __exit bench_exit(void)
{
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("Headway's benchmarks");
MODULE_LICENSE("GPL");

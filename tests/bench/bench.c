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

/*
 * The tick is 10 ms in User Mode Linux, and many threads share a CPU. For each of them to have many
 * turns in a short run, a thread lets the others go after so long, between two transactions.
 */
#define BENCH_TURN_NS (NSEC_PER_MSEC / 4)

static const struct bench_op *const bench_ops[] = {
	&bench_batch800,
	&bench_batch800_sorted,
	&bench_presorted,
	&bench_unsorted,
	&bench_incremental,
	&bench_contended,
	&bench_stats,
	&bench_stats_contended,
	&bench_scale,
	&bench_philosophers_round5,
	&bench_philosophers_round32,
	&bench_philosophers_cube,
	&bench_philosophers_dodecahedron,
};

static char *op = "batch800";
module_param(op, charp, 0444);
MODULE_PARM_DESC(op, "What to measure: a name of bench_ops[], which says what the next four are if absent");

unsigned int bench_threads;
module_param_named(threads, bench_threads, uint, 0444);
MODULE_PARM_DESC(threads, "Threads, pinned to the CPUs in turn");

unsigned int bench_pool;
module_param_named(pool, bench_pool, uint, 0444);
MODULE_PARM_DESC(pool, "Locks");

unsigned int bench_locks;
module_param_named(locks, bench_locks, uint, 0444);
MODULE_PARM_DESC(locks, "Locks of a transaction");

int bench_hold_ns = -1;
module_param_named(hold_ns, bench_hold_ns, int, 0444);
MODULE_PARM_DESC(hold_ns, "How long a transaction keeps its locks, busy");

static unsigned int rounds = 5;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "Runs of each contestant");

unsigned int bench_run_ms = 400;
module_param_named(run_ms, bench_run_ms, uint, 0444);
MODULE_PARM_DESC(run_ms, "Length of a run; what has been begun by then is finished. Of philosophers: how long they eat, in sum");

static unsigned int learn_ms;
module_param(learn_ms, uint, 0444);
MODULE_PARM_DESC(learn_ms, "Length of the first run, which does not count, of a policy that learns (default run_ms)");

static char *only;
module_param(only, charp, 0444);
MODULE_PARM_DESC(only, "Contestants to run, separated by commas (default all)");

static bool plan;
module_param(plan, bool, 0444);
MODULE_PARM_DESC(plan, "Run nothing: takes_ms says how long it would take");

static unsigned int takes_ms;
module_param(takes_ms, uint, 0444);
MODULE_PARM_DESC(takes_ms, "How long all runs take (read only)");

static bool awake = true;
module_param(awake, bool, 0444);
MODULE_PARM_DESC(awake, "Keep the CPUs from idling, as idle=poll does (default Y)");

static const struct bench_op *bench_op;
static struct bench_worker *workers;
static unsigned long hold_loops;
static DEFINE_PER_CPU(struct task_struct *, keepers);

/* User Mode Linux preempts kernel threads at preempt_enable() only; its cond_resched() is empty. */
void bench_give_way(void)
{
	if (need_resched())
		schedule();
}

/* Different locks of the pool, in random order. */
void bench_pick(struct bench_worker *worker)
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

static void bench_spin(unsigned long loops)
{
	while (loops--)
		cpu_relax();
}

/*
 * A fixed amount of work, not of time: a virtual CPU may lose its host CPU meanwhile. The fastest
 * of a few tries is the one that did not.
 */
static unsigned long bench_loops(unsigned int ns)
{
	const unsigned long loops = 20000;
	u64 fastest_ns = U64_MAX;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		u64 start_ns = ktime_get_ns();

		bench_spin(loops);
		fastest_ns = min(fastest_ns, ktime_get_ns() - start_ns);
	}
	return div64_u64((u64)ns * loops, fastest_ns ?: 1);
}

/* The transaction has all locks that it needs: notes how long that took, and does its work. */
void bench_hold(struct bench_worker *worker)
{
	bench_hold_times(worker, 1);
}

/* The same, with so many times the work. */
void bench_hold_times(struct bench_worker *worker, unsigned int times)
{
	bench_hist_add(worker->waits, ktime_get_ns() - worker->begin_ns);
	while (times--) {
		bench_spin(hold_loops);
		if (times)
			bench_give_way();
	}
}

/* Of the transaction that is about to commit. */
void bench_restarted(struct bench_worker *worker, u32 restarts)
{
	worker->rollbacks += restarts;
	worker->restarts_max = max(worker->restarts_max, restarts);
}

static void bench_work(struct bench_worker *worker, struct bench_run *run)
{
	u64 turn_ns = ktime_get_ns(), now_ns;

	for (;;) {
		now_ns = ktime_get_ns();
		if (bench_op->more ? !bench_op->more(worker) : now_ns >= run->end_ns)
			break;
		if (now_ns - turn_ns > BENCH_TURN_NS) {
			yield();
			turn_ns = ktime_get_ns();
		}
		if (bench_op->pick)
			bench_op->pick(worker);
		worker->begin_ns = ktime_get_ns();
		run->side->once(worker, run->state);
		if (bench_op->burst)
			worker->burst_ns = min(worker->burst_ns,
					       ktime_get_ns() - worker->begin_ns);
		worker->commits += bench_op->burst ?: 1;
		bench_give_way();
	}
	if (atomic_dec_and_test(&run->running))
		complete(&run->done);
}

/* Runs whenever it is told to go, until there is no run any more. */
static int bench_thread(void *data)
{
	struct bench_worker *worker = data;

	for (;;) {
		wait_for_completion(&worker->go);
		if (!worker->run)
			break;
		bench_work(worker, worker->run);
	}
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

static int bench_start_threads(void)
{
	unsigned int i;

	for (i = 0; i < bench_threads; i++) {
		struct bench_worker *worker = &workers[i];
		struct task_struct *task = kthread_create(bench_thread, worker, "bench/%u", i);

		if (IS_ERR(task))
			return PTR_ERR(task);
		init_completion(&worker->go);
		worker->number = i;
		worker->task = task;
		kthread_bind(task, bench_cpu(i));
		wake_up_process(task);
	}
	return 0;
}

static void bench_stop_threads(void)
{
	unsigned int i;

	for (i = 0; i < bench_threads && workers[i].task; i++) {
		workers[i].run = NULL;
		complete(&workers[i].go);
		kthread_stop(workers[i].task);
	}
}

static void bench_reset(struct bench_worker *worker, struct bench_run *run, unsigned int round)
{
	worker->run = run;
	/* The same transactions for each contestant of a round. */
	worker->rng = ((u64)round << 32) + worker->number;
	worker->burst_ns = U64_MAX;
	worker->commits = 0;
	worker->rollbacks = 0;
	worker->acquired = 0;
	worker->restarts_max = 0;
	memset(worker->waits, 0, BENCH_HIST_BUCKETS * sizeof(u32));
}

static void bench_print(const struct bench_run *run, unsigned int round, u64 time_ns)
{
	u64 commits = 0, rollbacks = 0, acquired = 0, most = 0, least = U64_MAX, burst_ns = U64_MAX;
	u32 restarts_max = 0, *waits = workers[0].waits;
	u64 *all;
	char text[256] = "";
	unsigned int i, k;

	for (i = 0; i < run->threads; i++) {
		for (k = 0; i && k < BENCH_HIST_BUCKETS; k++)
			waits[k] += workers[i].waits[k];
		burst_ns = min(burst_ns, workers[i].burst_ns);
		commits += workers[i].commits;
		rollbacks += workers[i].rollbacks;
		acquired += workers[i].acquired;
		restarts_max = max(restarts_max, workers[i].restarts_max);
		/* One run may be too short for the scheduler to be fair. */
		all = &workers[i].all_commits[run->number];
		*all = (round > 1 ? *all : 0) + workers[i].commits;
		most = max(most, *all);
		least = min(least, *all);
	}
	/* Of one transaction; in ps, as the fastest take a few ns. */
	if (bench_op->burst)
		scnprintf(text, sizeof(text), "once_ps=%llu ",
			  div_u64(burst_ns * 1000, bench_op->burst));
	if (run->side->tell)
		run->side->tell(run->state, text + strlen(text), sizeof(text) - strlen(text));
	pr_info("op=%s threads=%u locks=%u pool=%u hold_ns=%d round=%u side=%s time_ns=%llu commits=%llu rollbacks=%llu wasted=%lld restarts_max=%u all_most=%llu all_least=%llu wait_p50_ns=%llu wait_p999_ns=%llu %s\n",
		op, run->threads, bench_locks, bench_pool, bench_hold_ns, round, run->side->name,
		time_ns, commits, rollbacks, (s64)(acquired - commits * bench_locks), restarts_max,
		most, least,
		bench_hist_quantile(waits, 500), bench_hist_quantile(waits, 999), text);
}

/* The first run warms up, and is long enough for a policy to find out what suits this load. */
static unsigned int bench_length_ms(const struct bench_side *side, unsigned int round)
{
	return !round && side->policy == HEADWAY_POLICY_ADAPTIVE && learn_ms ? learn_ms :
	       bench_run_ms;
}

static void bench_run_once(const struct bench_side *side, void *state, unsigned int number,
			   unsigned int round)
{
	struct bench_run run = { .side = side, .state = state, .number = number,
				 .threads = bench_threads };
	unsigned int i;

	if (side->ready)
		side->ready(state);
	init_completion(&run.done);
	atomic_set(&run.running, bench_threads);
	for (i = 0; i < bench_threads; i++)
		bench_reset(&workers[i], &run, round);
	run.start_ns = ktime_get_ns();
	run.end_ns = run.start_ns + bench_length_ms(side, round) * NSEC_PER_MSEC;
	for (i = 0; i < bench_threads; i++)
		complete(&workers[i].go);
	wait_for_completion(&run.done);
	bench_print(&run, round, ktime_get_ns() - run.start_ns);
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

static bool bench_uses(unsigned int cpu)
{
	unsigned int i;

	for (i = 0; i < bench_threads && i < num_online_cpus(); i++)
		if (bench_cpu(i) == cpu)
			return true;
	return false;
}

static int bench_wake(void)
{
	/* Anybody else preempts it at once; a low priority alone would have its slice. */
	const struct sched_attr idle = { .size = sizeof(idle), .sched_policy = SCHED_IDLE };
	int cpu;

	for_each_online_cpu(cpu) {
		struct task_struct *keeper;

		if (!bench_uses(cpu))
			continue;
		keeper = kthread_create(bench_keeper, NULL, "keeper/%d", cpu);

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
	unsigned int i, k, n = 0, round;
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
		for (i = 0; i < n; i++) {
			k = (i + round) % n;
			bench_run_once(chosen[k], states[k], k, round);
		}
	for (i = 0; i < n; i++)
		chosen[i]->close(states[i]);
	return ret;
}

static void bench_free_workers(void)
{
	unsigned int i;

	for (i = 0; i < bench_threads; i++) {
		kvfree(workers[i].picks);
		kvfree(workers[i].set);
		kvfree(workers[i].waits);
		bitmap_free(workers[i].picked);
	}
	kvfree(workers);
}

static int bench_alloc_workers(void)
{
	unsigned int i;

	workers = kvcalloc(bench_threads, sizeof(*workers), GFP_KERNEL);
	if (!workers)
		return -ENOMEM;
	for (i = 0; i < bench_threads; i++) {
		workers[i].picks = kvmalloc_array(bench_locks, sizeof(u32), GFP_KERNEL);
		workers[i].set = kvmalloc_array(bench_locks * (bench_op->sets ?: 1),
						sizeof(void *), GFP_KERNEL);
		workers[i].picked = bitmap_zalloc(bench_pool, GFP_KERNEL);
		workers[i].waits = kvmalloc_array(BENCH_HIST_BUCKETS, sizeof(u32), GFP_KERNEL);
		if (!workers[i].picks || !workers[i].set || !workers[i].picked ||
		    !workers[i].waits) {
			bench_free_workers();
			return -ENOMEM;
		}
	}
	return 0;
}

/* What the operation says where a parameter does not. */
static int bench_choose(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bench_ops); i++)
		if (!strcmp(op, bench_ops[i]->name))
			bench_op = bench_ops[i];
	if (!bench_op) {
		for (i = 0; i < ARRAY_SIZE(bench_ops); i++)
			pr_info("there is op=%s\n", bench_ops[i]->name);
		return -EINVAL;
	}
	bench_threads = bench_threads ?: bench_op->threads;
	bench_pool = bench_pool ?: bench_op->pool;
	bench_locks = bench_locks ?: bench_op->locks;
	if (bench_hold_ns < 0)
		bench_hold_ns = bench_op->hold_ns;
	/* A set of most of the pool would take for ever to draw. */
	if (bench_op->pick == bench_pick && bench_locks > bench_pool / 2)
		return -EINVAL;
	takes_ms = 0;
	for (i = 0; bench_op->sides[i].name; i++)
		if (bench_wanted(bench_op->sides[i].name))
			takes_ms += rounds * bench_run_ms + bench_length_ms(&bench_op->sides[i], 0);
	return 0;
}

static int __init bench_init(void)
{
	int ret = bench_choose();

	if (ret || plan)
		return ret;
	ret = bench_alloc_workers();
	if (ret)
		return ret;
	pr_info("begins: %s, %u threads, %u locks of %u, held for %d ns\n", op, bench_threads,
		bench_locks, bench_pool, bench_hold_ns);
	hold_loops = bench_loops(bench_hold_ns);
	if (awake)
		ret = bench_wake();
	if (!ret)
		ret = bench_start_threads();
	if (!ret)
		ret = bench_compare(bench_op->sides);
	bench_stop_threads();
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

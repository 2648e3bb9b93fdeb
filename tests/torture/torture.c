// SPDX-License-Identifier: GPL-2.0
/*
 * torture.c - headway_torture.ko: one run of torture for one policy. In the manner of
 * kernel/locking/locktorture.c.
 *
 * insmod starts the run and returns; it goes on for `seconds`, and much longer if it has not come
 * by everything (torture_cover.c), or until a check fails. Somebody has to read the domain's
 * debugfs files meanwhile, and to write to `readings` each time that all of them were read. The
 * parameter `verdict` says "running" until it is over, then pass, fail or invalid, or for a control
 * caught or missed. The last line in the log is the result. rmmod ends a run early.
 *
 * Every stutter_ms all workers are parked. One that does not get there in patience_ms, though
 * nobody else is left, hangs: then it is killed, and if that does not help, it is left behind with
 * all that it could still touch, and the module stays.
 */
#define pr_fmt(fmt) "torture: " fmt

#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "torture.h"

static char *policy = "wound-wait";
module_param(policy, charp, 0644);
MODULE_PARM_DESC(policy, "policy to torture, or mixed: changed at random meanwhile");
static unsigned int seconds = 10;
module_param(seconds, uint, 0644);
MODULE_PARM_DESC(seconds, "length of the run");
static unsigned int workers;
module_param(workers, uint, 0644);
MODULE_PARM_DESC(workers, "threads; 0 = four for each CPU");
static unsigned int locks = 100000;
module_param(locks, uint, 0644);
MODULE_PARM_DESC(locks, "locks of the domain: the largest pool");
static unsigned int pool;
module_param(pool, uint, 0644);
MODULE_PARM_DESC(pool, "most locks that a set is chosen from; 0 = all");
static unsigned int stutter_ms = 400;
module_param(stutter_ms, uint, 0644);
MODULE_PARM_DESC(stutter_ms, "time between two parkings");
static unsigned int patience_ms = 30000;
module_param(patience_ms, uint, 0644);
MODULE_PARM_DESC(patience_ms, "how long the last transactions may take to end");
static bool sorted;
module_param(sorted, bool, 0644);
MODULE_PARM_DESC(sorted, "every load asks in sorted order, so that nobody may have to roll back");
static bool signals = true;
module_param(signals, bool, 0644);
MODULE_PARM_DESC(signals, "workers get signals and kills");
static bool enomem;
module_param(enomem, bool, 0644);
MODULE_PARM_DESC(enomem, "allocation failures are injected (failslab, task-filter)");
static char *control = "none";
module_param(control, charp, 0644);
MODULE_PARM_DESC(control, "negative control to run instead of the policy");
static char *load = "all";
module_param(load, charp, 0644);
MODULE_PARM_DESC(load, "the only kind of load; the run must show no more than `must`");
static char *must = "none";
module_param(must, charp, 0644);
MODULE_PARM_DESC(must, "counters that the run must show besides the usual ones");
static char *verdict = "none";
module_param(verdict, charp, 0444);
MODULE_PARM_DESC(verdict, "result, once there is one (read only)");

struct torture torture;
static struct task_struct *torture_main_task;
static DECLARE_COMPLETION(torture_begun);
static bool torture_left_behind;

static const char * const torture_policy_names[] = {
#define X(id, name, help) [HEADWAY_POLICY_##id] = name,
HEADWAY_POLICIES(X)
#undef X
};

/* ---- workers ------------------------------------------------------------------------------ */

static void torture_park(void)
{
	if (!READ_ONCE(torture.pause))
		return;
	atomic_inc(&torture.parked);
	wake_up_all(&torture.wait);
	wait_event_idle(torture.wait, !READ_ONCE(torture.pause));
	atomic_dec(&torture.parked);
	wake_up_all(&torture.wait);
}

static int torture_work(void *data)
{
	struct torture_worker *worker = data;

	allow_signal(SIGKILL);
	allow_signal(SIGINT);
	torture_may_lack_memory();
	for (;;) {
		torture_park();
		if (READ_ONCE(torture.stop))
			break;
		if (!torture_ring_one(worker))
			torture_load_one(worker);
		cond_resched();
	}
	if (worker->forgot)
		torture_load_one(worker);
	complete(&worker->done);
	while (!kthread_should_stop())
		schedule_timeout_idle(1);
	return 0;
}

static int torture_start_worker(unsigned int number)
{
	struct torture_worker *worker = &torture.workers[number];
	struct task_struct *task;
	int ret;

	worker->number = number;
	worker->rng = ktime_get_ns() * (number + 1);
	init_completion(&worker->done);
	ret = torture_bound_init(worker);
	if (ret)
		return ret;
	task = kthread_create(torture_work, worker, "torture/%u", number);
	if (IS_ERR(task))
		return PTR_ERR(task);
	/* Disturbers and the end look at all that is counted here. */
	worker->task = get_task_struct(task);
	torture.nr_workers++;
	wake_up_process(task);
	return 0;
}

/* Return: whether the worker ended in time, if need be killed. */
static bool torture_join(struct torture_worker *worker)
{
	unsigned int tries;

	for (tries = 0; tries < 50; tries++) {
		if (wait_for_completion_timeout(&worker->done, HZ / 10))
			return true;
		if (tries * 100 >= torture.patience_ms || torture_failed())
			send_sig(SIGKILL, worker->task, 1);
	}
	return false;
}

static void torture_stop_workers(void)
{
	unsigned int i;

	WRITE_ONCE(torture.stop, true);
	WRITE_ONCE(torture.pause, false);
	wake_up_all(&torture.wait);
	for (i = 0; i < torture.nr_workers; i++) {
		struct torture_worker *worker = &torture.workers[i];

		if (!torture_join(worker)) {
			torture_fail(TORTURE_STUCK, "worker %u cannot be stopped\n", i);
			torture_left_behind = true;
			continue;
		}
		kthread_stop(worker->task);
		put_task_struct(worker->task);
	}
}

/* ---- the run ------------------------------------------------------------------------------ */

/* Return: true when all workers are parked, false when some do not get there. */
static bool torture_stutter(void)
{
	unsigned long patience = msecs_to_jiffies(torture.patience_ms);

	WRITE_ONCE(torture.pause, true);
	if (!wait_event_idle_timeout(torture.wait,
				     atomic_read(&torture.parked) == torture.nr_workers ||
				     kthread_should_stop(), patience)) {
		torture_say_live();
		/* Who sleeps at a free lock is why the others are stuck: it is said first. */
		torture_await_looks();
		torture_fail(TORTURE_STUCK, "%u of %u workers came in %u ms\n",
			     atomic_read(&torture.parked), torture.nr_workers,
			     torture.patience_ms);
	}
	return atomic_read(&torture.parked) == torture.nr_workers;
}

static void torture_resume(void)
{
	torture_ring_next();
	WRITE_ONCE(torture.pause, false);
	wake_up_all(&torture.wait);
	/* Or the next parking would count who is still leaving this one. */
	wait_event_idle(torture.wait, !atomic_read(&torture.parked) || kthread_should_stop());
}

#define TORTURE_MORE_SECONDS 120U

static void torture_run(void)
{
	unsigned long end = jiffies + seconds * HZ;
	/* A slow machine gets more time to come by everything. */
	unsigned long limit = end + max(9 * seconds, TORTURE_MORE_SECONDS) * HZ;

	for (;;) {
		schedule_timeout_idle(max(1UL, msecs_to_jiffies(stutter_ms)));
		if (!torture_stutter())
			return;
		torture_check_parked();
		atomic64_inc(&torture.events[TORTURE_SAW_PARKED]);
		if (torture_settled() || kthread_should_stop() || time_after_eq(jiffies, limit) ||
		    (time_after_eq(jiffies, end) && torture_covered(false))) {
			torture_check_end();
			return;
		}
		torture_resume();
	}
}

static void torture_free(void)
{
	unsigned int i;

	for (i = 0; torture.locks && i < torture.nr_locks; i++)
		headway_lock_destroy(&torture.locks[i].lock);
	for (i = 0; torture.inner_locks && i < TORTURE_INNER_LOCKS; i++)
		headway_lock_destroy(&torture.inner_locks[i].lock);
	headway_domain_destroy(torture.domain);
	headway_domain_destroy(torture.inner);
	for (i = 0; torture.workers && i < torture.nr_workers; i++)
		torture_bound_free(&torture.workers[i]);
	kvfree(torture.locks);
	kfree(torture.inner_locks);
	kvfree(torture.workers);
}

static int torture_main(void *unused)
{
	bool covered;

	complete(&torture_begun);
	torture_run();
	torture.stopped = kthread_should_stop();
	torture_disturb_stop();
	torture_stop_workers();
	torture_watch_stop();
	covered = torture.stopped || torture.control || torture_covered(true);
	if (torture_left_behind)
		__module_get(THIS_MODULE);
#ifdef HEADWAY_BROKEN
	WRITE_ONCE(headway_broken_mask, 0);
#endif
	WRITE_ONCE(headway_stall_ns, 0);
	WRITE_ONCE(verdict, (char *)torture_report(policy, covered));
	while (!kthread_should_stop())
		schedule_timeout_idle(1);
	return 0;
}

/* ---- setting up --------------------------------------------------------------------------- */

static int torture_choose(void)
{
	int i;

	if (strcmp(control, "none")) {
		torture.control = torture_find_control(control);
		if (!torture.control)
			return -EINVAL;
		torture.policy = torture.control->policy;
		torture.only = torture.control->load;
#ifdef HEADWAY_BROKEN
		WRITE_ONCE(headway_broken_mask, torture.control->broken);
#else
		if (torture.control->broken) {
			pr_err("%s: headway.ko was not built with HEADWAY_BROKEN=y\n", control);
			return -EOPNOTSUPP;
		}
#endif
		policy = (char *)torture_policy_names[torture.policy];
	} else if (!strcmp(policy, "mixed")) {
		torture.flips = true;
		torture.policy = HEADWAY_POLICY_WOUND_WAIT;
	} else {
		i = match_string(torture_policy_names, HEADWAY_NR_POLICIES, policy);
		if (i < 0 || !torture_known(i)) {
			pr_err("%s: there is no telling what this policy must do: see torture_cover.c\n",
			       policy);
			return -EINVAL;
		}
		torture.policy = i;
	}
	if (strcmp(load, "all")) {
		torture.only = torture_find_load(load);
		if (!torture.only)
			return -EINVAL;
	}
	WRITE_ONCE(headway_stall_ns, torture.only ? torture.only->stall_ns : 0);
	torture.calm = sorted;
	torture.sorted = sorted || torture.policy == HEADWAY_POLICY_ORDERED;
	torture.peaceful = torture.sorted || torture.policy == HEADWAY_POLICY_SERIAL;
	torture.nr_shared = max(locks, TORTURE_SET_MAX + 0U);
	torture.nr_locks = torture.nr_shared + TORTURE_WORKERS_MAX * (1 + TORTURE_PRIVATE);
	torture.pool = min(pool ?: torture.nr_shared, torture.nr_shared);
	memcpy(torture.branches, headway_branch_counts, sizeof(torture.branches));
	torture.patience_ms = patience_ms;
	torture.enomem = enomem;
	torture.signals = signals;
	return torture_choose_must(must);
}

/* Some of equal rank, so that keys decide; neither goes along with the address. */
static void torture_init_locks(void)
{
	unsigned int i;

	for (i = 0; i < torture.nr_locks; i++) {
		headway_lock_init(&torture.locks[i].lock, torture.domain, i % 7, (u64)i, "torture");
		torture.locks[i].balance = TORTURE_BALANCE;
	}
	/* For lockdep another class: these are taken while those are held. */
	for (i = 0; i < TORTURE_INNER_LOCKS; i++)
		headway_lock_init(&torture.inner_locks[i].lock, torture.inner, 0, (u64)i, "inner");
}

static int torture_make(void)
{
	torture.domain = headway_domain_create("torture", torture.policy);
	torture.inner = headway_domain_create("torture-inner", HEADWAY_POLICY_WOUND_WAIT);
	if (IS_ERR(torture.domain) || IS_ERR(torture.inner))
		return IS_ERR(torture.domain) ? PTR_ERR(torture.domain) : PTR_ERR(torture.inner);
	torture.workers = kvcalloc(TORTURE_WORKERS_MAX, sizeof(*torture.workers), GFP_KERNEL);
	torture.locks = kvcalloc(torture.nr_locks, sizeof(*torture.locks), GFP_KERNEL);
	torture.inner_locks = kcalloc(TORTURE_INNER_LOCKS, sizeof(*torture.inner_locks),
				      GFP_KERNEL);
	if (!torture.workers || !torture.locks || !torture.inner_locks)
		return -ENOMEM;
	torture_init_locks();
	return 0;
}

static int torture_start(void)
{
	unsigned int n = workers ?: 4 * num_online_cpus();
	unsigned int i;
	int ret;

	if (torture.control && torture.control->nr_workers)
		n = torture.control->nr_workers;
	n = min(n, TORTURE_WORKERS_MAX + 0U);
	for (i = 0; i < n; i++) {
		ret = torture_start_worker(i);
		if (ret)
			goto stop_workers;
	}
	ret = torture_watch_start();
	if (ret)
		goto stop_workers;
	ret = torture_disturb_start();
	if (ret)
		goto stop_watch;
	torture_main_task = kthread_run(torture_main, NULL, "torture/main");
	if (!IS_ERR(torture_main_task)) {
		/*
		 * A thread that is stopped before it has begun never runs, and would stop nobody.
		 */
		wait_for_completion(&torture_begun);
		return 0;
	}
	ret = PTR_ERR(torture_main_task);
	torture_disturb_stop();
stop_watch:
	torture_watch_stop();
stop_workers:
	torture_stop_workers();
	torture_main_task = NULL;
	return ret;
}

/* What is left of a run that is over, or did not begin. */
static void torture_clear(void)
{
	if (torture_main_task)
		kthread_stop(torture_main_task);
	torture_main_task = NULL;
	torture_free();
	memset(&torture, 0, sizeof(torture));
}

static int torture_begin_run(void)
{
	int ret;

	if (torture_left_behind || !strcmp(READ_ONCE(verdict), "running"))
		return -EBUSY;
	torture_clear();
	init_waitqueue_head(&torture.wait);
	reinit_completion(&torture_begun);
	ret = torture_choose();
	if (!ret)
		ret = torture_make();
	if (ret)
		return ret;
	WRITE_ONCE(verdict, "running");
	ret = torture_start();
	if (ret)
		WRITE_ONCE(verdict, "none");
	return ret;
}

/* ---- module ------------------------------------------------------------------------------- */

static bool start;
static bool torture_loaded;

static int torture_set_start(const char *value, const struct kernel_param *param)
{
	int ret = param_set_bool(value, param);

	if (ret || !start || !torture_loaded)
		return ret;
	return torture_begin_run();
}

static const struct kernel_param_ops torture_start_ops = {
	.set = torture_set_start,
	.get = param_get_bool,
};
module_param_cb(start, &torture_start_ops, &start, 0644);
MODULE_PARM_DESC(start, "begin a run");

static int __init torture_init(void)
{
	int ret = start ? torture_begin_run() : 0;

	torture_loaded = !ret;
	if (ret)
		torture_clear();
	return ret;
}

static void __exit torture_exit(void)
{
	torture_clear();
}

static int torture_set_readings(const char *value, const struct kernel_param *param)
{
	atomic64_inc(&torture.events[TORTURE_SAW_READINGS]);
	return 0;
}

static const struct kernel_param_ops torture_readings_ops = {
	.set = torture_set_readings,
};
module_param_cb(readings, &torture_readings_ops, NULL, 0200);
MODULE_PARM_DESC(readings, "written by user space when it has read all debugfs files of the domain (write only)");

static const struct kernel_param_ops torture_missed_ops = {
	.get = torture_branches_missed,
};
module_param_cb(missed, &torture_missed_ops, NULL, 0444);
MODULE_PARM_DESC(missed, "branches of headway that no run has taken so far (read only)");

module_init(torture_init);
module_exit(torture_exit);
MODULE_DESCRIPTION("Torture test of headway's locks");
MODULE_LICENSE("GPL");

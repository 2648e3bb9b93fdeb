// SPDX-License-Identifier: GPL-2.0
/*
 * torture_disturb.c - what goes on beside the workers: signals and kills, moves between CPUs,
 * policy changes, domains that come and go. Readers of debugfs are the guest's.
 */
#define pr_fmt(fmt) "torture: " fmt

#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/random.h>
#include <linux/sched/signal.h>

#include "torture.h"

static u32 torture_roll(u32 below)
{
	return get_random_u32() % below;
}

static void torture_signal(void)
{
	struct torture_worker *worker = &torture.workers[torture_roll(torture.nr_workers)];
	bool kill = torture_roll(2);

	/* Who hangs must not be helped out when all are expected to end by themselves. */
	if (READ_ONCE(torture.pause) || !torture.signals)
		return;
	send_sig(kill ? SIGKILL : SIGINT, worker->task, 1);
	atomic64_inc(&torture.events[kill ? TORTURE_SAW_KILLS : TORTURE_SAW_SIGNALS]);
}

/* Schedulers put threads that sleep much on one CPU, where nothing contends. */
static void torture_shuffle(void)
{
	unsigned int i;
	int cpu;

	for (i = 0; i < torture.nr_workers; i++) {
		cpu = cpumask_nth(torture_roll(num_online_cpus()), cpu_online_mask);
		if (cpu < nr_cpu_ids)
			set_cpus_allowed_ptr(torture.workers[i].task, cpumask_of(cpu));
	}
	atomic64_inc(&torture.events[TORTURE_SAW_SHUFFLES]);
}

static void torture_flip(void)
{
	enum headway_policy policy = torture_roll(HEADWAY_NR_POLICIES);

	if (!torture.flips || policy == HEADWAY_POLICY_NONE)
		return;
	if (!headway_domain_set_policy(torture.domain, policy, NULL))
		atomic64_inc(&torture.events[TORTURE_SAW_FLIPS]);
}

/* A domain's life, as short as can be; with ENOMEM injected, at times shorter. */
static void torture_make_domain(void)
{
	static struct headway_lock locks[3];
	struct headway_lock *set[] = { &locks[2], &locks[0], &locks[1] };
	enum headway_policy policy = torture_roll(HEADWAY_NR_POLICIES);
	struct headway_domain *domain;
	struct headway_txn txn;
	int i;

	domain = headway_domain_create("torture-short", policy);
	if (IS_ERR(domain)) {
		if (domain == ERR_PTR(-ENOMEM))
			atomic64_inc(&torture.events[TORTURE_SAW_ENOMEM]);
		else
			torture_fail(TORTURE_ERRNO, "making a domain: %ld\n", PTR_ERR(domain));
		return;
	}
	for (i = 0; i < ARRAY_SIZE(locks); i++)
		headway_lock_init(&locks[i], domain, i, 0, "short");
	headway_txn_begin(&txn, domain);
	if (headway_lock_many(&txn, set, ARRAY_SIZE(set)))
		torture_fail(TORTURE_ERRNO, "a set that nobody else wants\n");
	headway_txn_end(&txn);
	for (i = 0; i < ARRAY_SIZE(locks); i++)
		headway_lock_destroy(&locks[i]);
	headway_domain_destroy(domain);
	atomic64_inc(&torture.events[TORTURE_SAW_DOMAINS]);
}

struct torture_disturber {
	const char *name;
	void (*disturb)(void);
	unsigned int period_ms;
	bool enomem;			/* its allocations may be made to fail */
	struct task_struct *task;
};

static struct torture_disturber torture_disturbers[] = {
	{ .name = "signal", .disturb = torture_signal, .period_ms = 1 },
	{ .name = "shuffle", .disturb = torture_shuffle, .period_ms = 50 },
	{ .name = "flip", .disturb = torture_flip, .period_ms = 20 },
	{ .name = "domain", .disturb = torture_make_domain, .period_ms = 20, .enomem = true },
};

void torture_may_lack_memory(void)
{
#ifdef CONFIG_FAULT_INJECTION
	current->make_it_fail = torture.enomem;
#endif
}

static int torture_disturb(void *data)
{
	struct torture_disturber *disturber = data;

	if (disturber->enomem)
		torture_may_lack_memory();
	while (!kthread_should_stop()) {
		disturber->disturb();
		schedule_timeout_idle(max(1UL, msecs_to_jiffies(disturber->period_ms)));
	}
	return 0;
}

int torture_disturb_start(void)
{
	struct torture_disturber *disturber = torture_disturbers;
	struct task_struct *task;

	int ret = torture_noise_start();

	if (ret)
		return ret;
	for (; disturber < torture_disturbers + ARRAY_SIZE(torture_disturbers); disturber++) {
		task = kthread_run(torture_disturb, disturber, "torture/%s", disturber->name);
		if (IS_ERR(task)) {
			torture_disturb_stop();
			return PTR_ERR(task);
		}
		disturber->task = task;
	}
	return 0;
}

void torture_disturb_stop(void)
{
	unsigned int i;

	torture_noise_stop();
	for (i = 0; i < ARRAY_SIZE(torture_disturbers); i++) {
		if (torture_disturbers[i].task)
			kthread_stop(torture_disturbers[i].task);
		torture_disturbers[i].task = NULL;
	}
}

// SPDX-License-Identifier: GPL-2.0
/*
 * torture_noise.c - what other people's work does to a machine, in the manner of `perf bench`: on
 * each CPU a thread that trades wake-ups with the next CPU's (sched pipe, futex wake), moves memory
 * about (mem memcpy), and fights over a mutex (futex lock-pi). It leaves the CPU about half of its
 * time, or nothing else would get done.
 */
#define pr_fmt(fmt) "torture: " fmt

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "torture.h"

#define TORTURE_NOISE_MAX 8
#define TORTURE_NOISE_TRADES 32
#define TORTURE_NOISE_BYTES SZ_256K

static struct torture_noise {
	struct task_struct *task;
	struct completion turn;
} torture_noises[TORTURE_NOISE_MAX];

static unsigned int torture_nr_noises;
static DEFINE_MUTEX(torture_noise_mutex);

/* One that waits for its turn in vain goes on: the other may be doing something else. */
static void torture_noise_trade(struct torture_noise *noise)
{
	unsigned int next = (noise - torture_noises + 1) % torture_nr_noises;
	unsigned int i;

	for (i = 0; i < TORTURE_NOISE_TRADES; i++) {
		complete(&torture_noises[next].turn);
		wait_for_completion_timeout(&noise->turn, 1);
	}
}

static void torture_noise_move(void)
{
	char *memory = kvmalloc(TORTURE_NOISE_BYTES, GFP_KERNEL | __GFP_NOWARN);

	if (!memory)
		return;
	memset(memory, 1, TORTURE_NOISE_BYTES / 2);
	memcpy(memory + TORTURE_NOISE_BYTES / 2, memory, TORTURE_NOISE_BYTES / 2);
	kvfree(memory);
}

static void torture_noise_fight(void)
{
	unsigned int i;

	for (i = 0; i < TORTURE_NOISE_TRADES; i++) {
		mutex_lock(&torture_noise_mutex);
		udelay(1);
		mutex_unlock(&torture_noise_mutex);
	}
}

static int torture_make_noise(void *data)
{
	struct torture_noise *noise = data;
	ktime_t start;

	while (!kthread_should_stop()) {
		start = ktime_get();
		torture_noise_trade(noise);
		torture_noise_move();
		torture_noise_fight();
		atomic64_inc(&torture.events[TORTURE_SAW_NOISE]);
		/* As long again. */
		fsleep(max(ktime_us_delta(ktime_get(), start), 100));
	}
	return 0;
}

void torture_noise_stop(void)
{
	unsigned int i;

	for (i = 0; i < torture_nr_noises; i++) {
		if (torture_noises[i].task)
			kthread_stop(torture_noises[i].task);
		torture_noises[i].task = NULL;
	}
	torture_nr_noises = 0;
}

int torture_noise_start(void)
{
	struct task_struct *task;
	unsigned int i = 0;
	int cpu;

	torture_nr_noises = min(num_online_cpus(), TORTURE_NOISE_MAX + 0U);
	for (i = 0; i < torture_nr_noises; i++)
		init_completion(&torture_noises[i].turn);
	i = 0;
	for_each_online_cpu(cpu) {
		if (i == torture_nr_noises)
			break;
		task = kthread_create(torture_make_noise, &torture_noises[i], "torture/noise%d",
				      cpu);
		if (IS_ERR(task)) {
			torture_noise_stop();
			return PTR_ERR(task);
		}
		kthread_bind(task, cpu);
		torture_noises[i++].task = task;
		wake_up_process(task);
	}
	return 0;
}

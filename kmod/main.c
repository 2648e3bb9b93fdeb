// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - the module: parameters, and what comes up and goes down in which order.
 *
 * PREEMPT_RT: a lock's owner is not lent its waiters' priority, and the waiters' queue knows age,
 * not scheduling priority. There, that is what people rely on, so the module does not load unless
 * told to.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/log2.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "internal.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

#ifndef CONFIG_64BIT
#error "headway needs a 64-bit kernel: it reads counters of other CPUs as one word"
#endif

static int headway_stats_set(const char *value, const struct kernel_param *param)
{
	bool on;
	int ret = kstrtobool(value, &on);

	if (ret)
		return ret;
	if (on)
		static_branch_enable(&headway_stats_key);
	else
		static_branch_disable(&headway_stats_key);
	return 0;
}

static int headway_stats_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%c\n", static_key_enabled(&headway_stats_key) ? 'Y' : 'N');
}

static const struct kernel_param_ops headway_stats_ops = {
	.set = headway_stats_set,
	.get = headway_stats_get,
};

__MODULE_PARM_TYPE(stats, "bool");
module_param_cb(stats, &headway_stats_ops, NULL, 0644);
MODULE_PARM_DESC(stats, "Keep per-lock statistics and time histograms (default Y)");

static int headway_hold_sample_set(const char *value, const struct kernel_param *param)
{
	unsigned int sample;
	int ret = kstrtouint(value, 0, &sample);

	if (ret)
		return ret;
	if (!is_power_of_2(sample))
		return -EINVAL;
	WRITE_ONCE(headway_hold_sample_mask, sample - 1);
	return 0;
}

static int headway_hold_sample_get(char *buffer, const struct kernel_param *param)
{
	return sysfs_emit(buffer, "%u\n", READ_ONCE(headway_hold_sample_mask) + 1);
}

static const struct kernel_param_ops headway_hold_sample_ops = {
	.set = headway_hold_sample_set,
	.get = headway_hold_sample_get,
};

__MODULE_PARM_TYPE(hold_sample, "uint");
module_param_cb(hold_sample, &headway_hold_sample_ops, NULL, 0644);
MODULE_PARM_DESC(hold_sample, "Time one hold in so many of each lock; a power of two (default 512)");

module_param_named(panic_on_livelock, headway_panic_on_livelock, bool, 0644);
MODULE_PARM_DESC(panic_on_livelock, "Panic when the verdict of a domain or loop becomes livelock, for test rigs (default N)");

static bool headway_allow_without_pi;
module_param_named(allow_without_pi, headway_allow_without_pi, bool, 0444);
MODULE_PARM_DESC(allow_without_pi, "Load on PREEMPT_RT although locks have no priority inheritance (default N)");

static int __init headway_check_rt(void)
{
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		return 0;
	if (!headway_allow_without_pi) {
		pr_err("not loaded on PREEMPT_RT: the locks have no priority inheritance, so that an urgent waiter could be blocked without bound behind a preempted holder; use a kernel without PREEMPT_RT or, where that does not matter, load with allow_without_pi=1\n");
		return -EOPNOTSUPP;
	}
	pr_warn("on PREEMPT_RT without priority inheritance, as allow_without_pi asks: an urgent waiter can be blocked without bound behind a preempted holder\n");
	return 0;
}

static int __init headway_init(void)
{
	int ret = headway_check_rt();

	if (ret)
		return ret;
	ret = headway_watch_init();
	if (ret)
		return ret;
	ret = headway_escalate_init();
	if (ret)
		goto watch_exit;
	ret = headway_adaptive_init();
	if (ret)
		goto escalate_exit;
	headway_debugfs_init();
	return 0;

escalate_exit:
	headway_escalate_exit();
watch_exit:
	headway_watch_exit();
	return ret;
}

static void __exit headway_exit(void)
{
	/* Every domain and loop belongs to a module that uses our symbols, so none is left. */
	headway_debugfs_exit();
	headway_adaptive_exit();
	headway_escalate_exit();
	headway_watch_exit();
}

module_init(headway_init);
module_exit(headway_exit);
MODULE_AUTHOR("The Headway authors");
MODULE_DESCRIPTION("Ordered multi-lock transactions with conflict policies and proof of progress");
MODULE_VERSION(HEADWAY_VERSION);
MODULE_LICENSE("GPL");

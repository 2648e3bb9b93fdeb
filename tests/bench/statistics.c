// SPDX-License-Identifier: GPL-2.0
/*
 * statistics.c - what statistics cost: the same transactions with and without, in turns.
 *
 * `stats` is one thread with a set that nobody else wants, `stats_contended` a crowd.
 */
#include <linux/fs.h>

#include "peers.h"

/* As an administrator would: the switch is a parameter of the module. */
static void stats_switch(const char *value)
{
	struct file *file = filp_open("/sys/module/headway/parameters/stats", O_WRONLY, 0);
	loff_t at = 0;

	if (WARN_ON_ONCE(IS_ERR(file)))
		return;
	WARN_ON_ONCE(kernel_write(file, value, 1, &at) != 1);
	filp_close(file, NULL);
}

static void stats_on(void *state)
{
	stats_switch("Y");
}

static void stats_off(void *state)
{
	stats_switch("N");
}

static void stats_close(void *state)
{
	stats_switch("Y");
	bench_close_headway(state);
}

#define STATS_SIDE(_name, _ready, _once) { \
	.name = _name, .open = bench_open_headway, .close = stats_close, .ready = _ready, \
	.once = _once, .policy = HEADWAY_POLICY_WOUND_WAIT, \
}

static const struct bench_side stats[] = {
	STATS_SIDE("on", stats_on, bench_uncontended_headway),
	STATS_SIDE("off", stats_off, bench_uncontended_headway),
	{}
};

static const struct bench_side stats_contended[] = {
	STATS_SIDE("on", stats_on, bench_contended_headway),
	STATS_SIDE("off", stats_off, bench_contended_headway),
	{}
};

const struct bench_op bench_stats = {
	.name = "stats", .sides = stats, .pick = bench_uncontended_pick,
	.sets = BENCH_UNCONTENDED_SETS, .burst = BENCH_UNCONTENDED_BURST,
	.threads = 1, .pool = 64, .locks = 8,
};

const struct bench_op bench_stats_contended = {
	.name = "stats_contended", .sides = stats_contended, .pick = bench_pick,
	.threads = 4, .pool = 64, .locks = 2,
};

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * headway_progress.h - what a watchdog keeps where its user allocates it. Included by headway.h.
 */
#ifndef HEADWAY_PROGRESS_API_H
#define HEADWAY_PROGRESS_API_H

#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "headway_types.h"

struct headway_watch_state;

/**
 * struct headway_watch - a watchdog, of a domain or of a loop; private, see kmod/watch.c
 */
struct headway_watch {
	/* private: */
	struct delayed_work work;
	spinlock_t lock;		/* innermost */
	u64 window_ns;			/* settings: lock; 0 before registration = the default */
	u32 rollbacks_min;
	u32 contended_ratio;		/* rollbacks per 100 commits */
	u32 restarts_max;		/* one actor: more is starvation */
	u64 wait_max_ns;
	bool escalate;			/* domains only; see kmod/escalate.c */
	u32 healthy_windows;
	u32 generation;			/* domains: locks_mutex; resets so far, see stats.c */
	struct headway_watch_state *state;
};

#endif /* HEADWAY_PROGRESS_API_H */

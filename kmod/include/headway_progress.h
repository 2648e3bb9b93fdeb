/* SPDX-License-Identifier: GPL-2.0 */
/*
 * headway_progress.h - proof of progress for any retry loop in the kernel. Included by headway.h.
 */
#ifndef HEADWAY_PROGRESS_API_H
#define HEADWAY_PROGRESS_API_H

#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "headway_types.h"

/**
 * DOC: Watched retry loops
 *
 * A loop that tries, fails, and tries again until it gets through can livelock: everybody in it is
 * busy and nobody completes. Register it, and say at four points what happens; the watchdog of the
 * loop judges as that of a domain does, in the same words. Compiled as
 * kmod/examples/watched_loop.c::
 *
 *	DEFINE_HEADWAY_LOOP(claim_pair, NSEC_PER_SEC);
 *
 *	headway_loop_enter(&actor, &claim_pair);
 *	while (!try_to_claim(pair)) {
 *		headway_loop_retry(&actor);
 *		cpu_relax();
 *	}
 *	headway_loop_done(&actor);
 *	headway_loop_leave(&actor);
 *
 * An *actor* is whoever is in the loop now. One that stays to get several things done calls
 * headway_loop_done() for each of them. Words: what a domain calls a commit is here something that
 * was done; a rollback is an attempt that failed; an abort is an actor that left with nothing done.
 *
 * A livelock is: in two windows in a row somebody was in the loop throughout, two or more actors
 * kept failing, nothing was done, and no attempt took longer than half a window. So the window is
 * the longest time that the loop may go without getting anything done while attempts fail. An
 * attempt that takes long is never a livelock, however many others fail because of it; after
 * wait_max_ns (debugfs file watchdog) it is a stalled holder. An actor that fails for longer than
 * that while others get something done is starving. How often it fails is no measure, unless
 * restarts_max is set.
 *
 * Contexts: registering may sleep; the four calls may come from anywhere but NMI, with spinlocks
 * held and interrupts off.
 *
 * Cost: entering and leaving count on the CPU's own counters; so does a failed attempt. From the
 * HEADWAY_LOOP_QUIET'th failure on an actor is on a list, so that it can be named.
 */

struct headway_loop_pcpu;
struct headway_watch_state;

/* An actor is listed from its so many'th failure in a row. */
#define HEADWAY_LOOP_QUIET 3
/* Frames kept of an actor's stack, when the watchdog asks for it. */
#define HEADWAY_LOOP_FRAMES 12

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

/**
 * struct headway_loop - a retry loop that is watched
 *
 * DEFINE_HEADWAY_LOOP() and headway_loop_register().
 */
struct headway_loop {
	/* private: */
	const char *name;
	struct headway_loop_pcpu __percpu *pcpu;	/* each CPU its own */
	bool suspect;			/* the work: every actor is listed, whatever it did */
	u32 stacks_asked;		/* the work, debugfs: who sees it change saves its own */
	raw_spinlock_t live_lock;	/* innermost but for watch.lock */
	struct list_head live;		/* live_lock */
	u32 nr_live;			/* live_lock */
	u64 begun_live;			/* live_lock: actors listed as they entered */
	struct headway_watch watch;
	struct dentry *debugfs;
	struct list_head node;		/* headway_loops; headway_loops_mutex */
	bool registered;
};

/**
 * struct headway_loop_actor - one run through a loop; lives on its caller's stack
 */
struct headway_loop_actor {
	/* private: */
	struct headway_loop *loop;
	struct task_struct *task;	/* const; NULL: not a task, but an interrupt */
	u64 restarts;			/* own: failures in a row; the watchdog reads */
	u64 restarts_seen;		/* watchdog, live_lock */
	u32 stack_asked;		/* own, live_lock: stacks_asked when it was saved */
	u8 nr_frames;			/* own, live_lock */
	bool live;			/* own */
	bool done;			/* own: something was, and nothing was begun since */
	u64 failing_ns;			/* own, once listed: since when it fails; 0: it does not */
	u64 attempt_ns;			/* own, once listed: when the present attempt began */
	struct list_head node;		/* loop->live, live_lock */
	unsigned long frames[HEADWAY_LOOP_FRAMES];	/* own, live_lock */
};

#define __HEADWAY_LOOP_INIT(_var, _name, _window_ns) { \
	.name = (_name), \
	.live_lock = __RAW_SPIN_LOCK_UNLOCKED(_var.live_lock), \
	.live = LIST_HEAD_INIT(_var.live), \
	.watch = { \
		.lock = __SPIN_LOCK_UNLOCKED(_var.watch.lock), \
		.window_ns = (_window_ns), \
	}, \
	.node = LIST_HEAD_INIT(_var.node), \
}

/**
 * DEFINE_HEADWAY_LOOP - define a watched loop statically
 * @var: variable; its name is the loop's name in debugfs
 * @_window_ns: longest that the loop may go without getting anything done while attempts fail;
 *	100 ms to 1 h; 0 = 1 s
 *
 * Call headway_loop_register() before the first actor enters.
 */
#define DEFINE_HEADWAY_LOOP(var, _window_ns) \
	struct headway_loop var = __HEADWAY_LOOP_INIT(var, #var, _window_ns)

int headway_loop_register(struct headway_loop *loop);
void headway_loop_unregister(struct headway_loop *loop);
enum headway_verdict headway_loop_verdict(struct headway_loop *loop);

void headway_loop_enter(struct headway_loop_actor *actor, struct headway_loop *loop);
void headway_loop_retry(struct headway_loop_actor *actor);
void headway_loop_done(struct headway_loop_actor *actor);
void headway_loop_leave(struct headway_loop_actor *actor);

#endif /* HEADWAY_PROGRESS_API_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * torture.h - what the files of headway_torture.ko share: one run, its workers, what they check.
 *
 * A run is one insmod: workers run loads (torture_load.c) on the locks of one domain while others
 * disturb them (torture_disturb.c). Now and then all workers are parked; then nothing is in flight
 * and everything must add up (torture_check.c). Whatever does not is counted by check, so that a
 * negative control (torture_controls.c) can demand that it was caught, and by what.
 *
 * Counters of a worker are its own; others read them while it is parked or has ended.
 */
#ifndef HEADWAY_TORTURE_H
#define HEADWAY_TORTURE_H

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/moduleparam.h>
#include <linux/wait.h>

/* For layouts and inline functions only; what compat.h adapts is for the module's own code. */
#define HEADWAY_COMPAT_H
#include "internal.h"
#include "branch.h"
#include "broken.h"

#define TORTURE_SET_MAX 64
#define TORTURE_WORKERS_MAX 64
#define TORTURE_RECORDS 16384		/* per worker, between two parkings */
#define TORTURE_SAY 3			/* failures of each check that are printed */
#define TORTURE_PRIVATE 8		/* locks of each worker that nobody else wants */

/* X(enumerator, name, what is wrong when it fails) */
#define TORTURE_CHECKS(X) \
	X(EXCLUSION, "exclusion", "two transactions were inside one lock") \
	X(BANK, "bank", "money was made or lost: a set was not held as a whole") \
	X(HELD, "held", "a call's result and the locks held do not agree") \
	X(LEAK, "leak", "something was left held, waited for or in flight") \
	X(SLEEPER, "sleeper", "a transaction sleeps on a lock that it could have") \
	X(STUCK, "stuck", "a transaction did not end although nobody else was left") \
	X(TICKET, "ticket", "a ticket was not kept") \
	X(BOUND, "bound", "more restarts than the policy promises") \
	X(DEADLK, "deadlk", "-EDEADLK or a rollback where there can be none") \
	X(ERRNO, "errno", "a call returned what its form cannot return") \
	X(STATS, "stats", "the statistics do not add up") \
	X(LIVELOCK, "livelock", "the watchdog says livelock")

enum torture_check {
#define X(id, name, help) TORTURE_##id,
	TORTURE_CHECKS(X)
#undef X
	TORTURE_NR_CHECKS
};

/*
 * X(enumerator, name): what a run has to have gone through, apart from the domain's own counters.
 */
#define TORTURE_EVENTS(X) \
	X(EDEADLK, "edeadlk") \
	X(ETIMEDOUT, "etimedout") \
	X(EINTR, "eintr") \
	X(EBUSY, "ebusy") \
	X(EALREADY, "ealready") \
	X(EINVAL, "einval") \
	X(REFUSED, "refused_begins") \
	X(EARLY, "early_unlocks") \
	X(NESTED, "nested") \
	X(DUPLICATES, "duplicates") \
	X(PRIORITIES, "priorities") \
	X(JUDGED, "restarts_judged") \
	X(PARKED, "parkings") \
	X(SIGNALS, "signals") \
	X(KILLS, "kills") \
	X(SHUFFLES, "shuffles") \
	X(FLIPS, "flips") \
	X(ARMS, "arm_changes") \
	X(DOMAINS, "domains_made") \
	X(LARGEST, "sets_of_64") \
	X(PRIVATE, "private_sets") \
	X(RINGS, "rings") \
	X(NOISE, "noise") \
	X(READINGS, "readings") \
	X(ENOMEM, "enomem")

enum torture_event {
#define X(id, name) TORTURE_SAW_##id,
	TORTURE_EVENTS(X)
#undef X
	TORTURE_NR_EVENTS
};

/* A lock and the data that only it protects. Deliberately plain: only exclusion keeps it right. */
struct torture_lock {
	struct headway_lock lock;
	const void *cookie;		/* the worker inside */
	u64 visits;
	s64 balance;
};

/* A transaction that met a conflict. Times: from before its begin to after its end. */
struct torture_record {
	u64 begin_ns;
	u64 end_ns;
	u64 ticket;
	s64 bonus;
	u32 restarts;
	u32 conflicts;			/* restarts, and one more if it gave up at a conflict */
	const char *load;
	u32 nr;				/* locks in the set */
	u32 charge;			/* restarts that one attempt of it may cost another */
};

struct torture_worker {
	struct task_struct *task;
	struct completion done;
	unsigned int number;
	u64 rng;
	/* Not on the stack: it stays readable when a hung worker is left behind. */
	struct headway_txn txn;
	struct headway_txn inner;
	struct headway_lock *set[TORTURE_SET_MAX];
	bool inside[TORTURE_SET_MAX];	/* between torture_enter() and torture_leave() */
	u64 seen[TORTURE_SET_MAX];	/* visits, as of torture_enter() */
	s64 sum;			/* of the set's balances, as of torture_enter() */
	unsigned int nr;		/* locks in the set */
	const struct torture_load *load;
	u32 ring;			/* round of the last ring that it was asked to join */
	bool met;			/* in that ring, all others */
	u64 forgot;			/* leak load: 1 + parkings so far; 0 = nothing */
	u64 begin_ns;
	u64 ticket;			/* as first seen; 0 = not yet */
	u64 commits;
	u64 aborts;
	u64 rollbacks;
	u64 outside;			/* ended in no epoch: a rollback could join none in time */
	u64 given_up;			/* ended at a conflict, without a rollback */
	u64 visits;
	u32 restarts_max;
	u64 events[TORTURE_NR_EVENTS];
	struct torture_record *records;
	u32 nr_records;
	u64 unrecorded_ns;		/* end of the last that found no room; 0 = none */
};

struct torture_load {
	const char *name;
	void (*run)(struct torture_worker *worker);
	bool unlocks;			/* releases locks before its end */
	unsigned int stall_ns;		/* of headway_stall() */
};

/*
 * A breakage that must be caught: by a load that does wrong, or, with @broken, in headway.ko.
 */
struct torture_control {
	const char *name;
	unsigned long caught_by;		/* BIT(TORTURE_*): each of them must fail, */
						/* and nothing else first */
	enum headway_policy policy;
	const struct torture_load *load;	/* NULL = the usual ones */
	unsigned long broken;			/* HEADWAY_BROKEN_* bits */
	unsigned int nr_workers;		/* 0 = as many as usual */
};

/* See torture_ring.c. Written while everybody is parked, but for what is atomic. */
struct torture_ring {
	u32 round;
	unsigned int nr;		/* workers in it */
	u64 sizes;			/* bit n - 1: there was one of n, and all of it committed */
	atomic_t met;
	atomic_t ended;
	atomic_t commits;		/* of those who met all others */
	atomic_t restarts;
};

struct torture {
	struct headway_domain *domain;
	struct headway_domain *inner;
	struct torture_lock *locks;
	struct torture_lock *inner_locks;
	struct torture_worker *workers;
	/* In this order: those that all want, one of the ring for each worker, its private ones. */
	unsigned int nr_locks;		/* all of these */
	unsigned int nr_shared;
	unsigned int pool;		/* most that a set is chosen from */
	unsigned int nr_workers;
	unsigned int patience_ms;
	enum headway_policy policy;
	bool flips;
	bool sorted;			/* every load asks in sorted order */
	bool calm;			/* asked to be: little of what a policy does happens */
	bool peaceful;			/* so nobody can have to roll back */
	const struct torture_control *control;
	const struct torture_load *only;	/* NULL = all loads */
	bool signals;
	bool enomem;			/* the guest injects allocation failures */
	atomic_t looks;			/* of the watcher */
	atomic_t met;			/* the lockstep load's meetings */
	bool stopped;			/* from outside, before it was over */
	bool pause;
	bool stop;
	wait_queue_head_t wait;
	atomic_t parked;
	atomic64_t events[TORTURE_NR_EVENTS];
	atomic64_t failures[TORTURE_NR_CHECKS];
	atomic_t first_failed;		/* 1 + check; 0 = none yet */
	struct torture_ring ring;
	unsigned long branches[HEADWAY_NR_BRANCHES];	/* counts when the run began */
	unsigned long must_stats;	/* BIT(HEADWAY_STAT_*): it has to show these, too */
	unsigned long must_events;	/* BIT(TORTURE_SAW_*) */
	u64 must_branches;		/* BIT_ULL(HEADWAY_BRANCH_*) */
	enum headway_policy arm;	/* watcher's: as it was at the last look */
};

extern struct torture torture;

#define TORTURE_INNER_LOCKS 8
#define TORTURE_BALANCE 1000		/* of each lock at first */

static inline struct torture_lock *torture_lock_of(struct headway_lock *lock)
{
	return container_of(lock, struct torture_lock, lock);
}

static inline u32 torture_random(struct torture_worker *worker, u32 below)
{
	worker->rng = worker->rng * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(worker->rng >> 33) % below;
}

static inline bool torture_one_in(struct torture_worker *worker, u32 n)
{
	return !torture_random(worker, n);
}

/* Counts a failure; says the first few of each check. */
__printf(2, 3) void torture_fail(enum torture_check check, const char *format, ...);
bool torture_failed(void);
bool torture_check_failed(enum torture_check check);
int torture_say_failed(char *buffer, size_t size, unsigned long among);

/* torture_check.c: a worker's critical section, and the sums when everybody is parked */
void torture_enter(struct torture_worker *worker);
void torture_leave(struct torture_worker *worker);
void torture_leave_one(struct torture_worker *worker, unsigned int i);
void torture_count_money(struct torture_worker *worker);
void torture_dawdle(struct torture_worker *worker);
void torture_expect(struct torture_worker *worker, int ret, const struct headway_wait *wait,
		    bool may_conflict);
unsigned int torture_nr_held(const struct torture_worker *worker);
void torture_expect_held(struct torture_worker *worker, unsigned int nr_held);
void torture_check_parked(void);
void torture_check_end(void);

/* torture_load.c */
extern const struct headway_wait torture_killable;
const struct torture_load *torture_find_load(const char *name);
void torture_load_one(struct torture_worker *worker);
void torture_pick(struct torture_worker *worker, unsigned int nr, unsigned int pool);
int torture_begin(struct torture_worker *worker, const struct headway_wait *wait);
int torture_take_steps(struct torture_worker *worker, const struct headway_wait *wait);
void torture_end(struct torture_worker *worker, int ret);

/* torture_drive.c */
#define TORTURE_STALL_NS (4 * NSEC_PER_MSEC)
void torture_run_crowd(struct torture_worker *worker);
void torture_run_gone(struct torture_worker *worker);
void torture_run_gate(struct torture_worker *worker);

/* torture_bound.c: restarts against the promise */
int torture_bound_init(struct torture_worker *worker);
void torture_bound_free(struct torture_worker *worker);
void torture_record(struct torture_worker *worker, int ret, u64 end_ns);
void torture_check_bounds(void);

/* torture_cover.c */
u64 torture_stat(enum headway_stat stat);
u64 torture_event(enum torture_event event);
bool torture_covered(bool say);
bool torture_known(enum headway_policy policy);
int torture_choose_must(const char *must);
int torture_branches_missed(char *buffer, const struct kernel_param *param);

/* torture_report.c */
bool torture_settled(void);
const char *torture_report(const char *policy, bool covered);

/* torture_disturb.c */
void torture_may_lack_memory(void);	/* the current task's allocations may fail */
int torture_disturb_start(void);
void torture_disturb_stop(void);

/* torture_noise.c */
int torture_noise_start(void);
void torture_noise_stop(void);

/* torture_ring.c */
void torture_ring_next(void);
bool torture_ring_one(struct torture_worker *worker);
bool torture_rings_covered(void);

/* torture_watch.c */
int torture_watch_start(void);
void torture_watch_stop(void);
void torture_await_looks(void);
void torture_say_live(void);

/* torture_controls.c */
const struct torture_control *torture_find_control(const char *name);

#endif /* HEADWAY_TORTURE_H */

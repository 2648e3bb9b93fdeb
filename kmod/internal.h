/* SPDX-License-Identifier: GPL-2.0 */
/*
 * internal.h - what the module's files share with each other, and with nobody else.
 *
 * Lock order: headway_domains_mutex > flip_mutex > locks_mutex; live_lock > txn->pin >
 * lock->wait_lock > (scheduler's). locks_mutex is taken with headway locks held, so no headway lock
 * is taken under it.
 */
#ifndef HEADWAY_INTERNAL_H
#define HEADWAY_INTERNAL_H

#include <linux/percpu.h>
#include <linux/jump_label.h>

#include "compat.h"
#include "headway.h"
#include "policy.h"

#define HEADWAY_VERSION "0.1.0"

/* Low bits of lock->owner; transactions are at least 8-byte aligned. */
#define HEADWAY_LOCK_WAITERS	1UL	/* release must take wait_lock */
#define HEADWAY_LOCK_HANDOFF	2UL	/* release gives it to the first waiter; no stealing */
#define HEADWAY_LOCK_FLAGS	(HEADWAY_LOCK_WAITERS | HEADWAY_LOCK_HANDOFF)

/* On PREEMPT_RT owners may be preempted anywhere; on one CPU nobody else runs. */
#define HEADWAY_CAN_SPIN	(IS_ENABLED(CONFIG_SMP) && !IS_ENABLED(CONFIG_PREEMPT_RT))

#ifdef CONFIG_SMP
#define headway_task_on_cpu(task) owner_on_cpu(task)
#else
#define headway_task_on_cpu(task) false
#endif

enum headway_stat {
#define X(id, name, help) HEADWAY_STAT_##id,
#include "stats_list.h"
#undef X
	HEADWAY_NR_STATS
};

/*
 * One per CPU and domain; written by headway_cpu_inc(). Only sums mean something: a transaction may
 * begin on one CPU and end on another.
 */
struct headway_pcpu {
	u64 begun;			/* transactions that joined an epoch */
	u64 left;			/* ... that left it without a commit; with one: */
	u64 stat[HEADWAY_NR_STATS];
};

/*
 * How many have left their epoch; in flight = sum(begun) - sum of these, which are read first.
 * Pairs with headway_cpu_inc_release() in headway_epoch_leave().
 */
static inline u64 headway_pcpu_ended(const struct headway_pcpu *p)
{
	/* Acquire: see above. */
	return smp_load_acquire(&p->left) + smp_load_acquire(&p->stat[HEADWAY_STAT_COMMITS]);
}

/* Sums over CPUs at about one instant; `ended` is summed first, so in_flight is never negative. */
struct headway_sums {
	u64 begun;
	u64 ended;
	u64 in_flight;
	u64 attempts;
	u64 stat[HEADWAY_NR_STATS];
};

#define HEADWAY_HIST_BUCKETS 32		/* bucket b: [2^b, 2^(b+1)) ns; the last is open */

struct headway_time_hist {
	u64 count;
	u64 total_ns;
	u64 min_ns;			/* U64_MAX until count > 0 */
	u64 max_ns;
	u32 bucket[HEADWAY_HIST_BUCKETS];
};

/* Allocated at the first wait or sampled hold; written by the lock's owner while it holds it. */
struct headway_lock_times {
	struct headway_time_hist wait;	/* every wait that ended with the lock acquired */
	struct headway_time_hist hold;	/* sampled: one in headway_hold_sample */
	u32 generation;			/* owner; of both: cleared when watch.generation moved on */
	u64 base_acquired;		/* locks_mutex; lock->stats as of the last reset */
	u64 base_contended;		/* locks_mutex */
	u64 base_rollbacks;		/* locks_mutex */
};

/* A copy of a lock's figures since the last reset. */
struct headway_lock_figures {
	u64 acquired;
	u64 contended;
	u64 rollbacks;
	struct headway_time_hist wait;
	struct headway_time_hist hold;
};

/* domain->gate: enum headway_policy that transactions run under, and: */
#define HEADWAY_GATE_POLICY	0xffu
#define HEADWAY_GATE_ADAPTIVE	0x100u	/* it is an arm of `adaptive` */
#define HEADWAY_GATE_SHUT	0x200u	/* wait on flip_wq */

static inline bool headway_gate_is_shut(const struct headway_domain *domain)
{
	return READ_ONCE(domain->gate) & HEADWAY_GATE_SHUT;
}

/* domain.c */
extern struct list_head headway_domains;	/* headway_domains_mutex */
extern struct mutex headway_domains_mutex;
bool headway_name_ok(const char *name);
void headway_domain_sum(const struct headway_domain *domain, struct headway_sums *sums);
int headway_domain_change_policy(struct headway_domain *domain, enum headway_policy policy,
				 const struct headway_wait *wait, u32 *epoch);
int headway_domain_change_arm(struct headway_domain *domain, enum headway_policy arm,
			      u64 limit_ns);
/* Joins a newly opened policy at a point where nothing is held; see domain.c. */
int headway_epoch_migrate(struct headway_txn *txn, const struct headway_wait *wait);

/* lock.c */
struct headway_owner {			/* a copy: the transaction may end as soon as it is taken */
	bool held;
	u64 ticket;
	u32 nr_held;
	u32 restarts;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	unsigned int task_state;	/* TASK_*, as read at that time */
};

/* Under lock->wait_lock: keep the owner, if there is one, from ending, and let it go again. */
struct headway_txn *headway_pin_owner(struct headway_lock *lock);
void headway_unpin(struct headway_lock *lock);
void headway_review_wound(struct headway_txn *txn);
void headway_lock_owner(struct headway_lock *lock, struct headway_owner *owner);
u32 headway_lock_nr_waiters(struct headway_lock *lock);
void headway_txn_go_live(struct headway_txn *txn);

/* detect.c */
void headway_detect(struct headway_txn *txn);

/* view.c: a copy of a member of domain->live: where it waits and on whom */
struct headway_txn_view {
	u64 ticket;
	s64 bonus;
	u32 nr_held;
	u32 restarts;
	u64 begin_ns;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	bool wounded;
	bool backing_off;
	bool waiting;
	u64 wait_since_ns;
	char lock_name[32];
	u64 lock_key;
	u32 lock_rank;
	struct headway_owner owner;	/* of the lock it waits on */
};

#define HEADWAY_STACK_DEPTH 16
#define HEADWAY_STACK_TEXT 2048		/* bytes; as a word */

struct headway_stack {
	u32 nr;				/* 0: no answer */
	unsigned long entries[HEADWAY_STACK_DEPTH];	/* innermost first; never shown raw */
};

void headway_stack_give(struct headway_txn *txn);

/* Own transaction, without its pin. */
static inline void headway_stack_answer(struct headway_txn *txn)
{
	raw_spin_lock(&txn->pin);
	headway_stack_give(txn);
	raw_spin_unlock(&txn->pin);
}

/* stats.c */
DECLARE_STATIC_KEY_TRUE(headway_stats_key);	/* module parameter `stats` */
extern unsigned int headway_hold_sample_mask;	/* 2^n - 1: one hold in 2^n is timed */
void headway_count(struct headway_domain *domain, enum headway_stat stat);
void headway_stats_wait(struct headway_lock *lock, u64 ns);	/* caller owns the lock */
void headway_stats_hold_begin(struct headway_lock *lock);	/* caller owns the lock */
void headway_stats_hold_end(struct headway_lock *lock);		/* caller owns the lock */
void headway_stats_free(struct headway_lock *lock);
void headway_stats_read(struct headway_lock *lock, struct headway_lock_figures *figures);
int headway_stats_reset(struct headway_domain *domain);
const char *headway_stat_name(enum headway_stat stat);
const char *headway_stat_help(enum headway_stat stat);
const char *headway_policy_name(enum headway_policy policy);
const char *headway_policy_help(enum headway_policy policy);
int headway_policy_parse(const char *name);	/* enum headway_policy or -EINVAL */
const char *headway_verdict_name(enum headway_verdict verdict);

/* progress.c; see also progress.h */
void headway_progress_rebase(struct headway_domain *domain, const struct headway_sums *sums);
int headway_progress_start(struct headway_domain *domain);
void headway_progress_stop(struct headway_domain *domain);

/* watch.c; see also watch.h */
extern bool headway_panic_on_livelock;	/* module parameter */
int headway_watch_init(void);
void headway_watch_exit(void);

/* adaptive.c; see also adaptive.h */
int headway_adaptive_init(void);
void headway_adaptive_exit(void);

/* escalate.c; see also escalate.h */
int headway_escalate_init(void);
void headway_escalate_exit(void);

/* debugfs.c; a missing debugfs is not an error: the files are then not there */
void headway_debugfs_init(void);
void headway_debugfs_exit(void);
void headway_debugfs_add(struct headway_domain *domain);
void headway_debugfs_remove(struct headway_domain *domain);

#endif /* HEADWAY_INTERNAL_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * adaptive.c - policy `adaptive`: wound-wait with turns or wait-die, whichever lets a domain commit
 * more. Turns are domain.c's: see headway_takes_token().
 *
 * adapt.c decides; this file measures, and changes the arm as any policy is changed: all of the old
 * arm's transactions end or roll back before the first of the new one begins (see domain.c), so
 * that the two never meet. Beginning transactions wait meanwhile; a change that is not made within
 * HEADWAY_ARM_WAIT_NS is given up, and that time counts as a cost of probing.
 *
 * The change waits for transactions, so it has a work and a workqueue of its own. It never waits
 * for flip_mutex: who holds that may be about to end us, so it looks again later. Whoever sets
 * another policy ends the adaptation: the work sees that and is not queued again. Setting
 * `adaptive` again starts anew, with nothing known.
 *
 * Lock order: flip_mutex > adaptive->lock.
 */
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "adaptive.h"

#define HEADWAY_ARM_WAIT_NS (20 * NSEC_PER_MSEC)

struct headway_adaptive {
	struct headway_domain *domain;
	struct delayed_work work;
	u64 start_ns;			/* flip_mutex: when the present trial began */
	struct headway_sums start;	/* flip_mutex: the counters then */
	spinlock_t lock;
	struct headway_adapt core;	/* lock; written with flip_mutex held */
};

/* Wound-wait first: it rolls back less where either will do. */
const enum headway_policy headway_arms[HEADWAY_ARMS] = {
	HEADWAY_POLICY_WOUND_WAIT, HEADWAY_POLICY_WAIT_DIE,
};

static const char * const headway_why_names[] = {
#define X(id, name) [HEADWAY_WHY_##id] = name,
HEADWAY_WHYS(X)
#undef X
};

static struct workqueue_struct *headway_adaptive_wq;

enum headway_policy headway_adaptive_first(enum headway_policy policy)
{
	return policy == HEADWAY_POLICY_ADAPTIVE ? headway_arms[0] : policy;
}

static void headway_trial_begin(struct headway_adaptive *adaptive)
{
	headway_domain_sum(adaptive->domain, &adaptive->start);
	adaptive->start_ns = ktime_get_ns();
}

static void headway_trial_read(const struct headway_adaptive *adaptive,
			       struct headway_trial *trial)
{
	const struct headway_sums *start = &adaptive->start;
	struct headway_sums sums;

	headway_domain_sum(adaptive->domain, &sums);
	*trial = (struct headway_trial){
		.length_ns = ktime_get_ns() - adaptive->start_ns,
		.commits = sums.stat[HEADWAY_STAT_COMMITS] - start->stat[HEADWAY_STAT_COMMITS],
		.rollbacks = sums.stat[HEADWAY_STAT_ROLLBACKS] -
			     start->stat[HEADWAY_STAT_ROLLBACKS],
		.waits = sums.stat[HEADWAY_STAT_WAITS] - start->stat[HEADWAY_STAT_WAITS],
		.in_flight = sums.in_flight,
	};
}

/* Under flip_mutex. Return: when to look again, in ns. */
static u64 headway_adaptive_look(struct headway_adaptive *adaptive)
{
	struct headway_domain *domain = adaptive->domain;
	struct headway_adapt_step step;
	enum headway_policy arm;
	struct headway_trial trial;
	u64 start_ns;
	int ret;

	headway_trial_read(adaptive, &trial);
	spin_lock(&adaptive->lock);
	step = headway_adapt_step(&adaptive->core, &trial);
	arm = headway_arms[adaptive->core.arm];
	spin_unlock(&adaptive->lock);
	if (arm != domain->arm) {
		start_ns = ktime_get_ns();
		ret = headway_domain_change_arm(domain, arm, HEADWAY_ARM_WAIT_NS);
		spin_lock(&adaptive->lock);
		headway_adapt_changed(&adaptive->core, !ret, ktime_get_ns() - start_ns);
		spin_unlock(&adaptive->lock);
	}
	if (step.fresh)
		headway_trial_begin(adaptive);
	return step.next_ns;
}

static void headway_adaptive_work(struct work_struct *work)
{
	struct headway_adaptive *adaptive = container_of(to_delayed_work(work),
							 struct headway_adaptive, work);
	struct headway_domain *domain = adaptive->domain;
	u64 next_ns = HEADWAY_TRIAL_NS;

	if (mutex_trylock(&domain->flip_mutex)) {
		next_ns = domain->policy == HEADWAY_POLICY_ADAPTIVE ?
			  headway_adaptive_look(adaptive) : 0;
		mutex_unlock(&domain->flip_mutex);
	}
	if (next_ns)
		queue_delayed_work(headway_adaptive_wq, &adaptive->work,
				   max(nsecs_to_jiffies(next_ns), 1UL));
}

/**
 * headway_adaptive_begin - adapt from now on, with nothing known
 * @domain: domain whose policy has become `adaptive`; the caller holds flip_mutex
 */
void headway_adaptive_begin(struct headway_domain *domain)
{
	struct headway_adaptive *adaptive = domain->adaptive;

	spin_lock(&adaptive->lock);
	headway_adapt_init(&adaptive->core);
	spin_unlock(&adaptive->lock);
	headway_trial_begin(adaptive);
	mod_delayed_work(headway_adaptive_wq, &adaptive->work, nsecs_to_jiffies(HEADWAY_TRIAL_NS));
}

/**
 * headway_adaptive_start - make a domain able to adapt, and let it if that is its policy
 * @domain: domain that is being registered
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int headway_adaptive_start(struct headway_domain *domain)
{
	struct headway_adaptive *adaptive = kzalloc(sizeof(*adaptive), GFP_KERNEL);

	if (!adaptive)
		return -ENOMEM;
	adaptive->domain = domain;
	spin_lock_init(&adaptive->lock);
	INIT_DELAYED_WORK(&adaptive->work, headway_adaptive_work);
	domain->adaptive = adaptive;
	domain->arm = headway_adaptive_first(domain->policy);
	if (domain->policy == HEADWAY_POLICY_ADAPTIVE)
		headway_adaptive_begin(domain);
	return 0;
}

/**
 * headway_adaptive_stop - stop adapting, for good
 * @domain: domain whose policy nobody changes any more
 *
 * Context: may sleep, for HEADWAY_ARM_WAIT_NS and a grace period at most.
 */
void headway_adaptive_stop(struct headway_domain *domain)
{
	cancel_delayed_work_sync(&domain->adaptive->work);
	kfree(domain->adaptive);
	domain->adaptive = NULL;
}

/**
 * headway_adaptive_report - copy what is known
 * @domain: registered domain
 * @report: filled
 */
void headway_adaptive_report(const struct headway_domain *domain, struct headway_adapt *report)
{
	spin_lock(&domain->adaptive->lock);
	*report = domain->adaptive->core;
	spin_unlock(&domain->adaptive->lock);
}

/**
 * headway_why_name - why an arm is on, as a word
 * @why: which
 *
 * Return: the word
 */
const char *headway_why_name(enum headway_why why)
{
	return why < ARRAY_SIZE(headway_why_names) ? headway_why_names[why] : "?";
}

/**
 * headway_adaptive_init - make what all domains share
 *
 * Return: 0 or -ENOMEM.
 */
int headway_adaptive_init(void)
{
	headway_adaptive_wq = alloc_workqueue("headway_adaptive", WQ_UNBOUND, 0);
	return headway_adaptive_wq ? 0 : -ENOMEM;
}

/**
 * headway_adaptive_exit - undo headway_adaptive_init()
 *
 * All domains are gone.
 */
void headway_adaptive_exit(void)
{
	destroy_workqueue(headway_adaptive_wq);
}

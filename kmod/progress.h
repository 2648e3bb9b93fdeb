/* SPDX-License-Identifier: GPL-2.0 */
/*
 * progress.h - what a domain's watchdog knows, and the evidence for it.
 */
#ifndef HEADWAY_PROGRESS_H
#define HEADWAY_PROGRESS_H

#include "escalate.h"
#include "watch.h"

#define HEADWAY_VIEWS_MAX 256		/* live transactions copied at a time: bounds live_lock */
#define HEADWAY_CLEAN_MAX 32		/* a name made safe to show */

#define HEADWAY_OWNERS 64		/* owners remembered between samples */

/* An owner of a contended lock, seen in every sample since. */
struct headway_tenure {
	u64 ticket;
	u64 since_ns;
	u32 restarts;
	bool seen;
};

/* A domain's part of its watchdog. */
struct headway_progress {
	struct headway_watch_state watch;
	struct headway_escalator escalator;
	struct headway_tenure owners[HEADWAY_OWNERS];	/* the work */
	u32 nr_owners;			/* the work */
	struct headway_sums base;	/* watch->lock: the counters as of the last reset */
};

static inline struct headway_progress *headway_progress(struct headway_domain *domain)
{
	return container_of(domain->watch.state, struct headway_progress, watch);
}

/* progress.c */
void headway_progress_base(struct headway_domain *domain, struct headway_sums *base);
void headway_progress_escalation(struct headway_domain *domain,
				 struct headway_escalation_report *report);

/* evidence.c */
const char *headway_clean(char clean[HEADWAY_CLEAN_MAX], const char *name);
void headway_evidence_log(struct headway_domain *domain, const struct headway_event *event,
			  const struct headway_window *window);
void headway_evidence_detail(struct headway_domain *domain, enum headway_verdict verdict,
			     char *detail, size_t size);

/* view.c */
u32 headway_views_copy(struct headway_domain *domain, struct headway_txn_view *views, u32 max,
		       u32 *live);
u32 headway_stacks_get(struct headway_domain *domain, struct headway_txn_view *views,
		       struct headway_stack *stacks, u32 max, u32 *live);
const char *headway_stack_text(char *text, size_t size, const struct headway_stack *stack);

#endif /* HEADWAY_PROGRESS_H */

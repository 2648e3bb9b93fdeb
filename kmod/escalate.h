/* SPDX-License-Identifier: GPL-2.0 */
/*
 * escalate.h - a livelocked domain goes to `serial`, and back when it is healthy.
 */
#ifndef HEADWAY_ESCALATE_H
#define HEADWAY_ESCALATE_H

#include "escalation.h"
#include "watch.h"

/**
 * struct headway_escalation_report - what escalation has done for a domain
 * @raised: the policy is `serial` because of it
 * @healthy: healthy windows so far, of @need
 * @need: that it takes to go back
 * @escalations: times that the policy became `serial`
 * @restores: times that it became again what it was
 * @overrides: times that somebody set a policy meanwhile
 * @refusals: times that the policy could not be changed
 * @relapses: livelocks that came again too soon after a restore
 * @last_escalation_ns: from the verdict livelock to `serial`
 * @last_recovery_ns: from the verdict livelock to the first that was no alarm
 * @last_restore_ns: from `serial` to the old policy
 */
struct headway_escalation_report {
	bool raised;
	u32 healthy;
	u32 need;
	u64 escalations;
	u64 restores;
	u64 overrides;
	u64 refusals;
	u64 relapses;
	u64 last_escalation_ns;
	u64 last_recovery_ns;
	u64 last_restore_ns;
};

/* One for each domain. */
struct headway_escalator {
	struct headway_domain *domain;
	struct work_struct work;
	/* watch->lock: */
	struct headway_escalation core;
	enum headway_escalation_step step;	/* for the work */
	struct headway_escalation_report report;
	enum headway_policy own_policy;	/* to go back to */
	u32 epoch;			/* the one that we expect; another one: somebody else */
	bool recovered;			/* since the policy became `serial` */
	u64 livelock_ns;		/* boot clock: the verdict; this and the next two */
	u64 raised_ns;
};

void headway_escalator_init(struct headway_escalator *escalator, struct headway_domain *domain);
void headway_escalator_stop(struct headway_escalator *escalator);
void headway_escalator_window(struct headway_escalator *escalator,
			      const struct headway_window *window, enum headway_verdict seen,
			      enum headway_verdict believed);
void headway_escalator_report(struct headway_escalator *escalator,
			      struct headway_escalation_report *report);

#endif /* HEADWAY_ESCALATE_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kernel_finding.h - from an alarm of headway.ko's watchdog, and the files that say who is behind
 * it, to a finding. PURE.
 *
 * The verdict is the module's: it counted each attempt, and a second opinion could only contradict
 * what escalates and what the kernel log says. So each is `confirmed`.
 */
#ifndef HEADWAY_KERNEL_FINDING_H
#define HEADWAY_KERNEL_FINDING_H

#include "finding.h"
#include "kernel_names.h"
#include "logfmt.h"

/* A transition to a verdict that is a finding, as the file `events` tells it. */
struct headway_kernel_alarm {
	const char *name;		/* of the domain or loop */
	bool is_loop;
	enum headway_verdict verdict;
	const char *policy;		/* of a domain, now */
	const char *detail;		/* one word of the module's, "-" nothing */
	uint64_t window_ns;		/* the watchdog's */
	uint64_t commits;		/* these: of the window that decided */
	uint64_t rollbacks;
	uint64_t actors;
	uint64_t in_flight;
	bool over;			/* another verdict has followed, so nobody can be asked */
	uint64_t lasted_ns;		/* then: how long it was believed */
};

/*
 * Fills f but for its times, and names. actors: the file `transactions` of a domain, `actors` of a
 * loop; locks: the file `locks`. Both may be NULL.
 */
void headway_kernel_finding(struct headway_finding *f, struct headway_kernel_names *names,
			    const struct headway_kernel_alarm *alarm,
			    const struct headway_text *actors, const struct headway_text *locks);

#endif /* HEADWAY_KERNEL_FINDING_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * adaptive.h - the policy `adaptive` of a domain: its arms, and what is known of them.
 */
#ifndef HEADWAY_ADAPTIVE_H
#define HEADWAY_ADAPTIVE_H

#include "adapt.h"
#include "internal.h"

extern const enum headway_policy headway_arms[HEADWAY_ARMS];

/* What transactions run under first when the domain has policy @policy. */
enum headway_policy headway_adaptive_first(enum headway_policy policy);
int headway_adaptive_start(struct headway_domain *domain);
void headway_adaptive_stop(struct headway_domain *domain);
void headway_adaptive_begin(struct headway_domain *domain);
void headway_adaptive_report(const struct headway_domain *domain, struct headway_adapt *report);
const char *headway_why_name(enum headway_why why);

#endif /* HEADWAY_ADAPTIVE_H */

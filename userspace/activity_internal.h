/* SPDX-License-Identifier: GPL-2.0 */
/*
 * activity_internal.h - what activity.c and activity_detail.c share.
 */
#ifndef HEADWAY_ACTIVITY_INTERNAL_H
#define HEADWAY_ACTIVITY_INTERNAL_H

#include "activity.h"
#include "judge.h"

/* Threads, locks and edges of this process. 0 or -ENOMEM. */
int headway_activity_details(struct headway_activity *a, const struct headway_judge *j,
			     uint32_t pid);

#endif /* HEADWAY_ACTIVITY_INTERNAL_H */

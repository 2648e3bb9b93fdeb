/* SPDX-License-Identifier: GPL-2.0 */
/*
 * suspect.h - is it worth its price to watch trylocks, which rest? PURE.
 */
#ifndef HEADWAY_SUSPECT_H
#define HEADWAY_SUSPECT_H

#include "thresholds.h"
#include "window.h"

/*
 * newest: the last interval of the window. No verdict: what is seen in it by a peek is a sample,
 * and so may be wrong either way.
 */
bool headway_suspects(const struct headway_thresholds *t, const struct headway_view *window,
		      const struct headway_view *newest);

#endif /* HEADWAY_SUSPECT_H */

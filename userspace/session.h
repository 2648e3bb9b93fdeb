/* SPDX-License-Identifier: GPL-2.0 */
/*
 * session.h - one live watch from beginning to end: what `watch` and `record` have in common.
 */
#ifndef HEADWAY_SESSION_H
#define HEADWAY_SESSION_H

#include "guest.h"
#include "options.h"

/*
 * who: "headway watch", before each message. guest: who takes part, or NULL. Returns the exit
 * status of the program.
 */
int headway_session_run(const char *who, const struct headway_target_options *target,
			const struct headway_view_options *view, const struct headway_guest *guest);

#endif /* HEADWAY_SESSION_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * signals.h - the signals that end a watch, as a descriptor, so that none is missed between calls.
 */
#ifndef HEADWAY_SIGNALS_H
#define HEADWAY_SIGNALS_H

#include <stdbool.h>

/*
 * A descriptor that is readable when one came, or a negative errno. SIGCHLD, and with screen
 * SIGWINCH, wake as well; SIGPIPE is ignored.
 */
int headway_signals_open(bool screen);
/* Takes all that came; true: one of them says that it is time to end. */
bool headway_signals_drain(int fd);

#endif /* HEADWAY_SIGNALS_H */

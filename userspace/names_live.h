/* SPDX-License-Identifier: GPL-2.0 */
/*
 * names_live.h - names out of the processes that are being watched.
 */
#ifndef HEADWAY_NAMES_LIVE_H
#define HEADWAY_NAMES_LIVE_H

#include "names.h"

struct headway_probe;
struct headway_live_names;

/* probe may be NULL: then no stack is known. */
struct headway_live_names *headway_live_names_new(struct headway_probe *probe);
struct headway_name_source headway_live_names_source(struct headway_live_names *n);
void headway_live_names_free(struct headway_live_names *n);

#endif /* HEADWAY_NAMES_LIVE_H */

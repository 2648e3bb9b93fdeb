/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The functions that the cases without locks offer as markers: `watch --attempt
 * uprobe:PROGRAM:unit_tried --progress uprobe:PROGRAM:unit_done`. A real program has such functions
 * under names of its own. They are called where the counters of libcorpus.h are raised, but the
 * harness reads the counters and the tool the calls.
 */
#ifndef CORPUS_MARKED_H
#define CORPUS_MARKED_H

#include "libcorpus.h"

CORPUS_SITE void unit_tried(struct corpus_actor *self);
CORPUS_SITE void unit_done(struct corpus_actor *self);

void unit_tried(struct corpus_actor *self)
{
	corpus_attempt(self);
}

void unit_done(struct corpus_actor *self)
{
	corpus_complete(self);
}

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * recorder.h - writes a recording (recording.h) while a watch goes on.
 *
 * For each snapshot: headway_recorder_snapshot(), then the engine and the views, whose names come
 * from headway_recorder_names() and so get into the file, then a look at the kernel, through
 * headway_recorder_kernel(), then headway_recorder_commit(). What is
 * committed is in the file, whatever happens to the tool afterwards.
 */
#ifndef HEADWAY_RECORDER_H
#define HEADWAY_RECORDER_H

#include "kernel_reader.h"
#include "recording.h"

struct headway_recorder;

/* Makes or empties the file, and writes the header. live: where names come from. 0 or -errno. */
int headway_recorder_open(struct headway_recorder **out, const char *path,
			  const struct headway_recording_header *header,
			  const struct headway_name_source *live);
int headway_recorder_snapshot(struct headway_recorder *r, const struct headway_snapshot *snap);
/* Why a probe is missing; written when it differs from what was written before. */
int headway_recorder_missing(struct headway_recorder *r, enum headway_probe_id id,
			     const char *reason);
/* The live names; what is asked for is written down. */
struct headway_name_source headway_recorder_names(struct headway_recorder *r);
/* headway.ko's files, and its threads; what is asked for is written down. */
struct headway_kernel_reader headway_recorder_kernel(struct headway_recorder *r,
						     const struct headway_kernel_reader *live);
int headway_recorder_commit(struct headway_recorder *r);
/* The last record. Without it the recording counts as cut off. */
int headway_recorder_finish(struct headway_recorder *r, const struct headway_recording_end *end);
void headway_recorder_free(struct headway_recorder *r);

#endif /* HEADWAY_RECORDER_H */

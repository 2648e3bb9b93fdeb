/* SPDX-License-Identifier: GPL-2.0 */
/*
 * player.h - reads a recording (recording.h) back into snapshots.
 *
 * A recording is as hostile as what it was made of: every record is checked against its length and
 * CRC, every value against what it may be, and strings are hostile until an output escapes them.
 */
#ifndef HEADWAY_PLAYER_H
#define HEADWAY_PLAYER_H

#include "kernel_reader.h"
#include "recfile.h"

struct headway_player;

enum headway_player_record {
	HEADWAY_PLAYER_SNAPSHOT = 1,
	HEADWAY_PLAYER_KERNEL = 2,	/* a look at the kernel, for headway_player_kernel() */
};

/* NULL: no memory. */
struct headway_player *headway_player_new(void);
/*
 * Read up to the header; plain JSON lines are taken as well as gzip. All that return an int leave
 * a sentence in headway_player_error(): which file, where, what was expected there.
 */
int headway_player_open(struct headway_player *p, const char *path);
int headway_player_start(struct headway_player *p, const char *name, headway_recfile_read read,
			 void *ctx);
const struct headway_recording_header *headway_player_header(const struct headway_player *p);
/*
 * What is in the next record: enum headway_player_record. *snap is valid until the call after, and
 * set if there is one. 0: that was all. -ENODATA: it was cut off here, and what came before is
 * whole. -EBADMSG: it is not a recording, or damaged.
 */
int headway_player_next(struct headway_player *p, struct headway_snapshot *snap);
/* Once headway_player_next() returned 0. */
const struct headway_recording_end *headway_player_end(const struct headway_player *p);
/* Why a probe was missing; NULL: not known. */
const char *headway_player_missing_reason(const struct headway_player *p,
					  enum headway_probe_id id);
struct headway_name_source headway_player_names(struct headway_player *p);
/* The answers of the record that was read last. */
uint64_t headway_player_look_ns(const struct headway_player *p);
struct headway_kernel_reader headway_player_kernel(struct headway_player *p);
const char *headway_player_error(const struct headway_player *p);
void headway_player_free(struct headway_player *p);

#endif /* HEADWAY_PLAYER_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * recwriter.h - the frame of a recording that is written: lines, and the checks that end its
 * records. recfile.h reads it.
 */
#ifndef HEADWAY_RECWRITER_H
#define HEADWAY_RECWRITER_H

#include <zlib.h>

#include "recording.h"

struct headway_recwriter {
	gzFile file;
	int err;			/* the first one; it stays */
	uint64_t bytes;			/* these since the last check */
	uint32_t crc;
};

/* Makes or empties the file. 0 or -errno. */
int headway_recwriter_open(struct headway_recwriter *w, const char *path);
/* Keeps the error, unless there is one already; returns the one that is kept. */
int headway_recwriter_fail(struct headway_recwriter *w, int err);
/* A new line, an object that has a type. NULL: no memory, which is kept. */
struct json_object *headway_recwriter_line(struct headway_recwriter *w, const char *type);
/* Adds a member; a NULL value is an allocation that failed. */
void headway_recwriter_put(struct headway_recwriter *w, struct json_object *o, const char *key,
			   struct json_object *value);
void headway_recwriter_append(struct headway_recwriter *w, struct json_object *array,
			      struct json_object *value);
/* Writes and frees the line. 0 or the error that is kept, as below. */
int headway_recwriter_write(struct headway_recwriter *w, struct json_object *o);
/* Ends a record: what came before is in the file. */
int headway_recwriter_commit(struct headway_recwriter *w);
int headway_recwriter_close(struct headway_recwriter *w);

#endif /* HEADWAY_RECWRITER_H */

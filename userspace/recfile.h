/* SPDX-License-Identifier: GPL-2.0 */
/*
 * recfile.h - the frame of a recording: lines, and the checks that end its records.
 */
#ifndef HEADWAY_RECFILE_H
#define HEADWAY_RECFILE_H

#include <sys/types.h>
#include <zlib.h>

#include "recording.h"

/* Bytes of the uncompressed recording: their number, 0 at the end, -EBADMSG or another -errno. */
typedef ssize_t (*headway_recfile_read)(void *ctx, void *buf, size_t len);

struct headway_recfile {
	char name[256];			/* escaped */
	headway_recfile_read read;
	void *ctx;
	gzFile gzip;			/* NULL: somebody else's bytes */
	struct json_tokener *tokener;
	char error[768];
	char *buf;			/* what is read and not used: from begin to end */
	size_t begin;
	size_t end;
	size_t cap;
	uint64_t line_at;		/* offset of the line, uncompressed */
	uint64_t offset;		/* after it */
	uint64_t line_nr;
	uint64_t record_at;
	uint64_t record_nr;
	uint32_t crc;			/* of the record so far */
};

int headway_recfile_init(struct headway_recfile *f);
/* -errno and a sentence in f->error, as everything below. */
int headway_recfile_open(struct headway_recfile *f, const char *path);
void headway_recfile_set(struct headway_recfile *f, const char *name, headway_recfile_read read,
			 void *ctx);
/*
 * The next line, which the caller puts, and its type. 1, 0 at the end. A check is verified first:
 * *type is "check" then, and a new record begins.
 */
int headway_recfile_next(struct headway_recfile *f, struct json_object **line, const char **type);
/* There is something left after the last line. */
bool headway_recfile_partial(const struct headway_recfile *f);
/* Says what was expected at this line; returns err. */
int headway_recfile_fail(struct headway_recfile *f, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* It ends in the middle of something: -ENODATA. */
int headway_recfile_cut_off(struct headway_recfile *f);
/* Members of a line; an error when the value is not of that kind. A text may be absent. */
int headway_recfile_u64(struct headway_recfile *f, struct json_object *line, const char *key,
			uint64_t *out);
int headway_recfile_text(struct headway_recfile *f, struct json_object *line, const char *key,
			 char *out, size_t len);
void headway_recfile_free(struct headway_recfile *f);

#endif /* HEADWAY_RECFILE_H */

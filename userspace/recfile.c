// SPDX-License-Identifier: GPL-2.0
/*
 * recfile.c - the frame of a recording: lines, and the checks that end its records.
 *
 * Invariants: an error names the file, the place and what was expected there; a line is at most
 * HEADWAY_RECORDING_LINE_MAX long, so memory is bounded.
 */
#include "recfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "escape.h"

enum { CHUNK = 16384, JSON_DEPTH = 8 };

/* What was expected where; returns err. */
int headway_recfile_fail(struct headway_recfile *f, int err, const char *fmt, ...)
{
	char what[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(f->error, sizeof(f->error),
		 "%s: record %llu, line %llu (at byte %llu when uncompressed): expected %s",
		 f->name,
		 (unsigned long long)f->record_nr, (unsigned long long)f->line_nr,
		 (unsigned long long)f->line_at, what);
	return err;
}

/* It ends in the middle of something. */
int headway_recfile_cut_off(struct headway_recfile *f)
{
	snprintf(f->error, sizeof(f->error),
		 "%s: cut off at byte %llu (uncompressed), in record %llu, which began at byte %llu: expected more lines, up to a record of type close",
		 f->name, (unsigned long long)f->offset + (f->end - f->begin),
		 (unsigned long long)f->record_nr, (unsigned long long)f->record_at);
	return -ENODATA;
}

int headway_recfile_init(struct headway_recfile *f)
{
	f->tokener = json_tokener_new_ex(JSON_DEPTH);
	if (!f->tokener)
		return -ENOMEM;
	json_tokener_set_flags(f->tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	return 0;
}

void headway_recfile_free(struct headway_recfile *f)
{
	if (f->gzip)
		gzclose(f->gzip);
	if (f->tokener)
		json_tokener_free(f->tokener);
	free(f->buf);
}

bool headway_recfile_partial(const struct headway_recfile *f)
{
	return f->begin != f->end;
}

int headway_recfile_u64(struct headway_recfile *f, struct json_object *o, const char *key,
			uint64_t *out)
{
	const struct headway_member field = { key, HEADWAY_MEMBER_U64, 0, sizeof(*out) };
	struct json_object *value;

	if (json_object_object_get_ex(o, key, &value) &&
	    !headway_member_from_json(&field, out, value))
		return 0;
	return headway_recfile_fail(f, -EBADMSG, "\"%s\", %s", key, headway_member_wants(&field));
}

int headway_recfile_text(struct headway_recfile *f, struct json_object *o, const char *key,
			 char *out, size_t len)
{
	struct json_object *value;

	if (!json_object_object_get_ex(o, key, &value))
		return 0;
	if (!headway_text_from_json(value, out, len))
		return 0;
	return headway_recfile_fail(f, -EBADMSG,
				    "\"%s\", a string of less than %zu bytes, escaped", key, len);
}

static int check_record(struct headway_recfile *f, struct json_object *o)
{
	uint64_t bytes = 0;
	char crc[16] = "", want[16];
	int err = headway_recfile_u64(f, o, "bytes", &bytes);

	if (!err)
		err = headway_recfile_text(f, o, "crc32", crc, sizeof(crc));
	if (err)
		return err;
	snprintf(want, sizeof(want), "%08x", f->crc);
#ifndef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
	if (bytes != f->line_at - f->record_at || strcmp(crc, want))
		return headway_recfile_fail(f, -EBADMSG, "%llu bytes with the CRC %s in the record that began at byte %llu; it is damaged",
			    (unsigned long long)(f->line_at - f->record_at), want,
			    (unsigned long long)f->record_at);
#endif
	f->record_at = f->offset;
	f->record_nr++;
	f->crc = 0;
	return 0;
}

/* Room for one more read behind what is there. */
static int make_room(struct headway_recfile *f)
{
	size_t seen = f->end - f->begin;
	char *more;

	if (f->begin && f->buf)
		memmove(f->buf, f->buf + f->begin, seen);
	f->begin = 0;
	f->end = seen;
	if (seen >= HEADWAY_RECORDING_LINE_MAX)
		return headway_recfile_fail(f, -EBADMSG, "lines of at most %d bytes",
					    HEADWAY_RECORDING_LINE_MAX);
	if (f->cap >= seen + CHUNK)
		return 0;
	more = realloc(f->buf, 2 * (seen + CHUNK));
	if (!more)
		return headway_recfile_fail(f, -ENOMEM, "memory");
	f->buf = more;
	f->cap = 2 * (seen + CHUNK);
	return 0;
}

/* The next line, without its end. 1, 0 at the end, or an error. */
static int next_line(struct headway_recfile *f, char **line, size_t *len)
{
	size_t seen = 0;

	for (;;) {
		char *at = f->buf ? f->buf + f->begin : NULL;
		char *end = at ? memchr(at + seen, '\n', f->end - f->begin - seen) : NULL;
		ssize_t n;

		if (end) {
			*line = at;
			*len = (size_t)(end - at);
			f->begin += *len + 1;
			f->line_at = f->offset;
			f->offset += *len + 1;
			f->line_nr++;
			return 1;
		}
		f->line_at = f->offset;
		n = make_room(f);
		if (n < 0)
			return (int)n;
		seen = f->end;
		n = f->read(f->ctx, f->buf + seen, CHUNK);
		if (n < 0)
			return headway_recfile_fail(f, (int)n, "gzip data that can be uncompressed "
						    "(%s)", n == -EBADMSG ? "it is damaged" :
						    strerror((int)-n));
		if (!n)
			return 0;
		f->end += (size_t)n;
	}
}

/* The next line as an object, and its type. 1, 0 at the end, or an error. */
int headway_recfile_next(struct headway_recfile *f, struct json_object **out, const char **type)
{
	struct json_object *o, *t;
	size_t len = 0;
	char *line = NULL;
	int got = next_line(f, &line, &len);

	if (got <= 0)
		return got;
	json_tokener_reset(f->tokener);
	o = json_tokener_parse_ex(f->tokener, line, (int)len);
	if (json_tokener_get_error(f->tokener) != json_tokener_success ||
	    json_tokener_get_parse_end(f->tokener) != len ||
	    !json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, "type", &t) ||
	    !json_object_is_type(t, json_type_string)) {
		json_object_put(o);
		return headway_recfile_fail(f, -EBADMSG, f->record_nr ?
			    "a JSON object with a \"type\"" :
			    "the header of a recording, \"type\":\"" HEADWAY_RECORDING_TYPE "\"");
	}
	*type = json_object_get_string(t);
	/* The check itself is not in its sum. */
	if (strcmp(*type, "check")) {
		f->crc = (uint32_t)crc32(f->crc, (const Bytef *)line, (uInt)len);
		f->crc = (uint32_t)crc32(f->crc, (const Bytef *)"\n", 1);
	} else if (check_record(f, o)) {
		json_object_put(o);
		return -EBADMSG;
	}
	*out = o;
	return 1;
}

static ssize_t read_gzip(void *ctx, void *buf, size_t len)
{
	struct headway_recfile *f = ctx;
	int n = gzread(f->gzip, buf, (unsigned int)len), code;

	if (n > 0)
		return n;
	gzerror(f->gzip, &code);
	/* A file that ends too early is cut off; the caller sees that by its last record. */
	if (!n || code == Z_BUF_ERROR)
		return 0;
	return code == Z_ERRNO && errno ? -errno : -EBADMSG;
}


void headway_recfile_set(struct headway_recfile *f, const char *name, headway_recfile_read read,
			 void *ctx)
{
	headway_escape(name, strlen(name), f->name, sizeof(f->name));
	f->read = read;
	f->ctx = ctx;
}

int headway_recfile_open(struct headway_recfile *f, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), err;

	headway_recfile_set(f, path, read_gzip, f);
	if (fd < 0) {
		err = -errno;
		snprintf(f->error, sizeof(f->error), "%s: %s", f->name, strerror(-err));
		return err;
	}
	f->gzip = gzdopen(fd, "rb");
	if (!f->gzip) {
		close(fd);
		snprintf(f->error, sizeof(f->error), "%s: out of memory", f->name);
		return -ENOMEM;
	}
	return 0;
}

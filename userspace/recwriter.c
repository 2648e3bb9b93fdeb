// SPDX-License-Identifier: GPL-2.0
/*
 * recwriter.c - the frame of a recording that is written: lines, and the checks that end its
 * records.
 *
 * Invariants: a record is whole in the file when its commit returns 0; the first error stays, and
 * every later call returns it.
 */
#include "recwriter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int headway_recwriter_fail(struct headway_recwriter *w, int err)
{
	if (!w->err)
		w->err = err;
	return w->err;
}

int headway_recwriter_open(struct headway_recwriter *w, const char *path)
{
	int fd;

	*w = (struct headway_recwriter){ .file = NULL };
	/* Who may read it may read names and addresses of the target: as private as a core dump. */
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0)
		return headway_recwriter_fail(w, -errno);
	w->file = gzdopen(fd, "wb");
	if (w->file)
		return 0;
	close(fd);
	return headway_recwriter_fail(w, -ENOMEM);
}

/* json-c reports a failed allocation by NULL, and the value is lost: what is written is checked. */
void headway_recwriter_put(struct headway_recwriter *w, struct json_object *o, const char *key,
			   struct json_object *value)
{
	if (!value || json_object_object_add(o, key, value))
		headway_recwriter_fail(w, -ENOMEM);
}

void headway_recwriter_append(struct headway_recwriter *w, struct json_object *array,
			      struct json_object *value)
{
	if (!value || json_object_array_add(array, value))
		headway_recwriter_fail(w, -ENOMEM);
}

struct json_object *headway_recwriter_line(struct headway_recwriter *w, const char *type)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		headway_recwriter_fail(w, -ENOMEM);
	else
		headway_recwriter_put(w, o, "type", json_object_new_string(type));
	return o;
}

int headway_recwriter_write(struct headway_recwriter *w, struct json_object *o)
{
	static const int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
	size_t len = 0;
	const char *text = o ? json_object_to_json_string_length(o, flags, &len) : NULL;

	if (!text)
		headway_recwriter_fail(w, -ENOMEM);
	errno = 0;
	if (!w->err && (gzwrite(w->file, text, (unsigned int)len) != (int)len ||
			gzwrite(w->file, "\n", 1) != 1))
		headway_recwriter_fail(w, errno ? -errno : -EIO);
	if (!w->err) {
		w->crc = (uint32_t)crc32(w->crc, (const Bytef *)text, (uInt)len);
		w->crc = (uint32_t)crc32(w->crc, (const Bytef *)"\n", 1);
		w->bytes += len + 1;
	}
	json_object_put(o);
	return w->err;
}

int headway_recwriter_commit(struct headway_recwriter *w)
{
	struct json_object *o = headway_recwriter_line(w, "check");
	char crc[16];

	if (!o)
		return w->err;
	snprintf(crc, sizeof(crc), "%08x", w->crc);
	headway_recwriter_put(w, o, "bytes", json_object_new_uint64(w->bytes));
	headway_recwriter_put(w, o, "crc32", json_object_new_string(crc));
	if (headway_recwriter_write(w, o))
		return w->err;
	w->bytes = 0;
	w->crc = 0;
	errno = 0;
	if (gzflush(w->file, Z_SYNC_FLUSH) != Z_OK)
		return headway_recwriter_fail(w, errno ? -errno : -EIO);
	return 0;
}

int headway_recwriter_close(struct headway_recwriter *w)
{
	int err;

	if (!w->file)
		return w->err;
	errno = 0;
	err = gzclose(w->file);
	w->file = NULL;
	if (err != Z_OK)
		headway_recwriter_fail(w, errno ? -errno : -EIO);
	return w->err;
}

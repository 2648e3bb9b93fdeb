// SPDX-License-Identifier: GPL-2.0
/*
 * recorder.c - writes a recording while a watch goes on.
 *
 * Invariants: a record is whole in the file when its commit returns 0; the first error stays, and
 * every later call returns it. Names of contended locks and of their stacks are looked up when they
 * are new, a bounded number in a snapshot: a later engine may want to name other locks than ours.
 */
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { NAMES_PER_SNAPSHOT = 64 };

struct headway_recorder {
	gzFile file;
	int err;
	uint64_t bytes;			/* these since the last check */
	uint32_t crc;
	struct headway_name_source live;
	struct headway_rows before[HEADWAY_NR_ROW_KINDS];
	struct headway_rows now[HEADWAY_NR_ROW_KINDS];
	uint64_t counters[HEADWAY_NR_COUNTERS];
	char reasons[HEADWAY_NR_PROBES][HEADWAY_RECORDING_TEXT_MAX];
	unsigned int names_left;
};

static int fail(struct headway_recorder *r, int err)
{
	if (!r->err)
		r->err = err;
	return r->err;
}

/* json-c reports a failed allocation by NULL, and the value is lost: what is written is checked. */
static void put(struct headway_recorder *r, struct json_object *o, const char *key,
		struct json_object *value)
{
	if (!value || json_object_object_add(o, key, value))
		fail(r, -ENOMEM);
}

static struct json_object *line_of(struct headway_recorder *r, const char *type)
{
	struct json_object *o = json_object_new_object();

	if (!o)
		fail(r, -ENOMEM);
	else
		put(r, o, "type", json_object_new_string(type));
	return o;
}

/* Writes and frees. */
static int write_line(struct headway_recorder *r, struct json_object *o)
{
	static const int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
	size_t len = 0;
	const char *text = o ? json_object_to_json_string_length(o, flags, &len) : NULL;

	if (!text)
		fail(r, -ENOMEM);
	if (!r->err && (gzwrite(r->file, text, (unsigned int)len) != (int)len ||
			gzwrite(r->file, "\n", 1) != 1))
		fail(r, errno ? -errno : -EIO);
	if (!r->err) {
		r->crc = (uint32_t)crc32(r->crc, (const Bytef *)text, (uInt)len);
		r->crc = (uint32_t)crc32(r->crc, (const Bytef *)"\n", 1);
		r->bytes += len + 1;
	}
	json_object_put(o);
	return r->err;
}

int headway_recorder_commit(struct headway_recorder *r)
{
	struct json_object *o = line_of(r, "check");
	char crc[16];

	if (!o)
		return r->err;
	snprintf(crc, sizeof(crc), "%08x", r->crc);
	put(r, o, "bytes", json_object_new_uint64(r->bytes));
	put(r, o, "crc32", json_object_new_string(crc));
	errno = 0;
	if (write_line(r, o))
		return r->err;
	r->bytes = 0;
	r->crc = 0;
	if (gzflush(r->file, Z_SYNC_FLUSH) != Z_OK)
		return fail(r, errno ? -errno : -EIO);
	return 0;
}

static int write_header(struct headway_recorder *r, const struct headway_recording_header *h)
{
	struct json_object *o = line_of(r, HEADWAY_RECORDING_TYPE);

	if (!o)
		return r->err;
	put(r, o, "version", json_object_new_int(HEADWAY_RECORDING_VERSION));
	put(r, o, "window_ns", json_object_new_uint64(h->window_ns));
	put(r, o, "interval_ns", json_object_new_uint64(h->interval_ns));
	put(r, o, "tool", headway_text_to_json(h->tool, sizeof(h->tool)));
	put(r, o, "kernel", headway_text_to_json(h->kernel, sizeof(h->kernel)));
	put(r, o, "machine", headway_text_to_json(h->machine, sizeof(h->machine)));
	put(r, o, "started", headway_text_to_json(h->started, sizeof(h->started)));
	if (h->command[0])
		put(r, o, "command", headway_text_to_json(h->command, sizeof(h->command)));
	write_line(r, o);
	return headway_recorder_commit(r);
}

int headway_recorder_open(struct headway_recorder **out, const char *path,
			  const struct headway_recording_header *header,
			  const struct headway_name_source *live)
{
	struct headway_recorder *r = calloc(1, sizeof(*r));
	int fd, err;

	*out = NULL;
	if (!r)
		return -ENOMEM;
	r->live = *live;
	/* Who may read it may read names and addresses of the target: as private as a core dump. */
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0) {
		err = -errno;
		goto free_recorder;
	}
	r->file = gzdopen(fd, "wb");
	if (!r->file) {
		close(fd);
		err = -ENOMEM;
		goto free_recorder;
	}
	err = write_header(r, header);
	if (err) {
		headway_recorder_free(r);
		return err;
	}
	*out = r;
	return 0;
free_recorder:
	free(r);
	return err;
}

static void write_lock_name(struct headway_recorder *r, pid_t pid, uint64_t addr, const char *name)
{
	struct json_object *o = line_of(r, "lock_name");

	if (!o)
		return;
	put(r, o, "pid", json_object_new_int(pid));
	put(r, o, "addr", json_object_new_uint64(addr));
	put(r, o, "name", headway_text_to_json(name, HEADWAY_RECORDING_TEXT_MAX - 1));
	write_line(r, o);
}

static int lock_name(void *ctx, pid_t pid, uint64_t addr, char *name, size_t len)
{
	struct headway_recorder *r = ctx;
	int err = r->live.lock(r->live.ctx, pid, addr, name, len);

	/* None is what the reader takes a lock to have of which nothing is written. */
	if (!err)
		write_lock_name(r, pid, addr, name);
	return err;
}

static int stack_names(void *ctx, pid_t pid, int32_t stack_id,
		       char frames[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN])
{
	struct headway_recorder *r = ctx;
	int nr = r->live.stack(r->live.ctx, pid, stack_id, frames);
	struct json_object *o, *array;

	o = line_of(r, "stack");
	array = json_object_new_array();
	if (!o || !array)
		return nr;
	put(r, o, "pid", json_object_new_int(pid));
	put(r, o, "id", json_object_new_int(stack_id));
	for (int i = 0; i < nr; i++)
		json_object_array_add(array, headway_text_to_json(frames[i],
								  HEADWAY_RECORDING_TEXT_MAX - 1));
	put(r, o, "frames", array);
	/* An empty one too: the id may have stood for another stack before. */
	write_line(r, o);
	return nr;
}

struct headway_name_source headway_recorder_names(struct headway_recorder *r)
{
	return (struct headway_name_source){ .lock = lock_name, .stack = stack_names, .ctx = r };
}

/* One row against the same one in the snapshot before (NULL: there was none). */
static void write_row(struct headway_recorder *r, const struct headway_row_type *type,
		      const void *now, const void *before)
{
	static const unsigned char nothing[1024];
	const void *base = before ? before : nothing;
	struct json_object *o = NULL;

	_Static_assert(sizeof(struct headway_snap_thread) <= sizeof(nothing), "a row of zeros");
	for (size_t i = type->nr_keys; i < type->nr_fields && before && !o; i++)
		if (!headway_member_same(&type->fields[i], now, before))
			o = line_of(r, type->name);
	if (!before)
		o = line_of(r, type->name);
	if (!o)
		return;
	for (size_t i = 0; i < type->nr_fields; i++)
		if (i < type->nr_keys || !headway_member_same(&type->fields[i], now, base))
			put(r, o, type->fields[i].name,
			    headway_member_to_json(&type->fields[i], now));
	write_line(r, o);
}

static void write_gone(struct headway_recorder *r, const struct headway_row_type *type,
		       const void *before)
{
	struct json_object *o = line_of(r, type->name);

	if (!o)
		return;
	for (size_t i = 0; i < type->nr_keys; i++)
		put(r, o, type->fields[i].name, headway_member_to_json(&type->fields[i], before));
	put(r, o, "gone", json_object_new_boolean(1));
	write_line(r, o);
}

static void write_rows(struct headway_recorder *r, enum headway_row_kind kind)
{
	const struct headway_row_type *type = &headway_row_types[kind];
	const struct headway_rows *now = &r->now[kind], *before = &r->before[kind];
	size_t i = 0, k = 0;

	while (!r->err && (i < now->nr || k < before->nr)) {
		const void *new = i < now->nr ? now->data + i * type->size : NULL;
		const void *old = k < before->nr ? before->data + k * type->size : NULL;
		int order = !old ? -1 : !new ? 1 : headway_row_compare(type, new, old);

		if (order > 0)
			write_gone(r, type, old);
		else
			write_row(r, type, new, order ? NULL : old);
		i += order <= 0;
		k += order >= 0;
	}
}

static void take_rows(struct headway_recorder *r, enum headway_row_kind kind, const void *from,
		      size_t nr)
{
	const struct headway_row_type *type = &headway_row_types[kind];

	for (size_t i = 0; i < nr && !r->err; i++) {
		void *row = headway_rows_add(&r->now[kind], type);

		if (row)
			memcpy(row, (const unsigned char *)from + i * type->size, type->size);
		else
			fail(r, -ENOMEM);
	}
}

static void take_snapshot(struct headway_recorder *r, const struct headway_snapshot *snap)
{
	for (int kind = 0; kind < HEADWAY_NR_ROW_KINDS; kind++) {
		struct headway_rows was = r->before[kind];

		r->before[kind] = r->now[kind];
		r->now[kind] = was;
		r->now[kind].nr = 0;
	}
	for (size_t i = 0; i < snap->nr_markers; i++) {
		struct headway_marker_row row = {
			.place = (uint32_t)i, .marker = snap->markers[i],
		};

		take_rows(r, HEADWAY_ROW_MARKER, &row, 1);
	}
	take_rows(r, HEADWAY_ROW_THREAD, snap->threads, snap->nr_threads);
	take_rows(r, HEADWAY_ROW_LOCK, snap->locks, snap->nr_locks);
	take_rows(r, HEADWAY_ROW_MARK, snap->marks, snap->nr_marks);
}

static void write_snapshot(struct headway_recorder *r, const struct headway_snapshot *snap)
{
	struct json_object *o = line_of(r, "snapshot"), *counters = json_object_new_object();
	struct json_object *missing = json_object_new_array();

	if (!o || !counters || !missing) {
		fail(r, -ENOMEM);
		return;
	}
	put(r, o, "time_ns", json_object_new_uint64(snap->time_ns));
	for (int i = 0; i < HEADWAY_NR_COUNTERS; i++)
		if (snap->counters[i] != r->counters[i])
			put(r, counters, headway_counter_names[i],
			    json_object_new_uint64(snap->counters[i]));
	put(r, o, "counters", counters);
	for (int i = 0; i < HEADWAY_NR_PROBES; i++)
		if (snap->missing_probes & 1u << i)
			json_object_array_add(missing, json_object_new_string(
				headway_probe_name((enum headway_probe_id)i)));
	put(r, o, "missing", missing);
	put(r, o, "target_exited", json_object_new_boolean(snap->target_exited));
	write_line(r, o);
	memcpy(r->counters, snap->counters, sizeof(r->counters));
}

static uint64_t fails_of(const struct headway_lock_rec *l)
{
	return l->try_fail + l->wait_ok + l->wait_eagain + l->wait_timeout;
}

/* The lock was contended, and something about it that has a name is new. */
static void name_lock(struct headway_recorder *r, const struct headway_snap_lock *now,
		      const struct headway_snap_lock *before)
{
	static char frames[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN];
	const struct headway_row_type *threads = &headway_row_types[HEADWAY_ROW_THREAD];
	struct headway_snap_thread key = { .rec = { .tid = now->key.tid } };
	const struct headway_rows *rows = &r->now[HEADWAY_ROW_THREAD];
	bool first = !before || !fails_of(&before->rec);
	char name[HEADWAY_NAME_LEN];
	size_t lo = 0, hi = rows->nr;
	pid_t pid;

	if (!r->names_left || (!fails_of(&now->rec) && now->rec.fail_stack < 0))
		return;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (headway_row_compare(threads, rows->data + mid * threads->size, &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == rows->nr || headway_row_compare(threads, rows->data + lo * threads->size, &key))
		return;
	pid = (pid_t)((const struct headway_snap_thread *)(const void *)rows->data)[lo].rec.tgid;
	if (first) {
		r->names_left--;
		lock_name(r, pid, now->key.addr, name, sizeof(name));
	}
	if (r->names_left && now->rec.fail_stack >= 0 &&
	    (!before || before->rec.fail_stack != now->rec.fail_stack)) {
		r->names_left--;
		stack_names(r, pid, now->rec.fail_stack, frames);
	}
}

static void name_locks(struct headway_recorder *r)
{
	const struct headway_rows *now = &r->now[HEADWAY_ROW_LOCK];
	const struct headway_rows *before = &r->before[HEADWAY_ROW_LOCK];
	const struct headway_row_type *type = &headway_row_types[HEADWAY_ROW_LOCK];
	size_t k = 0;

	r->names_left = NAMES_PER_SNAPSHOT;
	for (size_t i = 0; i < now->nr; i++) {
		const void *new = now->data + i * type->size, *old = NULL;

		while (k < before->nr &&
		       headway_row_compare(type, before->data + k * type->size, new) < 0)
			k++;
		if (k < before->nr &&
		    !headway_row_compare(type, before->data + k * type->size, new))
			old = before->data + k * type->size;
		name_lock(r, new, old);
	}
}

int headway_recorder_snapshot(struct headway_recorder *r, const struct headway_snapshot *snap)
{
	errno = 0;
	take_snapshot(r, snap);
	for (int kind = 0; kind < HEADWAY_NR_ROW_KINDS; kind++)
		write_rows(r, (enum headway_row_kind)kind);
	write_snapshot(r, snap);
	name_locks(r);
	return r->err;
}

int headway_recorder_missing(struct headway_recorder *r, enum headway_probe_id id,
			     const char *reason)
{
	struct json_object *o;
	char *known = r->reasons[id];

	if (!strncmp(known, reason, HEADWAY_RECORDING_TEXT_MAX - 1))
		return r->err;
	snprintf(known, HEADWAY_RECORDING_TEXT_MAX, "%s", reason);
	o = line_of(r, "probe");
	if (!o)
		return r->err;
	put(r, o, "name", json_object_new_string(headway_probe_name(id)));
	put(r, o, "reason", headway_text_to_json(known, HEADWAY_RECORDING_TEXT_MAX));
	return write_line(r, o);
}

int headway_recorder_finish(struct headway_recorder *r, const struct headway_recording_end *end)
{
	struct json_object *o = line_of(r, "close");
	int err;

	if (!o)
		return r->err;
	put(r, o, "duration_ns", json_object_new_uint64(end->duration_ns));
	put(r, o, "command_ended", json_object_new_boolean(end->command_ended));
	put(r, o, "command_status", json_object_new_int(end->command_status));
	write_line(r, o);
	headway_recorder_commit(r);
	errno = 0;
	err = gzclose(r->file);
	r->file = NULL;
	if (err != Z_OK)
		fail(r, errno ? -errno : -EIO);
	return r->err;
}

void headway_recorder_free(struct headway_recorder *r)
{
	if (!r)
		return;
	if (r->file)
		gzclose(r->file);
	for (int kind = 0; kind < HEADWAY_NR_ROW_KINDS; kind++) {
		free(r->now[kind].data);
		free(r->before[kind].data);
	}
	free(r);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * recorder.c - writes a recording while a watch goes on.
 *
 * Names of contended locks and of their stacks are looked up when they are new, a bounded number in
 * a snapshot: a later engine may want to name other locks than ours.
 */
#include "recorder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_tee.h"
#include "recwriter.h"

enum { NAMES_PER_SNAPSHOT = 64 };

struct headway_recorder {
	struct headway_recwriter out;
	struct headway_name_source live;
	struct headway_kernel_tee kernel;
	uint64_t window_ns;
	struct headway_rows before[HEADWAY_NR_ROW_KINDS];
	struct headway_rows now[HEADWAY_NR_ROW_KINDS];
	uint64_t counters[HEADWAY_NR_COUNTERS];
	char reasons[HEADWAY_NR_PROBES][HEADWAY_RECORDING_TEXT_MAX];
	unsigned int names_left;
};

static int fail(struct headway_recorder *r, int err)
{
	return headway_recwriter_fail(&r->out, err);
}

static void put(struct headway_recorder *r, struct json_object *o, const char *key,
		struct json_object *value)
{
	headway_recwriter_put(&r->out, o, key, value);
}

static struct json_object *line_of(struct headway_recorder *r, const char *type)
{
	return headway_recwriter_line(&r->out, type);
}

static int write_line(struct headway_recorder *r, struct json_object *o)
{
	return headway_recwriter_write(&r->out, o);
}

int headway_recorder_commit(struct headway_recorder *r)
{
	r->kernel.looking = false;
	return headway_recwriter_commit(&r->out);
}

/* Names of domains; [] stands for all. */
static void put_domains(struct headway_recorder *r, struct json_object *o,
			const struct headway_recording_header *h)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; array && i < h->nr_domains; i++)
		headway_recwriter_append(&r->out, array,
					 headway_text_to_json(h->domains[i],
							      HEADWAY_RECORDING_TEXT_MAX - 1));
	put(r, o, "domains", array);
}

static void put_thresholds(struct headway_recorder *r, struct json_object *o,
			   const struct headway_thresholds *t)
{
	struct json_object *all = json_object_new_object();

	for (size_t i = 0; all && i < headway_nr_thresholds; i++)
		put(r, all, headway_threshold_table[i].name, json_object_new_double(
			headway_threshold_get(t, &headway_threshold_table[i])));
	put(r, o, "thresholds", all);
}

static int write_header(struct headway_recorder *r, const struct headway_recording_header *h)
{
	struct json_object *o = line_of(r, HEADWAY_RECORDING_TYPE);

	if (!o)
		return r->out.err;
	put(r, o, "version", json_object_new_int(HEADWAY_RECORDING_VERSION));
	put(r, o, "window_ns", json_object_new_uint64(h->window_ns));
	put(r, o, "interval_ns", json_object_new_uint64(h->interval_ns));
	put_thresholds(r, o, &h->thresholds);
	put(r, o, "tool", headway_text_to_json(h->tool, sizeof(h->tool)));
	put(r, o, "kernel", headway_text_to_json(h->kernel, sizeof(h->kernel)));
	put(r, o, "machine", headway_text_to_json(h->machine, sizeof(h->machine)));
	put(r, o, "started", headway_text_to_json(h->started, sizeof(h->started)));
	if (h->kernel_alone)
		put(r, o, "kernel_alone", json_object_new_boolean(1));
	if (h->watches_kernel)
		put_domains(r, o, h);
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
	int err;

	*out = NULL;
	if (!r)
		return -ENOMEM;
	r->live = *live;
	r->window_ns = header->window_ns;
	err = headway_recwriter_open(&r->out, path);
	if (!err)
		err = write_header(r, header);
	if (err)
		headway_recorder_free(r);
	else
		*out = r;
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
		headway_recwriter_append(&r->out, array,
					 headway_text_to_json(frames[i],
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

struct headway_kernel_reader headway_recorder_kernel(struct headway_recorder *r,
						     const struct headway_kernel_reader *live)
{
	r->kernel = (struct headway_kernel_tee){
		.from = *live, .out = &r->out, .detail_ns = r->window_ns,
	};
	return headway_kernel_tee_reader(&r->kernel);
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

	while (!r->out.err && (i < now->nr || k < before->nr)) {
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

	for (size_t i = 0; i < nr && !r->out.err; i++) {
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
			headway_recwriter_append(&r->out, missing, json_object_new_string(
				headway_probe_name((enum headway_probe_id)i)));
	put(r, o, "missing", missing);
	if (snap->rested_ns)
		put(r, o, "rested_ns", json_object_new_uint64(snap->rested_ns));
	if (snap->tries_rested_ns)
		put(r, o, "tries_rested_ns", json_object_new_uint64(snap->tries_rested_ns));
	if (snap->left_out)
		put(r, o, "left_out", json_object_new_uint64(snap->left_out));
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
	take_snapshot(r, snap);
	for (int kind = 0; kind < HEADWAY_NR_ROW_KINDS; kind++)
		write_rows(r, (enum headway_row_kind)kind);
	write_snapshot(r, snap);
	name_locks(r);
	return r->out.err;
}

int headway_recorder_missing(struct headway_recorder *r, enum headway_probe_id id,
			     const char *reason)
{
	struct json_object *o;
	char *known = r->reasons[id];

	if (!strncmp(known, reason, HEADWAY_RECORDING_TEXT_MAX - 1))
		return r->out.err;
	snprintf(known, HEADWAY_RECORDING_TEXT_MAX, "%s", reason);
	o = line_of(r, "probe");
	if (!o)
		return r->out.err;
	put(r, o, "name", json_object_new_string(headway_probe_name(id)));
	put(r, o, "reason", headway_text_to_json(known, HEADWAY_RECORDING_TEXT_MAX));
	return write_line(r, o);
}

static void put_group(struct headway_recorder *r, struct json_object *o,
		      const struct headway_recording_end *end)
{
	struct json_object *group = json_object_new_object();

	for (size_t i = 0; group && i < headway_nr_group_fields; i++)
		put(r, group, headway_group_fields[i].name,
		    headway_member_to_json(&headway_group_fields[i], &end->group));
	put(r, o, "group", group);
	put(r, o, "group_alone", json_object_new_boolean(end->group_alone));
	put(r, o, "cgroup", headway_text_to_json(end->cgroup, sizeof(end->cgroup)));
}

int headway_recorder_finish(struct headway_recorder *r, const struct headway_recording_end *end)
{
	struct json_object *o = line_of(r, "close");

	if (!o)
		return r->out.err;
	put(r, o, "duration_ns", json_object_new_uint64(end->duration_ns));
	put(r, o, "command_ended", json_object_new_boolean(end->command_ended));
	put(r, o, "command_status", json_object_new_int(end->command_status));
	if (end->has_group)
		put_group(r, o, end);
	write_line(r, o);
	headway_recorder_commit(r);
	return headway_recwriter_close(&r->out);
}

void headway_recorder_free(struct headway_recorder *r)
{
	if (!r)
		return;
	headway_recwriter_close(&r->out);
	for (int kind = 0; kind < HEADWAY_NR_ROW_KINDS; kind++) {
		free(r->now[kind].data);
		free(r->before[kind].data);
	}
	free(r);
}

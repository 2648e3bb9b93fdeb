// SPDX-License-Identifier: GPL-2.0
/*
 * player.c - reads a recording back into snapshots.
 *
 * Invariants: nothing of a record is used before its check was found to be right; rows come in
 * order of their keys, so that a snapshot is one merge of the one before with what has changed;
 * whatever is in the file, memory is bounded by the limits of recording.h.
 */
#include "player.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_tape.h"
#include "namebook.h"
#include "recfile.h"

struct merge {
	struct headway_rows rows;	/* as they will be */
	size_t taken;			/* rows of the snapshot before that were passed */
};

struct headway_player {
	struct headway_recfile file;
	struct headway_recording_header header;
	struct headway_recording_end close;
	bool closed;
	bool have_snapshot;		/* in this record */
	struct headway_rows rows[HEADWAY_NR_ROW_KINDS];
	struct merge next[HEADWAY_NR_ROW_KINDS];
	struct headway_snap_marker *markers;
	struct headway_snapshot snap;
	char reasons[HEADWAY_NR_PROBES][HEADWAY_RECORDING_TEXT_MAX];
	struct headway_namebook names;
	struct headway_kernel_tape kernel;
	char domains[HEADWAY_RECORDING_DOMAINS_MAX][256];
	const char *domain_names[HEADWAY_RECORDING_DOMAINS_MAX];
};

#define fail(p, ...) headway_recfile_fail(&(p)->file, __VA_ARGS__)

const char *headway_player_error(const struct headway_player *p)
{
	return p->file.error;
}

struct headway_player *headway_player_new(void)
{
	struct headway_player *p = calloc(1, sizeof(*p));

	if (p && headway_recfile_init(&p->file)) {
		headway_player_free(p);
		return NULL;
	}
	return p;
}

void headway_player_free(struct headway_player *p)
{
	if (!p)
		return;
	for (int kind = 0; kind < HEADWAY_NR_ROW_KINDS; kind++) {
		free(p->rows[kind].data);
		free(p->next[kind].rows.data);
	}
	free(p->markers);
	headway_namebook_free(&p->names);
	headway_kernel_tape_clear(&p->kernel);
	headway_recfile_free(&p->file);
	free(p);
}

/* What was watched. */
static int take_targets(struct headway_player *p, struct json_object *o)
{
	struct headway_recording_header *h = &p->header;
	struct json_object *value;
	size_t nr;

	h->kernel_alone = json_object_object_get_ex(o, "kernel_alone", &value) &&
			  json_object_get_boolean(value);
	h->watches_kernel = json_object_object_get_ex(o, "domains", &value);
	if (!h->watches_kernel)
		return 0;
	nr = json_object_is_type(value, json_type_array) ? json_object_array_length(value) :
							   SIZE_MAX;
	if (nr > HEADWAY_RECORDING_DOMAINS_MAX)
		return fail(p, -EBADMSG, "an array \"domains\" of at most %d names",
			    HEADWAY_RECORDING_DOMAINS_MAX);
	for (size_t i = 0; i < nr; i++) {
		p->domain_names[i] = p->domains[i];
		if (headway_text_from_json(json_object_array_get_idx(value, i), p->domains[i],
					   sizeof(p->domains[i])))
			return fail(p, -EBADMSG, "in \"domains\" names of less than %zu bytes",
				    sizeof(p->domains[i]));
	}
	h->domains = p->domain_names;
	h->nr_domains = nr;
	return 0;
}

/* Those that it does not have, as one of version 1, are this version's. */
static int take_thresholds(struct headway_player *p, struct json_object *o)
{
	struct headway_recording_header *h = &p->header;
	struct json_object *all, *value;

	h->thresholds = headway_thresholds_default;
	if (!json_object_object_get_ex(o, "thresholds", &all))
		return 0;
	for (size_t i = 0; i < headway_nr_thresholds; i++) {
		const struct headway_threshold *which = &headway_threshold_table[i];

		if (!json_object_object_get_ex(all, which->name, &value))
			continue;
		if ((json_object_is_type(value, json_type_double) ||
		     json_object_is_type(value, json_type_int)) &&
		    !headway_threshold_set(&h->thresholds, which, json_object_get_double(value)))
			continue;
		return fail(p, -EBADMSG, "as threshold \"%s\" a number from %g to %g%s",
			    which->name, which->min, which->max, which->whole ? ", whole" : "");
	}
	return 0;
}

static int take_header(struct headway_player *p, struct json_object *o, const char *type)
{
	struct headway_recording_header *h = &p->header;
	uint64_t version;
	int err;

	if (strcmp(type, HEADWAY_RECORDING_TYPE))
		return fail(p, -EBADMSG, "the header of a recording, \"type\":\""
			    HEADWAY_RECORDING_TYPE "\"");
	err = headway_recfile_u64(&p->file, o, "version", &version);
	if (!err && (!version || version > HEADWAY_RECORDING_VERSION))
		err = fail(p, -EBADMSG, "version 1 to %d of the format, not %llu: use the version of headway that made it",
			   HEADWAY_RECORDING_VERSION, (unsigned long long)version);
	if (!err)
		err = headway_recfile_u64(&p->file, o, "window_ns", &h->window_ns);
	if (!err)
		err = headway_recfile_u64(&p->file, o, "interval_ns", &h->interval_ns);
	/* As the options of watch allow them: the engine divides by these. */
	if (!err && (h->interval_ns < 1000000 || h->window_ns > 3600000000000ull ||
		     h->interval_ns > h->window_ns / 2 || h->interval_ns < h->window_ns / 61))
		err = fail(p, -EBADMSG, "a window of at most an hour, and an interval that fits 2 to 60 times into it");
	if (!err)
		err = headway_recfile_text(&p->file, o, "tool", h->tool, sizeof(h->tool));
	if (!err)
		err = headway_recfile_text(&p->file, o, "kernel", h->kernel, sizeof(h->kernel));
	if (!err)
		err = headway_recfile_text(&p->file, o, "machine", h->machine, sizeof(h->machine));
	if (!err)
		err = headway_recfile_text(&p->file, o, "started", h->started, sizeof(h->started));
	if (!err)
		err = headway_recfile_text(&p->file, o, "command", h->command, sizeof(h->command));
	if (!err)
		err = take_thresholds(p, o);
	return err ? err : take_targets(p, o);
}

/* Rows of the snapshot before that come before this key are as they were. NULL key: all. */
static int copy_up_to(struct headway_player *p, enum headway_row_kind kind, const void *key)
{
	const struct headway_row_type *type = &headway_row_types[kind];
	struct merge *m = &p->next[kind];

	for (; m->taken < p->rows[kind].nr; m->taken++) {
		const void *old = p->rows[kind].data + m->taken * type->size;
		void *row;

		if (key && headway_row_compare(type, old, key) >= 0)
			return 0;
		row = headway_rows_add(&m->rows, type);
		if (!row)
			return fail(p, -EBADMSG, "at most %zu rows of this type", type->max);
		memcpy(row, old, type->size);
	}
	return 0;
}

static int read_fields(struct headway_player *p, const struct headway_row_type *type,
		       struct json_object *o, size_t from, size_t to, void *row)
{
	for (size_t i = from; i < to; i++) {
		const struct headway_member *f = &type->fields[i];
		struct json_object *value;

		if (!json_object_object_get_ex(o, f->name, &value)) {
			if (i >= type->nr_keys)
				continue;
			return fail(p, -EBADMSG, "\"%s\" in a %s", f->name, type->name);
		}
		if (headway_member_from_json(f, row, value))
			return fail(p, -EBADMSG, "as \"%s\" of a %s %s", f->name, type->name,
				    headway_member_wants(f));
	}
	return 0;
}

static int take_row(struct headway_player *p, enum headway_row_kind kind, struct json_object *o)
{
	const struct headway_row_type *type = &headway_row_types[kind];
	struct merge *m = &p->next[kind];
	unsigned char key[1024] __attribute__((aligned(8))) = { 0 };
	struct json_object *gone;
	const void *old = NULL;
	void *row;
	int err = read_fields(p, type, o, 0, type->nr_keys, key);

	if (!err)
		err = copy_up_to(p, kind, key);
	if (err)
		return err;
	if (m->rows.nr && headway_row_compare(type, m->rows.data + (m->rows.nr - 1) * type->size,
					      key) >= 0)
		return fail(p, -EBADMSG, "a %s with a larger key than the one before", type->name);
	if (m->taken < p->rows[kind].nr) {
		old = p->rows[kind].data + m->taken * type->size;
		if (headway_row_compare(type, old, key))
			old = NULL;
		else
			m->taken++;
	}
	if (json_object_object_get_ex(o, "gone", &gone) && json_object_get_boolean(gone))
		return 0;
	row = headway_rows_add(&m->rows, type);
	if (!row)
		return fail(p, -EBADMSG, "at most %zu rows of type %s", type->max, type->name);
	memcpy(row, old ? old : key, type->size);
	return read_fields(p, type, o, type->nr_keys, type->nr_fields, row);
}

static int take_counters(struct headway_player *p, struct json_object *o)
{
	struct json_object *counters, *value;

	if (!json_object_object_get_ex(o, "counters", &counters) ||
	    !json_object_is_type(counters, json_type_object))
		return fail(p, -EBADMSG, "an object \"counters\"");
	for (int i = 0; i < HEADWAY_NR_COUNTERS; i++)
		if (json_object_object_get_ex(counters, headway_counter_names[i], &value)) {
			int err = headway_recfile_u64(&p->file, counters, headway_counter_names[i],
					  &p->snap.counters[i]);

			if (err)
				return err;
		}
	return 0;
}

/* -1: a probe of another version. */
static int probe_by_name(struct json_object *name)
{
	for (int i = 0; i < HEADWAY_NR_PROBES; i++)
		if (json_object_is_type(name, json_type_string) &&
		    !strcmp(json_object_get_string(name),
			    headway_probe_name((enum headway_probe_id)i)))
			return i;
	return -1;
}

static int take_missing(struct headway_player *p, struct json_object *o)
{
	struct json_object *missing;

	if (!json_object_object_get_ex(o, "missing", &missing) ||
	    !json_object_is_type(missing, json_type_array))
		return fail(p, -EBADMSG, "an array \"missing\"");
	p->snap.missing_probes = 0;
	for (size_t i = 0; i < json_object_array_length(missing); i++) {
		int id = probe_by_name(json_object_array_get_idx(missing, i));

		if (id >= 0)
			p->snap.missing_probes |= 1u << id;
	}
	return 0;
}

static int take_probe(struct headway_player *p, struct json_object *o)
{
	struct json_object *name;
	int id;

	if (!json_object_object_get_ex(o, "name", &name))
		return fail(p, -EBADMSG, "the \"name\" of a probe");
	id = probe_by_name(name);
	return id < 0 ? 0 : headway_recfile_text(&p->file, o, "reason", p->reasons[id],
						 sizeof(p->reasons[id]));
}

/* What later rows refer to by number. */
static int put_markers(struct headway_player *p)
{
	const struct headway_rows *rows = &p->rows[HEADWAY_ROW_MARKER];
	const struct headway_marker_row *row = (const void *)rows->data;

	free(p->markers);
	p->markers = calloc(rows->nr + 1, sizeof(*p->markers));
	if (!p->markers)
		return fail(p, -ENOMEM, "memory");
	for (size_t i = 0; i < rows->nr; i++) {
		if (row[i].place != i)
			return fail(p, -EBADMSG, "markers without a gap in their places");
		p->markers[i] = row[i].marker;
	}
	p->snap.nr_markers = rows->nr;
	p->snap.markers = p->markers;
	return 0;
}

static int take_snapshot(struct headway_player *p, struct json_object *o)
{
	struct json_object *exited, *value;
	int err;

	if (p->have_snapshot)
		return fail(p, -EBADMSG, "a check after the snapshot, not another one");
	p->have_snapshot = true;
	for (int kind = 0; kind < HEADWAY_NR_ROW_KINDS; kind++) {
		struct headway_rows was = p->rows[kind];

		err = copy_up_to(p, (enum headway_row_kind)kind, NULL);
		if (err)
			return err;
		p->rows[kind] = p->next[kind].rows;
		was.nr = 0;
		p->next[kind] = (struct merge){ .rows = was };
	}
	err = headway_recfile_u64(&p->file, o, "time_ns", &p->snap.time_ns);
	if (!err)
		err = take_counters(p, o);
	p->snap.rested_ns = p->snap.tries_rested_ns = p->snap.left_out = 0;
	if (!err && json_object_object_get_ex(o, "rested_ns", &value))
		err = headway_recfile_u64(&p->file, o, "rested_ns", &p->snap.rested_ns);
	if (!err && json_object_object_get_ex(o, "tries_rested_ns", &value))
		err = headway_recfile_u64(&p->file, o, "tries_rested_ns", &p->snap.tries_rested_ns);
	if (!err && json_object_object_get_ex(o, "left_out", &value))
		err = headway_recfile_u64(&p->file, o, "left_out", &p->snap.left_out);
	if (!err)
		err = take_missing(p, o);
	if (!err)
		err = put_markers(p);
	if (err)
		return err;
	p->snap.target_exited = json_object_object_get_ex(o, "target_exited", &exited) &&
				json_object_get_boolean(exited);
	p->snap.threads = (void *)p->rows[HEADWAY_ROW_THREAD].data;
	p->snap.nr_threads = p->rows[HEADWAY_ROW_THREAD].nr;
	p->snap.locks = (void *)p->rows[HEADWAY_ROW_LOCK].data;
	p->snap.nr_locks = p->rows[HEADWAY_ROW_LOCK].nr;
	p->snap.marks = (void *)p->rows[HEADWAY_ROW_MARK].data;
	p->snap.nr_marks = p->rows[HEADWAY_ROW_MARK].nr;
	return 0;
}

static int take_group(struct headway_player *p, struct json_object *o)
{
	struct headway_recording_end *end = &p->close;
	struct json_object *group, *value;

	end->has_group = json_object_object_get_ex(o, "group", &group);
	if (!end->has_group)
		return 0;
	for (size_t i = 0; i < headway_nr_group_fields; i++) {
		const struct headway_member *f = &headway_group_fields[i];

		if (json_object_object_get_ex(group, f->name, &value) &&
		    headway_member_from_json(f, &end->group, value))
			return fail(p, -EBADMSG, "as \"%s\" of a group %s", f->name,
				    headway_member_wants(f));
	}
	end->group_alone = json_object_object_get_ex(o, "group_alone", &value) &&
			   json_object_get_boolean(value);
	return headway_recfile_text(&p->file, o, "cgroup", end->cgroup, sizeof(end->cgroup));
}

static int take_close(struct headway_player *p, struct json_object *o)
{
	const struct headway_member f = {
		"command_status", HEADWAY_MEMBER_S32, 0, sizeof(int32_t)
	};
	struct json_object *value;
	int32_t status = 0;
	int err = headway_recfile_u64(&p->file, o, "duration_ns", &p->close.duration_ns);

	if (err)
		return err;
	p->close.command_ended = json_object_object_get_ex(o, "command_ended", &value) &&
				 json_object_get_boolean(value);
	if (json_object_object_get_ex(o, f.name, &value) &&
	    headway_member_from_json(&f, &status, value))
		return fail(p, -EBADMSG, "as \"%s\" %s", f.name, headway_member_wants(&f));
	p->close.command_status = status;
	err = take_group(p, o);
	if (err)
		return err;
	p->closed = true;
	return 0;
}

static int take_line(struct headway_player *p, struct json_object *o, const char *type)
{
	const char *wanted = NULL;

	for (int kind = 0; kind < HEADWAY_NR_ROW_KINDS; kind++) {
		if (strcmp(type, headway_row_types[kind].name))
			continue;
		if (p->have_snapshot)
			return fail(p, -EBADMSG, "rows before their snapshot, not after it");
		return take_row(p, (enum headway_row_kind)kind, o);
	}
	if (!strcmp(type, "snapshot"))
		return take_snapshot(p, o);
	if (!strcmp(type, "probe"))
		return take_probe(p, o);
	if (!strcmp(type, "close"))
		return take_close(p, o);
	if (!strcmp(type, "lock_name"))
		wanted = headway_namebook_lock(&p->names, o);
	else if (!strcmp(type, "stack"))
		wanted = headway_namebook_stack(&p->names, o);
	else if (!strncmp(type, "kernel_", 7))
		wanted = headway_kernel_tape_line(&p->kernel, type, o);
	/* Any other is a later version's. */
	return wanted ? fail(p, -EBADMSG, "%s", wanted) : 0;
}

/* One record, up to its check. 1, 0 at the end of the file, or an error. */
static int next_record(struct headway_player *p)
{
	bool header = !p->file.record_nr, first = true;

	for (;; first = false) {
		struct json_object *o = NULL;
		const char *type = NULL;
		int err = headway_recfile_next(&p->file, &o, &type);
		bool check;

		if (err < 0)
			return err;
		if (!err)
			return first && p->closed && !headway_recfile_partial(&p->file) ? 0 :
			       headway_recfile_cut_off(&p->file);
		check = !strcmp(type, "check");
		if (first && p->closed)
			err = fail(p, -EBADMSG, "the end of the file after the record of type close");
		else if (header && first)
			err = take_header(p, o, type);
		else if (!header && !check)
			err = take_line(p, o, type);
		else
			err = 0;
		json_object_put(o);
		if (err || check)
			return err ? err : 1;
	}
}

int headway_player_start(struct headway_player *p, const char *name, headway_recfile_read read,
			 void *ctx)
{
	int got;

	headway_recfile_set(&p->file, name, read, ctx);
	got = next_record(p);
	return got < 0 ? got : 0;
}

int headway_player_open(struct headway_player *p, const char *path)
{
	int err = headway_recfile_open(&p->file, path);

	if (!err)
		err = next_record(p);
	return err < 0 ? err : 0;
}

int headway_player_next(struct headway_player *p, struct headway_snapshot *snap)
{
	for (;;) {
		int got;

		p->have_snapshot = false;
		headway_kernel_tape_clear(&p->kernel);
		got = next_record(p);
		if (got <= 0)
			return got;
		got = (p->have_snapshot ? HEADWAY_PLAYER_SNAPSHOT : 0) |
		      (p->kernel.looked ? HEADWAY_PLAYER_KERNEL : 0);
		if (p->have_snapshot)
			*snap = p->snap;
		if (got)
			return got;
	}
}

const struct headway_recording_header *headway_player_header(const struct headway_player *p)
{
	return &p->header;
}

const struct headway_recording_end *headway_player_end(const struct headway_player *p)
{
	return &p->close;
}

const char *headway_player_missing_reason(const struct headway_player *p,
					  enum headway_probe_id id)
{
	return p->reasons[id][0] ? p->reasons[id] : NULL;
}

uint64_t headway_player_look_ns(const struct headway_player *p)
{
	return p->kernel.time_ns;
}

struct headway_kernel_reader headway_player_kernel(struct headway_player *p)
{
	return headway_kernel_tape_reader(&p->kernel);
}

struct headway_name_source headway_player_names(struct headway_player *p)
{
	return headway_namebook_source(&p->names);
}

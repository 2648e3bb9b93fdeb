// SPDX-License-Identifier: GPL-2.0
/*
 * recording.c - the fields of a recording: one table each for threads, locks, markers and marks,
 * from which both the writer and the reader work.
 *
 * Invariant: every member of the structures of snapshot.h is in a table, but for padding
 * (tests/unit/recording_test.c fills them with a pattern that must come back).
 */
#include "recording.h"

#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "escape.h"

#define SIZE_OF(type, member) sizeof(((type *)0)->member)
#define FIELD(kind, type, member, name) \
	{ name, HEADWAY_MEMBER_##kind, offsetof(type, member), SIZE_OF(type, member) }

#define THREAD(kind, member) FIELD(kind, struct headway_snap_thread, member, #member)
#define THREAD_REC(kind, member) FIELD(kind, struct headway_snap_thread, rec.member, #member)
static const struct headway_member thread_fields[] = {
	THREAD_REC(U32, tid), THREAD_REC(U32, tgid),
	THREAD_REC(U32, ns_tid), THREAD_REC(U32, ns_tgid),
	THREAD_REC(U64, start_ns), THREAD_REC(TEXT, comm),
	THREAD_REC(U64, first_ns), THREAD_REC(U64, last_ns),
	THREAD_REC(U64, yields), THREAD_REC(U64, sleeps),
	THREAD_REC(U64, futex_waits), THREAD_REC(U64, futex_wakes),
	THREAD_REC(U64, try_ok), THREAD_REC(U64, try_fail),
	THREAD_REC(U64, aborts), THREAD_REC(U64, commits),
	THREAD_REC(U64, last_commit_ns), THREAD_REC(U64, last_abort_ns),
	THREAD_REC(U64, wait_addr), THREAD_REC(U64, wait_since_ns),
	THREAD_REC(U32, wait_op), THREAD_REC(U32, wait_word),
	THREAD_REC(U32, wait_owner), THREAD_REC(U32, wait_flags),
	THREAD_REC(U32, nr_held), THREAD_REC(U32, episode_failed),
	THREAD_REC(U64, held[0]), THREAD_REC(U64, held[1]), THREAD_REC(U64, held[2]),
	THREAD_REC(U64, held[3]), THREAD_REC(U64, held[4]), THREAD_REC(U64, held[5]),
	THREAD_REC(U64, held[6]), THREAD_REC(U64, held[7]),
	THREAD(U64, cpu_ns), THREAD(U64, wait_bp), THREAD(U64, wait_object),
	THREAD(S32, syscall_nr), THREAD(CHAR, state), THREAD(BOOL, alive),
	THREAD(BOOL, tries_hidden), THREAD(U64, exit_word),
};

#define LOCK_KEY(kind, member) FIELD(kind, struct headway_snap_lock, key.member, #member)
#define LOCK_REC(kind, member) FIELD(kind, struct headway_snap_lock, rec.member, #member)
static const struct headway_member lock_fields[] = {
	LOCK_KEY(U32, tid), LOCK_KEY(U32, kind), LOCK_KEY(U64, addr),
	LOCK_REC(U64, first_ns), LOCK_REC(U64, last_ns),
	LOCK_REC(U64, try_ok), LOCK_REC(U64, try_fail), LOCK_REC(U64, fail_holding),
	LOCK_REC(U64, wait_ok), LOCK_REC(U64, wait_eagain), LOCK_REC(U64, wait_timeout),
	LOCK_REC(U64, wait_intr), LOCK_REC(U64, wait_other), LOCK_REC(U64, wait_ns),
	LOCK_REC(U64, lost_races), LOCK_REC(U64, wakes), LOCK_REC(U64, woken),
	LOCK_REC(U64, fail_last_ns), LOCK_REC(U64, fail_interval_sum_ns),
	LOCK_REC(U64, fail_interval_min_ns), LOCK_REC(U64, fail_interval_max_ns),
	LOCK_REC(U64, fail_held_addr), LOCK_REC(U32, fail_owner), LOCK_REC(S32, fail_stack),
	LOCK_REC(U32, fail_owner_changes),
};

#define MARKER(kind, member) FIELD(kind, struct headway_marker_row, marker.member, #member)
static const struct headway_member marker_fields[] = {
	FIELD(U32, struct headway_marker_row, place, "place"),
	MARKER(U32, role), MARKER(BOOL, automatic), MARKER(BOOL, attached), MARKER(TEXT, name),
};

#define MARK(kind, member) FIELD(kind, struct headway_snap_mark, member, #member)
#define MARK_REC(kind, member) FIELD(kind, struct headway_snap_mark, rec.member, #member)
static const struct headway_member mark_fields[] = {
	MARK(U32, tid), MARK(U32, marker),
	MARK_REC(U64, count), MARK_REC(U64, first_ns), MARK_REC(U64, last_ns),
};

/* Some more than the maps hold: /proc shows threads, and open waits locks, that are not in them. */
#define ROWS(what, keys, type, most) \
	{ #what, what##_fields, sizeof(what##_fields) / sizeof(what##_fields[0]), keys, \
	  sizeof(type), most }
const struct headway_row_type headway_row_types[HEADWAY_NR_ROW_KINDS] = {
	[HEADWAY_ROW_MARKER] = ROWS(marker, 1, struct headway_marker_row, HEADWAY_MAX_MARKERS),
	[HEADWAY_ROW_THREAD] = ROWS(thread, 1, struct headway_snap_thread, 4 * HEADWAY_MAX_THREADS),
	[HEADWAY_ROW_LOCK] = ROWS(lock, 3, struct headway_snap_lock, 2 * HEADWAY_MAX_LOCKS),
	[HEADWAY_ROW_MARK] = ROWS(mark, 2, struct headway_snap_mark, 4 * HEADWAY_MAX_MARKS),
};

#define GROUP(kind, member) FIELD(kind, struct headway_probe_group, member, #member)
_Static_assert(sizeof(size_t) == sizeof(uint64_t), "a count is written as 64 bits");
const struct headway_member headway_group_fields[] = {
	GROUP(U64, seen), GROUP(U64, now), GROUP(U64, most), GROUP(U64, without_trylock),
	GROUP(U64, left_out), GROUP(U64, bits32), GROUP(BOOL, removed),
};
const size_t headway_nr_group_fields =
	sizeof(headway_group_fields) / sizeof(headway_group_fields[0]);

const char *const headway_counter_names[HEADWAY_NR_COUNTERS] = {
	[HEADWAY_CNT_EVENTS] = "events",
	[HEADWAY_CNT_LOST_THREADS] = "lost_threads",
	[HEADWAY_CNT_LOST_LOCKS] = "lost_locks",
	[HEADWAY_CNT_LOST_STACKS] = "lost_stacks",
	[HEADWAY_CNT_STACK_FAULT] = "stack_fault",
	[HEADWAY_CNT_OWNER_FAULT] = "owner_fault",
	[HEADWAY_CNT_HELD_OVERFLOW] = "held_overflow",
	[HEADWAY_CNT_UNMATCHED_EXIT] = "unmatched_exit",
	[HEADWAY_CNT_LOST_RINGBUF] = "lost_ringbuf",
	[HEADWAY_CNT_LOST_MARKS] = "lost_marks",
	[HEADWAY_CNT_LOST_PROCESSES] = "lost_processes",
	[HEADWAY_CNT_TRIES] = "tries",
};

void *headway_rows_add(struct headway_rows *rows, const struct headway_row_type *type)
{
	void *row;

	if (rows->nr == type->max)
		return NULL;
	if (rows->nr == rows->cap) {
		size_t cap = rows->cap ? 2 * rows->cap : 16;
		void *more = reallocarray(rows->data, cap, type->size);

		if (!more)
			return NULL;
		rows->data = more;
		rows->cap = cap;
	}
	row = rows->data + rows->nr++ * type->size;
	memset(row, 0, type->size);
	return row;
}

static const void *member(const struct headway_member *f, const void *row)
{
	return (const unsigned char *)row + f->offset;
}

/* Members are read and written as bytes: a row's address says nothing to the compiler. */
static uint64_t number(const struct headway_member *f, const void *row)
{
	uint64_t wide;
	uint32_t narrow;

	if (f->type == HEADWAY_MEMBER_U64) {
		memcpy(&wide, member(f, row), sizeof(wide));
		return wide;
	}
	memcpy(&narrow, member(f, row), sizeof(narrow));
	return narrow;
}

int headway_row_compare(const struct headway_row_type *type, const void *a, const void *b)
{
	for (size_t i = 0; i < type->nr_keys; i++) {
		uint64_t x = number(&type->fields[i], a), y = number(&type->fields[i], b);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

bool headway_member_same(const struct headway_member *f, const void *a, const void *b)
{
	/* What follows the terminator is noise. */
	if (f->type == HEADWAY_MEMBER_TEXT)
		return !strncmp(member(f, a), member(f, b), f->size);
	return !memcmp(member(f, a), member(f, b), f->size);
}

struct json_object *headway_text_to_json(const char *text, size_t len)
{
	char escaped[4 * HEADWAY_RECORDING_TEXT_MAX + 1];

	return json_object_new_string(headway_escape(text, len, escaped, sizeof(escaped)));
}

int headway_text_from_json(struct json_object *value, char *text, size_t len)
{
	const char *s;

	*text = '\0';
	if (!json_object_is_type(value, json_type_string))
		return -EINVAL;
	s = json_object_get_string(value);
	if (strlen(s) != (size_t)json_object_get_string_len(value))
		return -EINVAL;
	return headway_unescape(s, text, len);
}

struct json_object *headway_member_to_json(const struct headway_member *f, const void *row)
{
	int32_t narrow;

	switch (f->type) {
	case HEADWAY_MEMBER_U64:
	case HEADWAY_MEMBER_U32:
		return json_object_new_uint64(number(f, row));
	case HEADWAY_MEMBER_S32:
		memcpy(&narrow, member(f, row), sizeof(narrow));
		return json_object_new_int(narrow);
	case HEADWAY_MEMBER_BOOL:
		return json_object_new_boolean(*(const unsigned char *)member(f, row) != 0);
	case HEADWAY_MEMBER_CHAR:
	case HEADWAY_MEMBER_TEXT:
		return headway_text_to_json(member(f, row), f->size);
	}
	return NULL;
}

static int integer(const struct headway_member *f, void *to, struct json_object *value)
{
	int64_t as_signed = json_object_get_int64(value);
	uint64_t as_unsigned = json_object_get_uint64(value);
	uint32_t narrow = (uint32_t)as_unsigned;
	int32_t negative = (int32_t)as_signed;

	if (!json_object_is_type(value, json_type_int))
		return -EINVAL;
	if (f->type == HEADWAY_MEMBER_S32) {
		if (as_signed != negative)
			return -EINVAL;
		memcpy(to, &negative, sizeof(negative));
		return 0;
	}
	if (as_signed < 0 || (f->type == HEADWAY_MEMBER_U32 && as_unsigned > UINT32_MAX))
		return -EINVAL;
	if (f->type == HEADWAY_MEMBER_U32)
		memcpy(to, &narrow, sizeof(narrow));
	else
		memcpy(to, &as_unsigned, sizeof(as_unsigned));
	return 0;
}

int headway_member_from_json(const struct headway_member *f, void *row, struct json_object *value)
{
	unsigned char *to = (unsigned char *)row + f->offset;
	char text[HEADWAY_RECORDING_TEXT_MAX];
	bool yes;

	switch (f->type) {
	case HEADWAY_MEMBER_U64:
	case HEADWAY_MEMBER_U32:
	case HEADWAY_MEMBER_S32:
		return integer(f, to, value);
	case HEADWAY_MEMBER_BOOL:
		if (!json_object_is_type(value, json_type_boolean))
			return -EINVAL;
		yes = json_object_get_boolean(value);
		memcpy(to, &yes, sizeof(yes));
		return 0;
	case HEADWAY_MEMBER_CHAR:
		if (headway_text_from_json(value, text, 2))
			return -EINVAL;
		*to = (unsigned char)text[0];
		return 0;
	case HEADWAY_MEMBER_TEXT:
		if (headway_text_from_json(value, text, f->size))
			return -EINVAL;
		memset(to, 0, f->size);
		snprintf((char *)to, f->size, "%s", text);
		return 0;
	}
	return -EINVAL;
}

const char *headway_member_wants(const struct headway_member *f)
{
	switch (f->type) {
	case HEADWAY_MEMBER_U64:
		return "an integer from 0 to 2^64-1";
	case HEADWAY_MEMBER_U32:
		return "an integer from 0 to 2^32-1";
	case HEADWAY_MEMBER_S32:
		return "an integer from -2^31 to 2^31-1";
	case HEADWAY_MEMBER_CHAR:
		return "a string of one byte";
	case HEADWAY_MEMBER_BOOL:
		return "true or false";
	case HEADWAY_MEMBER_TEXT:
		return "a string, escaped, that fits";
	}
	return "";
}

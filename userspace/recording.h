/* SPDX-License-Identifier: GPL-2.0 */
/*
 * recording.h - the format of a recording: what is in it, under which names.
 *
 * A recording is gzip of JSON lines (`zcat FILE | jq` shows it). gzip, because the numbers of two
 * snapshots differ in few digits: a thread costs some ten bytes a snapshot; JSON, because json-c is
 * here already, reads what a person can read too, and a field that a later version adds is one more
 * name. Of a thread, a lock or a mark only the fields that changed since the snapshot before are
 * written, and none that is 0 at first, so what does not move costs nothing.
 *
 * Lines come in records, each ended by
 *	{"type":"check","bytes":N,"crc32":"..."}	of the lines since the check before
 * The first record is the header, each of the others a snapshot, a look at the kernel, or both, the
 * last one the close:
 *	{"type":"headway-recording","version":2,"window_ns":..,"interval_ns":..,"tool":..,...}
 *	{"type":"thread","tid":..,FIELD:..}		rows, by rising key; "gone":true: not there
 *	{"type":"lock","tid":..,"kind":..,"addr":..}	any more
 *	{"type":"marker","place":..}
 *	{"type":"mark","tid":..,"marker":..}
 *	{"type":"probe","name":..,"reason":..}		why it is missing
 *	{"type":"snapshot","time_ns":..,"counters":{..},"missing":[..],"target_exited":..}
 *	{"type":"lock_name","pid":..,"addr":..,"name":..}
 *	{"type":"stack","pid":..,"id":..,"frames":[..]}
 *	{"type":"kernel_look","time_ns":..}		a look at headway.ko: what was asked for
 *	{"type":"kernel_list","loops":..,"names":[..]}	and what the answers were (kernel_tee.c)
 *	{"type":"kernel_file","name":..,"loop":..,"file":..}
 *	{"type":"kernel_line","text":..}		of the last file, as the module wrote it
 *	{"type":"kernel_thread","tid":..,"comm":..,"state":..,"tgid":..,"stack":[..]}
 *	{"type":"close","duration_ns":..,"command_ended":..,"command_status":..,"group":{..}}
 *
 * Strings are in the form of headway_escape(), so that every line is valid JSON and loses nothing.
 * Readers pass over types and fields that they do not know; HEADWAY_RECORDING_VERSION rises when
 * that would make them say something wrong. Version 1 knew nothing of the kernel, and of
 * no thresholds.
 */
#ifndef HEADWAY_RECORDING_H
#define HEADWAY_RECORDING_H

#include <json-c/json.h>

#include "names.h"
#include "probe.h"
#include "snapshot.h"
#include "thresholds.h"

#define HEADWAY_RECORDING_TYPE "headway-recording"

enum headway_recording_limits {
	HEADWAY_RECORDING_VERSION = 2,	/* older ones are read too */
	HEADWAY_RECORDING_LINE_MAX = 1 << 20,
	HEADWAY_RECORDING_TEXT_MAX = 512,
	HEADWAY_RECORDING_STACKS_MAX = 65536,
	HEADWAY_RECORDING_NAMES_MAX = 262144,
	HEADWAY_RECORDING_DOMAINS_MAX = 64,
	HEADWAY_RECORDING_LOOK_MAX = 64 << 20,
};

struct headway_recording_header {
	uint64_t window_ns;
	uint64_t interval_ns;
	struct headway_thresholds thresholds;
	bool kernel_alone;		/* no process was watched */
	bool watches_kernel;		/* these domains and loops; none: all */
	const char *const *domains;
	size_t nr_domains;
	/* For people; hostile in a recording. */
	char tool[128];			/* version */
	char kernel[128];		/* release */
	char machine[128];
	char started[32];		/* ISO 8601, UTC */
	char command[HEADWAY_RECORDING_TEXT_MAX];	/* "": none was started */
};

struct headway_recording_end {
	uint64_t duration_ns;
	bool command_ended;		/* by itself, before the watch */
	int command_status;		/* as from waitpid() */
	bool has_group;
	struct headway_probe_group group;
	bool group_alone;		/* nothing else was named */
	char cgroup[HEADWAY_RECORDING_TEXT_MAX];	/* "": the whole system */
};

enum headway_member_type {
	HEADWAY_MEMBER_U64,
	HEADWAY_MEMBER_U32,
	HEADWAY_MEMBER_S32,
	HEADWAY_MEMBER_CHAR,
	HEADWAY_MEMBER_BOOL,
	HEADWAY_MEMBER_TEXT,
};

struct headway_member {
	const char *name;
	enum headway_member_type type;
	size_t offset;
	size_t size;			/* of the member */
};

/* A marker's number is its place in the array; in a recording it is its key. */
struct headway_marker_row {
	uint32_t place;
	struct headway_snap_marker marker;
};

enum headway_row_kind {
	HEADWAY_ROW_MARKER,
	HEADWAY_ROW_THREAD,
	HEADWAY_ROW_LOCK,
	HEADWAY_ROW_MARK,
	HEADWAY_NR_ROW_KINDS,
};

/* The first nr_keys fields are the key, in the order that rows are sorted by. */
struct headway_row_type {
	const char *name;
	const struct headway_member *fields;
	size_t nr_fields;
	size_t nr_keys;
	size_t size;
	size_t max;			/* rows in a snapshot */
};

extern const struct headway_row_type headway_row_types[HEADWAY_NR_ROW_KINDS];
/* Of struct headway_probe_group. */
extern const struct headway_member headway_group_fields[];
extern const size_t headway_nr_group_fields;
extern const char *const headway_counter_names[HEADWAY_NR_COUNTERS];

/* Rows of one kind, sorted by key. */
struct headway_rows {
	unsigned char *data;
	size_t nr;
	size_t cap;
};

/* A new last row, all 0; NULL: no memory, or more than the type allows. */
void *headway_rows_add(struct headway_rows *rows, const struct headway_row_type *type);
int headway_row_compare(const struct headway_row_type *type, const void *a, const void *b);

/* True when the member is the same in both. */
bool headway_member_same(const struct headway_member *f, const void *a, const void *b);
/* NULL: no memory. */
struct json_object *headway_member_to_json(const struct headway_member *f, const void *row);
/* -EINVAL: not a value for it; headway_member_wants() says what would be. */
int headway_member_from_json(const struct headway_member *f, void *row, struct json_object *value);
const char *headway_member_wants(const struct headway_member *f);

/* Text of any bytes, as a JSON string; text ends at a NUL or after len. */
struct json_object *headway_text_to_json(const char *text, size_t len);
/* Always terminates. -EINVAL: not a string, not of that form, or longer than len - 1. */
int headway_text_from_json(struct json_object *value, char *text, size_t len);

#endif /* HEADWAY_RECORDING_H */

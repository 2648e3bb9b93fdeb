// SPDX-License-Identifier: GPL-2.0
/*
 * namebook.c - the names that a recording carries.
 *
 * Invariant: bounded (recording.h); names beyond that are forgotten, and the views show numbers.
 */
#define _GNU_SOURCE
#include "namebook.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct name_entry {
	uint64_t key;			/* an address, or a stack id */
	int32_t pid;
	int nr;
	char **names;			/* as they are, not escaped */
};

static int compare(const void *pa, const void *pb)
{
	const struct name_entry *a = pa, *b = pb;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->key > b->key) - (a->key < b->key);
}

static void entry_clear(struct name_entry *e)
{
	for (int i = 0; i < e->nr; i++)
		free(e->names[i]);
	free(e->names);
	e->names = NULL;
	e->nr = 0;
}

static void entry_free(void *node)
{
	entry_clear(node);
	free(node);
}

/* The entry of this key, empty. NULL: no memory, or no more room. */
static struct name_entry *entry_make(void **tree, size_t *nr, size_t max, int32_t pid, uint64_t key)
{
	struct name_entry probe = { .key = key, .pid = pid }, *e;
	struct name_entry **found = tfind(&probe, tree, compare);

	if (found) {
		entry_clear(*found);
		return *found;
	}
	e = *nr < max ? calloc(1, sizeof(*e)) : NULL;
	if (!e)
		return NULL;
	e->key = key;
	e->pid = pid;
	if (!tsearch(e, tree, compare)) {
		free(e);
		return NULL;
	}
	(*nr)++;
	return e;
}

static bool member_s32(struct json_object *line, const char *key, int32_t *out)
{
	const struct headway_member f = { key, HEADWAY_MEMBER_S32, 0, sizeof(*out) };
	struct json_object *value;

	return json_object_object_get_ex(line, key, &value) &&
	       !headway_member_from_json(&f, out, value);
}

const char *headway_namebook_lock(struct headway_namebook *b, struct json_object *line)
{
	const struct headway_member addr_field = {
		"addr", HEADWAY_MEMBER_U64, 0, sizeof(uint64_t)
	};
	char name[HEADWAY_RECORDING_TEXT_MAX];
	struct json_object *value;
	struct name_entry *e;
	uint64_t addr;
	int32_t pid;

	if (!member_s32(line, "pid", &pid))
		return "an integer \"pid\"";
	if (!json_object_object_get_ex(line, "addr", &value) ||
	    headway_member_from_json(&addr_field, &addr, value))
		return "an integer \"addr\"";
	if (!json_object_object_get_ex(line, "name", &value) ||
	    headway_text_from_json(value, name, sizeof(name)))
		return "a string \"name\", escaped, of less than 512 bytes";
	e = entry_make(&b->locks, &b->nr_locks, HEADWAY_RECORDING_NAMES_MAX, pid, addr);
	if (!e)
		return NULL;
	e->names = calloc(1, sizeof(*e->names));
	if (e->names)
		e->names[0] = strdup(name);
	e->nr = e->names && e->names[0];
	return NULL;
}

const char *headway_namebook_stack(struct headway_namebook *b, struct json_object *line)
{
	static const char frames_wanted[] = "\"frames\", at most 32 escaped strings";
	char name[HEADWAY_RECORDING_TEXT_MAX];
	struct json_object *frames;
	struct name_entry *e;
	int32_t pid, id;
	size_t nr;

	if (!member_s32(line, "pid", &pid))
		return "an integer \"pid\"";
	if (!member_s32(line, "id", &id))
		return "an integer \"id\"";
	if (!json_object_object_get_ex(line, "frames", &frames) ||
	    !json_object_is_type(frames, json_type_array) ||
	    json_object_array_length(frames) > HEADWAY_STACK_DEPTH)
		return frames_wanted;
	nr = json_object_array_length(frames);
	for (size_t i = 0; i < nr; i++)
		if (headway_text_from_json(json_object_array_get_idx(frames, i), name,
					   sizeof(name)))
			return frames_wanted;
	e = entry_make(&b->stacks, &b->nr_stacks, HEADWAY_RECORDING_STACKS_MAX, pid,
		       (uint64_t)(uint32_t)id);
	if (!e)
		return NULL;
	e->names = calloc(nr + 1, sizeof(*e->names));
	for (size_t i = 0; i < nr && e->names; i++) {
		headway_text_from_json(json_object_array_get_idx(frames, i), name, sizeof(name));
		e->names[i] = strdup(name);
		if (!e->names[i])
			break;
		e->nr++;
	}
	return NULL;
}

static int lock_name(void *ctx, pid_t pid, uint64_t addr, char *name, size_t len)
{
	struct headway_namebook *b = ctx;
	struct name_entry probe = { .key = addr, .pid = pid };
	struct name_entry **found = tfind(&probe, &b->locks, compare);

	if (!found || !(*found)->nr)
		return -ENOENT;
	snprintf(name, len, "%s", (*found)->names[0]);
	return 0;
}

static int stack_names(void *ctx, pid_t pid, int32_t stack_id,
		       char frames[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN])
{
	struct headway_namebook *b = ctx;
	struct name_entry probe = { .key = (uint32_t)stack_id, .pid = pid };
	struct name_entry **found = tfind(&probe, &b->stacks, compare);
	int nr = found ? (*found)->nr : 0;

	for (int i = 0; i < nr; i++)
		snprintf(frames[i], HEADWAY_NAME_LEN, "%s", (*found)->names[i]);
	return nr;
}

struct headway_name_source headway_namebook_source(struct headway_namebook *b)
{
	return (struct headway_name_source){ .lock = lock_name, .stack = stack_names, .ctx = b };
}

void headway_namebook_free(struct headway_namebook *b)
{
	tdestroy(b->locks, entry_free);
	tdestroy(b->stacks, entry_free);
	memset(b, 0, sizeof(*b));
}

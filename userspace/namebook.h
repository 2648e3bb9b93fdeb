/* SPDX-License-Identifier: GPL-2.0 */
/*
 * namebook.h - the names that a recording carries: of locks by address, of stacks by id.
 */
#ifndef HEADWAY_NAMEBOOK_H
#define HEADWAY_NAMEBOOK_H

#include "recording.h"

struct headway_namebook {
	void *locks;			/* trees of tsearch() */
	void *stacks;
	size_t nr_locks;
	size_t nr_stacks;
};

/*
 * The value of a line of type lock_name or stack; a later one replaces an earlier one. NULL, or
 * what was expected.
 */
const char *headway_namebook_lock(struct headway_namebook *b, struct json_object *line);
const char *headway_namebook_stack(struct headway_namebook *b, struct json_object *line);
struct headway_name_source headway_namebook_source(struct headway_namebook *b);
void headway_namebook_free(struct headway_namebook *b);

#endif /* HEADWAY_NAMEBOOK_H */

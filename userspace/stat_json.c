// SPDX-License-Identifier: GPL-2.0
/*
 * stat_json.c - a record of headway.ko's files as JSON, for `headway stat`.
 *
 * Every label is passed on, known or not, with '-' written '_'; so a counter that a newer module
 * adds is there without a change here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stat.h"

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))
/* Far beyond what an arbiter has: a range is not to fill the memory. */
#define MAX_RESOURCE	65535ul

/* Labels whose value is a name even when it looks like a number. */
static bool is_name(const char *label)
{
	static const char *const names[] = {
		"domain", "loop", "arbiter", "policy", "verdict", "name", "lock", "comm", "holder",
		"waiter", "holder_state", "module",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(label, names[i]))
			return true;
	return false;
}

/* "a<-b<-c" */
static struct json_object *to_json_stack(const char *value)
{
	struct json_object *stack = json_object_new_array();

	for (;;) {
		const char *end = strstr(value, "<-");
		size_t length = end ? (size_t)(end - value) : strlen(value);

		json_object_array_add(stack, json_object_new_string_len(value, (int)length));
		if (!end)
			return stack;
		value = end + 2;
	}
}

/* Labels whose value is a set of resources; of an arbiter as a whole, "resources" is a count. */
static bool is_set(const char *type, const char *label)
{
	return !strcmp(label, "wants") || !strcmp(label, "holds") ||
	       (!strcmp(label, "resources") && strcmp(type, "arbiter"));
}

/* "0-2,5"; NULL for what is no set, which then is passed on as it is. */
static struct json_object *to_json_set(const char *value)
{
	struct json_object *set = json_object_new_array();
	const char *c = value;

	if (!strcmp(value, "-"))
		return set;
	for (;;) {
		unsigned long first, last;
		char *end;

		if (*c < '0' || *c > '9')
			break;
		last = first = strtoul(c, &end, 10);
		if (*end == '-' && end[1] >= '0' && end[1] <= '9')
			last = strtoul(end + 1, &end, 10);
		if (first > last || last > MAX_RESOURCE || (*end && *end != ','))
			break;
		for (; first <= last; first++)
			json_object_array_add(set, json_object_new_int((int)first));
		if (!*end)
			return set;
		c = end + 1;
	}
	json_object_put(set);
	return NULL;
}

static struct json_object *to_json_value(const char *type, const struct headway_record *r, size_t i)
{
	const char *label = r->fields[i].label, *value = r->fields[i].value;
	struct json_object *set;
	uint64_t number;
	int64_t negative;
	/* Only this field, so that a label that comes twice does not confuse. */
	struct headway_record one = { .fields = &r->fields[i], .nr = 1 };

	if (is_set(type, label)) {
		set = to_json_set(value);
		return set ? set : json_object_new_string(value);
	}
	if (!strcmp(value, "-"))
		return NULL;
	if (!strcmp(label, "stack"))
		return to_json_stack(value);
	if (is_name(label))
		return json_object_new_string(value);
	if (headway_record_u64(&one, label, &number))
		return json_object_new_uint64(number);
	if (headway_record_s64(&one, label, &negative))
		return json_object_new_int64(negative);
	return json_object_new_string(value);
}

struct json_object *headway_stat_json(const char *type, const char *of, const char *name,
				      const struct headway_record *r)
{
	struct json_object *o = json_object_new_object();
	char key[128];

	json_object_object_add(o, "v", json_object_new_int(1));
	json_object_object_add(o, "type", json_object_new_string(type));
	json_object_object_add(o, of, json_object_new_string(name));
	for (size_t i = 0; i < r->nr; i++) {
		snprintf(key, sizeof(key), "%s", r->fields[i].label);
		for (char *c = key; *c; c++)
			if (*c == '-')
				*c = '_';
		if (strcmp(key, "v") && strcmp(key, "type") && strcmp(key, of))
			json_object_object_add(o, key, to_json_value(type, r, i));
	}
	return o;
}

void headway_stat_print_json(struct json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

/* As many digits as mean something: json-c would print all 17. */
struct json_object *headway_stat_number(double value, int decimals)
{
	char text[64];

	snprintf(text, sizeof(text), "%.*f", decimals, value);
	return json_object_new_double_s(value, text);
}

/* When this was said, so that lines of several reports can be told apart. */
void headway_stat_add_now(struct json_object *o)
{
	struct timespec now;
	double now_s;

	clock_gettime(CLOCK_REALTIME, &now);
	now_s = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	json_object_object_add(o, "time_unix_s", headway_stat_number(now_s, 3));
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * jsonvalue.h - values as our JSON has them: times in seconds, names escaped, counts that fit.
 *
 * json-c reports a failed allocation by NULL, and takes NULL as null: who prints looks once.
 */
#ifndef HEADWAY_JSONVALUE_H
#define HEADWAY_JSONVALUE_H

#include <json-c/json.h>
#include <stdint.h>
#include <stdio.h>

#include "escape.h"

static inline void json_add(struct json_object *o, const char *key, struct json_object *value)
{
	json_object_object_add(o, key, value);
}

/* Text that is printable already. */
static inline struct json_object *json_text(const char *s)
{
	return json_object_new_string(s);
}

static inline struct json_object *json_escaped(const char *s, size_t len)
{
	char text[2048];

	return json_text(headway_escape(s, len, text, sizeof(text)));
}

static inline struct json_object *json_count(uint64_t n)
{
	return json_object_new_int64(n > INT64_MAX ? INT64_MAX : (int64_t)n);
}

static inline struct json_object *json_decimal(double value, int decimals)
{
	char text[32];

	snprintf(text, sizeof(text), "%.*f", decimals, value);
	return json_object_new_double_s(value, text);
}

static inline struct json_object *json_seconds(uint64_t ns)
{
	return json_decimal((double)ns / 1e9, 3);
}

#endif /* HEADWAY_JSONVALUE_H */

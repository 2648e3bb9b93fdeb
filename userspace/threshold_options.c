// SPDX-License-Identifier: GPL-2.0
/*
 * threshold_options.c - --threshold NAME=VALUE.
 */
#include "threshold_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_THRESHOLD = 0x300 };

static const struct argp_option options[] = {
	{ "threshold", OPT_THRESHOLD, "NAME=VALUE", 0,
	  "judge by another threshold (headway(8) lists them; several times), or `default`: by "
	  "this version's own", 0 },
	{ 0 },
};

static void list_names(char *text, size_t len)
{
	size_t used = 0;

	for (size_t i = 0; i < headway_nr_thresholds && used < len; i++)
		used += (size_t)snprintf(text + used, len - used, " %s",
					 headway_threshold_table[i].name);
}

static void take(struct argp_state *state, struct headway_threshold_options *o, const char *arg)
{
	size_t len = strcspn(arg, "=");
	const char *number = arg[len] ? arg + len + 1 : "";
	char names[1024], *end;
	double value;

	if (!strcmp(arg, "default")) {
		o->defaults = true;
		return;
	}
	for (size_t i = 0; i < headway_nr_thresholds; i++) {
		const struct headway_threshold *which = &headway_threshold_table[i];

		if (strlen(which->name) != len || strncmp(which->name, arg, len))
			continue;
		value = strtod(number, &end);
		if (end == number || *end || headway_threshold_set(&o->values, which, value))
			argp_error(state, "threshold %s is %s from %g to %g, not '%s'",
				   which->name, which->whole ? "a whole number" : "a number",
				   which->min, which->max, number);
		o->given |= 1u << i;
		return;
	}
	list_names(names, sizeof(names));
	argp_error(state, "no threshold '%.*s'; there are:%s", (int)len, arg, names);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	if (key != OPT_THRESHOLD)
		return ARGP_ERR_UNKNOWN;
	take(state, state->input, arg);
	return 0;
}

void headway_thresholds_override(struct headway_thresholds *t,
				 const struct headway_threshold_options *o)
{
	if (o->defaults)
		*t = headway_thresholds_default;
	for (size_t i = 0; i < headway_nr_thresholds; i++) {
		const struct headway_threshold *which = &headway_threshold_table[i];

		if (o->given & 1u << i)
			headway_threshold_set(t, which, headway_threshold_get(&o->values, which));
	}
}

const struct argp headway_threshold_argp = { .options = options, .parser = parse };

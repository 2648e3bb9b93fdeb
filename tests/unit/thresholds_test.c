// SPDX-License-Identifier: GPL-2.0
// links: userspace/thresholds.c userspace/threshold_options.c
/*
 * thresholds_test.c - every threshold has a name, a range and a line in the man page.
 */
#include "ktap.h"

#include <errno.h>
#include <math.h>

#include "threshold_options.h"

/* In the order of the structure, with no more between two than alignment asks for. */
KTAP_TEST(the_table_has_all)
{
	size_t end = 0;

	for (size_t i = 0; i < headway_nr_thresholds; i++) {
		const struct headway_threshold *which = &headway_threshold_table[i];

		EXPECT_EQ(which->offset, (end + which->size - 1) / which->size * which->size);
		end = which->offset + which->size;
	}
	EXPECT_EQ(end, sizeof(struct headway_thresholds));
}

KTAP_TEST(defaults_are_in_their_ranges_and_come_back)
{
	struct headway_thresholds t;

	memset(&t, 0, sizeof(t));
	for (size_t i = 0; i < headway_nr_thresholds; i++) {
		const struct headway_threshold *which = &headway_threshold_table[i];
		double value = headway_threshold_get(&headway_thresholds_default, which);

		EXPECT_EQ(headway_threshold_set(&t, which, which->max), 0);
		EXPECT_EQ(headway_threshold_set(&t, which, value), 0);
		EXPECT_EQ(headway_threshold_set(&t, which, which->max * 1.1 + 1), -ERANGE);
		EXPECT_EQ(headway_threshold_set(&t, which, which->min - 0.5), -ERANGE);
		EXPECT_EQ(headway_threshold_set(&t, which, NAN), -ERANGE);
		if (which->whole)
			EXPECT_EQ(headway_threshold_set(&t, which, 7.5), -ERANGE);
	}
	for (size_t i = 0; i < headway_nr_thresholds; i++)
		EXPECT_EQ(headway_threshold_get(&t, &headway_threshold_table[i]),
			  headway_threshold_get(&headway_thresholds_default,
						&headway_threshold_table[i]));
}

/* "name (4)" in the man page: it exists, and its default is that one. */
KTAP_TEST(the_man_page_has_all)
{
	static char page[65536];
	FILE *f = fopen("userspace/headway.8", "r");
	char line[128];

	ASSERT(f);
	page[fread(page, 1, sizeof(page) - 1, f)] = '\0';
	fclose(f);
	for (size_t i = 0; i < headway_nr_thresholds; i++) {
		const struct headway_threshold *which = &headway_threshold_table[i];

		snprintf(line, sizeof(line), "\n.BR %s \" (%.12g)", which->name,
			 headway_threshold_get(&headway_thresholds_default, which));
		if (!strstr(page, line))
			KTAP_FAIL("headway.8 has no '%s", line + 1);
	}
}

KTAP_TEST(options_override)
{
	struct headway_threshold_options o = { .given = 1 };
	struct headway_thresholds t = headway_thresholds_default;

	o.values.retries_per_s = 9;
	t.abort_ratio = 0.5;
	headway_thresholds_override(&t, &o);
	EXPECT_EQ(t.retries_per_s, 9.0);
	EXPECT_EQ(t.abort_ratio, 0.5);
	o.defaults = true;
	headway_thresholds_override(&t, &o);
	EXPECT_EQ(t.retries_per_s, 9.0);
	EXPECT_EQ(t.abort_ratio, headway_thresholds_default.abort_ratio);
}

KTAP_MAIN("thresholds")

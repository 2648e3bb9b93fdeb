// SPDX-License-Identifier: GPL-2.0
/*
 * stat_locks.c - the part of `headway stat` about the locks of a domain; with -i, what they counted
 * since the report before.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "stat.h"

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

/* What rates are taken of, in this order. */
enum { ACQUISITIONS, CONTENTIONS, ROLLBACKS, WAITS, WAIT_NS };

static const struct headway_column count_columns[] = {
	{ "LOCK", NULL, true }, { "ACQUISITIONS", NULL, false }, { "CONTENTIONS", NULL, false },
	{ "ROLLBACKS", NULL, false }, { "WAIT AVG", "us", false }, { "WAIT MAX", "us", false },
	{ "HOLD AVG", "us", false }, { "WAITERS", NULL, false }, { "HOLDER", NULL, true },
};

static const struct headway_column rate_columns[ARRAY_LEN(count_columns)] = {
	{ "LOCK", NULL, true }, { "ACQUISITIONS", "/s", false }, { "CONTENTIONS", "/s", false },
	{ "ROLLBACKS", "/s", false }, { "WAIT AVG", "us", false }, { "WAIT MAX", "us", false },
	{ "HOLD AVG", "us", false }, { "WAITERS", NULL, false }, { "HOLDER", NULL, true },
};

/* In the order in which they are to be taken; the module lists them by age. */
static int compare_locks(const void *a, const void *b)
{
	static const char *const labels[] = { "rank", "key" };

	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		uint64_t x = stat_u64(a, labels[i]), y = stat_u64(b, labels[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return strcmp(stat_str(a, "name"), stat_str(b, "name"));
}

/* Locks that cannot be told apart have no rates. */
static bool is_unique(const struct headway_text *text, size_t i)
{
	const struct headway_record *r = &text->records[i];

	return !(i && !compare_locks(r, r - 1)) &&
	       !(i + 1 < text->nr_records && !compare_locks(r, r + 1));
}

static struct headway_stat_rates rates_of(struct headway_stat_samples *since,
					  const struct headway_text *text, size_t i)
{
	const struct headway_record *r = &text->records[i];
	const uint64_t counts[HEADWAY_STAT_COUNTS] = {
		[ACQUISITIONS] = stat_u64(r, "acquisitions"),
		[CONTENTIONS] = stat_u64(r, "contentions"),
		[ROLLBACKS] = stat_u64(r, "rollbacks"),
		[WAITS] = stat_u64(r, "waittime-count"),
		[WAIT_NS] = stat_u64(r, "waittime-total_ns"),
	};
	struct timespec now;
	char name[256];

	if (!is_unique(text, i))
		return (struct headway_stat_rates){ 0 };
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(name, sizeof(name), "%.20s %.20s %.200s", stat_str(r, "rank"), stat_str(r, "key"),
		 stat_str(r, "name"));
	return headway_stat_rate(since, name, (uint64_t)now.tv_sec * 1000000000ull +
				 (uint64_t)now.tv_nsec, counts);
}

/* --- text ------------------------------------------------------------------------------------- */

static void add_counts(struct headway_table *t, const struct headway_record *r)
{
	stat_add(t, "%s", stat_str(r, "acquisitions"));
	stat_add(t, "%s", stat_str(r, "contentions"));
	stat_add(t, "%s", stat_str(r, "rollbacks"));
	stat_add_time(t, r, "waittime-count", "waittime-avg_ns", 1e3);
}

/* The mean wait as well is of the interval. */
static void add_rates(struct headway_table *t, const struct headway_stat_rates *rates)
{
	for (int i = ACQUISITIONS; i <= ROLLBACKS; i++)
		if (rates->known)
			stat_add(t, "%.1f", rates->per_s[i]);
		else
			stat_add(t, "-");
	if (rates->known && rates->grown[WAITS])
		stat_add(t, "%.1f", (double)rates->grown[WAIT_NS] / (double)rates->grown[WAITS] /
			 1e3);
	else
		stat_add(t, "-");
}

static void add_lock(struct headway_table *t, const struct headway_record *r,
		     const struct headway_stat_rates *rates)
{
	const char *holder = stat_str(r, "holder");

	stat_add(t, "%s", stat_str(r, "name"));
	if (rates)
		add_rates(t, rates);
	else
		add_counts(t, r);
	stat_add_time(t, r, "waittime-count", "waittime-max_ns", 1e3);
	stat_add_time(t, r, "holdtime-samples", "holdtime-avg_ns", 1e3);
	stat_add(t, "%s", stat_str(r, "waiters"));
	if (!strcmp(holder, "-"))
		headway_table_add(t, HEADWAY_TINT_DIM, "-");
	else
		stat_add(t, "%s (%s)", holder, stat_str(r, "holder_pid"));
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void print_json(const char *domain, const struct headway_record *r,
		       const struct headway_stat_rates *rates)
{
	static const char *const labels[] = {
		[ACQUISITIONS] = "acquisitions_per_s", [CONTENTIONS] = "contentions_per_s",
		[ROLLBACKS] = "rollbacks_per_s", [WAITS] = "waits_per_s",
	};
	struct json_object *o = headway_stat_json("lock", "domain", domain, r);

	for (size_t i = 0; rates && i < ARRAY_LEN(labels); i++)
		json_object_object_add(o, labels[i], rates->known ?
				       headway_stat_number(rates->per_s[i], 1) : NULL);
	if (rates)
		json_object_object_add(o, "rates_over_s", rates->known ?
				       headway_stat_number(rates->over_s, 3) : NULL);
	headway_stat_print_json(o);
}

int headway_stat_locks(struct headway_kernelfs *k, const char *domain,
		       struct headway_stat_samples *since, bool json, bool color, size_t *garbled)
{
	struct headway_stat_rates rates;
	struct headway_table table;
	struct headway_text text;
	int err = headway_kernelfs_read(k, domain, "locks", &text);

	if (err)
		return err;
	*garbled += text.garbled;
	if (text.nr_records)
		qsort(text.records, text.nr_records, sizeof(*text.records), compare_locks);
	headway_table_init(&table, since ? rate_columns : count_columns, ARRAY_LEN(count_columns));
	for (size_t i = 0; i < text.nr_records; i++) {
		if (since)
			rates = rates_of(since, &text, i);
		if (json)
			print_json(domain, &text.records[i], since ? &rates : NULL);
		else
			add_lock(&table, &text.records[i], since ? &rates : NULL);
	}
	if (!json)
		putchar('\n');
	if (!json && text.nr_records)
		headway_table_print(&table, stdout, color);
	else if (!json)
		puts("No lock of this domain has been used yet.");
	headway_text_free(&text);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stat.h - what cmd_stat.c shares with stat_live.c, the part about live transactions, stat_locks.c,
 * stat_histograms.c, stat_loops.c, stat_arbiters.c and stat_json.c.
 */
#ifndef HEADWAY_STAT_H
#define HEADWAY_STAT_H

#include <json-c/json.h>

#include "kernelfs.h"
#include "stat_rates.h"
#include "table.h"

#define HEADWAY_TXN_COLUMNS 10

extern const struct headway_column headway_txn_columns[HEADWAY_TXN_COLUMNS];

static inline uint64_t stat_u64(const struct headway_record *r, const char *label)
{
	uint64_t value;

	headway_record_u64(r, label, &value);
	return value;
}

/* "?" for what the module did not say: not 0, which would be a claim. */
static inline const char *stat_str(const struct headway_record *r, const char *label)
{
	const char *value = headway_record_get(r, label);

	return value ? value : "?";
}

#define stat_add(t, ...) headway_table_add(t, HEADWAY_TINT_NONE, __VA_ARGS__)

/* A time in UNIT_NS, or - where COUNT says that nothing was measured. */
static inline void stat_add_time(struct headway_table *t, const struct headway_record *r,
				 const char *count, const char *label, double unit_ns)
{
	uint64_t ns, n;

	/* Nothing was measured: no average to show. */
	if (!headway_record_u64(r, label, &ns) || (count && headway_record_u64(r, count, &n) && !n))
		stat_add(t, "-");
	else
		stat_add(t, "%.1f", (double)ns / unit_ns);
}

/* stat_json.c: a record; OF: "domain", "loop" or "arbiter", whose NAME it is. */
struct json_object *headway_stat_json(const char *type, const char *of, const char *name,
				      const struct headway_record *r);
struct json_object *headway_stat_number(double value, int decimals);
void headway_stat_add_now(struct json_object *o);
/* Frees it. */
void headway_stat_print_json(struct json_object *o);
/* For how long the verdict has held; negative when the module does not say. */
double headway_stat_age_s(const struct headway_record *r);
enum headway_tint headway_stat_tint(const char *verdict);

/*
 * The locks of a domain; since: NULL, or what they counted at the report before, of which there are
 * to be rates. Return: as below.
 */
int headway_stat_locks(struct headway_kernelfs *k, const char *domain,
		       struct headway_stat_samples *since, bool json, bool color, size_t *garbled);

/* How long waits and holds of its locks took. Return: as below. */
int headway_stat_histograms(struct headway_kernelfs *k, const char *domain, bool json, bool color,
			    size_t *garbled);

/* All watched loops. Return: 0, or an error with a sentence in K. */
int headway_stat_loops(struct headway_kernelfs *k, bool json, bool color, size_t *garbled);

/* All arbiters; all there is of one; its wait-for graph as a digraph. Return: as above. */
int headway_stat_arbiters(struct headway_kernelfs *k, bool json, bool dot, bool color,
			  size_t *garbled);
int headway_stat_arbiter(struct headway_kernelfs *k, const char *arbiter, bool json, bool color,
			 size_t *garbled);
int headway_stat_arbiter_dot(struct headway_kernelfs *k, const char *arbiter, size_t *garbled);

void headway_stat_add_txn(struct headway_table *t, const struct headway_record *r);
void headway_stat_print_edge(const struct headway_record *r, bool first);
/* Where a transaction waits, one function a line; nothing for one that runs. */
void headway_stat_print_stack(const struct headway_record *r);
/* The domain's wait-for graph, as the module writes it. Return: 0, or an error, said in K. */
int headway_stat_print_dot(struct headway_kernelfs *k, const char *domain);

#endif /* HEADWAY_STAT_H */

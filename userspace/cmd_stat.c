// SPDX-License-Identifier: GPL-2.0
/*
 * cmd_stat.c - `headway stat`: domains, transactions and wait-for edges of headway.ko; its locks,
 * loops and arbiters have files of their own.
 *
 * Computes nothing but rates between two of its own samples (-i); everything else is the module's.
 */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"
#include "finding.h"
#include "stat.h"

#define NS_PER_S	1000000000ull
#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

struct options {
	const char *domain;		/* NULL = all, without their locks */
	const char *arbiter;		/* only this one, with its requests */
	bool json;
	bool stacks;
	bool histograms;
	bool dot;
	double interval_s;		/* 0 = one report */
	unsigned long count;		/* reports; 0 = until interrupted */
};

struct rates {
	bool known;
	bool window;			/* the module's last full window; else our own interval */
	double over_s;
	double commits_per_s;
	double rollbacks_per_s;
};

struct stat {
	struct options opts;
	struct headway_kernelfs kfs;
	struct headway_stat_samples domains;
	struct headway_stat_samples locks;
	size_t garbled;
	bool color;
	bool failed;
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* Returns 1, for callers that stop at an error. */
static int complain(struct stat *st)
{
	fprintf(stderr, "headway stat: %s\n", st->kfs.error);
	st->failed = true;
	return 1;
}

/* --- rates ------------------------------------------------------------------------------------ */

/* Of a domain, since the report before; at the first, those of the module's window. */
static struct rates rates_of(struct stat *st, const char *domain, const struct headway_record *r)
{
	const uint64_t counts[HEADWAY_STAT_COUNTS] = {
		stat_u64(r, "commits"), stat_u64(r, "rollbacks"),
	};
	struct headway_stat_rates own = headway_stat_rate(&st->domains, domain,
							  clock_ns(CLOCK_MONOTONIC), counts);
	struct rates rates = { 0 };
	uint64_t commits_per_s;

	if (own.known) {
		rates.over_s = own.over_s;
		rates.commits_per_s = own.per_s[0];
		rates.rollbacks_per_s = own.per_s[1];
		rates.known = true;
	} else if (headway_record_u64(r, "commits_per_s", &commits_per_s)) {
		rates.over_s = (double)stat_u64(r, "window_ns") / NS_PER_S;
		rates.commits_per_s = (double)commits_per_s;
		rates.rollbacks_per_s = (double)stat_u64(r, "rollbacks_per_s");
		/* The first window is not over yet. */
		rates.known = rates.over_s > 0;
		rates.window = true;
	}
	return rates;
}

/* --- JSON ------------------------------------------------------------------------------------- */

/* How long the verdict has stood, s; < 0 when the module does not say. */
double headway_stat_age_s(const struct headway_record *r)
{
	uint64_t since, now = clock_ns(CLOCK_BOOTTIME);

	if (!headway_record_u64(r, "verdict_since_ns", &since) || !since || since > now)
		return -1;
	return (double)(now - since) / NS_PER_S;
}

static void domain_json(const char *domain, const struct headway_record *r,
			const struct rates *rates)
{
	double age_s = headway_stat_age_s(r);
	struct json_object *o = headway_stat_json("domain", "domain", domain, r);
	bool known = rates->known;

	json_object_object_add(o, "verdict_age_s",
			       age_s < 0 ? NULL : headway_stat_number(age_s, 1));
	json_object_object_add(o, "rates_over_s",
			       known ? headway_stat_number(rates->over_s, 3) : NULL);
	json_object_object_add(o, "commits_per_s",
			       known ? headway_stat_number(rates->commits_per_s, 1) : NULL);
	json_object_object_add(o, "rollbacks_per_s",
			       known ? headway_stat_number(rates->rollbacks_per_s, 1) : NULL);
	headway_stat_add_now(o);
	headway_stat_print_json(o);
}

/* --- text ------------------------------------------------------------------------------------- */

static const struct headway_column domain_columns[] = {
	{ "DOMAIN", NULL, true }, { "POLICY", NULL, true }, { "VERDICT", NULL, true },
	{ "FOR", "s", false }, { "IN FLIGHT", NULL, false }, { "ATTEMPTS", NULL, false },
	{ "COMMITS", NULL, false },
	{ "ROLLBACKS", NULL, false }, { "COMMITS/s", NULL, false },
	{ "ROLLBACKS/s", NULL, false },
};

enum headway_tint headway_stat_tint(const char *name)
{
	enum headway_verdict verdict;

	if (headway_verdict_parse(name, &verdict))
		return HEADWAY_TINT_NONE;
	if (headway_verdict_is_finding(verdict))
		return HEADWAY_TINT_BAD;
	return verdict == HEADWAY_HEALTHY ? HEADWAY_TINT_GOOD :
	       verdict == HEADWAY_CONTENDED ? HEADWAY_TINT_WARN : HEADWAY_TINT_DIM;
}

static void add_domain(struct headway_table *t, const char *domain, const struct headway_record *r,
		       const struct rates *rates)
{
	const char *verdict = stat_str(r, "verdict");
	double age_s = headway_stat_age_s(r);

	stat_add(t, "%s", domain);
	stat_add(t, "%s", stat_str(r, "policy"));
	headway_table_add(t, headway_stat_tint(verdict), "%s", verdict);
	if (age_s < 0)
		stat_add(t, "-");
	else
		stat_add(t, "%.0f", age_s);
	stat_add(t, "%s", stat_str(r, "in_flight"));
	stat_add(t, "%s", stat_str(r, "attempts"));
	stat_add(t, "%s", stat_str(r, "commits"));
	stat_add(t, "%s", stat_str(r, "rollbacks"));
	if (rates->known) {
		stat_add(t, "%.1f", rates->commits_per_s);
		stat_add(t, "%.1f", rates->rollbacks_per_s);
	} else {
		stat_add(t, "-");
		stat_add(t, "-");
	}
}

static void print_rates_note(const struct rates *rates, bool color)
{
	fputs(headway_tint_on(HEADWAY_TINT_DIM, color), stdout);
	if (rates->known)
		printf("Rates are over the last %s%.1f s.", rates->window ? "full window of " : "",
		       rates->over_s);
	else
		printf("Rates come when the first window is over.");
	printf("%s\n", headway_tint_off(HEADWAY_TINT_DIM, color));
}

/* --- one report ------------------------------------------------------------------------------- */

typedef void (*row_fn)(struct headway_table *t, const struct headway_record *r);

/* FILE of the domain, each record as JSON of TYPE or as a row of a table; 1 on error. */
static int report_file(struct stat *st, const char *file, const char *type,
		       const struct headway_column *columns, size_t nr_columns, row_fn row,
		       const char *none)
{
	struct headway_table table;
	struct headway_text text;

	if (headway_kernelfs_read(&st->kfs, st->opts.domain, file, &text))
		return complain(st);
	st->garbled += text.garbled;
	if (!st->opts.json && columns)
		headway_table_init(&table, columns, nr_columns);
	for (size_t i = 0; i < text.nr_records; i++) {
		const struct headway_record *r = &text.records[i];

		if (st->opts.json)
			headway_stat_print_json(headway_stat_json(type, "domain",
								  st->opts.domain, r));
		else if (row)
			row(&table, r);
		else
			headway_stat_print_edge(r, !i);
	}
	if (!st->opts.json && columns) {
		putchar('\n');
		if (!text.nr_records)
			puts(none);
		else
			headway_table_print(&table, stdout, st->color);
	}
	if (st->opts.stacks && row == headway_stat_add_txn)
		for (size_t i = 0; i < text.nr_records; i++)
			headway_stat_print_stack(&text.records[i]);
	headway_text_free(&text);
	return 0;
}

static int report_domain(struct stat *st, const char *domain, struct headway_table *table,
			 struct rates *rates)
{
	struct headway_record summary;
	struct headway_text text;

	if (st->opts.dot)
		return headway_stat_print_dot(&st->kfs, domain) ? complain(st) : 0;
	if (headway_kernelfs_read(&st->kfs, domain, "summary", &text))
		return complain(st);
	st->garbled += text.garbled;
	summary = headway_text_all(&text);
	*rates = rates_of(st, domain, &summary);
	if (st->opts.json)
		domain_json(domain, &summary, rates);
	else
		add_domain(table, domain, &summary, rates);
	headway_text_free(&text);
	return 0;
}

static int report_details(struct stat *st)
{
	if (headway_stat_locks(&st->kfs, st->opts.domain, st->opts.interval_s != 0 ? &st->locks :
			       NULL, st->opts.json, st->color, &st->garbled))
		return complain(st);
	if (st->opts.histograms &&
	    headway_stat_histograms(&st->kfs, st->opts.domain, st->opts.json, st->color,
				    &st->garbled))
		return complain(st);
	return report_file(st, "transactions", "transaction", headway_txn_columns,
			   HEADWAY_TXN_COLUMNS, headway_stat_add_txn,
			   "No live transaction has met a conflict.") ||
	       report_file(st, "graph", "edge", NULL, 0, NULL, NULL);
}

static int report_arbiter(struct stat *st, const char *arbiter)
{
	int err = headway_kernelfs_check_arbiter(&st->kfs, arbiter);

	if (!err && st->opts.dot)
		err = headway_stat_arbiter_dot(&st->kfs, arbiter, &st->garbled);
	else if (!err)
		err = headway_stat_arbiter(&st->kfs, arbiter, st->opts.json, st->color,
					   &st->garbled);
	return err ? complain(st) : 0;
}

/* Beside all domains. */
static int report_others(struct stat *st)
{
	struct options *opts = &st->opts;
	int err = 0;

	if (!opts->dot)
		err = headway_stat_loops(&st->kfs, opts->json, st->color, &st->garbled);
	if (!err)
		err = headway_stat_arbiters(&st->kfs, opts->json, opts->dot, st->color,
					    &st->garbled);
	return err ? complain(st) : 0;
}

static int report(struct stat *st)
{
	struct headway_table table;
	struct rates rates = { 0 };
	char *one[] = { (char *)st->opts.domain, NULL }, **names = one;
	size_t nr = 1;
	int err;

	if (st->opts.arbiter)
		return report_arbiter(st, st->opts.arbiter);
	if (st->opts.domain)
		err = headway_kernelfs_check_domain(&st->kfs, st->opts.domain);
	else
		err = headway_kernelfs_domains(&st->kfs, &names, &nr);
	if (err)
		return complain(st);
	headway_table_init(&table, domain_columns, ARRAY_LEN(domain_columns));
	for (size_t i = 0; i < nr && !err; i++)
		err = report_domain(st, names[i], &table, &rates);
	if (!st->opts.json && !st->opts.dot && nr) {
		headway_table_print(&table, stdout, st->color);
		print_rates_note(&rates, st->color);
	} else if (!st->opts.json && !st->opts.dot) {
		puts("The module is loaded; no domain is registered.");
	}
	if (names != one)
		headway_kernelfs_free_names(names);
	if (err || (st->opts.dot && st->opts.domain))
		return err;
	return st->opts.domain ? report_details(st) : report_others(st);
}

/* --- command line ----------------------------------------------------------------------------- */

static const struct argp_option argp_options[] = {
	{ "json", 'j', NULL, 0, "One JSON object a line (see headway.schema.json)", 0 },
	{ "interval", 'i', "SECONDS", 0, "Report again every SECONDS, with rates over them", 0 },
	{ "stacks", 's', NULL, 0, "With DOMAIN: also where each transaction waits", 0 },
	{ "histograms", 'H', NULL, 0,
	  "With DOMAIN: also how long waits for its locks, and holds, took", 0 },
	{ "dot", 'd', NULL, 0,
	  "Only the wait-for graphs, in DOT: a digraph for each domain and arbiter", 0 },
	{ "arbiter", 'a', "NAME", 0,
	  "Only this arbiter, with its requests and who waits for whom", 0 },
	{ "count", 'n', "COUNT", 0, "With -i: stop after COUNT reports", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *opts = state->input;
	char *end;

	switch (key) {
	case 'j':
		opts->json = true;
		return 0;
	case 's':
		opts->stacks = true;
		return 0;
	case 'H':
		opts->histograms = true;
		return 0;
	case 'd':
		opts->dot = true;
		return 0;
	case 'a':
		opts->arbiter = arg;
		return 0;
	case 'i':
		opts->interval_s = strtod(arg, &end);
		if (end == arg || *end || !(opts->interval_s >= 0.01 && opts->interval_s <= 86400))
			argp_error(state, "'%s' is not an interval: 0.01 to 86400 seconds", arg);
		return 0;
	case 'n':
		errno = 0;
		opts->count = strtoul(arg, &end, 10);
		if (end == arg || *end || *arg == '-' || errno || !opts->count)
			argp_error(state, "'%s' is not a count: a number from 1", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (opts->domain)
			argp_error(state, "one DOMAIN at most; '%s' is too much", arg);
		opts->domain = arg;
		return 0;
	case ARGP_KEY_END:
		if (opts->count && opts->interval_s == 0)
			argp_error(state, "-n needs -i");
		if (opts->stacks && !opts->domain)
			argp_error(state, "--stacks needs a DOMAIN");
		if (opts->histograms && !opts->domain)
			argp_error(state, "--histograms needs a DOMAIN");
		if (opts->arbiter && opts->domain)
			argp_error(state, "--arbiter goes with no DOMAIN");
		if (opts->dot && (opts->json || opts->stacks || opts->histograms ||
				  opts->interval_s != 0))
			argp_error(state, "--dot goes with no other option but --arbiter");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	argp_options, parse_option, "[DOMAIN]",
	"Shows the domains of headway.ko, its watched loops and its arbiters; with DOMAIN also its locks, "
	"its transactions that met a conflict, and who waits for whom.\vExit status: 0 done, 1 failed, 2 usage.",
	NULL, NULL, NULL
};

static void sleep_interval(double seconds)
{
	struct timespec ts = { .tv_sec = (time_t)seconds };

	ts.tv_nsec = (long)((seconds - (double)ts.tv_sec) * 1e9);
	/* Interrupted by our own handler: the loop's end sees `stopped`. */
	nanosleep(&ts, NULL);
}

static void report_all(struct stat *st)
{
	unsigned long done = 0;

	for (;;) {
		if (report(st))
			return;
		if (fflush(stdout) || ferror(stdout)) {
			fprintf(stderr, "headway stat: cannot write: %s\n", strerror(errno));
			st->failed = true;
			return;
		}
		if (st->opts.interval_s == 0 || ++done == st->opts.count || stopped)
			return;
		sleep_interval(st->opts.interval_s);
		if (stopped)
			return;
		if (!st->opts.json)
			putchar('\n');
	}
}

int headway_cmd_stat(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = on_signal };	/* no SA_RESTART: ends the sleep */
	static char name[] = "headway stat";
	struct stat st = { 0 };

	argv[0] = name;
	argp_err_exit_status = HEADWAY_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &st.opts);
	st.color = headway_table_color(stdout);
	if (headway_kernelfs_open(&st.kfs, NULL)) {
		complain(&st);
		return HEADWAY_EXIT_FAILED;
	}
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	report_all(&st);
	if (st.garbled)
		fprintf(stderr, "headway stat: left out what cannot be read in the module's files, "
			"%zu times; are the module and this program of one version?\n",
			st.garbled);
	headway_stat_samples_free(&st.domains);
	headway_stat_samples_free(&st.locks);
	headway_kernelfs_close(&st.kfs);
	return st.failed ? HEADWAY_EXIT_FAILED : HEADWAY_EXIT_DONE;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * metrics_kernel.c - headway.ko's domains and watched loops as metrics, read from debugfs for each
 * page.
 *
 * Invariants: at most max_series domains and loops, and as many locks, have samples; a lock that
 * has keeps them, and what all locks of a domain waited is there in any case.
 */
#include "metrics.h"

#include <stdlib.h>
#include <string.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

enum { LOCKS_WORTH_READING = 4096 };	/* of a domain: 1 MB or so */

/* A domain or a loop, for one page. */
struct source {
	char *name;
	bool is_loop;
	struct headway_text summary;
	struct headway_record all;
	struct headway_log2 waits;	/* of all its locks */
	bool unread;			/* it has more locks than are worth reading */
};

/* Names of locks need not be unique: those of one name are one. */
struct lock {
	char *domain;
	char *name;
	struct headway_log2 waits;
};

struct headway_metrics_kernel {
	struct headway_kernelfs kfs;
	const char *root;
	const char *const *names;	/* those to look at; nr 0: all */
	size_t nr_names;
	size_t max_series;
	size_t nr_locks;
	struct lock *locks;
	size_t nr_sources;
	struct source *sources;
	size_t left_out;		/* sources without samples, in this page */
	uint64_t folded;		/* times that a lock had none */
	uint64_t unreadable;		/* files, so far */
};

struct headway_metrics_kernel *headway_metrics_kernel_new(const char *const *names, size_t nr,
							  size_t max_series, const char *root)
{
	struct headway_metrics_kernel *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	*k = (struct headway_metrics_kernel){
		.kfs.dir = -1, .root = root, .names = names, .nr_names = nr,
		.max_series = max_series,
		.locks = calloc(max_series, sizeof(*k->locks)),
		.sources = calloc(max_series, sizeof(*k->sources)),
	};
	if (k->locks && k->sources)
		return k;
	headway_metrics_kernel_free(k);
	return NULL;
}

static void forget_sources(struct headway_metrics_kernel *k)
{
	for (size_t i = 0; i < k->nr_sources; i++) {
		headway_text_free(&k->sources[i].summary);
		free(k->sources[i].name);
	}
	k->nr_sources = 0;
	k->left_out = 0;
}

void headway_metrics_kernel_free(struct headway_metrics_kernel *k)
{
	if (!k)
		return;
	forget_sources(k);
	for (size_t i = 0; i < k->nr_locks; i++) {
		free(k->locks[i].domain);
		free(k->locks[i].name);
	}
	free(k->sources);
	free(k->locks);
	headway_kernelfs_close(&k->kfs);
	free(k);
}

/* --- reading ---------------------------------------------------------------------------------- */

static const char *word(const struct headway_record *r, const char *label)
{
	const char *value = headway_record_get(r, label);

	return value ? value : "-";
}

/* NULL: there is no room for it. */
static struct lock *find_lock(struct headway_metrics_kernel *k, const char *domain,
			      const char *name)
{
	struct lock *l;

	for (size_t i = 0; i < k->nr_locks; i++)
		if (!strcmp(k->locks[i].name, name) && !strcmp(k->locks[i].domain, domain))
			return &k->locks[i];
	if (k->nr_locks == k->max_series) {
		k->folded++;
		return NULL;
	}
	l = &k->locks[k->nr_locks];
	*l = (struct lock){ .domain = strdup(domain), .name = strdup(name) };
	if (l->domain && l->name) {
		k->nr_locks++;
		return l;
	}
	free(l->domain);
	free(l->name);
	return NULL;
}

static void add_waits(struct headway_metrics_kernel *k, struct source *s,
		      const struct headway_text *histograms)
{
	for (size_t i = 0; i < histograms->nr_records; i++) {
		const struct headway_record *r = &histograms->records[i];
		struct lock *l;

		if (strcmp(word(r, "kind"), "wait"))
			continue;
		headway_histogram_add(s->waits.buckets, r);
		l = find_lock(k, s->name, word(r, "lock"));
		if (l)
			headway_histogram_add(l->waits.buckets, r);
	}
}

/* How long they waited in all is in another file. */
static void add_sums(struct headway_metrics_kernel *k, struct source *s,
		     const struct headway_text *locks)
{
	for (size_t i = 0; i < locks->nr_records; i++) {
		const struct headway_record *r = &locks->records[i];
		struct lock *l;
		uint64_t ns;

		if (!headway_record_u64(r, "waittime-total_ns", &ns) || !ns)
			continue;
		s->waits.sum_ns += ns;
		l = find_lock(k, s->name, word(r, "name"));
		if (l)
			l->waits.sum_ns += ns;
	}
}

static void read_about(struct headway_metrics_kernel *k, struct source *s, const char *file,
		       void (*add)(struct headway_metrics_kernel *k, struct source *s,
				   const struct headway_text *text))
{
	struct headway_text text;

	if (headway_kernelfs_read(&k->kfs, s->name, file, &text)) {
		k->unreadable++;
		return;
	}
	add(k, s, &text);
	headway_text_free(&text);
}

static bool is_wanted(const struct headway_metrics_kernel *k, const char *name)
{
	for (size_t i = 0; i < k->nr_names; i++)
		if (!strcmp(k->names[i], name))
			return true;
	return !k->nr_names;
}

static void add_source(struct headway_metrics_kernel *k, const char *name, bool is_loop)
{
	struct source s = { .name = strdup(name), .is_loop = is_loop };
	uint64_t locks;
	int err;

	if (!s.name || k->nr_sources == k->max_series) {
		k->left_out++;
		free(s.name);
		return;
	}
	err = is_loop ? headway_kernelfs_read_loop(&k->kfs, name, "summary", &s.summary) :
			headway_kernelfs_read(&k->kfs, name, "summary", &s.summary);
	if (err) {
		k->unreadable++;
		free(s.name);
		return;
	}
	s.all = headway_text_all(&s.summary);
	s.unread = headway_record_u64(&s.all, "locks", &locks) && locks > LOCKS_WORTH_READING;
	if (!is_loop && !s.unread) {
		read_about(k, &s, "histograms", add_waits);
		read_about(k, &s, "locks", add_sums);
	}
	k->sources[k->nr_sources++] = s;
}

static void add_listed(struct headway_metrics_kernel *k, bool loops)
{
	char **names;
	size_t nr;

	if (loops ? headway_kernelfs_loops(&k->kfs, &names, &nr) :
		    headway_kernelfs_domains(&k->kfs, &names, &nr)) {
		k->unreadable++;
		return;
	}
	for (size_t i = 0; i < nr; i++)
		if (is_wanted(k, names[i]))
			add_source(k, names[i], loops);
	headway_kernelfs_free_names(names);
}

/* The module may have been unloaded, and loaded again: each page begins anew. */
static void read_all(struct headway_metrics_kernel *k)
{
	forget_sources(k);
	for (size_t i = 0; i < k->nr_locks; i++)
		k->locks[i].waits = (struct headway_log2){ 0 };
	if (headway_kernelfs_open(&k->kfs, k->root)) {
		k->unreadable++;
		return;
	}
	add_listed(k, false);
	add_listed(k, true);
	headway_kernelfs_close(&k->kfs);
}

/* --- printing --------------------------------------------------------------------------------- */

/* Of the summary; a loop has some of them. */
static const struct {
	const char *label;
	struct headway_metric family;
} summary_families[] = {
#define COUNTED(label, help) \
	{ #label, { HEADWAY_METRIC_COUNTER, "headway_domain_" #label, NULL, help } }
#define NOW(label, help) \
	{ #label, { HEADWAY_METRIC_GAUGE, "headway_domain_" #label, NULL, help } }
	NOW(in_flight, "Transactions or actors that have begun and not ended."),
	NOW(locks, "Locks of the domain that were ever taken."),
	COUNTED(attempts, "Passes begun, retries included."),
	COUNTED(commits, "Transactions that ended with what they wanted."),
	COUNTED(aborts, "Transactions that ended after a failed call."),
	COUNTED(rollbacks, "Times that a transaction released everything to retry."),
	COUNTED(conflicts, "Lock calls that met another holder."),
	COUNTED(waits, "Lock calls that queued."),
	COUNTED(wounds, "Holders told by another transaction to roll back."),
	COUNTED(cycles, "Cycles found in the wait-for graph."),
	COUNTED(steals, "Locks taken ahead of a waiter while free."),
	COUNTED(handoffs, "Releases that gave the lock to the oldest waiter directly."),
	COUNTED(backoffs, "Delays slept before a retry."),
	COUNTED(timeouts, "Lock calls that timed out."),
	COUNTED(misuses, "Conflicts that a caller did not notice: see the kernel log."),
	COUNTED(escalations, "Times that the policy became serial by itself."),
#undef COUNTED
#undef NOW
};

static const char *kind_of(const struct source *s)
{
	return s->is_loop ? "loop" : "domain";
}

static void print_summaries(const struct headway_metrics_kernel *k, struct headway_metrics_text *t)
{
	for (size_t f = 0; f < ARRAY_LEN(summary_families); f++) {
		headway_metrics_begin(t, &summary_families[f].family);
		for (size_t i = 0; i < k->nr_sources; i++) {
			const struct source *s = &k->sources[i];
			const struct headway_label labels[] = {
				{ "domain", s->name }, { "kind", kind_of(s) }, { 0 },
			};
			uint64_t value;

			if (!headway_record_u64(&s->all, summary_families[f].label, &value))
				continue;
			if (summary_families[f].family.type == HEADWAY_METRIC_GAUGE)
				headway_metrics_gauge(t, labels, (double)value);
			else
				headway_metrics_count(t, labels, value);
		}
	}
}

/* The module's own verdicts are some of ours. */
static void print_states(const struct headway_metrics_kernel *k, struct headway_metrics_text *t)
{
	static const enum headway_verdict said[] = {
		HEADWAY_IDLE, HEADWAY_HEALTHY, HEADWAY_CONTENDED, HEADWAY_STALLED_HOLDER,
		HEADWAY_STARVATION, HEADWAY_LIVELOCK,
	};
	static const struct headway_metric family = {
		HEADWAY_METRIC_STATESET, "headway_domain_state", NULL,
		"What the module's watchdog believes.",
	};

	headway_metrics_begin(t, &family);
	for (size_t i = 0; i < k->nr_sources; i++) {
		const struct source *s = &k->sources[i];
		const struct headway_label labels[] = {
			{ "domain", s->name }, { "kind", kind_of(s) }, { 0 },
		};

		for (size_t v = 0; v < ARRAY_LEN(said); v++) {
			const char *name = headway_verdict_name(said[v]);

			headway_metrics_state(t, labels, name,
					      !strcmp(name, word(&s->all, "verdict")));
		}
	}
}

static void print_policies(const struct headway_metrics_kernel *k, struct headway_metrics_text *t)
{
	static const struct headway_metric family = {
		HEADWAY_METRIC_INFO, "headway_domain_policy", NULL,
		"The conflict policy that is set.",
	};

	headway_metrics_begin(t, &family);
	for (size_t i = 0; i < k->nr_sources; i++) {
		const struct headway_label labels[] = {
			{ "domain", k->sources[i].name },
			{ "policy", word(&k->sources[i].all, "policy") }, { 0 },
		};

		if (!k->sources[i].is_loop)
			headway_metrics_info(t, labels);
	}
}

static void print_waits(const struct headway_metrics_kernel *k, struct headway_metrics_text *t)
{
	static const struct headway_metric of_domains = {
		HEADWAY_METRIC_HISTOGRAM, "headway_domain_wait_seconds", "seconds",
		"Waits that got the lock, of all locks of the domain.",
	};
	static const struct headway_metric of_locks = {
		HEADWAY_METRIC_HISTOGRAM, "headway_domain_lock_wait_seconds", "seconds",
		"Waits that got the lock, by the name of the lock.",
	};

	headway_metrics_begin(t, &of_domains);
	for (size_t i = 0; i < k->nr_sources; i++) {
		const struct headway_label labels[] = { { "domain", k->sources[i].name }, { 0 } };

		if (!k->sources[i].is_loop && !k->sources[i].unread)
			headway_metrics_histogram(t, labels, &k->sources[i].waits);
	}
	headway_metrics_begin(t, &of_locks);
	for (size_t i = 0; i < k->nr_locks; i++) {
		const struct headway_label labels[] = {
			{ "domain", k->locks[i].domain }, { "lock", k->locks[i].name }, { 0 },
		};

		headway_metrics_histogram(t, labels, &k->locks[i].waits);
	}
}

static void print_left_out(const struct headway_metrics_kernel *k, struct headway_metrics_text *t)
{
	static const struct headway_metric left_out = {
		HEADWAY_METRIC_GAUGE, "headway_domain_left_out", NULL,
		"Domains and loops without samples, for want of series (--max-series); domains whose "
		"waits are not read, as they have over 4096 locks.",
	};
	static const struct headway_metric folded = {
		HEADWAY_METRIC_COUNTER, "headway_domain_locks_folded", NULL,
		"Times that a lock had no series of its own: it is in those of its domain.",
	};
	static const struct headway_metric unreadable = {
		HEADWAY_METRIC_COUNTER, "headway_domain_unreadable", NULL,
		"Files of the module that could not be read: what came and went meanwhile.",
	};
	const struct headway_label series[] = { { "why", "series" }, { 0 } };
	const struct headway_label locks[] = { { "why", "locks" }, { 0 } };
	size_t unread = 0;

	for (size_t i = 0; i < k->nr_sources; i++)
		unread += k->sources[i].unread;
	headway_metrics_begin(t, &left_out);
	headway_metrics_gauge(t, series, (double)k->left_out);
	headway_metrics_gauge(t, locks, (double)unread);
	headway_metrics_begin(t, &folded);
	headway_metrics_count(t, NULL, k->folded);
	headway_metrics_begin(t, &unreadable);
	headway_metrics_count(t, NULL, k->unreadable);
}

void headway_metrics_kernel_print(struct headway_metrics_kernel *k, struct headway_metrics_text *t)
{
	read_all(k);
	print_states(k, t);
	print_policies(k, t);
	print_summaries(k, t);
	print_waits(k, t);
	print_left_out(k, t);
}

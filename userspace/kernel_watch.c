// SPDX-License-Identifier: GPL-2.0
/*
 * kernel_watch.c - follows the verdicts of headway.ko's domains and watched loops.
 *
 * Invariants: a transition is told once; what is told as present was read after the module said so;
 * what cannot be read any more is said, and its last verdict is not kept as if it still held.
 */
#define _GNU_SOURCE
#include "kernel_watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_finding.h"
#include "kernelfs.h"

enum {
	EVENTS_IN_RING = 64,		/* the module remembers so many */
	LOCKS_WORTH_READING = 4096,	/* 1 MB or so */
};

struct source {
	char *name;
	bool is_loop;
	bool looked_at;
	bool gone;
	enum headway_verdict verdict;
	uint64_t since_ns;		/* of the verdict; this and the next: boot clock */
	uint64_t seen_ns;		/* events up to then were told, or are not news */
	uint64_t nr_locks;
	uint64_t window_ns;		/* 0: the first one is not over */
	uint64_t commits_per_s;
	uint64_t rollbacks_per_s;
	uint64_t window_attempts;
	uint64_t window_commits;
	uint64_t window_rollbacks;
	uint64_t in_flight;
	uint64_t total_attempts;
	uint64_t total_commits;
	uint64_t total_rollbacks;
	char policy[32];
};

struct headway_kernel_watch {
	struct headway_kernel_reader from;
	const char *const *named;	/* nr_named 0: all */
	size_t nr_named;
	bool looked;
	char error[512];		/* of a file that somebody asked for */
	bool complained;		/* of a file that cannot be understood */
	char lost[512];			/* "" or why it is not watched any more */
	uint64_t began_ns;		/* the first look; boot clock, as the next */
	uint64_t now_ns;		/* the last look */
	struct source *sources;
	size_t nr_sources;
	uint64_t events;		/* transitions seen */
	uint64_t overruns;		/* times that some may have been missed */
	unsigned int findings[HEADWAY_NR_VERDICTS];
	struct headway_names *names;
	struct headway_kernel_names known;
	struct headway_kernel_thread thread;
	struct headway_finding finding;
};

static const char *kind_of(const struct source *s)
{
	return s->is_loop ? "loop" : "domain";
}

__attribute__((format(printf, 2, 3)))
static void say(const struct headway_kernel_listener *to, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	to->say(to->ctx, text);
}

static int read_file(struct headway_kernel_watch *k, const struct source *s, const char *file,
		     struct headway_text *text)
{
	return k->from.read(k->from.ctx, s->is_loop, s->name, file, text);
}

/* --- what is watched -------------------------------------------------------------------------- */

static int add_source(struct headway_kernel_watch *k, const char *name, bool is_loop,
		      uint64_t seen_ns)
{
	struct source *bigger;

	for (size_t i = 0; i < k->nr_sources; i++)
		if (k->sources[i].is_loop == is_loop && !strcmp(k->sources[i].name, name))
			return 0;
	bigger = reallocarray(k->sources, k->nr_sources + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	k->sources = bigger;
	bigger += k->nr_sources;
	*bigger = (struct source){ .name = strdup(name), .is_loop = is_loop, .seen_ns = seen_ns };
	if (!bigger->name)
		return -ENOMEM;
	k->nr_sources++;
	return 0;
}

static bool is_wanted(const struct headway_kernel_watch *k, const char *name)
{
	for (size_t i = 0; i < k->nr_named; i++)
		if (!strcmp(k->named[i], name))
			return true;
	return !k->nr_named;
}

static int add_listed(struct headway_kernel_watch *k, bool loops, uint64_t seen_ns)
{
	char **names;
	size_t nr;
	int err = k->from.list(k->from.ctx, loops, &names, &nr);

	if (err)
		return err;
	for (size_t i = 0; i < nr && !err; i++)
		if (is_wanted(k, names[i]))
			err = add_source(k, names[i], loops, seen_ns);
	headway_kernelfs_free_names(names);
	return err;
}

/* What was there before the first look is no news; all that is done by those who come later is. */
static int find_sources(struct headway_kernel_watch *k)
{
	uint64_t seen_ns = k->looked ? 0 : k->began_ns;
	int err = add_listed(k, false, seen_ns);

	return err ? err : add_listed(k, true, seen_ns);
}

struct headway_kernel_watch *headway_kernel_watch_new(const char *const *names, size_t nr,
						      const struct headway_kernel_reader *from)
{
	struct headway_kernel_watch *k = calloc(1, sizeof(*k));
	struct headway_name_source source;

	if (!k)
		return NULL;
	k->from = *from;
	k->named = names;
	k->nr_named = nr;
	source = headway_kernel_names_source(&k->known);
	k->names = headway_names_new(&source);
	if (k->names)
		return k;
	free(k);
	return NULL;
}

static void forget_gone(struct headway_kernel_watch *k, const struct headway_kernel_listener *to)
{
	size_t out = 0;

	for (size_t i = 0; i < k->nr_sources; i++) {
		struct source *s = &k->sources[i];

		if (!s->gone) {
			k->sources[out++] = *s;
			continue;
		}
		say(to, "kernel %s %s is gone%s%s", kind_of(s), s->name,
		    headway_verdict_is_finding(s->verdict) ? "; its last verdict was " : "",
		    headway_verdict_is_finding(s->verdict) ? headway_verdict_name(s->verdict) : "");
		free(s->name);
	}
	k->nr_sources = out;
}

static void lose(struct headway_kernel_watch *k, const struct headway_kernel_listener *to,
		 const char *why)
{
	snprintf(k->lost, sizeof(k->lost), "%s", why);
	say(to, "the kernel is not watched any more: %s", k->lost);
}

/* --- a finding -------------------------------------------------------------------------------- */

/* The module's word for a comm has '?' for what it does not show. */
static bool same_comm(const char *word, const char *comm)
{
	size_t i;

	for (i = 0; i < HEADWAY_COMM_LEN - 1 && word[i]; i++)
		if (word[i] != comm[i] && word[i] != '?')
			return false;
	return i == HEADWAY_COMM_LEN - 1 || !comm[i];
}

/* What the module does not say of a thread: its process and state, and where a holder sleeps. */
static void ask_thread(struct headway_kernel_watch *k, struct headway_finding_actor *a)
{
	struct headway_kernel_thread *t = &k->thread;
	char comm[HEADWAY_COMM_LEN + 1];

	/* Another thread may have its number by now. */
	snprintf(comm, sizeof(comm), "%.*s", HEADWAY_COMM_LEN, a->comm);
	if (k->from.thread(k->from.ctx, (pid_t)a->tid, t) || !same_comm(comm, t->comm))
		return;
	a->state = t->state;
	if (t->tgid)
		a->tgid = t->tgid;
	if (a->stack_id < 0 && t->stack[0])
		a->stack_id = headway_kernel_names_stack(&k->known, t->stack, "\n");
}

static void set_times(const struct headway_kernel_watch *k, struct headway_finding *f,
		      uint64_t at_ns)
{
	/* The module believes what two windows in a row have shown. */
	uint64_t onset = at_ns > 2 * f->window_ns ? at_ns - 2 * f->window_ns : 0;

	if (onset < k->began_ns)
		onset = k->began_ns;
	f->first_seen_ns = onset - k->began_ns;
	f->latency_ns = k->now_ns > onset ? k->now_ns - onset : 0;
}

/* NULL where there is none to read; the finding then says so. */
static struct headway_text *read_about(struct headway_kernel_watch *k, const struct source *s,
				       const char *file, struct headway_text *text)
{
	return read_file(k, s, file, text) ? NULL : text;
}

static int tell_finding(struct headway_kernel_watch *k, const struct source *s,
			const struct headway_kernel_alarm *alarm, uint64_t at_ns,
			const struct headway_kernel_listener *to)
{
	struct headway_text actors = { 0 }, locks = { 0 }, *who = NULL, *where = NULL;
	struct headway_finding *f = &k->finding;

	if (!alarm->over)
		who = read_about(k, s, s->is_loop ? "actors" : "transactions", &actors);
	if (!alarm->over && !s->is_loop && s->nr_locks <= LOCKS_WORTH_READING)
		where = read_about(k, s, "locks", &locks);
	headway_kernel_finding(f, &k->known, alarm, who, where);
	if (!alarm->over && !who)
		headway_kernel_names_note(&k->known, k->from.error(k->from.ctx));
	for (unsigned int i = 0; i < f->nr_actors; i++)
		ask_thread(k, &f->actors[i]);
	set_times(k, f, at_ns);
	headway_text_free(&actors);
	headway_text_free(&locks);
	k->findings[f->verdict]++;
	return to->finding(to->ctx, f, k->names);
}

/* --- events ----------------------------------------------------------------------------------- */

static const char *word(const struct headway_record *r, const char *label)
{
	const char *value = headway_record_get(r, label);

	return value ? value : "-";
}

static bool finding_verdict(const struct headway_record *r, const char *label,
			    enum headway_verdict *v)
{
	return !headway_verdict_parse(word(r, label), v) && headway_verdict_is_finding(*v);
}

/* A transition; until_ns: when the next one came, 0: none has. */
static int transition(struct headway_kernel_watch *k, struct source *s,
		      const struct headway_record *r, uint64_t until_ns,
		      const struct headway_kernel_listener *to)
{
	uint64_t at_ns = headway_number(r, "at_ns");
	enum headway_verdict v;
	struct headway_kernel_alarm alarm = {
		.name = s->name, .is_loop = s->is_loop, .policy = s->policy,
		.detail = word(r, "detail"), .window_ns = s->window_ns,
		.commits = headway_number(r, "commits"),
		.rollbacks = headway_number(r, "rollbacks"),
		.actors = headway_number(r, "actors"),
		.in_flight = headway_number(r, "in_flight"),
		.over = until_ns != 0, .lasted_ns = until_ns > at_ns ? until_ns - at_ns : 0,
	};

	if (at_ns > s->seen_ns) {
		k->events++;
		s->seen_ns = at_ns;
	}
	if (finding_verdict(r, "to", &alarm.verdict))
		return tell_finding(k, s, &alarm, at_ns, to);
	if (finding_verdict(r, "from", &v))
		say(to, "kernel %s %s: %s after %.1f s of %s", kind_of(s), s->name, word(r, "to"),
		    (double)headway_number(r, "after_ns") / 1e9, headway_verdict_name(v));
	return 0;
}

static bool is_verdict(const struct headway_record *r)
{
	return !strcmp(word(r, "event"), "verdict");
}

static uint64_t next_verdict_ns(const struct headway_text *events, size_t i)
{
	while (++i < events->nr_records)
		if (is_verdict(&events->records[i]))
			return headway_number(&events->records[i], "at_ns");
	return 0;
}

static int follow_events(struct headway_kernel_watch *k, struct source *s,
			 const struct headway_text *events,
			 const struct headway_kernel_listener *to)
{
	const struct headway_record *standing = NULL;
	bool first = !s->looked_at;
	enum headway_verdict v;
	int err = 0;

	if (!first && events->nr_records >= EVENTS_IN_RING &&
	    headway_number(&events->records[0], "at_ns") > s->seen_ns) {
		k->overruns++;
		say(to, "kernel %s %s: verdicts came faster than they were read, and some are "
			"missing: choose a shorter interval (-i)", kind_of(s), s->name);
	}
	for (size_t i = 0; i < events->nr_records && !err; i++) {
		const struct headway_record *r = &events->records[i];

		if (!is_verdict(r))
			continue;
		standing = headway_number(r, "at_ns") <= s->seen_ns ? r : NULL;
		if (!standing)
			err = transition(k, s, r, next_verdict_ns(events, i), to);
	}
	/* What was believed before we came. */
	if (!err && first && standing && finding_verdict(standing, "to", &v))
		err = transition(k, s, standing, 0, to);
	return err;
}

static void understand(struct headway_kernel_watch *k, const struct source *s, size_t garbled,
		       const struct headway_kernel_listener *to)
{
	if (!garbled || k->complained)
		return;
	k->complained = true;
	say(to, "left out what cannot be read in the files of kernel %s %s: are the module and this "
		"program of one version?", kind_of(s), s->name);
}

static void take_summary(struct source *s, const struct headway_text *text)
{
	struct headway_record r = headway_text_all(text);

	if (headway_verdict_parse(word(&r, "verdict"), &s->verdict))
		s->verdict = HEADWAY_UNDETERMINED;
	s->nr_locks = headway_number(&r, "locks");
	s->window_ns = headway_number(&r, "window_ns");
	s->commits_per_s = headway_number(&r, "commits_per_s");
	s->rollbacks_per_s = headway_number(&r, "rollbacks_per_s");
	s->window_attempts = headway_number(&r, "window_attempts");
	s->window_commits = headway_number(&r, "window_commits");
	s->window_rollbacks = headway_number(&r, "window_rollbacks");
	s->in_flight = headway_number(&r, "in_flight");
	s->total_attempts = headway_number(&r, "attempts");
	s->total_commits = headway_number(&r, "commits");
	s->total_rollbacks = headway_number(&r, "rollbacks");
	snprintf(s->policy, sizeof(s->policy), "%s", word(&r, "policy"));
}

/* Of the look itself: 0 or what the listener returned. *failed: of reading. */
static int look_at(struct headway_kernel_watch *k, struct source *s,
		   const struct headway_kernel_listener *to, int *failed)
{
	struct headway_text text;
	struct headway_record r;
	uint64_t since_ns;
	int err;

	*failed = read_file(k, s, "summary", &text);
	if (*failed)
		return 0;
	understand(k, s, text.garbled, to);
	r = headway_text_all(&text);
	since_ns = headway_number(&r, "verdict_since_ns");
	take_summary(s, &text);
	headway_text_free(&text);
	if (s->looked_at && since_ns == s->since_ns)
		return 0;

	*failed = read_file(k, s, "events", &text);
	if (*failed)
		return 0;
	understand(k, s, text.garbled, to);
	err = follow_events(k, s, &text, to);
	headway_text_free(&text);
	s->since_ns = since_ns;
	s->looked_at = true;
	return err;
}

int headway_kernel_watch_look(struct headway_kernel_watch *k,
			      const struct headway_kernel_listener *to)
{
	int err = 0, failed;

	if (headway_kernel_watch_ended(k))
		return 0;
	k->now_ns = k->from.look(k->from.ctx);
	if (!k->looked)
		k->began_ns = k->now_ns;
	if (!k->looked || !k->nr_named) {
		failed = find_sources(k);
		if (failed == -ENOMEM)
			return failed;
		if (failed)
			lose(k, to, failed == -ENOENT ? "the module headway was unloaded" :
							k->from.error(k->from.ctx));
	}
	k->looked = true;
	for (size_t i = 0; i < k->nr_sources && !err; i++) {
		err = look_at(k, &k->sources[i], to, &failed);
		k->sources[i].gone = failed == -ENOENT;
		if (failed && failed != -ENOENT && !k->lost[0])
			lose(k, to, k->from.error(k->from.ctx));
	}
	forget_gone(k, to);
	return err;
}

bool headway_kernel_watch_source(const struct headway_kernel_watch *k, size_t i,
				 struct headway_kernel_source *out)
{
	const struct source *s = &k->sources[i];

	if (i >= k->nr_sources)
		return false;
	*out = (struct headway_kernel_source){
		.name = s->name, .is_loop = s->is_loop, .verdict = s->verdict,
		.window_ns = s->window_ns, .attempts = s->window_attempts,
		.commits = s->window_commits, .rollbacks = s->window_rollbacks,
		.in_flight = s->in_flight, .total_attempts = s->total_attempts,
		.total_commits = s->total_commits, .total_rollbacks = s->total_rollbacks,
	};
	return true;
}

int headway_kernel_watch_read(struct headway_kernel_watch *k, const char *name, bool is_loop,
			      const char *file, struct headway_text *text)
{
	for (size_t i = 0; i < k->nr_sources; i++) {
		const struct source *s = &k->sources[i];
		int err;

		if (s->is_loop != is_loop || strcmp(s->name, name))
			continue;
		err = read_file(k, s, file, text);
		if (err)
			snprintf(k->error, sizeof(k->error), "%s", k->from.error(k->from.ctx));
		return err;
	}
	snprintf(k->error, sizeof(k->error), "kernel %s %.64s is not watched",
		 is_loop ? "loop" : "domain", name);
	return -ENOENT;
}

int headway_kernel_watch_arbiters(struct headway_kernel_watch *k, char ***names, size_t *nr)
{
	int err;

	*names = NULL;
	*nr = 0;
	if (k->nr_named || !k->from.list_arbiters)
		return 0;
	err = k->from.list_arbiters(k->from.ctx, names, nr);
	if (err)
		snprintf(k->error, sizeof(k->error), "%s", k->from.error(k->from.ctx));
	return err;
}

int headway_kernel_watch_read_arbiter(struct headway_kernel_watch *k, const char *name,
				      const char *file, struct headway_text *text)
{
	int err = k->from.read_arbiter(k->from.ctx, name, file, text);

	if (err)
		snprintf(k->error, sizeof(k->error), "%s", k->from.error(k->from.ctx));
	return err;
}

const char *headway_kernel_watch_error(const struct headway_kernel_watch *k)
{
	return k->error;
}

bool headway_kernel_watch_ended(const struct headway_kernel_watch *k)
{
	return k->lost[0] || (k->looked && k->nr_named && !k->nr_sources);
}

const char *headway_kernel_watch_lost(const struct headway_kernel_watch *k)
{
	return k->lost[0] ? k->lost : NULL;
}

const char *headway_kernel_watch_blind(const struct headway_kernel_watch *k)
{
	if (k->lost[0])
		return k->lost;
	if (k->overruns)
		return "verdicts came faster than they were read";
	for (size_t i = 0; i < k->nr_sources; i++)
		if (!k->sources[i].window_ns)
			return "the first window of a kernel domain is not over";
	return NULL;
}

static void describe(const struct headway_kernel_watch *k, const struct source *s, char *text,
		     size_t len)
{
	if (headway_verdict_is_finding(s->verdict))
		snprintf(text, len, "%s in kernel %s %.63s, for %.1f s",
			 headway_verdict_name(s->verdict), kind_of(s), s->name,
			 k->now_ns > s->since_ns ? (double)(k->now_ns - s->since_ns) / 1e9 : 0.0);
	else
		snprintf(text, len, "kernel %s %.63s: %" PRIu64 " commits/s, %" PRIu64
				    " rollbacks/s", kind_of(s), s->name, s->commits_per_s,
			 s->rollbacks_per_s);
}

void headway_kernel_watch_assess(const struct headway_kernel_watch *k,
				 struct headway_assessment *a)
{
	const struct source *worst = NULL;
	enum headway_verdict state = HEADWAY_IDLE;

	for (size_t i = 0; i < k->nr_sources; i++)
		if (!worst || k->sources[i].verdict > worst->verdict)
			worst = &k->sources[i];
	a->kernel_sources = k->nr_sources;
	a->events += k->events;
	a->lost += k->overruns;
	for (int v = 0; v < HEADWAY_NR_VERDICTS; v++)
		a->findings[v] += k->findings[v];
	if (k->lost[0])
		state = HEADWAY_UNDETERMINED;
	else if (worst)
		state = worst->verdict;
	if (a->reason[0] && state <= a->state)
		return;
	a->state = state;
	a->advice[0] = '\0';
	if (k->lost[0])
		snprintf(a->reason, sizeof(a->reason), "the kernel is not watched any more: %.250s",
			 k->lost);
	else if (worst)
		describe(k, worst, a->reason, sizeof(a->reason));
	else
		snprintf(a->reason, sizeof(a->reason), "%s", k->nr_named ?
			 "what was watched is gone" : "no kernel domain is registered");
}

void headway_kernel_watch_free(struct headway_kernel_watch *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->nr_sources; i++)
		free(k->sources[i].name);
	free(k->sources);
	headway_names_free(k->names);
	free(k);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * kernel_finding.c - who and what is behind an alarm of headway.ko. PURE.
 *
 * Invariants: the figures are the module's; what its files do not say is not guessed. The files are
 * of a moment after the alarm, each of its own: who is named in one need not be in the other.
 */
#include "kernel_finding.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TXNS_MAX = 256, WORST_LOCKS = 6 };	/* the module shows no more transactions */

struct builder {
	struct headway_finding *f;
	struct headway_kernel_names *names;
	const struct headway_kernel_alarm *alarm;
	size_t nr;
	const struct headway_record *who[TXNS_MAX];	/* the worst first */
};

static const char *word(const struct headway_record *r, const char *label)
{
	const char *value = headway_record_get(r, label);

	return value ? value : "?";
}

/* 0: nobody, or not a thread. */
static uint32_t pid_of(const struct headway_record *r, const char *label)
{
	uint64_t pid = headway_number(r, label);

	return pid && pid <= 4194304 ? (uint32_t)pid : 0;
}

/* Who retries most, then who waits longest; in a loop who fails for longest. */
static int by_restarts(const void *a, const void *b)
{
	static const char *const labels[] = { "restarts", "wait_ns", "failing_ns" };
	const struct headway_record *x = *(const struct headway_record *const *)a;
	const struct headway_record *y = *(const struct headway_record *const *)b;

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		if (headway_number(x, labels[i]) != headway_number(y, labels[i]))
			return headway_number(x, labels[i]) < headway_number(y, labels[i]) ? 1 : -1;
	return 0;
}

static int by_wait(const void *a, const void *b)
{
	const struct headway_record *x = *(const struct headway_record *const *)a;
	const struct headway_record *y = *(const struct headway_record *const *)b;
	uint64_t i = headway_number(x, "wait_ns"), k = headway_number(y, "wait_ns");

	return i == k ? by_restarts(a, b) : i < k ? 1 : -1;
}

static void sort(struct builder *b, const struct headway_text *actors)
{
	bool stalled = b->alarm->verdict == HEADWAY_STALLED_HOLDER;

	for (size_t i = 0; actors && i < actors->nr_records && b->nr < TXNS_MAX; i++)
		if (pid_of(&actors->records[i], "pid"))
			b->who[b->nr++] = &actors->records[i];
	qsort(b->who, b->nr, sizeof(b->who[0]), stalled ? by_wait : by_restarts);
}

static bool is_waiting(const struct headway_record *r)
{
	return headway_number(r, "waiting") != 0;
}

static bool is_holder(const struct builder *b, uint32_t tid)
{
	for (size_t i = 0; i < b->nr; i++)
		if (is_waiting(b->who[i]) && pid_of(b->who[i], "holder_pid") == tid)
			return true;
	return false;
}

static enum headway_role role_of(const struct builder *b, size_t i)
{
	const struct headway_record *r = b->who[i];
	bool holds = is_holder(b, pid_of(r, "pid"));

	switch (b->alarm->verdict) {
	case HEADWAY_STALLED_HOLDER:
		return holds && !is_waiting(r) ? HEADWAY_ROLE_HOLDER : HEADWAY_ROLE_WAITER;
	case HEADWAY_STARVATION:
		if (!i)
			return HEADWAY_ROLE_VICTIM;
		break;
	default:
		if (headway_number(r, "restarts"))
			return HEADWAY_ROLE_MEMBER;
		break;
	}
	return holds ? HEADWAY_ROLE_HOLDER : is_waiting(r) ? HEADWAY_ROLE_WAITER :
							     HEADWAY_ROLE_MEMBER;
}

static struct headway_finding_actor *add_actor(struct builder *b, uint32_t tid, const char *comm,
					       enum headway_role role)
{
	struct headway_finding_actor *a = headway_finding_add_actor(b->f, tid);

	if (!a)
		return NULL;
	snprintf(a->comm, sizeof(a->comm), "%s", comm);
	a->tgid = tid;
	a->role = role;
	a->cpu_share = -1;
	return a;
}

static void add_member(struct builder *b, size_t i)
{
	const struct headway_record *r = b->who[i];
	struct headway_finding_actor *a = add_actor(b, pid_of(r, "pid"), word(r, "comm"),
						    role_of(b, i));
	const char *stack = headway_record_get(r, "stack");
	uint32_t owner = pid_of(r, "holder_pid");
	uint64_t lock;

	if (!a)
		return;
	a->fails = headway_number(r, "restarts");
	a->attempts = a->fails + 1;
	a->stack_id = stack ? headway_kernel_names_stack(b->names, stack, "<-") : -1;
	if (!is_waiting(r))
		return;
	lock = headway_kernel_names_lock(b->names, word(r, "lock"), owner);
	if (!lock)
		return;
	headway_finding_add_wait(a, lock, owner, true);
	headway_finding_add_lock(b->f, lock, 0, owner);
}

/* Whom somebody waits for without having met a conflict itself: it is not among the actors. */
static void add_holder(struct builder *b, const struct headway_record *waiter)
{
	uint32_t tid = pid_of(waiter, "holder_pid");

	if (!is_waiting(waiter) || !tid)
		return;
	for (size_t i = 0; i < b->nr; i++)
		if (pid_of(b->who[i], "pid") == tid)
			return;
	for (unsigned int i = 0; i < b->f->nr_actors; i++)
		if (b->f->actors[i].tid == tid)
			return;
	add_actor(b, tid, word(waiter, "holder"), HEADWAY_ROLE_HOLDER);
}

static void add_actors(struct builder *b)
{
	/* Of a stalled holder's story, the holder is what matters; so it has room in any case. */
	for (size_t i = 0; i < b->nr && i < HEADWAY_FINDING_ACTORS / 2; i++)
		add_holder(b, b->who[i]);
	for (size_t i = 0; i < b->nr; i++)
		add_member(b, i);
	if (b->nr == TXNS_MAX)
		headway_kernel_names_note(b->names,
					  "there may be more: the module shows 256 of them");
}

static void describe_worst(struct builder *b)
{
	const struct headway_record *r = b->nr ? b->who[0] : NULL;
	const char *age = b->alarm->is_loop ? "failing_ns" : "age_ns";

	if (!r)
		return;
	if (headway_number(r, "restarts"))
		headway_finding_evidence(b->f, "thread %u (%.16s) %s %" PRIu64 " times in %.1f s "
					       "and got nothing done meanwhile", pid_of(r, "pid"),
					 word(r, "comm"),
					 b->alarm->is_loop ? "failed" : "rolled back",
					 headway_number(r, "restarts"),
					 (double)headway_number(r, age) / 1e9);
	if (is_waiting(r))
		headway_finding_evidence(b->f, "thread %u (%.16s) has waited %.1f s for %.31s, "
					       "held by thread %u (%.16s)", pid_of(r, "pid"),
					 word(r, "comm"),
					 (double)headway_number(r, "wait_ns") / 1e9,
					 word(r, "lock"), pid_of(r, "holder_pid"),
					 word(r, "holder"));
}

/* The locks that most gave up at, the worst first. */
static size_t find_worst_locks(const struct headway_text *locks,
			       const struct headway_record *worst[WORST_LOCKS])
{
	size_t nr = 0;

	for (size_t i = 0; i < locks->nr_records; i++) {
		const struct headway_record *r = &locks->records[i];
		size_t at = nr;

		if (!headway_number(r, "rollbacks"))
			continue;
		while (at && headway_number(worst[at - 1], "rollbacks") <
			     headway_number(r, "rollbacks"))
			at--;
		if (at == WORST_LOCKS)
			continue;
		if (nr < WORST_LOCKS)
			nr++;
		memmove(&worst[at + 1], &worst[at], (nr - at - 1) * sizeof(worst[0]));
		worst[at] = r;
	}
	return nr;
}

static void describe_locks(struct builder *b, const struct headway_text *locks)
{
	const struct headway_record *worst[WORST_LOCKS];
	size_t nr = locks ? find_worst_locks(locks, worst) : 0, used = 0;
	char list[HEADWAY_SENTENCE_LEN];

	for (size_t i = 0; i < nr; i++) {
		uint32_t owner = pid_of(worst[i], "holder_pid");
		uint64_t lock = headway_kernel_names_lock(b->names, word(worst[i], "name"), owner);

		if (lock)
			headway_finding_add_lock(b->f, lock, 0, owner);
		if (used < sizeof(list))
			used += (size_t)snprintf(list + used, sizeof(list) - used,
						 "%s%.31s %" PRIu64, i ? ", " : "",
						 word(worst[i], "name"),
						 headway_number(worst[i], "rollbacks"));
	}
	if (nr)
		headway_finding_evidence(b->f, "rollbacks at each lock, of all times: %s", list);
}

static void describe(struct builder *b, const struct headway_text *locks)
{
	const struct headway_kernel_alarm *a = b->alarm;

	headway_finding_evidence(b->f, "headway.ko's watchdog counted %" PRIu64 " commits and %"
				       PRIu64 " rollbacks in the window that decided, by %" PRIu64
				       " that retried, of %" PRIu64 " in flight", a->commits,
				 a->rollbacks, a->actors, a->in_flight);
	if (!a->is_loop)
		headway_finding_evidence(b->f, "the domain's policy is %.31s", a->policy);
	if (strcmp(a->detail, "-"))
		headway_finding_evidence(b->f, "the watchdog names %.120s", a->detail);
	if (a->over)
		headway_finding_evidence(b->f, "it was over after %.1f s, before anybody could be "
					       "asked where they are", (double)a->lasted_ns / 1e9);
	describe_worst(b);
	describe_locks(b, locks);
}

/* The policy that ends a livelock for sure, and of those the nearest. */
static const char *better_policy(const char *policy)
{
	if (!strcmp(policy, "none"))
		return "ordered";
	return strcmp(policy, "polite") ? "serial" : "wound-wait";
}

/* Policies under which a transaction can lose for ever, or for long. */
static bool is_unfair(const char *policy)
{
	return !strcmp(policy, "none") || !strcmp(policy, "polite") || !strcmp(policy, "wait-die");
}

static const struct headway_finding_actor *first_holder(const struct headway_finding *f)
{
	for (unsigned int i = 0; i < f->nr_actors; i++)
		if (f->actors[i].role == HEADWAY_ROLE_HOLDER)
			return &f->actors[i];
	return NULL;
}

static void advise(struct builder *b)
{
	const struct headway_kernel_alarm *a = b->alarm;
	const struct headway_finding_actor *holder = first_holder(b->f);

	if (a->is_loop) {
		headway_finding_advice(b->f, "let each wait for a random, growing time after a "
					     "failure, so that they get out of step");
		return;
	}
	if (a->verdict == HEADWAY_LIVELOCK && strcmp(a->policy, "serial"))
		headway_finding_advice(b->f, "headway policy %.31s %s: ends it while the domain is "
					     "in use", a->name, better_policy(a->policy));
	else if (a->verdict == HEADWAY_STALLED_HOLDER && holder)
		headway_finding_advice(b->f, "find out what thread %u (%.16s) does while it holds: "
					     "cat /proc/%u/stack", holder->tid, holder->comm,
				       holder->tid);
	else if (a->verdict == HEADWAY_STARVATION && is_unfair(a->policy))
		headway_finding_advice(b->f, "headway policy %.31s wound-wait: who has waited "
					     "longest goes first", a->name);
	headway_finding_advice(b->f, "headway stat --stacks %.31s: all of it as it is now",
			       a->name);
}

void headway_kernel_finding(struct headway_finding *f, struct headway_kernel_names *names,
			    const struct headway_kernel_alarm *alarm,
			    const struct headway_text *actors, const struct headway_text *locks)
{
	struct builder b = { .f = f, .names = names, .alarm = alarm };

	memset(f, 0, sizeof(*f));
	headway_kernel_names_clear(names);
	f->verdict = alarm->verdict;
	f->confidence = HEADWAY_CONFIRMED;
	f->source = HEADWAY_SOURCE_KERNEL;
	f->is_loop = alarm->is_loop;
	snprintf(f->domain, sizeof(f->domain), "%s", alarm->name);
	f->window_ns = alarm->window_ns;
	f->attempts = alarm->commits + alarm->rollbacks;
	f->completions = alarm->commits;
	sort(&b, actors);
	add_actors(&b);
	describe(&b, locks);
	advise(&b);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * report_kernel_locks.c - the locks of the kernel's domains in a report, who waited for whom at
 * them, and where.
 *
 * Invariants: the figures are the module's, since the domain was registered; locks of one name and
 * rank in a domain are one row, as /proc/lock_stat has one for a class; what is not in a reading
 * keeps the figures of the reading before.
 */
#include "report_kernel_locks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "jsonvalue.h"
#include "window.h"

enum { MAX_LOCKS = 1024, MAX_EDGES = 512, MAX_STACKS = 512, STACK_LEN = 2048, NAME_LEN = 64 };

struct counts {
	uint64_t acquisitions;
	uint64_t contentions;
	uint64_t rollbacks;
	uint64_t waits;
	uint64_t wait_ns;
	uint64_t holds;			/* those that were timed */
	uint64_t hold_ns;
	uint64_t waiters;		/* at the moment of the reading */
};

struct lock {
	char domain[HEADWAY_DOMAIN_LEN];
	char name[NAME_LEN];
	uint64_t rank;
	bool was_read;			/* in a reading before */
	bool is_read;			/* in this one */
	struct counts now;
	struct counts before;
	uint64_t read_ns;		/* when it was read last, since the watch began */
	size_t read_columns;		/* that there were then */
	uint64_t most_waiters;
	char holder[HEADWAY_COMM_LEN];	/* "" nobody at the last reading */
	uint32_t holder_pid;
	struct headway_report_pressure *columns;
};

struct edge {
	char domain[HEADWAY_DOMAIN_LEN];
	char lock[NAME_LEN];
	char from[HEADWAY_COMM_LEN];
	char to[HEADWAY_COMM_LEN];
	uint32_t from_pid;
	uint32_t to_pid;
	uint64_t seen;			/* readings */
};

struct stack {
	char domain[HEADWAY_DOMAIN_LEN];
	char frames[STACK_LEN];		/* escaped, the innermost first, a line each */
	uint64_t fails;
	uint64_t asleep;		/* readings */
};

struct headway_report_kernel_locks {
	size_t nr_locks;
	struct lock *locks[MAX_LOCKS];
	size_t nr_edges;
	struct edge edges[MAX_EDGES];
	size_t nr_stacks;
	struct stack *stacks[MAX_STACKS];
	struct headway_report_left_out left_out;
};

struct headway_report_kernel_locks *headway_report_kernel_locks_new(void)
{
	return calloc(1, sizeof(struct headway_report_kernel_locks));
}

void headway_report_kernel_locks_free(struct headway_report_kernel_locks *k)
{
	if (!k)
		return;
	for (size_t i = 0; i < k->nr_locks; i++) {
		free(k->locks[i]->columns);
		free(k->locks[i]);
	}
	for (size_t i = 0; i < k->nr_stacks; i++)
		free(k->stacks[i]);
	free(k);
}

/* "" for what is not there, and for the module's "-", nothing. */
static const char *word(const struct headway_record *r, const char *label)
{
	const char *value = headway_record_get(r, label);

	return value && strcmp(value, "-") ? value : "";
}

/* --- locks ------------------------------------------------------------------------------------ */

/* NULL: no memory; or no room, and *left_out. */
static struct lock *lock_of(struct headway_report_kernel_locks *k, const char *domain,
			    const struct headway_record *r, bool *left_out)
{
	struct lock key = { .rank = headway_number(r, "rank") }, *l;

	snprintf(key.domain, sizeof(key.domain), "%s", domain);
	snprintf(key.name, sizeof(key.name), "%s", word(r, "name"));
	*left_out = false;
	for (size_t i = 0; i < k->nr_locks; i++) {
		l = k->locks[i];
		if (l->rank == key.rank && !strcmp(l->name, key.name) &&
		    !strcmp(l->domain, key.domain))
			return l;
	}
	*left_out = k->nr_locks == MAX_LOCKS;
	l = *left_out ? NULL : malloc(sizeof(*l));
	if (!l)
		return NULL;
	key.columns = calloc(HEADWAY_REPORT_COLUMNS, sizeof(*key.columns));
	if (!key.columns) {
		free(l);
		return NULL;
	}
	*l = key;
	k->locks[k->nr_locks++] = l;
	return l;
}

/* One of those that the row stands for. */
static void take_record(struct lock *l, const struct headway_record *r)
{
	if (!l->is_read) {
		l->is_read = true;
		l->before = l->now;
		l->now = (struct counts){ 0 };
		l->holder[0] = '\0';
		l->holder_pid = 0;
	}
	l->now.acquisitions += headway_number(r, "acquisitions");
	l->now.contentions += headway_number(r, "contentions");
	l->now.rollbacks += headway_number(r, "rollbacks");
	l->now.waits += headway_number(r, "waittime-count");
	l->now.wait_ns += headway_number(r, "waittime-total_ns");
	l->now.holds += headway_number(r, "holdtime-samples");
	l->now.hold_ns += headway_number(r, "holdtime-total_ns");
	l->now.waiters += headway_number(r, "waiters");
	if (l->holder[0] || !*word(r, "holder"))
		return;
	snprintf(l->holder, sizeof(l->holder), "%s", word(r, "holder"));
	l->holder_pid = (uint32_t)headway_number(r, "holder_pid");
}

/* When in between they were is not known. */
static void spread(struct lock *l, uint64_t contentions, size_t end)
{
	for (size_t i = l->read_columns < end ? l->read_columns : end - 1; i < end; i++) {
		uint64_t share = contentions / (end - i);

		l->columns[i].contentions += share;
		contentions -= share;
	}
}

/* What was counted before the first reading is of no column. */
static void end_reading(struct lock *l, const struct headway_report *r)
{
	size_t end = r->nr_columns;

	if (!l->is_read)
		return;
	if (l->now.waiters > l->most_waiters)
		l->most_waiters = l->now.waiters;
	if (end && l->was_read)
		spread(l, headway_grown(l->now.contentions, l->before.contentions), end);
	if (end && l->now.waiters > l->columns[end - 1].sleepers)
		l->columns[end - 1].sleepers = l->now.waiters;
	if (end)
		l->read_ns = r->columns[end - 1].end_ns - r->began_ns;
	l->read_columns = end;
	l->was_read = true;
	l->is_read = false;
}

int headway_report_kernel_locks_take(struct headway_report_kernel_locks *k,
				     const struct headway_report *r, const char *domain,
				     const struct headway_text *locks)
{
	int err = 0;

	for (size_t i = 0; i < locks->nr_records && !err; i++) {
		bool left_out;
		struct lock *l = lock_of(k, domain, &locks->records[i], &left_out);

		if (l)
			take_record(l, &locks->records[i]);
		else if (left_out)
			k->left_out.locks++;
		else
			err = -ENOMEM;
	}
	for (size_t i = 0; i < k->nr_locks; i++)
		end_reading(k->locks[i], r);
	return err;
}

void headway_report_kernel_locks_halve(struct headway_report_kernel_locks *k)
{
	for (size_t l = 0; l < k->nr_locks; l++) {
		struct headway_report_pressure *columns = k->locks[l]->columns;

		k->locks[l]->read_columns = (k->locks[l]->read_columns + 1) / 2;
		for (size_t i = 0; i < HEADWAY_REPORT_COLUMNS; i++) {
			struct headway_report_pressure p = columns[i];

			columns[i] = (struct headway_report_pressure){ 0 };
			columns[i / 2].contentions += p.contentions;
			if (p.sleepers > columns[i / 2].sleepers)
				columns[i / 2].sleepers = p.sleepers;
		}
	}
}

/* --- waits and stacks ------------------------------------------------------------------------- */

static void take_edge(struct headway_report_kernel_locks *k, const char *domain,
		      const struct headway_record *r)
{
	struct edge key = {
		.from_pid = (uint32_t)headway_number(r, "pid"),
		.to_pid = (uint32_t)headway_number(r, "holder_pid"),
	};

	snprintf(key.domain, sizeof(key.domain), "%s", domain);
	snprintf(key.lock, sizeof(key.lock), "%s", word(r, "lock"));
	for (size_t i = 0; i < k->nr_edges; i++) {
		struct edge *e = &k->edges[i];

		if (e->from_pid == key.from_pid && e->to_pid == key.to_pid &&
		    !strcmp(e->lock, key.lock) && !strcmp(e->domain, key.domain)) {
			e->seen++;
			return;
		}
	}
	if (k->nr_edges == MAX_EDGES) {
		k->left_out.edges++;
		return;
	}
	snprintf(key.from, sizeof(key.from), "%s", word(r, "comm"));
	snprintf(key.to, sizeof(key.to), "%s", word(r, "holder"));
	key.seen = 1;
	k->edges[k->nr_edges++] = key;
}

/* NULL: no room or no memory, which is counted. */
static struct stack *stack_of(struct headway_report_kernel_locks *k, const char *domain,
			      const char *frames)
{
	struct stack *s;

	for (size_t i = 0; i < k->nr_stacks; i++) {
		s = k->stacks[i];
		if (!strcmp(s->frames, frames) &&
		    !strncmp(s->domain, domain, sizeof(s->domain) - 1))
			return s;
	}
	s = k->nr_stacks == MAX_STACKS ? NULL : calloc(1, sizeof(*s));
	if (!s) {
		k->left_out.stacks++;
		return NULL;
	}
	snprintf(s->domain, sizeof(s->domain), "%s", domain);
	snprintf(s->frames, sizeof(s->frames), "%s", frames);
	k->stacks[k->nr_stacks++] = s;
	return s;
}

/* As a whole or not at all, for a part of a name would be another name. */
static void add_frame(char frames[STACK_LEN], const char *escaped)
{
	size_t used = strlen(frames), len = strlen(escaped);

	if (used + len + 2 <= STACK_LEN)
		snprintf(frames + used, STACK_LEN - used, "%s%s", used ? "\n" : "", escaped);
}

/* The module's word has `<-` where we have the end of a line. */
static void take_stack(struct headway_report_kernel_locks *k, const char *domain,
		       const char *stack)
{
	char frames[STACK_LEN] = "", name[HEADWAY_NAME_LEN];
	struct stack *s;

	while (*stack) {
		const char *end = strstr(stack, "<-");
		size_t len = end ? (size_t)(end - stack) : strlen(stack);

		add_frame(frames, headway_escape(stack, len, name, sizeof(name)));
		stack += len + (end ? 2 : 0);
	}
	s = *frames ? stack_of(k, domain, frames) : NULL;
	if (s)
		s->asleep++;
}

void headway_report_kernel_locks_waits(struct headway_report_kernel_locks *k, const char *domain,
				       const struct headway_text *transactions)
{
	for (size_t i = 0; i < transactions->nr_records; i++) {
		const struct headway_record *r = &transactions->records[i];

		if (!headway_number(r, "waiting"))
			continue;
		take_edge(k, domain, r);
		take_stack(k, domain, word(r, "stack"));
	}
}

void headway_report_kernel_locks_finding(struct headway_report_kernel_locks *k,
					 const struct headway_finding *f,
					 struct headway_names *names)
{
	static char name[HEADWAY_STACK_DEPTH][HEADWAY_NAME_LEN];

	for (unsigned int i = 0; i < f->nr_actors; i++) {
		const struct headway_finding_actor *a = &f->actors[i];
		char frames[STACK_LEN] = "";
		struct stack *s;
		int depth;

		if (a->stack_id < 0 || !a->fails)
			continue;
		depth = headway_names_stack(names, (pid_t)a->tgid, a->stack_id, name);
		for (int n = 0; n < depth; n++)
			add_frame(frames, name[n]);
		s = *frames ? stack_of(k, f->domain, frames) : NULL;
		if (s)
			s->fails += a->fails;
	}
}

/* --- JSON ------------------------------------------------------------------------------------- */

static struct json_object *thread_json(uint32_t pid)
{
	char text[64];

	return json_text(headway_names_thread(pid, text, sizeof(text)));
}

static struct json_object *average_us(uint64_t total_ns, uint64_t nr)
{
	return nr ? json_decimal((double)total_ns / 1e3 / (double)nr, 1) : NULL;
}

static struct json_object *holder_json(const struct lock *l)
{
	char text[128];

	if (!l->holder[0])
		return NULL;
	snprintf(text, sizeof(text), "%s, thread %u", l->holder, l->holder_pid);
	return json_escaped(text, sizeof(text));
}

static struct json_object *lock_json(const struct lock *l, const struct headway_report *r)
{
	struct json_object *contentions = json_object_new_array();
	struct json_object *sleepers = json_object_new_array(), *o = json_object_new_object();

	json_add(o, "name", json_escaped(l->name, sizeof(l->name)));
	json_add(o, "domain", json_escaped(l->domain, sizeof(l->domain)));
	json_add(o, "kind", json_text("headway"));
	json_add(o, "read_s", json_seconds(l->read_ns));
	json_add(o, "acquisitions", json_count(l->now.acquisitions));
	json_add(o, "contentions", json_count(l->now.contentions));
	json_add(o, "rollbacks", json_count(l->now.rollbacks));
	json_add(o, "waits", json_count(l->now.waits));
	json_add(o, "wait_total_ms", json_decimal((double)l->now.wait_ns / 1e6, 3));
	json_add(o, "wait_avg_us", average_us(l->now.wait_ns, l->now.waits));
	json_add(o, "hold_avg_us", average_us(l->now.hold_ns, l->now.holds));
	json_add(o, "waiters", json_count(l->most_waiters));
	json_add(o, "owner", holder_json(l));
	for (size_t i = 0; i < r->nr_columns; i++) {
		json_object_array_add(contentions, json_count(l->columns[i].contentions));
		json_object_array_add(sleepers, json_count(l->columns[i].sleepers));
	}
	json_add(o, "contentions_at", contentions);
	json_add(o, "waiters_at", sleepers);
	return o;
}

static struct json_object *edge_json(const struct edge *e)
{
	struct json_object *o = json_object_new_object();

	json_add(o, "domain", json_escaped(e->domain, sizeof(e->domain)));
	json_add(o, "from", thread_json(e->from_pid));
	json_add(o, "from_comm", json_escaped(e->from, sizeof(e->from)));
	json_add(o, "to", e->to_pid ? thread_json(e->to_pid) : NULL);
	json_add(o, "to_comm", e->to_pid ? json_escaped(e->to, sizeof(e->to)) : NULL);
	json_add(o, "lock", json_escaped(e->lock, sizeof(e->lock)));
	json_add(o, "fails", json_count(0));
	json_add(o, "asleep", json_count(e->seen));
	return o;
}

static struct json_object *stack_json(const struct stack *s)
{
	struct json_object *o = json_object_new_object(), *names = json_object_new_array();
	const char *frame = s->frames;

	while (*frame) {
		size_t len = strcspn(frame, "\n");

		json_object_array_add(names, json_object_new_string_len(frame, (int)len));
		frame += len + (frame[len] != '\0');
	}
	json_add(o, "domain", json_escaped(s->domain, sizeof(s->domain)));
	json_add(o, "frames", names);
	json_add(o, "fails", json_count(s->fails));
	json_add(o, "asleep", json_count(s->asleep));
	return o;
}

/* It is made where it is missing. */
static struct json_object *member_of(struct json_object *o, const char *key,
				     struct json_object *(*make)(void))
{
	struct json_object *member = json_object_object_get(o, key);

	if (member)
		return member;
	member = make();
	json_add(o, key, member);
	return member;
}

static void add_count(struct json_object *o, const char *what, uint64_t nr)
{
	json_add(o, what, json_count(
		(uint64_t)json_object_get_int64(json_object_object_get(o, what)) + nr));
}

void headway_report_kernel_locks_json(const struct headway_report_kernel_locks *k,
				      const struct headway_report *r, struct json_object *report)
{
	struct json_object *locks = member_of(report, "locks", json_object_new_array);
	struct json_object *edges = member_of(report, "edges", json_object_new_array);
	struct json_object *stacks = member_of(report, "stacks", json_object_new_array);
	struct json_object *left_out = member_of(report, "left_out", json_object_new_object);

	for (size_t i = 0; i < k->nr_locks; i++)
		json_object_array_add(locks, lock_json(k->locks[i], r));
	for (size_t i = 0; i < k->nr_edges; i++)
		json_object_array_add(edges, edge_json(&k->edges[i]));
	for (size_t i = 0; i < k->nr_stacks; i++)
		json_object_array_add(stacks, stack_json(k->stacks[i]));
	add_count(report, "locks_total", k->nr_locks);
	add_count(left_out, "locks", k->left_out.locks);
	add_count(left_out, "edges", k->left_out.edges);
	add_count(left_out, "stacks", k->left_out.stacks);
}

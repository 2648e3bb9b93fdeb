// SPDX-License-Identifier: GPL-2.0
/*
 * report.c - collects a whole watch, interval by interval, from what the engine counts. PURE.
 *
 * Invariants: what a number means is the engine's matter (window.h); arrays stay sorted; nothing
 * that has no room is dropped without being counted.
 */
#define _GNU_SOURCE
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "window.h"

struct headway_report *headway_report_new(void)
{
	struct headway_report *r = calloc(1, sizeof(*r));

	if (r)
		r->merge = 1;
	return r;
}

void headway_report_free(struct headway_report *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->nr_actors; i++)
		free(r->actors[i].columns);
	for (size_t i = 0; i < r->nr_locks; i++)
		free(r->locks[i].columns);
	free(r->findings);
	free(r);
}

/* --- sorted arrays ---------------------------------------------------------------------------- */

typedef int (*compare_fn)(const void *a, const void *b);

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_actors(const void *pa, const void *pb)
{
	const struct headway_report_actor *a = pa, *b = pb;
	int order = compare_u64(a->tid, b->tid);

	return order ? order : compare_u64(a->start_ns, b->start_ns);
}

static int compare_locks(const void *pa, const void *pb)
{
	const struct headway_report_lock *a = pa, *b = pb;
	int order = compare_u64(a->tgid, b->tgid);

	return order ? order : compare_u64(a->addr, b->addr);
}

static int compare_stacks(const void *pa, const void *pb)
{
	const struct headway_report_stack *a = pa, *b = pb;
	int order = compare_u64(a->tgid, b->tgid);

	return order ? order : (a->id > b->id) - (a->id < b->id);
}

static int compare_edges(const void *pa, const void *pb)
{
	const struct headway_report_edge *a = pa, *b = pb;
	int order = compare_u64(a->from_tid, b->from_tid);

	if (!order)
		order = compare_u64(a->to_tid, b->to_tid);
	return order ? order : compare_u64(a->addr, b->addr);
}

/*
 * The entry that equals key, or a copy of key put where it belongs; NULL when there is no room.
 * *nr grows then.
 */
static void *place_of(void *array, size_t *nr, size_t max, size_t size, const void *key,
		      compare_fn compare)
{
	char *base = array;
	size_t lo = 0, hi = *nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare(base + mid * size, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < *nr && !compare(base + lo * size, key))
		return base + lo * size;
	if (*nr == max)
		return NULL;
	memmove(base + (lo + 1) * size, base + lo * size, (*nr - lo) * size);
	memcpy(base + lo * size, key, size);
	++*nr;
	return base + lo * size;
}

/* Its columns are made when it has something to say; false: no memory. */
static bool has_columns(void *columns, size_t size)
{
	void **at = columns;

	if (!*at)
		*at = calloc(HEADWAY_REPORT_COLUMNS, size);
	return *at != NULL;
}

/* --- columns ---------------------------------------------------------------------------------- */

static void add_effort(struct headway_report_effort *to, const struct headway_report_effort *e)
{
	to->attempts += e->attempts;
	to->completions += e->completions;
	to->cpu_ns += e->cpu_ns;
}

static void add_pressure(struct headway_report_pressure *to,
			 const struct headway_report_pressure *p)
{
	to->contentions += p->contentions;
	if (p->sleepers > to->sleepers)
		to->sleepers = p->sleepers;
}

static void merge_columns(struct headway_report *r)
{
	for (size_t i = 0; i < r->nr_columns; i += 2) {
		struct headway_report_column *to = &r->columns[i / 2];

		*to = r->columns[i];
		if (i + 1 == r->nr_columns)
			break;
		to->end_ns = r->columns[i + 1].end_ns;
		to->judged |= r->columns[i + 1].judged;
		if (r->columns[i + 1].state > to->state)
			to->state = r->columns[i + 1].state;
	}
}

static void merge_effort(struct headway_report_effort *cells)
{
	for (size_t i = 0; i < HEADWAY_REPORT_COLUMNS / 2; i++) {
		struct headway_report_effort both = cells[2 * i];

		add_effort(&both, &cells[2 * i + 1]);
		cells[i] = both;
	}
	memset(cells + HEADWAY_REPORT_COLUMNS / 2, 0, sizeof(*cells) * HEADWAY_REPORT_COLUMNS / 2);
}

static void merge_pressure(struct headway_report_pressure *cells)
{
	for (size_t i = 0; i < HEADWAY_REPORT_COLUMNS / 2; i++) {
		struct headway_report_pressure both = cells[2 * i];

		add_pressure(&both, &cells[2 * i + 1]);
		cells[i] = both;
	}
	memset(cells + HEADWAY_REPORT_COLUMNS / 2, 0, sizeof(*cells) * HEADWAY_REPORT_COLUMNS / 2);
}

static void halve(struct headway_report *r)
{
	merge_columns(r);
	for (size_t i = 0; i < r->nr_actors; i++)
		if (r->actors[i].columns)
			merge_effort(r->actors[i].columns);
	for (size_t i = 0; i < r->nr_locks; i++)
		if (r->locks[i].columns)
			merge_pressure(r->locks[i].columns);
	r->nr_columns /= 2;
	r->merge *= 2;
	r->merged = r->merge;
}

/* The column that this interval belongs to. */
static size_t begin_interval(struct headway_report *r, uint64_t start_ns, uint64_t end_ns)
{
	struct headway_report_column *c;

	if (r->nr_columns && r->merged < r->merge) {
		c = &r->columns[r->nr_columns - 1];
	} else {
		if (r->nr_columns == HEADWAY_REPORT_COLUMNS)
			halve(r);
		c = &r->columns[r->nr_columns++];
		*c = (struct headway_report_column){ .start_ns = start_ns };
		r->merged = 0;
	}
	r->merged++;
	c->end_ns = end_ns;
	return r->nr_columns - 1;
}

void headway_report_interval(struct headway_report *r, uint64_t start_ns, uint64_t end_ns)
{
	begin_interval(r, start_ns, end_ns);
}

void headway_report_judge(struct headway_report *r, enum headway_verdict state)
{
	struct headway_report_column *c = &r->columns[r->nr_columns ? r->nr_columns - 1 : 0];

	if (!r->nr_columns)
		return;
	c->judged = true;
	if (state > c->state)
		c->state = state;
}

/* --- one interval ----------------------------------------------------------------------------- */

static int take_actor(struct headway_report *r, const struct headway_actor *a, size_t column)
{
	struct headway_report_actor key = {
		.tid = a->now.rec.tid, .tgid = a->now.rec.tgid, .start_ns = a->now.rec.start_ns,
	};
	struct headway_report_effort e = {
		.attempts = headway_actor_attempts(a) + a->tries, .cpu_ns = a->cpu_ns,
		.completions = headway_actor_gains(a) + a->progress,
	};
	struct headway_report_actor *to = place_of(r->actors, &r->nr_actors, HEADWAY_REPORT_ACTORS,
						   sizeof(key), &key, compare_actors);

	if (!to) {
		r->left_out.actors++;
		return 0;
	}
	memcpy(to->comm, a->now.rec.comm, sizeof(to->comm));
	if (!e.attempts && !e.completions && !e.cpu_ns)
		return 0;
	if (!has_columns(&to->columns, sizeof(*to->columns)))
		return -ENOMEM;
	add_effort(&to->all, &e);
	add_effort(&to->columns[column], &e);
	return 0;
}

static struct headway_report_lock *lock_of(struct headway_report *r, uint32_t tgid, uint64_t addr)
{
	struct headway_report_lock key = { .tgid = tgid, .addr = addr, .kind = HEADWAY_KIND_FUTEX };
	struct headway_report_lock *l = place_of(r->locks, &r->nr_locks, HEADWAY_REPORT_LOCKS,
						 sizeof(key), &key, compare_locks);

	if (!l)
		r->left_out.locks++;
	return l;
}

static void take_edge(struct headway_report *r, const struct headway_actor *from,
		      const struct headway_actor *to, uint64_t addr, uint64_t fails)
{
	struct headway_report_edge key = {
		.from_tid = from->now.rec.tid, .to_tid = to->now.rec.tid,
		.tgid = from->now.rec.tgid, .addr = addr,
	};
	struct headway_report_edge *e = place_of(r->edges, &r->nr_edges, HEADWAY_REPORT_EDGES,
						 sizeof(key), &key, compare_edges);

	if (!e)
		r->left_out.edges++;
	else if (fails)
		e->fails += fails;
	else
		e->asleep++;
}

static void take_stack(struct headway_report *r, uint32_t tgid, int32_t id, uint64_t fails)
{
	struct headway_report_stack key = { .tgid = tgid, .id = id };
	struct headway_report_stack *s = place_of(r->stacks, &r->nr_stacks, HEADWAY_REPORT_STACKS,
						  sizeof(key), &key, compare_stacks);

	if (!s)
		r->left_out.stacks++;
	else if (fails)
		s->fails += fails;
	else
		s->asleep++;
}

static uint64_t waits_of(const struct headway_lock_rec *d)
{
	return d->wait_ok + d->wait_eagain + d->wait_timeout + d->wait_intr + d->wait_other;
}

static int take_contact(struct headway_report *r, const struct headway_view *v,
			const struct headway_contact *c, size_t column)
{
	const struct headway_actor *a = &v->actors[c->actor];
	bool mutex = c->is_mutex || c->key.kind != HEADWAY_KIND_FUTEX;
	uint64_t waits = waits_of(&c->delta), fails = headway_contact_fails(c);
	struct headway_report_pressure p = { .contentions = c->delta.try_fail };
	struct headway_report_lock *l;
	long owner = headway_view_find_ns(v, a->now.rec.tgid, c->owner);

	if (mutex)
		p.contentions += waits;
	if (!waits && !c->delta.try_ok && !c->delta.try_fail && !c->wins)
		return 0;
	l = lock_of(r, a->now.rec.tgid, c->key.addr);
	if (!l)
		return 0;
	if (!has_columns(&l->columns, sizeof(*l->columns)))
		return -ENOMEM;
	if (c->key.kind > l->kind)
		l->kind = c->key.kind;
	l->is_mutex |= mutex;
	if (owner >= 0)
		l->owner_tid = v->actors[owner].now.rec.tid;
	l->acquisitions += c->delta.try_ok + c->wins;
	l->waits += waits;
	l->wait_ns += c->delta.wait_ns;
	l->timeouts += c->delta.wait_timeout;
	add_pressure(&l->all, &p);
	add_pressure(&l->columns[column], &p);
	if (fails && c->now.fail_stack >= 0)
		take_stack(r, a->now.rec.tgid, c->now.fail_stack, fails);
	if (fails && owner >= 0 && (size_t)owner != c->actor)
		take_edge(r, a, &v->actors[owner], c->key.addr, fails);
	return 0;
}

/* A thread that has slept on a word all through the interval. */
static void take_sleeper(struct headway_report *r, const struct headway_view *v,
			 const struct headway_actor *a)
{
	const struct headway_thread_rec *rec = &a->now.rec;
	const struct headway_contact *c;
	struct headway_report_lock *l;
	long owner;

	if (!a->now.alive || !rec->wait_addr || rec->wait_since_ns > v->start_ns)
		return;
	owner = headway_view_wait_owner(v, rec);
	c = headway_view_contact(v, rec->tid, HEADWAY_KIND_FUTEX, rec->wait_addr);
	if (owner < 0 && !(c && c->is_mutex))
		return;	/* it may well wait for work */
	l = lock_of(r, rec->tgid, rec->wait_addr);
	if (!l)
		return;
	l->is_mutex = true;
	l->sleepers_now++;
	if (c && c->now.fail_stack >= 0)
		take_stack(r, rec->tgid, c->now.fail_stack, 0);
	if (owner < 0)
		return;
	l->owner_tid = v->actors[owner].now.rec.tid;
	take_edge(r, a, &v->actors[owner], rec->wait_addr, 0);
}

static int end_interval(struct headway_report *r, size_t column)
{
	for (size_t i = 0; i < r->nr_locks; i++) {
		struct headway_report_lock *l = &r->locks[i];
		struct headway_report_pressure p = { .sleepers = l->sleepers_now };

		if (!p.sleepers)
			continue;
		l->sleepers_now = 0;
		if (!has_columns(&l->columns, sizeof(*l->columns)))
			return -ENOMEM;
		add_pressure(&l->all, &p);
		add_pressure(&l->columns[column], &p);
	}
	return 0;
}

void headway_report_changes(void *ctx, const struct headway_view *v)
{
	struct headway_report *r = ctx;
	size_t column = begin_interval(r, v->start_ns, v->end_ns);
	int err = 0;

	for (size_t i = 0; i < v->nr_actors && !err; i++) {
		err = take_actor(r, &v->actors[i], column);
		take_sleeper(r, v, &v->actors[i]);
	}
	for (size_t i = 0; i < v->nr_contacts && !err; i++)
		err = take_contact(r, v, &v->contacts[i], column);
	r->err = err ? err : end_interval(r, column);
}

/* --- findings --------------------------------------------------------------------------------- */

int headway_report_add_finding(struct headway_report *r, const struct headway_finding *f,
			       uint64_t at_ns)
{
	struct headway_report_finding *bigger;

	if (r->nr_findings == HEADWAY_REPORT_FINDINGS) {
		r->left_out.findings++;
		return 0;
	}
	bigger = reallocarray(r->findings, r->nr_findings + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	r->findings = bigger;
	bigger[r->nr_findings++] = (struct headway_report_finding){
		.finding = *f, .at_ns = at_ns, .until_ns = at_ns,
	};
	return 0;
}

static bool is_same(const struct headway_finding *a, const struct headway_finding *b)
{
	return a->verdict == b->verdict && a->pid == b->pid &&
	       a->first_seen_ns == b->first_seen_ns && a->latency_ns == b->latency_ns &&
	       a->nr_actors && a->actors[0].tid == b->actors[0].tid;
}

static bool holds(const struct headway_detect *d, const struct headway_finding *f)
{
	const struct headway_finding *held;

	for (size_t i = 0; (held = headway_detect_holds(d, i)); i++)
		if (is_same(held, f))
			return true;
	return false;
}

static int take_findings(struct headway_report *r, const struct headway_detect *d, uint64_t now_ns)
{
	const struct headway_finding *fresh;
	size_t nr = headway_detect_findings(d, &fresh);
	int err = 0;

	for (size_t i = 0; i < nr && !err; i++)
		err = headway_report_add_finding(r, &fresh[i], now_ns);
	for (size_t i = 0; i < r->nr_findings; i++) {
		struct headway_report_finding *f = &r->findings[i];

		if (holds(d, &f->finding))
			f->until_ns = now_ns;
		else
			f->over = true;
	}
	return err;
}

int headway_report_look(struct headway_report *r, const struct headway_detect *d, uint64_t time_ns)
{
	const struct headway_assessment *a = headway_detect_assessment(d);
	int err;

	if (!r->began_ns)
		r->began_ns = time_ns;
	err = take_findings(r, d, time_ns - r->began_ns);
	if (a->judged)
		headway_report_judge(r, a->state);
	return err ? err : r->err;
}

const struct headway_report_actor *headway_report_find_actor(const struct headway_report *r,
							     uint32_t tid)
{
	size_t lo = 0, hi = r->nr_actors;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->actors[mid].tid <= tid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && r->actors[lo - 1].tid == tid ? &r->actors[lo - 1] : NULL;
}

const struct headway_report_actor *headway_report_find_process(const struct headway_report *r,
							       uint32_t tgid)
{
	const struct headway_report_actor *a = headway_report_find_actor(r, tgid);

	for (size_t i = 0; i < r->nr_actors && !a; i++)
		if (r->actors[i].tgid == tgid)
			a = &r->actors[i];
	return a;
}

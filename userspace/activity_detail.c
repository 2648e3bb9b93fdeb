// SPDX-License-Identifier: GPL-2.0
/*
 * activity_detail.c - the threads and locks of one process in the last window, and who waits for
 * whom. PURE.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "activity_internal.h"

static void fill_thread(struct headway_activity_thread *t, const struct headway_judge *j,
			size_t actor)
{
	const struct headway_view *v = j->v;
	const struct headway_actor *a = &v->actors[actor];
	const struct headway_thread_rec *rec = &a->now.rec;
	const struct headway_contact *c = headway_judge_main_contact(j, actor), *wait = NULL;
	long owner = headway_view_wait_owner(v, rec);

	*t = (struct headway_activity_thread){
		.tid = rec->tid, .state = a->now.state, .cpu_share = a->cpu_share,
		.attempts = headway_actor_attempts(a) + (a->tries ? a->tries : a->progress),
		.fails = headway_actor_fails(a),
		.completions = headway_actor_gains(a) + a->progress,
		.wait_addr = rec->wait_addr, .stack_id = -1,
		.tries_addr = c ? c->key.addr : 0,
	};
	memcpy(t->comm, rec->comm, sizeof(t->comm));
	if (rec->wait_addr) {
		t->waited_ns = v->end_ns > rec->wait_since_ns ? v->end_ns - rec->wait_since_ns : 0;
		wait = headway_view_contact(v, rec->tid, HEADWAY_KIND_FUTEX, rec->wait_addr);
	}
	if (owner >= 0)
		t->owner_tid = v->actors[owner].now.rec.tid;
	if (wait && wait->now.fail_stack >= 0)
		t->stack_id = wait->now.fail_stack;
	else if (c)
		t->stack_id = c->now.fail_stack;
}

/* The actors of the process are a range of by_ns. */
static size_t find_process(const struct headway_view *v, uint32_t pid, size_t *end)
{
	size_t i = 0, k;

	while (i < v->nr_actors && v->actors[v->by_ns[i]].now.rec.tgid != pid)
		i++;
	for (k = i; k < v->nr_actors && v->actors[v->by_ns[k]].now.rec.tgid == pid; k++)
		;
	*end = k;
	return i;
}

static int compare_threads(const void *pa, const void *pb)
{
	const struct headway_activity_thread *a = pa, *b = pb;

	return (a->tid > b->tid) - (a->tid < b->tid);
}

/* --- locks ------------------------------------------------------------------------------------ */

static void add_contact(struct headway_activity_lock *l, const struct headway_view *v,
			const struct headway_contact *c)
{
	const struct headway_actor *a = &v->actors[c->actor];
	long owner = headway_view_find_ns(v, a->now.rec.tgid, c->owner);

	l->is_mutex |= c->is_mutex;
	l->fails += headway_contact_fails(c);
	l->got += c->key.kind == HEADWAY_KIND_FUTEX ? c->wins : c->delta.try_ok;
	l->waits += c->delta.wait_ok + c->delta.wait_timeout;
	l->wait_ns += c->delta.wait_ns;
	l->waiters += a->now.alive && a->now.rec.wait_addr == c->key.addr;
	if (owner >= 0)
		l->owner_tid = v->actors[owner].now.rec.tid;
}

static int compare_addresses(const void *pa, const void *pb)
{
	const struct headway_activity_lock *a = pa, *b = pb;

	return (a->addr > b->addr) - (a->addr < b->addr);
}

static int compare_heat(const void *pa, const void *pb)
{
	const struct headway_activity_lock *a = pa, *b = pb;

	if (a->fails != b->fails)
		return a->fails < b->fails ? 1 : -1;
	if (a->waiters != b->waiters)
		return a->waiters < b->waiters ? 1 : -1;
	if (a->waits != b->waits)
		return a->waits < b->waits ? 1 : -1;
	return compare_addresses(pa, pb);
}

/* One word is one lock, whether it was tried or waited for. */
static void merge_locks(struct headway_activity *out)
{
	size_t nr = 0;

	for (size_t i = 0; i < out->nr_locks; i++) {
		struct headway_activity_lock *last = nr ? &out->locks[nr - 1] : NULL;
		const struct headway_activity_lock *l = &out->locks[i];

		if (!last || last->addr != l->addr) {
			out->locks[nr++] = *l;
			continue;
		}
		if (l->kind > last->kind)
			last->kind = l->kind;
		last->is_mutex |= l->is_mutex;
		last->fails += l->fails;
		last->got += l->got;
		last->waits += l->waits;
		last->wait_ns += l->wait_ns;
		last->waiters += l->waiters;
		if (l->owner_tid)
			last->owner_tid = l->owner_tid;
	}
	out->nr_locks = nr;
}

static int collect_locks(struct headway_activity *out, const struct headway_view *v, size_t first,
			 size_t end)
{
	size_t room = 1;

	for (size_t i = first; i < end; i++)
		room += v->actors[v->by_ns[i]].nr_contacts;
	out->locks = calloc(room, sizeof(*out->locks));
	if (!out->locks)
		return -ENOMEM;
	for (size_t i = first; i < end; i++) {
		const struct headway_actor *a = &v->actors[v->by_ns[i]];

		for (size_t k = 0; k < a->nr_contacts; k++) {
			const struct headway_contact *c = &v->contacts[a->first_contact + k];
			struct headway_activity_lock *l = &out->locks[out->nr_locks++];

			l->addr = c->key.addr;
			l->kind = c->key.kind;
			add_contact(l, v, c);
		}
	}
	qsort(out->locks, out->nr_locks, sizeof(*out->locks), compare_addresses);
	merge_locks(out);
	qsort(out->locks, out->nr_locks, sizeof(*out->locks), compare_heat);
	return 0;
}

/* --- who waits for whom ----------------------------------------------------------------------- */

static int compare_edges(const void *pa, const void *pb)
{
	const struct headway_activity_edge *a = pa, *b = pb;

	if (a->waiter_tid != b->waiter_tid)
		return a->waiter_tid < b->waiter_tid ? -1 : 1;
	if (a->holder_tid != b->holder_tid)
		return a->holder_tid < b->holder_tid ? -1 : 1;
	return (a->lock > b->lock) - (a->lock < b->lock);
}

/* Either end is in the process. */
static void add_edges(struct headway_activity *out, const struct headway_view *v,
		      const struct headway_graph *g, uint32_t pid, bool blocked)
{
	for (size_t i = 0; i < g->nr_edges; i++) {
		const struct headway_edge *e = &g->edges[i];
		const struct headway_thread_rec *from = &v->actors[e->from].now.rec;
		const struct headway_thread_rec *to = &v->actors[e->to].now.rec;

		if (from->tgid == pid || to->tgid == pid)
			out->edges[out->nr_edges++] = (struct headway_activity_edge){
				from->tid, to->tid, e->lock, blocked,
			};
	}
}

static int collect_edges(struct headway_activity *out, const struct headway_judge *j, uint32_t pid)
{
	out->edges = calloc(j->waits.nr_edges + j->tries.nr_edges + 1, sizeof(*out->edges));
	if (!out->edges)
		return -ENOMEM;
	add_edges(out, j->v, &j->waits, pid, true);
	add_edges(out, j->v, &j->tries, pid, false);
	qsort(out->edges, out->nr_edges, sizeof(*out->edges), compare_edges);
	return 0;
}

int headway_activity_details(struct headway_activity *a, const struct headway_judge *j,
			     uint32_t pid)
{
	const struct headway_view *v = j->v;
	size_t end, first = find_process(v, pid, &end);
	int err;

	a->threads = calloc(end - first + 1, sizeof(*a->threads));
	if (!a->threads)
		return -ENOMEM;
	for (size_t i = first; i < end; i++)
		if (v->actors[v->by_ns[i]].now.alive)
			fill_thread(&a->threads[a->nr_threads++], j, v->by_ns[i]);
	qsort(a->threads, a->nr_threads, sizeof(*a->threads), compare_threads);
	err = collect_locks(a, v, first, end);
	return err ? err : collect_edges(a, j, pid);
}

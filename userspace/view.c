// SPDX-License-Identifier: GPL-2.0
/*
 * view.c - what changed in a window: differences per thread (per word: contact.c). PURE.
 *
 * Invariants: a counter of a key that was not there when the window began counts from 0; a tid is
 * a thread only together with its start time; a thread that left the snapshots stays an actor
 * until the window has passed it, because what it completed was progress.
 */
#define _GNU_SOURCE
#include "window.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>

#include "futexword.h"
#include "lockshape.h"

const struct headway_snap_thread *headway_snap_find_thread(const struct headway_snapshot *s,
							   uint32_t tid)
{
	size_t lo = 0, hi = s->nr_threads;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->threads[mid].rec.tid < tid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->nr_threads && s->threads[lo].rec.tid == tid ? &s->threads[lo] : NULL;
}

const struct headway_snap_lock *headway_snap_find_lock(const struct headway_snapshot *s,
						       const struct headway_lock_key *key)
{
	size_t lo = 0, hi = s->nr_locks;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (headway_compare_keys(&s->locks[mid].key, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == s->nr_locks || headway_compare_keys(&s->locks[lo].key, key))
		return NULL;
	return &s->locks[lo];
}

static uint64_t waits_of(const struct headway_lock_rec *l)
{
	return l->wait_ok + l->wait_eagain + l->wait_timeout + l->wait_intr + l->wait_other;
}

/* Has a wait for this word ended since `before`, and after the thread's last wait began? */
static bool waited_here(const struct headway_snap_lock *l, const struct headway_snapshot *before,
			uint64_t since_ns)
{
	const struct headway_snap_lock *b = headway_snap_find_lock(before, &l->key);
	bool same = b && b->rec.first_ns == l->rec.first_ns;

	return l->rec.last_ns >= since_ns && waits_of(&l->rec) > (same ? waits_of(&b->rec) : 0);
}

bool headway_snap_wait(const struct headway_snapshot *s, const struct headway_snapshot *before,
		       const struct headway_snap_thread *t, struct headway_thread_rec *out)
{
	struct headway_lock_key from = { .tid = t->rec.tid, .kind = HEADWAY_KIND_FUTEX };
	size_t lo = 0, hi = s->nr_locks;

	*out = t->rec;
	if (t->rec.wait_addr)
		return true;
	if (!t->rec.wait_since_ns)
		return false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (headway_compare_keys(&s->locks[mid].key, &from) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	/* Two such words: it may have been either. */
	for (; lo < s->nr_locks && s->locks[lo].key.tid == t->rec.tid &&
	       s->locks[lo].key.kind == HEADWAY_KIND_FUTEX; lo++) {
		if (!waited_here(&s->locks[lo], before, t->rec.wait_since_ns))
			continue;
		if (out->wait_addr)
			return false;
		out->wait_addr = s->locks[lo].key.addr;
	}
	return out->wait_addr != 0;
}

static void thread_delta(struct headway_thread_rec *d, const struct headway_thread_rec *now,
			 const struct headway_thread_rec *base)
{
	d->yields = headway_grown(now->yields, base->yields);
	d->sleeps = headway_grown(now->sleeps, base->sleeps);
	d->futex_waits = headway_grown(now->futex_waits, base->futex_waits);
	d->futex_wakes = headway_grown(now->futex_wakes, base->futex_wakes);
	d->try_ok = headway_grown(now->try_ok, base->try_ok);
	d->try_fail = headway_grown(now->try_fail, base->try_fail);
	d->aborts = headway_grown(now->aborts, base->aborts);
	d->commits = headway_grown(now->commits, base->commits);
}

static int compare_actors(const void *pa, const void *pb)
{
	const struct headway_actor *a = pa, *b = pb;

	if (a->now.rec.tid != b->now.rec.tid)
		return a->now.rec.tid < b->now.rec.tid ? -1 : 1;
	if (a->now.rec.start_ns != b->now.rec.start_ns)
		return a->now.rec.start_ns < b->now.rec.start_ns ? -1 : 1;
	return 0;
}

/* Of actors in order from *@at on, which is moved: the one that a thread is, or NULL. */
static struct headway_actor *next_actor(struct headway_actor *actors, size_t nr, size_t *at,
					const struct headway_thread_rec *rec)
{
	const struct headway_actor key = { .now.rec = { .tid = rec->tid,
							.start_ns = rec->start_ns } };

	while (*at < nr && compare_actors(&actors[*at], &key) < 0)
		++*at;
	return *at < nr && !compare_actors(&actors[*at], &key) ? &actors[*at] : NULL;
}

/* Those of an older slot who have left since. */
static int add_departed(struct headway_view *v, const struct headway_snapshot *s)
{
	size_t known = v->nr_actors, departed = 0, at = 0;
	struct headway_actor *more;

	for (size_t k = 0; k < s->nr_threads; k++)
		departed += !next_actor(v->actors, known, &at, &s->threads[k].rec);
	if (!departed)
		return 0;
	more = realloc(v->actors, (known + departed) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	v->actors = more;
	memset(&more[known], 0, departed * sizeof(*more));
	at = 0;
	for (size_t k = 0; k < s->nr_threads; k++) {
		if (next_actor(more, known, &at, &s->threads[k].rec))
			continue;
		more[v->nr_actors].now = s->threads[k];
		more[v->nr_actors].now.alive = false;
		more[v->nr_actors++].now.rec.wait_addr = 0;
	}
	qsort(more, v->nr_actors, sizeof(*more), compare_actors);
	return 0;
}

/* The union of the threads of all slots, each with the newest record there is. */
static int collect_actors(struct headway_view *v)
{
	const struct headway_snapshot *newest = v->slots[v->nr_slots - 1];
	int err = 0;

	v->actors = calloc(newest->nr_threads + 1, sizeof(*v->actors));
	if (!v->actors)
		return -ENOMEM;
	for (; v->nr_actors < newest->nr_threads; v->nr_actors++)
		v->actors[v->nr_actors].now = newest->threads[v->nr_actors];
	for (size_t i = v->nr_slots - 1; i-- && !err;)
		err = add_departed(v, v->slots[i]);
	return err;
}

static bool is_asleep(char state)
{
	return state == 'S' || state == 'D' || state == 'T' || state == 't';
}

/* What slot @i says of an actor; *@fails: the failed tries that the slot before it said. */
static void measure_slot(struct headway_actor *a, size_t i, const struct headway_snap_thread *t,
			 uint64_t *fails)
{
	if (i == 0) {
		thread_delta(&a->delta, &a->now.rec, &t->rec);
		a->cpu_ns = a->now.cpu_ns > t->cpu_ns ? a->now.cpu_ns - t->cpu_ns : 0;
	} else if (headway_grown(t->rec.try_fail, *fails)) {
		a->try_mask |= 1ull << (i - 1);
	}
	*fails = t->rec.try_fail;
	a->whole |= i <= 1;
	a->samples++;
	a->off_cpu_samples += is_asleep(t->state);
}

/* Slot by slot, as their threads and the actors are in the same order. */
static int measure_actors(struct headway_view *v)
{
	static const struct headway_thread_rec zero;
	uint64_t *fails = calloc(v->nr_actors + 1, sizeof(*fails));

	if (!fails)
		return -ENOMEM;
	for (size_t k = 0; k < v->nr_actors; k++) {
		thread_delta(&v->actors[k].delta, &v->actors[k].now.rec, &zero);
		v->actors[k].cpu_ns = v->actors[k].now.cpu_ns;
	}
	for (size_t i = 0; i < v->nr_slots; i++) {
		const struct headway_snapshot *s = v->slots[i];
		size_t at = 0;

		for (size_t k = 0; k < s->nr_threads; k++) {
			struct headway_actor *a = next_actor(v->actors, v->nr_actors, &at,
							     &s->threads[k].rec);

			if (a)
				measure_slot(a, i, &s->threads[k], &fails[a - v->actors]);
		}
	}
	for (size_t k = 0; k < v->nr_actors; k++)
		v->actors[k].cpu_share = (double)v->actors[k].cpu_ns /
					 (double)(v->end_ns - v->start_ns);
	free(fails);
	return 0;
}

static int compare_ns(const void *pa, const void *pb, void *arg)
{
	const struct headway_view *v = arg;
	const struct headway_thread_rec *a = &v->actors[*(const size_t *)pa].now.rec;
	const struct headway_thread_rec *b = &v->actors[*(const size_t *)pb].now.rec;

	if (a->tgid != b->tgid)
		return a->tgid < b->tgid ? -1 : 1;
	if (a->ns_tid != b->ns_tid)
		return a->ns_tid < b->ns_tid ? -1 : 1;
	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? -1 : 1;
	return 0;
}

static int index_actors(struct headway_view *v)
{
	v->by_ns = calloc(v->nr_actors ? v->nr_actors : 1, sizeof(*v->by_ns));
	if (!v->by_ns)
		return -ENOMEM;
	for (size_t i = 0; i < v->nr_actors; i++)
		v->by_ns[i] = i;
	if (v->nr_actors)
		qsort_r(v->by_ns, v->nr_actors, sizeof(*v->by_ns), compare_ns, v);
	return 0;
}

long headway_view_find_ns(const struct headway_view *v, uint32_t tgid, uint32_t ns_tid)
{
	size_t lo = 0, hi = v->nr_actors;

	if (!ns_tid)
		return -1;
	/* The end of the run of equal keys: the newest thread of that id. */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct headway_thread_rec *r = &v->actors[v->by_ns[mid]].now.rec;

		if (r->tgid < tgid || (r->tgid == tgid && r->ns_tid <= ns_tid))
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return -1;
	lo = v->by_ns[lo - 1];
	if (v->actors[lo].now.rec.tgid != tgid || v->actors[lo].now.rec.ns_tid != ns_tid)
		return -1;
	return (long)lo;
}

long headway_view_find_tid(const struct headway_view *v, uint32_t tid)
{
	size_t lo = 0, hi = v->nr_actors;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (v->actors[mid].now.rec.tid <= tid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && v->actors[lo - 1].now.rec.tid == tid ? (long)lo - 1 : -1;
}

long headway_view_wait_owner(const struct headway_view *v, const struct headway_thread_rec *rec)
{
	uint32_t owner = headway_futex_owner(rec->wait_op, rec->wait_flags, rec->wait_word,
					     rec->wait_owner);
	long found, other = -1;

	if (!rec->wait_addr || !owner)
		return -1;
	found = headway_view_find_ns(v, rec->tgid, owner);
	if (found >= 0 || (rec->wait_flags & HEADWAY_WAIT_PRIVATE))
		return found;
	/* A process-shared word: a thread of any watched process, if only one fits. */
	for (size_t i = 0; i < v->nr_actors; i++) {
		if (v->actors[i].now.rec.ns_tid != owner || !v->actors[i].now.alive)
			continue;
		if (other >= 0)
			return -1;
		other = (long)i;
	}
	return other;
}

long headway_view_joined(const struct headway_view *v, const struct headway_thread_rec *rec)
{
	long actor;

	if (!rec->wait_addr || !rec->wait_word || rec->wait_flags & HEADWAY_WAIT_PRIVATE ||
	    (rec->wait_op != FUTEX_WAIT && rec->wait_op != FUTEX_WAIT_BITSET))
		return -1;
	actor = headway_view_find_ns(v, rec->tgid, rec->wait_word);
	return actor >= 0 && v->actors[actor].now.exit_word == rec->wait_addr ? actor : -1;
}

bool headway_view_is_mutex(const struct headway_thread_rec *rec)
{
	return !headway_shape_is_rwlock(headway_shape_of(rec->wait_flags));
}

static void choose_slots(struct headway_view *v, const struct headway_window *w, size_t intervals)
{
	size_t skip = 0;

	if (intervals && w->nr > intervals + 1)
		skip = w->nr - intervals - 1;
	for (size_t i = skip; i < w->nr; i++)
		v->slots[v->nr_slots++] = &w->slots[(w->head + i) % HEADWAY_WINDOW_SLOTS];
}

int headway_view_build(struct headway_view *v, const struct headway_window *w,
		       const struct headway_mutexes *mutexes, size_t intervals)
{
	const struct headway_snapshot *first, *last;
	int err;

	memset(v, 0, sizeof(*v));
	if (w->nr < 2)
		return -EAGAIN;
	choose_slots(v, w, intervals);
	first = v->slots[0];
	last = v->slots[v->nr_slots - 1];
	v->start_ns = first->time_ns;
	v->end_ns = last->time_ns;
	v->interval_ns = w->interval_ns;
	v->mutexes = mutexes;
	v->full = !intervals && headway_window_full(w);
	v->missing_probes = last->missing_probes;
	for (size_t i = 0; i < v->nr_slots; i++)
		if (v->slots[i]->left_out > v->left_out)
			v->left_out = v->slots[i]->left_out;
	v->rested = last->rested_ns > first->rested_ns;
	v->tries_rested = last->tries_rested_ns > first->tries_rested_ns;
	for (int i = 0; i < HEADWAY_NR_COUNTERS; i++)
		v->counters[i] = headway_grown(last->counters[i], first->counters[i]);
	err = collect_actors(v);
	if (!err)
		err = index_actors(v);
	if (!err)
		err = measure_actors(v);
	if (!err)
		err = headway_view_collect_contacts(v);
	if (!err)
		err = headway_view_collect_marks(v);
	if (err)
		headway_view_free(v);
	return err;
}

void headway_view_free(struct headway_view *v)
{
	free(v->actors);
	free(v->by_ns);
	free(v->contacts);
	free(v->passages);
	free(v->marked);
	memset(v, 0, sizeof(*v));
}

double headway_view_seconds(const struct headway_view *v)
{
	return (double)(v->end_ns - v->start_ns) / 1e9;
}

const struct headway_contact *headway_view_contact(const struct headway_view *v, uint32_t tid,
						   uint32_t kind, uint64_t addr)
{
	struct headway_lock_key key = { .addr = addr, .tid = tid, .kind = kind };
	size_t lo = 0, hi = v->nr_contacts;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (headway_compare_keys(&v->contacts[mid].key, &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < v->nr_contacts && !headway_compare_keys(&v->contacts[lo].key, &key))
		return &v->contacts[lo];
	return NULL;
}

uint64_t headway_actor_completions(const struct headway_actor *a)
{
	return a->delta.commits + a->wins;
}

uint64_t headway_actor_gains(const struct headway_actor *a)
{
	return a->now.tries_hidden ? 0 : headway_actor_completions(a);
}

uint64_t headway_actor_fails(const struct headway_actor *a)
{
	return a->delta.try_fail + a->lost_races + a->wait_timeout;
}

uint64_t headway_actor_attempts(const struct headway_actor *a)
{
	return headway_actor_fails(a) + headway_actor_gains(a);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * view.c - what changed in a window: differences per thread and per (thread, word). PURE.
 *
 * Invariants: a counter of a key that was not there when the window began counts from 0; a tid is
 * a thread only together with its start time; a thread that left the snapshots stays an actor
 * until the window has passed it, because what it completed was progress.
 */
#define _GNU_SOURCE
#include "window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "futexword.h"

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

static int compare_keys(const struct headway_lock_key *a, const struct headway_lock_key *b)
{
	if (a->tid != b->tid)
		return a->tid < b->tid ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	return 0;
}

const struct headway_snap_lock *headway_snap_find_lock(const struct headway_snapshot *s,
						       const struct headway_lock_key *key)
{
	size_t lo = 0, hi = s->nr_locks;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare_keys(&s->locks[mid].key, key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->nr_locks && !compare_keys(&s->locks[lo].key, key) ? &s->locks[lo] : NULL;
}

bool headway_snap_wait(const struct headway_snapshot *s, const struct headway_snap_thread *t,
		       struct headway_thread_rec *out)
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

		if (compare_keys(&s->locks[mid].key, &from) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	/* The word that was waited for and touched since then; two such words: either may be it. */
	for (; lo < s->nr_locks && s->locks[lo].key.tid == t->rec.tid &&
	       s->locks[lo].key.kind == HEADWAY_KIND_FUTEX; lo++) {
		const struct headway_lock_rec *l = &s->locks[lo].rec;

		if (l->last_ns < t->rec.wait_since_ns ||
		    !(l->wait_ok + l->wait_eagain + l->wait_timeout + l->wait_intr + l->wait_other))
			continue;
		if (out->wait_addr)
			return false;
		out->wait_addr = s->locks[lo].key.addr;
	}
	return out->wait_addr != 0;
}

/* A record that was made anew (thread or key reused) starts from 0 again, never wraps. */
static uint64_t grown(uint64_t now, uint64_t base)
{
	return now >= base ? now - base : now;
}

static void thread_delta(struct headway_thread_rec *d, const struct headway_thread_rec *now,
			 const struct headway_thread_rec *base)
{
	d->yields = grown(now->yields, base->yields);
	d->sleeps = grown(now->sleeps, base->sleeps);
	d->futex_waits = grown(now->futex_waits, base->futex_waits);
	d->futex_wakes = grown(now->futex_wakes, base->futex_wakes);
	d->try_ok = grown(now->try_ok, base->try_ok);
	d->try_fail = grown(now->try_fail, base->try_fail);
	d->aborts = grown(now->aborts, base->aborts);
	d->commits = grown(now->commits, base->commits);
}

static void lock_delta(struct headway_lock_rec *d, const struct headway_lock_rec *now,
		       const struct headway_lock_rec *base)
{
	d->try_ok = grown(now->try_ok, base->try_ok);
	d->try_fail = grown(now->try_fail, base->try_fail);
	d->fail_holding = grown(now->fail_holding, base->fail_holding);
	d->wait_ok = grown(now->wait_ok, base->wait_ok);
	d->wait_eagain = grown(now->wait_eagain, base->wait_eagain);
	d->wait_timeout = grown(now->wait_timeout, base->wait_timeout);
	d->wait_intr = grown(now->wait_intr, base->wait_intr);
	d->wait_other = grown(now->wait_other, base->wait_other);
	d->wait_ns = grown(now->wait_ns, base->wait_ns);
	d->lost_races = grown(now->lost_races, base->lost_races);
	d->wakes = grown(now->wakes, base->wakes);
	d->woken = grown(now->woken, base->woken);
	d->fail_interval_sum_ns = grown(now->fail_interval_sum_ns, base->fail_interval_sum_ns);
	d->fail_owner_changes = (uint32_t)grown(now->fail_owner_changes, base->fail_owner_changes);
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

static struct headway_actor *find_actor(struct headway_view *v, const struct headway_thread_rec *rec)
{
	struct headway_actor key = { .now.rec = { .tid = rec->tid, .start_ns = rec->start_ns } };

	return bsearch(&key, v->actors, v->nr_actors, sizeof(key), compare_actors);
}

/* The union of the threads of all slots, each with the newest record there is. */
static int collect_actors(struct headway_view *v)
{
	size_t room = 0, nr = 0;

	for (size_t i = 0; i < v->nr_slots; i++)
		room += v->slots[i]->nr_threads;
	v->actors = calloc(room ? room : 1, sizeof(*v->actors));
	if (!v->actors)
		return -ENOMEM;
	/* Newest slot first: what is found there is current, older slots only add the departed. */
	for (size_t i = v->nr_slots; i--;) {
		const struct headway_snapshot *s = v->slots[i];
		size_t known = nr;

		v->nr_actors = known;
		for (size_t k = 0; k < s->nr_threads; k++) {
			struct headway_actor *a;

			if (known && find_actor(v, &s->threads[k].rec))
				continue;
			a = &v->actors[nr++];
			a->now = s->threads[k];
			if (i != v->nr_slots - 1) {
				a->now.alive = false;
				a->now.rec.wait_addr = 0;
			}
		}
		if (nr > known)
			qsort(v->actors, nr, sizeof(*v->actors), compare_actors);
	}
	v->nr_actors = nr;
	return 0;
}

static bool is_asleep(char state)
{
	return state == 'S' || state == 'D' || state == 'T' || state == 't';
}

static void measure_actor(struct headway_view *v, struct headway_actor *a)
{
	static const struct headway_thread_rec zero;
	const struct headway_thread_rec *prev = &zero, *base = &zero;
	uint64_t cpu_base = 0;
	bool early = false;

	for (size_t i = 0; i < v->nr_slots; i++) {
		const struct headway_snap_thread *t = headway_snap_find_thread(v->slots[i], a->now.rec.tid);

		if (!t || t->rec.start_ns != a->now.rec.start_ns)
			continue;
		if (i == 0) {
			base = &t->rec;
			cpu_base = t->cpu_ns;
		} else if (grown(t->rec.try_fail, prev->try_fail)) {
			a->try_mask |= 1ull << (i - 1);
		}
		prev = &t->rec;
		early |= i <= 1;
		a->samples++;
		a->off_cpu_samples += is_asleep(t->state);
	}
	thread_delta(&a->delta, &a->now.rec, base);
	a->cpu_ns = a->now.cpu_ns > cpu_base ? a->now.cpu_ns - cpu_base : 0;
	a->cpu_share = (double)a->cpu_ns / (double)(v->end_ns - v->start_ns);
	a->whole = early;
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
	/* A process-shared word: the owner may be a thread of any watched process, if only one fits. */
	for (size_t i = 0; i < v->nr_actors; i++) {
		if (v->actors[i].now.rec.ns_tid != owner || !v->actors[i].now.alive)
			continue;
		if (other >= 0)
			return -1;
		other = (long)i;
	}
	return other;
}

/* What the samples say about the owner of the word, for a thread that polls or waits there. */
static void measure_owner(struct headway_view *v, struct headway_contact *c)
{
	const struct headway_actor *a = &v->actors[c->actor];
	uint32_t last = 0;
	bool changed = c->delta.fail_owner_changes > 0;
	struct headway_thread_rec wait;

	c->is_mutex = c->key.kind == HEADWAY_KIND_PTHREAD_MUTEX ||
		      (v->mutexes && headway_mutexes_know(v->mutexes, a->now.rec.tgid, c->key.addr));

	for (size_t i = 1; i < v->nr_slots; i++) {
		const struct headway_snap_lock *l = headway_snap_find_lock(v->slots[i], &c->key);
		const struct headway_snap_thread *t = headway_snap_find_thread(v->slots[i], c->key.tid);
		uint32_t owner = l && l->rec.fail_last_ns >= v->start_ns ? l->rec.fail_owner : 0;

		if (c->key.kind == HEADWAY_KIND_FUTEX && t &&
		    t->rec.start_ns == a->now.rec.start_ns && headway_snap_wait(v->slots[i], t, &wait) &&
		    wait.wait_addr == c->key.addr) {
			long o = headway_view_wait_owner(v, &wait);

			if (o >= 0) {
				owner = v->actors[o].now.rec.ns_tid;
				c->is_mutex = true;
			}
		}
		if (!owner)
			continue;
		if (last && last != owner)
			changed = true;
		last = owner;
	}
	c->owner = last;
	c->owner_constant = last && !changed;
}

static uint64_t contact_wins(const struct headway_contact *c)
{
	uint64_t got;

	if (c->key.kind != HEADWAY_KIND_FUTEX)
		return 0;
	/*
	 * A contended glibc unlock always wakes, so own wakes count what was got. A return of 0 that
	 * is followed by another wait lost the race, if the word is a mutex at all.
	 */
	got = c->delta.wait_ok;
	if (c->is_mutex)
		got = got > c->delta.lost_races + 1 ? got - c->delta.lost_races : 0;
	return c->delta.wakes > got ? c->delta.wakes : got;
}

static void measure_contact(struct headway_view *v, struct headway_contact *c)
{
	static const struct headway_lock_rec zero;
	const struct headway_lock_rec *prev = &zero, *base = &zero;
	struct headway_actor *a = &v->actors[c->actor];

	for (size_t i = 0; i < v->nr_slots; i++) {
		const struct headway_snap_lock *l = headway_snap_find_lock(v->slots[i], &c->key);

		if (!l || l->rec.first_ns != c->now.first_ns)
			continue;
		if (i == 0)
			base = &l->rec;
		else if (grown(l->rec.try_fail, prev->try_fail) ||
			 grown(l->rec.wait_timeout, prev->wait_timeout) ||
			 grown(l->rec.lost_races, prev->lost_races))
			c->fail_mask |= 1ull << (i - 1);
		prev = &l->rec;
	}
	lock_delta(&c->delta, &c->now, base);
	measure_owner(v, c);
	a->fail_holding += c->delta.fail_holding;
	a->wait_returns += c->delta.wait_ok + c->delta.wait_eagain + c->delta.wait_timeout +
			   c->delta.wait_intr + c->delta.wait_other;
	a->wait_eagain += c->delta.wait_eagain;
	a->wait_timeout += c->delta.wait_timeout;
	a->lost_races += c->is_mutex ? c->delta.lost_races : 0;
	c->wins = contact_wins(c);
	a->wins += c->wins;
	/* Timeouts and lost races of a word that is no mutex are how idle threads wait. */
	if (c->is_mutex)
		a->try_mask |= c->fail_mask;
}

static int collect_contacts(struct headway_view *v)
{
	const struct headway_snapshot *s = v->slots[v->nr_slots - 1];

	v->contacts = calloc(s->nr_locks ? s->nr_locks : 1, sizeof(*v->contacts));
	if (!v->contacts)
		return -ENOMEM;
	for (size_t i = 0; i < s->nr_locks; i++) {
		struct headway_contact *c = &v->contacts[v->nr_contacts];
		long actor = headway_view_find_tid(v, s->locks[i].key.tid);

		if (actor < 0)
			continue;	/* its thread was never recorded: nothing to attach it to */
		c->key = s->locks[i].key;
		c->now = s->locks[i].rec;
		c->actor = (size_t)actor;
		if (!v->actors[actor].nr_contacts++)
			v->actors[actor].first_contact = v->nr_contacts;
		v->nr_contacts++;
		measure_contact(v, c);
	}
	return 0;
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
	for (int i = 0; i < HEADWAY_NR_COUNTERS; i++)
		v->counters[i] = grown(last->counters[i], first->counters[i]);
	err = collect_actors(v);
	if (!err)
		err = index_actors(v);
	if (err) {
		headway_view_free(v);
		return err;
	}
	for (size_t i = 0; i < v->nr_actors; i++)
		measure_actor(v, &v->actors[i]);
	err = collect_contacts(v);
	if (err)
		headway_view_free(v);
	return err;
}

void headway_view_free(struct headway_view *v)
{
	free(v->actors);
	free(v->by_ns);
	free(v->contacts);
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

		if (compare_keys(&v->contacts[mid].key, &key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < v->nr_contacts && !compare_keys(&v->contacts[lo].key, &key))
		return &v->contacts[lo];
	return NULL;
}

uint64_t headway_actor_completions(const struct headway_actor *a)
{
	return a->delta.commits + a->wins;
}

uint64_t headway_actor_fails(const struct headway_actor *a)
{
	return a->delta.try_fail + a->lost_races + a->wait_timeout;
}

uint64_t headway_actor_attempts(const struct headway_actor *a)
{
	return headway_actor_fails(a) + headway_actor_completions(a);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * contact.c - what each thread did at each word in the window, and what kind of word that is. PURE.
 *
 * Invariants: a key that was not there when the window began counts from 0; timeouts and lost races
 * count as failures only where the word is a mutex, because elsewhere they are how a thread idles.
 */
#include "window.h"

#include <errno.h>
#include <stdlib.h>

static void lock_delta(struct headway_lock_rec *d, const struct headway_lock_rec *now,
		       const struct headway_lock_rec *base)
{
	d->try_ok = headway_grown(now->try_ok, base->try_ok);
	d->try_fail = headway_grown(now->try_fail, base->try_fail);
	d->fail_holding = headway_grown(now->fail_holding, base->fail_holding);
	d->wait_ok = headway_grown(now->wait_ok, base->wait_ok);
	d->wait_eagain = headway_grown(now->wait_eagain, base->wait_eagain);
	d->wait_timeout = headway_grown(now->wait_timeout, base->wait_timeout);
	d->wait_intr = headway_grown(now->wait_intr, base->wait_intr);
	d->wait_other = headway_grown(now->wait_other, base->wait_other);
	d->wait_ns = headway_grown(now->wait_ns, base->wait_ns);
	d->lost_races = headway_grown(now->lost_races, base->lost_races);
	d->wakes = headway_grown(now->wakes, base->wakes);
	d->woken = headway_grown(now->woken, base->woken);
	d->fail_interval_sum_ns = headway_grown(now->fail_interval_sum_ns,
						base->fail_interval_sum_ns);
	d->fail_owner_changes = (uint32_t)headway_grown(now->fail_owner_changes,
							base->fail_owner_changes);
}

/* Where the last contact was in each slot: they come in one order, so that is where to look on. */
struct places {
	size_t lock[HEADWAY_WINDOW_SLOTS];
	size_t thread[HEADWAY_WINDOW_SLOTS];
};

static const struct headway_snap_lock *next_lock(const struct headway_snapshot *s, size_t *at,
						 const struct headway_lock_key *key)
{
	while (*at < s->nr_locks && headway_compare_keys(&s->locks[*at].key, key) < 0)
		++*at;
	return *at < s->nr_locks && !headway_compare_keys(&s->locks[*at].key, key) ?
	       &s->locks[*at] : NULL;
}

static const struct headway_snap_thread *next_thread(const struct headway_snapshot *s, size_t *at,
						     uint32_t tid)
{
	while (*at < s->nr_threads && s->threads[*at].rec.tid < tid)
		++*at;
	return *at < s->nr_threads && s->threads[*at].rec.tid == tid ? &s->threads[*at] : NULL;
}

/* What the samples say about the owner of the word, for a thread that polls or waits there. */
static void measure_owner(struct headway_view *v, struct headway_contact *c, struct places *p)
{
	const struct headway_actor *a = &v->actors[c->actor];
	uint32_t last = 0;
	bool changed = c->delta.fail_owner_changes > 0;
	struct headway_thread_rec wait;

	c->is_mutex = c->key.kind == HEADWAY_KIND_PTHREAD_MUTEX ||
		      (v->mutexes &&
		       headway_mutexes_know(v->mutexes, a->now.rec.tgid, c->key.addr));

	for (size_t i = 1; i < v->nr_slots; i++) {
		const struct headway_snap_lock *l = next_lock(v->slots[i], &p->lock[i], &c->key);
		const struct headway_snap_thread *t = next_thread(v->slots[i], &p->thread[i],
								  c->key.tid);
		uint32_t owner = l && l->rec.fail_last_ns >= v->start_ns ? l->rec.fail_owner : 0;

		if (c->key.kind == HEADWAY_KIND_FUTEX && t &&
		    t->rec.start_ns == a->now.rec.start_ns &&
		    headway_snap_wait(v->slots[i], v->slots[i - 1], t, &wait) &&
		    wait.wait_addr == c->key.addr) {
			long o = headway_view_wait_owner(v, &wait);

			if (o >= 0 && headway_view_is_mutex(&wait)) {
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

uint64_t headway_contact_fails(const struct headway_contact *c)
{
	if (c->key.kind == HEADWAY_KIND_PTHREAD_MUTEX)
		return c->delta.try_fail;
	return c->is_mutex ? c->delta.wait_timeout + c->delta.lost_races : 0;
}

static uint64_t contact_wins(const struct headway_contact *c)
{
	uint64_t got;

	if (c->key.kind != HEADWAY_KIND_FUTEX)
		return 0;
	/*
	 * A contended glibc unlock always wakes, so own wakes count what was got. A return of
	 * 0 that is followed by another wait lost the race, if the word is a mutex at all.
	 */
	got = c->delta.wait_ok;
	if (c->is_mutex)
		got = got > c->delta.lost_races + 1 ? got - c->delta.lost_races : 0;
	return c->delta.wakes > got ? c->delta.wakes : got;
}

static void measure_contact(struct headway_view *v, struct headway_contact *c, struct places *p)
{
	static const struct headway_lock_rec zero;
	const struct headway_lock_rec *prev = &zero, *base = &zero;

	for (size_t i = 0; i < v->nr_slots; i++) {
		const struct headway_snap_lock *l = next_lock(v->slots[i], &p->lock[i], &c->key);

		if (!l || l->rec.first_ns != c->now.first_ns)
			continue;
		if (i == 0)
			base = &l->rec;
		else if (headway_grown(l->rec.try_fail, prev->try_fail) ||
			 headway_grown(l->rec.wait_timeout, prev->wait_timeout) ||
			 headway_grown(l->rec.lost_races, prev->lost_races))
			c->fail_mask |= 1ull << (i - 1);
		prev = &l->rec;
	}
	lock_delta(&c->delta, &c->now, base);
	measure_owner(v, c, p);
}

static void sum_contact(struct headway_view *v, struct headway_contact *c)
{
	struct headway_actor *a = &v->actors[c->actor];

	a->fail_holding += c->delta.fail_holding;
	a->wait_returns += c->delta.wait_ok + c->delta.wait_eagain + c->delta.wait_timeout +
			   c->delta.wait_intr + c->delta.wait_other;
	a->wait_eagain += c->delta.wait_eagain;
	a->wait_timeout += c->is_mutex ? c->delta.wait_timeout : 0;
	a->lost_races += c->is_mutex ? c->delta.lost_races : 0;
	c->wins = contact_wins(c);
	a->wins += c->wins;
	if (c->is_mutex)
		a->try_mask |= c->fail_mask;
}

/* All contacts of one word of a process. */
struct word {
	uint64_t addr;
	uint32_t tgid;
	size_t contact;
};

static int compare_words(const void *pa, const void *pb)
{
	const struct word *a = pa, *b = pb;

	if (a->tgid != b->tgid)
		return a->tgid < b->tgid ? -1 : 1;
	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	return (a->contact > b->contact) - (a->contact < b->contact);
}

/*
 * A word that some time out on, and others wake when nobody sleeps there any more, is a mutex: its
 * unlock must wake because the word still says that there are waiters. A condition variable or a
 * semaphore knows its waiters and makes no call when there is none.
 */
static bool looks_like_mutex(const struct headway_view *v, const struct word *words, size_t nr)
{
	uint64_t timeouts = 0, wakes = 0, woken = 0;

	for (size_t i = 0; i < nr; i++) {
		const struct headway_lock_rec *d = &v->contacts[words[i].contact].delta;

		timeouts += d->wait_timeout;
		wakes += d->wakes;
		woken += d->woken;
	}
	return timeouts && 2 * wakes >= timeouts && 10 * woken <= wakes;
}

/* One thread is enough to tell that a word is a mutex; it is then one for all of them. */
static int agree_on_mutexes(struct headway_view *v)
{
	struct word *words = calloc(v->nr_contacts + 1, sizeof(*words));
	size_t nr = 0;

	if (!words)
		return -ENOMEM;
	for (size_t i = 0; i < v->nr_contacts; i++) {
		const struct headway_contact *c = &v->contacts[i];

		if (c->key.kind == HEADWAY_KIND_FUTEX)
			words[nr++] = (struct word){ c->key.addr,
				v->actors[c->actor].now.rec.tgid, i };
	}
	if (nr)
		qsort(words, nr, sizeof(*words), compare_words);
	for (size_t i = 0, end; i < nr; i = end) {
		bool is = false;

		for (end = i; end < nr && words[end].addr == words[i].addr &&
			      words[end].tgid == words[i].tgid; end++)
			is |= v->contacts[words[end].contact].is_mutex;
		is = is || looks_like_mutex(v, words + i, end - i);
		for (size_t k = i; k < end; k++)
			v->contacts[words[k].contact].is_mutex = is;
	}
	free(words);
	return 0;
}

int headway_view_collect_contacts(struct headway_view *v)
{
	const struct headway_snapshot *s = v->slots[v->nr_slots - 1];
	struct places places = { 0 };
	int err;

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
		measure_contact(v, c, &places);
	}
	err = agree_on_mutexes(v);
	for (size_t i = 0; i < v->nr_contacts; i++)
		sum_contact(v, &v->contacts[i]);
	return err;
}

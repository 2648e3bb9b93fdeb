// SPDX-License-Identifier: GPL-2.0
/*
 * suspect.c - signs that somebody is stuck, where trylocks were watched for an instant only. PURE.
 *
 * There are two. In a peek, a thread fails and gets nothing, and neither does who is in its way; in
 * healthy contention that one does, many times in the tenth of a second. And, peek or not, a
 * process that completed something all the time works on and completes nothing any more.
 */
#include "suspect.h"

#include "assess.h"

enum {
	STARVING_FAILS = 16,		/* so many, and it got nothing: whoever was in the way */
	STEADY_PER_INTERVAL = 5,	/* then an interval without is no accident */
};

/* Whatever it is: also where it is no proof of progress. */
static uint64_t got(const struct headway_actor *a)
{
	return headway_actor_completions(a) + a->progress;
}

static bool is_stuck(const struct headway_view *v, const struct headway_actor *a)
{
	if (!a->now.alive || !headway_actor_fails(a) || got(a))
		return false;
	if (headway_actor_fails(a) >= STARVING_FAILS)
		return true;
	for (size_t i = 0; i < a->nr_contacts; i++) {
		const struct headway_contact *c = &v->contacts[a->first_contact + i];
		long owner;

		if (!headway_contact_fails(c))
			continue;
		owner = headway_view_find_ns(v, a->now.rec.tgid, c->owner);
		if (owner < 0 || !got(&v->actors[owner]))
			return true;
	}
	return false;
}

/* What a process did, as far as it is seen without trylock. */
struct work {
	uint32_t tgid;
	uint64_t done;
	uint64_t events;
	double cpu_share;
};

/* The next process of a view, from *i of by_ns on; false: that was the last. */
static bool next_process(const struct headway_view *v, size_t *i, struct work *w)
{
	if (*i == v->nr_actors)
		return false;
	*w = (struct work){ .tgid = v->actors[v->by_ns[*i]].now.rec.tgid };
	for (; *i < v->nr_actors; (*i)++) {
		const struct headway_actor *a = &v->actors[v->by_ns[*i]];

		if (a->now.rec.tgid != w->tgid)
			break;
		w->done += a->wins + a->progress;
		w->events += a->delta.yields + a->wait_returns;
		w->cpu_share += a->cpu_share;
	}
	return true;
}

static bool has_ceased(const struct headway_thresholds *t, const struct headway_view *window,
		       const struct headway_view *newest)
{
	size_t before = window->nr_slots > 2 ? window->nr_slots - 2 : 0, i = 0, k = 0;
	struct work all = { 0 }, now;

	while (before && next_process(newest, &i, &now)) {
		bool more = true;

		while (all.tgid < now.tgid && more)
			more = next_process(window, &k, &all);
		if (all.tgid == now.tgid && !now.done &&
		    all.done >= STEADY_PER_INTERVAL * before &&
		    headway_is_active(t, now.cpu_share, now.events, headway_view_seconds(newest)))
			return true;
	}
	return false;
}

bool headway_suspects(const struct headway_thresholds *t, const struct headway_view *window,
		      const struct headway_view *newest)
{
	for (size_t i = 0; i < newest->nr_actors; i++)
		if (is_stuck(newest, &newest->actors[i]))
			return true;
	return has_ceased(t, window, newest);
}

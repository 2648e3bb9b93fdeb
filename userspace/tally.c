// SPDX-License-Identifier: GPL-2.0
/*
 * tally.c - what processes did, and what was done at their locks, since the watch began. PURE.
 *
 * Invariant: lines are sorted and at most `max`; counts only grow while a line is there.
 */
#include "tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int lines_init(struct headway_tally_lines *l, size_t max)
{
	*l = (struct headway_tally_lines){
		.max = max, .lines = calloc(max ? max : 1, sizeof(*l->lines)),
	};
	return l->lines ? 0 : -ENOMEM;
}

int headway_tally_init(struct headway_tally *t, size_t max_processes, size_t max_locks)
{
	*t = (struct headway_tally){ 0 };
	if (lines_init(&t->processes, max_processes))
		return -ENOMEM;
	return lines_init(&t->locks, max_locks);
}

void headway_tally_free(struct headway_tally *t)
{
	free(t->processes.lines);
	free(t->locks.lines);
	free(t->before);
	*t = (struct headway_tally){ 0 };
}

static void remove_line(struct headway_tally_lines *l, size_t i)
{
	memmove(&l->lines[i], &l->lines[i + 1], (--l->nr - i) * sizeof(*l->lines));
}

static bool comes_before(const struct headway_tally_line *line, uint32_t pid, uint64_t addr)
{
	return line->pid != pid ? line->pid < pid : line->addr < addr;
}

/* Where it is, or belongs. */
static size_t place_of(const struct headway_tally_lines *l, uint32_t pid, uint64_t addr)
{
	size_t low = 0, high = l->nr;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (comes_before(&l->lines[mid], pid, addr))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool make_room(struct headway_tally_lines *l, uint64_t now_ns)
{
	size_t idlest = 0;

	if (l->nr < l->max)
		return true;
	for (size_t i = 1; i < l->nr; i++)
		if (l->lines[i].busy_ns < l->lines[idlest].busy_ns)
			idlest = i;
	if (!l->nr || now_ns - l->lines[idlest].busy_ns < HEADWAY_TALLY_IDLE_NS)
		return false;
	remove_line(l, idlest);
	return true;
}

/* The line to add to: its own, or that of the others. NULL: it has none and does nothing. */
static struct headway_tally_line *line_of(struct headway_tally_lines *l, uint32_t pid,
					  uint64_t addr, bool busy, uint64_t now_ns)
{
	size_t i = place_of(l, pid, addr);

	if (i < l->nr && l->lines[i].pid == pid && l->lines[i].addr == addr) {
		l->lines[i].seen_ns = now_ns;
		if (busy)
			l->lines[i].busy_ns = now_ns;
		return &l->lines[i];
	}
	if (!busy)
		return NULL;
	if (!make_room(l, now_ns)) {
		l->folded++;
		return &l->others;
	}
	i = place_of(l, pid, addr);
	memmove(&l->lines[i + 1], &l->lines[i], (l->nr++ - i) * sizeof(*l->lines));
	l->lines[i] = (struct headway_tally_line){
		.pid = pid, .addr = addr, .busy_ns = now_ns, .seen_ns = now_ns,
	};
	return &l->lines[i];
}

static void forget_gone(struct headway_tally_lines *l, uint64_t now_ns)
{
	for (size_t i = l->nr; i-- > 0;)
		if (now_ns - l->lines[i].seen_ns >= HEADWAY_TALLY_GONE_NS)
			remove_line(l, i);
}

static uint64_t waits_of(const struct headway_lock_rec *d)
{
	return d->wait_ok + d->wait_eagain + d->wait_timeout + d->wait_intr + d->wait_other;
}

/* A process is called by the name of its first thread, once that was seen. */
static void name_line(struct headway_tally_line *line, const struct headway_view *v,
		      const struct headway_thread_rec *rec)
{
	long first = headway_view_find_tid(v, rec->tgid);

	if (first >= 0)
		memcpy(line->comm, v->actors[first].now.rec.comm, sizeof(line->comm));
	else if (!line->comm[0])
		memcpy(line->comm, rec->comm, sizeof(line->comm));
}

static void add_actor(struct headway_tally *t, const struct headway_view *v,
		      const struct headway_actor *a)
{
	const struct headway_thread_rec *rec = &a->now.rec;
	uint64_t marked = a->tries ? a->tries : a->progress;
	bool busy = headway_actor_fails(a) || headway_actor_completions(a) || marked ||
		    a->wait_returns;
	struct headway_tally_line *line = line_of(&t->processes, rec->tgid, 0, busy, v->end_ns);

	if (!line)
		return;
	/* As the assessment counts them (assess.c): a marker passed is one too. */
	line->attempts += headway_actor_attempts(a) + marked;
	line->fails += headway_actor_fails(a);
	line->completions += headway_actor_gains(a) + a->progress;
	line->rollbacks += a->delta.aborts;
	line->threads += a->now.alive;
	name_line(line, v, rec);
	for (size_t i = a->first_contact; i < a->first_contact + a->nr_contacts; i++)
		line->wait_ns += v->contacts[i].delta.wait_ns;
}

/* A lock gets its line when it is fought for: most never are. */
static void add_lock(struct headway_tally *t, const struct headway_view *v,
		     const struct headway_contact *c)
{
	const struct headway_thread_rec *rec = &v->actors[c->actor].now.rec;
	uint64_t failed = c->delta.try_fail + (c->is_mutex ? c->delta.lost_races : 0);
	struct headway_tally_line *line;

	if (!failed && !waits_of(&c->delta))
		return;
	line = line_of(&t->locks, rec->tgid, c->key.addr, true, v->end_ns);
	line->fails += failed;
	line->wait_ns += c->delta.wait_ns;
	name_line(line, v, rec);
}

void headway_tally_add(struct headway_tally *t, const struct headway_view *v)
{
	for (size_t i = 0; i < t->processes.nr; i++)
		t->processes.lines[i].threads = 0;
	t->processes.others.threads = 0;
	for (size_t i = 0; i < v->nr_actors; i++)
		add_actor(t, v, &v->actors[i]);
	for (size_t i = 0; i < v->nr_contacts; i++)
		add_lock(t, v, &v->contacts[i]);
	forget_gone(&t->processes, v->end_ns);
	forget_gone(&t->locks, v->end_ns);
}

/* --- times ------------------------------------------------------------------------------------ */

/* NULL: its first wait is younger than the interval that was added; it has a line soon. */
static struct headway_tally_line *times_line(struct headway_tally_lines *l, uint32_t pid,
					     uint64_t addr)
{
	size_t i = place_of(l, pid, addr);

	if (i < l->nr && l->lines[i].pid == pid && l->lines[i].addr == addr)
		return &l->lines[i];
	return l->nr == l->max ? &l->others : NULL;
}

static const struct headway_wait_times *times_before(const struct headway_tally *t, size_t *at,
						     const struct headway_wait_times *now)
{
	while (*at < t->nr_before && (t->before[*at].pid < now->pid ||
				      (t->before[*at].pid == now->pid &&
				       t->before[*at].addr < now->addr)))
		(*at)++;
	if (*at < t->nr_before && t->before[*at].pid == now->pid &&
	    t->before[*at].addr == now->addr)
		return &t->before[*at];
	return NULL;
}

int headway_tally_times(struct headway_tally *t, const struct headway_times *now)
{
	static const struct headway_wait_times none;
	struct headway_wait_times *next = calloc(now->nr + 1, sizeof(*next));
	size_t at = 0;

	if (!next)
		return -ENOMEM;
	for (size_t i = 0; i < now->nr; i++) {
		const struct headway_wait_times *w = &now->times[i];
		const struct headway_wait_times *base = times_before(t, &at, w);
		struct headway_tally_line *process = times_line(&t->processes, w->pid, 0);
		struct headway_tally_line *lock = times_line(&t->locks, w->pid, w->addr);

		if (!base)
			base = &none;
		next[i] = *w;
		if (!process || !lock) {
			memcpy(next[i].buckets, base->buckets, sizeof(next[i].buckets));
			continue;
		}
		for (int b = 0; b < HEADWAY_WAIT_BUCKETS; b++) {
			uint64_t grown = headway_grown(w->buckets[b], base->buckets[b]);

			process->times[b] += grown;
			lock->times[b] += grown;
		}
	}
	free(t->before);
	t->before = next;
	t->nr_before = now->nr;
	return 0;
}

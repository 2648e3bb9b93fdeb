// SPDX-License-Identifier: GPL-2.0
/*
 * top_model.c - the table of `headway top`. PURE. See top_model.h.
 */
#define _GNU_SOURCE
#include "top_model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *headway_top_source_name(enum headway_top_source source)
{
	static const char *const names[] = {
		[HEADWAY_TOP_DOMAIN] = "domain", [HEADWAY_TOP_LOOP] = "loop",
		[HEADWAY_TOP_ARBITER] = "arbiter", [HEADWAY_TOP_PROCESS] = "process",
	};

	return names[source];
}

void headway_top_model_init(struct headway_top_model *m)
{
	memset(m, 0, sizeof(*m));
	m->sort = HEADWAY_TOP_BY_VERDICT;
}

void headway_top_model_free(struct headway_top_model *m)
{
	free(m->next.rows);
	free(m->live.rows);
	free(m->shown.rows);
	free(m->order);
	memset(m, 0, sizeof(*m));
}

/* --- rows ------------------------------------------------------------------------------------- */

static int reserve(struct headway_top_rows *r, size_t nr)
{
	size_t room = r->room ? r->room : 16;
	struct headway_top_row *bigger;

	if (nr <= r->room)
		return 0;
	while (room < nr)
		room *= 2;
	bigger = reallocarray(r->rows, room, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	r->rows = bigger;
	r->room = room;
	return 0;
}

static int compare_identity(const void *pa, const void *pb)
{
	const struct headway_top_row *a = pa, *b = pb;

	if (a->source != b->source)
		return a->source < b->source ? -1 : 1;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	/* A process may change its name; a domain is its name. */
	return a->source == HEADWAY_TOP_PROCESS ? 0 : strcmp(a->name, b->name);
}

static struct headway_top_row *find_in(const struct headway_top_rows *r,
				       const struct headway_top_row *row)
{
	return r->nr ? bsearch(row, r->rows, r->nr, sizeof(*row), compare_identity) : NULL;
}

void headway_top_begin(struct headway_top_model *m)
{
	m->next.nr = 0;
}

int headway_top_add(struct headway_top_model *m, const struct headway_top_row *row)
{
	const struct headway_top_row *before = find_in(&m->live, row);
	struct headway_top_row *new;

	if (reserve(&m->next, m->next.nr + 1))
		return -ENOMEM;
	new = &m->next.rows[m->next.nr++];
	*new = *row;
	new->nr_history = 0;
	if (before) {
		new->nr_history = before->nr_history;
		memcpy(new->history, before->history, sizeof(new->history));
	}
	new->history[new->nr_history++ % HEADWAY_TOP_HISTORY] =
		row->judged ? (uint8_t)row->verdict : HEADWAY_TOP_NOT_JUDGED;
	return 0;
}

unsigned int headway_top_history(const struct headway_top_row *row, size_t ago)
{
	if (ago >= row->nr_history || ago >= HEADWAY_TOP_HISTORY)
		return HEADWAY_TOP_NOT_JUDGED;
	return row->history[(row->nr_history - 1 - ago) % HEADWAY_TOP_HISTORY];
}

/* --- order ------------------------------------------------------------------------------------ */

static int compare_numbers(double a, double b)
{
	return (a > b) - (a < b);
}

/* What was not judged is below all that was; an arbiter, which never is, is above what is idle. */
static double badness(const struct headway_top_row *r)
{
	if (r->source == HEADWAY_TOP_ARBITER)
		return HEADWAY_IDLE + 1.5;
	return r->judged ? (int)r->verdict + 1 : 0;
}

static int compare_by(enum headway_top_column by, const struct headway_top_row *a,
		      const struct headway_top_row *b)
{
	switch (by) {
	case HEADWAY_TOP_BY_SOURCE:
		/* As of words: descending is from domain to process. */
		return compare_numbers(b->source, a->source);
	case HEADWAY_TOP_BY_PID:
		return compare_numbers(a->pid, b->pid);
	case HEADWAY_TOP_BY_NAME:
		return strcmp(b->name, a->name);
	case HEADWAY_TOP_BY_VERDICT:
		return compare_numbers(badness(a), badness(b));
	case HEADWAY_TOP_BY_ATTEMPTS:
		return compare_numbers(a->attempts_per_s, b->attempts_per_s);
	case HEADWAY_TOP_BY_COMPLETIONS:
		return compare_numbers(a->completions_per_s, b->completions_per_s);
	case HEADWAY_TOP_BY_FAILED:
		return compare_numbers(a->failed_per_s, b->failed_per_s);
	case HEADWAY_TOP_BY_WAITING:
		return compare_numbers((double)a->waiting, (double)b->waiting);
	case HEADWAY_TOP_BY_ACTORS:
		return compare_numbers((double)a->actors, (double)b->actors);
	case HEADWAY_TOP_BY_CPU:
		return compare_numbers(a->cpu_share, b->cpu_share);
	default:
		return 0;
	}
}

static int compare_places(const void *pa, const void *pb, void *arg)
{
	static const enum headway_top_column ties[] = {
		HEADWAY_TOP_BY_VERDICT, HEADWAY_TOP_BY_FAILED, HEADWAY_TOP_BY_ATTEMPTS,
		HEADWAY_TOP_BY_CPU,
	};
	const struct headway_top_model *m = arg;
	const struct headway_top_row *a = &m->shown.rows[*(const size_t *)pa];
	const struct headway_top_row *b = &m->shown.rows[*(const size_t *)pb];
	int order = compare_by(m->sort, a, b);

	if (order)
		return m->ascending ? order : -order;
	for (size_t i = 0; i < sizeof(ties) / sizeof(ties[0]) && !order; i++)
		order = -compare_by(ties[i], a, b);
	return order ? order : compare_identity(a, b);
}

static bool has_text(const struct headway_top_row *r, const char *text)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%u", r->pid);
	return strcasestr(r->name, text) || strcasestr(headway_top_source_name(r->source), text) ||
	       (r->pid && strstr(pid, text)) ||
	       (r->judged && strcasestr(headway_verdict_name(r->verdict), text));
}

static bool passes(const struct headway_top_model *m, const struct headway_top_row *r)
{
	if (m->hide_idle && r->judged && r->verdict == HEADWAY_IDLE)
		return false;
	return !m->filter[0] || has_text(r, m->filter);
}

/* The order anew; the selection stays with its row, or where it was when that is gone. */
static int arrange(struct headway_top_model *m, const struct headway_top_row *keep)
{
	size_t *order = reallocarray(m->order, m->shown.nr ? m->shown.nr : 1, sizeof(*order));

	if (!order)
		return -ENOMEM;
	m->order = order;
	m->nr_order = 0;
	for (size_t i = 0; i < m->shown.nr; i++)
		if (passes(m, &m->shown.rows[i]))
			order[m->nr_order++] = i;
	if (m->nr_order)
		qsort_r(order, m->nr_order, sizeof(*order), compare_places, m);
	for (size_t i = 0; i < m->nr_order && keep; i++)
		if (!compare_identity(&m->shown.rows[order[i]], keep))
			m->selected = i;
	if (m->selected >= m->nr_order)
		m->selected = m->nr_order ? m->nr_order - 1 : 0;
	return 0;
}

/* As above, of what is shown already. */
static int rearrange(struct headway_top_model *m)
{
	const struct headway_top_row *row = headway_top_selected(m);

	return arrange(m, row);
}

static int show(struct headway_top_model *m)
{
	const struct headway_top_row *row = headway_top_selected(m);
	struct headway_top_row keep;

	/* At the top one wants to stay at the top, whoever is there. */
	if (row && m->selected)
		keep = *row;
	if (reserve(&m->shown, m->live.nr))
		return -ENOMEM;
	if (m->live.nr)
		memcpy(m->shown.rows, m->live.rows, m->live.nr * sizeof(*m->live.rows));
	m->shown.nr = m->live.nr;
	return arrange(m, row && m->selected ? &keep : NULL);
}

int headway_top_commit(struct headway_top_model *m)
{
	struct headway_top_rows old = m->live;

	if (m->next.nr)
		qsort(m->next.rows, m->next.nr, sizeof(*m->next.rows), compare_identity);
	m->live = m->next;
	m->next = old;
	return m->paused ? 0 : show(m);
}

int headway_top_sort(struct headway_top_model *m, enum headway_top_column by)
{
	/* Once more the same: the other way round. */
	m->ascending = by == m->sort && !m->ascending;
	m->sort = by;
	return rearrange(m);
}

int headway_top_sort_next(struct headway_top_model *m, int step)
{
	int by = (int)m->sort + step;

	if (by < 0 || by >= HEADWAY_TOP_BY_HISTORY)
		return 0;
	return headway_top_sort(m, (enum headway_top_column)by);
}

int headway_top_reverse(struct headway_top_model *m)
{
	m->ascending = !m->ascending;
	return rearrange(m);
}

int headway_top_filter(struct headway_top_model *m, const char *text)
{
	snprintf(m->filter, sizeof(m->filter), "%s", text);
	return rearrange(m);
}

int headway_top_hide_idle(struct headway_top_model *m, bool hide)
{
	m->hide_idle = hide;
	return rearrange(m);
}

int headway_top_pause(struct headway_top_model *m, bool pause)
{
	m->paused = pause;
	return pause ? 0 : show(m);
}

/* --- selection -------------------------------------------------------------------------------- */

void headway_top_move(struct headway_top_model *m, long by)
{
	long place = (long)m->selected + by, last = (long)m->nr_order - 1;

	if (place > last)
		place = last;
	m->selected = place > 0 ? (size_t)place : 0;
}

bool headway_top_search(struct headway_top_model *m, const char *text, int step)
{
	if (text != m->search)
		snprintf(m->search, sizeof(m->search), "%s", text);
	for (size_t i = 1; i <= m->nr_order && m->search[0]; i++) {
		size_t place = (m->selected + (step < 0 ? m->nr_order - i : i)) % m->nr_order;

		if (!has_text(&m->shown.rows[m->order[place]], m->search))
			continue;
		m->selected = place;
		return true;
	}
	return false;
}

void headway_top_scroll(struct headway_top_model *m, size_t height)
{
	if (m->selected < m->first)
		m->first = m->selected;
	if (height && m->selected >= m->first + height)
		m->first = m->selected - height + 1;
	/* No empty lines at the end while there are rows above. */
	if (m->first + height > m->nr_order)
		m->first = m->nr_order > height ? m->nr_order - height : 0;
}

const struct headway_top_row *headway_top_row_at(const struct headway_top_model *m, size_t place)
{
	return place < m->nr_order ? &m->shown.rows[m->order[place]] : NULL;
}

const struct headway_top_row *headway_top_selected(const struct headway_top_model *m)
{
	return headway_top_row_at(m, m->selected);
}

const struct headway_top_row *headway_top_find(const struct headway_top_model *m,
					       const struct headway_top_row *row)
{
	return find_in(&m->live, row);
}

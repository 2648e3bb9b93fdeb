// SPDX-License-Identifier: GPL-2.0
/*
 * top_waits.c - who waits for whom, drawn as trees. PURE.
 *
 * Invariants: each node's waiters are drawn once; a tree begins with one that waits for nobody, or,
 * where there is none, at a cycle; what closes a cycle is said to do so.
 */
#define _GNU_SOURCE
#include "top_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 24, MAX_CHILDREN = 16, PREFIX_LEN = MAX_DEPTH * 8 };

struct tree {
	struct headway_top_page *page;
	const struct headway_top_wait *waits;
	size_t nr;
	const char *(*name)(void *ctx, uint32_t node, char *out, size_t len);
	void *ctx;
	bool *drawn;			/* per wait */
	uint32_t path[MAX_DEPTH];
};

static bool waits_for_somebody(const struct tree *t, uint32_t node)
{
	for (size_t i = 0; i < t->nr; i++)
		if (t->waits[i].waiter == node)
			return true;
	return false;
}

static bool on_path(const struct tree *t, uint32_t node, int depth)
{
	for (int i = 0; i < depth; i++)
		if (t->path[i] == node)
			return true;
	return false;
}

/* How many waits for this node are not drawn yet. */
static size_t count_waiters(const struct tree *t, uint32_t node)
{
	size_t nr = 0;

	for (size_t i = 0; i < t->nr; i++)
		nr += t->waits[i].holder == node && !t->drawn[i];
	return nr;
}

static void draw_waiters(struct tree *t, uint32_t node, int depth, const char *prefix);

static void draw_wait(struct tree *t, size_t i, int depth, const char *prefix, bool last)
{
	const struct headway_top_wait *w = &t->waits[i];
	bool utf8 = t->page->utf8, closes = on_path(t, w->waiter, depth);
	const char *branch = utf8 ? (last ? "\u2514\u2500 " : "\u251c\u2500 ") :
				    (last ? "`- " : "|- ");
	char name[256], deeper[PREFIX_LEN];

	t->drawn[i] = true;
	headway_top_line(t->page, closes ? HEADWAY_TINT_BAD : HEADWAY_TINT_NONE, "%s%s%s %s%s",
			 prefix, branch, t->name(t->ctx, w->waiter, name, sizeof(name)), w->how,
			 closes ? utf8 ? "  \u21ba closes the cycle" : "  <- closes the cycle" :
				  "");
	if (closes)
		return;
	snprintf(deeper, sizeof(deeper), "%s%s", prefix,
		 last ? "   " : utf8 ? "\u2502  " : "|  ");
	draw_waiters(t, w->waiter, depth, deeper);
}

static void draw_waiters(struct tree *t, uint32_t node, int depth, const char *prefix)
{
	size_t left = count_waiters(t, node), shown = 0;

	if (!left)
		return;
	if (depth == MAX_DEPTH) {
		headway_top_line(t->page, HEADWAY_TINT_DIM, "%s... and so on", prefix);
		return;
	}
	t->path[depth] = node;
	for (size_t i = 0; i < t->nr; i++) {
		if (t->waits[i].holder != node || t->drawn[i])
			continue;
		if (shown++ < MAX_CHILDREN)
			draw_wait(t, i, depth + 1, prefix, !--left);
		else
			t->drawn[i] = true;
	}
	if (left)
		headway_top_line(t->page, HEADWAY_TINT_DIM, "%s... and %zu more", prefix, left);
}

static void draw_tree(struct tree *t, uint32_t root)
{
	char name[256];

	if (!count_waiters(t, root))
		return;
	headway_top_line(t->page, HEADWAY_TINT_NONE, "  %s",
			 t->name(t->ctx, root, name, sizeof(name)));
	draw_waiters(t, root, 0, "  ");
}

void headway_top_waits(struct headway_top_page *p, const struct headway_top_wait *waits, size_t nr,
		       const char *(*name)(void *ctx, uint32_t node, char *out, size_t len),
		       void *ctx)
{
	struct tree t = { .page = p, .waits = waits, .nr = nr, .name = name, .ctx = ctx };

	t.drawn = calloc(nr ? nr : 1, sizeof(*t.drawn));
	if (!t.drawn) {
		p->failed = true;
		return;
	}
	for (size_t i = 0; i < nr; i++)
		if (!waits_for_somebody(&t, waits[i].holder))
			draw_tree(&t, waits[i].holder);
	/* What is left goes round and round. */
	for (size_t i = 0; i < nr; i++)
		if (!t.drawn[i])
			draw_tree(&t, waits[i].holder);
	free(t.drawn);
}

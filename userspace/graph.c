// SPDX-License-Identifier: GPL-2.0
/*
 * graph.c - strongly connected components, cycles and chains of the wait-for graph. PURE.
 *
 * Invariants: everything is iterative, because a chain of 16384 threads must not overflow the
 * stack; edges are a flat sorted array, so two runs on equal input give equal output.
 */
#include "graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int headway_graph_init(struct headway_graph *g, size_t nr_nodes)
{
	memset(g, 0, sizeof(*g));
	if (nr_nodes >= UINT32_MAX)
		return -EINVAL;
	g->nr_nodes = nr_nodes;
	g->first = calloc(nr_nodes + 1, sizeof(*g->first));
	/* Never NULL: where there are no edges, addresses of them are still computed. */
	g->edges = calloc(1, sizeof(*g->edges));
	g->room = 1;
	if (g->first && g->edges)
		return 0;
	headway_graph_free(g);
	return -ENOMEM;
}

void headway_graph_free(struct headway_graph *g)
{
	free(g->edges);
	free(g->first);
	memset(g, 0, sizeof(*g));
}

int headway_graph_add(struct headway_graph *g, size_t from, size_t to, uint64_t lock,
		      uint32_t flags)
{
	struct headway_edge *edges;
	size_t room;

	if (from >= g->nr_nodes || to >= g->nr_nodes)
		return -EINVAL;
	if (g->nr_edges == g->room) {
		room = g->room < 64 ? 64 : g->room * 2;
		edges = reallocarray(g->edges, room, sizeof(*edges));
		if (!edges)
			return -ENOMEM;
		g->edges = edges;
		g->room = room;
	}
	g->edges[g->nr_edges++] = (struct headway_edge){
		.from = (uint32_t)from, .to = (uint32_t)to, .lock = lock,
		.weight = 1, .flags = flags,
	};
	return 0;
}

static int compare_edges(const void *pa, const void *pb)
{
	const struct headway_edge *a = pa, *b = pb;

	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	if (a->to != b->to)
		return a->to < b->to ? -1 : 1;
	if (a->lock != b->lock)
		return a->lock < b->lock ? -1 : 1;
	return 0;
}

int headway_graph_finish(struct headway_graph *g)
{
	size_t out = 0;

	if (g->nr_edges)
		qsort(g->edges, g->nr_edges, sizeof(*g->edges), compare_edges);
	for (size_t i = 0; i < g->nr_edges; i++) {
		if (out && !compare_edges(&g->edges[out - 1], &g->edges[i])) {
			g->edges[out - 1].weight += g->edges[i].weight;
			g->edges[out - 1].flags |= g->edges[i].flags;
		} else {
			g->edges[out++] = g->edges[i];
		}
	}
	g->nr_edges = out;
	memset(g->first, 0, (g->nr_nodes + 1) * sizeof(*g->first));
	for (size_t i = 0; i < g->nr_edges; i++)
		g->first[g->edges[i].from + 1]++;
	for (size_t i = 0; i < g->nr_nodes; i++)
		g->first[i + 1] += g->first[i];
	return 0;
}

/* Working state of Tarjan's algorithm; one block of memory, so that there is one thing to free. */
struct tarjan {
	const struct headway_graph *g;
	uint32_t *comp;
	uint32_t *index;		/* 0 = not visited */
	uint32_t *low;
	uint32_t *stack;		/* nodes whose component is open */
	uint32_t *path;			/* depth-first path */
	size_t *next;			/* next edge to look at, per node */
	size_t stack_len;
	size_t path_len;
	uint32_t counter;
	uint32_t nr_comp;
};

static void tarjan_enter(struct tarjan *t, uint32_t v)
{
	t->index[v] = t->low[v] = ++t->counter;
	t->next[v] = t->g->first[v];
	t->stack[t->stack_len++] = v;
	t->path[t->path_len++] = v;
}

static void tarjan_leave(struct tarjan *t, uint32_t v)
{
	uint32_t w;

	t->path_len--;
	if (t->path_len) {
		w = t->path[t->path_len - 1];
		if (t->low[v] < t->low[w])
			t->low[w] = t->low[v];
	}
	if (t->low[v] != t->index[v])
		return;
	do {
		w = t->stack[--t->stack_len];
		t->comp[w] = t->nr_comp;
	} while (w != v);
	t->nr_comp++;
}

static void tarjan_visit(struct tarjan *t, uint32_t root)
{
	tarjan_enter(t, root);
	while (t->path_len) {
		uint32_t v = t->path[t->path_len - 1], to;

		if (t->next[v] == t->g->first[v + 1]) {
			tarjan_leave(t, v);
			continue;
		}
		to = t->g->edges[t->next[v]++].to;
		if (!t->index[to])
			tarjan_enter(t, to);
		else if (t->comp[to] == UINT32_MAX && t->index[to] < t->low[v])
			t->low[v] = t->index[to];
	}
}

int headway_graph_scc(const struct headway_graph *g, uint32_t *comp, uint32_t *nr)
{
	size_t n = g->nr_nodes;
	struct tarjan t = { .g = g, .comp = comp };
	uint32_t *block;

	*nr = 0;
	if (!n)
		return 0;
	block = calloc(n * 4, sizeof(*block));
	t.next = calloc(n, sizeof(*t.next));
	if (!block || !t.next) {
		free(block);
		free(t.next);
		return -ENOMEM;
	}
	t.index = block;
	t.low = block + n;
	t.stack = block + 2 * n;
	t.path = block + 3 * n;
	memset(comp, 0xff, n * sizeof(*comp));
	for (size_t v = 0; v < n; v++)
		if (!t.index[v])
			tarjan_visit(&t, (uint32_t)v);
	*nr = t.nr_comp;
	free(block);
	free(t.next);
	return 0;
}

/* Breadth first from node; parent[] tells the way. True when an edge comes back to node. */
static int bfs_back(const struct headway_graph *g, uint32_t node, uint32_t *parent,
		    uint32_t *queue, uint32_t *last)
{
	size_t head = 0, tail = 0;

	memset(parent, 0xff, g->nr_nodes * sizeof(*parent));
	queue[tail++] = node;
	parent[node] = node;
	while (head < tail) {
		uint32_t v = queue[head++];

		for (size_t e = g->first[v]; e < g->first[v + 1]; e++) {
			uint32_t to = g->edges[e].to;

			if (to == node) {
				*last = v;
				return 1;
			}
			if (parent[to] != UINT32_MAX)
				continue;
			parent[to] = v;
			queue[tail++] = to;
		}
	}
	return 0;
}

int headway_graph_cycle(const struct headway_graph *g, size_t node, uint32_t *path, size_t max)
{
	uint32_t *parent, *queue, last = 0;
	size_t len = 0;

	if (node >= g->nr_nodes)
		return -EINVAL;
	parent = calloc(g->nr_nodes, sizeof(*parent));
	queue = calloc(g->nr_nodes, sizeof(*queue));
	if (!parent || !queue) {
		free(parent);
		free(queue);
		return -ENOMEM;
	}
	if (bfs_back(g, (uint32_t)node, parent, queue, &last)) {
		for (uint32_t v = last; ; v = parent[v]) {
			len++;
			if (v == node)
				break;
		}
		if (len <= max) {
			size_t i = len;

			for (uint32_t v = last; i; v = parent[v])
				path[--i] = v;
		} else {
			len = 0;
		}
	}
	free(parent);
	free(queue);
	return (int)len;
}

size_t headway_graph_chain(const struct headway_graph *g, size_t node, uint32_t *path, size_t max)
{
	size_t len = 0;

	if (node >= g->nr_nodes || !max)
		return 0;
	path[len++] = (uint32_t)node;
	while (len < max) {
		uint32_t v = path[len - 1];
		const struct headway_edge *best = NULL;

		for (size_t e = g->first[v]; e < g->first[v + 1]; e++)
			if (!best || g->edges[e].weight > best->weight)
				best = &g->edges[e];
		if (!best)
			break;
		for (size_t i = 0; i < len; i++)
			if (path[i] == best->to)
				return len;
		path[len++] = best->to;
	}
	return len;
}

/* The heaviest edge between two nodes: one thread may want several locks of another. */
const struct headway_edge *headway_graph_edge(const struct headway_graph *g, size_t from,
					      size_t to)
{
	const struct headway_edge *best = NULL;

	if (from >= g->nr_nodes)
		return NULL;
	for (size_t e = g->first[from]; e < g->first[from + 1]; e++)
		if (g->edges[e].to == to && (!best || g->edges[e].weight > best->weight))
			best = &g->edges[e];
	return best;
}

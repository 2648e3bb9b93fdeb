/* SPDX-License-Identifier: GPL-2.0 */
/*
 * graph.h - who waits for whom. PURE.
 *
 * Nodes are numbers 0..n-1 (threads), an edge says that `from` wants `lock`, which `to` owns.
 */
#ifndef HEADWAY_GRAPH_H
#define HEADWAY_GRAPH_H

#include <stddef.h>
#include <stdint.h>

struct headway_edge {
	uint32_t from;
	uint32_t to;
	uint64_t lock;
	uint32_t weight;		/* how often it was added: how often it was seen */
	uint32_t flags;			/* or of what was passed to _add; the caller's meaning */
};

struct headway_graph {
	size_t nr_nodes;
	size_t nr_edges;
	size_t room;
	struct headway_edge *edges;	/* sorted by (from, to, lock) after _finish */
	size_t *first;			/* nr_nodes + 1 indices into edges, after _finish */
};

/* Functions that can fail return -ENOMEM or -EINVAL (a node that does not exist). */
int headway_graph_init(struct headway_graph *g, size_t nr_nodes);
int headway_graph_add(struct headway_graph *g, size_t from, size_t to, uint64_t lock,
		      uint32_t flags);
/* Sorts and merges equal edges. Needed before the calls below, and after any further _add. */
int headway_graph_finish(struct headway_graph *g);
/*
 * Strongly connected components: comp[node] = number of its component, 0..*nr-1. Components are
 * numbered so that an edge between two of them goes from the higher to the lower number.
 */
int headway_graph_scc(const struct headway_graph *g, uint32_t *comp, uint32_t *nr);
/*
 * The shortest cycle through `node`, as nodes in order, without repeating the first. Returns its
 * length, 0 when there is none or it is longer than max.
 */
int headway_graph_cycle(const struct headway_graph *g, size_t node, uint32_t *path, size_t max);
/*
 * Follows the heaviest out-edge from `node` until a node without one, or one seen before. path
 * starts with node itself. Returns the number of nodes written.
 */
size_t headway_graph_chain(const struct headway_graph *g, size_t node, uint32_t *path, size_t max);
const struct headway_edge *headway_graph_edge(const struct headway_graph *g, size_t from,
					      size_t to);
void headway_graph_free(struct headway_graph *g);

#endif /* HEADWAY_GRAPH_H */

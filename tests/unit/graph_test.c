// SPDX-License-Identifier: GPL-2.0
// links: userspace/graph.c
/*
 * graph_test.c - components, cycles and chains, checked against a brute-force closure on random
 * graphs.
 */
#include "ktap.h"

#include "graph.h"

KTAP_TEST(empty)
{
	struct headway_graph g;
	uint32_t nr = 7;

	ASSERT(!headway_graph_init(&g, 0));
	EXPECT_EQ(headway_graph_finish(&g), 0);
	EXPECT_EQ(headway_graph_scc(&g, NULL, &nr), 0);
	EXPECT_EQ(nr, 0u);
	EXPECT_EQ(headway_graph_add(&g, 0, 0, 1, 0), -22);
	headway_graph_free(&g);
}

KTAP_TEST(equal_edges_are_merged)
{
	struct headway_graph g;
	const struct headway_edge *e;

	ASSERT(!headway_graph_init(&g, 3));
	for (int i = 0; i < 5; i++)
		headway_graph_add(&g, 0, 1, 0xa, 1);
	headway_graph_add(&g, 0, 1, 0xb, 4);
	headway_graph_add(&g, 0, 1, 0xa, 2);
	headway_graph_finish(&g);
	EXPECT_EQ(g.nr_edges, 2u);
	e = headway_graph_edge(&g, 0, 1);
	ASSERT(e);
	EXPECT_EQ(e->lock, 0xau);
	EXPECT_EQ(e->weight, 6u);
	EXPECT_EQ(e->flags, 3u);
	EXPECT(!headway_graph_edge(&g, 1, 0));
	headway_graph_free(&g);
}

KTAP_TEST(self_loop_is_a_cycle_of_one)
{
	struct headway_graph g;
	uint32_t path[2];

	ASSERT(!headway_graph_init(&g, 2));
	headway_graph_add(&g, 0, 0, 1, 0);
	headway_graph_add(&g, 1, 0, 1, 0);
	headway_graph_finish(&g);
	EXPECT_EQ(headway_graph_cycle(&g, 0, path, 2), 1);
	EXPECT_EQ(headway_graph_cycle(&g, 1, path, 2), 0);
	headway_graph_free(&g);
}

KTAP_TEST(shortest_cycle_in_order)
{
	struct headway_graph g;
	uint32_t path[8];

	ASSERT(!headway_graph_init(&g, 6));
	/* A long way round 0-1-2-3-4-0 and a short one 0-1-5-0. */
	for (uint32_t i = 0; i < 5; i++)
		headway_graph_add(&g, i, (i + 1) % 5, i, 0);
	headway_graph_add(&g, 1, 5, 9, 0);
	headway_graph_add(&g, 5, 0, 9, 0);
	headway_graph_finish(&g);
	EXPECT_EQ(headway_graph_cycle(&g, 0, path, 8), 3);
	EXPECT_EQ(path[0], 0u);
	EXPECT_EQ(path[1], 1u);
	EXPECT_EQ(path[2], 5u);
	EXPECT_EQ(headway_graph_cycle(&g, 3, path, 8), 5);
	EXPECT_EQ(headway_graph_cycle(&g, 3, path, 4), 0);
	headway_graph_free(&g);
}

KTAP_TEST(chain_stops_at_the_end_and_in_a_cycle)
{
	struct headway_graph g;
	uint32_t path[8];

	ASSERT(!headway_graph_init(&g, 6));
	headway_graph_add(&g, 0, 1, 1, 0);
	headway_graph_add(&g, 1, 2, 1, 0);
	headway_graph_add(&g, 3, 4, 1, 0);
	headway_graph_add(&g, 4, 5, 1, 0);
	headway_graph_add(&g, 5, 4, 1, 0);
	headway_graph_finish(&g);
	EXPECT_EQ(headway_graph_chain(&g, 0, path, 8), 3u);
	EXPECT_EQ(path[2], 2u);
	EXPECT_EQ(headway_graph_chain(&g, 3, path, 8), 3u);
	EXPECT_EQ(path[2], 5u);
	EXPECT_EQ(headway_graph_chain(&g, 0, path, 2), 2u);
	headway_graph_free(&g);
}

/* A chain of many threads must not use the stack in proportion. */
KTAP_TEST(deep_graph)
{
	enum { N = 100000 };
	static uint32_t comp[N];
	struct headway_graph g;
	uint32_t nr;

	ASSERT(!headway_graph_init(&g, N));
	for (uint32_t i = 0; i < N; i++)
		headway_graph_add(&g, i, (i + 1) % N, 1, 0);
	headway_graph_finish(&g);
	EXPECT_EQ(headway_graph_scc(&g, comp, &nr), 0);
	EXPECT_EQ(nr, 1u);
	headway_graph_free(&g);
}

enum { MAX = 12 };

/* Are the components those of mutual reachability? */
static void check_against_closure(struct headway_graph *g, bool reach[MAX][MAX], uint32_t n)
{
	uint32_t comp[MAX], path[MAX], nr;

	for (uint32_t k = 0; k < n; k++)
		for (uint32_t i = 0; i < n; i++)
			for (uint32_t j = 0; j < n; j++)
				reach[i][j] |= reach[i][k] && reach[k][j];
	ASSERT(!headway_graph_scc(g, comp, &nr));
	for (uint32_t i = 0; i < n; i++) {
		int len = headway_graph_cycle(g, i, path, MAX);

		EXPECT_EQ(len > 0, (int)reach[i][i]);
		for (int k = 0; k < len; k++)
			if (!headway_graph_edge(g, path[k], path[(k + 1) % len]))
				KTAP_FAIL("no edge %u -> %u in a "
					  "cycle", path[k], path[(k + 1) % len]);
		for (uint32_t j = 0; j < n; j++) {
			bool same = i == j || (reach[i][j] && reach[j][i]);

			if ((comp[i] == comp[j]) != same)
				KTAP_FAIL("%u and %u: same component %d", i, j, same);
			if (!same && reach[i][j] && comp[i] < comp[j])
				KTAP_FAIL("components %u -> %u are not in order", comp[i], comp[j]);
		}
	}
}

KTAP_TEST(random_graphs)
{
	uint32_t seed = 12345;

	for (int round = 0; round < 2000; round++) {
		struct headway_graph g;
		bool reach[MAX][MAX] = { 0 };
		uint32_t n = 1 + round % MAX, edges;

		ASSERT(!headway_graph_init(&g, n));
		seed = seed * 1664525 + 1013904223;
		edges = (seed >> 16) % (n * 2 + 1);
		for (uint32_t e = 0; e < edges; e++) {
			uint32_t a, b;

			seed = seed * 1664525 + 1013904223;
			a = (seed >> 8) % n;
			b = (seed >> 20) % n;
			reach[a][b] = true;
			headway_graph_add(&g, a, b, e, 0);
		}
		headway_graph_finish(&g);
		check_against_closure(&g, reach, n);
		headway_graph_free(&g);
	}
}

KTAP_MAIN("graph")

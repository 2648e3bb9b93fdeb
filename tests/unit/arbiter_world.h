/* SPDX-License-Identifier: GPL-2.0 */
/*
 * arbiter_world.h - an arbiter with holders and requests to play with, for the tests of its core.
 */
#ifndef HEADWAY_TESTS_ARBITER_WORLD_H
#define HEADWAY_TESTS_ARBITER_WORLD_H

#include "headway_arbiter.h"
#include "ktap.h"

#define HOLDERS 40
#define REQUESTS 4	/* of each holder */

struct world {
	struct headway_arbiter_core core;
	struct headway_holder *owner[HEADWAY_ARBITER_MAX];
	struct headway_holder holder[HOLDERS];
	struct headway_request request[HOLDERS][REQUESTS];
	struct headway_request *told[HOLDERS * REQUESTS];	/* by the last settling, in order */
	int nr_told;
};

static struct world world;

static inline void open_world(u32 nr, u32 age_step, u32 max_passed)
{
	struct headway_arbiter_params params = {
		.nr = nr, .age_step = age_step, .max_passed = max_passed,
	};

	memset(&world, 0, sizeof(world));
	EXPECT(headway_arbiter_core_init(&world.core, &params, world.owner));
}

static inline void settle(void)
{
	struct headway_request *request;

	headway_arbiter_core_settle(&world.core);
	world.nr_told = 0;
	while ((request = headway_arbiter_core_next(&world.core)))
		world.told[world.nr_told++] = request;
}

static inline struct headway_request *want(int h, int r, u32 priority, u64 mask)
{
	struct headway_request *request = &world.request[h][r];

	*request = (struct headway_request){
		.holder = &world.holder[h], .priority = priority, .ids.word[0] = mask,
		.nr_ids = __builtin_popcountll(mask),
	};
	return request;
}

static inline int submit_request(struct headway_request *request)
{
	int ret = headway_arbiter_core_submit(&world.core, request);

	settle();
	return ret;
}

/* Return: 1 = granted, 0 = pending, or an error. */
static inline int ask(int h, int r, u32 priority, u64 mask)
{
	struct headway_request *request = want(h, r, priority, mask);
	int ret = submit_request(request);

	if (ret)
		return ret;
	if (request->state == HEADWAY_REQUEST_FAILED)
		return request->result;
	return request->state == HEADWAY_REQUEST_GRANTED;
}

static inline void give_back(int h, int r)
{
	EXPECT_EQ((int)world.request[h][r].state, HEADWAY_REQUEST_GRANTED);
	headway_arbiter_core_release(&world.core, &world.request[h][r]);
	settle();
}

static inline bool granted(int h, int r)
{
	return world.request[h][r].state == HEADWAY_REQUEST_GRANTED;
}

static inline bool pending(int h, int r)
{
	return world.request[h][r].state == HEADWAY_REQUEST_PENDING;
}

#endif /* HEADWAY_TESTS_ARBITER_WORLD_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * arbiter_walk_test.c - random walks of holders through the arbiter, every step judged against the
 * definitions of deadlock and of hanging, computed the slow way, from all subsets of holders.
 */
// links: kmod/arbiter_core.c
#include "arbiter_world.h"

#define WALKERS 6
#define WALK_IDS 7

static u64 walk_seed;

static u32 chance(u32 below)
{
	walk_seed = walk_seed * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(walk_seed >> 33) % below;
}

/* With @victims_too also those that were told of a deadlock just now. */
static bool counts_as_waiting(const struct headway_request *request, bool victims_too)
{
	if (request->state == HEADWAY_REQUEST_PENDING)
		return true;
	for (int i = 0; victims_too && i < world.nr_told; i++)
		if (world.told[i] == request && request->result == -EDEADLK)
			return true;
	return false;
}

/*
 * A set of holders is deadlocked if each has requests and each of these wants what another one has.
 */
static bool is_deadlock(u32 subset, bool victims_too)
{
	for (int h = 0; h < WALKERS; h++) {
		int requests = 0;

		if (!(subset >> h & 1))
			continue;
		for (int r = 0; r < REQUESTS; r++) {
			struct headway_request *request = &world.request[h][r];
			bool blocked = false;

			if (!request->holder || !counts_as_waiting(request, victims_too))
				continue;
			requests++;
			for (int id = 0; id < WALK_IDS; id++)
				if (request->ids.word[0] >> id & 1 && world.owner[id] &&
				    world.owner[id] != &world.holder[h] &&
				    subset >> (world.owner[id] - world.holder) & 1)
					blocked = true;
			if (!blocked)
				return false;
		}
		if (!requests)
			return false;
	}
	return true;
}

static u32 deadlocked(bool victims_too)
{
	u32 all = 0;

	for (u32 subset = 1; subset < 1u << WALKERS; subset++)
		if (is_deadlock(subset, victims_too))
			all |= subset;
	return all;
}

static void check_books(void)
{
	u32 held[WALKERS] = { 0 }, waiting = 0, total = 0;

	for (int h = 0; h < WALKERS; h++)
		for (int r = 0; r < REQUESTS; r++) {
			struct headway_request *request = &world.request[h][r];

			waiting += pending(h, r);
			if (!granted(h, r))
				continue;
			held[h] += request->nr_ids;
			for (int id = 0; id < WALK_IDS; id++)
				if (request->ids.word[0] >> id & 1)
					EXPECT(world.owner[id] == &world.holder[h]);
		}
	for (int h = 0; h < WALKERS; h++) {
		EXPECT_EQ(world.holder[h].nr_held, held[h]);
		total += held[h];
	}
	EXPECT_EQ(world.core.stats.held, total);
	EXPECT_EQ(world.core.stats.waiting, waiting);
	EXPECT_EQ((u32)__builtin_popcountll(world.core.busy.word[0]), total);
}

/* Who holds or waits, and does not wait, can act. If nobody can, all is lost. */
static bool somebody_can_act(void)
{
	bool active = false;

	for (int h = 0; h < WALKERS; h++) {
		active |= world.holder[h].nr_held || world.holder[h].nr_pending;
		if (world.holder[h].nr_held && !world.holder[h].nr_pending)
			return true;
	}
	return !active;
}

static int holder_number(const struct headway_request *request)
{
	return request->holder - world.holder;
}

static void walk_step(bool only_release)
{
	int h = chance(WALKERS), r = chance(REQUESTS);
	struct headway_request *request = &world.request[h][r];

	if (granted(h, r)) {
		/* Who waits does not release: that is what makes a deadlock one. */
		if (!world.holder[h].nr_pending)
			give_back(h, r);
	} else if (pending(h, r)) {
		if (!only_release && !chance(20)) {
			headway_arbiter_core_fail(&world.core, request, -ECANCELED);
			settle();
		}
	} else if (!only_release && !world.holder[h].victim &&
		   world.holder[h].nr_pending < 1 + !chance(4)) {
		u64 mask = 0;

		for (u32 n = 2 + !chance(3); n; n--)
			mask |= 1ull << chance(WALK_IDS);
		ask(h, r, chance(16), mask);
	}
}

static void walk(u64 seed, u32 max_passed, int steps)
{
	u64 deadlocks = 0;

	open_world(WALK_IDS, 1 + seed % 5, max_passed);
	walk_seed = seed;
	for (int i = 0; i < steps && !ktap.failed; i++) {
		walk_step(false);
		check_books();
		EXPECT_EQ(deadlocked(false), 0u);
		EXPECT(somebody_can_act());
		if (world.core.stats.deadlocks != deadlocks) {
			u32 before = deadlocked(true);

			for (int t = 0; t < world.nr_told; t++)
				if (world.told[t]->result == -EDEADLK)
					EXPECT(before >> holder_number(world.told[t]) & 1);
			deadlocks = world.core.stats.deadlocks;
		}
	}
	/* Nobody asks any more: all must get through. */
	for (int i = 0; i < 20000 && (world.core.stats.held || world.core.stats.waiting); i++)
		walk_step(true);
	EXPECT_EQ(world.core.stats.held, 0u);
	EXPECT_EQ(world.core.stats.waiting, 0u);
	EXPECT_EQ(world.core.stats.deadlocks, world.core.stats.acknowledged);
	/* Otherwise the walk says little. */
	EXPECT_GT(world.core.stats.deadlocks, 10ull);
	EXPECT_GT(world.core.stats.passes, 10ull);
}

KTAP_TEST(random_walks_deadlocks_are_exact_and_nobody_hangs)
{
	for (u64 seed = 1; seed <= 60 && !ktap.failed; seed++)
		walk(seed, seed % 5, 5000);
}

KTAP_MAIN("arbiter_walk")

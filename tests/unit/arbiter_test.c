// SPDX-License-Identifier: GPL-2.0
/*
 * arbiter_test.c - grant order, aging, reservations, deadlocks and victims of the arbiter.
 */
// links: kmod/arbiter_core.c
#include "arbiter_world.h"

KTAP_TEST(parameters)
{
	struct headway_arbiter_params params = { .nr = 0 };
	struct headway_arbiter_core core;

	EXPECT_FALSE(headway_arbiter_core_init(&core, &params, NULL));
	params.nr = HEADWAY_ARBITER_MAX + 1;
	EXPECT_FALSE(headway_arbiter_core_init(&core, &params, NULL));
	params.nr = HEADWAY_ARBITER_MAX;
	EXPECT_TRUE(headway_arbiter_core_init(&core, &params, NULL));
	EXPECT_EQ(core.params.age_step, 64u);
}

KTAP_TEST(a_set_is_granted_whole_or_not_at_all)
{
	open_world(4, 0, 8);
	EXPECT_EQ(ask(0, 0, 0, 0x2), 1);
	EXPECT_EQ(ask(1, 0, 0, 0x7), 0);
	EXPECT_EQ(world.core.busy.word[0], 0x2ull);
	EXPECT_EQ(world.holder[1].nr_held, 0u);
	give_back(0, 0);
	EXPECT(granted(1, 0));
	EXPECT_EQ(world.core.busy.word[0], 0x7ull);
	EXPECT_EQ(world.nr_told, 1);
	EXPECT(world.told[0] == &world.request[1][0]);
	give_back(1, 0);
	EXPECT_EQ(world.core.busy.word[0], 0ull);
	EXPECT_EQ(world.core.stats.held, 0u);
}

KTAP_TEST(the_highest_words_work_too)
{
	struct headway_request *request;

	open_world(HEADWAY_ARBITER_MAX, 0, 8);
	for (int h = 0; h < 2; h++) {
		request = want(h, 0, 0, 0);
		request->ids.word[HEADWAY_ARBITER_WORDS - 1] = 1ull << 63;
		request->nr_ids = 1;
		EXPECT_EQ(submit_request(request), 0);
	}
	EXPECT(granted(0, 0));
	EXPECT(pending(1, 0));
	EXPECT(world.owner[HEADWAY_ARBITER_MAX - 1] == &world.holder[0]);
	give_back(0, 0);
	EXPECT(granted(1, 0));
}

KTAP_TEST(equals_are_served_in_order_of_arrival)
{
	open_world(1, 0, 8);
	EXPECT_EQ(ask(0, 0, 0, 1), 1);
	for (int h = 1; h < 10; h++)
		EXPECT_EQ(ask(h, 0, 0, 1), 0);
	for (int h = 0; h < 9; h++) {
		give_back(h, 0);
		EXPECT(granted(h + 1, 0));
	}
}

KTAP_TEST(disjoint_sets_do_not_wait_for_each_other)
{
	open_world(8, 0, 0);
	EXPECT_EQ(ask(0, 0, 0, 0x03), 1);
	EXPECT_EQ(ask(1, 0, 0, 0x0f), 0);
	EXPECT_EQ(ask(2, 0, 0, 0x30), 1);
	/* Reserved for the older one, as nobody may pass it here. */
	EXPECT_EQ(ask(3, 0, 0, 0x08), 0);
	give_back(0, 0);
	EXPECT(granted(1, 0));
	EXPECT(pending(3, 0));
	give_back(1, 0);
	EXPECT(granted(3, 0));
}

KTAP_TEST(priority_goes_first_but_ages)
{
	open_world(8, 4, 8);
	EXPECT_EQ(ask(0, 0, 0, 1), 1);
	EXPECT_EQ(ask(1, 0, 0, 1), 0);		/* ticket 2 */
	EXPECT_EQ(ask(2, 0, 1, 1), 0);		/* ticket 3: counts as -1 */
	EXPECT(world.core.oldest == &world.request[2][0]);
	/* Two tickets that do not matter. */
	EXPECT_EQ(ask(5, 0, 0, 2), 1);
	EXPECT_EQ(ask(6, 0, 0, 4), 1);
	EXPECT_EQ(ask(3, 0, 1, 1), 0);		/* ticket 6: counts as 2, and came later */
	give_back(0, 0);
	EXPECT(granted(2, 0));
	give_back(2, 0);
	EXPECT(granted(1, 0));
	give_back(1, 0);
	EXPECT(granted(3, 0));
}

KTAP_TEST(misuse_has_errors_of_its_own)
{
	open_world(4, 0, 8);
	EXPECT_EQ(ask(0, 0, 0, 0), -EINVAL);
	EXPECT_EQ(ask(0, 0, 0, 1), 1);
	EXPECT_EQ(submit_request(&world.request[0][0]), -EBUSY);
	EXPECT_EQ(ask(0, 1, 0, 3), -EALREADY);
	EXPECT_EQ((int)world.request[0][1].state, HEADWAY_REQUEST_IDLE);
	EXPECT_EQ(ask(1, 0, 0, 1), 0);
	EXPECT_EQ(submit_request(&world.request[1][0]), -EBUSY);
}

KTAP_TEST(try_never_queues)
{
	struct headway_request *request;

	open_world(4, 0, 0);
	request = want(0, 0, 0, 3);
	EXPECT_EQ(headway_arbiter_core_try(&world.core, request), 0);
	EXPECT(granted(0, 0));
	request = want(1, 0, 0, 6);
	EXPECT_EQ(headway_arbiter_core_try(&world.core, request), -EBUSY);
	EXPECT_EQ((int)request->state, HEADWAY_REQUEST_FAILED);
	EXPECT_EQ(world.core.stats.waiting, 0u);
	EXPECT(!world.core.oldest && !world.core.youngest && !world.holder[1].requests);
	/* Nor does it pass a reservation. */
	EXPECT_EQ(ask(2, 0, 0, 5), 0);
	request = want(1, 0, 0, 4);
	EXPECT_EQ(headway_arbiter_core_try(&world.core, request), -EBUSY);
}

KTAP_TEST(a_pending_request_that_fails_lets_others_pass)
{
	open_world(4, 0, 0);
	EXPECT_EQ(ask(0, 0, 0, 1), 1);
	EXPECT_EQ(ask(1, 0, 0, 3), 0);
	EXPECT_EQ(ask(2, 0, 0, 2), 0);
	headway_arbiter_core_fail(&world.core, &world.request[1][0], -ETIMEDOUT);
	settle();
	EXPECT_EQ(world.request[1][0].result, -ETIMEDOUT);
	EXPECT(granted(2, 0));
	EXPECT_EQ(world.core.stats.timeouts, 1ull);
	EXPECT_EQ(world.core.stats.waiting, 0u);
}

/*
 * On each of two resources narrow requests follow each other, the next one always there before the
 * last one leaves. Return: how many were granted while a wide request waited for both; @limit if it
 * got nothing by then.
 */
static int narrow_against_wide(u32 max_passed, int limit)
{
	int holds[] = { 1, 2 }, spare[] = { 3, 4 };

	open_world(2, 0, max_passed);
	EXPECT_EQ(ask(1, 0, 0, 1), 1);
	EXPECT_EQ(ask(2, 0, 0, 2), 1);
	EXPECT_EQ(ask(0, 0, 0, 3), 0);
	for (int grants = 0; grants < limit; grants++) {
		int side = grants % 2, last = holds[side];

		EXPECT_EQ(ask(spare[side], 0, 0, 1 << side), 0);
		give_back(last, 0);
		if (!granted(spare[side], 0)) {
			/* Reserved; the other side is still to come. */
			EXPECT(pending(0, 0));
			give_back(holds[!side], 0);
			EXPECT(granted(0, 0));
			return grants;
		}
		holds[side] = spare[side];
		spare[side] = last;
	}
	EXPECT(pending(0, 0));
	return limit;
}

KTAP_TEST(narrow_requests_cannot_starve_a_wide_one)
{
	EXPECT_EQ(narrow_against_wide(0, 10000), 0);
	EXPECT_EQ(narrow_against_wide(1, 10000), 1);
	EXPECT_EQ(narrow_against_wide(8, 10000), 8);
	EXPECT_EQ(narrow_against_wide(99, 10000), 99);
	/* The control: without reservations they can, for ever. */
	EXPECT_EQ(narrow_against_wide(UINT32_MAX, 10000), 10000);
}

/* A queue of four of the highest priority is always there. Return: how many passed the low one. */
static int high_against_low(u32 step, int limit)
{
	int next = 1, passed = 0;

	open_world(1, step, 0);
	EXPECT_EQ(ask(next++, 0, 15, 1), 1);
	EXPECT_EQ(ask(0, 0, 0, 1), 0);
	for (int i = 0; i < 3; i++)
		ask(next++, 0, 15, 1);
	while (passed < limit) {
		for (int h = 1; h < HOLDERS; h++)
			if (granted(h, 0)) {
				give_back(h, 0);
				memset(&world.request[h], 0, sizeof(world.request[h]));
				ask(h, 0, 15, 1);
				break;
			}
		if (granted(0, 0))
			return passed;
		passed++;
	}
	return -1;
}

KTAP_TEST(high_priorities_cannot_starve_a_low_one)
{
	/*
	 * The bound is age_step * 15, and is reached but for the one that is served at equal age.
	 */
	EXPECT_EQ(high_against_low(1, 1000), 14);
	EXPECT_EQ(high_against_low(4, 1000), 59);
	EXPECT_EQ(high_against_low(64, 2000), 959);
}

KTAP_TEST(who_is_waited_for_passes_a_reservation)
{
	open_world(4, 0, 0);
	EXPECT_EQ(ask(0, 0, 0, 1), 1);
	EXPECT_EQ(ask(1, 0, 0, 3), 0);
	/* Resource 1 is reserved for holder 1, which waits for holder 0: so holder 0 goes first. */
	EXPECT_EQ(ask(0, 1, 0, 2), 1);
	EXPECT_EQ(world.core.stats.deadlocks, 0ull);
	/* A stranger does not. */
	EXPECT_EQ(ask(2, 0, 0, 2), 0);
	give_back(0, 0);
	give_back(0, 1);
	EXPECT(granted(1, 0));
}

KTAP_TEST(reservations_that_cross_are_no_deadlock)
{
	open_world(4, 0, 0);
	EXPECT_EQ(ask(2, 0, 0, 1 << 0), 1);	/* H1 holds 0 */
	EXPECT_EQ(ask(3, 0, 0, 1 << 3), 1);	/* H2 holds 3 */
	EXPECT_EQ(ask(0, 0, 0, 1 << 0 | 1 << 1), 0);	/* reserves 1, waits for H1 */
	EXPECT_EQ(ask(1, 0, 0, 1 << 2 | 1 << 3), 0);	/* reserves 2, waits for H2 */
	EXPECT_EQ(ask(2, 1, 0, 1 << 2), 0);	/* H1 waits for the second reservation, */
	EXPECT_EQ(ask(3, 1, 0, 1 << 1), 0);	/* H2 for the first: the older of them must pass */
	EXPECT(granted(2, 1));
	EXPECT_EQ(world.core.stats.deadlocks, 0ull);
	give_back(2, 0);
	EXPECT(granted(0, 0));
	give_back(0, 0);
	EXPECT(granted(3, 1));
	give_back(2, 1);
	give_back(3, 0);
	EXPECT(granted(1, 0));
}

/* Holder i holds resource i and then wants i + 1: the last one closes the circle. */
static int close_circle(int n, const u32 *priority)
{
	for (int h = 0; h < n; h++)
		EXPECT_EQ(ask(h, 0, priority ? priority[h] : 0, 1ull << h), 1);
	for (int h = 0; h < n - 1; h++)
		EXPECT_EQ(ask(h, 1, priority ? priority[h] : 0, 1ull << (h + 1) % n), 0);
	EXPECT_EQ(world.core.stats.deadlocks, 0ull);
	ask(n - 1, 1, priority ? priority[n - 1] : 0, 1);
	EXPECT_EQ(world.core.stats.deadlocks, 1ull);
	for (int h = 0; h < n; h++)
		if (world.holder[h].victim)
			return h;
	return -1;
}

KTAP_TEST(every_circle_has_one_victim_and_is_resolved)
{
	for (int n = 2; n <= 32; n++) {
		int victim, h;

		open_world(n, 0, 8);
		victim = close_circle(n, NULL);
		/* All else being equal the youngest. */
		EXPECT_EQ(victim, n - 1);
		EXPECT_EQ(world.request[victim][1].result, -EDEADLK);
		/* Told, not stripped. */
		EXPECT(granted(victim, 0));
		EXPECT(world.owner[victim] == &world.holder[victim]);
		give_back(victim, 0);
		EXPECT_FALSE(world.holder[victim].victim);
		for (h = n - 2; h >= 0; h--) {
			EXPECT(granted(h, 1));
			give_back(h, 1);
			give_back(h, 0);
		}
		EXPECT_EQ(world.core.stats.held, 0u);
		EXPECT_EQ(world.core.stats.acknowledged, 1ull);
	}
}

KTAP_TEST(victim_is_the_lowest_priority_first)
{
	static const u32 priority[] = { 3, 1, 2, 5 };

	open_world(4, 0, 8);
	EXPECT_EQ(close_circle(4, priority), 1);
}

KTAP_TEST(victim_is_then_the_one_with_least_work)
{
	open_world(16, 0, 8);
	/* Both hold something else besides; the older one less. */
	EXPECT_EQ(ask(1, 2, 0, 0xf00), 1);
	EXPECT_EQ(ask(2, 2, 0, 0x0f0), 1);
	EXPECT_EQ(close_circle(3, NULL), 0);
}

KTAP_TEST(waiting_alone_is_no_deadlock)
{
	open_world(8, 0, 8);
	/* Many waiters on one holder, which itself waits for nothing. */
	EXPECT_EQ(ask(0, 0, 0, 1), 1);
	for (int h = 1; h < 10; h++)
		EXPECT_EQ(ask(h, 0, 0, 1), 0);
	/* A chain: each holds something and waits for the next. */
	for (int h = 10; h < 16; h++)
		EXPECT_EQ(ask(h, 0, 0, 2ull << (h - 10)), 1);
	for (int h = 11; h < 16; h++)
		EXPECT_EQ(ask(h, 1, 0, 2ull << (h - 11)), 0);
	EXPECT_EQ(world.core.stats.deadlocks, 0ull);
}

KTAP_TEST(who_only_waits_for_a_circle_is_not_its_victim)
{
	open_world(8, 0, 8);
	/* The lowest priority and the least work of all, and youngest: but not on the circle. */
	EXPECT_EQ(ask(0, 0, 5, 1), 1);
	EXPECT_EQ(ask(1, 0, 5, 2), 1);
	EXPECT_EQ(ask(2, 0, 0, 4), 1);
	EXPECT_EQ(ask(2, 1, 0, 1), 0);
	EXPECT_EQ(ask(0, 1, 5, 2), 0);
	EXPECT_EQ(ask(1, 1, 5, 1), -EDEADLK);
	EXPECT_FALSE(world.holder[2].victim);
	EXPECT_EQ(world.core.stats.deadlocks, 1ull);
}

KTAP_TEST(an_alternative_keeps_from_deadlock_while_it_lasts)
{
	open_world(8, 0, 8);
	EXPECT_EQ(ask(0, 0, 0, 1), 1);
	EXPECT_EQ(ask(1, 0, 0, 2), 1);
	EXPECT_EQ(ask(2, 0, 0, 4), 1);
	/* Holder 0 waits for 1's or for 2's, and 2 will go on some day. */
	EXPECT_EQ(ask(0, 1, 0, 2), 0);
	EXPECT_EQ(ask(0, 2, 0, 4), 0);
	EXPECT_EQ(ask(1, 1, 0, 1), 0);
	EXPECT_EQ(world.core.stats.deadlocks, 0ull);
	headway_arbiter_core_fail(&world.core, &world.request[0][2], -ECANCELED);
	settle();
	/* Now it waits for 1 alone, which waits for it. */
	EXPECT_EQ(world.core.stats.deadlocks, 1ull);
	EXPECT(world.holder[1].victim);
}

KTAP_TEST(a_grant_can_close_a_circle)
{
	open_world(8, 0, 8);
	EXPECT_EQ(ask(9, 0, 0, 1), 1);
	EXPECT_EQ(ask(1, 0, 0, 2), 1);
	EXPECT_EQ(ask(0, 0, 0, 1), 0);	/* nothing held yet: no circle */
	EXPECT_EQ(ask(0, 1, 0, 2), 0);
	EXPECT_EQ(ask(1, 1, 0, 1), 0);
	EXPECT_EQ(world.core.stats.deadlocks, 0ull);
	give_back(9, 0);
	EXPECT(granted(0, 0));
	EXPECT_EQ(world.core.stats.deadlocks, 1ull);
}

KTAP_TEST(a_tried_grant_can_close_a_circle)
{
	struct headway_request *request;

	open_world(8, 0, 8);
	EXPECT_EQ(ask(9, 0, 0, 4), 1);
	EXPECT_EQ(ask(1, 0, 0, 2), 1);
	EXPECT_EQ(ask(1, 1, 0, 1 | 4), 0);	/* waits for 9 */
	EXPECT_EQ(ask(0, 1, 0, 2), 0);		/* waits for 1 */
	request = want(0, 0, 0, 1);
	EXPECT_EQ(headway_arbiter_core_try(&world.core, request), 0);
	settle();
	EXPECT_EQ(world.core.stats.deadlocks, 1ull);
}

KTAP_TEST(two_circles_need_two_victims)
{
	open_world(8, 0, 8);
	/* Holder 0 holds what both others want, and wants what both hold. */
	EXPECT_EQ(ask(0, 0, 9, 1), 1);
	EXPECT_EQ(ask(1, 0, 0, 2), 1);
	EXPECT_EQ(ask(2, 0, 0, 4), 1);
	EXPECT_EQ(ask(1, 1, 0, 1), 0);
	EXPECT_EQ(ask(2, 1, 0, 1), 0);
	EXPECT_EQ(ask(0, 1, 9, 6), 0);
	EXPECT_EQ(world.core.stats.deadlocks, 2ull);
	EXPECT(world.holder[1].victim && world.holder[2].victim);
	give_back(1, 0);
	give_back(2, 0);
	EXPECT(granted(0, 1));
}

KTAP_TEST(a_victim_asks_in_vain_until_it_has_released_all)
{
	int victim;

	open_world(8, 0, 8);
	EXPECT_EQ(ask(1, 2, 0, 0x10), 1);
	EXPECT_EQ(ask(0, 2, 0, 0x60), 1);
	victim = close_circle(2, NULL);
	EXPECT_EQ(victim, 1);
	EXPECT_EQ(ask(1, 3, 0, 0x80), -EDEADLK);
	give_back(1, 0);
	EXPECT_EQ(ask(1, 3, 0, 0x80), -EDEADLK);
	EXPECT_EQ(world.core.stats.victims, 1u);
	EXPECT_EQ(world.core.stats.acknowledged, 0ull);
	give_back(1, 2);
	EXPECT_EQ(world.core.stats.victims, 0u);
	EXPECT_EQ(world.core.stats.acknowledged, 1ull);
	EXPECT_EQ(ask(1, 3, 0, 0x80), 1);
}

KTAP_TEST(a_victim_keeps_its_age)
{
	open_world(8, 0, 8);
	EXPECT_EQ(close_circle(2, NULL), 1);
	u64 ticket = world.holder[1].ticket;

	give_back(1, 0);
	EXPECT_EQ(ask(3, 0, 0, 1), 0);
	EXPECT_EQ(ask(1, 0, 0, 1), 0);
	EXPECT_EQ(world.request[1][0].ticket, ticket);
	/* It goes before one that came while it was away. */
	EXPECT(world.core.oldest == &world.request[1][0]);
	give_back(0, 1);
	give_back(0, 0);
	EXPECT(granted(1, 0));
	/* At the end of its work it is one among others again. */
	give_back(1, 0);
	EXPECT_EQ(world.holder[1].times_victim, 0u);
	EXPECT_EQ(world.holder[1].ticket, 0ull);
}

KTAP_TEST(alternatives_that_overlap_end_with_the_first_grant)
{
	open_world(8, 0, 0);
	EXPECT_EQ(ask(0, 0, 0, 1), 1);
	EXPECT_EQ(ask(0, 1, 0, 2), 1);
	EXPECT_EQ(ask(1, 0, 0, 1 | 4), 0);
	EXPECT_EQ(ask(1, 1, 0, 2 | 4), 0);
	EXPECT_EQ(ask(2, 0, 0, 1), 0);
	/*
	 * The first one's reservation does not keep the second from being granted, and ends with
	 * it.
	 */
	give_back(0, 1);
	EXPECT(granted(1, 1));
	EXPECT_EQ((int)world.request[1][0].state, HEADWAY_REQUEST_FAILED);
	EXPECT_EQ(world.request[1][0].result, -EALREADY);
	give_back(0, 0);
	EXPECT(granted(2, 0));
	EXPECT_EQ(world.core.stats.waiting, 0u);
}

KTAP_TEST(one_of_several_is_enough)
{
	open_world(8, 0, 8);
	EXPECT_EQ(ask(9, 0, 0, 4), 1);
	EXPECT_EQ(ask(0, 0, 0, 1), 1);
	EXPECT_EQ(ask(1, 0, 0, 2), 1);
	EXPECT_EQ(ask(0, 1, 0, 2), 0);
	EXPECT_EQ(ask(0, 2, 0, 4), 0);
	world.request[0][1].one_of = world.request[0][2].one_of = true;
	EXPECT_EQ(ask(1, 1, 0, 1), 0);
	/* With the grant the other one ends: it would look like a deadlock with holder 1. */
	give_back(9, 0);
	EXPECT(granted(0, 2));
	EXPECT_EQ(world.request[0][1].result, -EALREADY);
	EXPECT_EQ(world.core.stats.deadlocks, 0ull);
	EXPECT_EQ(world.core.stats.waiting, 1u);
}

KTAP_MAIN("arbiter")

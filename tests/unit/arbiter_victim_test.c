// SPDX-License-Identifier: GPL-2.0
/*
 * arbiter_victim_test.c - how often one holder can be the arbiter's victim.
 */
// links: kmod/arbiter_core.c
#include "arbiter_world.h"

/*
 * Holder @h holds one resource and meets holder 1, which has the highest priority, has just begun
 * and holds more. Return: whether @h was a victim.
 */
static bool beaten(int h, u32 priority)
{
	EXPECT_EQ(ask(h, 0, priority, 1), 1);
	EXPECT_EQ(ask(1, 0, 15, 2), 1);
	EXPECT_EQ(ask(1, 2, 15, 4), 1);
	EXPECT_EQ(ask(h, 1, priority, 2), 0);
	ask(1, 1, 15, 1);
	if (!world.holder[h].victim)
		return false;
	give_back(h, 0);
	EXPECT(granted(1, 1));
	give_back(1, 0);
	give_back(1, 1);
	give_back(1, 2);
	return true;
}

static void make_senior(int h)
{
	for (int times = 0; times < 16; times++)
		EXPECT(beaten(h, 0));
}

KTAP_TEST(higher_priorities_do_not_make_a_victim_for_ever)
{
	for (u32 priority = 0; priority <= 15; priority++) {
		int times = 0;

		open_world(8, 0, 8);
		while (times < 100 && beaten(0, priority))
			times++;
		EXPECT_EQ(times, 16 - (int)priority);
	}
}

KTAP_TEST(later_seniors_do_not_make_a_victim_for_ever)
{
	open_world(8, 0, 8);
	make_senior(0);
	make_senior(2);
	/* The later one has more to lose, but the other one has waited for longer. */
	EXPECT_EQ(ask(0, 0, 0, 1), 1);
	EXPECT_EQ(ask(2, 0, 0, 6), 1);
	EXPECT_EQ(ask(0, 1, 0, 2), 0);
	EXPECT_EQ(ask(2, 1, 0, 1), -EDEADLK);
}

static void give_all_back(int h)
{
	for (int r = 0; r < REQUESTS; r++)
		if (granted(h, r))
			give_back(h, r);
}

static void ask_for_free(int h)
{
	int id = 0;

	while (world.owner[id])
		id++;
	EXPECT_EQ(ask(h, 0, 0, 1ull << id), 1);
}

/*
 * Two holders that run into each other in ever new ways: each time both want what the other one
 * took first, and the victim begins again with something else. Return: the most often that one of
 * them was a victim in a row.
 */
static int duel(int rounds)
{
	int held[2] = { 0 }, times[2] = { 0 }, most = 0;

	open_world(8, 0, 8);
	while (rounds--) {
		u64 first[2];
		int winner;

		for (int h = 0; h < 2; h++) {
			if (!held[h]) {
				ask_for_free(h);
				held[h] = 1;
			}
			first[h] = world.request[h][0].ids.word[0];
		}
		ask(0, held[0], 0, first[1]);
		ask(1, held[1], 0, first[0]);
		winner = world.holder[0].victim;
		give_all_back(!winner);
		held[!winner] = 0;
		times[!winner]++;
		most = times[!winner] > most ? times[!winner] : most;
		EXPECT(granted(winner, held[winner]));
		if (++held[winner] < REQUESTS)
			continue;
		/* The end of its work. */
		give_all_back(winner);
		held[winner] = 0;
		times[winner] = 0;
	}
	return most;
}

KTAP_TEST(equals_do_not_make_each_other_victims_for_ever)
{
	/* The bound: until it is a senior, then once for each request of the older one. */
	EXPECT_LE(duel(1000), 16 + REQUESTS);
}

KTAP_TEST(victims_do_not_starve_a_senior)
{
	int told = 0;

	open_world(8, 0, 3);
	make_senior(0);
	EXPECT_EQ(ask(0, 0, 0, 1), 1);
	EXPECT_EQ(ask(2, 0, 15, 2), 1);
	EXPECT_EQ(ask(3, 0, 15, 4), 1);
	EXPECT_EQ(ask(0, 1, 0, 6), 0);
	/* These two run into the senior in turn, so that what it wants is never free altogether. */
	for (int h = 2; told < 100 && ask(h, 1, 15, 1) == -EDEADLK; h = 5 - h, told++) {
		give_back(h, 0);
		if (!ask(h, 0, 15, h == 2 ? 2 : 4))
			break;
	}
	/* After three passes all of it is reserved. */
	EXPECT_EQ(told, 3);
	give_all_back(2);
	EXPECT(granted(0, 1));
}

KTAP_MAIN("arbiter_victim")

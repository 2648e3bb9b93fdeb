// SPDX-License-Identifier: GPL-2.0
/*
 * sort_test.c - the domain's order, and sorting into it. No "links:": sort.c is included, since
 * what a lock is, is defined here.
 */
#include "ktap.h"

#include "headway_types.h"

struct headway_lock {
	u32 rank;
	u64 key;
};

#include "../../kmod/sort.c"

#define LOCKS 1000

static struct headway_lock locks[LOCKS];

static u32 random_below(u64 *state, u32 below)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(*state >> 33) % below;
}

/* Few ranks and keys, so that each of rank, key and address decides now and then. */
static void make_locks(u64 seed)
{
	static const u64 keys[] = { 0, 1, 1ull << 32, (u64)-1 };

	for (int i = 0; i < LOCKS; i++) {
		locks[i].rank = random_below(&seed, 4) * 0x55555555u;
		locks[i].key = keys[random_below(&seed, 4)];
	}
}

static int out_of_order(struct headway_lock **set, unsigned int n)
{
	int wrong = 0;

	for (unsigned int i = 1; i < n; i++) {
		const struct headway_lock *a = set[i - 1], *b = set[i];

		if (a->rank != b->rank)
			wrong += a->rank > b->rank;
		else if (a->key != b->key)
			wrong += a->key > b->key;
		else
			wrong += a > b;
	}
	return wrong;
}

KTAP_TEST(comparison_is_by_rank_then_key_then_address)
{
	struct headway_lock l[] = { { 1, 9 }, { 1, 9 }, { 2, 0 }, { 1, 1ull << 40 } };

	EXPECT_EQ(headway_lock_cmp(&l[0], &l[0]), 0);
	EXPECT_LT(headway_lock_cmp(&l[0], &l[1]), 0);
	EXPECT_GT(headway_lock_cmp(&l[1], &l[0]), 0);
	EXPECT_LT(headway_lock_cmp(&l[1], &l[2]), 0);
	EXPECT_LT(headway_lock_cmp(&l[1], &l[3]), 0);
	EXPECT_LT(headway_lock_cmp(&l[3], &l[2]), 0);
}

/* Differences that do not fit into an int must not be cut. */
KTAP_TEST(comparison_does_not_overflow)
{
	struct headway_lock low = { 0, 0 };
	struct headway_lock high_rank = { 0xffffffffu, 0 }, high_key = { 0, (u64)-1 };

	EXPECT_LT(headway_lock_cmp(&low, &high_rank), 0);
	EXPECT_GT(headway_lock_cmp(&high_rank, &low), 0);
	EXPECT_LT(headway_lock_cmp(&low, &high_key), 0);
	EXPECT_GT(headway_lock_cmp(&high_key, &low), 0);
}

KTAP_TEST(sets_of_0_to_100_and_more)
{
	static const unsigned int sizes[] = { 128, 500, 800, LOCKS };
	static struct headway_lock *set[LOCKS];
	u64 seed = 1;

	for (unsigned int round = 0; round < 104; round++) {
		unsigned int n = round <= 100 ? round : sizes[round - 100];
		u64 sum = 0, sorted = 0;

		make_locks(round);
		/* With duplicates, as callers may have them. */
		for (unsigned int i = 0; i < n; i++) {
			set[i] = &locks[random_below(&seed, LOCKS)];
			sum += (u64)(set[i] - locks) * (u64)(set[i] - locks);
		}
		headway_sort(set, n);
		for (unsigned int i = 0; i < n; i++)
			sorted += (u64)(set[i] - locks) * (u64)(set[i] - locks);
		EXPECT_EQ(out_of_order(set, n), 0);
		EXPECT_EQ(sorted, sum);
	}
}

/* All orders of up to six locks: nothing is right by luck. */
KTAP_TEST(every_permutation_of_six)
{
	struct headway_lock six[] = { { 0, 0 }, { 0, 0 }, { 0, 7 }, { 3, 1 }, { 3, 1 }, { 9, 0 } };
	int permutations = 0;

	for (int code = 0; code < 46656; code++) {
		struct headway_lock *set[6];
		int seen = 0;

		for (int i = 0, rest = code; i < 6; i++, rest /= 6) {
			set[i] = &six[rest % 6];
			seen |= 1 << (rest % 6);
		}
		if (seen != 63)
			continue;
		permutations++;
		headway_sort(set, 6);
		for (int i = 0; i < 6; i++)
			if (set[i] != &six[i])
				KTAP_FAIL("permutation %d: place %d", code, i);
	}
	EXPECT_EQ(permutations, 720);
}

KTAP_TEST(sorted_and_reversed_sets)
{
	struct headway_lock *set[200];

	for (int i = 0; i < 200; i++)
		locks[i] = (struct headway_lock){ .rank = (u32)i / 10, .key = 3 };
	for (int i = 0; i < 200; i++)
		set[i] = &locks[i];
	headway_sort(set, 200);
	for (int i = 0; i < 200; i++)
		EXPECT_EQ(set[i] - locks, (ptrdiff_t)i);
	for (int i = 0; i < 200; i++)
		set[i] = &locks[199 - i];
	headway_sort(set, 200);
	for (int i = 0; i < 200; i++)
		EXPECT_EQ(set[i] - locks, (ptrdiff_t)i);
}

KTAP_MAIN("sort")

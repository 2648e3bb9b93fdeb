// SPDX-License-Identifier: GPL-2.0
// links: kmod/policy.c
/*
 * policy_test.c - the rules of each policy, over all small cases, and what must follow from them.
 *
 * Besides the table of single decisions there is a model: a few transactions that hold and want
 * locks in every arrangement. What it asks of each policy is what the kernel relies on: never a
 * cycle of waits that nobody was told to break, and never an order against the oldest.
 */
#include "ktap.h"

#include "policy.h"

static struct headway_party party(u64 ticket, s64 bonus, u32 nr_held)
{
	return (struct headway_party){ .ticket = ticket, .bonus = bonus, .nr_held = nr_held };
}

/* As an int, like the constants that it is compared with. */
static int resolve(enum headway_policy policy, struct headway_party self,
		   struct headway_party owner)
{
	return headway_resolve(policy, &self, &owner);
}

KTAP_TEST(none_always_backs_out)
{
	for (u32 held = 0; held < 3; held++) {
		EXPECT_EQ(resolve(HEADWAY_POLICY_NONE, party(1, 0, held), party(2, 0, 1)),
			  HEADWAY_BACKOUT);
		EXPECT_EQ(resolve(HEADWAY_POLICY_NONE, party(2, 0, held), party(1, 0, 1)),
			  HEADWAY_BACKOUT);
	}
	EXPECT_FALSE(headway_sorts(HEADWAY_POLICY_NONE));
	EXPECT_FALSE(headway_waits_contended(HEADWAY_POLICY_NONE));
	EXPECT_TRUE(headway_delays(HEADWAY_POLICY_NONE));
}

KTAP_TEST(ordered_detect_and_serial_always_wait)
{
	static const enum headway_policy policies[] = {
		HEADWAY_POLICY_ORDERED, HEADWAY_POLICY_DETECT, HEADWAY_POLICY_SERIAL,
	};

	for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
		for (u32 held = 0; held < 3; held++) {
			EXPECT_EQ(resolve(policies[i], party(1, 0, held), party(2, 0, 1)),
				  HEADWAY_WAIT);
			EXPECT_EQ(resolve(policies[i], party(3, 0, held), party(2, 0, 1)),
				  HEADWAY_WAIT);
		}
		EXPECT_TRUE(headway_sorts(policies[i]));
		EXPECT_FALSE(headway_delays(policies[i]));
		EXPECT_FALSE(headway_queues_by_age(policies[i]));
		EXPECT_EQ(headway_detects(policies[i]), policies[i] == HEADWAY_POLICY_DETECT);
	}
}

KTAP_TEST(polite_waits_with_empty_hands_only)
{
	struct headway_party firm = party(2, 0, 1);

	EXPECT_EQ(resolve(HEADWAY_POLICY_POLITE, party(2, 0, 0), party(1, 0, 1)), HEADWAY_WAIT);
	EXPECT_EQ(resolve(HEADWAY_POLICY_POLITE, party(2, 0, 1), party(1, 0, 1)), HEADWAY_BACKOUT);
	/* Age is no excuse. */
	EXPECT_EQ(resolve(HEADWAY_POLICY_POLITE, party(1, 0, 1), party(2, 0, 1)), HEADWAY_BACKOUT);
	/* Whoever holds the token stands firm, and gets it after having given way often enough. */
	firm.token = true;
	EXPECT_EQ(resolve(HEADWAY_POLICY_POLITE, firm, party(1, 0, 1)), HEADWAY_WAIT);
	EXPECT_FALSE(headway_takes_token(HEADWAY_POLICY_POLITE, false,
					 HEADWAY_POLITE_RESTARTS - 1));
	EXPECT_TRUE(headway_takes_token(HEADWAY_POLICY_POLITE, false, HEADWAY_POLITE_RESTARTS));
	EXPECT_TRUE(headway_takes_token(HEADWAY_POLICY_SERIAL, false, 0));
	EXPECT_FALSE(headway_takes_token(HEADWAY_POLICY_WOUND_WAIT, false, UINT32_MAX));
	EXPECT_FALSE(headway_takes_token(HEADWAY_POLICY_WOUND_WAIT, true,
					 HEADWAY_TURN_RESTARTS - 1));
	EXPECT_TRUE(headway_takes_token(HEADWAY_POLICY_WOUND_WAIT, true, HEADWAY_TURN_RESTARTS));
	EXPECT_FALSE(headway_takes_token(HEADWAY_POLICY_WAIT_DIE, true, UINT32_MAX));
	EXPECT_TRUE(headway_waits_contended(HEADWAY_POLICY_POLITE));
	EXPECT_TRUE(headway_delays(HEADWAY_POLICY_POLITE));
	/* The first delays last as long as others want to run. */
	EXPECT_TRUE(headway_yields(HEADWAY_POLICY_POLITE, 1));
	EXPECT_TRUE(headway_yields(HEADWAY_POLICY_POLITE, HEADWAY_POLITE_YIELDS));
	EXPECT_FALSE(headway_yields(HEADWAY_POLICY_POLITE, HEADWAY_POLITE_YIELDS + 1));
	EXPECT_FALSE(headway_yields(HEADWAY_POLICY_NONE, 1));
}

KTAP_TEST(wound_wait_older_wounds_younger_waits)
{
	for (u32 held = 0; held < 3; held++) {
		EXPECT_EQ(resolve(HEADWAY_POLICY_WOUND_WAIT, party(1, 0, held), party(2, 0, 1)),
			  HEADWAY_WOUND);
		EXPECT_EQ(resolve(HEADWAY_POLICY_WOUND_WAIT, party(2, 0, held), party(1, 0, 1)),
			  HEADWAY_WAIT);
	}
	EXPECT_TRUE(headway_queues_by_age(HEADWAY_POLICY_WOUND_WAIT));
	EXPECT_FALSE(headway_delays(HEADWAY_POLICY_WOUND_WAIT));
}

KTAP_TEST(wait_die_older_waits_younger_dies)
{
	struct headway_party behind = party(1, 0, 1), ending = party(1, 0, 1);

	EXPECT_EQ(resolve(HEADWAY_POLICY_WAIT_DIE, party(1, 0, 1), party(2, 0, 1)), HEADWAY_WAIT);
	EXPECT_EQ(resolve(HEADWAY_POLICY_WAIT_DIE, party(2, 0, 1), party(1, 0, 1)),
		  HEADWAY_BACKOUT);
	/* Nobody can wait for one that holds nothing, so it may wait for anybody. */
	EXPECT_EQ(resolve(HEADWAY_POLICY_WAIT_DIE, party(2, 0, 0), party(1, 0, 1)), HEADWAY_WAIT);
	/* Waiting behind somebody older is waiting for somebody older. */
	behind.behind = true;
	EXPECT_EQ(resolve(HEADWAY_POLICY_WAIT_DIE, behind, party(2, 0, 1)), HEADWAY_BACKOUT);
	/* Whoever gives everything back is no reason to die, whoever waits before us still is. */
	ending.ending = true;
	EXPECT_EQ(resolve(HEADWAY_POLICY_WAIT_DIE, party(2, 0, 1), ending), HEADWAY_WAIT);
	EXPECT_EQ(resolve(HEADWAY_POLICY_WAIT_DIE, behind, ending), HEADWAY_BACKOUT);
	EXPECT_EQ(resolve(HEADWAY_POLICY_POLITE, party(2, 0, 1), ending), HEADWAY_BACKOUT);
	EXPECT_EQ(resolve(HEADWAY_POLICY_WOUND_WAIT, party(2, 0, 1), ending), HEADWAY_WAIT);
	behind.nr_held = 0;
	EXPECT_EQ(resolve(HEADWAY_POLICY_WAIT_DIE, behind, party(2, 0, 1)), HEADWAY_WAIT);
	EXPECT_TRUE(headway_queues_by_age(HEADWAY_POLICY_WAIT_DIE));
}

KTAP_TEST(policy_from_nowhere_is_the_careful_one)
{
	EXPECT_EQ(resolve(HEADWAY_NR_POLICIES, party(1, 0, 0), party(2, 0, 1)), HEADWAY_BACKOUT);
	EXPECT_EQ(resolve((enum headway_policy)-1, party(1, 0, 0), party(2, 0, 1)),
		  HEADWAY_BACKOUT);
}

KTAP_TEST(bonus_is_bounded_and_grows)
{
	EXPECT_EQ(headway_priority_bonus(0), (s64)0);
	for (unsigned int p = 1; p <= HEADWAY_PRIORITY_MAX; p++)
		EXPECT_GT(headway_priority_bonus(p), headway_priority_bonus(p - 1));
	EXPECT_EQ(headway_priority_bonus(HEADWAY_PRIORITY_MAX), HEADWAY_BONUS_MAX);
	EXPECT_EQ(headway_priority_bonus(HEADWAY_PRIORITY_MAX + 1), HEADWAY_BONUS_MAX);
	EXPECT_EQ(headway_priority_bonus(-1u), HEADWAY_BONUS_MAX);
}

KTAP_TEST(age_beats_any_bonus_in_the_end)
{
	struct headway_party old = party(100, 0, 1);
	struct headway_party late = party(100 + HEADWAY_BONUS_MAX, HEADWAY_BONUS_MAX, 1);

	/* Exactly as old in effect: then the ticket decides. */
	EXPECT_LT(headway_party_cmp(&old, &late), 0);
	late.ticket--;
	EXPECT_GT(headway_party_cmp(&old, &late), 0);
	late.ticket += 2;
	EXPECT_LT(headway_party_cmp(&old, &late), 0);
}

/* Tickets up to 2^63 and bonuses: a strict total order on different tickets. */
KTAP_TEST(comparison_is_a_total_order)
{
	static const u64 tickets[] = { 1, 2, 3, 64, 65, 960, 961, 962, 1u << 20, (1ull << 62) };
	static const s64 bonuses[] = { 0, 64, 128, 960 };
	enum { N = 40 };
	struct headway_party all[N];
	int n = 0;

	for (size_t t = 0; t < 10; t++)
		for (size_t b = 0; b < 4; b++)
			all[n++] = party(tickets[t], bonuses[b], 1);
	for (int a = 0; a < N; a++) {
		EXPECT_EQ(headway_party_cmp(&all[a], &all[a]), 0);
		for (int b = 0; b < N; b++) {
			int ab = headway_party_cmp(&all[a], &all[b]);

			EXPECT_EQ(ab, -headway_party_cmp(&all[b], &all[a]));
			if (all[a].ticket != all[b].ticket)
				EXPECT_NE(ab, 0);
			for (int c = 0; c < N; c++)
				if (ab < 0 && headway_party_cmp(&all[b], &all[c]) < 0)
					EXPECT_LT(headway_party_cmp(&all[a], &all[c]), 0);
		}
	}
}

/* ---- the model ---------------------------------------------------------------------------- */

#define TXNS 4

/*
 * Transaction i holds lock i and wants lock wants[i], that is, meets transaction wants[i]; -1 =
 * wants nothing. All such graphs of four, in each order of age.
 */
struct scene {
	int wants[TXNS];
	struct headway_party parties[TXNS];
};

static void check_scene(const struct scene *scene, enum headway_policy policy, int oldest)
{
	bool waits[TXNS] = { false }, told[TXNS] = { false };

	for (int i = 0; i < TXNS; i++) {
		int action;

		if (scene->wants[i] < 0)
			continue;
		action = resolve(policy, scene->parties[i], scene->parties[scene->wants[i]]);
		waits[i] = action != HEADWAY_BACKOUT;
		if (action == HEADWAY_WOUND)
			told[scene->wants[i]] = true;
		if (action == HEADWAY_BACKOUT)
			told[i] = true;
	}
	/* The oldest gets through, whatever the others do. */
	if (policy == HEADWAY_POLICY_WOUND_WAIT || policy == HEADWAY_POLICY_WAIT_DIE)
		EXPECT_FALSE(told[oldest]);
	/* From everybody, along the waits: a way that comes back has passed one that was told. */
	for (int i = 0; i < TXNS; i++) {
		bool broken = told[i];
		int at = i;

		for (int step = 0; step < TXNS && waits[at]; step++) {
			at = scene->wants[at];
			broken |= told[at];
			if (at == i && !broken)
				KTAP_FAIL("policy %d: nobody breaks the cycle through %d", policy,
					  i);
		}
	}
}

KTAP_TEST(no_cycle_is_left_unbroken)
{
	static const enum headway_policy policies[] = {
		HEADWAY_POLICY_NONE, HEADWAY_POLICY_POLITE, HEADWAY_POLICY_WOUND_WAIT,
		HEADWAY_POLICY_WAIT_DIE,
	};
	int scenes = 0;

	/* 5^4 graphs, 4! orders of age. */
	for (int graph = 0; graph < 625; graph++) {
		struct scene scene;
		bool valid = true;

		for (int i = 0, rest = graph; i < TXNS; i++, rest /= 5) {
			scene.wants[i] = rest % 5 - 1;
			valid &= scene.wants[i] != i;
		}
		for (int order = 0; valid && order < 256; order++) {
			int ages[TXNS], seen = 0, oldest = 0;

			for (int i = 0, rest = order; i < TXNS; i++, rest /= 4) {
				ages[i] = rest % 4;
				seen |= 1 << ages[i];
			}
			if (seen != 15)
				continue;
			for (int i = 0; i < TXNS; i++) {
				scene.parties[i] = party(ages[i] + 1, 0, 1);
				if (!ages[i])
					oldest = i;
			}
			for (size_t p = 0; p < sizeof(policies) / sizeof(*policies); p++)
				check_scene(&scene, policies[p], oldest);
			scenes++;
		}
	}
	EXPECT_EQ(scenes, 256 * 24);
}

KTAP_MAIN("policy")

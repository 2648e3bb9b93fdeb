// SPDX-License-Identifier: GPL-2.0
/*
 * listing_kunit.c - a list of locks longer than a page of text, while locks come and go.
 */
#include "lab.h"

#define MANY	200
#define FEW	20

static void take_each(struct lab *lab, unsigned int from, unsigned int to)
{
	unsigned int i;

	for (i = from; i < to; i++) {
		struct headway_txn txn;

		headway_txn_begin(&txn, lab->domain);
		KUNIT_EXPECT_EQ(lab->test, headway_lock(&txn, &lab->locks[i]), 0);
		headway_txn_end(&txn);
	}
}

/* Return: the ranks that the file shows, which must be 0, 1, 2 ... as they were first taken. */
static unsigned int count_listed(struct lab *lab, void (*turn)(struct lab *lab))
{
	unsigned int listed = 0, rank;
	const char *word;
	char *text = kmalloc(LAB_TEXT, GFP_KERNEL);
	ssize_t len;

	KUNIT_ASSERT_NOT_NULL(lab->test, text);
	len = lab_read_pages(lab, "locks", text, LAB_TEXT, turn);
	KUNIT_EXPECT_GT(lab->test, len, (ssize_t)0);
	KUNIT_EXPECT_LT(lab->test, len, (ssize_t)LAB_TEXT - 1);
	for (word = text; len > 0 && (word = strstr(word, " rank=")); word++) {
		if (sscanf(word, " rank=%u", &rank) != 1 || rank != listed)
			KUNIT_FAIL(lab->test, "lock %u was to come, and not %.12s", listed, word);
		listed++;
	}
	kfree(text);
	return listed;
}

static void each_is_listed_once(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, MANY);

	take_each(lab, 0, MANY);
	KUNIT_EXPECT_EQ(test, count_listed(lab, NULL), (unsigned int)MANY);
	/* Again: a file that is opened anew begins at the front. */
	KUNIT_EXPECT_EQ(test, count_listed(lab, NULL), (unsigned int)MANY);
}

static void take_the_rest(struct lab *lab)
{
	if (!lab->locks[MANY - 1].stats.node.next)
		take_each(lab, MANY / 2, MANY);
}

static void who_comes_is_listed(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, MANY);

	take_each(lab, 0, MANY / 2);
	KUNIT_EXPECT_EQ(test, count_listed(lab, take_the_rest), (unsigned int)MANY);
}

/* Among them is the one that the next page was to begin with. */
static void drop_all_but_few(struct lab *lab)
{
	unsigned int i;

	for (i = FEW; i < MANY && lab->locks[i].stats.node.next; i++) {
		headway_lock_destroy(&lab->locks[i]);
		headway_lock_init(&lab->locks[i], lab->domain, i, 0, "lab");
	}
}

static void who_left_is_not_read(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, MANY);
	unsigned int listed;

	take_each(lab, 0, MANY);
	listed = count_listed(lab, drop_all_but_few);
	/* What the first page had, or what is left. */
	KUNIT_EXPECT_GE(test, listed, 10u);
	KUNIT_EXPECT_LT(test, listed, (unsigned int)MANY / 2);
	KUNIT_EXPECT_EQ(test, count_listed(lab, NULL), (unsigned int)FEW);
}

static struct kunit_case listing_cases[] = {
	KUNIT_CASE(each_is_listed_once),
	KUNIT_CASE(who_comes_is_listed),
	KUNIT_CASE(who_left_is_not_read),
	{}
};

struct kunit_suite headway_listing_suite = {
	.name = "headway-listing",
	.exit = lab_close,
	.test_cases = listing_cases,
};

// SPDX-License-Identifier: GPL-2.0
/*
 * bank_kunit.c - several locks, several hands, opposite orders: nothing may be lost, nobody may
 * be stuck.
 *
 * Accounts are plain integers, one behind each lock; hands transfer between them. The sum is
 * conserved only if transfers exclude each other. Under `wound-wait` each hand that is told to roll
 * back looks for the older transaction that it must be for: the oldest must never be told.
 */
#include "lab.h"

#define OPENING 1000
#define RESTARTS_MAX 2000

struct plan {
	unsigned int rounds;
	bool as_set;			/* headway_lock_many(), or one by one */
	bool opposite;			/* ABBA: two accounts, order by the hand's number */
	bool linger;			/* sleep between the locks, so that they collide surely */
	enum headway_stat must;		/* go on until it has happened; 0 = commits: no more */
	u32 restarts[LAB_HANDS];
};

/*
 * Called with -EDEADLK in hand and before the rollback: whoever wounded us still waits for what we
 * hold, so it must be live, and older in effect.
 */
static bool older_is_live(struct headway_txn *txn)
{
	struct headway_domain *domain = txn->domain;
	s64 age = (s64)atomic64_read(&txn->ticket) - txn->bonus;
	struct headway_txn *other;
	bool found = false;

	raw_spin_lock(&domain->live_lock);
	list_for_each_entry(other, &domain->live, live_node) {
		u64 ticket = atomic64_read(&other->ticket);

		if (other != txn && ticket && (s64)ticket - other->bonus < age)
			found = true;
	}
	raw_spin_unlock(&domain->live_lock);
	return found;
}

static int take_pair(struct hand *hand, struct headway_txn *txn, struct headway_lock *a,
		     struct headway_lock *b)
{
	struct plan *plan = hand->arg;
	int ret = 0;

	headway_txn_until_done(txn) {
		ret = headway_lock_timeout(txn, a, LAB_PATIENCE_NS);
		if (ret == -EDEADLK && txn->policy == HEADWAY_POLICY_WOUND_WAIT)
			hand->errors += !older_is_live(txn);
		headway_txn_retry_on_conflict(txn);
		if (ret)
			break;
		if (plan->linger)
			usleep_range(50, 150);
		ret = headway_lock_timeout(txn, b, LAB_PATIENCE_NS);
		if (ret == -EDEADLK && txn->policy == HEADWAY_POLICY_WOUND_WAIT)
			hand->errors += !older_is_live(txn);
		headway_txn_retry_on_conflict(txn);
		if (ret)
			break;
	}
	return ret;
}

static void move_money(struct hand *hand, unsigned int from, unsigned int to, s64 amount)
{
	struct lab *lab = hand->lab;
	s64 balance = READ_ONCE(lab->balance[from]);

	WRITE_ONCE(lab->balance[from], balance - amount);
	balance = READ_ONCE(lab->balance[to]);
	/* Time for another to get in between, were it possible; and for the others to queue. */
	if (!(hand->count % 8))
		usleep_range(10, 50);
	else
		ndelay(500);
	WRITE_ONCE(lab->balance[to], balance + amount);
}

/*
 * On a busy machine one hand may do all its rounds while the others do not run. So all stay until
 * what the case is about has happened.
 */
static bool more(struct hand *hand)
{
	const struct plan *plan = hand->arg;
	struct lab *lab = hand->lab;

	if (READ_ONCE(lab->stop))
		return false;
	return hand->count < plan->rounds || !lab_stat(lab, HEADWAY_STAT_CONFLICTS) ||
	       !lab_stat(lab, plan->must);
}

static int transfer_work(struct hand *hand)
{
	struct plan *plan = hand->arg;
	struct lab *lab = hand->lab;
	u64 random = hand->number + 1;

	lab_pause(hand);
	while (more(hand)) {
		unsigned int from, to;
		struct headway_lock *set[2];
		struct headway_txn txn;
		int ret;

		if (plan->opposite) {
			from = hand->number % 2;
			to = !from;
		} else {
			from = lab_random(&random, lab->nr_locks);
			to = (from + 1 + lab_random(&random, lab->nr_locks - 1)) % lab->nr_locks;
		}
		set[0] = &lab->locks[from];
		set[1] = &lab->locks[to];
		headway_txn_begin(&txn, lab->domain);
		if (plan->as_set)
			ret = headway_lock_many_timeout(&txn, set, 2, LAB_PATIENCE_NS);
		else
			ret = take_pair(hand, &txn, set[0], set[1]);
		if (!ret)
			move_money(hand, from, to, 1 + lab_random(&random, 9));
		plan->restarts[hand->number] = max(plan->restarts[hand->number], txn.restarts);
		headway_txn_end(&txn);
		if (ret)
			return ret;
		hand->count++;
	}
	return 0;
}

static void run_bank(struct kunit *test, enum headway_policy policy, unsigned int accounts,
		     unsigned int nr_hands, const struct plan *how)
{
	struct lab *lab = lab_open(test, policy, accounts);
	struct plan *plan = kunit_kzalloc(test, sizeof(*plan), GFP_KERNEL);
	struct hand *hands[LAB_HANDS];
	u64 transfers = 0;
	s64 total = 0;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, plan);
	*plan = *how;
	for (i = 0; i < accounts; i++)
		lab->balance[i] = OPENING;
	for (i = 0; i < nr_hands; i++)
		hands[i] = lab_hand(lab, transfer_work, plan);
	for (i = 0; i < nr_hands; i++)
		lab_await(hands[i]);
	for (i = 0; i < nr_hands; i++)
		lab_go(hands[i]);
	for (i = 0; i < nr_hands; i++) {
		KUNIT_EXPECT_EQ(test, lab_join(hands[i]), 0);
		KUNIT_EXPECT_GE(test, hands[i]->count, (u64)plan->rounds);
		transfers += hands[i]->count;
		KUNIT_EXPECT_EQ(test, hands[i]->errors, 0ull);
		KUNIT_EXPECT_LT(test, plan->restarts[i], (u32)RESTARTS_MAX);
	}
	for (i = 0; i < accounts; i++)
		total += lab->balance[i];
	KUNIT_EXPECT_EQ(test, total, (s64)accounts * OPENING);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_COMMITS), transfers);
	kunit_info(test, "conflicts %llu, rollbacks %llu, wounds %llu, waits %llu\n",
		   lab_stat(lab, HEADWAY_STAT_CONFLICTS), lab_stat(lab, HEADWAY_STAT_ROLLBACKS),
		   lab_stat(lab, HEADWAY_STAT_WOUNDS), lab_stat(lab, HEADWAY_STAT_WAITS));
}

static void abba_one_by_one_wound_wait(struct kunit *test)
{
	run_bank(test, HEADWAY_POLICY_WOUND_WAIT, 2, 2,
		 &(struct plan){ .rounds = 500, .opposite = true, .linger = true,
				 .must = HEADWAY_STAT_ROLLBACKS });
}

static void abba_one_by_one_polite(struct kunit *test)
{
	run_bank(test, HEADWAY_POLICY_POLITE, 2, 2,
		 &(struct plan){ .rounds = 500, .opposite = true, .linger = true,
				 .must = HEADWAY_STAT_ROLLBACKS });
}

static void abba_one_by_one_wait_die(struct kunit *test)
{
	run_bank(test, HEADWAY_POLICY_WAIT_DIE, 2, 2,
		 &(struct plan){ .rounds = 500, .opposite = true, .linger = true,
				 .must = HEADWAY_STAT_ROLLBACKS });
}

static void abba_one_by_one_detect(struct kunit *test)
{
	run_bank(test, HEADWAY_POLICY_DETECT, 2, 2,
		 &(struct plan){ .rounds = 500, .opposite = true, .linger = true,
				 .must = HEADWAY_STAT_CYCLES });
	/* Nobody rolls back but to break a cycle. */
	KUNIT_EXPECT_LE(test, lab_stat(test->priv, HEADWAY_STAT_ROLLBACKS),
			lab_stat(test->priv, HEADWAY_STAT_CYCLES));
}

static void abba_one_by_one_serial(struct kunit *test)
{
	run_bank(test, HEADWAY_POLICY_SERIAL, 2, 2,
		 &(struct plan){ .rounds = 300, .opposite = true, .linger = true });
	KUNIT_EXPECT_EQ(test, lab_stat(test->priv, HEADWAY_STAT_ROLLBACKS), 0ull);
}

/* The violation is answered with a rollback, after which the lower lock comes first. */
static void abba_one_by_one_ordered(struct kunit *test)
{
	run_bank(test, HEADWAY_POLICY_ORDERED, 2, 2,
		 &(struct plan){ .rounds = 300, .opposite = true, .linger = true,
				 .must = HEADWAY_STAT_ORDER_VIOLATIONS });
}

static void abba_as_set_ordered(struct kunit *test)
{
	run_bank(test, HEADWAY_POLICY_ORDERED, 2, 4,
		 &(struct plan){ .rounds = 500, .opposite = true, .as_set = true });
	KUNIT_EXPECT_EQ(test, lab_stat(test->priv, HEADWAY_STAT_ROLLBACKS), 0ull);
}

static void abba_as_set_polite(struct kunit *test)
{
	run_bank(test, HEADWAY_POLICY_POLITE, 2, 4,
		 &(struct plan){ .rounds = 500, .opposite = true, .as_set = true });
}

static void abba_as_set_wound_wait(struct kunit *test)
{
	run_bank(test, HEADWAY_POLICY_WOUND_WAIT, 2, 4,
		 &(struct plan){ .rounds = 500, .opposite = true, .as_set = true });
	/*
	 * It waits in order, so that it hardly ever needs one: only when somebody who has taken
	 * what is free, out of order, is in the way of one that holds what an older one wants.
	 */
	KUNIT_EXPECT_LT(test, lab_stat(test->priv, HEADWAY_STAT_ROLLBACKS),
			lab_stat(test->priv, HEADWAY_STAT_COMMITS) / 20);
}

static void money_is_conserved_wound_wait(struct kunit *test)
{
	run_bank(test, HEADWAY_POLICY_WOUND_WAIT, 5, 6, &(struct plan){ .rounds = 500 });
}

static void money_is_conserved_wound_wait_slowly(struct kunit *test)
{
	run_bank(test, HEADWAY_POLICY_WOUND_WAIT, 4, 8,
		 &(struct plan){ .rounds = 100, .linger = true,
				 .must = HEADWAY_STAT_WOUNDS });
}

static void money_is_conserved_wait_die(struct kunit *test)
{
	run_bank(test, HEADWAY_POLICY_WAIT_DIE, 5, 6, &(struct plan){ .rounds = 500 });
}

static void money_is_conserved_wait_die_slowly(struct kunit *test)
{
	run_bank(test, HEADWAY_POLICY_WAIT_DIE, 4, 8,
		 &(struct plan){ .rounds = 100, .linger = true,
				 .must = HEADWAY_STAT_ROLLBACKS });
}

static void money_is_conserved_detect(struct kunit *test)
{
	run_bank(test, HEADWAY_POLICY_DETECT, 5, 6, &(struct plan){ .rounds = 500 });
}

static void money_is_conserved_detect_slowly(struct kunit *test)
{
	run_bank(test, HEADWAY_POLICY_DETECT, 4, 8,
		 &(struct plan){ .rounds = 100, .linger = true,
				 .must = HEADWAY_STAT_CYCLES });
}

static void money_is_conserved_serial(struct kunit *test)
{
	run_bank(test, HEADWAY_POLICY_SERIAL, 5, 6, &(struct plan){ .rounds = 500 });
}

static void money_is_conserved_polite(struct kunit *test)
{
	run_bank(test, HEADWAY_POLICY_POLITE, 5, 6, &(struct plan){ .rounds = 500 });
}

static void money_is_conserved_ordered(struct kunit *test)
{
	run_bank(test, HEADWAY_POLICY_ORDERED, 5, 6,
		 &(struct plan){ .rounds = 500, .as_set = true });
}

static struct kunit_case bank_cases[] = {
	KUNIT_CASE(abba_one_by_one_wound_wait),
	KUNIT_CASE(abba_one_by_one_polite),
	KUNIT_CASE(abba_one_by_one_ordered),
	KUNIT_CASE(abba_one_by_one_wait_die),
	KUNIT_CASE(abba_one_by_one_detect),
	KUNIT_CASE(abba_one_by_one_serial),
	KUNIT_CASE(abba_as_set_ordered),
	KUNIT_CASE(abba_as_set_polite),
	KUNIT_CASE(abba_as_set_wound_wait),
	KUNIT_CASE(money_is_conserved_wound_wait),
	KUNIT_CASE(money_is_conserved_wound_wait_slowly),
	KUNIT_CASE(money_is_conserved_wait_die),
	KUNIT_CASE(money_is_conserved_wait_die_slowly),
	KUNIT_CASE(money_is_conserved_detect),
	KUNIT_CASE(money_is_conserved_detect_slowly),
	KUNIT_CASE(money_is_conserved_serial),
	KUNIT_CASE(money_is_conserved_polite),
	KUNIT_CASE(money_is_conserved_ordered),
	{}
};

struct kunit_suite headway_bank_suite = {
	.name = "headway-bank",
	.exit = lab_close,
	.test_cases = bank_cases,
};

// SPDX-License-Identifier: GPL-2.0
/*
 * live_kunit.c - what debugfs shows of live transactions: where they wait, on whom, their stacks.
 */
#include <linux/stacktrace.h>

#include "lab.h"

/* User Mode Linux unwinds by frame pointers only, which its plain build does not have. */
static void need_stacks(struct kunit *test)
{
	unsigned long entries[8];

	if (!stack_trace_save(entries, ARRAY_SIZE(entries), 0))
		kunit_skip(test, "this kernel cannot unwind its own stack");
}

static const char *hand_line(struct lab *lab, const char *file, const char *label,
			     unsigned int hand)
{
	char comm[16];

	snprintf(comm, sizeof(comm), "hand/%u", hand);
	return lab_line(lab_file(lab, file), label, comm);
}

static bool value_is(const char *line, const char *label, const char *wanted)
{
	char value[64];

	return line && lab_value(line, label, value, sizeof(value)) && !strcmp(value, wanted);
}

/* Whether a hand's stack was shown, with the function in it. */
static bool stack_has(const char *line, const char *function)
{
	static char stack[2048];	/* cases run one by one */

	return line && lab_value(line, "stack", stack, sizeof(stack)) &&
	       strstr(stack, function) && !strstarts(stack, "0x") && !strstr(stack, "<-0x");
}

/* Not the last call of its caller, which would then not be on the stack. */
static noinline int wait_right_here(struct headway_txn *txn, struct headway_lock *lock, u64 ns)
{
	int ret = headway_lock_timeout(txn, lock, ns);

	barrier();
	return ret;
}

static int waiter_work(struct hand *hand)
{
	struct lab *lab = hand->lab;
	struct headway_txn txn;
	int ret;

	headway_txn_begin(&txn, lab->domain);
	ret = wait_right_here(&txn, hand->arg, LAB_PATIENCE_NS);
	lab_pause(hand);
	headway_txn_end(&txn);
	return ret;
}

static struct hand *wait_for(struct lab *lab, struct headway_lock *lock, unsigned int nr)
{
	struct hand *hand = lab_hand(lab, waiter_work, lock);

	KUNIT_EXPECT_TRUE(lab->test, lab_eventually(lab_waiters(lock) == nr));
	return hand;
}

static void waiter_shows_where_it_waits(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 1);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *waiter;
	const char *line;

	need_stacks(test);
	waiter = wait_for(lab, &lab->locks[0], 1);
	KUNIT_EXPECT_TRUE(test, lab_eventually(stack_has(hand_line(lab, "transactions", "comm", 1),
							 "wait_right_here+")));
	line = hand_line(lab, "transactions", "comm", 1);
	KUNIT_EXPECT_TRUE(test, value_is(line, "waiting", "1"));
	KUNIT_EXPECT_TRUE(test, value_is(line, "backing_off", "0"));
	KUNIT_EXPECT_TRUE(test, value_is(line, "lock", "lab"));
	KUNIT_EXPECT_TRUE(test, value_is(line, "holder", "hand/0"));
	lab_let_go(holder);
	lab_await(waiter);
	lab_let_go(waiter);
}

static void runner_shows_no_stack(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 1);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *waiter = wait_for(lab, &lab->locks[0], 1);
	const char *line;

	lab_let_go(holder);
	lab_await(waiter);
	/* It is live, and sleeps, but not for us. */
	line = hand_line(lab, "transactions", "comm", 1);
	KUNIT_EXPECT_TRUE(test, value_is(line, "waiting", "0"));
	KUNIT_EXPECT_TRUE(test, value_is(line, "held", "1"));
	KUNIT_EXPECT_TRUE(test, value_is(line, "holder_pid", "0"));
	KUNIT_EXPECT_TRUE(test, value_is(line, "stack", "-"));
	lab_let_go(waiter);
}

static int rollback_work(struct hand *hand)
{
	struct lab *lab = hand->lab;
	struct headway_txn txn;
	int ret;

	headway_txn_begin(&txn, lab->domain);
	ret = headway_lock_timeout(&txn, &lab->locks[0], LAB_PATIENCE_NS);
	while (!ret && !READ_ONCE(lab->stop)) {
		ret = headway_lock_timeout(&txn, &lab->locks[1], LAB_PATIENCE_NS);
		if (ret != -EDEADLK)
			break;
		ret = headway_txn_rollback_wait(&txn, NULL);
		if (!ret)
			ret = headway_lock_timeout(&txn, &lab->locks[0], LAB_PATIENCE_NS);
	}
	headway_txn_end(&txn);
	return ret;
}

static void delay_shows_its_stack(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_NONE, 2);
	struct hand *holder, *loser;
	const char *line = NULL;

	need_stacks(test);
	/* Always the same delay: shorter than a reader's patience. */
	lab->domain->grid.base_ns = 20 * MS;
	holder = lab_hold(lab, &lab->locks[1]);
	loser = lab_hand(lab, rollback_work, NULL);
	KUNIT_EXPECT_TRUE(test, lab_eventually((line = hand_line(lab, "transactions", "comm", 1)) &&
					       value_is(line, "backing_off", "1") &&
					       stack_has(line, "headway_txn_rollback_wait+")));
	KUNIT_EXPECT_TRUE(test, value_is(line, "waiting", "0"));
	lab_let_go(holder);
	KUNIT_EXPECT_EQ(test, lab_join(loser), 0);
}

/* A woken waiter that lost demands a handoff; one that was only looked at did not lose. */
static void a_look_is_no_lost_wakeup(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 1);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *waiter = wait_for(lab, &lab->locks[0], 1);
	int i;

	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_TRUE(test, value_is(hand_line(lab, "transactions", "comm", 1),
						 "waiting", "1"));
	KUNIT_EXPECT_EQ(test, lab_waiters(&lab->locks[0]), 1u);
	lab_let_go(holder);
	lab_await(waiter);
	lab_let_go(waiter);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_HANDOFFS), 0ull);
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_WAITS), 1ull);
}

/* Waits again and again until it was looked at meanwhile. */
static int timeout_work(struct hand *hand)
{
	const unsigned int *looks = hand->arg;
	int ret = -ETIMEDOUT;

	while (ret == -ETIMEDOUT && !READ_ONCE(*looks) && !READ_ONCE(hand->lab->stop)) {
		struct headway_txn txn;
		u64 since;

		headway_txn_begin(&txn, hand->lab->domain);
		since = ktime_get_ns();
		ret = wait_right_here(&txn, &hand->lab->locks[0], 100 * MS);
		if (ktime_get_ns() - since < 100 * MS)
			hand->errors++;
		headway_txn_end(&txn);
	}
	return ret;
}

static void a_look_ends_no_wait_early(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 1);
	u64 until = ktime_get_ns() + LAB_PATIENCE_NS;
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	unsigned int *looks = kunit_kzalloc(test, sizeof(*looks), GFP_KERNEL);
	struct hand *waiter;

	KUNIT_ASSERT_NOT_NULL(test, looks);
	waiter = lab_hand(lab, timeout_work, looks);
	while (!completion_done(&waiter->done) && ktime_get_ns() < until) {
		bool waits = lab_waiters(&lab->locks[0]);

		lab_file(lab, "transactions");
		if (waits && lab_waiters(&lab->locks[0]))
			WRITE_ONCE(*looks, *looks + 1);
	}
	KUNIT_EXPECT_EQ(test, lab_join(waiter), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, waiter->errors, 0ull);
	lab_let_go(holder);
}

/*
 * Counts stacks in what it reads: `transactions` until it has had as many as @arg says, or all
 * files until the end. On a busy machine some come too late for a reading.
 */
static int reader_work(struct hand *hand)
{
	static const char * const files[] = { "transactions", "graph", "graph_dot" };
	unsigned long wanted = (unsigned long)hand->arg;
	bool forever = wanted == ULONG_MAX;
	char *text = kmalloc(LAB_TEXT, GFP_KERNEL);
	unsigned int round = 0;
	const char *stack;
	ssize_t len = 1;

	if (!text)
		return -ENOMEM;
	while (len > 0 && hand->count < wanted && !READ_ONCE(hand->lab->stop)) {
		len = lab_read(hand->lab, files[forever ? round++ % 3 : 0], text,
			       LAB_TEXT);
		for (stack = text; len > 0 && (stack = strstr(stack, " stack=")); stack++)
			hand->count += stack[strlen(" stack=")] != '-';
		cond_resched();
	}
	kfree(text);
	return len < 0 ? len : 0;
}

#define STACKS 25

static void many_readers_are_all_served(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 1);
	struct hand *holder = lab_hold(lab, &lab->locks[0]);
	struct hand *waiters[2], *readers[4];
	int i;

	need_stacks(test);
	for (i = 0; i < 2; i++)
		waiters[i] = wait_for(lab, &lab->locks[0], i + 1);
	for (i = 0; i < 4; i++)
		readers[i] = lab_hand(lab, reader_work, (void *)STACKS);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, lab_join(readers[i]), 0);
		/* Two in each reading, if none is late. */
		KUNIT_EXPECT_GE(test, readers[i]->count, (u64)STACKS);
		KUNIT_EXPECT_LE(test, readers[i]->count, STACKS + 1ull);
	}
	KUNIT_EXPECT_EQ(test, lab_waiters(&lab->locks[0]), 2u);
	lab_let_go(holder);
	/* In the order in which they stand in the queue: the oldest first. */
	for (i = 0; i < 2; i++) {
		lab_await(waiters[i]);
		lab_let_go(waiters[i]);
	}
}

/* Transactions that hardly begin before they end. */
static int brief_work(struct hand *hand)
{
	struct lab *lab = hand->lab;
	u64 random = hand->number + 1;
	int ret = 0;

	while (!ret && !READ_ONCE(lab->stop)) {
		struct headway_txn txn;
		unsigned int i;

		headway_txn_begin(&txn, lab->domain);
		headway_txn_until_done(&txn) {
			for (i = 0; i < 2; i++) {
				u32 which = lab_random(&random, lab->nr_locks);

				ret = wait_right_here(&txn, &lab->locks[which], LAB_PATIENCE_NS);
				headway_txn_retry_on_conflict(&txn);
				if (ret == -EALREADY)
					ret = 0;
			}
			if (!(hand->count % 4))
				usleep_range(20, 50);
		}
		headway_txn_end(&txn);
		/* What was on the stack is something else now. */
		memset(&txn, 0x5a, sizeof(txn));
		barrier_data(&txn);
		hand->count++;
		cond_resched();
	}
	return ret;
}

static void readers_beside_transactions_that_end(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_WOUND_WAIT, 3);
	struct hand *workers[4], *readers[3];
	u64 commits = 0;
	int i, policy;

	for (i = 0; i < 4; i++)
		workers[i] = lab_hand(lab, brief_work, NULL);
	for (i = 0; i < 3; i++)
		readers[i] = lab_hand(lab, reader_work, (void *)ULONG_MAX);
	lab_for_each_concurrent_policy(policy) {
		if (policy == HEADWAY_POLICY_NONE || policy == HEADWAY_POLICY_ORDERED)
			continue;
		KUNIT_EXPECT_EQ(test, headway_domain_set_policy(lab->domain, policy, NULL), 0);
		msleep(100);
	}
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_TRUE(test, lab_eventually(READ_ONCE(workers[i]->count)));
	WRITE_ONCE(lab->stop, true);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, lab_join(readers[i]), 0);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, lab_join(workers[i]), 0);
		commits += workers[i]->count;
	}
	KUNIT_EXPECT_EQ(test, lab_stat(lab, HEADWAY_STAT_COMMITS), commits);
}

/* Holds lock number-of-hand, then waits for the one before. */
static int chain_work(struct hand *hand)
{
	struct lab *lab = hand->lab;
	struct headway_txn txn;
	int ret;

	headway_txn_begin(&txn, lab->domain);
	ret = headway_lock_timeout(&txn, &lab->locks[hand->number], LAB_PATIENCE_NS);
	if (!ret && hand->number)
		ret = headway_lock_timeout(&txn, &lab->locks[hand->number - 1], LAB_PATIENCE_NS);
	lab_pause(hand);
	headway_txn_end(&txn);
	return ret;
}

#define CHAIN 4

static void build_chain(struct lab *lab, struct hand *hands[CHAIN])
{
	int i;

	for (i = 0; i < CHAIN; i++) {
		hands[i] = lab_hand(lab, chain_work, NULL);
		if (i)
			KUNIT_EXPECT_TRUE(lab->test,
					  lab_eventually(lab_waiters(&lab->locks[i - 1]) == 1));
		else
			lab_await(hands[i]);
	}
}

static void undo_chain(struct hand *hands[CHAIN])
{
	int i;

	for (i = 0; i < CHAIN; i++) {
		if (i)
			lab_await(hands[i]);
		lab_let_go(hands[i]);
	}
}

static unsigned int count_of(const char *text, const char *what)
{
	unsigned int n = 0;

	while ((text = strstr(text, what))) {
		n++;
		text++;
	}
	return n;
}

static void graph_is_the_chain(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_DETECT, CHAIN);
	struct hand *hands[CHAIN];
	char wanted[16];
	int i;

	build_chain(lab, hands);
	KUNIT_EXPECT_EQ(test, count_of(lab_file(lab, "graph"), "waiter="), CHAIN - 1u);
	for (i = 1; i < CHAIN; i++) {
		const char *line = hand_line(lab, "graph", "waiter", i);

		snprintf(wanted, sizeof(wanted), "hand/%d", i - 1);
		KUNIT_EXPECT_TRUE(test, value_is(line, "holder", wanted));
		snprintf(wanted, sizeof(wanted), "%d", hands[i - 1]->task->pid);
		KUNIT_EXPECT_TRUE(test, value_is(line, "holder_pid", wanted));
		snprintf(wanted, sizeof(wanted), "%d", i - 1);
		KUNIT_EXPECT_TRUE(test, value_is(line, "rank", wanted));
	}
	undo_chain(hands);
	KUNIT_EXPECT_EQ(test, count_of(lab_file(lab, "graph"), "waiter="), 0u);
}

static void dot_is_the_chain(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_DETECT, CHAIN);
	struct hand *hands[CHAIN];
	char wanted[48];
	char *text;
	int i;

	build_chain(lab, hands);
	text = lab_file(lab, "graph_dot");
	KUNIT_EXPECT_TRUE(test, strstarts(text, "# headway.graph_dot v1\n"));
	KUNIT_EXPECT_EQ(test, count_of(text, "\ndigraph \"kunit\" {\n"), 1u);
	KUNIT_EXPECT_EQ(test, count_of(text, " -> "), CHAIN - 1u);
	KUNIT_EXPECT_TRUE(test, !strcmp(text + strlen(text) - 2, "}\n"));
	for (i = 0; i < CHAIN; i++) {
		/* Each node once, also the one that met no conflict. */
		snprintf(wanted, sizeof(wanted), "\n\tt%d [label=\"hand/%d ",
			 hands[i]->task->pid, i);
		KUNIT_EXPECT_EQ(test, count_of(text, wanted), 1u);
		if (!i)
			continue;
		snprintf(wanted, sizeof(wanted), "\n\tt%d -> t%d [label=\"lab (%d, 0)",
			 hands[i]->task->pid, hands[i - 1]->task->pid, i - 1);
		KUNIT_EXPECT_EQ(test, count_of(text, wanted), 1u);
	}
	undo_chain(hands);
}

static struct kunit_case live_cases[] = {
	KUNIT_CASE(waiter_shows_where_it_waits),
	KUNIT_CASE(runner_shows_no_stack),
	KUNIT_CASE(delay_shows_its_stack),
	KUNIT_CASE(a_look_is_no_lost_wakeup),
	KUNIT_CASE(a_look_ends_no_wait_early),
	KUNIT_CASE(many_readers_are_all_served),
	KUNIT_CASE(readers_beside_transactions_that_end),
	KUNIT_CASE(graph_is_the_chain),
	KUNIT_CASE(dot_is_the_chain),
	{}
};

struct kunit_suite headway_live_suite = {
	.name = "headway-live",
	.exit = lab_close,
	.test_cases = live_cases,
};

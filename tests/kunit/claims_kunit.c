// SPDX-License-Identifier: GPL-2.0
/*
 * claims_kunit.c - the arbiter under load: exclusion, starvation, deadlocks that hands run into,
 * shutdown.
 */
#include "arena.h"

/* Few, as a short sleep takes a whole tick where timers are coarse. */
#define ROUNDS 50

/*
 * On a busy machine a hand may do all its rounds while the others do not run. So all of them go on
 * until what a case is about has happened, and none leaves the others alone before that.
 */
static bool go_on(const struct hand *hand, bool happened)
{
	return !happened && !READ_ONCE(hand->lab->stop);
}

/* What all the hands have counted until now. */
static u64 counted_by(const struct lab *lab)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < lab->nr_hands; i++)
		sum += READ_ONCE(lab->hands[i].count);
	return sum;
}

/* Takes random sets and checks that it is alone on each resource. */
static int random_sets_work(struct hand *hand)
{
	struct arena *arena = hand->arg;
	u64 seed = hand->number + 1;
	unsigned int i, id;

	lab_pause(hand);
	for (i = 0; i < ROUNDS || go_on(hand, arena_stats(arena).passes); i++) {
		unsigned long mask = lab_random(&seed, (1 << ARENA_IDS) - 1) + 1;
		struct headway_request *request = arena_want(arena, hand->number, 0,
							     lab_random(&seed, 16), mask);
		int ret = headway_arbiter_acquire_timeout(request, LAB_PATIENCE_NS);

		if (ret)
			return ret;
		for_each_set_bit(id, &mask, ARENA_IDS) {
			if (READ_ONCE(arena->cookie[id]))
				hand->errors++;
			WRITE_ONCE(arena->cookie[id], current);
			arena->counter[id]++;
			hand->count++;
		}
		if (!(i % 16))
			usleep_range(20, 50);
		for_each_set_bit(id, &mask, ARENA_IDS) {
			if (READ_ONCE(arena->cookie[id]) != current)
				hand->errors++;
			WRITE_ONCE(arena->cookie[id], NULL);
		}
		headway_arbiter_release(request);
	}
	return 0;
}

static void claims_exclude_each_other(struct kunit *test)
{
	struct arena *arena = arena_open(test, ARENA_IDS, 0, 4);
	u64 taken = 0, counted = 0;
	unsigned int i;

	for (i = 0; i < 6; i++)
		lab_hand(arena->lab, random_sets_work, arena);
	lab_start(arena->lab->hands, 6);
	for (i = 0; i < 6; i++) {
		KUNIT_EXPECT_EQ(test, lab_join(&arena->lab->hands[i]), 0);
		KUNIT_EXPECT_EQ(test, arena->lab->hands[i].errors, 0ull);
		taken += arena->lab->hands[i].count;
	}
	for (i = 0; i < ARENA_IDS; i++)
		counted += arena->counter[i];
	KUNIT_EXPECT_EQ(test, counted, taken);
	KUNIT_EXPECT_GE(test, arena_stats(arena).grants, 6ull * ROUNDS);
	/* Nobody held and waited. */
	KUNIT_EXPECT_EQ(test, arena_stats(arena).deadlocks, 0ull);
	KUNIT_EXPECT_GT(test, arena_stats(arena).passes, 0ull);
	arena_close(arena);
}

/* Hands 1 and 3 keep resource 0, 2 and 4 resource 1: each overlaps with the next one. */
static int narrow_work(struct hand *hand)
{
	struct arena *arena = hand->arg;
	struct headway_request *request = arena_want(arena, hand->number, 0, 0,
						     hand->number % 2 ? 1 : 2);

	lab_pause(hand);
	while (!READ_ONCE(hand->lab->stop)) {
		int ret = headway_arbiter_acquire_timeout(request, LAB_PATIENCE_NS);

		if (ret)
			return ret;
		/* Until the next one is there, so that the resource is never free. */
		while (!arena_waiting(arena) && !READ_ONCE(hand->lab->stop))
			usleep_range(10, 20);
		headway_arbiter_release(request);
		hand->count++;
	}
	return 0;
}

#define WIDE_ROUNDS 10

/* Both resources are taken, and others wait for them. */
static bool crowded(struct arena *arena)
{
	struct headway_arbiter_stats stats = arena_stats(arena);

	return stats.held == 2 && stats.waiting >= 1;
}

static int wide_work(struct hand *hand)
{
	struct arena *arena = hand->arg;
	struct headway_request *request = arena_want(arena, hand->number, 0, 0, 3);

	lab_pause(hand);
	for (hand->count = 0; hand->count < WIDE_ROUNDS; hand->count++) {
		u64 before;
		int ret;

		if (!lab_eventually(crowded(arena)))
			return -EAGAIN;
		before = arena_stats(arena).passes;
		ret = headway_arbiter_acquire_timeout(request, LAB_PATIENCE_NS);
		if (ret)
			return ret;
		/* The only one to be passed by others is the wide one: one resource, first come. */
		if (arena_stats(arena).passes - before > 4)
			hand->errors++;
		headway_arbiter_release(request);
	}
	return 0;
}

static void claims_wide_set_is_not_starved_by_narrow_ones(struct kunit *test)
{
	struct arena *arena = arena_open(test, 2, 0, 4);
	struct lab *lab = arena->lab;
	u64 narrow = 0;
	unsigned int i;

	lab_hand(lab, wide_work, arena);
	for (i = 1; i < 5; i++)
		lab_hand(lab, narrow_work, arena);
	lab_start(lab->hands, 5);
	KUNIT_EXPECT_EQ(test, lab_join(&lab->hands[0]), 0);
	KUNIT_EXPECT_EQ(test, lab->hands[0].count, (u64)WIDE_ROUNDS);
	KUNIT_EXPECT_EQ(test, lab->hands[0].errors, 0ull);
	WRITE_ONCE(lab->stop, true);
	for (i = 1; i < 5; i++) {
		KUNIT_EXPECT_EQ(test, lab_join(&lab->hands[i]), 0);
		narrow += lab->hands[i].count;
	}
	/* Otherwise there was nothing to starve it. */
	KUNIT_EXPECT_GE(test, narrow, (u64)WIDE_ROUNDS);
	arena_close(arena);
}

/* Whether each of the four that have it has been served so often. */
static bool high_were_served(const struct lab *lab, u64 times)
{
	unsigned int i;

	for (i = 1; i < 5; i++)
		if (READ_ONCE(lab->hands[i].count) < times)
			return false;
	return true;
}

static int priority_work(struct hand *hand)
{
	struct arena *arena = hand->arg;
	struct headway_request *request = arena_want(arena, hand->number, 0,
						     hand->number ? 15 : 0, 1);

	lab_pause(hand);
	while (!READ_ONCE(hand->lab->stop)) {
		struct headway_wait wait = {
			TASK_KILLABLE, ktime_add_ns(ktime_get(), LAB_PATIENCE_NS),
		};
		int ret = headway_arbiter_submit(request, KTIME_MAX);
		/* Read when it is in the queue: what came before that is not its business. */
		u64 before = arena_stats(arena).grants;

		if (!ret)
			ret = headway_arbiter_wait(request, &wait);
		if (ret)
			return ret;
		/* Found at most 4, and at most 15 later ones went before it. */
		if (!hand->number && arena_stats(arena).grants - before > 4 + 15 + 1)
			hand->errors++;
		/* Long enough for the others to queue again. */
		usleep_range(50, 100);
		headway_arbiter_release(request);
		hand->count++;
		if (!hand->number && hand->count >= 4 && high_were_served(hand->lab, 5))
			return 0;
	}
	return 0;
}

static void claims_low_priority_is_not_starved_by_high(struct kunit *test)
{
	struct arena *arena = arena_open(test, 1, 1, 0);
	struct lab *lab = arena->lab;
	unsigned int i;

	for (i = 0; i < 5; i++)
		lab_hand(lab, priority_work, arena);
	lab_start(lab->hands, 5);
	KUNIT_EXPECT_EQ(test, lab_join(&lab->hands[0]), 0);
	KUNIT_EXPECT_GE(test, lab->hands[0].count, 4ull);
	KUNIT_EXPECT_EQ(test, lab->hands[0].errors, 0ull);
	WRITE_ONCE(lab->stop, true);
	for (i = 1; i < 5; i++)
		KUNIT_EXPECT_EQ(test, lab_join(&lab->hands[i]), 0);
	arena_close(arena);
}

/* ---- holders that ask for more -------------------------------------------------------------- */

/* Takes its own resource, waits for the others to have theirs, then wants its neighbour's. */
static int neighbour_work(struct hand *hand)
{
	struct arena *arena = hand->arg;
	unsigned int h = hand->number, n;
	struct headway_request *own = arena_want(arena, h, 0, 0, 1 << h);
	struct headway_request *next;
	int ret = headway_arbiter_acquire_timeout(own, LAB_PATIENCE_NS);

	if (ret)
		return ret;
	lab_pause(hand);
	n = hand->lab->nr_hands;
	next = arena_want(arena, h, 1, 0, 1 << (h + 1) % n);
	for (;;) {
		ret = headway_arbiter_acquire_timeout(next, LAB_PATIENCE_NS);
		if (ret != -EDEADLK)
			break;
		hand->count++;
		/* Told, but not stripped. */
		if (headway_request_result(own))
			hand->errors++;
		if (headway_arbiter_acquire_try(next) != -EDEADLK)
			hand->errors++;
		headway_arbiter_release(own);
		ret = headway_arbiter_acquire_timeout(own, LAB_PATIENCE_NS);
		if (ret)
			return ret;
	}
	if (!ret)
		headway_arbiter_release(next);
	headway_arbiter_release(own);
	return ret;
}

static void circle_of(struct kunit *test, unsigned int n)
{
	struct arena *arena = arena_open(test, n, 0, 8);
	u64 told = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		lab_hand(arena->lab, neighbour_work, arena);
	lab_start(arena->lab->hands, n);
	for (i = 0; i < n; i++) {
		KUNIT_EXPECT_EQ(test, lab_join(&arena->lab->hands[i]), 0);
		KUNIT_EXPECT_EQ(test, arena->lab->hands[i].errors, 0ull);
		told += arena->lab->hands[i].count;
	}
	/*
	 * Each deadlock was told to one; that there is one at all is certain, as all hold their
	 * own.
	 */
	KUNIT_EXPECT_EQ(test, told, arena_stats(arena).deadlocks);
	KUNIT_EXPECT_GE(test, told, 1ull);
	arena_close(arena);
}

static void claims_circles_of_two_to_eight(struct kunit *test)
{
	unsigned int n;

	for (n = 2; n <= ARENA_IDS; n++) {
		circle_of(test, n);
		lab_close(test);
	}
}

/* Takes three of the resources one by one, always the next higher: chains, and never a circle. */
static int ladder_work(struct hand *hand)
{
	struct arena *arena = hand->arg;
	struct headway_request request[3];
	u64 seed = 5 + hand->number;
	unsigned int i, round;
	int ret = 0;

	lab_pause(hand);
	for (round = 0; !ret && (round < 25 || go_on(hand, counted_by(hand->lab) > 20)); round++) {
		u32 id = 0;

		for (i = 0; i < 3; i++) {
			id += lab_random(&seed, 2);
			headway_request_init(&request[i], &arena->holder[hand->number], 0);
			ret = headway_request_add(&request[i], id++) ?:
			      headway_arbiter_acquire_try(&request[i]);
			if (ret == -EBUSY) {
				hand->count++;
				ret = headway_arbiter_acquire_timeout(&request[i], LAB_PATIENCE_NS);
			}
			if (ret)
				break;
			/* The others' turn, so that they wait for what is held here. */
			usleep_range(5, 20);
		}
		while (i)
			headway_arbiter_release(&request[--i]);
	}
	return ret;
}

static void claims_chains_have_no_victim(struct kunit *test)
{
	struct arena *arena = arena_open(test, 6, 0, 4);
	u64 waits = 0;
	unsigned int i;

	for (i = 0; i < 5; i++)
		lab_hand(arena->lab, ladder_work, arena);
	lab_start(arena->lab->hands, 5);
	for (i = 0; i < 5; i++) {
		KUNIT_EXPECT_EQ(test, lab_join(&arena->lab->hands[i]), 0);
		waits += arena->lab->hands[i].count;
	}
	KUNIT_EXPECT_GE(test, arena_stats(arena).grants, 5 * 25 * 3ull);
	KUNIT_EXPECT_EQ(test, arena_stats(arena).deadlocks, 0ull);
	/* They have been in each other's way, holding something. */
	KUNIT_EXPECT_GT(test, waits, 20ull);
	arena_close(arena);
}

#define WALKERS		4
#define WALK_ROUNDS	12
#define WALK_DEADLOCKS	16u
/*
 * The most often that one can be a victim in a row. 16 times make it a senior; then it is once for
 * each request of an older one (arbiter_core.c). The oldest makes 3 of these, as it succeeds; the
 * next 3 in each of 1 + 3 attempts; the next 3 in each of 1 + 3 + 12.
 */
#define WALK_ROW	(16 + 3 + 12 + 48)

struct walker {
	struct arena *arena;
	u64 seed;
	unsigned int rounds;
	unsigned int row;		/* the most often that it was a victim in one round */
};

/* Gets up to three of the resources, one by one, and gives them back. Return: 0, -EDEADLK, ... */
static int walk(struct hand *hand)
{
	struct walker *walker = hand->arg;
	struct headway_request request[3];
	unsigned int i, n = 0;
	int ret = 0;

	for (i = 0; !ret && i < ARRAY_SIZE(request); i++) {
		headway_request_init(&request[n], &walker->arena->holder[hand->number], 0);
		ret = headway_request_add(&request[n], lab_random(&walker->seed, 4)) ?:
		      headway_arbiter_acquire_timeout(&request[n], LAB_PATIENCE_NS);
		if (!ret)
			n++;
		else if (ret == -EALREADY)
			ret = 0;
		/* The others' turn, so that they really run into each other. */
		usleep_range(5, 20);
	}
	while (n)
		headway_arbiter_release(&request[--n]);
	return ret;
}

/* Walks on until the arbiter has had its deadlocks. */
static int walker_work(struct hand *hand)
{
	struct walker *walker = hand->arg;
	struct arena *arena = walker->arena;
	unsigned int row = 0;

	lab_pause(hand);
	while (walker->rounds < WALK_ROUNDS ||
	       go_on(hand, arena_stats(arena).deadlocks >= WALK_DEADLOCKS)) {
		int ret = walk(hand);

		if (!ret) {
			walker->rounds++;
			row = 0;
			continue;
		}
		if (ret != -EDEADLK)
			return ret;
		hand->count++;
		row++;
		walker->row = max(walker->row, row);
		if (row > WALK_ROW)
			hand->errors++;
	}
	return 0;
}

static void claims_deadlocks_under_load_are_all_resolved(struct kunit *test)
{
	struct arena *arena = arena_open(test, 4, 0, 4);
	struct walker *walkers = kunit_kzalloc(test, WALKERS * sizeof(*walkers), GFP_KERNEL);
	u64 told = 0;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, walkers);
	for (i = 0; i < WALKERS; i++) {
		walkers[i].arena = arena;
		walkers[i].seed = 77 + i;
		lab_hand(arena->lab, walker_work, &walkers[i]);
	}
	lab_start(arena->lab->hands, WALKERS);
	for (i = 0; i < WALKERS; i++) {
		struct hand *hand = &arena->lab->hands[i];
		int ret = lab_join(hand);

		if (ret || hand->errors)
			KUNIT_FAIL(test, "walker %u: %d; %u rounds, told %llu times, %u in a row",
				   i, ret, walkers[i].rounds, hand->count, walkers[i].row);
		told += hand->count;
	}
	KUNIT_EXPECT_EQ(test, told, arena_stats(arena).deadlocks);
	KUNIT_EXPECT_GE(test, told, (u64)WALK_DEADLOCKS);
	arena_close(arena);
}

static void note_result(struct headway_request *request, int ret)
{
	struct arena *arena = container_of(request->holder, struct arena, holder[1]);

	arena->ret = ret;
	complete(&arena->called);
}

static void claims_victim_is_told_by_its_callback(struct kunit *test)
{
	struct arena *arena = arena_open(test, 2, 0, 8);
	struct headway_request *a = arena_take(arena, 0, 0, 5, 1);
	struct headway_request *b = arena_take(arena, 1, 0, 0, 2);
	struct headway_request *wants_a = arena_want(arena, 1, 1, 0, 1);
	struct hand *hand;

	headway_request_on_grant(wants_a, note_result, NULL);
	KUNIT_EXPECT_EQ(test, headway_arbiter_submit(wants_a, KTIME_MAX), 0);
	hand = arena_claimant(arena, arena_want(arena, 0, 1, 5, 2), TASK_KILLABLE, false);
	KUNIT_EXPECT_TRUE(test, arena_called(arena));
	KUNIT_EXPECT_EQ(test, arena->ret, -EDEADLK);
	KUNIT_EXPECT_EQ(test, arena_stats(arena).victims, 1u);
	/* What it holds it holds until it gives it back. */
	KUNIT_EXPECT_EQ(test, arena_stats(arena).held, 2u);
	KUNIT_EXPECT_EQ(test, headway_arbiter_submit(wants_a, KTIME_MAX), -EDEADLK);
	headway_arbiter_release(b);
	KUNIT_EXPECT_EQ(test, lab_join(hand), 0);
	KUNIT_EXPECT_EQ(test, arena_stats(arena).acknowledged, 1ull);
	headway_arbiter_release(a);
	arena_close(arena);
}

/* ---- coming to an end ----------------------------------------------------------------------- */

static void claims_shutdown_sends_everybody_away(struct kunit *test)
{
	struct arena *arena = arena_open(test, 2, 0, 8);
	struct headway_request *held = arena_take(arena, 0, 0, 0, 3);
	struct hand *hands[3];
	unsigned int i;

	for (i = 0; i < 3; i++)
		hands[i] = arena_claimant(arena, arena_want(arena, 1 + i, 0, 0, 1 + i % 2),
					  TASK_UNINTERRUPTIBLE, true);
	KUNIT_EXPECT_EQ(test, arena_submit(arena, 0, KTIME_MAX), 0);
	headway_arbiter_shutdown(arena->arbiter);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, lab_join(hands[i]), -ECANCELED);
	KUNIT_EXPECT_TRUE(test, arena_called(arena));
	KUNIT_EXPECT_EQ(test, arena->ret, -ECANCELED);
	KUNIT_EXPECT_EQ(test, arena_submit(arena, 0, KTIME_MAX), -ECANCELED);
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire_try(arena_want(arena, 1, 0, 0, 1)),
			-ECANCELED);
	/* Nothing was taken from its holder. */
	KUNIT_EXPECT_EQ(test, arena_stats(arena).held, 2u);
	headway_arbiter_release(held);
	arena_close(arena);
}

/* Waiters and callbacks are still there when the arbiter goes. */
static void claims_destroy_waits_for_all_of_them(struct kunit *test)
{
	struct arena *arena = arena_open(test, 1, 0, 8);
	struct headway_request *held = arena_take(arena, 0, 0, 0, 1);
	struct hand *hands[4];
	unsigned int i;

	for (i = 0; i < 4; i++)
		hands[i] = arena_claimant(arena, arena_want(arena, 1 + i, 0, 0, 1), TASK_KILLABLE,
					  true);
	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_EQ(test, arena_submit(arena, 0, ktime_add_ms(ktime_get(), 100000)), 0);
	headway_arbiter_shutdown(arena->arbiter);
	headway_arbiter_release(held);
	headway_arbiter_destroy(arena->arbiter);
	KUNIT_EXPECT_EQ(test, atomic_read(&arena->calls), 20);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, lab_join(hands[i]), -ECANCELED);
}

static void slow_callback(struct headway_request *request, int ret)
{
	struct arena *arena = container_of(request->holder, struct arena, holder[1]);

	complete(&arena->called);
	wait_for_completion_timeout(&arena->resume, msecs_to_jiffies(LAB_PATIENCE_MS));
	usleep_range(2000, 3000);
	/* From within itself it does not wait for itself. */
	headway_request_withdraw(request);
	arena->ret = ret;
	atomic_inc(&arena->calls);
}

static void claims_withdraw_ends_whatever_it_is(struct kunit *test)
{
	struct arena *arena = arena_open(test, 2, 0, 8);
	struct headway_request *first = arena_want(arena, 0, 0, 0, 1);
	struct headway_request *second = arena_want(arena, 1, 0, 0, 1);

	/* Not submitted, granted, pending. */
	headway_request_withdraw(first);
	KUNIT_ASSERT_EQ(test, headway_arbiter_acquire(first), 0);
	headway_request_on_grant(second, slow_callback, NULL);
	KUNIT_EXPECT_EQ(test, headway_arbiter_submit(second, KTIME_MAX), 0);
	headway_request_withdraw(second);
	KUNIT_EXPECT_EQ(test, arena_waiting(arena), 0u);
	KUNIT_EXPECT_EQ(test, headway_request_result(second), -ECANCELED);
	KUNIT_EXPECT_EQ(test, headway_arbiter_submit(second, KTIME_MAX), 0);
	headway_request_withdraw(first);
	/* Granted by that; its callback begins, and is waited for. */
	KUNIT_EXPECT_TRUE(test, arena_called(arena));
	complete(&arena->resume);
	headway_request_withdraw(second);
	KUNIT_EXPECT_EQ(test, atomic_read(&arena->calls), 1);
	KUNIT_EXPECT_EQ(test, arena->ret, 0);
	KUNIT_EXPECT_EQ(test, arena_stats(arena).held, 0u);
	arena_close(arena);
}

static struct kunit_case claims_cases[] = {
	KUNIT_CASE(claims_exclude_each_other),
	KUNIT_CASE(claims_wide_set_is_not_starved_by_narrow_ones),
	KUNIT_CASE(claims_low_priority_is_not_starved_by_high),
	KUNIT_CASE(claims_circles_of_two_to_eight),
	KUNIT_CASE(claims_chains_have_no_victim),
	KUNIT_CASE(claims_deadlocks_under_load_are_all_resolved),
	KUNIT_CASE(claims_victim_is_told_by_its_callback),
	KUNIT_CASE(claims_shutdown_sends_everybody_away),
	KUNIT_CASE(claims_destroy_waits_for_all_of_them),
	KUNIT_CASE(claims_withdraw_ends_whatever_it_is),
	{}
};

struct kunit_suite headway_claims_suite = {
	.name = "headway-claims",
	.exit = lab_close,
	.test_cases = claims_cases,
};

// SPDX-License-Identifier: GPL-2.0
/*
 * ending_kunit.c - how requests and arbiters come to an end, with every limit that the wait for it
 * can have, and that each way in which a wait ends has an error of its own.
 */
#include <linux/slab.h>

#include "arena.h"

/* ---- withdraw ------------------------------------------------------------------------------- */

static void lingering_callback(struct headway_request *request, int ret)
{
	struct arena *arena = container_of(request->holder, struct arena, holder[1]);

	arena->ret = ret;
	complete(&arena->called);
	if (!wait_for_completion_timeout(&arena->resume, msecs_to_jiffies(LAB_PATIENCE_MS)))
		arena->ret = -ETIME;
	atomic_inc(&arena->calls);
}

static int withdraw_work(struct hand *hand)
{
	complete(&hand->reached);
	return headway_request_withdraw_wait(hand->arg, LAB_WITHIN(LAB_PATIENCE_NS));
}

/* A callback that takes its time: whoever withdraws its request need not wait for ever. */
static void ending_withdraw_has_every_limit(struct kunit *test)
{
	struct arena *arena = arena_open(test, 1, 0, 8);
	struct headway_request *request = arena_want(arena, 1, 0, 0, 1);
	struct hand *hand;
	u64 start;

	headway_request_on_grant(request, lingering_callback, NULL);
	KUNIT_ASSERT_EQ(test, headway_arbiter_submit(request, KTIME_MAX), 0);
	KUNIT_EXPECT_TRUE(test, arena_called(arena));
	start = ktime_get_ns();
	KUNIT_EXPECT_EQ(test, headway_request_withdraw_wait(request, LAB_TRY), -EBUSY);
	/* It is given back at once, whatever the callback does. */
	KUNIT_EXPECT_EQ(test, arena_stats(arena).held, 0u);
	KUNIT_EXPECT_EQ(test, headway_request_withdraw_wait(request, LAB_WITHIN(3 * MS)),
			-ETIMEDOUT);
	KUNIT_EXPECT_GE(test, ktime_get_ns() - start, 3 * MS);
	hand = lab_hand(arena->lab, withdraw_work, request);
	lab_await(hand);
	lab_signal(hand, SIGKILL);
	KUNIT_EXPECT_EQ(test, lab_join(hand), -EINTR);
	KUNIT_EXPECT_EQ(test, atomic_read(&arena->calls), 0);
	hand = lab_hand(arena->lab, withdraw_work, request);
	lab_await(hand);
	complete(&arena->resume);
	KUNIT_EXPECT_EQ(test, lab_join(hand), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&arena->calls), 1);
	KUNIT_EXPECT_EQ(test, arena->ret, 0);
	arena_close(arena);
}

#define WITHDRAWALS 60

static int waiter_loop_work(struct hand *hand)
{
	struct arena *arena = hand->arg;

	while (!READ_ONCE(hand->lab->stop)) {
		/* Made by the case, and freed by it when it has withdrawn it. */
		struct headway_request *request = xchg(&arena->shared, NULL);
		int ret;

		if (!request) {
			usleep_range(5, 10);
			continue;
		}
		ret = headway_arbiter_acquire_timeout(request, LAB_PATIENCE_NS);
		if (ret != -ECANCELED)
			return ret ?: -EINVAL;
		hand->count++;
	}
	return 0;
}

/*
 * Requests are withdrawn from under a waiter, and freed at once: it must have left them by then.
 * KASAN sees it if not, and so does the waiter, as freed memory is overwritten.
 */
static void ending_withdrawn_request_can_be_freed(struct kunit *test)
{
	struct arena *arena = arena_open(test, 1, 0, 8);
	struct headway_request *held = arena_take(arena, 0, 0, 0, 1);
	struct hand *hand;
	unsigned int i;

	hand = lab_hand(arena->lab, waiter_loop_work, arena);
	for (i = 0; i < WITHDRAWALS; i++) {
		struct headway_request *request = kzalloc(sizeof(*request), GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, request);
		headway_request_init(request, &arena->holder[1], 0);
		KUNIT_EXPECT_EQ(test, headway_request_add(request, 0), 0);
		xchg(&arena->shared, request);
		if (!lab_eventually(arena_waiting(arena) == 1))
			break;
		headway_request_withdraw(request);
		memset(request, 0x6b, sizeof(*request));
		kfree(request);
	}
	WRITE_ONCE(arena->lab->stop, true);
	KUNIT_EXPECT_EQ(test, lab_join(hand), 0);
	KUNIT_EXPECT_EQ(test, hand->count, (u64)WITHDRAWALS);
	headway_arbiter_release(held);
	arena_close(arena);
}

/* ---- destroy -------------------------------------------------------------------------------- */

static int destroy_work(struct hand *hand)
{
	struct arena *arena = hand->arg;

	complete(&hand->reached);
	return headway_arbiter_destroy_wait(arena->arbiter, LAB_WITHIN(LAB_PATIENCE_NS));
}

static void ending_destroy_has_every_limit(struct kunit *test)
{
	struct arena *arena = arena_open(test, 1, 0, 8);
	struct headway_request *held = arena_take(arena, 0, 0, 0, 1);
	struct headway_request *late = arena_want(arena, 2, 0, 0, 1);
	struct hand *waiter, *destroyer;
	u64 start = ktime_get_ns();

	waiter = arena_claimant(arena, arena_want(arena, 1, 0, 0, 1), TASK_UNINTERRUPTIBLE, true);
	KUNIT_EXPECT_EQ(test, headway_arbiter_destroy_wait(arena->arbiter, LAB_TRY), -EBUSY);
	/* It is shut down, and nothing worse. */
	KUNIT_EXPECT_EQ(test, lab_join(waiter), -ECANCELED);
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire(late), -ECANCELED);
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire_try(late), -ECANCELED);
	KUNIT_EXPECT_EQ(test, arena_stats(arena).held, 1u);
	KUNIT_EXPECT_EQ(test, headway_arbiter_destroy_wait(arena->arbiter, LAB_WITHIN(3 * MS)),
			-ETIMEDOUT);
	KUNIT_EXPECT_GE(test, ktime_get_ns() - start, 3 * MS);
	destroyer = lab_hand(arena->lab, destroy_work, arena);
	lab_await(destroyer);
	lab_signal(destroyer, SIGKILL);
	KUNIT_EXPECT_EQ(test, lab_join(destroyer), -EINTR);
	/* The last thing that is held lets it go. */
	destroyer = lab_hand(arena->lab, destroy_work, arena);
	lab_await(destroyer);
	usleep_range(2000, 3000);
	KUNIT_EXPECT_FALSE(test, completion_done(&destroyer->done));
	headway_arbiter_release(held);
	KUNIT_EXPECT_EQ(test, lab_join(destroyer), 0);
}

static void destroying_callback(struct headway_request *request, int ret)
{
	struct arena *arena = container_of(request->holder, struct arena, holder[1]);

	/* It would wait for itself. */
	arena->ret = headway_arbiter_destroy_wait(arena->arbiter, NULL);
	complete(&arena->called);
}

static void ending_destroy_waits_for_callbacks_but_not_for_itself(struct kunit *test)
{
	struct arena *arena = arena_open(test, 2, 0, 8);
	struct headway_request *request = arena_want(arena, 1, 0, 0, 1);
	struct headway_request *slow = arena_want(arena, 1, 1, 0, 2);

	headway_request_on_grant(request, destroying_callback, NULL);
	KUNIT_ASSERT_EQ(test, headway_arbiter_submit(request, KTIME_MAX), 0);
	KUNIT_EXPECT_TRUE(test, arena_called(arena));
	KUNIT_EXPECT_EQ(test, arena->ret, -EINVAL);
	/* It did not even shut it down. */
	headway_request_on_grant(slow, lingering_callback, NULL);
	KUNIT_ASSERT_EQ(test, headway_arbiter_submit(slow, KTIME_MAX), 0);
	KUNIT_EXPECT_TRUE(test, arena_called(arena));
	headway_arbiter_release(request);
	headway_arbiter_release(slow);
	/* Nothing is held: it is the callback that keeps it. */
	KUNIT_EXPECT_EQ(test, headway_arbiter_destroy_wait(arena->arbiter, LAB_WITHIN(3 * MS)),
			-ETIMEDOUT);
	complete(&arena->resume);
	KUNIT_EXPECT_EQ(test, headway_arbiter_destroy_wait(arena->arbiter, NULL), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&arena->calls), 1);
}

/* ---- errors --------------------------------------------------------------------------------- */

static int wait_work(struct hand *hand)
{
	complete(&hand->reached);
	return headway_arbiter_wait(hand->arg, LAB_WITHIN(LAB_PATIENCE_NS));
}

static void ending_of_a_wait_says_why(struct kunit *test)
{
	struct arena *arena = arena_open(test, 4, 0, 8);
	struct headway_request *held = arena_take(arena, 0, 0, 0, 1);
	struct headway_request *asked = arena_want(arena, 1, 0, 0, 1);
	struct headway_request *brief = arena_want(arena, 2, 0, 0, 1);
	struct hand *hand;

	KUNIT_ASSERT_EQ(test, headway_arbiter_submit(asked, KTIME_MAX), 0);
	KUNIT_EXPECT_EQ(test, headway_arbiter_wait(asked, LAB_TRY), -EBUSY);
	/* The wait's own end: the request waits on. */
	KUNIT_EXPECT_EQ(test, headway_arbiter_wait(asked, LAB_WITHIN(2 * MS)), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, headway_request_result(asked), -EINPROGRESS);
	hand = lab_hand(arena->lab, wait_work, asked);
	lab_await(hand);
	lab_signal(hand, SIGKILL);
	KUNIT_EXPECT_EQ(test, lab_join(hand), -EINTR);
	KUNIT_EXPECT_EQ(test, headway_request_result(asked), -EINPROGRESS);
	/* The request's end. */
	KUNIT_ASSERT_EQ(test, headway_arbiter_submit(brief, ktime_add_ms(ktime_get(), 2)), 0);
	KUNIT_EXPECT_EQ(test, headway_arbiter_wait(brief, NULL), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, headway_request_result(brief), -ETIMEDOUT);
	hand = lab_hand(arena->lab, wait_work, asked);
	KUNIT_EXPECT_TRUE(test, lab_eventually(READ_ONCE(asked->waiter)));
	headway_request_withdraw(asked);
	KUNIT_EXPECT_EQ(test, lab_join(hand), -ECANCELED);
	KUNIT_ASSERT_EQ(test, headway_arbiter_submit(asked, KTIME_MAX), 0);
	headway_arbiter_release(held);
	KUNIT_EXPECT_EQ(test, headway_arbiter_wait(asked, LAB_TRY), 0);
	headway_arbiter_release(asked);
	KUNIT_EXPECT_EQ(test, headway_arbiter_wait(asked, LAB_TRY), -ENOENT);
	arena_close(arena);
}

/* One holder's requests: victim, superseded, granted. */
static void ending_of_a_holders_requests_says_why(struct kunit *test)
{
	struct arena *arena = arena_open(test, 4, 0, 8);
	struct headway_request *theirs = arena_take(arena, 0, 0, 5, 1);
	struct headway_request *then = arena_want(arena, 0, 1, 5, 2);
	struct headway_request *mine = arena_take(arena, 1, 0, 0, 2);
	struct headway_request *next = arena_want(arena, 1, 1, 0, 1);

	KUNIT_ASSERT_EQ(test, headway_arbiter_submit(then, KTIME_MAX), 0);
	/* Closes the circle, and is the lower. */
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire(next), -EDEADLK);
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire_try(next), -EDEADLK);
	KUNIT_EXPECT_EQ(test, headway_arbiter_submit(next, KTIME_MAX), -EDEADLK);
	headway_arbiter_release(mine);
	KUNIT_EXPECT_EQ(test, headway_arbiter_wait(then, NULL), 0);
	headway_arbiter_release(then);
	/* A holder that has what it asks for. */
	next = arena_want(arena, 0, 1, 0, 1 | 4);
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire(next), -EALREADY);
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire_try(next), -EALREADY);
	KUNIT_EXPECT_EQ(test, headway_arbiter_submit(next, KTIME_MAX), -EALREADY);
	headway_arbiter_release(theirs);
	arena_close(arena);
}

/* One of two was granted, and withdrawn before the waiter ran: no grant, and no loss either. */
static void ending_of_acquire_any_under_its_waiter(struct kunit *test)
{
	struct arena *arena = arena_open(test, 2, 0, 8);
	struct headway_request *held = arena_want(arena, 0, 0, 0, 3);
	struct headway_request *first = arena_want(arena, 1, 0, 0, 1);
	struct hand *hand;
	int left;

	arena_want(arena, 1, 1, 0, 2);
	KUNIT_ASSERT_EQ(test, headway_arbiter_acquire(held), 0);
	hand = lab_hand(arena->lab, arena_acquire_any_work, arena);
	KUNIT_EXPECT_TRUE(test, lab_eventually(arena_waiting(arena) == 2));
	KUNIT_EXPECT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(task_cpu(hand->task))), 0);
	preempt_disable();
	headway_arbiter_release(held);
	left = headway_request_withdraw_wait(first, LAB_TRY);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, left, -EBUSY);
	KUNIT_EXPECT_EQ(test, lab_join(hand), -ECANCELED);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	KUNIT_EXPECT_EQ(test, arena_stats(arena).held, 0u);
	arena_close(arena);
}

static struct kunit_case ending_cases[] = {
	KUNIT_CASE(ending_withdraw_has_every_limit),
	KUNIT_CASE(ending_withdrawn_request_can_be_freed),
	KUNIT_CASE(ending_destroy_has_every_limit),
	KUNIT_CASE(ending_destroy_waits_for_callbacks_but_not_for_itself),
	KUNIT_CASE(ending_of_a_wait_says_why),
	KUNIT_CASE(ending_of_a_holders_requests_says_why),
	KUNIT_CASE(ending_of_acquire_any_under_its_waiter),
	{}
};

struct kunit_suite headway_ending_suite = {
	.name = "headway-ending",
	.exit = lab_close,
	.test_cases = ending_cases,
};

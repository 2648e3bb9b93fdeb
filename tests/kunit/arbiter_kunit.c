// SPDX-License-Identifier: GPL-2.0
/*
 * arbiter_kunit.c - the arbiter's waits, callbacks, cancellation and shutdown, with hands that
 * contend.
 *
 * Who is granted what and who is in a deadlock is tested on the host (tests/unit/arbiter_test.c).
 * Every case ends in arena_close(), which demands that nobody waits, nothing is held and every
 * victim has acknowledged, so that each case also tests that nothing leaks.
 */
#include "arena.h"

static void arbiter_refuses_bad_parameters(struct kunit *test)
{
	struct headway_arbiter_params params = { .nr = 0 };

	KUNIT_EXPECT_EQ(test, PTR_ERR(headway_arbiter_create("kunit", &params)), (long)-EINVAL);
	params.nr = HEADWAY_ARBITER_MAX + 1;
	KUNIT_EXPECT_EQ(test, PTR_ERR(headway_arbiter_create("kunit", &params)), (long)-EINVAL);
	headway_arbiter_destroy(ERR_PTR(-EINVAL));
	headway_arbiter_destroy(NULL);
}

static void arbiter_misuse_has_errors_of_its_own(struct kunit *test)
{
	struct arena *arena = arena_open(test, 4, 0, 8);
	struct headway_request *first = arena_want(arena, 0, 0, 99, 3);
	struct headway_request *second = arena_want(arena, 0, 1, 0, 0);

	KUNIT_EXPECT_EQ(test, first->priority, (u32)HEADWAY_ARBITER_PRIORITY_MAX);
	KUNIT_EXPECT_EQ(test, headway_request_add(second, 4), -EINVAL);
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire(second), -EINVAL);
	KUNIT_EXPECT_EQ(test, headway_arbiter_submit(second, KTIME_MAX), -EINVAL);
	KUNIT_EXPECT_EQ(test, headway_request_result(first), -ENOENT);
	KUNIT_EXPECT_EQ(test, headway_request_cancel(first), -ENOENT);
	KUNIT_EXPECT_EQ(test, headway_arbiter_wait(first, NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire(first), 0);
	KUNIT_EXPECT_EQ(test, headway_request_result(first), 0);
	KUNIT_EXPECT_EQ(test, headway_request_add(first, 2), -EBUSY);
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire(first), -EBUSY);
	KUNIT_EXPECT_EQ(test, headway_request_cancel(first), -EALREADY);
	KUNIT_EXPECT_EQ(test, headway_request_add(second, 1), 0);
	KUNIT_EXPECT_EQ(test, headway_request_add(second, 1), 0);
	KUNIT_EXPECT_EQ(test, second->nr_ids, 1u);
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire(second), -EALREADY);
	headway_arbiter_release(first);
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire_killable(second), 0);
	headway_arbiter_release(second);
	KUNIT_EXPECT_EQ(test, arena_stats(arena).grants, 2ull);
	arena_close(arena);
}

static void arbiter_try_does_not_wait(struct kunit *test)
{
	struct arena *arena = arena_open(test, 4, 0, 8);
	struct headway_request *held = arena_want(arena, 0, 0, 0, 1);
	struct headway_request *other = arena_want(arena, 1, 0, 0, 3);

	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire_try(held), 0);
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire_try(other), -EBUSY);
	KUNIT_EXPECT_EQ(test, arena_waiting(arena), 0u);
	headway_arbiter_release(held);
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire_try(other), 0);
	headway_arbiter_release(other);
	arena_close(arena);
}

/* ---- blocking ------------------------------------------------------------------------------- */

static void arbiter_waits_for_the_whole_set(struct kunit *test)
{
	struct arena *arena = arena_open(test, 4, 0, 8);
	struct headway_request *a = arena_take(arena, 0, 0, 0, 1);
	struct headway_request *b = arena_take(arena, 1, 0, 0, 2);
	struct hand *hand;

	hand = arena_claimant(arena, arena_want(arena, 2, 0, 0, 7), TASK_UNINTERRUPTIBLE, true);
	headway_arbiter_release(a);
	usleep_range(1000, 2000);
	KUNIT_EXPECT_EQ(test, arena_waiting(arena), 1u);
	/* It took no half of its set meanwhile. */
	KUNIT_EXPECT_EQ(test, arena_stats(arena).held, 1u);
	headway_arbiter_release(b);
	KUNIT_EXPECT_EQ(test, lab_join(hand), 0);
	arena_close(arena);
}

static void arbiter_wait_ends_at_its_deadline(struct kunit *test)
{
	struct arena *arena = arena_open(test, 4, 0, 8);
	struct headway_request *held = arena_take(arena, 0, 0, 0, 1);
	struct headway_request *late = arena_want(arena, 1, 0, 0, 3);
	u64 start = ktime_get_ns();

	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire_timeout(late, 3 * MS), -ETIMEDOUT);
	KUNIT_EXPECT_GE(test, ktime_get_ns() - start, 3 * MS);
	KUNIT_EXPECT_EQ(test, arena_waiting(arena), 0u);
	KUNIT_EXPECT_EQ(test, arena_stats(arena).timeouts, 1ull);
	KUNIT_EXPECT_EQ(test, headway_request_result(late), -ETIMEDOUT);
	headway_arbiter_release(held);
	/* It can be used again. */
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire_timeout(late, 3 * MS), 0);
	headway_arbiter_release(late);
	arena_close(arena);
}

static void arbiter_wait_ends_with_a_signal(struct kunit *test)
{
	struct arena *arena = arena_open(test, 4, 0, 8);
	struct headway_request *held = arena_take(arena, 0, 0, 0, 1);
	struct hand *killed, *interrupted;

	killed = arena_claimant(arena, arena_want(arena, 1, 0, 0, 1), TASK_KILLABLE, true);
	interrupted = arena_claimant(arena, arena_want(arena, 2, 0, 0, 1), TASK_INTERRUPTIBLE,
				     true);
	lab_signal(killed, SIGKILL);
	KUNIT_EXPECT_EQ(test, lab_join(killed), -EINTR);
	KUNIT_EXPECT_EQ(test, arena_waiting(arena), 1u);
	lab_signal(interrupted, SIGINT);
	KUNIT_EXPECT_EQ(test, lab_join(interrupted), -EINTR);
	KUNIT_EXPECT_EQ(test, arena_waiting(arena), 0u);
	headway_arbiter_release(held);
	arena_close(arena);
}

static void arbiter_cancel_removes_the_waiter(struct kunit *test)
{
	struct arena *arena = arena_open(test, 4, 0, 0);
	struct headway_request *held = arena_take(arena, 0, 0, 0, 1);
	struct headway_request *wide = arena_want(arena, 1, 0, 0, 3);
	struct hand *hand, *behind;

	hand = arena_claimant(arena, wide, TASK_UNINTERRUPTIBLE, true);
	/* Waits for the wide one's reservation only. */
	behind = arena_claimant(arena, arena_want(arena, 2, 0, 0, 2), TASK_UNINTERRUPTIBLE, true);
	KUNIT_EXPECT_EQ(test, headway_request_cancel(wide), 0);
	KUNIT_EXPECT_EQ(test, lab_join(hand), -ECANCELED);
	KUNIT_EXPECT_EQ(test, lab_join(behind), 0);
	KUNIT_EXPECT_EQ(test, headway_request_cancel(wide), -ENOENT);
	KUNIT_EXPECT_EQ(test, arena_stats(arena).cancels, 1ull);
	headway_arbiter_release(held);
	arena_close(arena);
}

#define RACES 1500

static int race_work(struct hand *hand)
{
	struct arena_claim *claim = hand->arg;
	unsigned int i;

	for (i = 0; i < RACES; i++) {
		int ret = headway_arbiter_acquire_wait(claim->request, &claim->wait);

		if (!ret) {
			hand->count++;
			headway_arbiter_release(claim->request);
		} else if (ret != -ECANCELED) {
			return ret;
		}
	}
	return 0;
}

/* The case takes and releases the resource, and cancels whoever waits for it. */
static void arbiter_cancel_and_grant_exclude_each_other(struct kunit *test)
{
	struct arena *arena = arena_open(test, 1, 0, 8);
	struct headway_request *mine = arena_want(arena, 0, 0, 0, 1);
	struct headway_request *theirs = arena_want(arena, 1, 0, 0, 1);
	struct arena_claim claim = {
		arena, theirs, { TASK_UNINTERRUPTIBLE, ktime_add_ns(ktime_get(), LAB_PATIENCE_NS) },
	};
	u64 cancelled = 0, late = 0, until = ktime_get_ns() + LAB_PATIENCE_NS;
	struct hand *hand = lab_hand(arena->lab, race_work, &claim);

	while (!completion_done(&hand->done) && ktime_get_ns() < until) {
		int ret;

		KUNIT_ASSERT_EQ(test, headway_arbiter_acquire_timeout(mine, LAB_PATIENCE_NS), 0);
		if (late % 2) {
			ret = headway_request_cancel(theirs);
			headway_arbiter_release(mine);
		} else {
			headway_arbiter_release(mine);
			ret = headway_request_cancel(theirs);
		}
		if (!ret)
			cancelled++;
		else
			late++;
	}
	KUNIT_EXPECT_EQ(test, lab_join(hand), 0);
	/* Each of its requests ended exactly once, either way. */
	KUNIT_EXPECT_EQ(test, hand->count + cancelled, (u64)RACES);
	KUNIT_EXPECT_EQ(test, arena_stats(arena).cancels, cancelled);
	arena_close(arena);
}

static int acquire_only_work(struct hand *hand)
{
	struct arena_claim *claim = hand->arg;

	complete(&hand->reached);
	return headway_arbiter_acquire_wait(claim->request, &claim->wait);
}

/* Granted and withdrawn by another before the waiter has run: it must not think it has it. */
static void arbiter_withdrawn_under_its_waiter(struct kunit *test)
{
	struct arena *arena = arena_open(test, 1, 0, 8);
	struct headway_request *held = arena_want(arena, 0, 0, 0, 1);
	struct headway_request *theirs = arena_want(arena, 1, 0, 0, 1);
	struct arena_claim *claim = kunit_kzalloc(test, sizeof(*claim), GFP_KERNEL);
	struct hand *hand;
	int left;

	KUNIT_ASSERT_NOT_NULL(test, claim);
	KUNIT_ASSERT_EQ(test, headway_arbiter_acquire(held), 0);
	claim->request = theirs;
	claim->wait.state = TASK_KILLABLE;
	claim->wait.deadline = ktime_add_ns(ktime_get(), LAB_PATIENCE_NS);
	hand = lab_hand(arena->lab, acquire_only_work, claim);
	KUNIT_EXPECT_TRUE(test, lab_eventually(arena_waiting(arena) == 1));
	/* On the waiter's CPU and not preempted, so that it cannot run in between. */
	KUNIT_EXPECT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(task_cpu(hand->task))), 0);
	preempt_disable();
	headway_arbiter_release(held);
	left = headway_request_withdraw_wait(theirs, LAB_TRY);
	preempt_enable();
	/* It still looks at it, so that it may not be freed; a moment later it may. */
	KUNIT_EXPECT_EQ(test, left, -EBUSY);
	KUNIT_EXPECT_EQ(test, headway_request_withdraw_wait(theirs, NULL), 0);
	KUNIT_EXPECT_NULL(test, theirs->waiter);
	KUNIT_EXPECT_EQ(test, lab_join(hand), -ECANCELED);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	KUNIT_EXPECT_EQ(test, headway_request_result(theirs), -ENOENT);
	arena_close(arena);
}

/* ---- asynchronous --------------------------------------------------------------------------- */

static void arbiter_completes_a_completion(struct kunit *test)
{
	struct arena *arena = arena_open(test, 2, 0, 8);
	struct headway_request *first = arena_want(arena, 0, 0, 0, 1);
	struct headway_request *second = arena_want(arena, 1, 0, 0, 1);
	struct completion *done = kunit_kzalloc(test, 2 * sizeof(*done), GFP_KERNEL);
	unsigned long patience = msecs_to_jiffies(LAB_PATIENCE_MS);

	KUNIT_ASSERT_NOT_NULL(test, done);
	init_completion(&done[0]);
	init_completion(&done[1]);
	headway_request_on_grant(first, NULL, &done[0]);
	headway_request_on_grant(second, NULL, &done[1]);
	/* Also when it is granted at once. */
	KUNIT_EXPECT_EQ(test, headway_arbiter_submit(first, KTIME_MAX), 0);
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&done[0], patience));
	KUNIT_EXPECT_EQ(test, headway_arbiter_submit(second, KTIME_MAX), 0);
	KUNIT_EXPECT_FALSE(test, completion_done(&done[1]));
	KUNIT_EXPECT_EQ(test, headway_request_result(second), -EINPROGRESS);
	headway_arbiter_release(first);
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&done[1], patience));
	KUNIT_EXPECT_EQ(test, headway_request_result(second), 0);
	headway_arbiter_release(second);
	arena_close(arena);
}

static void arbiter_calls_back(struct kunit *test)
{
	struct arena *arena = arena_open(test, 2, 0, 8);
	struct headway_request *held = arena_take(arena, 0, 0, 0, 1);
	unsigned int i;

	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, arena_submit(arena, 0, KTIME_MAX), 0);
	KUNIT_EXPECT_EQ(test, arena_waiting(arena), 10u);
	KUNIT_EXPECT_EQ(test, arena_submit(arena, 1, KTIME_MAX), 0);
	KUNIT_EXPECT_TRUE(test, arena_called(arena));
	KUNIT_EXPECT_EQ(test, atomic_read(&arena->calls), 1);
	headway_arbiter_release(held);
	for (i = 0; i < 10; i++) {
		KUNIT_EXPECT_TRUE(test, arena_called(arena));
		KUNIT_EXPECT_EQ(test, arena->ret, 0);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&arena->calls), 11);
	KUNIT_EXPECT_FALSE(test, arena->atomic);
	arena_close(arena);
}

static void arbiter_deadline_of_a_submitted_request(struct kunit *test)
{
	struct arena *arena = arena_open(test, 2, 0, 8);
	struct headway_request *held = arena_take(arena, 0, 0, 0, 3);
	u64 start = ktime_get_ns();

	/* The later deadline first, so that the earlier one must move the timer. */
	KUNIT_EXPECT_EQ(test, arena_submit(arena, 0, ktime_add_ms(ktime_get(), 60)), 0);
	KUNIT_EXPECT_EQ(test, arena_submit(arena, 1, ktime_add_ms(ktime_get(), 10)), 0);
	KUNIT_EXPECT_TRUE(test, arena_called(arena));
	KUNIT_EXPECT_EQ(test, arena->ret, -ETIMEDOUT);
	KUNIT_EXPECT_GE(test, ktime_get_ns() - start, 10 * MS);
	KUNIT_EXPECT_TRUE(test, arena_called(arena));
	KUNIT_EXPECT_EQ(test, arena->ret, -ETIMEDOUT);
	KUNIT_EXPECT_GE(test, ktime_get_ns() - start, 60 * MS);
	KUNIT_EXPECT_EQ(test, arena_stats(arena).timeouts, 2ull);
	/* One that has passed already. */
	KUNIT_EXPECT_EQ(test, arena_submit(arena, 0, 0), 0);
	KUNIT_EXPECT_TRUE(test, arena_called(arena));
	KUNIT_EXPECT_EQ(test, arena->ret, -ETIMEDOUT);
	headway_arbiter_release(held);
	arena_close(arena);
}

static void arbiter_wait_any_takes_what_comes_first(struct kunit *test)
{
	struct arena *arena = arena_open(test, 4, 0, 8);
	struct headway_arbiter_params params = { .nr = 1 };
	struct headway_arbiter *elsewhere = headway_arbiter_create("elsewhere", &params);
	struct headway_request *a = arena_want(arena, 0, 0, 0, 1);
	struct headway_request *b = arena_want(arena, 0, 1, 0, 2);
	struct headway_request *any[3];
	struct headway_wait look = { TASK_RUNNING, KTIME_MAX };
	struct headway_wait brief = { TASK_UNINTERRUPTIBLE, ktime_add_ms(ktime_get(), 5) };

	KUNIT_ASSERT_FALSE(test, IS_ERR(elsewhere));
	KUNIT_ASSERT_EQ(test, headway_arbiter_acquire(a), 0);
	KUNIT_ASSERT_EQ(test, headway_arbiter_acquire(b), 0);
	any[0] = arena_want(arena, 1, 0, 0, 1);
	any[1] = NULL;
	any[2] = arena_want(arena, 1, 1, 0, 2);
	KUNIT_EXPECT_EQ(test, headway_arbiter_wait_any(any, 3, &look), -ENOENT);
	KUNIT_EXPECT_EQ(test, headway_arbiter_wait_any(&any[1], 1, &look), -ENOENT);
	KUNIT_EXPECT_EQ(test, headway_arbiter_submit(any[0], KTIME_MAX), 0);
	KUNIT_EXPECT_EQ(test, headway_arbiter_submit(any[2], KTIME_MAX), 0);
	KUNIT_EXPECT_EQ(test, headway_arbiter_wait_any(any, 3, &look), -EBUSY);
	KUNIT_EXPECT_EQ(test, headway_arbiter_wait(any[0], &look), -EBUSY);
	KUNIT_EXPECT_EQ(test, headway_arbiter_wait_any(any, 3, &brief), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, arena_waiting(arena), 2u);
	headway_arbiter_release(b);
	KUNIT_EXPECT_EQ(test, headway_arbiter_wait_any(any, 3, NULL), 2);
	KUNIT_EXPECT_EQ(test, headway_arbiter_wait(any[2], NULL), 0);
	/* A failure is a result too. */
	KUNIT_EXPECT_EQ(test, headway_request_cancel(any[0]), 0);
	KUNIT_EXPECT_EQ(test, headway_arbiter_wait_any(any, 3, &look), 0);
	KUNIT_EXPECT_EQ(test, headway_request_result(any[0]), -ECANCELED);
	headway_holder_init(&arena->holder[2], elsewhere);
	any[1] = arena_want(arena, 2, 0, 0, 1);
	KUNIT_EXPECT_EQ(test, headway_arbiter_wait_any(any, 3, &look), -EINVAL);
	headway_arbiter_release(any[2]);
	headway_arbiter_release(a);
	arena_close(arena);
	headway_arbiter_destroy(elsewhere);
}

static int wait_any_work(struct hand *hand)
{
	struct arena *arena = hand->arg;
	struct headway_request *any[] = { &arena->request[1][0], &arena->request[1][1] };
	struct headway_wait wait = { TASK_KILLABLE, ktime_add_ns(ktime_get(), LAB_PATIENCE_NS) };

	complete(&hand->reached);
	return headway_arbiter_wait_any(any, 2, &wait);
}

static void arbiter_wait_any_sleeps_and_wakes(struct kunit *test)
{
	struct arena *arena = arena_open(test, 4, 0, 8);
	struct headway_request *held = arena_take(arena, 0, 0, 0, 3), *any[2];
	struct headway_wait look = { TASK_RUNNING, KTIME_MAX };
	struct hand *hand;

	any[0] = arena_want(arena, 1, 0, 0, 1 | 4);
	any[1] = arena_want(arena, 1, 1, 0, 2);
	KUNIT_EXPECT_EQ(test, headway_arbiter_submit(any[0], KTIME_MAX), 0);
	KUNIT_EXPECT_EQ(test, headway_arbiter_submit(any[1], KTIME_MAX), 0);
	hand = lab_hand(arena->lab, wait_any_work, arena);
	lab_await(hand);
	/* Somebody waits for them already. */
	KUNIT_EXPECT_TRUE(test, lab_eventually(READ_ONCE(any[0]->waiter)));
	KUNIT_EXPECT_EQ(test, headway_arbiter_wait_any(any, 2, &look), -EINVAL);
	lab_signal(hand, SIGKILL);
	KUNIT_EXPECT_EQ(test, lab_join(hand), -EINTR);
	KUNIT_EXPECT_EQ(test, arena_waiting(arena), 2u);
	hand = lab_hand(arena->lab, wait_any_work, arena);
	lab_await(hand);
	KUNIT_EXPECT_TRUE(test, lab_eventually(READ_ONCE(any[0]->waiter)));
	KUNIT_EXPECT_EQ(test, headway_request_cancel(any[1]), 0);
	KUNIT_EXPECT_EQ(test, lab_join(hand), 1);
	headway_request_withdraw(any[0]);
	headway_arbiter_release(held);
	arena_close(arena);
}

static void arbiter_acquire_any_gets_exactly_one(struct kunit *test)
{
	struct arena *arena = arena_open(test, 4, 0, 8);
	struct headway_request *a = arena_want(arena, 0, 0, 0, 1);
	struct headway_request *b = arena_want(arena, 0, 1, 0, 2);
	struct headway_request *any[] = {
		arena_want(arena, 1, 0, 0, 1 | 4), arena_want(arena, 1, 1, 0, 2 | 8),
	};
	struct headway_wait look = { TASK_RUNNING, KTIME_MAX };
	struct headway_wait brief = { TASK_UNINTERRUPTIBLE, ktime_add_ms(ktime_get(), 3) };
	struct hand *hand;

	/* Both can be had: the first, and nothing of the second. */
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire_any(any, 2, NULL), 0);
	KUNIT_EXPECT_EQ(test, arena_stats(arena).held, 2u);
	KUNIT_EXPECT_EQ(test, arena_waiting(arena), 0u);
	KUNIT_EXPECT_EQ(test, headway_request_result(any[1]), -EALREADY);
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire_any(any, 2, NULL), -EBUSY);
	headway_arbiter_release(any[0]);
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire_any(any, 0, NULL), -EINVAL);
	/* Only the second, then neither. */
	KUNIT_ASSERT_EQ(test, headway_arbiter_acquire(a), 0);
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire_any(any, 2, &look), 1);
	headway_arbiter_release(any[1]);
	KUNIT_ASSERT_EQ(test, headway_arbiter_acquire(b), 0);
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire_any(any, 2, &look), -EBUSY);
	KUNIT_EXPECT_EQ(test, headway_arbiter_acquire_any(any, 2, &brief), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, arena_waiting(arena), 0u);
	/* A hand that waits for them. */
	hand = lab_hand(arena->lab, arena_acquire_any_work, arena);
	KUNIT_EXPECT_TRUE(test, lab_eventually(arena_waiting(arena) == 2));
	headway_arbiter_release(b);
	KUNIT_EXPECT_EQ(test, lab_join(hand), 1);
	KUNIT_EXPECT_EQ(test, arena_waiting(arena), 0u);
	headway_arbiter_release(any[1]);
	KUNIT_ASSERT_EQ(test, headway_arbiter_acquire(b), 0);
	hand = lab_hand(arena->lab, arena_acquire_any_work, arena);
	KUNIT_EXPECT_TRUE(test, lab_eventually(arena_waiting(arena) == 2));
	KUNIT_EXPECT_EQ(test, headway_request_cancel(any[1]), 0);
	KUNIT_EXPECT_EQ(test, lab_join(hand), -ECANCELED);
	KUNIT_EXPECT_EQ(test, arena_waiting(arena), 0u);
	headway_arbiter_release(a);
	headway_arbiter_release(b);
	arena_close(arena);
}

/* Everything that does not sleep, with interrupts off: a lock that is taken the wrong way shows. */
static void arbiter_works_with_interrupts_off(struct kunit *test)
{
	struct arena *arena = arena_open(test, 4, 0, 8);
	struct headway_request *first = arena_want(arena, 0, 0, 0, 1);
	struct headway_request *second = arena_want(arena, 1, 0, 0, 1);
	int taken, submitted, pending, cancelled;
	unsigned long flags;

	if (IS_ENABLED(CONFIG_PREEMPT_RT)) {
		arena_close(arena);
		kunit_skip(test, "a spinlock_t sleeps there");
	}
	local_irq_save(flags);
	taken = headway_arbiter_acquire_try(first);
	submitted = headway_arbiter_submit(second, ktime_add_ms(ktime_get(), 10000));
	pending = headway_request_result(second);
	cancelled = headway_request_cancel(second);
	headway_arbiter_release(first);
	local_irq_restore(flags);
	KUNIT_EXPECT_EQ(test, taken, 0);
	KUNIT_EXPECT_EQ(test, submitted, 0);
	KUNIT_EXPECT_EQ(test, pending, -EINPROGRESS);
	KUNIT_EXPECT_EQ(test, cancelled, 0);
	arena_close(arena);
}

static struct kunit_case arbiter_cases[] = {
	KUNIT_CASE(arbiter_refuses_bad_parameters),
	KUNIT_CASE(arbiter_misuse_has_errors_of_its_own),
	KUNIT_CASE(arbiter_try_does_not_wait),
	KUNIT_CASE(arbiter_waits_for_the_whole_set),
	KUNIT_CASE(arbiter_wait_ends_at_its_deadline),
	KUNIT_CASE(arbiter_wait_ends_with_a_signal),
	KUNIT_CASE(arbiter_cancel_removes_the_waiter),
	KUNIT_CASE(arbiter_cancel_and_grant_exclude_each_other),
	KUNIT_CASE(arbiter_withdrawn_under_its_waiter),
	KUNIT_CASE(arbiter_completes_a_completion),
	KUNIT_CASE(arbiter_calls_back),
	KUNIT_CASE(arbiter_deadline_of_a_submitted_request),
	KUNIT_CASE(arbiter_wait_any_takes_what_comes_first),
	KUNIT_CASE(arbiter_wait_any_sleeps_and_wakes),
	KUNIT_CASE(arbiter_acquire_any_gets_exactly_one),
	KUNIT_CASE(arbiter_works_with_interrupts_off),
	{}
};

struct kunit_suite headway_arbiter_suite = {
	.name = "headway-arbiter",
	.exit = lab_close,
	.test_cases = arbiter_cases,
};

// SPDX-License-Identifier: GPL-2.0
/*
 * group_kunit.c - groups: waits with every limit, cancellation, errors, lifetime.
 *
 * Jobs are done by hands, which are real threads, so that done and wait race as they do in use.
 */
#include "lab.h"

struct task_job {
	struct headway_job job;
	atomic_t cancels;		/* calls of the cancel function */
	struct completion noticed;
};

static void note_cancel(struct headway_job *job)
{
	struct task_job *own = container_of(job, struct task_job, job);

	atomic_inc(&own->cancels);
	complete(&own->noticed);
}

static struct task_job *new_jobs(struct kunit *test, unsigned int n)
{
	struct task_job *jobs = kunit_kzalloc(test, n * sizeof(*jobs), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, jobs);
	for (i = 0; i < n; i++)
		init_completion(&jobs[i].noticed);
	return jobs;
}

static struct headway_group *new_group(struct kunit *test)
{
	struct headway_group *group = headway_group_create(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, group);
	return group;
}

/* Waits for lab_go(), then is done. */
static int job_work(struct hand *hand)
{
	struct task_job *own = hand->arg;

	lab_pause(hand);
	headway_group_done(&own->job, hand->number == 1 ? -EIO : 0);
	return 0;
}

static void group_empty_waits_for_nobody(struct kunit *test)
{
	struct headway_group *group = new_group(test);

	KUNIT_EXPECT_EQ(test, headway_group_wait(group, NULL), 0);
	KUNIT_EXPECT_EQ(test, headway_group_wait(group, __HEADWAY_WAIT(TASK_RUNNING, 0)), 0);
	KUNIT_EXPECT_EQ(test, headway_group_error(group), 0);
	headway_group_put(group);
	headway_group_put(NULL);
}

static void group_waits_for_the_last_job(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 0);
	struct headway_group *group = new_group(test);
	struct task_job *jobs = new_jobs(test, 3);
	unsigned int i;

	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_EQ(test, headway_group_add(group, &jobs[i].job, NULL), 0);
		lab_hand(lab, job_work, &jobs[i]);
	}
	KUNIT_EXPECT_EQ(test, headway_group_pending(group), 3u);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, headway_group_wait(group, __HEADWAY_WAIT(TASK_RUNNING, 0)),
				-EBUSY);
		lab_await(&lab->hands[i]);
		lab_go(&lab->hands[i]);
		KUNIT_EXPECT_EQ(test, lab_join(&lab->hands[i]), 0);
	}
	KUNIT_EXPECT_EQ(test, headway_group_wait_timeout(group, LAB_PATIENCE_NS), 0);
	/* The second one's. */
	KUNIT_EXPECT_EQ(test, headway_group_error(group), -EIO);
	headway_group_put(group);
}

static int waiter_work(struct hand *hand)
{
	complete(&hand->reached);
	return headway_group_wait_timeout(hand->arg, LAB_PATIENCE_NS);
}

static void group_wakes_all_that_wait(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 0);
	struct headway_group *group = new_group(test);
	struct task_job *job = new_jobs(test, 1);
	unsigned int i;

	KUNIT_ASSERT_EQ(test, headway_group_add(group, &job->job, NULL), 0);
	for (i = 0; i < 3; i++)
		lab_await(lab_hand(lab, waiter_work, group));
	usleep_range(2000, 3000);
	headway_group_done(&job->job, 0);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, lab_join(&lab->hands[i]), 0);
	headway_group_put(group);
}

static void group_wait_times_out_and_can_be_repeated(struct kunit *test)
{
	struct headway_group *group = new_group(test);
	struct task_job *job = new_jobs(test, 1);
	u64 start = ktime_get_ns();

	KUNIT_ASSERT_EQ(test, headway_group_add(group, &job->job, NULL), 0);
	KUNIT_EXPECT_EQ(test, headway_group_wait_timeout(group, 3 * MS), -ETIMEDOUT);
	KUNIT_EXPECT_GE(test, ktime_get_ns() - start, 3 * MS);
	KUNIT_EXPECT_EQ(test, headway_group_pending(group), 1u);
	KUNIT_EXPECT_EQ(test, headway_group_wait_timeout(group, MS), -ETIMEDOUT);
	headway_group_done(&job->job, 0);
	KUNIT_EXPECT_EQ(test, headway_group_wait_timeout(group, MS), 0);
	/* And used again. */
	KUNIT_ASSERT_EQ(test, headway_group_add(group, &job->job, NULL), 0);
	KUNIT_EXPECT_EQ(test, headway_group_wait_timeout(group, MS), -ETIMEDOUT);
	headway_group_done(&job->job, 0);
	KUNIT_EXPECT_EQ(test, headway_group_wait_killable(group), 0);
	headway_group_put(group);
}

static int signalled_work(struct hand *hand)
{
	complete(&hand->reached);
	return headway_group_wait(hand->arg, __HEADWAY_WAIT(hand->number ? TASK_INTERRUPTIBLE :
				  TASK_KILLABLE, ktime_add_ns(ktime_get(), LAB_PATIENCE_NS)));
}

static void group_wait_ends_with_a_signal(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 0);
	struct headway_group *group = new_group(test);
	struct task_job *job = new_jobs(test, 1);
	struct hand *killed, *interrupted;

	KUNIT_ASSERT_EQ(test, headway_group_add(group, &job->job, NULL), 0);
	killed = lab_hand(lab, signalled_work, group);
	interrupted = lab_hand(lab, signalled_work, group);
	lab_await(killed);
	lab_await(interrupted);
	lab_signal(killed, SIGKILL);
	lab_signal(interrupted, SIGINT);
	KUNIT_EXPECT_EQ(test, lab_join(killed), -EINTR);
	KUNIT_EXPECT_EQ(test, lab_join(interrupted), -EINTR);
	/* Neither took anything with it. */
	KUNIT_EXPECT_EQ(test, headway_group_pending(group), 1u);
	headway_group_done(&job->job, 0);
	headway_group_put(group);
}

/* Works until it is called off. */
static int polite_work(struct hand *hand)
{
	struct task_job *own = hand->arg;
	u64 until = ktime_get_ns() + LAB_PATIENCE_NS;

	complete(&hand->reached);
	while (!headway_job_cancelled(&own->job) && ktime_get_ns() < until) {
		usleep_range(100, 200);
		hand->count++;
	}
	headway_group_done(&own->job, headway_job_cancelled(&own->job) ? -ECANCELED : -ETIME);
	return 0;
}

/* Sleeps until its cancel function wakes it. */
static int sleepy_work(struct hand *hand)
{
	struct task_job *own = hand->arg;

	complete(&hand->reached);
	if (!wait_for_completion_timeout(&own->noticed, msecs_to_jiffies(LAB_PATIENCE_MS)))
		hand->errors++;
	headway_group_done(&own->job, 0);
	return 0;
}

static void group_cancel_reaches_the_jobs(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 0);
	struct headway_group *group = new_group(test);
	struct task_job *jobs = new_jobs(test, 4);
	unsigned int i;

	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, headway_group_add(group, &jobs[i].job,
							i ? note_cancel : NULL), 0);
	lab_await(lab_hand(lab, polite_work, &jobs[0]));
	lab_await(lab_hand(lab, sleepy_work, &jobs[1]));
	lab_await(lab_hand(lab, sleepy_work, &jobs[2]));
	KUNIT_EXPECT_EQ(test, headway_group_wait_timeout(group, 3 * MS), -ETIMEDOUT);
	headway_group_cancel(group);
	headway_group_cancel(group);
	KUNIT_EXPECT_EQ(test, headway_group_wait_timeout(group, LAB_PATIENCE_NS), 0);
	KUNIT_EXPECT_EQ(test, headway_group_error(group), -ECANCELED);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, lab_join(&lab->hands[i]), 0);
		KUNIT_EXPECT_EQ(test, lab->hands[i].errors, 0ull);
		KUNIT_EXPECT_EQ(test, atomic_read(&jobs[i].cancels), i ? 1 : 0);
	}
	/* Nobody is let in any more. */
	KUNIT_EXPECT_EQ(test, headway_group_add(group, &jobs[3].job, note_cancel), -ECANCELED);
	KUNIT_EXPECT_EQ(test, atomic_read(&jobs[3].cancels), 0);
	KUNIT_EXPECT_EQ(test, headway_group_pending(group), 0u);
	headway_group_put(group);
}

/* Adds and finishes jobs of its own until the group is cancelled. */
static int churn_work(struct hand *hand)
{
	struct headway_group *group = hand->arg;
	struct task_job own;
	int ret;

	init_completion(&own.noticed);
	lab_pause(hand);
	for (;;) {
		/* Never called once done has returned. */
		if (hand->count && atomic_read(&own.cancels) != 1 << 16)
			hand->errors++;
		atomic_set(&own.cancels, 0);
		ret = headway_group_add(group, &own.job, note_cancel);
		if (ret)
			break;
		if (!(hand->count++ % 16))
			usleep_range(10, 20);
		headway_group_done(&own.job, 0);
		if (atomic_xchg(&own.cancels, 1 << 16) > 1)
			hand->errors++;
	}
	/* Nor for a job that was not let in. */
	if (atomic_read(&own.cancels))
		hand->errors++;
	return ret == -ECANCELED ? 0 : ret;
}

static u64 jobs_of(struct hand *first, unsigned int n)
{
	u64 jobs = 0;

	while (n--)
		jobs += READ_ONCE(first[n].count);
	return jobs;
}

static void group_cancel_races_with_add_and_done(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 0);
	unsigned int round, i, first;

	for (round = 0; round < 2; round++) {
		struct headway_group *group = new_group(test);

		first = lab->nr_hands;
		for (i = 0; i < 4; i++)
			lab_hand(lab, churn_work, group);
		lab_start(&lab->hands[first], 4);
		KUNIT_EXPECT_TRUE(test, lab_eventually(jobs_of(&lab->hands[first], 4) > 100));
		headway_group_cancel(group);
		KUNIT_EXPECT_EQ(test, headway_group_wait_timeout(group, LAB_PATIENCE_NS), 0);
		for (i = 0; i < 4; i++) {
			KUNIT_EXPECT_EQ(test, lab_join(&lab->hands[first + i]), 0);
			KUNIT_EXPECT_EQ(test, lab->hands[first + i].errors, 0ull);
		}
		KUNIT_EXPECT_EQ(test, refcount_read(&group->refs), 1u);
		headway_group_put(group);
	}
}

/* The waiter has left and given its reference back; the jobs still find their group. */
static void group_outlives_a_waiter_that_gave_up(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 0);
	struct headway_group *group = new_group(test);
	struct task_job *jobs = new_jobs(test, 2);
	unsigned int i;

	for (i = 0; i < 2; i++) {
		KUNIT_ASSERT_EQ(test, headway_group_add(group, &jobs[i].job, NULL), 0);
		lab_await(lab_hand(lab, job_work, &jobs[i]));
	}
	KUNIT_EXPECT_EQ(test, headway_group_wait_timeout(group, MS), -ETIMEDOUT);
	headway_group_put(group);
	/* Two references are left, the jobs'. */
	KUNIT_EXPECT_EQ(test, refcount_read(&group->refs), 2u);
	lab_go(&lab->hands[0]);
	KUNIT_EXPECT_EQ(test, lab_join(&lab->hands[0]), 0);
	KUNIT_EXPECT_EQ(test, refcount_read(&group->refs), 1u);
	lab_go(&lab->hands[1]);
	KUNIT_EXPECT_EQ(test, lab_join(&lab->hands[1]), 0);
}

static int cancel_wait_work(struct hand *hand)
{
	complete(&hand->reached);
	return headway_group_cancel_wait(hand->arg, hand->number ?
					 LAB_WITHIN(LAB_PATIENCE_NS) : LAB_WITHIN(2 * MS));
}

/* The limit has passed and jobs still run: they are accounted for, and can be waited for. */
static void group_cancel_wait_accounts_for_the_stubborn(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 0);
	struct headway_group *group = new_group(test);
	struct task_job *jobs = new_jobs(test, 2);
	struct hand *hand;

	KUNIT_ASSERT_EQ(test, headway_group_add(group, &jobs[0].job, note_cancel), 0);
	KUNIT_ASSERT_EQ(test, headway_group_add(group, &jobs[1].job, NULL), 0);
	KUNIT_EXPECT_EQ(test, headway_group_cancel_wait(group, LAB_TRY), -EBUSY);
	KUNIT_EXPECT_EQ(test, atomic_read(&jobs[0].cancels), 1);
	KUNIT_EXPECT_TRUE(test, headway_job_cancelled(&jobs[1].job));
	KUNIT_EXPECT_EQ(test, lab_join(lab_hand(lab, cancel_wait_work, group)), -ETIMEDOUT);
	hand = lab_hand(lab, cancel_wait_work, group);
	lab_await(hand);
	lab_signal(hand, SIGKILL);
	KUNIT_EXPECT_EQ(test, lab_join(hand), -EINTR);
	KUNIT_EXPECT_EQ(test, headway_group_pending(group), 2u);
	KUNIT_EXPECT_EQ(test, refcount_read(&group->refs), 3u);
	hand = lab_hand(lab, cancel_wait_work, group);
	lab_await(hand);
	headway_group_done(&jobs[0].job, -ECANCELED);
	usleep_range(1000, 2000);
	KUNIT_EXPECT_FALSE(test, completion_done(&hand->done));
	headway_group_done(&jobs[1].job, -ECANCELED);
	KUNIT_EXPECT_EQ(test, lab_join(hand), 0);
	KUNIT_EXPECT_EQ(test, headway_group_error(group), -ECANCELED);
	KUNIT_EXPECT_EQ(test, atomic_read(&jobs[0].cancels), 1);
	KUNIT_EXPECT_EQ(test, refcount_read(&group->refs), 1u);
	headway_group_put(group);
}

/* Empty for a moment, and busy again before the waiter has run: it sees the end all the same. */
static void group_wait_ends_though_new_jobs_come(struct kunit *test)
{
	struct lab *lab = lab_open(test, HEADWAY_POLICY_ORDERED, 0);
	struct headway_group *group = new_group(test);
	struct task_job *jobs = new_jobs(test, 2);
	struct hand *hand;
	int ret;

	KUNIT_ASSERT_EQ(test, headway_group_add(group, &jobs[0].job, NULL), 0);
	hand = lab_hand(lab, waiter_work, group);
	/* Asleep, or about to be: it cannot have seen the end before that. */
	KUNIT_EXPECT_TRUE(test, lab_eventually(waitqueue_active(&group->wq)));
	KUNIT_EXPECT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(task_cpu(hand->task))), 0);
	preempt_disable();
	headway_group_done(&jobs[0].job, 0);
	ret = headway_group_add(group, &jobs[1].job, NULL);
	preempt_enable();
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, lab_join(hand), 0);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	KUNIT_EXPECT_EQ(test, headway_group_pending(group), 1u);
	headway_group_done(&jobs[1].job, 0);
	headway_group_put(group);
}

static void group_keeps_the_first_error(struct kunit *test)
{
	struct headway_group *group = new_group(test);
	struct task_job *jobs = new_jobs(test, 3);
	unsigned int i;

	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, headway_group_add(group, &jobs[i].job, NULL), 0);
	headway_group_done(&jobs[1].job, 0);
	headway_group_done(&jobs[2].job, -ENXIO);
	headway_group_done(&jobs[0].job, -EIO);
	KUNIT_EXPECT_EQ(test, headway_group_error(group), -ENXIO);
	headway_group_get(group);
	headway_group_put(group);
	KUNIT_EXPECT_EQ(test, refcount_read(&group->refs), 1u);
	headway_group_put(group);
}

static void group_works_with_interrupts_off(struct kunit *test)
{
	struct headway_group *group = headway_group_create(GFP_ATOMIC);
	struct task_job *jobs = new_jobs(test, 2);
	unsigned long flags;
	int first, second, busy;

	KUNIT_ASSERT_NOT_NULL(test, group);
	if (IS_ENABLED(CONFIG_PREEMPT_RT)) {
		headway_group_put(group);
		kunit_skip(test, "a spinlock_t sleeps there");
	}
	local_irq_save(flags);
	first = headway_group_add(group, &jobs[0].job, note_cancel);
	busy = headway_group_wait(group, __HEADWAY_WAIT(TASK_RUNNING, KTIME_MAX));
	headway_group_cancel(group);
	second = headway_group_add(group, &jobs[1].job, NULL);
	headway_group_done(&jobs[0].job, 0);
	local_irq_restore(flags);
	KUNIT_EXPECT_EQ(test, first, 0);
	KUNIT_EXPECT_EQ(test, busy, -EBUSY);
	KUNIT_EXPECT_EQ(test, second, -ECANCELED);
	KUNIT_EXPECT_EQ(test, atomic_read(&jobs[0].cancels), 1);
	KUNIT_EXPECT_EQ(test, headway_group_wait(group, NULL), 0);
	headway_group_put(group);
}

static struct kunit_case group_cases[] = {
	KUNIT_CASE(group_empty_waits_for_nobody),
	KUNIT_CASE(group_waits_for_the_last_job),
	KUNIT_CASE(group_wakes_all_that_wait),
	KUNIT_CASE(group_wait_times_out_and_can_be_repeated),
	KUNIT_CASE(group_wait_ends_with_a_signal),
	KUNIT_CASE(group_cancel_reaches_the_jobs),
	KUNIT_CASE(group_cancel_races_with_add_and_done),
	KUNIT_CASE(group_outlives_a_waiter_that_gave_up),
	KUNIT_CASE(group_cancel_wait_accounts_for_the_stubborn),
	KUNIT_CASE(group_wait_ends_though_new_jobs_come),
	KUNIT_CASE(group_keeps_the_first_error),
	KUNIT_CASE(group_works_with_interrupts_off),
	{}
};

struct kunit_suite headway_group_suite = {
	.name = "headway-group",
	.exit = lab_close,
	.test_cases = group_cases,
};

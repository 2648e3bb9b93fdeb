// SPDX-License-Identifier: GPL-2.0
/*
 * liblab.c - see lab.h.
 */
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "lab.h"

/* Splits work over the first two CPUs that are there. */
static unsigned int lab_cpu(unsigned int number)
{
	unsigned int first = cpumask_first(cpu_online_mask);
	unsigned int second = cpumask_next(first, cpu_online_mask);

	return number % 2 && second < nr_cpu_ids ? second : first;
}

static void lab_init_locks(struct lab *lab)
{
	unsigned int i;

	for (i = 0; i < lab->nr_locks; i++)
		headway_lock_init(&lab->locks[i], lab->domain, i, 0, "lab");
}

struct lab *lab_open(struct kunit *test, enum headway_policy policy, unsigned int nr_locks)
{
	struct lab *lab = kzalloc(sizeof(*lab), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, lab);
	lab->test = test;
	lab->domain = headway_domain_create("kunit", policy);
	lab->locks = kcalloc(nr_locks ?: 1, sizeof(*lab->locks), GFP_KERNEL);
	lab->balance = kcalloc(nr_locks ?: 1, sizeof(*lab->balance), GFP_KERNEL);
	if (IS_ERR(lab->domain) || !lab->locks || !lab->balance) {
		if (!IS_ERR(lab->domain))
			headway_domain_destroy(lab->domain);
		kfree(lab->locks);
		kfree(lab->balance);
		kfree(lab);
		lab = NULL;
	}
	KUNIT_ASSERT_NOT_NULL(test, lab);
	lab->nr_locks = nr_locks;
	lab_init_locks(lab);
	test->priv = lab;
	return lab;
}

static void lab_stop_hands(struct lab *lab)
{
	unsigned int i;

	WRITE_ONCE(lab->stop, true);
	for (i = 0; i < lab->nr_hands; i++)
		complete_all(&lab->hands[i].go);
	for (i = 0; i < lab->nr_hands; i++)
		if (!lab->hands[i].joined)
			lab_join(&lab->hands[i]);
}

void lab_close(struct kunit *test)
{
	struct lab *lab = test->priv;
	unsigned int i;

	if (!lab)
		return;
	test->priv = NULL;
	lab_stop_hands(lab);
	for (i = 0; i < lab->nr_locks; i++) {
		if (!lab_free(&lab->locks[i])) {
			KUNIT_FAIL(test, "lock %u is left held or waited for", i);
			lab->hung = true;
		}
	}
	if (lab_in_flight(lab)) {
		KUNIT_FAIL(test, "%llu transactions are left in flight", lab_in_flight(lab));
		lab->hung = true;
	}
	if (lab->hung) {
		/* Somebody may still use all of it. */
		__module_get(THIS_MODULE);
		return;
	}
	for (i = 0; i < lab->nr_locks; i++)
		headway_lock_destroy(&lab->locks[i]);
	headway_domain_destroy(lab->domain);
	kfree(lab->locks);
	kfree(lab->balance);
	kfree(lab->text);
	lab_unmount(lab);
	kfree(lab);
}

static int lab_thread(void *data)
{
	struct hand *hand = data;

	allow_signal(SIGKILL);
	allow_signal(SIGINT);
	hand->result = hand->work(hand);
	complete(&hand->done);
	/* A task must be there until kthread_stop() has come for it. */
	while (!kthread_should_stop()) {
		set_current_state(TASK_IDLE);
		if (!kthread_should_stop())
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	return 0;
}

struct hand *lab_hand(struct lab *lab, int (*work)(struct hand *hand), void *arg)
{
	struct hand *hand = &lab->hands[lab->nr_hands];
	struct task_struct *task;

	KUNIT_ASSERT_TRUE(lab->test, lab->nr_hands < LAB_HANDS);
	hand->lab = lab;
	hand->number = lab->nr_hands;
	hand->work = work;
	hand->arg = arg;
	init_completion(&hand->reached);
	init_completion(&hand->go);
	init_completion(&hand->done);
	task = kthread_create(lab_thread, hand, "hand/%u", hand->number);
	KUNIT_ASSERT_FALSE(lab->test, IS_ERR(task));
	hand->task = task;
	kthread_bind(task, lab_cpu(lab->together ? 0 : hand->number));
	lab->nr_hands++;
	wake_up_process(task);
	return hand;
}

int lab_join(struct hand *hand)
{
	struct lab *lab = hand->lab;

	if (hand->joined)
		return hand->result;
	hand->joined = true;
	if (!wait_for_completion_timeout(&hand->done, msecs_to_jiffies(LAB_PATIENCE_MS))) {
		/* Perhaps it can at least be killed, so that it does not stay for ever. */
		send_sig(SIGKILL, hand->task, 1);
		KUNIT_FAIL(lab->test, "hand %u did not finish within %d ms", hand->number,
			   LAB_PATIENCE_MS);
		if (!wait_for_completion_timeout(&hand->done, HZ)) {
			lab->hung = true;
			return -ETIME;
		}
	}
	kthread_stop(hand->task);
	return hand->result;
}

void lab_pause(struct hand *hand)
{
	complete(&hand->reached);
	if (!wait_for_completion_timeout(&hand->go, msecs_to_jiffies(LAB_PATIENCE_MS)))
		hand->errors++;
}

void lab_await(struct hand *hand)
{
	if (!wait_for_completion_timeout(&hand->reached, msecs_to_jiffies(LAB_PATIENCE_MS)))
		KUNIT_FAIL(hand->lab->test, "hand %u did not get where it should", hand->number);
}

void lab_go(struct hand *hand)
{
	complete(&hand->go);
}

void lab_signal(struct hand *hand, int sig)
{
	send_sig(sig, hand->task, 1);
}

void lab_start(struct hand *first, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		lab_await(&first[i]);
	for (i = 0; i < n; i++)
		lab_go(&first[i]);
}

int lab_take_work(struct hand *hand)
{
	struct headway_txn txn;
	int ret;

	headway_txn_begin(&txn, hand->lab->domain);
	ret = headway_lock_timeout(&txn, hand->arg, LAB_PATIENCE_NS);
	headway_txn_end(&txn);
	return ret;
}

int lab_commit_work(struct hand *hand)
{
	int ret = 0;

	while (!ret && !READ_ONCE(hand->lab->stop)) {
		ret = lab_take_work(hand);
		hand->count++;
		usleep_range(1000, 1500);
	}
	return ret;
}

static int lab_hold_work(struct hand *hand)
{
	struct headway_txn txn;
	int ret;

	headway_txn_begin(&txn, hand->lab->domain);
	ret = headway_lock_timeout(&txn, hand->arg, LAB_PATIENCE_NS);
	lab_pause(hand);
	headway_txn_end(&txn);
	return ret;
}

struct hand *lab_hold(struct lab *lab, struct headway_lock *lock)
{
	struct hand *hand = lab_hand(lab, lab_hold_work, lock);

	lab_await(hand);
	return hand;
}

void lab_let_go(struct hand *hand)
{
	lab_go(hand);
	KUNIT_EXPECT_EQ(hand->lab->test, lab_join(hand), 0);
}

/*
 * Waits until both hands have come here equally often. Return: false when that will not be: it is
 * time to stop, or the policy is about to change, so that the other may wait at the gate, for us
 * as well.
 */
static bool lab_meet(struct lab *lab)
{
	int mine = atomic_inc_return(&lab->arrived);

	while (mine % 2 && atomic_read(&lab->arrived) == mine) {
		/* We were not here, unless the other has come meanwhile and counts on us. */
		if (READ_ONCE(lab->stop) || headway_gate_is_shut(lab->domain))
			return atomic_cmpxchg(&lab->arrived, mine, mine - 1) != mine;
		usleep_range(20, 50);
	}
	return true;
}

/* One attempt at both locks. Return: as the lock calls. */
static int lab_lockstep_try(struct hand *hand, struct headway_txn *txn)
{
	bool naive = headway_txn_policy(txn) == HEADWAY_POLICY_NONE;
	struct lab *lab = hand->lab;
	int ret;

	ret = headway_lock_timeout(txn, &lab->locks[hand->number % 2], LAB_PATIENCE_NS);
	if (ret)
		return ret;
	/* Alone, we would get the other lock, which is not what we are here for. */
	if (naive && !lab_meet(lab))
		return -EDEADLK;
	ret = headway_lock_timeout(txn, &lab->locks[!(hand->number % 2)], LAB_PATIENCE_NS);
	if (naive)
		lab_meet(lab);
	return ret;
}

static int lab_lockstep_once(struct hand *hand, struct headway_txn *txn)
{
	int ret;

	for (;;) {
		ret = lab_lockstep_try(hand, txn);
		if (ret != -EDEADLK || READ_ONCE(hand->lab->stop))
			return ret;
		headway_txn_rollback(txn);
	}
}

int lab_lockstep_work(struct hand *hand)
{
	struct lab *lab = hand->lab;
	int ret = 0;

	while (!ret && !READ_ONCE(lab->stop)) {
		struct headway_txn txn;

		headway_txn_begin(&txn, lab->domain);
		ret = lab_lockstep_once(hand, &txn);
		headway_txn_end(&txn);
		if (!ret)
			hand->count++;
		cond_resched();
	}
	return ret == -EDEADLK ? 0 : ret;
}

bool lab_free(struct headway_lock *lock)
{
	return !atomic_long_read(&lock->owner) && !lab_waiters(lock);
}

unsigned int lab_waiters(struct headway_lock *lock)
{
	struct list_head *pos;
	unsigned int n = 0;

	raw_spin_lock(&lock->wait_lock);
	list_for_each(pos, &lock->waiters)
		n++;
	raw_spin_unlock(&lock->wait_lock);
	return n;
}

u64 lab_stat(struct lab *lab, enum headway_stat stat)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(lab->domain->pcpu, cpu)->stat[stat]);
	return sum;
}

u64 lab_in_flight(struct lab *lab)
{
	u64 begun = 0, ended = 0;
	int cpu;

	/* In this order, so that the difference is never negative. */
	for_each_possible_cpu(cpu)
		ended += headway_pcpu_ended(per_cpu_ptr(lab->domain->pcpu, cpu));
	for_each_possible_cpu(cpu)
		begun += READ_ONCE(per_cpu_ptr(lab->domain->pcpu, cpu)->begun);
	return begun - ended;
}

u32 lab_random(u64 *state, u32 below)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (u32)(*state >> 33) % below;
}

void lab_watch(struct lab *lab, u64 window_ns, u32 rollbacks_min, u32 restarts_max,
	       u64 wait_max_ns)
{
	struct headway_domain *domain = lab->domain;

	spin_lock(&domain->watch.lock);
	domain->watch.window_ns = window_ns;
	domain->watch.rollbacks_min = rollbacks_min;
	domain->watch.restarts_max = restarts_max;
	domain->watch.wait_max_ns = wait_max_ns;
	spin_unlock(&domain->watch.lock);
}

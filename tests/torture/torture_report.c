// SPDX-License-Identifier: GPL-2.0
/*
 * torture_report.c - the result of a run, in one line. Without a prefix, since scripts read it.
 */
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/utsname.h>

#include "torture.h"

static const char *torture_build(void)
{
	if (IS_ENABLED(CONFIG_KCSAN))
		return "kcsan";
	if (IS_ENABLED(CONFIG_KASAN))
		return IS_ENABLED(CONFIG_PROVE_LOCKING) ? "lockdep+kasan" : "kasan";
	return IS_ENABLED(CONFIG_PROVE_LOCKING) ? "lockdep" : "plain";
}

/*
 * What else failed is said, but must not have been first: then the control would be caught for
 * another reason than the one that it is there to show.
 */
static bool torture_caught_rightly(const struct torture_control *c)
{
	int first = atomic_read(&torture.first_failed) - 1;

	return first >= 0 && c->caught_by & BIT(first);
}

/* By every check that is there for it. */
static bool torture_caught(const struct torture_control *c)
{
	int i;

	for (i = 0; i < TORTURE_NR_CHECKS; i++)
		if (c->caught_by & BIT(i) && !torture_check_failed(i))
			return false;
	return torture_caught_rightly(c);
}

/* Something failed, and there is nothing to wait for: a control may be there for several checks. */
bool torture_settled(void)
{
	const struct torture_control *c = torture.control;

	return torture_failed() && (!c || torture_caught(c) || !torture_caught_rightly(c));
}

/* Locks acquired. */
static u64 torture_operations(void)
{
	/* Of a run that hangs, what is left behind may still be counting. */
	u64 sum = data_race(torture.domain->token.stats.acquired);
	unsigned int i;

	for (i = 0; i < torture.nr_locks; i++)
		sum += data_race(torture.locks[i].lock.stats.acquired);	/* as above */
	return sum;
}

/* All figures are final. Return: the verdict, in one word. */
const char *torture_report(const char *policy, bool covered)
{
	const struct torture_control *c = torture.control;
	u64 least = U64_MAX, most = 0, commits = 0, rollbacks = 0, operations;
	u32 restarts_max = 0;
	char by[64] = "none", also[128] = "none";
	const char *result;
	unsigned int i;

	if (c) {
		torture_say_failed(by, sizeof(by), c->caught_by);
		torture_say_failed(also, sizeof(also), ~c->caught_by);
	}

	for (i = 0; i < torture.nr_workers; i++) {
		const struct torture_worker *worker = &torture.workers[i];

		commits += worker->commits;
		rollbacks += worker->rollbacks;
		restarts_max = max(restarts_max, worker->restarts_max);
		least = min(least, worker->commits);
		most = max(most, worker->commits);
	}
	if (c)
		result = torture_caught(c) ? "caught" : "missed";
	else
		result = torture_failed() ? "fail" : torture.stopped ? "stopped" :
			 covered ? "pass" : "invalid";
	operations = torture_operations();
	if (c)
		pr_info("CONTROL name=%s caught=%s by=%s also=%s\n", c->name,
			*result == 'c' ? "yes" : "no", by, also);
	else
		pr_info("TORTURE kernel=%s build=%s policy=%s operations=%llu commits=%llu rollbacks=%llu max_restarts=%u fairness=%llu.%02llu verdict=%s\n",
			utsname()->release, torture_build(), policy, operations, commits, rollbacks,
			restarts_max, div64_u64(most, max(least, 1ULL)),
			div64_u64(most * 100, max(least, 1ULL)) % 100, result);
	return result;
}

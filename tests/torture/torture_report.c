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

/* All figures are final. Return: the verdict, in one word. */
const char *torture_report(const char *policy, bool covered)
{
	const struct torture_control *c = torture.control;
	u64 least = U64_MAX, most = 0, commits = 0, rollbacks = 0;
	u32 restarts_max = 0;
	const char *result;
	unsigned int i;

	for (i = 0; i < torture.nr_workers; i++) {
		const struct torture_worker *worker = &torture.workers[i];

		commits += worker->commits;
		rollbacks += worker->rollbacks;
		restarts_max = max(restarts_max, worker->restarts_max);
		least = min(least, worker->commits);
		most = max(most, worker->commits);
	}
	if (c)
		result = atomic64_read(&torture.failures[c->caught_by]) ? "caught" : "missed";
	else
		result = torture_failed() ? "fail" : covered ? "pass" : "invalid";
	if (c)
		pr_info("CONTROL name=%s caught=%s\n", c->name,
			*result == 'c' ? "yes" : "no");
	else
		pr_info("TORTURE kernel=%s build=%s policy=%s commits=%llu rollbacks=%llu max_restarts=%u fairness=%llu.%02llu verdict=%s\n",
			utsname()->release, torture_build(), policy, commits, rollbacks,
			restarts_max, div64_u64(most, max(least, 1ULL)),
			div64_u64(most * 100, max(least, 1ULL)) % 100, result);
	return result;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * kunit_shim.c - see kunit_shim.h. Included by the one file of a test module that lists its suites.
 *
 * A case is three steps in one thread each: the suite's init, the case, the suite's exit. Memory
 * from kunit_kzalloc() is freed after the last, unless a step was left behind, which may still
 * use it.
 */
#include <linux/kernel.h>
#include <linux/sched.h>

#include "kunit_shim.h"

struct kunit_shim_memory {
	struct list_head node;
	u8 bytes[] __aligned(sizeof(u64));
};

void *kunit_kzalloc(struct kunit *test, size_t size, gfp_t gfp)
{
	struct kunit_shim_memory *memory = kzalloc(sizeof(*memory) + size, gfp);

	if (!memory)
		return NULL;
	list_add(&memory->node, &test->memory);
	return memory->bytes;
}

void kunit_shim_fail(struct kunit *test, const char *file, int line, const char *fmt, ...)
{
	struct va_format text = { .fmt = fmt };
	va_list args;

	test->failed = true;
	va_start(args, fmt);
	text.va = &args;
	pr_info("    # %s: %s:%d: %pV\n", test->name, kbasename(file), line, &text);
	va_end(args);
}

void kunit_shim_skip(struct kunit *test, const char *fmt, ...)
{
	va_list args;

	test->skipped = true;
	va_start(args, fmt);
	vsnprintf(test->skip_reason, sizeof(test->skip_reason), fmt, args);
	va_end(args);
}

static int kunit_shim_thread(void *data)
{
	struct kunit *test = data;

	if (test->step(test))
		kunit_shim_fail(test, __FILE__, __LINE__, "the suite's init function failed");
	kthread_complete_and_exit(&test->done, 0);
}

static int kunit_shim_init_step(struct kunit *test)
{
	return test->suite->init ? test->suite->init(test) : 0;
}

static int kunit_shim_case_step(struct kunit *test)
{
	test->test_case->run_case(test);
	return 0;
}

static int kunit_shim_exit_step(struct kunit *test)
{
	if (test->suite->exit)
		test->suite->exit(test);
	return 0;
}

/* Return: false when the step is still running, for good. */
static bool kunit_shim_step(struct kunit *test, int (*step)(struct kunit *test))
{
	struct task_struct *task;

	init_completion(&test->done);
	test->step = step;
	task = kthread_run(kunit_shim_thread, test, "kunit_case");
	if (IS_ERR(task)) {
		kunit_shim_fail(test, __FILE__, __LINE__, "no thread: error %ld", PTR_ERR(task));
		return true;
	}
	if (wait_for_completion_timeout(&test->done, KUNIT_SHIM_LIMIT_S * HZ))
		return true;
	kunit_shim_fail(test, __FILE__, __LINE__, "still running after %d s: left behind",
			KUNIT_SHIM_LIMIT_S);
	return false;
}

/* Return: whether the case passed, or was skipped, which *skipped tells. */
static bool kunit_shim_case(const struct kunit_suite *suite, const struct kunit_case *test_case,
			    unsigned int number, bool *skipped)
{
	struct kunit *test = kzalloc(sizeof(*test), GFP_KERNEL);
	struct kunit_shim_memory *memory, *next;
	bool finished, ok;

	if (!test)
		return false;
	test->suite = suite;
	test->test_case = test_case;
	test->name = test_case->name;
	INIT_LIST_HEAD(&test->memory);

	finished = kunit_shim_step(test, kunit_shim_init_step);
	if (finished && !test->failed)
		finished = kunit_shim_step(test, kunit_shim_case_step);
	if (finished)
		finished = kunit_shim_step(test, kunit_shim_exit_step);
	ok = !test->failed;
	*skipped = ok && test->skipped;
	if (*skipped)
		pr_info("    ok %u %s # SKIP %s\n", number, test->name, test->skip_reason);
	else
		pr_info("    %sok %u %s\n", ok ? "" : "not ", number, test->name);
	if (!finished) {
		__module_get(THIS_MODULE);
		return false;
	}
	list_for_each_entry_safe(memory, next, &test->memory, node)
		kfree(memory);
	kfree(test);
	return ok;
}

int kunit_shim_run(struct kunit_suite *const *suites, unsigned int nr_suites)
{
	unsigned int i, cases = 0, passed = 0, skipped = 0;

	pr_info("KTAP version 1\n");
	pr_info("1..%u\n", nr_suites);
	for (i = 0; i < nr_suites; i++) {
		const struct kunit_case *test_case;
		unsigned int planned = 0, number = 0;
		bool suite_ok = true;

		for (test_case = suites[i]->test_cases; test_case->run_case; test_case++)
			planned++;
		pr_info("    KTAP version 1\n");
		pr_info("    # Subtest: %s\n", suites[i]->name);
		pr_info("    1..%u\n", planned);
		for (test_case = suites[i]->test_cases; test_case->run_case; test_case++) {
			bool was_skipped;

			cases++;
			if (!kunit_shim_case(suites[i], test_case, ++number, &was_skipped))
				suite_ok = false;
			else if (was_skipped)
				skipped++;
			else
				passed++;
		}
		pr_info("%sok %u %s\n", suite_ok ? "" : "not ", i + 1, suites[i]->name);
	}
	/* As with KUnit, failed tests do not keep the module from loading. */
	pr_info("# suites %u, cases %u: passed %u, failed %u, skipped %u\n", nr_suites, cases,
		passed, cases - passed - skipped, skipped);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kunit_shim.h - runs KUnit suites on a kernel that was built without KUnit.
 *
 * Debian's stock kernels have CONFIG_KUNIT off. There the suites in tests/kunit are compiled with
 * this header in place of <kunit/test.h>; kunit_test_suites() becomes the module's init function,
 * which runs them and prints the same KTAP to the kernel log. Only what our suites use is here.
 *
 * Invariants: every case runs in a thread of its own, so that a failed ASSERT can end it anywhere,
 * and is given KUNIT_SHIM_LIMIT_S seconds; one that takes longer has failed, is left behind, and
 * pins the module, since its code still runs. A suite's exit function runs whatever the case did.
 * EXPECT and ASSERT may be used only from the case's thread.
 */
#ifndef HEADWAY_KUNIT_SHIM_H
#define HEADWAY_KUNIT_SHIM_H

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/types.h>

#define KUNIT_SHIM_LIMIT_S 120

struct kunit {
	void *priv;			/* the suite's own */
	const char *name;		/* the running case's */
	const struct kunit_suite *suite;
	const struct kunit_case *test_case;
	bool failed;
	bool skipped;
	char skip_reason[80];
	int (*step)(struct kunit *test);	/* what the thread runs now */
	struct list_head memory;	/* freed after the suite's exit function */
	struct completion done;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char *name;
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(function) { .run_case = (function), .name = #function }
#define KUNIT_CASE_SLOW(function) KUNIT_CASE(function)

void *kunit_kzalloc(struct kunit *test, size_t size, gfp_t gfp);
__printf(4, 5)
void kunit_shim_fail(struct kunit *test, const char *file, int line, const char *fmt, ...);
__printf(2, 3)
void kunit_shim_skip(struct kunit *test, const char *fmt, ...);
int kunit_shim_run(struct kunit_suite *const *suites, unsigned int nr_suites);

/* Inline, because objtool knows only the kernel's own functions to end a thread. */
static __always_inline void __noreturn kunit_shim_abort(struct kunit *test)
{
	kthread_complete_and_exit(&test->done, 0);
}

#define kunit_skip(test, fmt, ...) do { \
	kunit_shim_skip(test, fmt, ##__VA_ARGS__); \
	kunit_shim_abort(test); \
} while (0)

#define kunit_info(test, fmt, ...) pr_info("    # %s: " fmt, (test)->name, ##__VA_ARGS__)

#define KUNIT_FAIL(test, fmt, ...) \
	kunit_shim_fail(test, __FILE__, __LINE__, fmt, ##__VA_ARGS__)

/*
 * Values are printed as signed, so that errnos can be read; the text comes from the outermost
 * macro, where the arguments are as they were written.
 */
#define KUNIT_SHIM_COMPARE(test, left, op, right, text, then) do { \
	const typeof(left) __left = (left); \
	const typeof(right) __right = (right); \
	if (!(__left op __right)) { \
		KUNIT_FAIL(test, "%s is wanted, but they are %lld and %lld", text, \
			   (s64)__left, (s64)__right); \
		then; \
	} \
} while (0)

#define KUNIT_SHIM_CHECK(test, condition, text, then) do { \
	if (!(condition)) { \
		KUNIT_FAIL(test, "%s is wanted", text); \
		then; \
	} \
} while (0)

#define KUNIT_EXPECT_EQ(test, a, b) \
	KUNIT_SHIM_COMPARE(test, a, ==, b, #a " == " #b, (void)0)
#define KUNIT_EXPECT_NE(test, a, b) \
	KUNIT_SHIM_COMPARE(test, a, !=, b, #a " != " #b, (void)0)
#define KUNIT_EXPECT_LT(test, a, b) \
	KUNIT_SHIM_COMPARE(test, a, <, b, #a " < " #b, (void)0)
#define KUNIT_EXPECT_LE(test, a, b) \
	KUNIT_SHIM_COMPARE(test, a, <=, b, #a " <= " #b, (void)0)
#define KUNIT_EXPECT_GT(test, a, b) \
	KUNIT_SHIM_COMPARE(test, a, >, b, #a " > " #b, (void)0)
#define KUNIT_EXPECT_GE(test, a, b) \
	KUNIT_SHIM_COMPARE(test, a, >=, b, #a " >= " #b, (void)0)

#define KUNIT_EXPECT_TRUE(test, c) \
	KUNIT_SHIM_CHECK(test, c, #c, (void)0)
#define KUNIT_EXPECT_FALSE(test, c) \
	KUNIT_SHIM_CHECK(test, !(c), "not " #c, (void)0)
#define KUNIT_EXPECT_NOT_NULL(test, p) \
	KUNIT_SHIM_CHECK(test, p, #p " not NULL", (void)0)
#define KUNIT_EXPECT_NULL(test, p) \
	KUNIT_SHIM_CHECK(test, !(p), #p " NULL", (void)0)
#define KUNIT_EXPECT_PTR_EQ(test, a, b) \
	KUNIT_SHIM_CHECK(test, (a) == (b), #a " == " #b, (void)0)
#define KUNIT_EXPECT_STREQ(test, a, b) \
	KUNIT_SHIM_CHECK(test, !strcmp(a, b), #a " equal to " #b, (void)0)

#define KUNIT_ASSERT_EQ(test, a, b) \
	KUNIT_SHIM_COMPARE(test, a, ==, b, #a " == " #b, kunit_shim_abort(test))
#define KUNIT_ASSERT_NE(test, a, b) \
	KUNIT_SHIM_COMPARE(test, a, !=, b, #a " != " #b, kunit_shim_abort(test))

#define KUNIT_ASSERT_TRUE(test, c) \
	KUNIT_SHIM_CHECK(test, c, #c, kunit_shim_abort(test))
#define KUNIT_ASSERT_FALSE(test, c) \
	KUNIT_SHIM_CHECK(test, !(c), "not " #c, kunit_shim_abort(test))
#define KUNIT_ASSERT_NOT_NULL(test, p) \
	KUNIT_SHIM_CHECK(test, p, #p " not NULL", kunit_shim_abort(test))
#define KUNIT_ASSERT_NOT_ERR_OR_NULL(test, p) \
	KUNIT_SHIM_CHECK(test, !IS_ERR_OR_NULL(p), #p " valid", kunit_shim_abort(test))

/* One per module: the list of its suites, and its init and exit functions. */
#define kunit_test_suites(...) \
static struct kunit_suite *const kunit_shim_suites[] = { __VA_ARGS__ }; \
static int __init kunit_shim_init(void) \
{ \
	return kunit_shim_run(kunit_shim_suites, ARRAY_SIZE(kunit_shim_suites)); \
} \
static void __exit kunit_shim_exit(void) \
{ \
} \
module_init(kunit_shim_init); \
module_exit(kunit_shim_exit)

#endif /* HEADWAY_KUNIT_SHIM_H */

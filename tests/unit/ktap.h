/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ktap.h - the whole of what a host unit test needs, in one header.
 *
 * A test file is one program:
 *
 *	// links: kmod/policy.c
 *	#include "ktap.h"
 *
 *	KTAP_TEST(older_waits)
 *	{
 *		EXPECT_EQ(resolve(...), WAIT);
 *	}
 *
 *	KTAP_MAIN("policy")
 *
 * The "links:" comment names the sources (from the top of the tree) that the Makefile links with
 * it; "libs:" may name libraries, "sanitize:" other sanitizers than address,undefined.
 *
 * Invariants: a test registers itself before main() runs, so there is no list to keep by hand and
 * no test can be forgotten. The plan is printed before the first result, so a crash in the middle
 * is seen by the runner as a plan that was not kept. A failed EXPECT is reported and the test goes
 * on; a failed ASSERT ends the test. Every failure prints both values.
 *
 * Single-threaded by design: EXPECT may be used only from the thread that runs the test.
 */
#ifndef HEADWAY_TESTS_KTAP_H
#define HEADWAY_TESTS_KTAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ktap_case {
	const char *name;
	void (*run)(void);
	struct ktap_case *next;
};

struct ktap_state {
	struct ktap_case *first;
	struct ktap_case **tail;
	bool failed;		/* the running test has failed */
	const char *skip;	/* the running test cannot be run here, and why */
};

static struct ktap_state ktap;

static inline void ktap_register(struct ktap_case *c)
{
	if (!ktap.tail)
		ktap.tail = &ktap.first;
	*ktap.tail = c;
	ktap.tail = &c->next;
}

#define KTAP_TEST(test_name)							\
	static void ktap_body_##test_name(void);				\
	static struct ktap_case ktap_case_##test_name = {			\
		.name = #test_name, .run = ktap_body_##test_name,		\
	};									\
	__attribute__((constructor)) static void ktap_register_##test_name(void) \
	{									\
		ktap_register(&ktap_case_##test_name);				\
	}									\
	static void ktap_body_##test_name(void)

#define KTAP_FAIL(...)								\
	do {									\
		ktap.failed = true;						\
		printf("# %s:%d: ", __FILE__, __LINE__);			\
		printf(__VA_ARGS__);						\
		printf("\n");							\
	} while (0)

/* Ends the running test; the reason is shown beside the result, so a skip is never silent. */
#define KTAP_SKIP(reason)							\
	do {									\
		ktap.skip = (reason);						\
		return;								\
	} while (0)

#define EXPECT(cond)								\
	do {									\
		if (!(cond))							\
			KTAP_FAIL("expected: %s", #cond);			\
	} while (0)
#define EXPECT_TRUE(cond) EXPECT(cond)
#define EXPECT_FALSE(cond) EXPECT(!(cond))

#define ASSERT(cond)								\
	do {									\
		if (!(cond)) {							\
			KTAP_FAIL("required: %s", #cond);			\
			return;							\
		}								\
	} while (0)

/*
 * Compared in the operands' own types (so that the compiler still warns about mixed signs), and
 * printed as signed 64 bit, which shows small negative errnos as themselves.
 */
#define KTAP_CMP(a, op, b)							\
	do {									\
		__typeof__(a) ktap_a = (a);					\
		__typeof__(b) ktap_b = (b);					\
		if (!(ktap_a op ktap_b))					\
			KTAP_FAIL("expected: %s %s %s, got %lld and %lld", #a, #op, #b,	\
				  (long long)ktap_a, (long long)ktap_b);	\
	} while (0)

#define EXPECT_EQ(a, b) KTAP_CMP(a, ==, b)
#define EXPECT_NE(a, b) KTAP_CMP(a, !=, b)
#define EXPECT_LT(a, b) KTAP_CMP(a, <, b)
#define EXPECT_LE(a, b) KTAP_CMP(a, <=, b)
#define EXPECT_GT(a, b) KTAP_CMP(a, >, b)
#define EXPECT_GE(a, b) KTAP_CMP(a, >=, b)

#define EXPECT_STREQ(a, b)							\
	do {									\
		const char *ktap_a = (a);					\
		const char *ktap_b = (b);					\
		if (!ktap_a || !ktap_b || strcmp(ktap_a, ktap_b))		\
			KTAP_FAIL("expected: %s is %s, got \"%s\" and \"%s\"", #a, #b, \
				  ktap_a ? ktap_a : "(null)", ktap_b ? ktap_b : "(null)"); \
	} while (0)

#define EXPECT_NEAR(a, b, tolerance)						\
	do {									\
		double ktap_a = (a), ktap_b = (b), ktap_t = (tolerance);	\
		double ktap_d = ktap_a > ktap_b ? ktap_a - ktap_b : ktap_b - ktap_a; \
		if (!(ktap_d <= ktap_t))					\
			KTAP_FAIL("expected: %s within %s of %s, got %g and %g", #a,	\
				  #tolerance, #b, ktap_a, ktap_b);		\
	} while (0)

/* Runs every registered test in file order. Returns what main() should return. */
static inline int ktap_run(const char *suite)
{
	int count = 0, failures = 0, number = 0;

	/* Whole lines at once: a sanitizer's report must not land inside one of ours. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (struct ktap_case *c = ktap.first; c; c = c->next)
		count++;
	printf("KTAP version 1\n# suite: %s\n1..%d\n", suite, count);
	for (struct ktap_case *c = ktap.first; c; c = c->next) {
		ktap.failed = false;
		ktap.skip = NULL;
		c->run();
		number++;
		if (ktap.failed)
			failures++;
		printf("%sok %d - %s.%s", ktap.failed ? "not " : "", number, suite, c->name);
		if (ktap.skip && !ktap.failed)
			printf(" # SKIP %s", ktap.skip);
		printf("\n");
	}
	if (!count)
		printf("# %s has no tests: that is a failure, not a pass\n", suite);
	return failures || !count ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define KTAP_MAIN(suite)							\
	int main(void)								\
	{									\
		return ktap_run(suite);						\
	}

#endif /* HEADWAY_TESTS_KTAP_H */

// SPDX-License-Identifier: GPL-2.0
// links: userspace/demangle.c
// libs: -liberty
/*
 * demangle_test.c - names as their programmers wrote them, and names that nobody wrote.
 */
#include "ktap.h"

#include "demangle.h"

static const char *plain(const char *mangled)
{
	static char out[256];

	headway_demangle(mangled, strlen(mangled), out, sizeof(out));
	return out;
}

KTAP_TEST(cplusplus)
{
	EXPECT_STREQ(plain("_ZNSt5mutex8try_lockEv"), "std::mutex::try_lock");
	EXPECT_STREQ(plain("_ZN4bank8transferERSt5mutexS1_"), "bank::transfer");
	EXPECT_STREQ(plain("_ZL7mutex_a"), "mutex_a");
}

KTAP_TEST(rust_by_both_schemes)
{
	EXPECT_STREQ(plain("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE"),
		     "core::fmt::Write::write_fmt");
	EXPECT_STREQ(plain("_RNvC6_123foo3bar"), "123foo::bar");
}

KTAP_TEST(what_is_not_mangled_stays)
{
	EXPECT_STREQ(plain("main"), "main");
	EXPECT_STREQ(plain("i"), "i");
	EXPECT_STREQ(plain("sync.(*Mutex).Lock"), "sync.(*Mutex).Lock");
	EXPECT_STREQ(plain("_Zzzz"), "_Zzzz");
	EXPECT_STREQ(plain(""), "");
	EXPECT_STREQ(plain("_"), "_");
}

KTAP_TEST(bounds_are_kept)
{
	char out[8], *deep = malloc(100001);

	headway_demangle("_ZNSt5mutex8try_lockEv", 22, out, sizeof(out));
	EXPECT_STREQ(out, "std::mu");
	headway_demangle("plain_and_long", 14, out, sizeof(out));
	EXPECT_STREQ(out, "plain_a");
	/* The name ends where the caller says. */
	headway_demangle("name@GLIBC", 4, out, sizeof(out));
	EXPECT_STREQ(out, "name");
	/* Nested without end: too long to be tried. */
	ASSERT(deep != NULL);
	memset(deep, 'P', 100000);
	memcpy(deep, "_Z1f", 4);
	deep[100000] = '\0';
	headway_demangle(deep, 100000, out, sizeof(out));
	EXPECT_STREQ(out, "_Z1fPPP");
	deep[2000] = '\0';
	headway_demangle(deep, 2000, out, sizeof(out));
	EXPECT_EQ(strlen(out) < sizeof(out), 1);
	free(deep);
}

KTAP_MAIN("demangle")

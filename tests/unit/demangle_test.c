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
	/* Without the hashes that make names unique, which differ with each build. */
	EXPECT_STREQ(plain("_ZN2v04bank5inner8transfer17h2968849bc8213ce5E"),
		     "v0::bank::inner::transfer");
	EXPECT_STREQ(plain("_RINvNtNtCs4YYKAqpqZtm_2v04bank5inner8transferRReEB6_"),
		     "v0::bank::inner::transfer::<&&str>");
	EXPECT_STREQ(plain("_ZN43_$LT$v0..S$LT$T$GT$$u20$as$u20$v0..Doer$GT$2go"
			   "17h0c44f3b5801ee8bcE"),
		     "<v0::S<T> as v0::Doer>::go");
	EXPECT_STREQ(plain("_RNvXCs4YYKAqpqZtm_2v0INtB2_1SReENtB2_4Doer2goB2_"),
		     "<v0::S<&str> as v0::Doer>::go");
	/* Optimized when it was linked. */
	EXPECT_STREQ(plain("_ZN2v04bank5inner8transfer17h2968849bc8213ce5E.llvm.123456789"),
		     "v0::bank::inner::transfer");
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

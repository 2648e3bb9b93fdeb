// SPDX-License-Identifier: GPL-2.0
// links: userspace/escape.c userspace/futexword.c userspace/finding.c userspace/mutexes.c
// links: userspace/lockshape.c
/*
 * escape_test.c - hostile names made harmless; owners in futex words and the memory of them;
 * building of findings.
 */
#include "ktap.h"

#include <linux/futex.h>

#include "escape.h"
#include "finding.h"
#include "futexword.h"
#include "mutexes.h"

static const char *escaped(const char *in)
{
	static char out[256];

	return headway_escape(in, strlen(in), out, sizeof(out));
}

KTAP_TEST(plain_text_stays)
{
	EXPECT_STREQ(escaped("worker-1 (a+b) \"x\""), "worker-1 (a+b) \"x\"");
	EXPECT_STREQ(escaped("na\xc3\xafve \xe6\xbc\xa2 \xf0\x9f\x90\x9f"),
		     "na\xc3\xafve \xe6\xbc\xa2 \xf0\x9f\x90\x9f");
	EXPECT_STREQ(escaped(""), "");
}

KTAP_TEST(what_steers_a_terminal_does_not)
{
	EXPECT_STREQ(escaped("\033[2J"), "\\x1b[2J");
	EXPECT_STREQ(escaped("a\nb\tc\rd"), "a\\x0ab\\x09c\\x0dd");
	EXPECT_STREQ(escaped("\x7f"), "\\x7f");
	EXPECT_STREQ(escaped("\xc2\x9b" "31m"), "\\xc2\\x9b31m");
	EXPECT_STREQ(escaped("a\xe2\x80\xae" "b"), "a\\xe2\\x80\\xaeb");
	EXPECT_STREQ(escaped("a\xe2\x80\xa8" "b"), "a\\xe2\\x80\\xa8b");
	/* Nothing can pretend to have been escaped. */
	EXPECT_STREQ(escaped("\\x1b"), "\\\\x1b");
}

KTAP_TEST(what_is_no_utf8_is_shown_as_bytes)
{
	EXPECT_STREQ(escaped("\xff"), "\\xff");
	EXPECT_STREQ(escaped("\xc3"), "\\xc3");
	EXPECT_STREQ(escaped("\xc0\x80"), "\\xc0\\x80");		/* overlong */
	EXPECT_STREQ(escaped("\xed\xa0\x80"), "\\xed\\xa0\\x80");	/* surrogate */
	EXPECT_STREQ(escaped("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
	EXPECT_STREQ(escaped("\xe2\x80"), "\\xe2\\x80");
}

KTAP_TEST(bounds_are_kept)
{
	char comm[16], out[8];

	memset(comm, 'x', sizeof(comm));	/* not terminated, like a full comm */
	EXPECT_STREQ(headway_escape(comm, sizeof(comm), out, sizeof(out)), "xxxxxxx");
	/* Never half of an escape or of a character. */
	EXPECT_STREQ(headway_escape("abcde\n", 6, out, sizeof(out)), "abcde");
	EXPECT_STREQ(headway_escape("abcdef\xc3\xa9", 8, out, sizeof(out)), "abcdef");
	EXPECT_STREQ(headway_escape("\n", 1, out, 1), "");
	headway_escape("abc", 3, NULL, 0);
}

/* Any bytes at all: the output has no control character and fits. */
KTAP_TEST(any_bytes)
{
	uint32_t seed = 1;

	for (int round = 0; round < 20000; round++) {
		char in[24], out[40];
		size_t room = 1 + round % sizeof(out);

		for (size_t i = 0; i < sizeof(in); i++) {
			seed = seed * 1664525 + 1013904223;
			in[i] = (char)(seed >> 24);
		}
		headway_escape(in, sizeof(in), out, room);
		EXPECT_LT(strlen(out), room);
		for (const char *c = out; *c; c++)
			if ((unsigned char)*c < 0x20 || *c == 0x7f)
				KTAP_FAIL("control character %d", *c);
	}
}

#define READ HEADWAY_WAIT_OWNER_READ

KTAP_TEST(owners_in_words)
{
	EXPECT_EQ(headway_futex_owner(FUTEX_WAIT, READ, 2, 55), 55u);
	EXPECT_EQ(headway_futex_owner(FUTEX_WAIT, READ, 1, 55), 55u);
	EXPECT_EQ(headway_futex_owner(FUTEX_WAIT_BITSET, READ | HEADWAY_WAIT_TIMEOUT, 2, 55), 55u);
	/* Rust's: locked, but what follows is the data */
	EXPECT_EQ(headway_futex_owner(FUTEX_WAIT_BITSET, READ, 2, 55), 0u);
	EXPECT_EQ(headway_futex_owner(FUTEX_WAIT_BITSET, READ, 1, 55), 0u);
	EXPECT_EQ(headway_futex_owner(FUTEX_LOCK_PI, READ, FUTEX_WAITERS | 77, 0), 77u);
	/* robust: the word and the owner behind it agree */
	EXPECT_EQ(headway_futex_owner(FUTEX_WAIT, READ, FUTEX_WAITERS | 77, 77), 77u);
	EXPECT_EQ(headway_futex_owner(FUTEX_WAIT, READ, FUTEX_WAITERS | 77, 78), 0u);
	EXPECT_EQ(headway_futex_owner(FUTEX_WAIT, READ, 0, 55), 0u);
	EXPECT_EQ(headway_futex_owner(FUTEX_WAIT, READ, 3, 55), 0u);
	EXPECT_EQ(headway_futex_owner(FUTEX_WAIT, 0, 2, 55), 0u);
	EXPECT_EQ(headway_futex_owner(FUTEX_WAIT, READ | HEADWAY_WAIT_VECTOR, 2, 55), 0u);
	EXPECT_EQ(headway_futex_owner(FUTEX_WAKE, READ, 2, 55), 0u);
}

KTAP_TEST(mutex_words_are_remembered_for_a_while)
{
	static struct headway_mutexes m;

	headway_mutexes_note(&m, 2, 0xb000, 10);
	headway_mutexes_note(&m, 1, 0xb000, 20);
	headway_mutexes_note(&m, 1, 0xa000, 30);
	headway_mutexes_note(&m, 1, 0xb000, 40);
	EXPECT_EQ(m.nr, (size_t)3);
	EXPECT_TRUE(headway_mutexes_know(&m, 1, 0xa000));
	EXPECT_TRUE(headway_mutexes_know(&m, 2, 0xb000));
	EXPECT_FALSE(headway_mutexes_know(&m, 2, 0xa000));
	headway_mutexes_forget(&m, 30);
	EXPECT_FALSE(headway_mutexes_know(&m, 2, 0xb000));
	EXPECT_TRUE(headway_mutexes_know(&m, 1, 0xb000));
	/* When it is full, the one not seen for longest goes: that is 0xa000. */
	for (uint64_t i = 0; i < HEADWAY_MUTEXES_MAX - 1; i++)
		headway_mutexes_note(&m, 3, 0x1000 + i, 100 + i);
	EXPECT_EQ(m.nr, (size_t)HEADWAY_MUTEXES_MAX);
	EXPECT_FALSE(headway_mutexes_know(&m, 1, 0xa000));
	EXPECT_TRUE(headway_mutexes_know(&m, 1, 0xb000));
	EXPECT_TRUE(headway_mutexes_know(&m, 3, 0x1000));
}

KTAP_TEST(verdict_names)
{
	enum headway_verdict v;

	for (int i = 0; i < HEADWAY_NR_VERDICTS; i++) {
		const char *name = headway_verdict_name((enum headway_verdict)i);

		EXPECT_EQ(headway_verdict_parse(name, &v), 0);
		EXPECT_EQ((int)v, i);
	}
	EXPECT_EQ(headway_verdict_parse("livelocks", &v), -22);
	EXPECT_EQ(headway_verdict_parse("", &v), -22);
	EXPECT_FALSE(headway_verdict_is_finding(HEADWAY_HEALTHY));
	EXPECT_TRUE(headway_verdict_is_finding(HEADWAY_TRANSIENT));
}

KTAP_TEST(findings_are_bounded)
{
	static struct headway_finding f;

	for (uint32_t i = 0; i < 100; i++) {
		headway_finding_add_actor(&f, i + 1);
		headway_finding_add_lock(&f, i + 1, HEADWAY_KIND_FUTEX, 0);
		headway_finding_evidence(&f, "sentence %u", i);
		headway_finding_advice(&f, "%0400u", i);
	}
	EXPECT_EQ(f.nr_actors, (unsigned int)HEADWAY_FINDING_ACTORS);
	EXPECT_EQ(f.actors_total, 100u);
	EXPECT_EQ(f.nr_locks, (unsigned int)HEADWAY_FINDING_LOCKS);
	EXPECT_EQ(f.nr_evidence, (unsigned int)HEADWAY_FINDING_SENTENCES);
	EXPECT_EQ(strlen(f.advice[0]), (size_t)HEADWAY_SENTENCE_LEN - 1);
	/* The same actor again is the same entry. */
	EXPECT(headway_finding_add_actor(&f, 1) == &f.actors[0]);
	EXPECT_EQ(f.actors_total, 100u);
	/* A lock that turns out to be a mutex, and whose owner becomes known. */
	headway_finding_add_lock(&f, 1, HEADWAY_KIND_PTHREAD_MUTEX, 9);
	EXPECT_EQ(f.locks[0].kind, (uint32_t)HEADWAY_KIND_PTHREAD_MUTEX);
	EXPECT_EQ(f.locks[0].owner_tid, 9u);
}

KTAP_MAIN("escape")

// SPDX-License-Identifier: GPL-2.0
// links: userspace/gosites.c
// libs: -DHEADWAY_HAVE_CAPSTONE -lcapstone
/*
 * gosites_test.c - which instructions are probed, in code as the Go compiler makes it.
 *
 * The bytes are of programs built by Go 1.19 and 1.24; that a probe there tells the truth is tested
 * by the corpus.
 */
#include "ktap.h"

#include "gosites.h"

enum { CODE = 0x401000, MAX_SEEN = 8 };

struct seen {
	int n;
	struct headway_gosite sites[MAX_SEEN];
};

static int see(void *arg, const struct headway_gosite *site)
{
	struct seen *s = arg;

	if (s->n < MAX_SEEN)
		s->sites[s->n++] = *site;
	return 0;
}

static struct seen scan(const uint8_t *code, size_t len, const struct headway_gospan *spans,
			size_t nr)
{
	struct seen s = { 0 };

	EXPECT_EQ(headway_gosites_scan(code, len, CODE, spans, nr, see, &s), 0);
	return s;
}

/* func one(t *T) { t.mu.Lock(); t.n++; t.mu.Unlock() }, from the first use of t. */
static const uint8_t lock_and_unlock[] = {
	0x48, 0x89, 0xc1,			/* 00 mov rcx, rax */
	0x31, 0xc0,				/* 03 xor eax, eax */
	0xba, 0x01, 0x00, 0x00, 0x00,		/* 05 mov edx, 1 */
	0xf0, 0x0f, 0xb1, 0x11,			/* 0a lock cmpxchg [rcx], edx */
	0x0f, 0x94, 0xc2,			/* 0e sete dl */
	0x84, 0xd2,				/* 11 test dl, dl */
	0x75, 0x08,				/* 13 jne 1d */
	0x48, 0x89, 0xc8,			/* 15 mov rax, rcx */
	0xe8, 0x00, 0x00, 0x00, 0x00,		/* 18 call lockSlow */
	0x48, 0xff, 0x41, 0x08,			/* 1d inc qword [rcx + 8] */
	0xbb, 0xff, 0xff, 0xff, 0xff,		/* 21 mov ebx, -1 */
	0xf0, 0x0f, 0xc1, 0x19,			/* 26 lock xadd [rcx], ebx */
	0xff, 0xcb,				/* 2a dec ebx */
	0x85, 0xdb,				/* 2c test ebx, ebx */
	0x74, 0x05,				/* 2e je 35 */
	0xe8, 0x00, 0x00, 0x00, 0x00,		/* 30 call unlockSlow */
	0xc3,					/* 35 ret */
};

static void expect_lock_and_unlock(const struct seen *s)
{
	ASSERT(s->n == 2);
	EXPECT_EQ(s->sites[0].kind, HEADWAY_GO_LOCK_CAS);
	EXPECT_EQ(s->sites[0].addr, (uint64_t)(CODE + 0x13));
	EXPECT_EQ(s->sites[0].base, 1);
	EXPECT_EQ(s->sites[0].disp, 0);
	EXPECT_EQ(s->sites[0].inverted, 1);
	EXPECT_EQ(s->sites[1].kind, HEADWAY_GO_UNLOCK);
	EXPECT_EQ(s->sites[1].addr, (uint64_t)(CODE + 0x2e));
}

KTAP_TEST(inlined_lock_and_unlock_are_found)
{
	static const struct headway_gospan spans[] = {
		{ CODE + 0x03, CODE + 0x1d, HEADWAY_GOCALL_LOCK },
		{ CODE + 0x21, CODE + 0x35, HEADWAY_GOCALL_UNLOCK },
	};
	struct seen s = scan(lock_and_unlock, sizeof(lock_and_unlock), spans, 2);

	expect_lock_and_unlock(&s);
}

/* Where it also finds out that t is nil, it is in the caller's range. */
KTAP_TEST(a_locked_instruction_in_the_callers_range_is_found)
{
	static const struct headway_gospan spans[] = {
		{ CODE + 0x11, CODE + 0x1d, HEADWAY_GOCALL_LOCK },
		{ CODE + 0x2a, CODE + 0x35, HEADWAY_GOCALL_UNLOCK },
	};
	struct seen s = scan(lock_and_unlock, sizeof(lock_and_unlock), spans, 2);

	expect_lock_and_unlock(&s);
}

/* `if atomic.CompareAndSwapInt32(...) { ... }`: the jump is the program's own, too. */
KTAP_TEST(the_programs_own_atomics_are_left_alone)
{
	static const struct headway_gospan spans[] = {
		{ CODE + 0x15, CODE + 0x1d, HEADWAY_GOCALL_LOCK },
		{ CODE + 0x30, CODE + 0x35, HEADWAY_GOCALL_UNLOCK },
	};
	struct seen s = scan(lock_and_unlock, sizeof(lock_and_unlock), spans, 2);

	EXPECT_EQ(s.n, 0);
}

/* atomic.CompareAndSwapInt32(b, 0, 1), whatever comes of it, and then m.Lock(). */
KTAP_TEST(an_outcome_belongs_to_the_last_locked_instruction)
{
	static const uint8_t code[] = {
		0xf0, 0x0f, 0xb1, 0x13,			/* 00 lock cmpxchg [rbx], edx */
		0x31, 0xc0,				/* 04 xor eax, eax */
		0xf0, 0x0f, 0xb1, 0x11,			/* 06 lock cmpxchg [rcx], edx */
		0x0f, 0x94, 0xc2,			/* 0a sete dl */
		0x84, 0xd2,				/* 0d test dl, dl */
		0x75, 0x00,				/* 0f jne 11 */
		0xc3,					/* 11 ret */
	};
	static const struct headway_gospan span = { CODE + 0x0d, CODE + 0x11, HEADWAY_GOCALL_LOCK };
	struct seen s = scan(code, sizeof(code), &span, 1);

	ASSERT(s.n == 1);
	EXPECT_EQ(s.sites[0].addr, (uint64_t)(CODE + 0x0f));
	EXPECT_EQ(s.sites[0].base, 1);
}

KTAP_MAIN("gosites")

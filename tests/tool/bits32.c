// SPDX-License-Identifier: GPL-2.0
/*
 * bits32.c - a 32-bit program that waits for a futex again and again, in vain, without any library:
 * a livelock to who can see its calls, a storm to who takes them for others. Ends by itself after
 * two minutes or so.
 */
enum {
	NR_EXIT = 1,
	NR_GETEGID32 = 202,		/* futex() in a 64-bit program */
	NR_FUTEX = 240,
	FUTEX_WAIT_PRIVATE = 128,
	WAITS = 120000,
};

static int word;
static const int a_millisecond[2] = { 0, 1000000 };

static int call(int nr, const void *a, int b, int c, const void *d)
{
	int result;

	__asm__ volatile("int $0x80" : "=a"(result)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d) : "memory");
	return result;
}

void _start(void);

void _start(void)
{
	for (int i = 0; i < WAITS; i++) {
		for (int k = 0; k < 10; k++)
			call(NR_GETEGID32, &word, FUTEX_WAIT_PRIVATE, 0, a_millisecond);
		call(NR_FUTEX, &word, FUTEX_WAIT_PRIVATE, 0, a_millisecond);
	}
	call(NR_EXIT, (void *)0, 0, 0, (void *)0);
}

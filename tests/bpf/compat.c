// SPDX-License-Identifier: GPL-2.0
/*
 * System calls of the 32-bit table, whose numbers are in the 64-bit one those of futex,
 * sched_yield, nanosleep and clock_nanosleep; and 64-bit yields, which alone may be counted.
 *
 * Usage: compat CALLS YIELDS. Exit status 77: this kernel has no 32-bit system calls.
 */
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void refused(int signal)
{
	_exit(signal == SIGSEGV ? 77 : 1);
}

/* getegid32, getuid16, ftime (which is gone) and lgetxattr of nothing: all do nothing. */
static void call(long nr)
{
	__asm__ volatile("int $0x80" : "+a"(nr) : "b"(0), "c"(0), "d"(0)
			 : "memory", "r8", "r9", "r10", "r11");
}

int main(int argc, char **argv)
{
	static const long numbers[] = { 202, 24, 35, 230 };
	int calls = argc == 3 ? atoi(argv[1]) : 0, yields = argc == 3 ? atoi(argv[2]) : 0;

	signal(SIGSEGV, refused);
	for (int i = 0; i < calls; i++)
		for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++)
			call(numbers[k]);
	for (int i = 0; i < yields; i++)
		sched_yield();
	return 0;
}

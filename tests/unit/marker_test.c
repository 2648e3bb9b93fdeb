// SPDX-License-Identifier: GPL-2.0
// links: userspace/marker.c
/*
 * marker_test.c - the SPEC of --progress and --attempt: what is taken, what is refused and what is
 * then advised.
 */
#include "ktap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "marker.h"

static struct headway_marker_spec spec;
static char why[1024];

static int parse(const char *text)
{
	why[0] = '\0';
	return headway_marker_parse(text, HEADWAY_MARKER_PROGRESS, &spec, why, sizeof(why));
}

KTAP_TEST(uprobe)
{
	ASSERT(!parse("uprobe:/bin/x:commit"));
	EXPECT_EQ((int)spec.kind, HEADWAY_MARKER_UPROBE);
	EXPECT_EQ((int)spec.role, HEADWAY_MARKER_PROGRESS);
	EXPECT_STREQ(spec.path, "/bin/x");
	EXPECT_STREQ(spec.name, "commit");
	EXPECT_EQ(spec.offset, 0u);
	EXPECT_STREQ(spec.text, "uprobe:/bin/x:commit");

	ASSERT(!parse("uprobe::commit+0x1f"));
	EXPECT_STREQ(spec.path, "");
	EXPECT_STREQ(spec.name, "commit");
	EXPECT_EQ(spec.offset, 0x1fu);

	ASSERT(!parse("uprobe:libx.so:commit+12"));
	EXPECT_EQ(spec.offset, 12u);
}

/* Names of other languages have colons, stars and plus signs. */
KTAP_TEST(uprobe_names)
{
	ASSERT(!parse("uprobe::main.(*Pool).Run"));
	EXPECT_STREQ(spec.name, "main.(*Pool).Run");
	ASSERT(!parse("uprobe::core::ptr::drop"));
	EXPECT_STREQ(spec.name, "core::ptr::drop");
	ASSERT(!parse("uprobe::operator+"));
	EXPECT_STREQ(spec.name, "operator+");
	EXPECT_EQ(spec.offset, 0u);
	ASSERT(!parse("uprobe::f+1x"));
	EXPECT_STREQ(spec.name, "f+1x");
}

KTAP_TEST(usdt)
{
	ASSERT(!parse("usdt:/lib/libc.so.6:libc:setjmp"));
	EXPECT_EQ((int)spec.kind, HEADWAY_MARKER_USDT);
	EXPECT_STREQ(spec.path, "/lib/libc.so.6");
	EXPECT_STREQ(spec.group, "libc");
	EXPECT_STREQ(spec.name, "setjmp");
	ASSERT(!parse("usdt::postgresql:transaction__commit"));
	EXPECT_STREQ(spec.path, "");
	EXPECT_STREQ(spec.name, "transaction__commit");
}

KTAP_TEST(syscall_names)
{
	ASSERT(!parse("syscall:write"));
	EXPECT_EQ((int)spec.kind, HEADWAY_MARKER_SYSCALL);
	EXPECT_EQ(spec.syscall_nr, SYS_write);
	EXPECT_EQ(headway_marker_syscall("read"), SYS_read);
	EXPECT_EQ(headway_marker_syscall("futex"), SYS_futex);
	EXPECT_EQ(headway_marker_syscall("clock_nanosleep"), SYS_clock_nanosleep);
	EXPECT_EQ(headway_marker_syscall(""), -1);
	EXPECT_EQ(headway_marker_syscall("Write"), -1);
}

KTAP_TEST(tracepoint)
{
	ASSERT(!parse("tracepoint:block:block_rq_complete"));
	EXPECT_EQ((int)spec.kind, HEADWAY_MARKER_TRACEPOINT);
	EXPECT_STREQ(spec.group, "block");
	EXPECT_STREQ(spec.name, "block_rq_complete");
}

KTAP_TEST(refused)
{
	static const char *const bad[] = {
		"", "x", ":", "uprobe", "uprobe:", "uprobe:x", "uprobe::", "uprobe:/bin/x:", "usdt::x",
		"usdt:::x", "usdt::p:", "usdt:/x:p:n:more", "syscall:", "syscall:no_such_call",
		"tracepoint:x", "tracepoint::x", "tracepoint:x:", "tracepoint:../..:x",
		"tracepoint:x:../y", "Uprobe::f", "kprobe:vfs_read", " uprobe::f",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (!parse(bad[i]))
			KTAP_FAIL("'%s' was taken", bad[i]);
		if (!strstr(why, bad[i]))
			KTAP_FAIL("the sentence about '%s' does not name it: %s", bad[i], why);
		if (!strstr(why, "write uprobe:") && !strstr(why, "no system call"))
			KTAP_FAIL("'%s': what to do is not said: %s", bad[i], why);
	}
}

KTAP_TEST(too_long)
{
	char text[HEADWAY_MARKER_NAME_LEN + 1];

	memset(text, 'a', sizeof(text));
	memcpy(text, "uprobe::", 8);
	text[HEADWAY_MARKER_NAME_LEN] = '\0';
	EXPECT(parse(text));
	EXPECT(strstr(why, "longer than 127"));
	text[HEADWAY_MARKER_NAME_LEN - 1] = '\0';
	EXPECT(!parse(text));
}

KTAP_TEST(near_system_calls)
{
	EXPECT(parse("syscall:wrrite"));
	EXPECT(strstr(why, "write"));
	EXPECT(parse("syscall:clock_nanoslep"));
	EXPECT(strstr(why, "did you mean clock_nanosleep"));
	EXPECT(parse("syscall:qqqqqqqqqqq"));
	EXPECT_FALSE(strstr(why, "did you mean"));
}

KTAP_TEST(near_names)
{
	struct headway_near near = { .wanted = "commit" };
	char text[256];

	headway_near_say(&near, text, sizeof(text));
	EXPECT_STREQ(text, "");
	headway_near_offer(&near, "unrelated");
	headway_near_offer(&near, "_ZN4Pool6commitEv");
	headway_near_offer(&near, "commi");
	headway_near_offer(&near, "commi");
	headway_near_offer(&near, "commit_all");
	headway_near_offer(&near, "do_commit_it_all_and_more");
	EXPECT_EQ(near.nr, 3u);
	headway_near_say(&near, text, sizeof(text));
	EXPECT_STREQ(text, "; did you mean commi, commit_all or _ZN4Pool6commitEv?");
}

/* Nothing may be written beyond the end, whatever comes. */
KTAP_TEST(random_text)
{
	static const char letters[] = ":::+uprobesdtsyscalltracepoint/.0x9";
	char text[160];

	srand(4);
	for (int round = 0; round < 100000; round++) {
		size_t len = (size_t)rand() % sizeof(text);

		for (size_t i = 0; i < len; i++)
			text[i] = letters[(size_t)rand() % (sizeof(letters) - 1)];
		text[len ? len - 1 : 0] = '\0';
		if (round % 2 && len > 20)
			memcpy(text, round % 4 == 1 ? "uprobe:" : "usdt:::", 7);
		if (parse(text) && !why[0])
			KTAP_FAIL("'%s' was refused without a reason", text);
	}
}

KTAP_MAIN("marker")

// SPDX-License-Identifier: GPL-2.0
// links: userspace/perfmap.c
/*
 * perfmap_test.c - names of compiled code, and lines that are none.
 */
#include "ktap.h"

#include "perfmap.h"

static struct headway_perfmap *parse(const char *lines)
{
	char *text = strdup(lines);

	if (!text)
		abort();
	return headway_perfmap_parse(text, strlen(lines));
}

static void expect_at(const struct headway_perfmap *m, uint64_t addr, const char *name,
		      uint64_t offset)
{
	uint64_t at = 0;
	const char *got = headway_perfmap_at(m, addr, &at);

	EXPECT_STREQ(got ? got : "none", name);
	EXPECT_EQ(at, offset);
}

KTAP_TEST(names_with_spaces_in_any_order)
{
	struct headway_perfmap *m = parse("7f0000002000 40 void Bank.transfer(int, int)\n"
					  "0x7f0000001000 20 Interpreter\n"
					  "7f0000003000 10 last");

	ASSERT(m != NULL);
	expect_at(m, 0x7f0000001000, "Interpreter", 0);
	expect_at(m, 0x7f000000101f, "Interpreter", 0x1f);
	expect_at(m, 0x7f0000001020, "none", 0);
	expect_at(m, 0x7f0000002011, "void Bank.transfer(int, int)", 0x11);
	expect_at(m, 0x7f000000300f, "last", 0xf);
	expect_at(m, 0x7f0000000fff, "none", 0);
	headway_perfmap_free(m);
}

KTAP_TEST(the_later_line_counts)
{
	struct headway_perfmap *m = parse("1000 10 old\n1000 20 new\n");

	ASSERT(m != NULL);
	expect_at(m, 0x1004, "new", 4);
	headway_perfmap_free(m);
}

KTAP_TEST(other_lines_are_left_out)
{
	struct headway_perfmap *m = parse("\nhello\n1000\n1000 10\n1000 10 \n1000 0 empty\n"
					  "ffffffffffffffff 10 wraps\n2000 10 good\n3000  x y\n");

	ASSERT(m != NULL);
	expect_at(m, 0x1004, "none", 0);
	expect_at(m, 0xffffffffffffffff, "none", 0);
	expect_at(m, 0x2004, "good", 4);
	headway_perfmap_free(m);
	m = parse("");
	ASSERT(m != NULL);
	expect_at(m, 0, "none", 0);
	headway_perfmap_free(m);
	expect_at(NULL, 0x1000, "none", 0);
}

/* Whatever is in it, and however it ends. */
KTAP_TEST(garbage_names_nothing_outside_of_the_text)
{
	static const char alphabet[] = "0123456789abcdefx- \n\n\t\0\xff";
	uint64_t offset, seed = 1;

	for (int round = 0; round < 2000; round++) {
		size_t len = (size_t)(round % 97);
		char *text = malloc(len + 1);
		struct headway_perfmap *m;

		ASSERT(text != NULL);
		for (size_t i = 0; i < len; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			text[i] = alphabet[(seed >> 33) % (sizeof(alphabet) - 1)];
		}
		m = headway_perfmap_parse(text, len);
		ASSERT(m != NULL);
		for (uint64_t addr = 0; addr < 512; addr++) {
			const char *name = headway_perfmap_at(m, addr, &offset);

			EXPECT(!name || strlen(name) < len);
		}
		headway_perfmap_free(m);
	}
}

/* Memory is bounded: a file of nothing but short lines. */
KTAP_TEST(the_first_names_only)
{
	size_t lines = HEADWAY_PERFMAP_NAMES + 10, len = 0;
	char *text = malloc(lines * 16 + 1);
	struct headway_perfmap *m;
	char last[16];

	ASSERT(text != NULL);
	for (size_t i = 0; i < lines; i++)
		len += (size_t)sprintf(text + len, "%zx 1 n%zu\n", i + 1, i);
	m = headway_perfmap_parse(text, len);
	ASSERT(m != NULL);
	snprintf(last, sizeof(last), "n%d", HEADWAY_PERFMAP_NAMES - 1);
	expect_at(m, HEADWAY_PERFMAP_NAMES, last, 0);
	expect_at(m, HEADWAY_PERFMAP_NAMES + 1, "none", 0);
	headway_perfmap_free(m);
}

KTAP_MAIN("perfmap")

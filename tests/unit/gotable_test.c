// SPDX-License-Identifier: GPL-2.0
// links: userspace/gotable.c
/*
 * gotable_test.c - Go's table of functions: read as it is, cut off anywhere, damaged anywhere.
 *
 * The table is made here, by the layout of Go 1.20; real ones are read in tests/bpf.
 */
#include "ktap.h"

#include <errno.h>

#include "gotable.h"

enum {
	TEXT = 0x401000,
	NAMES = 0x48, VALUES = 0x80, FUNCS = 0x90,
	FIRST = 0x20, SECOND = 0x60, LAST = 0x70,	/* offsets in the text */
	RECORD = 0x20,					/* in FUNCS; the other one follows */
	TABLE = FUNCS + 0x120,
	TREE = 4,					/* in the other data */
};

struct world {
	uint8_t table[TABLE];
	uint8_t data[64];
	struct headway_gotable t;
};

static void put(uint8_t *at, uint64_t value, int n)
{
	for (int i = 0; i < n; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

/* main.a, with main.b inlined at 0x10 to 0x18, and main.b. */
static void make(struct world *w)
{
	uint8_t *funcs = w->table + FUNCS, *record = funcs + RECORD;
	static const char names[] = "\0main.a\0main.b";
	/* (change, length): no call for 0x10, number 0 for 8, no call for 0x28, the end. */
	static const uint8_t values[] = { 0, 0x00, 0x10, 0x02, 0x08, 0x01, 0x28, 0x00 };

	memset(w, 0, sizeof(*w));
	put(w->table, 0xfffffff1, 4);
	w->table[6] = 1;
	w->table[7] = 8;
	put(w->table + 8, 2, 8);
	put(w->table + 24, TEXT, 8);
	put(w->table + 32, NAMES, 8);
	put(w->table + 56, VALUES, 8);
	put(w->table + 64, FUNCS, 8);
	memcpy(w->table + NAMES, names, sizeof(names));
	memcpy(w->table + VALUES, values, sizeof(values));
	put(funcs, FIRST, 4);
	put(funcs + 4, RECORD, 4);
	put(funcs + 8, SECOND, 4);
	put(funcs + 12, RECORD + 0x60, 4);
	put(funcs + 16, LAST, 4);
	put(record + 4, 1, 4);			/* name */
	put(record + 28, 3, 4);			/* tables by address */
	record[43] = 4;				/* other data */
	put(record + 44 + 4 * 2, 1, 4);		/* of inline numbers */
	put(record + 44 + 4 * (3 + 3), TREE, 4);
	put(record + 0x60 + 4, 8, 4);
	put(w->data + TREE + 4, 8, 4);		/* name of what was inlined: main.b */
}

static int open_world(struct world *w, size_t len)
{
	int err = headway_gotable_open(&w->t, w->table, len);

	w->t.data = (struct headway_gobytes){ w->data, sizeof(w->data) };
	return err;
}

struct seen {
	int n;
	struct headway_goinline last;
};

static int see(void *arg, const struct headway_goinline *in)
{
	struct seen *s = arg;

	s->n++;
	s->last = *in;
	return strlen(in->name) > 1000;
}

/* Everything there is to ask; only what the sanitizers say matters. */
static void use(struct world *w)
{
	struct headway_gofunc f;
	struct seen s = { 0 };

	for (uint32_t i = 0; i < w->t.nr && i < 1000; i++)
		if (!headway_gotable_func(&w->t, i, &f))
			headway_gotable_inlines(&w->t, &f, see, &s);
	headway_gotable_at(&w->t, TEXT + FIRST, &f);
	headway_gotable_at(&w->t, TEXT + SECOND, &f);
	headway_gotable_at(&w->t, ~0ull, &f);
}

KTAP_TEST(functions_are_found_by_number_and_by_address)
{
	struct headway_gofunc f;
	struct world w;

	make(&w);
	ASSERT(!open_world(&w, TABLE));
	EXPECT_EQ(w.t.nr, 2u);
	ASSERT(!headway_gotable_func(&w.t, 0, &f));
	EXPECT_STREQ(f.name, "main.a");
	EXPECT_EQ(f.start, (uint64_t)(TEXT + FIRST));
	EXPECT_EQ(f.end, (uint64_t)(TEXT + SECOND));
	EXPECT_EQ(headway_gotable_func(&w.t, 2, &f), -ENOENT);
	ASSERT(!headway_gotable_at(&w.t, TEXT + SECOND + 3, &f));
	EXPECT_STREQ(f.name, "main.b");
	EXPECT_EQ(headway_gotable_at(&w.t, TEXT + FIRST - 1, &f), -ENOENT);
	EXPECT_EQ(headway_gotable_at(&w.t, TEXT + LAST, &f), -ENOENT);
}

KTAP_TEST(an_inlined_call_has_its_range)
{
	struct headway_gofunc f;
	struct seen s = { 0 };
	struct world w;

	make(&w);
	ASSERT(!open_world(&w, TABLE));
	ASSERT(!headway_gotable_func(&w.t, 0, &f));
	ASSERT(!headway_gotable_inlines(&w.t, &f, see, &s));
	ASSERT(s.n == 1);
	EXPECT_STREQ(s.last.name, "main.b");
	EXPECT_EQ(s.last.start, (uint64_t)(TEXT + FIRST + 0x10));
	EXPECT_EQ(s.last.end, (uint64_t)(TEXT + FIRST + 0x18));
	/* main.b has no such table. */
	ASSERT(!headway_gotable_func(&w.t, 1, &f));
	EXPECT_EQ(headway_gotable_inlines(&w.t, &f, see, &s), 0);
	EXPECT_EQ(s.n, 1);
}

KTAP_TEST(other_versions_and_other_data_are_refused)
{
	struct world w;

	make(&w);
	put(w.table, 0xfffffffa, 4);	/* Go 1.16 */
	EXPECT_EQ(open_world(&w, TABLE), -EOPNOTSUPP);
	make(&w);
	w.table[7] = 4;
	EXPECT_EQ(open_world(&w, TABLE), -EOPNOTSUPP);
	make(&w);
	memcpy(w.table, "\177ELF", 4);
	EXPECT_EQ(open_world(&w, TABLE), -EINVAL);
	make(&w);
	put(w.table + 8, 1ull << 40, 8);	/* more functions than there is room for */
	EXPECT_EQ(open_world(&w, TABLE), -EINVAL);
	make(&w);
	put(w.table + 64, ~0ull - 4, 8);
	EXPECT_EQ(open_world(&w, TABLE), -EINVAL);
	EXPECT_EQ(headway_gotable_open(&w.t, NULL, 0), -EINVAL);
}

/* On the heap, so that the sanitizer sees the first byte behind the end. */
KTAP_TEST(cut_off_anywhere_it_is_an_error_and_no_access)
{
	struct world w;

	make(&w);
	for (size_t len = 1; len < TABLE; len++) {
		uint8_t *cut = malloc(len);

		ASSERT(cut != NULL);
		memcpy(cut, w.table, len);
		if (!headway_gotable_open(&w.t, cut, len)) {
			w.t.data = (struct headway_gobytes){ w.data, sizeof(w.data) };
			use(&w);
		} else {
			EXPECT_EQ(len < FUNCS + 20, 1);
		}
		free(cut);
	}
}

KTAP_TEST(damaged_anywhere_it_is_never_an_access)
{
	static const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff };
	struct world *w = malloc(sizeof(*w));

	ASSERT(w != NULL);
	for (size_t at = 0; at < TABLE + sizeof(w->data); at++) {
		for (size_t k = 0; k < sizeof(values); k++) {
			make(w);
			if (at < TABLE)
				w->table[at] = values[k];
			else
				w->data[at - TABLE] = values[k];
			if (!open_world(w, TABLE))
				use(w);
		}
	}
	free(w);
}

KTAP_MAIN("gotable")

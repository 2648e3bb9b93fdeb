// SPDX-License-Identifier: GPL-2.0
/*
 * top_test.c - what `headway top` shows, without a terminal: the table, its columns, pages, and who
 * waits for whom.
 */
// links: userspace/top_model.c userspace/top_columns.c userspace/top_page.c userspace/top_waits.c
// links: userspace/finding.c userspace/table.c userspace/histogram.c userspace/logfmt.c
#include "ktap.h"
#include "top_columns.h"
#include "top_model.h"
#include "top_page.h"

static struct headway_top_row process(uint32_t pid, const char *name, enum headway_verdict verdict)
{
	struct headway_top_row row = {
		.source = HEADWAY_TOP_PROCESS, .pid = pid, .verdict = verdict, .judged = true,
	};

	snprintf(row.name, sizeof(row.name), "%s", name);
	return row;
}

/* A look that saw these, ended by one of pid 0. */
static void look(struct headway_top_model *m, const struct headway_top_row *rows)
{
	headway_top_begin(m);
	for (; rows->pid; rows++)
		EXPECT_EQ(headway_top_add(m, rows), 0);
	EXPECT_EQ(headway_top_commit(m), 0);
}

#define LOOK(m, ...) look(m, (struct headway_top_row[]){ __VA_ARGS__, { .pid = 0 } })
#define CALM(pid) process(pid, "calm", HEADWAY_HEALTHY)
#define STUCK(pid) process(pid, "stuck", HEADWAY_LIVELOCK)
#define IDLE(pid) process(pid, "lazy", HEADWAY_IDLE)

static int pid_at(const struct headway_top_model *m, size_t place)
{
	const struct headway_top_row *row = headway_top_row_at(m, place);

	return row ? (int)row->pid : -1;
}

static int selected_pid(const struct headway_top_model *m)
{
	return pid_at(m, m->selected);
}

KTAP_TEST(the_worst_comes_first)
{
	struct headway_top_row unjudged = process(4, "new", HEADWAY_DEADLOCK);
	struct headway_top_model m;

	unjudged.judged = false;
	headway_top_model_init(&m);
	LOOK(&m, IDLE(1), STUCK(2), CALM(3), unjudged);
	EXPECT_EQ(pid_at(&m, 0), 2);
	EXPECT_EQ(pid_at(&m, 1), 3);
	EXPECT_EQ(pid_at(&m, 2), 1);
	/* What was not judged is not the worst, whatever stands there. */
	EXPECT_EQ(pid_at(&m, 3), 4);
	EXPECT_EQ(pid_at(&m, 4), -1);
	headway_top_model_free(&m);
}

KTAP_TEST(sorts_by_any_column_and_back)
{
	struct headway_top_row slow = CALM(1), fast = CALM(2);
	struct headway_top_model m;

	headway_top_model_init(&m);
	slow.attempts_per_s = 1;
	fast.attempts_per_s = 9;
	LOOK(&m, slow, fast, STUCK(3));
	EXPECT_EQ(headway_top_sort(&m, HEADWAY_TOP_BY_ATTEMPTS), 0);
	EXPECT_EQ(pid_at(&m, 0), 2);
	EXPECT_EQ(headway_top_reverse(&m), 0);
	EXPECT_EQ(pid_at(&m, 0), 3);
	EXPECT_EQ(headway_top_sort(&m, HEADWAY_TOP_BY_NAME), 0);
	EXPECT_EQ(pid_at(&m, 2), 3);
	/* The same once more is the other way round. */
	EXPECT_EQ(headway_top_sort(&m, HEADWAY_TOP_BY_NAME), 0);
	EXPECT_EQ(pid_at(&m, 0), 3);
	/* There is nothing beyond the ends. */
	for (int i = 0; i < 20; i++)
		EXPECT_EQ(headway_top_sort_next(&m, 1), 0);
	EXPECT(m.sort == HEADWAY_TOP_BY_CPU);
	for (int i = 0; i < 20; i++)
		EXPECT_EQ(headway_top_sort_next(&m, -1), 0);
	EXPECT(m.sort == HEADWAY_TOP_BY_SOURCE);
	headway_top_model_free(&m);
}

KTAP_TEST(the_selection_stays_with_its_row)
{
	struct headway_top_model m;

	headway_top_model_init(&m);
	LOOK(&m, CALM(1), CALM(2), CALM(3));
	headway_top_move(&m, 1);
	EXPECT_EQ(selected_pid(&m), 2);
	LOOK(&m, CALM(1), CALM(2), STUCK(3));
	EXPECT_EQ(pid_at(&m, 0), 3);
	EXPECT_EQ(selected_pid(&m), 2);
	/* Gone: what is in its place. */
	LOOK(&m, CALM(1), STUCK(3));
	EXPECT_EQ(selected_pid(&m), 1);
	headway_top_move(&m, 100);
	EXPECT_EQ(selected_pid(&m), 1);
	headway_top_move(&m, -100);
	EXPECT_EQ(selected_pid(&m), 3);
	/* At the top one sees whoever is the worst. */
	LOOK(&m, process(9, "worse", HEADWAY_DEADLOCK), STUCK(3));
	EXPECT_EQ(selected_pid(&m), 9);
	headway_top_begin(&m);
	EXPECT_EQ(headway_top_commit(&m), 0);
	EXPECT(!headway_top_selected(&m));
	headway_top_move(&m, 1);
	EXPECT(!headway_top_search(&m, "x", 1));
	headway_top_model_free(&m);
}

KTAP_TEST(filters_by_any_word_and_hides_the_idle)
{
	struct headway_top_model m;

	headway_top_model_init(&m);
	LOOK(&m, CALM(17), STUCK(25), IDLE(38));
	EXPECT_EQ(headway_top_filter(&m, "StUcK"), 0);
	EXPECT_EQ((int)m.nr_order, 1);
	EXPECT_EQ(pid_at(&m, 0), 25);
	EXPECT_EQ(headway_top_filter(&m, "17"), 0);
	EXPECT_EQ(pid_at(&m, 0), 17);
	EXPECT_EQ(headway_top_filter(&m, "livelock"), 0);
	EXPECT_EQ(pid_at(&m, 0), 25);
	EXPECT_EQ(headway_top_filter(&m, "domain"), 0);
	EXPECT_EQ((int)m.nr_order, 0);
	EXPECT_EQ(headway_top_filter(&m, ""), 0);
	EXPECT_EQ(headway_top_hide_idle(&m, true), 0);
	EXPECT_EQ((int)m.nr_order, 2);
	headway_top_model_free(&m);
}

KTAP_TEST(searches_round_the_end)
{
	struct headway_top_model m;

	headway_top_model_init(&m);
	LOOK(&m, process(1, "ab", HEADWAY_IDLE), process(2, "b", HEADWAY_IDLE),
	     process(3, "a", HEADWAY_IDLE));
	EXPECT(headway_top_search(&m, "a", 1));
	EXPECT_EQ(selected_pid(&m), 3);
	EXPECT(headway_top_search(&m, m.search, 1));
	EXPECT_EQ(selected_pid(&m), 1);
	EXPECT(headway_top_search(&m, m.search, -1));
	EXPECT_EQ(selected_pid(&m), 3);
	EXPECT(!headway_top_search(&m, "none", 1));
	EXPECT_EQ(selected_pid(&m), 3);
	headway_top_model_free(&m);
}

KTAP_TEST(a_pause_leaves_no_gap)
{
	const struct headway_top_row *row;
	struct headway_top_model m;

	headway_top_model_init(&m);
	LOOK(&m, CALM(1));
	EXPECT_EQ(headway_top_pause(&m, true), 0);
	LOOK(&m, STUCK(1), STUCK(2));
	EXPECT_EQ((int)m.nr_order, 1);
	EXPECT(headway_top_selected(&m)->verdict == HEADWAY_HEALTHY);
	EXPECT_EQ(headway_top_pause(&m, false), 0);
	EXPECT_EQ((int)m.nr_order, 2);
	row = headway_top_find(&m, &(struct headway_top_row){ .source = HEADWAY_TOP_PROCESS,
							      .pid = 1 });
	ASSERT(row);
	EXPECT_EQ((int)headway_top_history(row, 0), (int)HEADWAY_LIVELOCK);
	EXPECT_EQ((int)headway_top_history(row, 1), (int)HEADWAY_HEALTHY);
	EXPECT_EQ((int)headway_top_history(row, 2), (int)HEADWAY_TOP_NOT_JUDGED);
	headway_top_model_free(&m);
}

KTAP_TEST(a_history_has_an_end)
{
	struct headway_top_model m;

	headway_top_model_init(&m);
	for (int i = 0; i < HEADWAY_TOP_HISTORY + 5; i++)
		LOOK(&m, process(1, "x", i < 5 ? HEADWAY_DEADLOCK : HEADWAY_IDLE));
	EXPECT_EQ((int)headway_top_history(&m.live.rows[0], HEADWAY_TOP_HISTORY - 1),
		  (int)HEADWAY_IDLE);
	EXPECT_EQ((int)headway_top_history(&m.live.rows[0], HEADWAY_TOP_HISTORY),
		  (int)HEADWAY_TOP_NOT_JUDGED);
	headway_top_model_free(&m);
}

KTAP_TEST(the_selected_row_is_on_the_screen)
{
	struct headway_top_model m;

	headway_top_model_init(&m);
	headway_top_begin(&m);
	for (uint32_t i = 1; i <= 100; i++) {
		struct headway_top_row row = CALM(i);

		EXPECT_EQ(headway_top_add(&m, &row), 0);
	}
	EXPECT_EQ(headway_top_commit(&m), 0);
	headway_top_move(&m, 50);
	headway_top_scroll(&m, 10);
	EXPECT_EQ((int)m.first, 41);
	headway_top_move(&m, -20);
	headway_top_scroll(&m, 10);
	EXPECT_EQ((int)m.first, 30);
	headway_top_scroll(&m, 200);
	EXPECT_EQ((int)m.first, 0);
	headway_top_scroll(&m, 0);
	headway_top_model_free(&m);
}

KTAP_TEST(columns_fit_any_terminal)
{
	struct headway_top_layout l;

	for (int width = 1; width < 300; width++) {
		headway_top_layout(&l, width);
		for (int c = 0; c < HEADWAY_TOP_NR_COLUMNS && width >= 20; c++)
			EXPECT(l.at[c].width >= 0 && l.at[c].x + l.at[c].width <= width + 1);
		EXPECT(l.at[HEADWAY_TOP_BY_NAME].width > 0);
	}
	headway_top_layout(&l, 40);
	EXPECT(l.at[HEADWAY_TOP_BY_PID].width && l.at[HEADWAY_TOP_BY_VERDICT].width);
	EXPECT(!l.at[HEADWAY_TOP_BY_FAILED].width);
	headway_top_layout(&l, 80);
	EXPECT(l.at[HEADWAY_TOP_BY_FAILED].width && l.at[HEADWAY_TOP_BY_WAITING].width);
	headway_top_layout(&l, 160);
	EXPECT(l.at[HEADWAY_TOP_BY_CPU].width && l.at[HEADWAY_TOP_BY_HISTORY].width > 20);
}

static const char *number(double value)
{
	static char text[16];

	headway_top_number(value, text, sizeof(text));
	return text;
}

KTAP_TEST(numbers_are_short)
{
	EXPECT_STREQ(number(0), "0");
	EXPECT_STREQ(number(0.01), "<0.1");
	EXPECT_STREQ(number(1.26), "1.3");
	EXPECT_STREQ(number(9.96), "10");
	EXPECT_STREQ(number(99999), "99999");
	EXPECT_STREQ(number(123456), "123k");
	EXPECT_STREQ(number(999600), "1M");
	EXPECT_STREQ(number(1e30), "9999P");
}

/* --- pages ------------------------------------------------------------------------------------ */

static const char *name_of(void *ctx, uint32_t node, char *out, size_t len)
{
	(void)ctx;
	snprintf(out, len, "t%u", node);
	return out;
}

static void expect_waits(const struct headway_top_wait *waits, size_t nr, const char *want)
{
	struct headway_top_page p = { 0 };
	char got[4096] = "";

	headway_top_waits(&p, waits, nr, name_of, NULL);
	for (size_t i = 0; i < p.nr; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s\n", p.lines[i].text);
	EXPECT_STREQ(got, want);
	EXPECT(!p.failed);
	headway_top_page_free(&p);
}

KTAP_TEST(a_cycle_is_closed_once)
{
	const struct headway_top_wait waits[] = { { 1, 2, "tries b" }, { 2, 1, "tries a" } };

	expect_waits(waits, 2,
		     "  t2\n"
		     "  `- t1 tries b\n"
		     "     `- t2 tries a  <- closes the cycle\n");
}

KTAP_TEST(who_waits_stands_below_who_holds)
{
	const struct headway_top_wait waits[] = {
		{ 2, 1, "sleeps on a" }, { 3, 1, "sleeps on a" }, { 4, 2, "sleeps on b" },
	};

	expect_waits(waits, 3,
		     "  t1\n"
		     "  |- t2 sleeps on a\n"
		     "  |  `- t4 sleeps on b\n"
		     "  `- t3 sleeps on a\n");
}

KTAP_TEST(one_may_wait_for_itself)
{
	const struct headway_top_wait waits[] = { { 1, 1, "sleeps on a" } };

	expect_waits(waits, 1, "  t1\n  `- t1 sleeps on a  <- closes the cycle\n");
}

KTAP_TEST(long_chains_and_crowds_end)
{
	struct headway_top_wait waits[100] = { 0 };
	struct headway_top_page p = { .utf8 = true };

	for (uint32_t i = 0; i < 100; i++)
		waits[i] = (struct headway_top_wait){ i + 1, i, "w" };
	headway_top_waits(&p, waits, 100, name_of, NULL);
	EXPECT(p.nr > 20 && p.nr < 130);
	headway_top_page_free(&p);
	for (uint32_t i = 0; i < 100; i++)
		waits[i].holder = 1000;
	p = (struct headway_top_page){ 0 };
	headway_top_waits(&p, waits, 100, name_of, NULL);
	EXPECT_EQ((int)p.nr, 18);
	EXPECT_STREQ(p.lines[17].text, "  ... and 84 more");
	headway_top_page_free(&p);
}

KTAP_TEST(histograms_are_bars)
{
	uint64_t buckets[32] = { [10] = 10, [12] = 40, [20] = 0 };
	struct headway_top_page p = { 0 };

	headway_top_histogram(&p, buckets, 32);
	EXPECT_EQ((int)p.nr, 3);
	EXPECT_STREQ(p.lines[0].text, "      1 us to 2 us             10  ##########");
	EXPECT_STREQ(p.lines[1].text, "      2 us to 4 us              0  ");
	headway_top_page_clear(&p);
	headway_top_histogram(&p, (uint64_t[4]) { 0 }, 4);
	EXPECT_EQ((int)p.nr, 0);
	headway_top_page_free(&p);
}

KTAP_TEST(long_sentences_go_on_below)
{
	struct headway_top_page p = { .width = 40 };

	headway_top_text(&p, "Short\n"
			     "    - take a and b in one order everywhere: it helps\n"
			     "  a_word_that_is_longer_than_the_line_is_cut_in_two\n"
			     "  \u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4 counts as eight columns of it all\n\n");
	ASSERT(p.nr == 8);
	EXPECT_STREQ(p.lines[0].text, "Short");
	EXPECT_STREQ(p.lines[1].text, "    - take a and b in one order");
	EXPECT_STREQ(p.lines[2].text, "      everywhere: it helps");
	EXPECT_STREQ(p.lines[3].text, "  a_word_that_is_longer_than_the_line_is");
	EXPECT_STREQ(p.lines[4].text, "    _cut_in_two");
	EXPECT_STREQ(p.lines[5].text, "  \u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4 counts as eight columns of it");
	EXPECT_STREQ(p.lines[6].text, "    all");
	EXPECT_STREQ(p.lines[7].text, "");
	headway_top_page_clear(&p);
	/* There is no room to go on in. */
	p.width = 20;
	headway_top_text(&p, "one line that is longer than that\n");
	EXPECT_EQ(p.nr, 1u);
	headway_top_page_free(&p);
}

KTAP_TEST(pages_scroll_and_jump)
{
	struct headway_top_page p = { 0 };

	for (int s = 0; s < 3; s++) {
		headway_top_section(&p, "SECTION %d", s);
		for (int i = 0; i < 10; i++)
			headway_top_line(&p, HEADWAY_TINT_NONE, "line");
	}
	headway_top_page_jump(&p, 1, 5);
	EXPECT_STREQ(p.lines[p.first].text, "SECTION 1");
	headway_top_page_jump(&p, -1, 5);
	EXPECT_STREQ(p.lines[p.first].text, "SECTION 0");
	headway_top_page_scroll(&p, 1000, 5);
	EXPECT_EQ((int)p.first, (int)p.nr - 5);
	headway_top_page_scroll(&p, -1000, 5);
	EXPECT_EQ((int)p.first, 0);
	headway_top_page_scroll(&p, 7, 1000);
	EXPECT_EQ((int)p.first, 0);
	headway_top_page_free(&p);
}

KTAP_MAIN("top")

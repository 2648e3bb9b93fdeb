// SPDX-License-Identifier: GPL-2.0
/*
 * kernel_tee_test.c - what a recording of the kernel has that no verdict needs: the locks and the
 * transactions of domains, once in a window.
 */
// links: userspace/kernel_tee.c userspace/kernel_tape.c userspace/recorder.c userspace/recwriter.c
// links: userspace/player.c userspace/recfile.c userspace/recording.c userspace/namebook.c
// links: userspace/probe_name.c userspace/thresholds.c userspace/logfmt.c userspace/kernelfs.c
// links: userspace/escape.c userspace/names.c userspace/finding.c
// libs: -ljson-c -lz
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "ktap.h"
#include "player.h"
#include "recorder.h"
#include "thresholds.h"

#define SECOND 1000000000ull

/* --- in place of the module ------------------------------------------------------------------- */

static uint64_t now_ns;
static const char *summary;

static uint64_t look(void *ctx)
{
	(void)ctx;
	return now_ns;
}

static int read_file(void *ctx, bool is_loop, const char *name, const char *file,
		     struct headway_text *text)
{
	bool is_summary = !strcmp(file, "summary");
	char all[512];
	int len;

	(void)ctx;
	(void)is_loop;
	len = snprintf(all, sizeof(all), "# headway.%s v1\n%s", file,
		       is_summary ? summary : "name=first of\nname=second\n");
	EXPECT(*name);
	return headway_text_parse(text, file, all, (size_t)len);
}

static const char *error(void *ctx)
{
	(void)ctx;
	return "";
}

/* --- recordings ------------------------------------------------------------------------------- */

static char path[] = "/tmp/headway-kernel-tee.XXXXXX";
static struct headway_recorder *recorder;
static struct headway_kernel_reader tee;

static void begin(void)
{
	const struct headway_recording_header header = {
		.window_ns = 5 * SECOND, .interval_ns = SECOND,
		.thresholds = headway_thresholds_default, .kernel_alone = true,
		.watches_kernel = true,
	};
	const struct headway_kernel_reader module = { .look = look, .read = read_file,
						      .error = error };
	static bool made;

	if (!made)
		close(mkstemp(path));
	made = true;
	ASSERT(!headway_recorder_open(&recorder, path, &header,
				      &(struct headway_name_source){ .ctx = NULL }));
	tee = headway_recorder_kernel(recorder, &module);
}

/* As a watch does, which needs the summary alone. */
static void look_at(const char *name, bool is_loop)
{
	struct headway_text text;

	ASSERT(!tee.read(tee.ctx, is_loop, name, "summary", &text));
	headway_text_free(&text);
}

static struct headway_player *end(void)
{
	struct headway_player *p = headway_player_new();

	EXPECT_EQ(headway_recorder_finish(recorder, &(struct headway_recording_end){ 0 }), 0);
	headway_recorder_free(recorder);
	EXPECT(p && !headway_player_open(p, path));
	remove(path);
	return p;
}

/* What is there of the look that was played last. */
static bool has(struct headway_player *p, const char *name, bool is_loop, const char *file)
{
	struct headway_kernel_reader r = headway_player_kernel(p);
	struct headway_text text;

	if (r.read(r.ctx, is_loop, name, file, &text))
		return false;
	EXPECT_EQ(text.nr_records, 2u);
	headway_text_free(&text);
	return true;
}

static bool has_next_look(struct headway_player *p)
{
	struct headway_snapshot snap;

	return headway_player_next(p, &snap) == HEADWAY_PLAYER_KERNEL;
}

KTAP_TEST(locks_and_transactions_once_in_a_window)
{
	static const uint64_t seconds[] = { 100, 101, 104, 105, 109, 117 };
	static const bool kept[] = { true, false, false, true, false, true };
	struct headway_player *p;

	begin();
	summary = "locks=2\nin_flight=1\n";
	for (size_t i = 0; i < sizeof(kept); i++) {
		now_ns = seconds[i] * SECOND;
		tee.look(tee.ctx);
		look_at("forks", false);
		look_at("loop", true);
		EXPECT_EQ(headway_recorder_commit(recorder), 0);
	}
	p = end();
	for (size_t i = 0; i < sizeof(kept); i++) {
		ASSERT(has_next_look(p));
		EXPECT_EQ(has(p, "forks", false, "locks"), kept[i]);
		EXPECT_EQ(has(p, "forks", false, "transactions"), kept[i]);
		EXPECT(!has(p, "loop", true, "locks"));
	}
	headway_player_free(p);
}

KTAP_TEST(what_is_long_or_empty_is_not_kept)
{
	static const struct {
		const char *summary;
		bool locks;
		bool transactions;
	} cases[] = {
		{ "locks=0\nin_flight=0\n", false, false },
		{ "locks=256\nin_flight=0\n", true, false },
		{ "locks=257\nin_flight=3\n", false, true },
		{ "policy=none\n", false, false },
	};
	struct headway_player *p;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin();
		summary = cases[i].summary;
		tee.look(tee.ctx);
		look_at("forks", false);
		EXPECT_EQ(headway_recorder_commit(recorder), 0);
		p = end();
		ASSERT(has_next_look(p));
		EXPECT_EQ(has(p, "forks", false, "locks"), cases[i].locks);
		EXPECT_EQ(has(p, "forks", false, "transactions"), cases[i].transactions);
		headway_player_free(p);
	}
}

KTAP_TEST(of_so_many_domains)
{
	char names[20][16];
	struct headway_player *p;
	int nr = 0;

	begin();
	summary = "locks=1\n";
	tee.look(tee.ctx);
	for (int i = 0; i < 20; i++) {
		snprintf(names[i], sizeof(names[i]), "d%d", i);
		look_at(names[i], false);
	}
	EXPECT_EQ(headway_recorder_commit(recorder), 0);
	/* What is asked for after a look is no part of it. */
	look_at("late", false);
	p = end();
	ASSERT(has_next_look(p));
	for (int i = 0; i < 20; i++)
		nr += has(p, names[i], false, "locks");
	EXPECT_EQ(nr, 16);
	EXPECT(!has(p, "late", false, "locks"));
	headway_player_free(p);
}

KTAP_MAIN("kernel_tee")

// SPDX-License-Identifier: GPL-2.0
// links: userspace/player.c userspace/recfile.c userspace/recording.c userspace/namebook.c
// links: userspace/detect.c userspace/assess.c userspace/judge.c userspace/verdict_blocked.c
// links: userspace/verdict_retry.c userspace/verdict_storm.c userspace/verdict_marker.c
// links: userspace/verdict_ownerless.c userspace/suspect.c
// links: userspace/window.c userspace/view.c userspace/contact.c userspace/mutexes.c
// links: userspace/graph.c userspace/finding.c userspace/futexword.c userspace/marks.c
// links: userspace/lockshape.c userspace/thresholds.c userspace/kernel_tape.c
// links: userspace/kernel_watch.c
// links: userspace/kernel_finding.c userspace/kernel_names.c userspace/kernelfs.c
// links: userspace/logfmt.c
// links: userspace/names.c userspace/escape.c userspace/out_json.c userspace/probe_name.c
// libs: -ljson-c -lz
/*
 * recording_fuzz.c - a recording from a stranger, through the parser, the engine and a view.
 *
 * The input is an uncompressed recording, and its checks are not looked at (recfile.c): a fuzzer
 * would guess no CRC. Seeds are the recordings of tests/replay.
 */
#include <stdlib.h>
#include <string.h>

#include "detect.h"
#include "kernel_watch.h"
#include "out.h"
#include "player.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct bytes {
	const uint8_t *data;
	size_t len;
};

static ssize_t read_bytes(void *ctx, void *buf, size_t len)
{
	struct bytes *b = ctx;

	if (len > b->len)
		len = b->len;
	if (len)
		memcpy(buf, b->data, len);
	b->data += len;
	b->len -= len;
	return (ssize_t)len;
}

static void sum_up(FILE *out, struct headway_player *p, const struct headway_detect *d,
		   const struct headway_snapshot *last)
{
	struct headway_summary s = {
		.assessment = headway_detect_assessment(d),
		.duration_ns = headway_player_end(p)->duration_ns,
		.command = headway_player_header(p)->command,
		.command_ended = headway_player_end(p)->command_ended,
		.command_status = headway_player_end(p)->command_status,
		.missing_probes = last->missing_probes,
	};

	for (int i = 0; i < HEADWAY_NR_PROBES; i++) {
		const char *why = headway_player_missing_reason(p, (enum headway_probe_id)i);

		s.probe_names[i] = headway_probe_name((enum headway_probe_id)i);
		s.probe_reasons[i] = why ? why : "unknown";
	}
	headway_out_json_summary(out, &s);
}

static int on_finding(void *ctx, const struct headway_finding *f, struct headway_names *names)
{
	return headway_out_json_finding(ctx, names, f);
}

static void on_word(void *ctx, const char *sentence)
{
	(void)ctx;
	(void)sentence;
}

static void look(FILE *out, struct headway_kernel_watch *k)
{
	const struct headway_kernel_listener listener = {
		.finding = on_finding, .say = on_word, .ctx = out,
	};

	headway_kernel_watch_look(k, &listener);
}

static void judge(FILE *out, struct headway_player *p, struct headway_names *names)
{
	const struct headway_recording_header *h = headway_player_header(p);
	struct headway_detect_options o = {
		.window_ns = h->window_ns, .interval_ns = h->interval_ns,
		.thresholds = &h->thresholds,
	};
	struct headway_kernel_reader kernel = headway_player_kernel(p);
	struct headway_kernel_watch *k = headway_kernel_watch_new(h->domains, h->nr_domains,
								  &kernel);
	struct headway_detect *d = headway_detect_new(&o);
	struct headway_snapshot snap = { 0 };
	const struct headway_finding *f;
	int got, err = 0;

	/* What the header may say, the engine must take. */
	if (!d || !k)
		abort();
	while (!err && (got = headway_player_next(p, &snap)) > 0) {
		size_t nr = 0;

		if (got & HEADWAY_PLAYER_KERNEL)
			look(out, k);
		if (got & HEADWAY_PLAYER_SNAPSHOT)
			err = headway_detect_feed(d, &snap);
		if (got & HEADWAY_PLAYER_SNAPSHOT && !err)
			nr = headway_detect_findings(d, &f);
		for (size_t i = 0; i < nr; i++)
			headway_out_json_finding(out, names, &f[i]);
	}
	sum_up(out, p, d, &snap);
	headway_detect_free(d);
	headway_kernel_watch_free(k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct headway_player *p = headway_player_new();
	struct bytes b = { data, len };
	struct headway_name_source source;
	struct headway_names *names;
	char *text = NULL;
	size_t size = 0;
	FILE *out;

	if (!p)
		return 0;
	if (!headway_player_start(p, "fuzz", read_bytes, &b)) {
		source = headway_player_names(p);
		names = headway_names_new(&source);
		out = open_memstream(&text, &size);
		if (names && out)
			judge(out, p, names);
		if (out)
			fclose(out);
		headway_names_free(names);
		for (size_t i = 0; i < size; i++)
			if ((unsigned char)text[i] < 0x20 && text[i] != '\n')
				abort();
		free(text);
	}
	headway_player_free(p);
	return 0;
}

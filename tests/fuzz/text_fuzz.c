// SPDX-License-Identifier: GPL-2.0
// links: userspace/escape.c userspace/names.c userspace/logfmt.c userspace/kernelfs.c
// links: userspace/marker.c userspace/finding.c
/*
 * text_fuzz.c - the small parsers: debugfs files, mountinfo, SPECs of markers, verdicts, sentences,
 * and that escaping loses nothing. The first byte says which.
 */
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "finding.h"
#include "kernelfs.h"
#include "logfmt.h"
#include "marker.h"
#include "names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void there_and_back(const char *text, size_t len)
{
	char escaped[4 * 600], back[600];

	if (len >= sizeof(back))
		return;
	headway_escape(text, len, escaped, sizeof(escaped));
	if (headway_unescape(escaped, back, sizeof(back)) || strcmp(back, text))
		abort();
	/* What is not of that form is refused or read, into no more than there is. */
	headway_unescape(text, back, 1 + len / 2);
}

static void debugfs_file(const char *text, size_t len)
{
	static const char *const labels[] = { "commits", "policy", "verdict", "format" };
	struct headway_text parsed;
	uint64_t u;
	int64_t s;

	if (headway_text_parse(&parsed, "stats", text, len))
		return;
	for (size_t r = 0; r < parsed.nr_records; r++)
		for (size_t i = 0; i < 4; i++) {
			headway_record_get(&parsed.records[r], labels[i]);
			headway_record_u64(&parsed.records[r], labels[i], &u);
			headway_record_s64(&parsed.records[r], labels[i], &s);
		}
	headway_text_free(&parsed);
}

static void marker(const char *text)
{
	struct headway_marker_spec spec;
	char why[512], said[512];
	struct headway_near near = { .wanted = text };

	if (!headway_marker_parse(text, HEADWAY_MARKER_PROGRESS, &spec, why, sizeof(why)) &&
	    strlen(spec.text) >= sizeof(spec.text))
		abort();
	headway_near_offer(&near, "pthread_mutex_lock");
	headway_near_offer(&near, text);
	headway_near_say(&near, said, sizeof(said));
}

static void sentence(const char *text)
{
	struct headway_names *names = headway_names_new(NULL);
	char out[300];

	if (!names)
		return;
	headway_names_sentence(names, 1, text, out, sizeof(out));
	for (const char *s = out; *s; s++)
		if ((unsigned char)*s < 0x20)
			abort();
	headway_names_free(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	enum headway_verdict v;
	char *text, path[64];
	size_t pos = 0;
	uint8_t which;

	if (!len)
		return 0;
	which = *data;
	/* Of its very size, so that one byte too far is seen. */
	text = malloc(len);
	if (!text)
		return 0;
	memcpy(text, data + 1, len - 1);
	text[len - 1] = '\0';
	switch (which % 5) {
	case 0:
		there_and_back(text, len - 1);
		break;
	case 1:
		debugfs_file(text, len - 1);
		break;
	case 2:
		marker(text);
		break;
	case 3:
		sentence(text);
		break;
	default:
		while (headway_mountinfo_next(text, &pos, path, sizeof(path)))
			;
		headway_verdict_parse(text, &v);
	}
	free(text);
	return 0;
}

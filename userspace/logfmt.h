/* SPDX-License-Identifier: GPL-2.0 */
/*
 * logfmt.h - PURE: the text format of headway.ko's debugfs files, v1 (kmod/debugfs.md).
 *
 * A file is a header line `# headway.<file> v1`, then lines of space-separated `label=value`; lines
 * that start with '#' are for people. Labels that we do not know are kept, labels that are missing
 * are the caller's to miss, and what cannot be parsed is counted, never guessed at.
 *
 * Invariant: whatever the input, labels are [A-Za-z0-9_-] and values printable ASCII, so they are
 * safe on a terminal.
 */
#ifndef HEADWAY_LOGFMT_H
#define HEADWAY_LOGFMT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEADWAY_LOGFMT_VERSION	1

struct headway_field {
	const char *label;
	const char *value;
};

struct headway_record {			/* one line */
	const struct headway_field *fields;
	size_t nr;
};

struct headway_text {			/* one file, parsed */
	char *buf;			/* what labels and values point into */
	struct headway_field *fields;	/* of all lines, in order */
	size_t nr_fields;
	struct headway_record *records;	/* lines that have at least one field */
	size_t nr_records;
	size_t garbled;			/* words that were no label=value, and so dropped */
	char header[64];		/* first line, printable; for messages */
};

/*
 * Parses LEN bytes of DATA, which need not be text, as the debugfs file FILE.
 * Returns 0; -EPROTO: not FILE in our format (text->header says what it was); -ENOMEM.
 * After success only, call headway_text_free().
 */
int headway_text_parse(struct headway_text *text, const char *file, const void *data, size_t len);
void headway_text_free(struct headway_text *text);

/* All of a file's fields as one record, for files with one field a line. */
struct headway_record headway_text_all(const struct headway_text *text);
/* The value; NULL when there is no such label. */
const char *headway_record_get(const struct headway_record *record, const char *label);
/* false: no such label, or not a decimal number that fits. *value is then 0. */
bool headway_record_u64(const struct headway_record *record, const char *label, uint64_t *value);
/* The number, or 0 where headway_record_u64() has none. */
uint64_t headway_number(const struct headway_record *record, const char *label);
/* As above, of a number that may be negative. */
bool headway_record_s64(const struct headway_record *record, const char *label, int64_t *value);
/* Copies at most SIZE - 1 bytes, with '?' for what is not printable ASCII; always terminates. */
void headway_copy_printable(char *to, size_t size, const char *from, size_t len);

#endif /* HEADWAY_LOGFMT_H */

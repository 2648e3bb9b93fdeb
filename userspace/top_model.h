/* SPDX-License-Identifier: GPL-2.0 */
/*
 * top_model.h - the table of `headway top`: rows, their order, what is filtered out and what is
 * selected. PURE: it is told what a look saw and what was typed, and is drawn elsewhere.
 *
 * The selection stays with its row when the order changes. While it is paused the table stays as it
 * is, and the looks go on behind it, so that no history has a gap.
 */
#ifndef HEADWAY_TOP_MODEL_H
#define HEADWAY_TOP_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "finding.h"

enum { HEADWAY_TOP_HISTORY = 128, HEADWAY_TOP_NAME_LEN = 4 * HEADWAY_DOMAIN_LEN };

enum headway_top_source {
	HEADWAY_TOP_DOMAIN,
	HEADWAY_TOP_LOOP,
	HEADWAY_TOP_ARBITER,		/* has no verdict */
	HEADWAY_TOP_PROCESS,
};

/* In the order in which they stand in the table. */
enum headway_top_column {
	HEADWAY_TOP_BY_SOURCE,
	HEADWAY_TOP_BY_PID,
	HEADWAY_TOP_BY_NAME,
	HEADWAY_TOP_BY_VERDICT,
	HEADWAY_TOP_BY_ATTEMPTS,
	HEADWAY_TOP_BY_COMPLETIONS,
	HEADWAY_TOP_BY_FAILED,
	HEADWAY_TOP_BY_WAITING,
	HEADWAY_TOP_BY_ACTORS,
	HEADWAY_TOP_BY_CPU,
	HEADWAY_TOP_BY_HISTORY,		/* nothing is sorted by it */
	HEADWAY_TOP_NR_COLUMNS,
};

struct headway_top_row {
	enum headway_top_source source;
	uint32_t pid;			/* of a process; 0 */
	char name[HEADWAY_TOP_NAME_LEN + 1];	/* escaped */
	enum headway_verdict verdict;
	bool judged;			/* a whole window was seen; else the verdict says nothing */
	/* Of an arbiter: requests that ended, those granted, and those that were not. */
	double attempts_per_s;
	double completions_per_s;
	double failed_per_s;		/* tries that failed; in the kernel rollbacks */
	long waiting;			/* threads; < 0: unknown */
	unsigned long actors;		/* threads; in the kernel, in flight; resources held */
	double cpu_share;		/* of one CPU; < 0: unknown */
	/* The model's own: verdicts of the last looks, a ring. */
	uint64_t nr_history;
	uint8_t history[HEADWAY_TOP_HISTORY];
};

enum { HEADWAY_TOP_NOT_JUDGED = 0xff };	/* in a history */

struct headway_top_rows {
	size_t nr;
	size_t room;
	struct headway_top_row *rows;
};

struct headway_top_model {
	struct headway_top_rows next;	/* being collected */
	struct headway_top_rows live;	/* of the last look, sorted by source, pid, name */
	struct headway_top_rows shown;	/* the same, or older while it is paused */
	size_t nr_order;
	size_t *order;			/* those that pass the filter, as they are to be drawn */
	size_t selected;		/* place in order */
	size_t first;			/* place in order of the first that is drawn */
	enum headway_top_column sort;
	bool ascending;
	bool hide_idle;
	bool paused;
	char filter[64];
	char search[64];
};

/* "process" and so on. */
const char *headway_top_source_name(enum headway_top_source source);

void headway_top_model_init(struct headway_top_model *m);
void headway_top_model_free(struct headway_top_model *m);

/* A look: _begin, _add for each row, _commit. Rows that were not added are gone. -ENOMEM or 0. */
void headway_top_begin(struct headway_top_model *m);
int headway_top_add(struct headway_top_model *m, const struct headway_top_row *row);
int headway_top_commit(struct headway_top_model *m);

/* All of these return 0 or -ENOMEM. */
int headway_top_sort(struct headway_top_model *m, enum headway_top_column by);
/* The next column to the right, or to the left. */
int headway_top_sort_next(struct headway_top_model *m, int step);
int headway_top_reverse(struct headway_top_model *m);
int headway_top_filter(struct headway_top_model *m, const char *text);
int headway_top_hide_idle(struct headway_top_model *m, bool hide);
int headway_top_pause(struct headway_top_model *m, bool pause);

/* Moves the selection; stops at the ends. */
void headway_top_move(struct headway_top_model *m, long by);
/* Selects the next row that has the text, from the selection on, around the end. */
bool headway_top_search(struct headway_top_model *m, const char *text, int step);
/* So many rows are drawn: sees to it that the selected one is among them. */
void headway_top_scroll(struct headway_top_model *m, size_t height);
/* The row at this place in the order; NULL: none. */
const struct headway_top_row *headway_top_row_at(const struct headway_top_model *m, size_t place);
const struct headway_top_row *headway_top_selected(const struct headway_top_model *m);
/* This one as it is now; NULL: gone. */
const struct headway_top_row *headway_top_find(const struct headway_top_model *m,
					       const struct headway_top_row *row);
/* The verdict `ago` looks before the last one; HEADWAY_TOP_NOT_JUDGED: none is known. */
unsigned int headway_top_history(const struct headway_top_row *row, size_t ago);

#endif /* HEADWAY_TOP_MODEL_H */

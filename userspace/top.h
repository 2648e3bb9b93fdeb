/* SPDX-License-Identifier: GPL-2.0 */
/*
 * top.h - the parts of `headway top`, and what they share.
 *
 * top_model.c, top_columns.c, top_page.c and top_waits.c are PURE. top_feed.c turns what a look saw
 * into rows; top_process.c, top_domain.c and top_arbiter.c make the page about one of them;
 * top_keys.c turns keys and the mouse into changes; top_draw.c draws. cmd_top.c has the parts
 * together.
 */
#ifndef HEADWAY_TOP_H
#define HEADWAY_TOP_H

#include "guest.h"
#include "logfmt.h"
#include "stat_rates.h"
#include "top_model.h"
#include "top_page.h"

enum headway_top_mode {
	HEADWAY_TOP_LIST,
	HEADWAY_TOP_DETAIL,		/* the page about one row */
	HEADWAY_TOP_LOG,		/* what was found so far */
	HEADWAY_TOP_HELP,
};

enum headway_top_prompt {
	HEADWAY_TOP_NO_PROMPT,
	HEADWAY_TOP_ASK_SEARCH,
	HEADWAY_TOP_ASK_FILTER,
};

enum { HEADWAY_TOP_LOG_LEN = 32 };

/* A finding as it was announced, in words. */
struct headway_top_found {
	char *text;			/* as `headway watch` prints it */
	bool kernel;
	char domain[HEADWAY_DOMAIN_LEN];
};

struct headway_top {
	struct headway_top_model model;
	enum headway_top_mode mode;
	enum headway_top_prompt prompt;
	char input[64];			/* at the prompt */
	struct headway_top_row about;	/* whom HEADWAY_TOP_DETAIL is about */
	bool gone;			/* it is no more: the page is the last of it */
	struct headway_top_page page;
	struct headway_top_page log;
	struct headway_top_page help;
	struct headway_top_found found[HEADWAY_TOP_LOG_LEN];	/* a ring */
	size_t nr_found;
	double rates_over_s;		/* what the rates of processes are of */
	struct headway_stat_samples arbiters;	/* what they had counted */
	char message[4096];		/* the last sentence, escaped */
	uint64_t message_look;		/* when it was said */
	const struct headway_scene *scene;	/* of the last look; NULL: none yet */
	uint64_t looks;			/* of the scene that was fed */
	int height;			/* of the screen, when it was drawn last */
	int width;
	bool ended;			/* q */
	bool failed;			/* the screen could not be had */
};

/* top_feed.c: 0 or -ENOMEM. */
int headway_top_feed(struct headway_top *t);
/* top_log.c */
void headway_top_log_add(struct headway_top *t, const struct headway_finding *f,
			 struct headway_names *names);
void headway_top_log_page(struct headway_top *t);
/* The last finding about this domain or loop; NULL: none. */
const char *headway_top_log_about(const struct headway_top *t, const char *domain);
void headway_top_log_free(struct headway_top *t);
/* The text of a finding, as `headway watch` prints it, to be freed; NULL: no memory. */
char *headway_top_finding_text(const struct headway_finding *f, struct headway_names *names);

/* top_detail.c: the page about t->about, made anew. */
void headway_top_detail(struct headway_top *t);
/* top_process.c, top_domain.c, top_arbiter.c: their parts of it. */
void headway_top_process_page(struct headway_top *t);
void headway_top_domain_page(struct headway_top *t);
void headway_top_arbiter_page(struct headway_top *t);

/* top_domain.c: how the lines of a file `graph` are read. */
struct headway_top_edges {
	void (*read)(struct headway_top_wait *w, const struct headway_record *edge);
	/* Of a node; ctx: the struct headway_text. */
	const char *(*name)(void *ctx, uint32_t node, char *out, size_t len);
};

/* Who waits for whom. */
void headway_top_graph(struct headway_top *t, const struct headway_top_edges *edges);
/* FILE of the domain, loop or arbiter that the page is about. 0; else that is said in the page. */
int headway_top_read_file(struct headway_top *t, const char *file, struct headway_text *text);

/* top_help.c */
void headway_top_help_page(struct headway_top_page *p);

/* top_draw.c: the screen, as all that is. */
void headway_top_draw(struct headway_top *t);
/* Lines for rows, or for a page. */
int headway_top_body_height(const struct headway_top *t);
/* The place in the order of the row at this line of the screen; -1: none is there. */
long headway_top_row_at_line(const struct headway_top *t, int y);
/* The column at this place of the table's head; HEADWAY_TOP_NR_COLUMNS: none. */
enum headway_top_column headway_top_column_at(const struct headway_top *t, int y, int x);

/* top_keys.c: what was typed so far, without waiting. */
void headway_top_keys(struct headway_top *t);

#endif /* HEADWAY_TOP_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * http.h - a small HTTP server for one page, without threads: who polls its descriptor serves.
 *
 * Invariants: it never blocks; connections, their memory and the time that they may be idle are
 * bounded.
 */
#ifndef HEADWAY_HTTP_H
#define HEADWAY_HTTP_H

#include <stdbool.h>
#include <stddef.h>

struct headway_http;

/* A page of `path`, for who sent this Accept header (or NULL). */
struct headway_http_page {
	const char *type;		/* Content-Type */
	char *text;			/* malloc'ed; NULL: there was no memory */
	size_t len;
};

/* false: there is no such path. */
typedef bool (*headway_http_page_fn)(void *ctx, const char *path, const char *accept,
				     struct headway_http_page *page);

/*
 * at: "127.0.0.1:9769", "[::1]:9769"; port 0: any that is free. 0 or a negative errno; then a
 * sentence is in error.
 */
int headway_http_open(struct headway_http **out, const char *at, headway_http_page_fn page,
		      void *ctx, char *error, size_t len);
/* Becomes readable when there is something to serve; it may as well be served now and then. */
int headway_http_fd(const struct headway_http *h);
void headway_http_serve(struct headway_http *h);
/* "127.0.0.1:9769", as it was bound. */
const char *headway_http_where(const struct headway_http *h);
bool headway_http_is_loopback(const struct headway_http *h);
void headway_http_close(struct headway_http *h);

#endif /* HEADWAY_HTTP_H */

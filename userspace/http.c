// SPDX-License-Identifier: GPL-2.0
/*
 * http.c - a small HTTP server for one page, without threads, by libmicrohttpd.
 */
#define _GNU_SOURCE
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "escape.h"

enum {
	MAX_CONNECTIONS = 16,
	MAX_IDLE_S = 10,
	CONNECTION_BYTES = 16384,	/* a request with its headers */
	MAX_ROUNDS = 16,		/* of the server, before we look at processes again */
};

struct headway_http {
	struct MHD_Daemon *daemon;
	headway_http_page_fn page;
	void *ctx;
	struct sockaddr_storage addr;
	char where[INET6_ADDRSTRLEN + 16];
};

static enum MHD_Result send_text(struct MHD_Connection *c, unsigned int status, const char *type,
				 const char *text, size_t len, enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(len, (void *)text, mode);
	enum MHD_Result result;

	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return result;
}

static enum MHD_Result send_error(struct MHD_Connection *c, unsigned int status, const char *text)
{
	return send_text(c, status, "text/plain; charset=utf-8", text, strlen(text),
			 MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *path,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **request)
{
	struct headway_http *h = ctx;
	struct headway_http_page page = { 0 };
	const char *accept;

	(void)version;
	(void)upload;
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return send_error(c, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET and HEAD.\n");
	/* The first call comes after the headers: to answer then would end the connection. */
	if (!*request || *upload_size) {
		*request = h;
		*upload_size = 0;
		return MHD_YES;
	}
	accept = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
	if (!h->page(h->ctx, path, accept, &page))
		return send_error(c, MHD_HTTP_NOT_FOUND, "No such page; there is /metrics.\n");
	if (!page.text)
		return send_error(c, MHD_HTTP_SERVICE_UNAVAILABLE, "Out of memory.\n");
	return send_text(c, MHD_HTTP_OK, page.type, page.text, page.len, MHD_RESPMEM_MUST_FREE);
}

/* --- the socket ------------------------------------------------------------------------------- */

/* "[::1]:80" or "127.0.0.1:80" into its parts; numbers only, so that no name server is asked. */
static struct addrinfo *parse_where(const char *at, char *error, size_t len)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
	};
	const char *colon = strrchr(at, ':');
	struct addrinfo *found;
	char host[INET6_ADDRSTRLEN + 2], escaped[256];
	size_t n = colon ? (size_t)(colon - at) : 0;

	/* A port that is too large would lose its upper bits. */
	if (n && n < sizeof(host) && colon[1] && strtoul(colon + 1, NULL, 10) <= UINT16_MAX) {
		bool bracketed = at[0] == '[' && at[n - 1] == ']';

		snprintf(host, sizeof(host), "%.*s", (int)(n - 2 * bracketed), at + bracketed);
		/* A bare IPv6 address would lose its last part to the port. */
		if (bracketed == !!strchr(host, ':') &&
		    !getaddrinfo(host, colon + 1, &hints, &found))
			return found;
	}
	snprintf(error, len, "'%s' is no address to listen at: give numbers, as 127.0.0.1:9769 or "
			     "[::1]:9769",
		 headway_escape(at, strlen(at), escaped, sizeof(escaped)));
	return NULL;
}

static int listen_at(const struct addrinfo *ai)
{
	const int on = 1;
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (ai->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (!bind(fd, ai->ai_addr, ai->ai_addrlen) && !listen(fd, MAX_CONNECTIONS))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int name_socket(struct headway_http *h, int fd)
{
	socklen_t len = sizeof(h->addr);
	char host[INET6_ADDRSTRLEN], port[8];

	if (getsockname(fd, (struct sockaddr *)&h->addr, &len) ||
	    getnameinfo((struct sockaddr *)&h->addr, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return -EINVAL;
	snprintf(h->where, sizeof(h->where), h->addr.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s",
		 host, port);
	return 0;
}

static int start(struct headway_http *h, int fd)
{
	h->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, h,
				     MHD_OPTION_LISTEN_SOCKET, fd,
				     MHD_OPTION_CONNECTION_LIMIT, (unsigned int)MAX_CONNECTIONS,
				     MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)MAX_IDLE_S,
				     MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
				     MHD_OPTION_END);
	/* The daemon closes the socket, once there is one. */
	return h->daemon ? 0 : -ENOMEM;
}

int headway_http_open(struct headway_http **out, const char *at, headway_http_page_fn page,
		      void *ctx, char *error, size_t len)
{
	struct addrinfo *ai = parse_where(at, error, len);
	struct headway_http *h;
	int err, fd;

	*out = NULL;
	if (!ai)
		return -EINVAL;
	fd = listen_at(ai);
	freeaddrinfo(ai);
	if (fd < 0) {
		snprintf(error, len, "cannot listen at %s: %s; give another address or port with "
				     "--listen", at, strerror(-fd));
		return fd;
	}
	h = calloc(1, sizeof(*h));
	err = h ? name_socket(h, fd) : -ENOMEM;
	if (!err) {
		h->page = page;
		h->ctx = ctx;
		err = start(h, fd);
	}
	if (err) {
		snprintf(error, len, "cannot serve at %s: %s", at, strerror(-err));
		close(fd);
		free(h);
		return err;
	}
	*out = h;
	return 0;
}

int headway_http_fd(const struct headway_http *h)
{
	return MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

void headway_http_serve(struct headway_http *h)
{
	MHD_UNSIGNED_LONG_LONG wait_ms = 1;
	int rounds = 0;

	/* What it has read but not answered yet does not make its descriptor readable again. */
	do
		MHD_run(h->daemon);
	while (MHD_get_timeout(h->daemon, &wait_ms) == MHD_YES && !wait_ms &&
	       ++rounds < MAX_ROUNDS);
}

const char *headway_http_where(const struct headway_http *h)
{
	return h->where;
}

bool headway_http_is_loopback(const struct headway_http *h)
{
	const struct sockaddr_in *v4 = (const void *)&h->addr;
	const struct sockaddr_in6 *v6 = (const void *)&h->addr;

	if (h->addr.ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
	return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

void headway_http_close(struct headway_http *h)
{
	if (!h)
		return;
	MHD_stop_daemon(h->daemon);
	free(h);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The client of http.h, in the process that fetches. A connection is only freed outside of libevent's callbacks:
 * these note how it ended, and an event of ours goes on.
 */
#include "ike/io/http.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/proto/addr.h"

enum {
	HEADERS = 8192, /* bytes of an answer's */
	ADDRESSES = 16,
	LOCATION = 512,
};

struct http {
	struct event_base *base;
	struct evhttp_connection *conn;
	struct event *later, *limit;
	struct ike_addr addrs[ADDRESSES];
	unsigned int n_addrs, next; /* the one that is tried next */
	uint16_t port;
	char *host, *path;
	const char *type;
	struct evbuffer *body, *got;
	size_t max;
	unsigned int ms;
	bool ended; /* the request at hand has, as … */
	enum http_end end;
	int status;
	char location[LOCATION];
	void (*fn)(void *ctx, const struct http_answer *a);
	void *ctx;
};

/* ---- URLs --------------------------------------------------------------------------- */

static bool place_of(const struct evhttp_uri *u, struct http_place *out)
{
	const char *scheme = evhttp_uri_get_scheme(u), *host = evhttp_uri_get_host(u);
	const char *path = evhttp_uri_get_path(u), *query = evhttp_uri_get_query(u);
	int port = evhttp_uri_get_port(u), n, m;
	size_t len = host ? strlen(host) : 0;
	bool brackets = len > 2 && host[0] == '[' && host[len - 1] == ']';

	if (!scheme || strcasecmp(scheme, "http") != 0 || !len || evhttp_uri_get_userinfo(u) ||
	    port == 0 || port > UINT16_MAX || len >= sizeof(out->host))
		return false;
	out->port = port < 0 ? 80 : (uint16_t)port;
	memcpy(out->host, host + brackets, len - 2 * brackets);
	out->host[len - 2 * brackets] = 0;
	n = out->port == 80 ? snprintf(out->header, sizeof(out->header), "%s", host)
			    : snprintf(out->header, sizeof(out->header), "%s:%u", host, out->port);
	m = snprintf(out->path, sizeof(out->path), "%s%s%s", path && *path ? path : "/",
		     query ? "?" : "", query ? query : "");
	return n < (int)sizeof(out->header) && m < (int)sizeof(out->path);
}

bool http_place_of(const char *url, struct http_place *out)
{
	struct evhttp_uri *u = evhttp_uri_parse(url);
	bool is;

	memset(out, 0, sizeof(*out));
	is = u && place_of(u, out);
	if (u)
		evhttp_uri_free(u);
	return is;
}

bool http_follow(const char *url, const char *location, char *out, size_t size)
{
	struct http_place from, to;
	int n;

	if (location[0] == '/' && location[1] != '/' && http_place_of(url, &from))
		n = snprintf(out, size, "http://%s%s", from.header, location);
	else
		n = snprintf(out, size, "%s", location);
	return n < (int)size && http_place_of(out, &to);
}

/* ---- a request ---------------------------------------------------------------------- */

static void end_try(struct http *h, enum http_end end)
{
	if (h->ended)
		return;
	h->ended = true;
	h->end = end;
	event_active(h->later, EV_TIMEOUT, 1);
}

static void on_error(enum evhttp_request_error error, void *ctx)
{
	struct http *h = ctx;

	if (error == EVREQ_HTTP_DATA_TOO_LONG)
		end_try(h, HTTP_LARGE);
	else if (error == EVREQ_HTTP_TIMEOUT)
		end_try(h, HTTP_SLOW);
	else
		end_try(h, HTTP_BROKEN);
}

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void on_answer(struct evhttp_request *req, void *ctx)
{
	struct http *h = ctx;
	const char *location;

	if (h->ended || !req) { /* or on_error() has said why */
		end_try(h, HTTP_BROKEN);
		return;
	}
	h->status = evhttp_request_get_response_code(req);
	if (!h->status) {
		end_try(h, HTTP_UNREACHED);
	} else if (h->status == 200) {
		evbuffer_add_buffer(h->got, evhttp_request_get_input_buffer(req));
		end_try(h, HTTP_DONE);
	} else if (is_redirect(h->status)) {
		location = evhttp_find_header(evhttp_request_get_input_headers(req), "Location");
		if (location && strlen(location) < sizeof(h->location))
			memcpy(h->location, location, strlen(location) + 1);
		end_try(h, HTTP_MOVED);
	} else {
		end_try(h, HTTP_STATUS);
	}
}

static bool add_headers(const struct http *h, struct evhttp_request *req)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);

	/* evhttp_add_header() refuses what would begin another line. */
	return !evhttp_add_header(headers, "Host", h->host) &&
	       !evhttp_add_header(headers, "User-Agent", "esptund") &&
	       !evhttp_add_header(headers, "Connection", "close") &&
	       (!h->body || !evhttp_add_header(headers, "Content-Type", h->type));
}

/* False: nothing can be asked there. */
static bool ask_next(struct http *h)
{
	unsigned int left = h->n_addrs - h->next;
	const struct timeval wait = { .tv_sec = h->ms / left / 1000,
				      .tv_usec = (suseconds_t)(h->ms / left % 1000 * 1000) };
	struct evhttp_request *req;
	char addr[64];

	h->ended = false;
	h->status = 0;
	ike_addr_print(addr, sizeof(addr), &h->addrs[h->next++]);
	h->conn = evhttp_connection_base_new(h->base, NULL, addr, h->port);
	req = h->conn ? evhttp_request_new(on_answer, h) : NULL;
	if (!req)
		return false;
	evhttp_connection_set_max_body_size(h->conn, (ev_ssize_t)h->max);
	evhttp_connection_set_max_headers_size(h->conn, HEADERS);
	evhttp_connection_set_timeout_tv(h->conn, &wait);
	evhttp_request_set_error_cb(req, on_error);
	if (!add_headers(h, req)) {
		evhttp_request_free(req);
		return false;
	}
	if (h->body)
		evbuffer_add_buffer_reference(evhttp_request_get_output_buffer(req), h->body);
	/* It is the connection's from here on. */
	return !evhttp_make_request(h->conn, req, h->body ? EVHTTP_REQ_POST : EVHTTP_REQ_GET,
				    h->path);
}

static void report(struct http *h)
{
	struct http_answer a = {
		.end = h->end,
		.status = h->status,
		.location = h->end == HTTP_MOVED && *h->location ? h->location : NULL,
	};

	event_del(h->limit);
	if (h->end == HTTP_DONE)
		a.body = (struct ike_iov){ evbuffer_pullup(h->got, -1),
					   evbuffer_get_length(h->got) };
	h->fn(h->ctx, &a);
}

/* The request at hand is over, or none was made yet. */
static void on_later(evutil_socket_t fd, short what, void *ctx)
{
	struct http *h = ctx;

	(void)fd;
	(void)what;
	if (h->conn)
		evhttp_connection_free(h->conn);
	h->conn = NULL;
	/* Nobody is there, or nobody answered in the time that this address had. */
	while ((h->end == HTTP_UNREACHED || h->end == HTTP_SLOW) && h->next < h->n_addrs) {
		if (ask_next(h))
			return;
		if (h->conn)
			evhttp_connection_free(h->conn);
		h->conn = NULL;
		h->end = HTTP_UNREACHED;
	}
	report(h);
}

static void on_limit(evutil_socket_t fd, short what, void *ctx)
{
	struct http *h = ctx;

	(void)fd;
	(void)what;
	h->next = h->n_addrs;
	h->ended = false;
	end_try(h, HTTP_SLOW);
}

static struct evbuffer *copy_body(const struct ike_iov *body)
{
	struct evbuffer *b = evbuffer_new();

	if (b && !evbuffer_add(b, body->base, body->len))
		return b;
	if (b)
		evbuffer_free(b);
	return NULL;
}

struct http *http_ask(struct event_base *base, const struct http_request *r,
		      void (*fn)(void *ctx, const struct http_answer *a), void *ctx)
{
	const struct timeval limit = { .tv_sec = r->ms / 1000,
				       .tv_usec = (suseconds_t)(r->ms % 1000 * 1000) };
	struct http *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->base = base;
	h->n_addrs = r->n_addrs < ADDRESSES ? r->n_addrs : ADDRESSES;
	memcpy(h->addrs, r->addrs, h->n_addrs * sizeof(h->addrs[0]));
	h->port = r->port;
	h->host = strdup(r->host);
	h->path = strdup(r->path);
	h->type = r->type;
	h->max = r->max;
	h->ms = r->ms;
	h->fn = fn;
	h->ctx = ctx;
	h->body = r->body.len ? copy_body(&r->body) : NULL;
	h->got = evbuffer_new();
	h->later = evtimer_new(base, on_later, h);
	h->limit = evtimer_new(base, on_limit, h);
	if (h->host && h->path && h->got && h->later && h->limit && (h->body || !r->body.len) &&
	    !event_add(h->limit, &limit)) {
		end_try(h, HTTP_UNREACHED);
		return h;
	}
	http_free(h);
	return NULL;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	if (h->conn)
		evhttp_connection_free(h->conn);
	if (h->later)
		event_free(h->later);
	if (h->limit)
		event_free(h->limit);
	if (h->body)
		evbuffer_free(h->body);
	if (h->got)
		evbuffer_free(h->got);
	free(h->host);
	free(h->path);
	free(h);
}

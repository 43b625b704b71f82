/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTP for programs of this machine that read metrics: GET /metrics, one request for each connection. Whatever the
 * other end does, it takes no more than the limits below allow, and each event is short.
 */
#ifndef ESPTUN_IKE_SCRAPE_H
#define ESPTUN_IKE_SCRAPE_H

#include <stdbool.h>
#include <stddef.h>

enum scrape_limits {
	SCRAPE_MAX = 16, /* connections */
	SCRAPE_HEAD = 4096, /* bytes of a request */
	SCRAPE_IGNORED = 1 << 17, /* that are read behind it */
	SCRAPE_AT_ONCE = 50, /* connections are taken in a burst, … */
	SCRAPE_A_SECOND = 50, /* … and then so many in a second: others wait */
	SCRAPE_ASK_S = 5, /* seconds, until the request has to be there */
	SCRAPE_ANSWER_S = 30, /* and from then on until its answer has to be read */
};

struct evbuffer;
struct event_base;
struct scrapes;
struct scrape; /* a request that waits for its answer */

/* What a request is after: an HTTP status, 200 if it is for the metrics; 0: its end has not come yet. */
struct scrape_head {
	unsigned int status;
	bool openmetrics; /* it takes the OpenMetrics format */
};
struct scrape_head scrape_parse(const char *text, size_t len);

/* @s is the callee's until it calls scrape_answer(), now or later. */
typedef void (*scrape_fn)(void *ctx, struct scrape *s);

/* Take connections from @fd, which is the server's then. NULL without memory; @fd is closed then. */
struct scrapes *scrapes_new(struct event_base *base, int fd, scrape_fn fn, void *ctx);
/* Answers may still be given afterwards; they go nowhere. NULL is fine. */
void scrapes_free(struct scrapes *all);

bool scrape_wants_openmetrics(const struct scrape *s);
/*
 * Answer @s, which is then gone, with what is taken out of @body; NULL says that memory ran out. The asker may be gone,
 * too.
 */
void scrape_answer(struct scrape *s, const char *type, struct evbuffer *body);

#endif

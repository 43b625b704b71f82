/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request to a server of HTTP whose addresses are known, by libevent's client. Nothing is resolved, no redirect is
 * followed, no second request is made: whoever asks decides about that.
 */
#ifndef ESPTUN_IKE_HTTP_H
#define ESPTUN_IKE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/crypto/crypto.h"

struct event_base;
struct http;

/* Where a URL leads. */
struct http_place {
	char host[256]; /* a name, or an address without brackets */
	char header[264]; /* the same as the header field Host has it */
	char path[256]; /* with a query; "/" at least */
	uint16_t port;
};

/* False: it is not http://, or has a user's name, or is too long, or none. */
bool http_place_of(const char *url, struct http_place *out);
/* What a Location of an answer from @url means, of @size bytes with the NUL; false: not http, or too long. */
bool http_follow(const char *url, const char *location, char *out, size_t size);

enum http_end {
	HTTP_DONE, /* 200: there is the body */
	HTTP_MOVED, /* 301, 302, 303, 307, 308: elsewhere, see ->location */
	HTTP_STATUS, /* another status */
	HTTP_UNREACHED, /* no address takes a connection */
	HTTP_SLOW, /* the time is over */
	HTTP_LARGE, /* the body is larger than it may be */
	HTTP_BROKEN, /* what came is no answer, or it was cut off */
	HTTP_ENDS,
};

struct http_request {
	const struct ike_addr *addrs; /* tried one after the other */
	unsigned int n_addrs;
	uint16_t port;
	const char *host; /* header field */
	const char *path; /* with a query, if there is one */
	struct ike_iov body; /* an OCSP request, sent by POST; of length 0: GET */
	const char *type; /* of the body */
	size_t max; /* bytes of the answer's body */
	unsigned int ms; /* for all of it */
};

struct http_answer {
	enum http_end end;
	int status; /* 0: there was none */
	const char *location; /* of HTTP_MOVED; NULL: it does not say */
	struct ike_iov body; /* of HTTP_DONE */
};

/*
 * @fn is called once, after this returned, unless http_free() is called first. The strings may go when it returns.
 * NULL without memory.
 */
struct http *http_ask(struct event_base *base, const struct http_request *r,
		      void (*fn)(void *ctx, const struct http_answer *a), void *ctx);
/* Given up, or over; also from within @fn. NULL is fine. */
void http_free(struct http *h);

#endif

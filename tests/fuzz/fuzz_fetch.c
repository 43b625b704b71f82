// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any octets as an address that something is fetched from, and as the Location of the answer (a line each), and what
 * follows them as two CRLs, of which the second is to take the first one's place.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ike/io/http.h"
#include "ike/pki/pki.h"

/* What would be sent. */
static void check_place(const struct http_place *p)
{
	if (!*p->host || !*p->header || *p->path != '/' || !p->port)
		abort();
	for (const char *s = p->header; *s; s++) {
		if (*s <= ' ' || *s > '~')
			abort();
	}
	for (const char *s = p->path; *s; s++) {
		if (*s <= ' ' || *s > '~')
			abort();
	}
}

static void take_urls(const char *url, const char *location)
{
	char next[PKI_MAX_URI];
	struct http_place p;

	if (!http_place_of(url, &p))
		return;
	check_place(&p);
	if (!http_follow(url, location, next, sizeof(next)))
		return;
	if (strncasecmp(next, "http://", 7) != 0 || !http_place_of(next, &p))
		abort();
	check_place(&p);
}

static void take_crls(const uint8_t *data, size_t len)
{
	const struct ike_iov held = { data, len / 2 }, next = { data + len / 2, len - len / 2 };
	const struct pki_serial path = { .len = 3, .der = { 2, 1, 5 } };
	struct pki_crl *crl = pki_crl_open(&next);
	char why[512];

	if (pki_crl_is_older(&next, &held, why, sizeof(why)) && !*why)
		abort();
	if (crl)
		pki_crl_revokes(crl, path.key, &path, 1);
	pki_crl_free(crl);
}

/* A copy of the line that the data begin with; what follows it is left. */
static char *take_line(const uint8_t **data, size_t *len)
{
	const uint8_t *end = memchr(*data, '\n', *len);
	size_t n = end ? (size_t)(end - *data) : *len;
	char *line = calloc(1, n + 1);

	if (!line)
		abort();
	memcpy(line, *data, n);
	*len -= end ? n + 1 : n;
	*data += end ? n + 1 : n;
	return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *url, *location;

	if (!len)
		return 0;
	url = take_line(&data, &len);
	location = take_line(&data, &len);
	take_urls(url, location);
	if (len)
		take_crls(data, len);
	free(url);
	free(location);
	return 0;
}

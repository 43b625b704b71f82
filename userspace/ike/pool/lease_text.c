// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/pool/lease_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ike/proto/addr.h"
#include "ike/proto/msg.h"
#include "ike/proto/text.h"

static const char first_line[] = "esptun leases 1";
static const char last_line[] = "end";

enum { ID_HEAD = 4, ID_BODY = ID_HEAD + IKE_MAX_ID };

/* ---- printing -------------------------------------------------------------------- */

static void print_lease(void *ctx, const struct pool_lease *l)
{
	const uint8_t head[ID_HEAD] = { l->id.type };
	struct text *t = ctx;
	char addr[64];

	if (!l->id.type)
		return;
	text_add(t, "%s %lld ", ike_addr_print(addr, sizeof(addr), &l->addr), (long long)l->since);
	text_add_hex(t, head, sizeof(head));
	text_add_hex(t, l->id.data, l->id.len);
	text_add(t, "\n");
}

static void count_lease(void *ctx, const struct pool_lease *l)
{
	size_t *n = ctx;

	*n += l->id.type != 0;
}

char *lease_text_print(const struct pool *pool, size_t *len)
{
	struct text t;
	size_t n = 0;
	char *buf;

	pool_each(pool, count_lease, &n);
	buf = malloc((n + 2) * LEASE_LINE);
	if (!buf)
		return NULL;
	t = text_init(buf, (n + 2) * LEASE_LINE);
	text_add(&t, "%s\n", first_line);
	pool_each(pool, print_lease, &t);
	text_add(&t, "%s\n", last_line);
	*len = t.len;
	return buf;
}

/* ---- reading --------------------------------------------------------------------- */

struct reading {
	const char *at, *end;
	unsigned int line;
	char text[LEASE_LINE]; /* of this line */
};

/* The next line; false without one, or if it is too long, or has a NUL. */
static bool next_line(struct reading *r)
{
	const char *newline = r->at < r->end ? memchr(r->at, '\n', (size_t)(r->end - r->at)) : NULL;
	size_t len = newline ? (size_t)(newline - r->at) : 0;

	r->line++;
	if (!newline || len >= sizeof(r->text) || memchr(r->at, 0, len))
		return false;
	memcpy(r->text, r->at, len);
	r->text[len] = 0;
	r->at = newline + 1;
	return true;
}

/* Digits alone. */
static bool parse_since(const char *s, int64_t *out)
{
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	*out = strtoll(s, &end, 10);
	return !*end && !errno;
}

static bool parse_id(const char *s, struct ike_id *out)
{
	uint8_t body[ID_BODY];
	struct ike_payload p = { .body = body };

	return !ike_hex_from_text(s, body, sizeof(body), &p.len) && !ike_id_parse(&p, out);
}

static bool parse_lease(char *line, struct pool_lease *out)
{
	char *save, *addr = strtok_r(line, " ", &save), *since = strtok_r(NULL, " ", &save);
	char *id = strtok_r(NULL, " ", &save);

	memset(out, 0, sizeof(*out));
	return id && !strtok_r(NULL, " ", &save) && !ike_addr_from_text(addr, &out->addr) &&
	       parse_since(since, &out->since) && parse_id(id, &out->id);
}

/* 0 at the end; -EINVAL at a line that is none; -ENOMEM. */
static int restore_lines(struct pool *pool, struct reading *r, unsigned int *left_out)
{
	struct pool_lease l;
	int err;

	while (next_line(r)) {
		if (!strcmp(r->text, last_line))
			return r->at == r->end ? 0 : -EINVAL;
		if (!parse_lease(r->text, &l))
			return -EINVAL;
		pool_clock(pool, l.since);
		err = pool_restore(pool, 0, &l.id, &l.addr);
		if (err == -ENOMEM)
			return err;
		*left_out += err != 0;
	}
	return -EINVAL;
}

int lease_text_parse(struct pool *pool, const char *text, size_t len, unsigned int *left_out,
		     char *err, size_t err_size)
{
	struct reading r = { .at = text, .end = text + len };
	int rc;

	*left_out = 0;
	if (!next_line(&r) || strcmp(r.text, first_line) != 0) {
		snprintf(err, err_size, "line 1: expected \"%s\"", first_line);
		return -EINVAL;
	}
	rc = restore_lines(pool, &r, left_out);
	if (rc == -EINVAL)
		snprintf(err, err_size,
			 "line %u: expected ADDRESS SINCE IDENTITY, or \"%s\" as the last one",
			 r.line, last_line);
	return rc;
}

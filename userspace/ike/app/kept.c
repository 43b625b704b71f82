// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/app/kept.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "ike/core/core.h"

static const char first_line[] = "esptun CRLs 1\n";

struct crl {
	TAILQ_ENTRY(crl) link;
	char uri[PKI_MAX_URI];
	size_t len;
	uint8_t data[];
};

/* Used longest ago first. */
struct crl_list {
	TAILQ_HEAD(, crl) list;
	unsigned int n;
	size_t bytes, max;
};

struct kept {
	struct crl_list used, waiting;
	bool changed; /* since ->used was printed */
};

struct kept *kept_new(void)
{
	struct kept *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	TAILQ_INIT(&k->used.list);
	TAILQ_INIT(&k->waiting.list);
	k->used.max = KEPT_BYTES;
	k->waiting.max = KEPT_WAITING;
	return k;
}

static struct crl *find_crl(const struct crl_list *s, const char *uri)
{
	struct crl *c;

	TAILQ_FOREACH(c, &s->list, link)
	{
		if (!strcmp(c->uri, uri))
			break;
	}
	return c;
}

static void take_crl(struct crl_list *s, struct crl *c)
{
	TAILQ_REMOVE(&s->list, c, link);
	s->n--;
	s->bytes -= c->len;
}

static void drop_crl(struct crl_list *s, struct crl *c)
{
	if (!c)
		return;
	take_crl(s, c);
	free(c);
}

/* It takes the place of the one that came from there before. */
static void put_crl(struct crl_list *s, struct crl *c)
{
	drop_crl(s, find_crl(s, c->uri));
	TAILQ_INSERT_TAIL(&s->list, c, link);
	s->n++;
	s->bytes += c->len;
	while (s->n > KEPT_ITEMS || s->bytes > s->max)
		drop_crl(s, TAILQ_FIRST(&s->list));
}

void kept_free(struct kept *k)
{
	if (!k)
		return;
	while (!TAILQ_EMPTY(&k->used.list))
		drop_crl(&k->used, TAILQ_FIRST(&k->used.list));
	while (!TAILQ_EMPTY(&k->waiting.list))
		drop_crl(&k->waiting, TAILQ_FIRST(&k->waiting.list));
	free(k);
}

static struct crl *make_crl(const char *uri, size_t uri_len, const void *data, size_t len)
{
	struct crl *c = calloc(1, sizeof(*c) + len);

	if (!c)
		return NULL;
	memcpy(c->uri, uri, uri_len);
	memcpy(c->data, data, len);
	c->len = len;
	return c;
}

void kept_add(struct kept *k, const char *uri, const struct ike_iov *data)
{
	size_t uri_len = strlen(uri);
	struct crl *c;

	if (uri_len >= PKI_MAX_URI || !data->len || data->len > IKE_MAX_FETCHED)
		return;
	c = make_crl(uri, uri_len, data->base, data->len);
	if (c)
		put_crl(&k->waiting, c);
}

void kept_use(struct kept *k, const char *uri)
{
	struct crl *c = find_crl(&k->waiting, uri), *former = find_crl(&k->used, uri);

	if (!c)
		return;
	k->changed |= !former || former->len != c->len || memcmp(former->data, c->data, c->len);
	take_crl(&k->waiting, c);
	put_crl(&k->used, c);
}

struct ike_iov kept_find(struct kept *k, const char *uri)
{
	struct crl *c = find_crl(&k->used, uri);

	if (!c)
		return (struct ike_iov){ 0 };
	take_crl(&k->used, c);
	put_crl(&k->used, c);
	return (struct ike_iov){ c->data, c->len };
}

bool kept_is_changed(const struct kept *k)
{
	return k->changed;
}

void kept_set_changed(struct kept *k)
{
	k->changed = true;
}

char *kept_print(struct kept *k, size_t *len)
{
	enum { LINE = PKI_MAX_URI + 24 };
	size_t size = sizeof(first_line) + k->used.bytes + (size_t)k->used.n * LINE;
	char *text = malloc(size);
	struct crl *c;

	if (!text)
		return NULL;
	*len = (size_t)snprintf(text, size, "%s", first_line);
	TAILQ_FOREACH(c, &k->used.list, link)
	{
		*len += (size_t)snprintf(text + *len, size - *len, "%zu %s\n", c->len, c->uri);
		memcpy(text + *len, c->data, c->len);
		*len += c->len;
		text[(*len)++] = '\n';
	}
	k->changed = false;
	return text;
}

/* "LENGTH ADDRESS", without the end of the line; 0, or the length. */
static size_t parse_line(const char *line, size_t len, const char **uri, size_t *uri_len)
{
	size_t n = 0, i = 0;

	for (; i < len && line[i] >= '0' && line[i] <= '9' && n <= IKE_MAX_FETCHED; i++)
		n = 10 * n + (size_t)(line[i] - '0');
	if (i == len || line[i++] != ' ' || i == len || len - i >= PKI_MAX_URI)
		return 0;
	*uri = line + i;
	*uri_len = len - i;
	for (; i < len; i++) {
		if (line[i] <= ' ' || line[i] > '~')
			return 0;
	}
	return n <= IKE_MAX_FETCHED ? n : 0;
}

int kept_parse(struct kept *k, const char *text, size_t len)
{
	const char *end = text + len, *uri;
	size_t uri_len;

	if (len < sizeof(first_line) - 1 || memcmp(text, first_line, sizeof(first_line) - 1))
		return -EINVAL;
	for (text += sizeof(first_line) - 1; text < end;) {
		const char *data = memchr(text, '\n', (size_t)(end - text));
		size_t n = data ? parse_line(text, (size_t)(data - text), &uri, &uri_len) : 0;
		struct crl *c;

		if (!n || (size_t)(end - ++data) <= n || data[n] != '\n')
			return -EINVAL;
		c = make_crl(uri, uri_len, data, n);
		if (!c)
			return -ENOMEM;
		put_crl(&k->used, c);
		text = data + n + 1;
	}
	return 0;
}

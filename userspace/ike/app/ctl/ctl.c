// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ike/app/ctl/ctl.h"
#include "ike/io/listen.h"

struct client {
	struct ctl *ctl;
	struct client *next;
	struct bufferevent *bev;
	struct ctl_request *open; /* the one being answered; the next line waits */
};

struct ctl_request {
	struct client *client; /* NULL once the asker is gone */
	unsigned int depth; /* of lists that have begun */
	bool has_items; /* the innermost one */
};

struct ctl {
	struct event_base *base;
	struct evconnlistener *listener;
	struct client *clients;
	unsigned int n_clients;
	ctl_fn fn;
	void *ctx;
};

static void client_free(struct client *c)
{
	struct client **at = &c->ctl->clients;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	c->ctl->n_clients--;
	if (c->open)
		c->open->client = NULL;
	bufferevent_free(c->bev);
	free(c);
}

static void put_text(struct client *c, const char *text, size_t len)
{
	bufferevent_write(c->bev, text, len);
}

/* An object, without its last @cut octets. Whoever asked waits for one, so that there must be one. */
static void put_object(struct client *c, const json_t *answer, size_t cut)
{
	static const char no_memory[] = "{\"ok\":false,\"error\":\"out of memory\"}";
	char *made = answer ? json_dumps(answer, JSON_COMPACT | JSON_REAL_PRECISION(10)) : NULL;
	const char *text = made ? made : no_memory;

	put_text(c, text, strlen(text) - cut);
	free(made);
}

static void put(struct client *c, const json_t *answer)
{
	put_object(c, answer, 0);
	put_text(c, "\n", 1);
}

static void refuse(struct client *c, const char *why)
{
	json_t *answer = json_pack("{s:b,s:s}", "ok", 0, "error", why);

	put(c, answer);
	json_decref(answer);
}

/* One line asked. */
static void ask(struct client *c, const char *line, size_t len)
{
	json_t *what = json_loadb(line, len, 0, NULL);

	if (!json_is_object(what)) {
		refuse(c, "a request is one JSON object in a line, such as {\"cmd\":\"status\"}");
		json_decref(what);
		return;
	}
	c->open = calloc(1, sizeof(*c->open));
	if (c->open) {
		c->open->client = c;
		c->ctl->fn(c->ctl->ctx, c->open, what);
	} else {
		put(c, NULL);
	}
	json_decref(what);
}

/* Does the client leave its answers lying? Then it gets no more of them. */
static bool unread(const struct client *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->bev)) >= CTL_MAX_UNREAD;
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);

	while (!c->open && !unread(c)) {
		size_t len;
		char *line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);

		if (!line)
			break;
		ask(c, line, len);
		free(line);
	}
	if (!c->open && !unread(c) && evbuffer_get_length(in) >= CTL_MAX_LINE)
		client_free(c);
}

/* All was read: go on with the requests that waited for it. */
static void on_written(struct bufferevent *bev, void *arg)
{
	on_read(bev, arg);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		client_free(arg);
}

/* Root, or who runs the agent: the mode says so already, this holds if it is loosened. */
static bool welcome(int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) &&
	       (cred.uid == 0 || cred.uid == geteuid());
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *addr,
		      int len, void *arg)
{
	struct ctl *ctl = arg;
	struct client *c;

	(void)listener;
	(void)addr;
	(void)len;
	c = welcome(fd) && ctl->n_clients < CTL_MAX_CLIENTS ? calloc(1, sizeof(*c)) : NULL;
	if (c)
		c->bev = bufferevent_socket_new(ctl->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c || !c->bev) {
		free(c);
		close(fd);
		return;
	}
	c->ctl = ctl;
	c->next = ctl->clients;
	ctl->clients = c;
	ctl->n_clients++;
	bufferevent_setcb(c->bev, on_read, on_written, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, CTL_MAX_LINE);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

struct ctl *ctl_open(struct event_base *base, const char *path, ctl_fn fn, void *ctx, char *err,
		     size_t err_size)
{
	int fd = listen_unix(path, 0600, "control socket", "--socket", err, err_size);
	struct ctl *ctl;

	if (fd < 0)
		return NULL;
	ctl = calloc(1, sizeof(*ctl));
	if (ctl) {
		ctl->base = base;
		ctl->fn = fn;
		ctl->ctx = ctx;
		ctl->listener = evconnlistener_new(
			base, on_accept, ctl, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	}
	if (!ctl || !ctl->listener) {
		snprintf(err, err_size, "cannot listen on %s: %s", path, strerror(errno));
		free(ctl);
		close(fd);
		return NULL;
	}
	return ctl;
}

void ctl_close(struct ctl *ctl)
{
	if (!ctl)
		return;
	while (ctl->clients) {
		bufferevent_flush(ctl->clients->bev, EV_WRITE, BEV_FINISHED);
		client_free(ctl->clients);
	}
	evconnlistener_free(ctl->listener);
	free(ctl);
}

/* It is answered. */
static void end_request(struct ctl_request *q)
{
	struct client *c = q->client;

	free(q);
	if (!c)
		return;
	c->open = NULL;
	/* The next line, if it came meanwhile. */
	bufferevent_trigger(c->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_OPT_DEFER_CALLBACKS);
}

void ctl_answer(struct ctl_request *q, json_t *what)
{
	if (q->client)
		put(q->client, what);
	json_decref(what);
	end_request(q);
}

static void put_item(struct ctl_request *q, const json_t *item, size_t cut)
{
	if (q->client && q->has_items)
		put_text(q->client, ",", 1);
	if (q->client)
		put_object(q->client, item, cut);
}

void ctl_list_begin(struct ctl_request *q, json_t *head, const char *key)
{
	put_item(q, head, 1);
	if (q->client) {
		put_text(q->client, ",\"", 2);
		put_text(q->client, key, strlen(key));
		put_text(q->client, "\":[", 3);
	}
	q->depth++;
	q->has_items = false;
	json_decref(head);
}

bool ctl_list_add(struct ctl_request *q, json_t *item)
{
	put_item(q, item, 0);
	q->has_items = true;
	json_decref(item);
	return q->client;
}

bool ctl_is_heard(const struct ctl_request *q)
{
	return q->client;
}

void ctl_list_end(struct ctl_request *q)
{
	if (q->client)
		put_text(q->client, "]}", 2);
	q->has_items = true; /* of the list around it */
	if (--q->depth)
		return;
	if (q->client)
		put_text(q->client, "\n", 1);
	end_request(q);
}

json_t *ctl_text(const char *text)
{
	json_t *value = json_string(text);
	char *plain = value ? NULL : strdup(text);

	for (char *s = plain; s && *s; s++) {
		if (*s < ' ' || *s > '~')
			*s = '?';
	}
	if (plain)
		value = json_string(plain);
	free(plain);
	return value;
}

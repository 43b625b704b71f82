// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "ike/io/loop.h"

struct loop {
	struct event_base *base;
	struct event *timer;
	int timerfd;
	uint64_t set_to; /* ms; UINT64_MAX: off */
	void (*due)(void *ctx);
	void *ctx;
};

uint64_t loop_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t loop_awake(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	uint64_t expirations;

	(void)what;
	if (read(fd, &expirations, sizeof(expirations)) < 0)
		return; /* set anew since it fired */
	l->set_to = UINT64_MAX;
	l->due(l->ctx);
}

struct loop *loop_new(void (*due)(void *ctx), void *ctx)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->due = due;
	l->ctx = ctx;
	l->set_to = UINT64_MAX;
	l->timerfd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	l->base = event_base_new();
	if (l->timerfd >= 0 && l->base)
		l->timer = event_new(l->base, l->timerfd, EV_READ | EV_PERSIST, on_timer, l);
	if (!l->timer || event_add(l->timer, NULL)) {
		loop_free(l);
		errno = ENOMEM;
		return NULL;
	}
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	if (l->timer)
		event_free(l->timer);
	if (l->base)
		event_base_free(l->base);
	if (l->timerfd >= 0)
		close(l->timerfd);
	free(l);
}

struct event_base *loop_base(struct loop *l)
{
	return l->base;
}

void loop_wake_at(struct loop *l, uint64_t when)
{
	struct itimerspec at = { 0 };

	if (when == l->set_to)
		return;
	l->set_to = when;
	if (when != UINT64_MAX) {
		at.it_value.tv_sec = (time_t)(when / 1000);
		/* All zero would disarm it. */
		at.it_value.tv_nsec = (long)(when % 1000) * 1000000 + !when;
	}
	timerfd_settime(l->timerfd, TFD_TIMER_ABSTIME, &at, NULL);
}

int loop_run(struct loop *l)
{
	return event_base_dispatch(l->base) < 0 ? -1 : 0;
}

void loop_stop(struct loop *l)
{
	event_base_loopbreak(l->base);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cli/control.h"
#include "common/clock.h"

#define CONTROL_PATH "/run/esptun/control"

/* A reply longer than this is no reply of ours: 16384 tunnels have less to say. */
#define REPLY_MAX (64 * 1024 * 1024)

#define TICK 500 /* ms between two calls of control_tick.fn */
#define PATIENCE 30 /* seconds beyond these, for an agent that has much to do */

/* The descriptor, or -1 with a sentence in @err. */
static int control_connect(const char *path, char *err, size_t size)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	/* connect() and send() wait for an agent that is stuck, too */
	struct timeval patience = { .tv_sec = PATIENCE };
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		snprintf(err, size, "control socket path %s is too long", path);
		return -1;
	}
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	if (errno == EACCES || errno == EPERM)
		snprintf(err, size, "not permitted to talk to the agent at %s; run as root", path);
	else if (errno == ENOENT || errno == ECONNREFUSED)
		snprintf(
			err, size,
			"the agent is not running (no one listens at %s); start it with: systemctl start esptund",
			path);
	else if (errno == EAGAIN)
		snprintf(err, size,
			 "the agent takes no requests; see its log: journalctl -u esptund");
	else
		snprintf(err, size, "cannot connect to %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int send_request(int fd, json_t *request)
{
	char *line = json_dumps(request, JSON_COMPACT);
	size_t len, done = 0;
	ssize_t n = 0;

	if (!line)
		return -1;
	len = strlen(line);
	line[len++] = '\n'; /* in place of the NUL */
	while (done < len && n >= 0) {
		n = send(fd, line + done, len - done, MSG_NOSIGNAL);
		if (n > 0)
			done += (size_t)n;
	}
	free(line);
	return done == len ? 0 : -1;
}

/* Something came, or the end. False at the deadline. */
static bool wait_readable(int fd, int64_t deadline, const struct control_tick *tick)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t left;

	while ((left = deadline - clock_ms()) > 0) {
		int n = poll(&p, 1, (int)(tick && left > TICK ? TICK : left));

		if (n > 0)
			return true;
		if (n == 0 && !tick)
			return false;
		if (n < 0 && errno != EINTR)
			return false;
		if (n == 0)
			tick->fn(tick->ctx);
	}
	return false;
}

/* A line, or what there is at the end: its length, -1 if none came in time. */
static ssize_t read_line(int fd, int64_t deadline, const struct control_tick *tick, char **line)
{
	size_t len = 0, size = 0;
	char *grown, *end;
	ssize_t n;

	for (*line = NULL;;) {
		if (len == size) {
			size = size ? 2 * size : 4096;
			grown = size <= REPLY_MAX ? realloc(*line, size) : NULL;
			if (!grown)
				return -1;
			*line = grown;
		}
		if (!wait_readable(fd, deadline, tick))
			return -1;
		n = recv(fd, *line + len, size - len, 0);
		if (n <= 0)
			return n ? -1 : (ssize_t)len;
		end = memchr(*line + len, '\n', (size_t)n);
		if (end)
			return end - *line;
		len += (size_t)n;
	}
}

static json_t *read_reply(int fd, unsigned int seconds, const struct control_tick *tick)
{
	char *line;
	ssize_t n = read_line(fd, clock_ms() + (int64_t)seconds * 1000, tick, &line);
	json_t *reply = n > 0 ? json_loadb(line, (size_t)n, 0, NULL) : NULL;

	free(line);
	return reply;
}

/*
 * Identities and messages come from peers: replace what a terminal would obey, C0
 * and C1 (ISO 6429), the latter as UTF-8.
 */
void control_make_printable(json_t *v)
{
	const char *key;
	json_t *item;
	char *copy, *c;
	size_t i;

	json_object_foreach(v, key, item)
		control_make_printable(item);
	json_array_foreach(v, i, item)
		control_make_printable(item);
	if (!json_is_string(v))
		return;
	copy = strdup(json_string_value(v));
	for (c = copy; c && *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
		else if (c[0] == '\xc2' && (unsigned char)c[1] < 0xa0)
			c[0] = c[1] = '?';
	}
	json_string_set(v, copy ? copy : "");
	free(copy);
}

json_t *control_exchange(const struct cli *cli, json_t *request, unsigned int seconds,
			 const struct control_tick *tick, char *err, size_t size)
{
	int fd = control_connect(cli->control ? cli->control : CONTROL_PATH, err, size);
	json_t *reply = NULL;

	if (fd >= 0 && !send_request(fd, request))
		reply = read_reply(fd, seconds + PATIENCE, tick);
	json_decref(request);
	if (fd < 0)
		return NULL;
	close(fd);
	if (json_is_object(reply))
		return reply;
	json_decref(reply);
	snprintf(err, size, "the agent gave no answer; see its log: journalctl -u esptund");
	return NULL;
}

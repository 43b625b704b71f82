// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptun up, down, status: one JSON line to the agent's control socket, one
 * line back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cli/cli.h"

const char usage_agent[] = "Usage: esptun up NAME\n"
			   "       esptun down NAME\n"
			   "       esptun status [NAME]\n"
			   "Asks the agent, esptund, to bring up or take down the tunnel of\n"
			   "/etc/esptun/NAME.conf, or how its tunnels are.\n";

#define CONTROL_PATH "/run/esptun/control"

/* A reply longer than this is no reply of ours. */
#define REPLY_MAX (4 * 1024 * 1024)

static int control_connect(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		cli_error("control socket path %s is too long", path);
		return -1;
	}
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	if (errno == EACCES || errno == EPERM)
		cli_error("not permitted to talk to the agent at %s; run as root", path);
	else if (errno == ENOENT || errno == ECONNREFUSED)
		cli_error(
			"the agent is not running (no one listens at %s); start it with: systemctl start esptund",
			path);
	else
		cli_error("cannot connect to %s: %s", path, strerror(errno));
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

static json_t *read_reply(int fd)
{
	FILE *f = fdopen(dup(fd), "re");
	json_t *reply = NULL;
	size_t size = 0;
	char *line = NULL;
	ssize_t n;

	if (!f)
		return NULL;
	n = getline(&line, &size, f);
	if (n > 0 && n <= REPLY_MAX)
		reply = json_loadb(line, (size_t)n, 0, NULL);
	free(line);
	fclose(f);
	return reply;
}

/* Ask the agent; prints errors. Returns the reply or NULL. */
static json_t *ask(struct cli *cli, const char *cmd, const char *tunnel)
{
	int fd = control_connect(cli->control ? cli->control : CONTROL_PATH);
	json_t *request, *reply = NULL;

	if (fd < 0)
		return NULL;
	request = json_pack("{ss}", "cmd", cmd);
	if (tunnel)
		json_object_set_new(request, "tunnel", json_string(tunnel));
	if (!send_request(fd, request))
		reply = read_reply(fd);
	json_decref(request);
	close(fd);
	if (!json_is_object(reply)) {
		cli_error("the agent gave no answer; see its log: journalctl -u esptund");
		json_decref(reply);
		return NULL;
	}
	if (!json_is_true(json_object_get(reply, "ok"))) {
		const char *text = json_string_value(json_object_get(reply, "error"));

		cli_error("%s", text ? text : "the agent refused");
		json_decref(reply);
		return NULL;
	}
	return reply;
}

/* A value as "key value" words; objects and arrays indented below. */
static void print_value(const char *key, json_t *v, int indent);

static bool is_scalar(const json_t *v)
{
	return !json_is_object(v) && !json_is_array(v);
}

static void print_scalar(json_t *v)
{
	char *text;

	if (json_is_string(v)) {
		fputs(json_string_value(v), stdout);
		return;
	}
	text = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
	fputs(text ? text : "?", stdout);
	free(text);
}

static void print_members(json_t *o, int indent)
{
	const char *key;
	json_t *v;

	json_object_foreach(o, key, v)
		print_value(key, v, indent);
}

static void print_value(const char *key, json_t *v, int indent)
{
	json_t *item;
	size_t i;

	if (is_scalar(v)) {
		printf("%*s%s ", indent, "", key);
		print_scalar(v);
		putchar('\n');
	} else if (json_is_object(v)) {
		printf("%*s%s\n", indent, "", key);
		print_members(v, indent + 4);
	} else {
		json_array_foreach(v, i, item)
			print_value(key, item, indent);
	}
}

static int run(struct cli *cli, struct args *a, const char *cmd, bool needs_name)
{
	const char *tunnel = args_next(a);
	json_t *reply;

	if (tunnel && args_abbrev(tunnel, "help")) {
		fputs(usage_agent, stdout);
		return 0;
	}
	if (needs_name && !tunnel) {
		args_fail(a, "%s needs the name of a tunnel: esptun %s NAME", cmd, cmd);
		return cli_usage_error(a);
	}
	if (a->argc) {
		args_fail(a, "unexpected \"%.40s\"; usage: esptun %s NAME", a->argv[0], cmd);
		return cli_usage_error(a);
	}
	reply = ask(cli, cmd, tunnel);
	if (!reply)
		return EXIT_KERNEL;
	if (cli->json) {
		print_json(cli, reply);
		return 0;
	}
	json_object_del(reply, "ok");
	print_members(reply, 0);
	json_decref(reply);
	return 0;
}

int cmd_up(struct cli *cli, struct args *a)
{
	return run(cli, a, "up", true);
}

int cmd_down(struct cli *cli, struct args *a)
{
	return run(cli, a, "down", true);
}

int cmd_status(struct cli *cli, struct args *a)
{
	return run(cli, a, "status", false);
}

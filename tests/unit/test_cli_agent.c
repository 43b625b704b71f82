// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * up, down, status and reload against an agent that answers as told: what is asked,
 * what is printed, and which exit code comes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "cli/cli.h"

#define MAX_OUTPUT 8192

struct run {
	char asked[512]; /* the line the agent got */
	char out[MAX_OUTPUT], err[MAX_OUTPUT];
	int code;
};

static char dir[] = "/tmp/esptun-ctl-XXXXXX";
static char path[64];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/control", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static int listening(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	unlink(path);
	strcpy(addr.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* One client: read a line, write @answer, hang up. */
static void serve(int fd, const char *answer, int asked)
{
	int client = accept(fd, NULL, NULL);
	char line[512];
	ssize_t n;

	do { /* what is left unread when we hang up would take the answer away */
		n = read(client, line, sizeof(line));
		if (n > 0 && write(asked, line, (size_t)n) != n)
			_exit(1);
	} while (n > 0 && line[n - 1] != '\n');
	if (write(client, answer, strlen(answer)) < 0)
		_exit(1);
	_exit(0);
}

static void slurp(FILE *f, char *buf, size_t size)
{
	size_t n;

	rewind(f);
	n = fread(buf, 1, size - 1, f);
	buf[n] = '\0';
	fclose(f);
}

/* Run the command line with stdout and stderr caught. */
static int caught(int argc, char **argv, struct run *r)
{
	FILE *out = tmpfile(), *err = tmpfile();
	int old_out, old_err, code;

	fflush(stdout);
	old_out = dup(STDOUT_FILENO);
	old_err = dup(STDERR_FILENO);
	dup2(fileno(out), STDOUT_FILENO);
	dup2(fileno(err), STDERR_FILENO);
	code = cli_main(argc, argv);
	fflush(stdout);
	dup2(old_out, STDOUT_FILENO);
	dup2(old_err, STDERR_FILENO);
	close(old_out);
	close(old_err);
	slurp(out, r->out, sizeof(r->out));
	slurp(err, r->err, sizeof(r->err));
	return code;
}

static void run(struct run *r, const char *answer, const char *words)
{
	char text[256], *argv[16] = { 0 }, *save, *word;
	int fd = listening(), asked[2], argc = 0;
	ssize_t n;
	pid_t pid;

	memset(r, 0, sizeof(*r));
	assert_int_equal(pipe(asked), 0);
	pid = fork();
	if (!pid)
		serve(fd, answer, asked[1]);
	close(fd);
	close(asked[1]);
	snprintf(text, sizeof(text), "esptun -control %s %s", path, words);
	for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	r->code = caught(argc, argv, r);
	n = read(asked[0], r->asked, sizeof(r->asked) - 1);
	assert_true(n > 0);
	close(asked[0]);
	waitpid(pid, NULL, 0);
}

static void contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in: %s", part, text);
}

static void status(void **state)
{
	struct run r;

	(void)state;
	run(&r,
	    "{\"ok\":true,\"tunnels\":[{\"name\":\"hq\",\"state\":\"up\",\"routes\":[\"10.0.0.0/8\"],\"told_routes\":[\"10.7.0.0/16\"],"
	    "\"ike\":{\"local\":\"192.0.2.1:4500\",\"nat_local\":true,\"mobike\":true,\"ppk\":\"used\",\"cautions\":[\"modp1024 is broken\",7],\"remote_id\":\"vpn\"},"
	    "\"children\":[{\"name\":\"lan\",\"state\":\"up\",\"spi_in\":\"0xc0ffee01\"},"
	    "{\"name\":\"voice\",\"state\":\"down\"}],\"peer\":{\"rx_packets\":41},"
	    "\"counters\":{\"rx_replay\":3}},"
	    "{\"name\":\"b\",\"state\":\"connecting\",\"error\":\"no answer\",\"error_age\":2}]}\n",
	    "status");
	assert_int_equal(r.code, 0);
	assert_string_equal(r.asked, "{\"cmd\":\"status\"}\n");
	contains(r.out, "hq: up");
	contains(r.out, "routes 10.0.0.0/8");
	contains(r.out, "    told-routes 10.7.0.0/16\n");
	contains(r.out, "192.0.2.1:4500 behind NAT");
	contains(r.out, "esp lan ");
	contains(r.out, " mobike ppk\n        warning: modp1024 is broken\n");
	contains(r.out, "0xc0ffee01");
	contains(r.out, "esp down: voice");
	contains(r.out, "rx packets 41");
	contains(r.out, "rx-replay 3");
	contains(r.out, "error: no answer (2.0s ago)");
	run(&r,
	    "{\"ok\":true,\"folder\":\"/etc/esptun\",\"tunnels\":[{\"name\":\"b\"}],\"files\":["
	    "{\"name\":\"a\",\"state\":\"new\"},{\"name\":\"b\",\"state\":\"changed\"},"
	    "{\"name\":\"c\",\"state\":\"gone\"},{\"name\":\"d\",\"state\":\"odd\"}]}\n",
	    "status");
	contains(r.out, "/etc/esptun/a.conf is not loaded: esptun up a\n");
	contains(r.out, "/etc/esptun/b.conf has changed since it was read: esptun reload\n");
	contains(r.out, "/etc/esptun/c.conf is gone, but not its tunnel: esptun reload\n");
	run(&r, "{\"ok\":true,\"folder\":\"/run/x\",\"files\":[],\"tunnels\":[]}\n", "status");
	assert_string_equal(r.out, "no tunnels: there is no file NAME.conf in /run/x\n");
	run(&r, "{\"ok\":true,\"tunnels\":[]}\n", "-j status hq");
	assert_string_equal(r.asked, "{\"cmd\":\"status\",\"tunnel\":\"hq\"}\n");
	assert_string_equal(r.out, "{\"ok\":true,\"tunnels\":[]}\n");
}

static void up_down_reload(void **state)
{
	struct run r;

	(void)state;
	run(&r, "{\"ok\":true,\"tunnel\":{\"name\":\"hq\",\"state\":\"up\"}}\n", "up hq timeout 5");
	assert_int_equal(r.code, 0);
	assert_string_equal(r.asked, "{\"cmd\":\"up\",\"tunnel\":\"hq\",\"timeout\":5}\n");
	assert_string_equal(r.out, "hq: up\n");
	run(&r, "{\"ok\":true}\n", "down hq");
	assert_int_equal(r.code, 0);
	assert_string_equal(r.asked, "{\"cmd\":\"down\",\"tunnel\":\"hq\"}\n");
	run(&r, "{\"ok\":true,\"added\":[\"a\",\"b\"],\"removed\":[],\"changed\":[]}\n", "reload");
	assert_int_equal(r.code, 0);
	assert_string_equal(r.out, "added: a b\n");
}

static void refusals(void **state)
{
	struct run r;

	(void)state;
	run(&r, "{\"ok\":false,\"error\":\"hq is not up: AUTHENTICATION_FAILED\"}\n", "up hq");
	assert_int_equal(r.code, EXIT_KERNEL);
	assert_string_equal(r.err, "Error: hq is not up: AUTHENTICATION_FAILED\n");
	run(&r, "{\"ok\":false,\"error\":\"a:1: x\",\"errors\":[\"a:1: x\",\"b:2: y\"]}\n",
	    "reload");
	assert_int_equal(r.code, EXIT_KERNEL);
	contains(r.err, "a:1: x");
	contains(r.err, "b:2: y");
}

/* As ip does it: a line each, colors, and errors that programs can read. */
static void other_forms(void **state)
{
	static const char answer[] =
		"{\"ok\":true,\"tunnels\":[{\"name\":\"hq\",\"state\":\"up\",\"endpoint\":\"vpn\","
		"\"routes\":[\"10.0.0.0/8\"],\"ike\":{\"remote\":\"192.0.2.1:4500\"}},"
		"{\"name\":\"b\",\"state\":\"connecting\",\"endpoint\":\"vpn\"}]}\n";
	struct run r;

	(void)state;
	run(&r, answer, "-br status");
	assert_string_equal(r.out, "hq               up         192.0.2.1:4500         10.0.0.0/8\n"
				   "b                connecting vpn                   \n");
	run(&r, answer, "-o status");
	contains(r.out, "hq: up endpoint vpn\\    routes 10.0.0.0/8\\");
	assert_ptr_equal(strchr(r.out, '\n') + 1, strstr(r.out, "b: connecting"));
	run(&r, answer, "-c -br status");
	contains(r.out, "\033[36mhq              \033[0m \033[32mup        \033[0m");
	run(&r, answer, "-c=auto -br status");
	assert_null(strchr(r.out, '\033'));
	run(&r, answer, "-c -j status");
	assert_string_equal(r.out, answer);
	run(&r, "{\"ok\":false,\"error\":\"a:1: x\",\"errors\":[\"a:1: x\",\"b:2: y\"]}\n",
	    "-j reload");
	assert_int_equal(r.code, EXIT_KERNEL);
	assert_string_equal(r.out, "");
	assert_string_equal(
		r.err, "{\"ok\":false,\"error\":\"a:1: x\",\"errors\":[\"a:1: x\",\"b:2: y\"]}\n");
	run(&r, "none", "-j status");
	contains(r.err, "{\"error\":\"the agent gave no answer");
}

/* A tunnel's file is as good as its name. */
static void names_of_files(void **state)
{
	static const char *const words[] = { "up hq.conf", "up /etc/esptun/hq.conf",
					     "up /etc/esptun/hq" };
	struct run r;

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		run(&r, "{\"ok\":true}\n", words[i]);
		assert_string_equal(r.asked, "{\"cmd\":\"up\",\"tunnel\":\"hq\"}\n");
	}
	run(&r, "{\"ok\":true}\n", "down .conf");
	assert_string_equal(r.asked, "{\"cmd\":\"down\",\"tunnel\":\".conf\"}\n");
	run(&r, "{\"ok\":true,\"tunnels\":[]}\n", "status hq.conf");
	assert_string_equal(r.asked, "{\"cmd\":\"status\",\"tunnel\":\"hq\"}\n");
}

static void status_of_rounds(void **state)
{
	struct run r;

	(void)state;
	run(&r,
	    "{\"ok\":true,\"tunnels\":[{\"name\":\"hq\",\"state\":\"up\",\"ike\":{\"local\":\"192.0.2.1:4500\","
	    "\"local_id\":\"carol\",\"local_auth\":\"psk, eap\",\"remote\":\"192.0.2.2:4500\",\"remote_id\":\"vpn\","
	    "\"remote_auth\":\"pubkey\"}},{\"name\":\"hub\",\"state\":\"up\",\"clients\":[{\"id\":\"dave\",\"state\":\"up\",\"peer_id\":2,"
	    "\"ike\":{\"remote\":\"192.0.2.3:4500\",\"remote_auth\":\"pubkey, eap\",\"first_id\":\"CN=\\u001blaptop\"}}]}]}\n",
	    "status");
	assert_int_equal(r.code, 0);
	contains(r.out, "local 192.0.2.1:4500 id carol by psk, eap\n");
	contains(r.out, "remote 192.0.2.2:4500 id vpn\n");
	contains(r.out,
		 "client dave: up peer 2 at 192.0.2.3:4500 by pubkey, eap first as CN=?laptop");
}

/* What a peer chose cannot move the cursor; letters beyond ASCII stay. */
static void hostile_strings(void **state)
{
	struct run r;

	(void)state;
	run(&r,
	    "{\"ok\":true,\"tunnels\":[{\"name\":\"hq\",\"state\":\"up\",\"ike\":{\"remote_id\":"
	    "\"\\u001b[2J\\u009b\\n\\u007f\xc3\xa9\"}}]}\n",
	    "status");
	assert_int_equal(r.code, 0);
	contains(r.out, "id ?[2J????\xc3\xa9");
	assert_null(strchr(r.out, '\033'));
	run(&r, "{\"ok\":false,\"error\":\"\\u001b[2J\"}\n", "up hq");
	contains(r.err, "Error: ?[2J");
}

static void radius_servers(void **state)
{
	struct run r;

	(void)state;
	run(&r,
	    "{\"ok\":true,\"tunnels\":[{\"name\":\"hub\",\"state\":\"up\",\"radius\":["
	    "{\"server\":\"192.0.2.9:1812\",\"state\":\"alive\",\"requests\":5,\"answers\":4,"
	    "\"accepts\":2,\"rejects\":1,\"accounting\":{\"server\":\"192.0.2.9:1813\","
	    "\"state\":\"dead\",\"requests\":3,\"answers\":1}},"
	    "{\"server\":\"[2001:db8::9]:1812\",\"state\":\"unknown\",\"requests\":0,"
	    "\"answers\":0,\"accepts\":0,\"rejects\":0}],\"radius_records\":2}]}\n",
	    "status");
	assert_string_equal(
		r.out,
		"hub: up\n"
		"    radius 192.0.2.9:1812 alive requests 5 answers 4 accepts 2 rejects 1\n"
		"    radius accounting 192.0.2.9:1813 dead requests 3 answers 1\n"
		"    radius [2001:db8::9]:1812 unknown requests 0 answers 0 accepts 0 rejects 0\n"
		"    radius records waiting 2\n");
	run(&r,
	    "{\"ok\":true,\"tunnels\":[{\"name\":\"hub\",\"radius\":[1,{\"accounting\":[]}]}]}\n",
	    "status");
	assert_int_equal(r.code, 0);
}

static void pool(void **state)
{
	static const char answer[] =
		"{\"ok\":true,\"pools\":[{\"ipv4\":{\"size\":253,\"leased\":2,\"held\":1,\"free\":251},"
		"\"name\":\"hub\",\"ranges\":[\"10.9.0.2-10.9.0.254\"],\"clients\":5,\"leases\":["
		"{\"address\":\"10.9.0.3\",\"id\":\"bob\",\"state\":\"offline\",\"since\":1764478800},"
		"{\"address\":\"10.9.0.2\",\"state\":\"online\",\"peer_id\":7}]}]}\n";
	struct run r;

	(void)state;
	setenv("TZ", "UTC", 1);
	run(&r, answer, "pool show hub");
	assert_int_equal(r.code, 0);
	assert_string_equal(r.asked, "{\"cmd\":\"pool\",\"tunnel\":\"hub\"}\n");
	assert_string_equal(r.out, "hub: range 10.9.0.2-10.9.0.254 clients at most 5\n"
				   "    ipv4 size 253 leased 2 in use 1 free 251\n"
				   "    10.9.0.3 offline since 2025-11-30 05:00:00 bob\n"
				   "    10.9.0.2 online (not back yet) peer 7\n");
	run(&r, answer, "-br pool");
	assert_string_equal(r.asked, "{\"cmd\":\"pool\"}\n");
	assert_null(strstr(r.out, "bob"));
	run(&r, answer, "-j pool show");
	assert_string_equal(r.out, answer);
	run(&r, "{\"ok\":true,\"pools\":[]}\n", "po s");
	assert_string_equal(r.out, "no tunnel has a [Pool]\n");
	run(&r, "{\"ok\":true,\"pools\":[7,{\"leases\":[1,{\"since\":\"x\"}]}]}\n", "pool");
	assert_int_equal(r.code, 0);
	run(&r, "{\"ok\":false,\"error\":\"hq gives no addresses\"}\n", "pool show hq");
	assert_int_equal(r.code, EXIT_KERNEL);
	contains(r.err, "Error: hq gives no addresses");
}

/* Answers that are none. */
static void broken_answers(void **state)
{
	static const char *const answers[] = { "",     "\n",	       "not json\n",
					       "[]\n", "{\"ok\":true", "{\"ok\":true,\"ok\"}\n" };
	struct run r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		run(&r, answers[i], "status");
		assert_int_equal(r.code, EXIT_KERNEL);
		contains(r.err, "gave no answer");
	}
	run(&r, "{\"ok\":true,\"tunnels\":{\"name\":[]},\"tunnel\":7,\"added\":\"x\"}\n", "status");
	assert_int_equal(r.code, 0);
	run(&r, "{\"ok\":true,\"tunnels\":[7,\"x\",{\"ike\":1,\"routes\":[2],\"peer\":[]}]}\n",
	    "status");
	assert_int_equal(r.code, 0);
}

static int patience; /* ms, of the last poll() */

/* In place of libc's: notes how long the user would wait, waits shorter. */
int poll(struct pollfd *fds, nfds_t n, int ms)
{
	struct timespec t = { .tv_nsec = 200000000 };

	patience = ms;
	return (int)syscall(SYS_ppoll, fds, n, &t, NULL, 0);
}

/* An agent that is stuck: the socket listens, nobody answers. */
static void no_answer_in_time(void **state)
{
	static const struct {
		const char *words;
		int least, most;
	} rows[] = {
		{ "status", 29000, 30000 },
		{ "reload", 29000, 30000 },
		{ "up hq", 49000, 50000 },
		{ "down hq timeout 0", 29000, 30000 },
		{ "up hq timeout 3599", 3628000, 3629000 },
	};
	struct run r;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char words[64], *save, *argv[8] = { "esptun", "-control", path };
		int fd = listening(), argc = 3;

		strcpy(words, rows[i].words);
		for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save))
			argv[argc++] = w;
		assert_int_equal(caught(argc, argv, &r), EXIT_KERNEL);
		contains(r.err, "gave no answer");
		assert_in_range(patience, rows[i].least, rows[i].most);
		close(fd);
	}
}

/* The agent of the test below: it is asked for the status while somebody waits for up. */
static void serve_slowly(int fd)
{
	static const char status[] =
		"{\"ok\":true,\"tunnels\":[{\"name\":\"hq\",\"state\":\"connecting\",\"step\":\"IKE_SA_INIT\","
		"\"tries\":2,\"endpoint\":\"vpn\\u001b[2J.example\"}]}\n";
	int waits = accept(fd, NULL, NULL);
	char line[512];

	for (unsigned int i = 0; i < 2; i++) {
		int asks = accept(fd, NULL, NULL);

		if (read(asks, line, sizeof(line)) <= 0 || write(asks, status, strlen(status)) < 0)
			_exit(1);
		close(asks);
	}
	if (write(waits, "{\"ok\":false,\"error\":\"no\"}\n", 27) < 0)
		_exit(1);
	_exit(0);
}

/* On a terminal esptun up has a line of what it waits for, which is gone at the end. */
static void progress(void **state)
{
	char *argv[] = { "esptun", "-control", path, "up", "hq", NULL }, seen[1024] = "";
	struct winsize narrow = { .ws_col = 50, .ws_row = 24 };
	int fd = listening(), terminal, other, old;
	const char *last;
	size_t len = 0;
	pid_t pid;

	(void)state;
	assert_int_equal(openpty(&terminal, &other, NULL, NULL, &narrow), 0);
	pid = fork();
	if (!pid)
		serve_slowly(fd);
	close(fd);
	fflush(stderr);
	old = dup(STDERR_FILENO);
	dup2(other, STDERR_FILENO);
	assert_int_equal(cli_main(5, argv), EXIT_KERNEL);
	fflush(stderr);
	dup2(old, STDERR_FILENO);
	fcntl(terminal, F_SETFL, O_NONBLOCK);
	for (ssize_t n; (n = read(terminal, seen + len, sizeof(seen) - 1 - len)) > 0;)
		len += (size_t)n;
	contains(seen, "\r\033[Khq: IKE_SA_INIT sent 2 times, waiting for the ans\r\033[K");
	last = strstr(seen, "Error: no");
	assert_non_null(last);
	assert_memory_equal(last - 3, "\033[K", 3);
	assert_null(strstr(seen, "\033[2J"));
	close(terminal);
	close(other);
	close(old);
	waitpid(pid, NULL, 0);
}

/* More than one tunnel has to say, and than a pipe holds at once. */
static void a_long_answer(void **state)
{
	static char answer[200000];
	struct run r;
	size_t len;

	(void)state;
	len = (size_t)snprintf(answer, sizeof(answer), "{\"ok\":true,\"removed\":[\"");
	memset(answer + len, 'x', sizeof(answer) - len - 5);
	memcpy(answer + sizeof(answer) - 5, "\"]}\n", 5);
	run(&r, answer, "reload");
	assert_int_equal(r.code, 0);
	contains(r.out, "removed: xxx");
}

static void nobody_there(void **state)
{
	char control[64], *argv[] = { "esptun", "-control", control, "status", NULL };
	struct run r;

	(void)state;
	snprintf(control, sizeof(control), "%s/none", dir);
	assert_int_equal(caught(4, argv, &r), EXIT_KERNEL);
	contains(r.err, "the agent is not running");
	contains(r.err, "systemctl start esptund");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status),
		cmocka_unit_test(up_down_reload),
		cmocka_unit_test(refusals),
		cmocka_unit_test(other_forms),
		cmocka_unit_test(names_of_files),
		cmocka_unit_test(hostile_strings),
		cmocka_unit_test(radius_servers),
		cmocka_unit_test(pool),
		cmocka_unit_test(broken_answers),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(no_answer_in_time),
		cmocka_unit_test(progress),
		cmocka_unit_test(a_long_answer),
		cmocka_unit_test(status_of_rounds),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

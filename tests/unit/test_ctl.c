// SPDX-License-Identifier: GPL-2.0-or-later
/* The control socket: requests, late answers, and askers that misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ike/app/agent_int.h"

static struct event_base *base;
static struct ctl *ctl;
static char path[64];
static struct ctl_request *late; /* asked with "later", not answered yet */
static unsigned int asked;
static char big[32768];

static void on_request(void *ctx, struct ctl_request *q, json_t *what)
{
	const char *cmd = json_string_value(json_object_get(what, "cmd"));

	(void)ctx;
	asked++;
	if (cmd && !strcmp(cmd, "later"))
		late = q;
	else if (cmd && !strcmp(cmd, "nothing"))
		ctl_answer(q, NULL);
	else if (cmd && !strcmp(cmd, "big"))
		ctl_answer(q, json_pack("{s:s#}", "big", big, (int)sizeof(big)));
	else
		ctl_answer(q, json_pack("{s:b,s:s}", "ok", 1, "cmd", cmd ? cmd : "none"));
}

static int set_up(void **state)
{
	char err[256];

	(void)state;
	snprintf(path, sizeof(path), "/tmp/test_ctl.%d", (int)getpid());
	unlink(path);
	base = event_base_new();
	ctl = ctl_open(base, path, on_request, NULL, err, sizeof(err));
	late = NULL;
	asked = 0;
	return base && ctl ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	if (late)
		ctl_answer(late, json_object());
	ctl_close(ctl);
	event_base_free(base);
	return unlink(path); /* the agent has it removed by another process */
}

static int dial(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(addr.sun_path, path, strlen(path) + 1);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void turn(void)
{
	for (unsigned int i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	turn();
}

/* What has come so far; "" if nothing, "closed" at the end. */
static const char *heard(int fd)
{
	static char buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);

	if (n == 0)
		return "closed";
	buf[n > 0 ? n : 0] = 0;
	return buf;
}

static void requests_in_order(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, "{\"cmd\":\"a\"}\n{\"cmd\":\"b\"}\n{\"cm");
	assert_string_equal(heard(fd),
			    "{\"ok\":true,\"cmd\":\"a\"}\n{\"ok\":true,\"cmd\":\"b\"}\n");
	say(fd, "d\":\"c\"}\n");
	assert_string_equal(heard(fd), "{\"ok\":true,\"cmd\":\"c\"}\n");
	close(fd);
	turn();
}

static void a_late_answer_holds_up_what_follows(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, "{\"cmd\":\"later\"}\n{\"cmd\":\"b\"}\n");
	assert_string_equal(heard(fd), "");
	assert_int_equal(asked, 1);
	assert_non_null(late);
	ctl_answer(late, json_pack("{s:b}", "ok", 1));
	late = NULL;
	turn();
	assert_string_equal(heard(fd), "{\"ok\":true}\n{\"ok\":true,\"cmd\":\"b\"}\n");
	close(fd);
	turn();
}

static void an_asker_that_left(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, "{\"cmd\":\"later\"}\n");
	close(fd);
	turn();
	assert_non_null(late);
	ctl_answer(late, json_pack("{s:b}", "ok", 1));
	late = NULL;
	turn();
}

static void an_answer_in_parts(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, "{\"cmd\":\"later\"}\n{\"cmd\":\"b\"}\n");
	ctl_list_begin(late, json_pack("{s:b}", "ok", 1), "all");
	assert_true(ctl_list_add(late, json_pack("{s:i}", "n", 1)));
	turn();
	assert_string_equal(heard(fd), "{\"ok\":true,\"all\":[{\"n\":1}");
	assert_true(ctl_list_add(late, json_pack("{s:i}", "n", 2)));
	ctl_list_end(late);
	late = NULL;
	turn();
	assert_string_equal(heard(fd), ",{\"n\":2}]}\n{\"ok\":true,\"cmd\":\"b\"}\n");
	say(fd, "{\"cmd\":\"later\"}\n");
	ctl_list_begin(late, json_pack("{s:b}", "ok", 1), "all");
	assert_true(ctl_list_add(late, json_pack("{s:i}", "n", 1)));
	ctl_list_begin(late, json_pack("{s:i}", "n", 2), "of");
	assert_true(ctl_list_add(late, json_pack("{s:i}", "m", 1)));
	assert_true(ctl_list_add(late, json_pack("{s:i}", "m", 2)));
	ctl_list_end(late);
	ctl_list_begin(late, json_pack("{s:i}", "n", 3), "of");
	ctl_list_end(late);
	ctl_list_end(late);
	late = NULL;
	turn();
	assert_string_equal(
		heard(fd),
		"{\"ok\":true,\"all\":[{\"n\":1},{\"n\":2,\"of\":[{\"m\":1},{\"m\":2}]},{\"n\":3,\"of\":[]}]}\n");
	say(fd, "{\"cmd\":\"later\"}\n");
	ctl_list_begin(late, NULL, "all"); /* memory is out */
	ctl_list_end(late);
	late = NULL;
	turn();
	assert_string_equal(heard(fd), "{\"ok\":false,\"error\":\"out of memory\",\"all\":[]}\n");
	say(fd, "{\"cmd\":\"later\"}\n");
	ctl_list_begin(late, json_pack("{s:b}", "ok", 1), "all");
	close(fd);
	turn();
	assert_false(ctl_list_add(late, json_object()));
	ctl_list_end(late);
	late = NULL;
}

static void what_is_no_request(void **state)
{
	static const char *const rows[] = { "\n",	    "status\n",	   "[]\n",
					    "\"status\"\n", "{\"cmd\":\n", "{\"cmd\":\"\xff\"}\n",
					    "{} {}\n" };
	int fd = dial();

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		say(fd, rows[i]);
		assert_non_null(strstr(heard(fd), "\"ok\":false"));
	}
	assert_int_equal(asked, 0);
	say(fd, "{}\n");
	assert_string_equal(heard(fd), "{\"ok\":true,\"cmd\":\"none\"}\n");
	close(fd);
	turn();
}

static void a_line_without_end(void **state)
{
	char block[4096];
	int fd = dial();

	(void)state;
	memset(block, 'x', sizeof(block));
	for (unsigned int sent = 0; sent < 2 * CTL_MAX_LINE; sent += sizeof(block)) {
		if (send(fd, block, sizeof(block), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			break;
		turn();
	}
	/* Closed with data unread: an error or the end, but no answer. */
	assert_true(recv(fd, block, sizeof(block), MSG_DONTWAIT) <= 0);
	close(fd);
	turn();
}

static void too_many_askers(void **state)
{
	int fds[CTL_MAX_CLIENTS + 1];

	(void)state;
	for (unsigned int i = 0; i <= CTL_MAX_CLIENTS; i++) {
		fds[i] = dial();
		turn();
	}
	assert_string_equal(heard(fds[CTL_MAX_CLIENTS]), "closed");
	say(fds[0], "{\"cmd\":\"a\"}\n");
	assert_string_equal(heard(fds[0]), "{\"ok\":true,\"cmd\":\"a\"}\n");
	for (unsigned int i = 0; i <= CTL_MAX_CLIENTS; i++)
		close(fds[i]);
	turn();
}

/* Who waits for a line gets one. */
static void never_no_answer(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, "{\"cmd\":\"nothing\"}\n");
	assert_string_equal(heard(fd), "{\"ok\":false,\"error\":\"out of memory\"}\n");
	close(fd);
	turn();
}

static void text_of_any_octets(void **state)
{
	json_t *t = ctl_text("caf\xe9\n");

	(void)state;
	assert_string_equal(json_string_value(t), "caf??");
	json_decref(t);
	t = ctl_text("caf\xc3\xa9");
	assert_string_equal(json_string_value(t), "caf\xc3\xa9");
	json_decref(t);
}

/* Sentences that cut a name in the middle of a letter. */
static void never(void *ctx)
{
	(void)ctx;
	fail();
}

static void commands_answer_names_cut_short(void **state)
{
	static const char *const rows[] = {
		"{\"cmd\":\"down\",\"tunnel\":\"%s\"}\n",
		"{\"cmd\":\"up\",\"tunnel\":\"%s\"}\n",
		"{\"cmd\":\"status\",\"tunnel\":\"%s\"}\n",
		"{\"cmd\":\"%s\"}\n",
	};
	struct agent_options options = { .config_dir = "/nowhere" };
	/* Its loop never runs, and there is no core. */
	struct agent agent = { .options = &options, .loop = loop_new(never, NULL) };
	char err[256], line[256], word[128] = "x";
	struct ctl *ours;
	int fd;

	(void)state;
	for (unsigned int i = 0; i < 25; i++)
		strcat(word, "\xc3\xa9");
	ctl_close(ctl);
	ours = ctl_open(base, path, cmd_request, &agent, err, sizeof(err));
	assert_non_null(ours);
	ctl = ours;
	fd = dial();
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(line, sizeof(line), rows[i], word);
		say(fd, line);
		assert_non_null(strstr(heard(fd), "{\"ok\":false,\"error\":\""));
	}
	close(fd);
	turn();
	loop_free(agent.loop);
}

/* Its answers do not fill the memory; they come once it reads. */
static void an_asker_that_does_not_read(void **state)
{
	enum { QUESTIONS = 500 };
	static char buf[65536];
	size_t got = 0;
	int fd = dial();

	(void)state;
	memset(big, 'x', sizeof(big));
	for (unsigned int i = 0; i < QUESTIONS; i++)
		say(fd, "{\"cmd\":\"big\"}\n");
	assert_in_range(asked, 1, 50);
	for (unsigned int i = 0; i < 20 * QUESTIONS && asked < QUESTIONS; i++) {
		ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

		got += n > 0 ? (size_t)n : 0;
		turn();
	}
	assert_int_equal(asked, QUESTIONS);
	assert_true(got > (QUESTIONS - 50) * sizeof(big));
	close(fd);
	turn();
}

static void one_listener_and_its_mode(void **state)
{
	char err[256];
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_null(ctl_open(base, path, on_request, NULL, err, sizeof(err)));
	assert_non_null(strstr(err, "another esptund answers"));
	assert_null(ctl_open(base, "/nowhere/at/all", on_request, NULL, err, sizeof(err)));
	assert_non_null(strstr(err, "cannot make the control socket /nowhere/at/all"));
	turn();
}

static void closing_with_a_question_open(void **state)
{
	char err[256];
	int fd = dial();

	(void)state;
	say(fd, "{\"cmd\":\"later\"}\n");
	ctl_close(ctl);
	ctl_answer(late, json_object());
	late = NULL;
	turn(); /* libevent closes it there */
	assert_string_equal(heard(fd), "closed");
	close(fd);
	ctl = ctl_open(base, path, on_request, NULL, err, sizeof(err));
	assert_non_null(ctl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(requests_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_late_answer_holds_up_what_follows, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_asker_that_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_answer_in_parts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_request, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_line_without_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_many_askers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(never_no_answer, set_up, tear_down),
		cmocka_unit_test(text_of_any_octets),
		cmocka_unit_test_setup_teardown(commands_answer_names_cut_short, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_asker_that_does_not_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_listener_and_its_mode, set_up, tear_down),
		cmocka_unit_test_setup_teardown(closing_with_a_question_open, set_up, tear_down),
	};

	signal(SIGPIPE, SIG_IGN); /* as esptund does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}

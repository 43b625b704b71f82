// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An ike process that somebody has taken over, here a function in a process of its own: whatever it
 * says, the agent survives, does no more than it may be asked to, and starts another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ike/app/core_proc.h"
#include "ike/app/log.h"
#include "ike/io/loop.h"

enum { FLOOD = 200000 };

typedef void (*hostile_fn)(int fd);

static pid_t process; /* the one that runs */
static unsigned int killed;

/* These two take the place of the real ones: @s is what the process does once it is called. */
int spawn_begin(struct spawn *s)
{
	hostile_fn fn = *(hostile_fn *)s;
	int fds[2];
	struct wire w;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds))
		return -errno;
	assert_int_equal(wire_make_room(fds[1], sizeof(w) + 4096), 0);
	process = fork();
	if (!process) {
		close(fds[0]);
		while (wire_get(fds[1], false, &w) == WIRE_OK)
			fn(fds[1]);
		_exit(0);
	}
	close(fds[1]);
	return fds[0];
}

void spawn_kill(struct spawn *s)
{
	(void)s;
	killed++;
	kill(process, SIGKILL);
}

/* ---- what it says ------------------------------------------------------------------------- */

static void say(int fd, enum wire_type type, const void *body, size_t len, uint32_t value)
{
	struct wire_head h = { .type = type, .len = (uint32_t)len, .value = value };

	if (wire_put(fd, &h, body) != WIRE_OK)
		_exit(0);
}

static void says_nothing_of_wire(int fd)
{
	send(fd, "hello", 5, MSG_NOSIGNAL);
}

static void says_too_much(int fd)
{
	static const struct wire w = { .h = { .type = WIRE_ENV_LOG, .len = WIRE_BODY } };
	char *more = calloc(1, sizeof(w) + 4096);

	memcpy(more, &w, sizeof(w));
	send(fd, more, sizeof(w) + 4096, MSG_NOSIGNAL);
	free(more);
}

static void answers_another_question(int fd)
{
	struct ike_core_stats stats = { 0 };

	say(fd, WIRE_RETURN_STATS, &stats, sizeof(stats), 0);
}

static void ends(int fd)
{
	(void)fd;
	_exit(0);
}

static void answers_none(int fd)
{
	say(fd, WIRE_RETURN_STATUS, NULL, 0, 0);
}

static void answers_more_than_asked(int fd)
{
	say(fd, WIRE_RETURN_STATUS, NULL, 0, 2);
}

static void repeats_a_row(int fd)
{
	struct wire_status rows[2] = { { .key = 0 } };

	say(fd, WIRE_RETURN_STATUS, rows, sizeof(rows), 1);
}

static void has_children_without_a_peer(int fd)
{
	struct wire_status row = { .child = 1 };

	say(fd, WIRE_RETURN_STATUS, &row, sizeof(row), 1);
}

static void answers_of_another_key(int fd)
{
	struct wire_status row = { .key = 1 };

	say(fd, WIRE_RETURN_STATUS, &row, sizeof(row), 1);
}

static void floods(int fd)
{
	struct wire_head h = { .type = WIRE_ENV_SEND, .len = 1 };

	for (unsigned int i = 0; i < FLOOD; i++) {
		if (wire_put(fd, &h, "x") != WIRE_OK)
			_exit(0);
	}
	say(fd, WIRE_RETURN, NULL, 0, 0); /* and wants to be called again at time 0 */
}

static void does_not_answer(int fd)
{
	(void)fd;
	pause();
}

static void says_much_but_the_answer(int fd)
{
	for (;;) {
		say(fd, WIRE_ENV_LOG, "wait", 5, IKE_LOG_INFO);
		usleep(100000);
	}
}

static void has_last_words(int fd)
{
	say(fd, WIRE_RETURN, NULL, 0, 0);
	say(fd, WIRE_ENV_LOG, "stopped", 8, IKE_LOG_ERROR);
	_exit(0);
}

static void goes_on_after_the_answer(int fd)
{
	say(fd, WIRE_RETURN, NULL, 0, 0);
	say(fd, WIRE_RETURN, NULL, 0, 0);
}

static void says_it_is_gone(int fd)
{
	struct wire_head h = { .type = WIRE_RETURN, .result = -EPIPE };

	wire_put(fd, &h, NULL);
}

static void has_a_client_twice(int fd)
{
	const uint32_t ids[] = { 9, 4, 9 };

	say(fd, WIRE_RETURN_CLIENTS, ids, sizeof(ids), 0);
}

static void has_client_zero(int fd)
{
	const uint32_t ids[] = { 9, 0 };

	say(fd, WIRE_RETURN_CLIENTS, ids, sizeof(ids), 0);
}

static void has_clients(int fd)
{
	const uint32_t ids[] = { 9, 4, 7 };

	say(fd, WIRE_RETURN_CLIENTS, ids, sizeof(ids), 0);
}

static void is_slow(int fd)
{
	usleep(150000);
	say(fd, WIRE_RETURN, NULL, 0, 0); /* and wants to be called again at time 0 */
}

/* ---- the agent ---------------------------------------------------------------------------- */

static unsigned int sent, lost, logged;

static void on_send(void *ctx, const char *tunnel, const struct ike_datagram *d)
{
	(void)ctx;
	assert_null(tunnel);
	assert_int_equal(d->len, 1);
	sent++;
}

static void on_log(void *ctx, enum ike_log_level level, const char *tunnel, const uint8_t *spi_i,
		   const uint8_t *spi_r, const char *text)
{
	(void)ctx;
	(void)level;
	(void)tunnel;
	(void)spi_i;
	(void)spi_r;
	logged += !strcmp(text, "stopped");
}

static void on_lost(void *ctx)
{
	(void)ctx;
	lost++;
}

static struct core *begin(struct event_base **base, hostile_fn *fn)
{
	const struct ike_env env = { .send = on_send, .log = on_log };
	struct core *c;

	log_open(IKE_LOG_ERROR, false);
	*base = event_base_new();
	c = core_new(*base, (struct spawn *)fn, &env, on_lost, NULL);
	assert_non_null(c);
	return c;
}

static void end(struct event_base *base, struct core *c)
{
	core_free(c);
	event_base_free(base);
	while (wait(NULL) > 0)
		;
}

static void nonsense_ends_it(void **state)
{
	hostile_fn fns[] = { says_nothing_of_wire, says_too_much, answers_another_question,
			     says_it_is_gone, ends };
	struct event_base *base;

	(void)state;
	for (unsigned int i = 0; i < sizeof(fns) / sizeof(fns[0]); i++) {
		struct core *c = begin(&base, &fns[i]);

		assert_int_equal(core_up(c, "vpn0", 1), -EPIPE);
		assert_false(core_runs(c));
		/* Whoever just ends may have left something good. */
		assert_int_equal(core_misbehaved(c), fns[i] != ends);
		assert_int_equal(core_restart(c), 0);
		assert_true(core_runs(c));
		assert_false(core_misbehaved(c));
		end(base, c);
	}
	assert_int_equal(lost, 0); /* who calls hears it as the result */
}

static void clients_are_there_once(void **state)
{
	hostile_fn fns[] = { has_a_client_twice, has_client_zero }, good = has_clients;
	struct event_base *base;
	struct core *c = begin(&base, &good);
	uint32_t ids[8];

	(void)state;
	assert_int_equal(core_clients(c, "vpn0", ids, 8), 3);
	assert_int_equal(ids[0], 4);
	assert_int_equal(ids[1], 7);
	assert_int_equal(ids[2], 9);
	assert_true(core_runs(c));
	end(base, c);
	for (unsigned int i = 0; i < 2; i++) {
		c = begin(&base, &fns[i]);
		assert_int_equal(core_clients(c, "vpn0", ids, 8), 0);
		assert_true(core_misbehaved(c));
		end(base, c);
	}
}

/* Whoever takes long is not called again before others had as long. */
static void slow_ones_wait(void **state)
{
	hostile_fn fn = is_slow;
	struct event_base *base;
	struct core *c = begin(&base, &fn);

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		uint64_t began = loop_now();

		core_timer(c, 1);
		assert_true(core_runs(c));
		assert_true(core_next(c) - began >= 290);
	}
	end(base, c);
}

/* Calls are not waited for without end, nor many of them one after another. */
static void patience_ends(void **state)
{
	hostile_fn fns[] = { does_not_answer, says_much_but_the_answer };
	struct event_base *base;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct core *c = begin(&base, &fns[i]);
		uint64_t began = loop_now(), first;

		killed = 0;
		assert_int_equal(core_up(c, "vpn0", 1), -EPIPE);
		first = loop_now() - began;
		assert_in_range(first, 1000, 60000);
		assert_int_equal(core_up(c, "vpn0", 1), -EPIPE);
		assert_int_equal(killed, 1);
		assert_false(core_runs(c));
		assert_false(core_misbehaved(c)); /* it may have been busy */
		end(base, c);
	}
}

/* The agent's farewell is no call that is waited for as long. */
static void between_calls(void **state)
{
	hostile_fn fn = has_last_words;
	struct event_base *base;
	struct core *c = begin(&base, &fn);

	(void)state;
	lost = logged = 0;
	assert_int_equal(core_up(c, "vpn0", 1), 0);
	while (!lost)
		event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(logged, 1);
	assert_false(core_runs(c));
	fn = goes_on_after_the_answer;
	assert_int_equal(core_restart(c), 0);
	assert_int_equal(core_up(c, "vpn0", 1), 0);
	while (lost == 1)
		event_base_loop(base, EVLOOP_ONCE);
	assert_false(core_runs(c));
	end(base, c);
}

/* To look is not to wait. */
static void looking_does_not_wait(void **state)
{
	static struct wire w;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(wire_make_room(fds[0], sizeof(w)), 0);
	assert_int_equal(wire_look(fds[1], true, &w), WIRE_LATE);
	say(fds[0], WIRE_ENV_LOG, "x", 2, 0);
	assert_int_equal(wire_look(fds[1], true, &w), WIRE_OK);
	close(fds[0]);
	assert_int_equal(wire_look(fds[1], true, &w), WIRE_GONE);
	close(fds[1]);
}

static void rows_make_sense(void **state)
{
	hostile_fn fns[] = { answers_none, answers_more_than_asked, repeats_a_row,
			     has_children_without_a_peer, answers_of_another_key };
	const struct wire_key keys[] = { { "vpn0", 1 } };
	struct event_base *base;
	struct core_rows rows;
	struct ike_status s;

	(void)state;
	for (unsigned int i = 0; i < sizeof(fns) / sizeof(fns[0]); i++) {
		struct core *c = begin(&base, &fns[i]);

		assert_int_equal(core_status_rows(c, keys, 1, &rows), -EPIPE);
		assert_null(rows.v);
		assert_int_equal(core_restart(c), 0);
		assert_int_equal(core_peer_status(c, "vpn0", 1, &s), -EPIPE);
		end(base, c);
	}
}

static void sends_are_bounded(void **state)
{
	hostile_fn fn = floods;
	struct event_base *base;
	struct core *c = begin(&base, &fn);
	uint64_t began = loop_now(), now;

	(void)state;
	core_timer(c, began);
	now = loop_now();
	assert_true(sent >= 1000);
	assert_true(sent <= 50000 + (now - began + 1) * 50);
	if (core_runs(c)) /* on a slow machine it takes too long */
		assert_true(core_next(c) > began);
	end(base, c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nonsense_ends_it),  cmocka_unit_test(rows_make_sense),
		cmocka_unit_test(sends_are_bounded), cmocka_unit_test(patience_ends),
		cmocka_unit_test(between_calls),     cmocka_unit_test(looking_does_not_wait),
		cmocka_unit_test(slow_ones_wait),    cmocka_unit_test(clients_are_there_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* esptun top: rates of two snapshots, how they are sorted, and the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cli/top.h"

#define PEER(rx, tx) \
	"\"peer\":{\"rx_bytes\":" #rx ",\"rx_packets\":4,\"tx_bytes\":" #tx ",\"tx_packets\":6}"
#define LINK(name, rx, tx, drops)                                                           \
	"{\"name\":\"" name "\",\"state\":\"up\",\"rekeys\":{\"ike\":1,\"child\":7}," PEER( \
		rx, tx) ",\"counters\":{\"rx_replay\":" #drops ",\"tx_dummy\":9}}"
#define CLIENT(id, peer, rx, tx) \
	"{\"peer_id\":" #peer ",\"id\":\"" id "\",\"state\":\"up\"," PEER(rx, tx) "}"
#define HUB(clients)                                                                              \
	"{\"name\":\"hub\",\"state\":\"up\",\"n_clients\":2," PEER(1, 1) ",\"clients\":[" clients \
									 "]}"

static void read_text(struct top_snapshot *s, const char *text, int64_t at)
{
	json_t *tunnels = json_loads(text, 0, NULL);

	assert_non_null(tunnels);
	assert_int_equal(top_read(s, tunnels, at), 0);
}

/* The snapshot @now, 2 s after @before. */
static void two(struct top_snapshot *s, const char *before, const char *now)
{
	struct top_snapshot then;

	read_text(&then, before, 1000);
	read_text(s, now, 3000);
	top_rates(s, &then);
	top_clear(&then);
}

static void is_rate(const struct top_row *r, enum top_counter i, double v)
{
	assert_true(r->rate[i].known);
	assert_true(r->rate[i].v > v - 0.01 && r->rate[i].v < v + 0.01);
}

static void rates(void **state)
{
	struct top_snapshot s;

	(void)state;
	two(&s, "[" LINK("a", 100, 0, 1) "]",
	    "[" LINK("new", 5, 5, 0) "," LINK("a", 3100, 50, 4) "]");
	is_rate(&s.rows[1], TOP_RX_BYTES, 1500);
	is_rate(&s.rows[1], TOP_TX_BYTES, 25);
	is_rate(&s.rows[1], TOP_RX_PACKETS, 0);
	is_rate(&s.rows[1], TOP_DROPS, 1.5);
	assert_int_equal(s.rows[1].count[TOP_DROPS], 4);
	assert_int_equal(s.rows[1].rekeys_child, 7);
	assert_false(s.rows[0].rate[TOP_RX_BYTES].known);
	top_clear(&s);
}

/* One counter that is less: the others of that peer began again, too. */
static void counters_that_restart(void **state)
{
	struct top_snapshot s;

	(void)state;
	two(&s, "[" LINK("a", 9000, 10, 5) "]", "[" LINK("a", 10, 700000, 2) "]");
	for (int i = 0; i < TOP_COUNTERS; i++)
		assert_false(s.rows[0].rate[i].known);
	top_clear(&s);
	two(&s, "[" LINK("a", 9000, 10, 5) "]", "[{\"name\":\"a\",\"state\":\"down\"}]");
	assert_false(s.rows[0].rate[TOP_RX_BYTES].known);
	top_clear(&s);
	/* another client with the number of one that left */
	two(&s, "[" HUB(CLIENT("x", 1, 10, 10)) "]", "[" HUB(CLIENT("y", 1, 90000, 90000)) "]");
	assert_false(s.rows[1].rate[TOP_RX_BYTES].known);
	is_rate(&s.rows[0], TOP_RX_BYTES, 0);
	top_clear(&s);
}

static void hubs(void **state)
{
	struct top_snapshot s;

	(void)state;
	two(&s, "[" HUB(CLIENT("x", 1, 10, 10) "," CLIENT("y", 2, 0, 0)) "," LINK("z", 0, 0, 0) "]",
	    "[" HUB(CLIENT("x", 1, 30, 10) "," CLIENT("y", 2, 200, 0)) "," LINK("z", 150, 0,
										0) "]");
	is_rate(&s.rows[0], TOP_RX_BYTES, 110);
	top_sort(&s, TOP_BY_RATE);
	assert_string_equal(s.order[0]->name, "hub");
	assert_string_equal(s.order[1]->name, "y");
	assert_string_equal(s.order[2]->name, "x");
	assert_string_equal(s.order[3]->name, "z");
	top_sort(&s, TOP_BY_NAME);
	assert_string_equal(s.order[1]->name, "x");
	top_sort(&s, TOP_BY_REKEYS);
	assert_string_equal(s.order[0]->name, "z");
	top_clear(&s);
}

static size_t print(const struct top_snapshot *s, unsigned int width, unsigned int height,
		    char *lines, size_t size)
{
	FILE *f = fmemopen(lines, size, "w");
	size_t n = 0;

	top_print(f, s, width, height);
	fclose(f);
	for (char *c = lines; (c = strchr(c, '\n')); c++)
		n++;
	return n;
}

static void table(void **state)
{
	struct top_snapshot s;
	char lines[2000];

	(void)state;
	two(&s, "[" LINK("a", 0, 0, 0) "," LINK("b", 0, 0, 0) "," LINK("c", 0, 0, 0) "]",
	    "[" LINK("a", 2469134, 14, 1) "," LINK("b", 0, 0, 0) "," LINK("c", 0, 0, 0) "]");
	assert_int_equal(print(&s, 0, 0, lines, sizeof(lines)), 4);
	assert_non_null(strstr(
		lines,
		"a          up           1.23M       0     7.0       0    0.5      1    1+7\n"));
	assert_int_equal(print(&s, 0, 3, lines, sizeof(lines)), 3);
	assert_non_null(strstr(lines, "\n2 more\n"));
	for (unsigned int width = 1; width < 100; width++) {
		print(&s, width, 0, lines, sizeof(lines));
		for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n"))
			assert_true(strlen(line) <= width);
	}
	top_clear(&s);
}

static void long_names(void **state)
{
	struct top_snapshot s;
	char lines[2000];

	(void)state;
	read_text(&s,
		  "[" LINK("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
			   "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4",
			   0, 0, 0) "]",
		  0);
	print(&s, 40, 0, lines, sizeof(lines));
	/* ten characters, of which none is cut in two */
	assert_non_null(strstr(lines, "\n\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
				      "\xc3\xa4\xc3\xa4\xc3\xa4 up "));
	top_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates),      cmocka_unit_test(counters_that_restart),
		cmocka_unit_test(hubs),	      cmocka_unit_test(table),
		cmocka_unit_test(long_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose SAs still fit a configuration that was changed while no agent ran. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "ike/app/terms.h"
#include "ike/proto/id.h"

#define KEY_A "Kq7mTz3vRw9pXc2nYb5sLd8g"
#define KEY_B "9fGhJ4kWe6rVt2yNu8iMo5pQ"
#define TUNNEL "[Tunnel]\nLocalID = hub.example\nAddress = 10.1.0.1/24\n"
#define PEER                                                      \
	"[Peer]\nRemoteID = *.example\nClients = 8\nPSK = " KEY_A \
	"\nSelectors = 10.1.0.0/24 = 10.2.0.0/16\n"
#define CLIENT "[Client a.example]\nPSK = " KEY_B "\n"

static void on_report(void *ctx, bool error, unsigned int line, const char *text)
{
	(void)ctx;
	if (error)
		fail_msg("line %u: %s", line, text);
}

static void parse(const char *text, struct config *out)
{
	const struct config_report report = { on_report, NULL };

	assert_int_equal(config_parse("hub", text, strlen(text), out, &report), 0);
}

static struct ike_id id_of(const char *text)
{
	struct ike_id id;
	char err[160];

	assert_int_equal(ike_id_from_text(text, &id, err, sizeof(err)), 0);
	return id;
}

static void what_differs(void **state)
{
	static const struct {
		const char *text;
		enum terms_verdict a, b; /* of the SAs of a.example, b.example */
	} rows[] = {
		{ TUNNEL PEER CLIENT, TERMS_SAME, TERMS_SAME },
		{ "# another day\n" TUNNEL "MTU = 1400\n" PEER "Liveness = 30\n" CLIENT, TERMS_SAME,
		  TERMS_SAME },
		{ TUNNEL PEER "[Client a.example]\nPSK = 77" KEY_B "\n", TERMS_OTHER, TERMS_SAME },
		{ TUNNEL PEER, TERMS_OTHER, TERMS_SAME },
		{ TUNNEL PEER CLIENT "[Client b.example]\nPSK = 77" KEY_B "\n", TERMS_SAME,
		  TERMS_OTHER },
		{ TUNNEL PEER CLIENT "[Client b.example]\nPSK = " KEY_A "\n", TERMS_SAME,
		  TERMS_SAME },
		{ TUNNEL PEER "Crypto = aes128gcm16-x25519\n" CLIENT, TERMS_OTHER, TERMS_OTHER },
		{ "[Tunnel]\nLocalID = hub2.example\nAddress = 10.1.0.1/24\n" PEER CLIENT,
		  TERMS_OTHER, TERMS_OTHER },
		{ TUNNEL PEER "Selectors = 10.1.1.0/24 = 10.2.0.0/16\n" CLIENT,
		  TERMS_OTHER_SELECTORS, TERMS_OTHER_SELECTORS },
	};
	struct ike_id a = id_of("a.example"), b = id_of("b.example");
	uint8_t of_a[TERMS_LEN], of_b[TERMS_LEN], again[TERMS_LEN];
	struct config c, d;

	(void)state;
	parse(rows[0].text, &c);
	assert_int_equal(terms_make(&c, &a, of_a), 0);
	assert_int_equal(terms_make(&c, &b, of_b), 0);
	assert_int_equal(terms_make(&c, &b, again), 0);
	assert_memory_not_equal(of_b, again, TERMS_SALT);
	assert_memory_not_equal(of_b + TERMS_SALT, again + TERMS_SALT, TERMS_LEN - TERMS_SALT);
	assert_int_equal(terms_judge(&c, &a, of_b), TERMS_OTHER);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		parse(rows[i].text, &d);
		if (terms_judge(&d, &a, of_a) != rows[i].a ||
		    terms_judge(&d, &b, of_b) != rows[i].b)
			fail_msg("row %zu: %s", i, rows[i].text);
		config_clear(&d);
	}
	config_clear(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_differs),
	};

	return cmocka_run_group_tests_name("terms", tests, NULL, NULL);
}

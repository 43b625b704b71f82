// SPDX-License-Identifier: GPL-2.0-or-later
/* The child SAs of a configuration: sections [Child NAME], selectors, modes, encapsulation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "ike/app/config/config.h"
#include "ike/proto/names.h"
#include "some_config.h"

/* Pairs that combine every local network with every remote one are what is negotiated. */
static void selector_pairs(void **state)
{
	static const struct {
		const char *pairs, *local, *remote;
	} t[] = {
		{ "10.1.0.0/24 = 10.2.0.0/24, 10.1.0.0/24 = 10.3.0.0/24", "10.1.0.0/24",
		  "10.2.0.0/24, 10.3.0.0/24" },
		{ "10.1.0.0/24 = 10.2.0.0/24, 10.4.0.0/24 = 10.2.0.0/24, "
		  "10.1.0.0/24 = 10.3.0.0/24, 10.4.0.0/24 = 10.3.0.0/24",
		  "10.1.0.0/24, 10.4.0.0/24", "10.2.0.0/24, 10.3.0.0/24" },
		{ "10.1.0.0/24 = 10.2.0.0/24, 10.1.0.0/24 = 10.2.0.0/24", "10.1.0.0/24",
		  "10.2.0.0/24" },
		/* no packet goes from one family to the other, or is TCP and UDP */
		{ "10.1.0.0/24 = 10.2.0.0/24, fd00:1::/64 = fd00:2::/64",
		  "10.1.0.0/24, fd00:1::/64", "10.2.0.0/24, fd00:2::/64" },
		{ "10.1.0.0/24:tcp = 10.2.0.0/24:tcp, 10.1.0.0/24:udp = 10.2.0.0/24:udp",
		  "10.1.0.0/24:tcp, 10.1.0.0/24:udp", "10.2.0.0/24:tcp, 10.2.0.0/24:udp" },
	};
	char text[512], got[512];
	struct config c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		snprintf(text, sizeof(text), "[Peer]\n" PSK_LINE "Selectors = %s\n", t[i].pairs);
		accepted(text, &c);
		assert_string_equal(ike_ts_list_print(got, sizeof(got),
						      IKE_TS_OFFER(&c.child[0].local_ts)),
				    t[i].local);
		assert_string_equal(ike_ts_list_print(got, sizeof(got),
						      IKE_TS_OFFER(&c.child[0].remote_ts)),
				    t[i].remote);
		config_clear(&c);
	}
}

/* Name, start, mode unless it is tunnel, and selectors of each child SA, "NAME START LOCAL = REMOTE; ...". */
static void children_are(const char *lines, const char *expected)
{
	static const char *const starts[] = { "now", "traffic", "listen" };
	char text[4096], got[4096] = "", l[512], r[512];
	struct config c;
	size_t len = 0;

	snprintf(text, sizeof(text), "[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE "%s", lines);
	accepted(text, &c);
	for (unsigned int i = 0; i < c.n_child; i++)
		len += (size_t)snprintf(
			got + len, sizeof(got) - len, "%s%s %s%s %s = %s", i ? "; " : "",
			c.child[i].name, starts[c.child[i].start],
			c.child[i].mode == IKE_MODE_TRANSPORT ? " transport" : "",
			ike_ts_list_print(l, sizeof(l), IKE_TS_OFFER(&c.child[i].local_ts)),
			ike_ts_list_print(r, sizeof(r), IKE_TS_OFFER(&c.child[i].remote_ts)));
	assert_string_equal(got, expected);
	config_clear(&c);
}

static void several_children(void **state)
{
	(void)state;
	children_are("", "hq now 0.0.0.0/0, ::/0 = 0.0.0.0/0, ::/0");
	/* Pairs that one child SA cannot carry without granting more get one each. */
	children_are("Selectors = 10.1.0.0/16 = 10.2.0.0/16, 10.3.0.0/16 = 10.4.0.0/16\n",
		     "hq now 10.1.0.0/16 = 10.2.0.0/16; hq.2 now 10.3.0.0/16 = 10.4.0.0/16");
	children_are(
		"Selectors = 10.1.0.0/16 = 10.2.0.0/16, 10.1.0.0/16 = 10.3.0.0/16\n"
		"SelectorsPerChild = one\nStart = traffic\n",
		"hq traffic 10.1.0.0/16 = 10.2.0.0/16; hq.2 traffic 10.1.0.0/16 = 10.3.0.0/16");
	children_are(
		"SelectorsPerChild = one\nStart = listen\n"
		"[Child lan]\nSelectors = 10.1.0.0/16 = 10.2.0.0/16, 10.1.0.0/16 = 10.3.0.0/16\n"
		"Start = now\nMode = tunnel\n"
		"[child Voice-6]\nSelectors = fd00:1::/64 = fd00:2::/64\n"
		"SelectorsPerChild = all\n",
		"lan now 10.1.0.0/16 = 10.2.0.0/16; lan.2 now 10.1.0.0/16 = 10.3.0.0/16; "
		"Voice-6 listen fd00:1::/64 = fd00:2::/64");
	/* The mode of [Peer] is that of all sections that have none; others' selectors may overlap its own. */
	children_are("Mode = transport\nSelectors = any:gre = any:gre\n",
		     "hq now transport 0.0.0.0/0:gre, ::/0:gre = 0.0.0.0/0:gre, ::/0:gre");
	children_are("Mode = transport\n[Child nets]\nMode = tunnel\n[Child ends]\n",
		     "nets now 0.0.0.0/0, ::/0 = 0.0.0.0/0, ::/0; "
		     "ends now transport 0.0.0.0/0, ::/0 = 0.0.0.0/0, ::/0");
}

static void what_esp_travels_in(void **state)
{
	struct ike_tunnel_conf t;
	struct config c;

	(void)state;
	accepted("[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE, &c);
	assert_int_equal(c.encap, IKE_ENCAP_UDP);
	config_clear(&c);
	accepted("[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE "Encap = esp\n", &c);
	assert_int_equal(c.encap, IKE_ENCAP_ESP);
	config_clear(&c);
	accepted("[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE "Encap = auto\n", &c);
	config_tunnel(&c, &t);
	assert_int_equal(t.encap, IKE_ENCAP_AUTO);
	config_clear(&c);
}

/* MOBIKE, on unless the file says so, is off where there is transport mode. */
static void mobike_is_of_tunnel_mode(void **state)
{
	struct config c;

	(void)state;
	accepted("[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE "Mode = tunnel\n", &c);
	assert_true(c.mobike);
	config_clear(&c);
	accepted("[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE "Mode = transport\n", &c);
	assert_false(c.mobike);
	config_clear(&c);
}

static void wrong_children(void **state)
{
	static const struct {
		const char *text, *expected;
	} t[] = {
		{ "[Child a]\nSelectors = any\n[Child A]\n",
		  "5: [Child A] is there already, in line 3" },
		{ "[Child a]\nSelectors = ,\n",
		  "4: Selectors = ,: expected any, or LOCAL = REMOTE" },
		{ "Start = now\n[Child a]\n",
		  "3: without Endpoint only Start = listen is possible" },
		{ "SelectorsPerChild = one\n[Child a]\n"
		  "Selectors = 10.1.0.0/16 = any, 10.2.0.0/16 = any\n"
		  "[Child a.2]\nSelectors = 10.3.0.0/16 = any\n",
		  "6: [Child a.2] Selectors: two child SAs would have the name a.2" },
		{ "[Child]\n", "3: expected [Child NAME], a name of at most 31 letters" },
		{ "[Child a b]\n", "3: expected [Child NAME]" },
		{ "[Child a]\nMode = transport\nSelectors = 10.1.0.0/16 = any\n",
		  "3: [Child a] Selectors: Mode = transport carries packets between the endpoints: "
		  "expected any" },
		{ "Mode = transport\nSelectors = 0.0.0.0/0:gre = any\n",
		  "4: Selectors: Mode = transport carries packets between the endpoints" },
		{ "Encap = tcp\n", "3: Encap = tcp: expected udp, esp or auto" },
		{ "Mobike = yes\n[Child a]\nMode = transport\n",
		  "3: Mobike = yes: addresses of SAs in transport mode cannot change" },
		{ "[Child a]\nMode = beet\n", "4: Mode = beet: expected tunnel or transport" },
		{ "[Child a]\nPSK = x\n", "4: PSK belongs into section [Peer], not [Child]" },
		{ "[Child a]\nStart = soon\n", "4: Start = soon: expected now, traffic or listen" },
		{ "[Child a]\nStart = now\n",
		  "3: [Child a]: without Endpoint only Start = listen" },
		{ "Selectors = any\n[Child a]\n",
		  "3: Selectors belong into the sections [Child NAME]" },
		{ "[Child a]\nSelectors = 10.0.0.0/8 = any\n"
		  "[Child b]\nSelectors = 10.2.0.0/16 = 10.3.0.0/16\n",
		  "5: [Child b] Selectors: 10.2.0.0/16 = 10.3.0.0/16 overlaps a pair of child SA a" },
		{ "[Child a]\n[Child b]\n",
		  "4: [Child b] Selectors: 0.0.0.0/0, ::/0 = 0.0.0.0/0, ::/0 overlaps" },
		{ "SelectorsPerChild = some\n",
		  "3: SelectorsPerChild = some: expected one or all" },
		{ "SelectorsPerChild = one\nSelectors = any, 10.1.0.0/16 = any\n",
		  "4: Selectors: 10.1.0.0/16 = 0.0.0.0/0, ::/0 overlaps a pair of child SA hq" },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		snprintf(text, sizeof(text), "[Peer]\n" PSK_LINE "%s", t[i].text);
		refused(text, t[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selector_pairs),      cmocka_unit_test(several_children),
		cmocka_unit_test(what_esp_travels_in), cmocka_unit_test(mobike_is_of_tunnel_mode),
		cmocka_unit_test(wrong_children),
	};

	return cmocka_run_group_tests_name("config_child", tests, NULL, NULL);
}

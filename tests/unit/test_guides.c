// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Documentation/clients/: the hub's configuration in each guide is one that the parser takes, and what the
 * guide says its clients offer has something in it that this configuration chooses.
 */
#include <stdlib.h>
#include <string.h>

#include "ike/app/config/config.h"
#include "ike/child/proposal.h"
#include "scripted.h"

static char guide[16384], said[1024];

static void read_guide(const char *name)
{
	const char *top = getenv("ESPTUN_TOP");
	char path[256];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/Documentation/clients/%s", top ? top : ".", name);
	f = fopen(path, "r");
	if (!f)
		fail_msg("cannot open %s", path);
	len = fread(guide, 1, sizeof(guide) - 1, f);
	guide[len] = 0;
	fclose(f);
}

/* What stands between ```@kind and ```. */
static void block(const char *kind, char *out, size_t size)
{
	char begin[32];
	const char *at, *end;

	snprintf(begin, sizeof(begin), "```%s\n", kind);
	at = strstr(guide, begin);
	assert_non_null(at);
	at += strlen(begin);
	end = strstr(at, "```");
	assert_non_null(end);
	assert_true((size_t)(end - at) < size);
	memcpy(out, at, (size_t)(end - at));
	out[end - at] = 0;
}

static void on_report(void *ctx, bool error, unsigned int line, const char *text)
{
	size_t len = strlen(said);

	(void)ctx;
	snprintf(said + len, sizeof(said) - len, "%s%u: %s\n", error ? "error " : "", line, text);
}

static void check_offer(const struct ike_proposals *own, const char *line, uint8_t protocol,
			const char *want)
{
	static struct ike_sa_payload offer;
	struct ike_proposal chosen;
	char words[1024], got[256];

	snprintf(words, sizeof(words), "%.*s", (int)strcspn(line, "\n"), line);
	scripted_offer(&offer, words, protocol, 0x1001);
	for (unsigned int i = 0; protocol == IKE_PROTO_ESP && i < offer.n; i++)
		ike_proposal_drop_dh(&offer.p[i]);
	if (!ike_proposal_choose(own, IKE_OFFER(&offer), IKE_DH_NONE, &chosen))
		fail_msg("nothing is chosen of: %s", words);
	assert_string_equal(ike_proposal_print(got, sizeof(got), &chosen), want);
}

static void guides_agree_with_the_parser(void **state)
{
	static const struct {
		const char *name, *warning, *ike, *esp;
	} rows[] = {
		{ "windows.md", "Signatures: sha1 is broken", "aes256gcm16-prfsha256-ecp256",
		  "aes256gcm16-noesn" },
		{ "apple.md", NULL, "aes256-sha256-prfsha256-modp2048", "aes256-sha256-noesn" },
		{ "android.md", NULL, "aes256gcm16-prfsha256-x25519", "aes256gcm16-noesn" },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct config_report report = { on_report, NULL };
		char ini[4096], offers[2048], *ike, *esp;
		struct config c;

		read_guide(rows[i].name);
		block("ini", ini, sizeof(ini));
		block("offers", offers, sizeof(offers));
		*said = 0;
		if (config_parse("vpn", ini, strlen(ini), &c, &report))
			fail_msg("%s: %s", rows[i].name, said);
		if (rows[i].warning ? !strstr(said, rows[i].warning) : *said)
			fail_msg("%s: %s", rows[i].name, said);
		assert_true(c.n_ranges > 0 && c.clients > 1);
		ike = strstr(offers, "ike ");
		esp = strstr(offers, "\nesp ");
		assert_true(ike && esp);
		check_offer(c.ike, ike + 4, IKE_PROTO_IKE, rows[i].ike);
		check_offer(c.esp, esp + 5, IKE_PROTO_ESP, rows[i].esp);
		/* people copy names from one part of a guide into another */
		assert_non_null(strstr(strstr(guide, "## The client"), "vpn.example.org"));
		config_clear(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guides_agree_with_the_parser),
	};

	return cmocka_run_group_tests_name("guides", tests, NULL, NULL);
}

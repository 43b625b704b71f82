// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Documentation/clients/ and Documentation/guides/: our configuration in each page is one that the parser takes, and what a page
 * says its clients or gateways offer has something in it that this configuration chooses.
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

	snprintf(path, sizeof(path), "%s/Documentation/%s", top ? top : ".", name);
	f = fopen(path, "r");
	if (!f)
		fail_msg("cannot open %s", path);
	len = fread(guide, 1, sizeof(guide) - 1, f);
	guide[len] = 0;
	fclose(f);
}

/* The block of page @name behind the line that begins with ``` and @info, the @n-th such from 0. */
static void block(const char *name, const char *info, unsigned int n, char *out, size_t size)
{
	const char *at = guide, *end;
	char begin[64];

	read_guide(name);
	snprintf(begin, sizeof(begin), "```%s", info);
	do {
		at = strstr(at, begin);
		if (!at)
			fail_msg("%s has no block %u of %s", name, n, info);
		at += strcspn(at, "\n") + 1;
	} while (n--);
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

#define WINDOWS "clients/windows.md"
#define APPLE "clients/apple.md"
#define ANDROID "clients/android.md"
#define WARRIORS "guides/road-warriors.md"
#define CLOUD "guides/cloud.md"

static void pages_agree_with_the_parser(void **state)
{
	static const char sha1[] = "Signatures: sha1 is broken";
	static const struct {
		const char *page, *ini, *warning; /* our file in @page, and what is said of it */
		const char *offers; /* the page with what the other end offers, */
		unsigned int n; /* and which of its blocks that is */
		const char *ike, *esp; /* chosen of it */
	} rows[] = {
		{ WINDOWS, "ini", sha1, WINDOWS, 0, "aes256gcm16-prfsha256-ecp256",
		  "aes256gcm16-noesn" },
		{ APPLE, "ini", NULL, APPLE, 0, "aes256-sha256-prfsha256-modp2048",
		  "aes256-sha256-noesn" },
		{ ANDROID, "ini", NULL, ANDROID, 0, "aes256gcm16-prfsha256-x25519",
		  "aes256gcm16-noesn" },
		{ WARRIORS, "ini hq", sha1, WINDOWS, 0, "aes256gcm16-prfsha256-ecp256",
		  "aes256gcm16-noesn" },
		{ WARRIORS, "ini hq", sha1, APPLE, 0, "aes256-sha256-prfsha256-modp2048",
		  "aes256-sha256-noesn" },
		{ WARRIORS, "ini hq", sha1, ANDROID, 0, "aes256gcm16-prfsha256-x25519",
		  "aes256gcm16-noesn" },
		{ CLOUD, "ini hq /etc/esptun/aws", NULL, CLOUD, 0, "aes256gcm16-prfsha384-ecp256",
		  "aes256gcm16-noesn" },
		{ CLOUD, "ini hq /etc/esptun/azure", NULL, CLOUD, 1, "aes256gcm16-prfsha384-ecp256",
		  "aes256gcm16-noesn" },
		{ CLOUD, "ini hq /etc/esptun/gcp", NULL, CLOUD, 2, "aes256gcm16-prfsha384-ecp256",
		  "aes256gcm16-noesn" },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct config_report report = { on_report, NULL };
		char ini[4096], offers[2048], *ike, *esp;
		struct config c;

		block(rows[i].offers, "offers", rows[i].n, offers, sizeof(offers));
		block(rows[i].page, rows[i].ini, 0, ini, sizeof(ini));
		*said = 0;
		if (config_parse("vpn", ini, strlen(ini), &c, &report))
			fail_msg("%s: %s", rows[i].page, said);
		if (rows[i].warning ? !strstr(said, rows[i].warning) : *said)
			fail_msg("%s: %s", rows[i].page, said);
		assert_true(c.endpoint[0] || (c.n_ranges > 0 && c.clients > 1));
		ike = strstr(offers, "ike ");
		esp = strstr(offers, "\nesp ");
		assert_true(ike && esp);
		check_offer(c.ike, ike + 4, IKE_PROTO_IKE, rows[i].ike);
		check_offer(c.esp, esp + 5, IKE_PROTO_ESP, rows[i].esp);
		config_clear(&c);
	}
}

/* What the client is told to connect to is what the hub names itself: people copy names from one part into another. */
static void clients_are_told_the_hubs_name(void **state)
{
	static const char *const pages[] = { WINDOWS, APPLE, ANDROID };

	(void)state;
	for (unsigned int i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		read_guide(pages[i]);
		assert_non_null(strstr(guide, "LocalID = vpn.example.org"));
		assert_non_null(strstr(strstr(guide, "## The client"), "vpn.example.org"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_agree_with_the_parser),
		cmocka_unit_test(clients_are_told_the_hubs_name),
	};

	return cmocka_run_group_tests_name("guides", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ike/proto/msg.h"
#include "ike/proto/names.h"
#include "ike/child/proposal.h"
#include "vectors.h"

static char text[4096], err[1024];
static struct ike_proposals own, offer, answer;
static struct ike_proposal chosen;

/* Proposals as words; for ESP with an SPI, and none left out. */
static void set(struct ike_proposals *ps, uint8_t protocol, const char *words)
{
	char copy[1024], *save, *w;

	snprintf(copy, sizeof(copy), "%s", words);
	memset(ps, 0, sizeof(*ps));
	for (w = strtok_r(copy, ", ", &save); w; w = strtok_r(NULL, ", ", &save)) {
		struct ike_proposal *p = &ps->p[ps->n];

		if (ike_proposal_from_text(w, protocol, p, err, sizeof(err)))
			fail_msg("%s", err);
		p->num = (uint8_t)++ps->n;
		if (protocol == IKE_PROTO_ESP) {
			p->spi_len = 4;
			p->spi[3] = p->num;
		}
	}
}

static void add(struct ike_proposal *p, uint8_t type, uint16_t id, uint16_t key_bits)
{
	p->t[p->n++] = (struct ike_transform){ .type = type, .id = id, .key_bits = key_bits };
}

static const char *choose(uint16_t ke)
{
	if (!ike_proposal_choose(&own, IKE_OFFER(&offer), ke, &chosen))
		return NULL;
	return ike_proposal_print(text, sizeof(text), &chosen);
}

/* Of ESP; integrity words stand in the order of the offer. */
#define MODERN_AEAD "aes256gcm16/aes192gcm16/aes128gcm16/chacha20poly1305"
#define MODERN_CBC "aes256/aes192/aes128-sha256/sha384/sha512/sha1"
#define MODERN_GROUPS "x25519/ecp256/ecp384/ecp521/modp2048/modp3072/modp4096"

static void modern_means(void **state)
{
	(void)state;
	assert_int_equal(ike_proposals_from_text("modern", IKE_PROTO_IKE, &own, err, sizeof(err)),
			 0);
	assert_string_equal(
		ike_proposals_print(text, sizeof(text), IKE_OFFER(&own)),
		"aes256gcm16/aes128gcm16/chacha20poly1305-prfsha256/prfsha384/prfsha512-"
		"x25519/ecp256/ecp384/ecp521/modp2048/modp3072/modp4096, "
		"aes256/aes128-sha256/sha384/sha512-prfsha256/prfsha384/prfsha512-"
		"x25519/ecp256/ecp384/ecp521/modp2048/modp3072/modp4096");
	assert_int_equal(own.p[1].num, 2);
	assert_int_equal(ike_proposals_first_dh(&own), IKE_DH_CURVE25519);
	assert_true(ike_proposals_have_dh(&own, IKE_DH_MODP4096));
	assert_false(ike_proposals_have_dh(&own, 2));
	assert_false(ike_proposals_have_dh(&own, IKE_DH_NONE));
	assert_int_equal(ike_proposals_from_text("modern", IKE_PROTO_ESP, &own, err, sizeof(err)),
			 0);
	assert_string_equal(ike_proposals_print(text, sizeof(text), IKE_OFFER(&own)),
			    MODERN_AEAD "-" MODERN_GROUPS "/nopfs-esn/noesn, " MODERN_CBC
					"-" MODERN_GROUPS "/nopfs-esn/noesn");
	ike_proposals_drop_dh(&own);
	assert_string_equal(ike_proposals_print(text, sizeof(text), IKE_OFFER(&own)),
			    MODERN_AEAD "-esn/noesn, " MODERN_CBC "-esn/noesn");
	assert_int_equal(
		ike_proposals_from_text("modern-nopfs", IKE_PROTO_ESP, &own, err, sizeof(err)), 0);
	assert_string_equal(ike_proposals_print(text, sizeof(text), IKE_OFFER(&own)),
			    MODERN_AEAD "-esn/noesn, " MODERN_CBC "-esn/noesn");
	assert_int_equal(ike_proposals_first_dh(&own), IKE_DH_NONE);
	assert_int_equal(
		ike_proposals_from_text("Modern-PFS", IKE_PROTO_ESP, &own, err, sizeof(err)), 0);
	assert_string_equal(ike_proposals_print(text, sizeof(text), IKE_OFFER(&own)),
			    MODERN_AEAD "-" MODERN_GROUPS "-esn/noesn, " MODERN_CBC
					"-" MODERN_GROUPS "-esn/noesn");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ike_proposals_from_text(i ? "modern-pfs" : "modern-nopfs",
							 IKE_PROTO_IKE, &own, err, sizeof(err)),
				 0);
		assert_int_equal(own.n, 2);
		assert_int_equal(ike_proposals_first_dh(&own), IKE_DH_CURVE25519);
	}
	assert_int_equal(ike_proposals_from_text("modern-ecp384", IKE_PROTO_IKE, &own, err,
						 sizeof(err)),
			 -1);
	assert_non_null(strstr(err, "unknown word \"modern\" in \"modern-ecp384\""));
}

/* Each alone, with what is said of PFS, and beside others. */
static void profiles_mean(void **state)
{
	static const char *const words[] = { "modern", "cloud",	  "windows",
					     "apple",  "android", "legacy" };

	(void)state;
	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char item[64];

		assert_int_equal(ike_proposals_from_text(words[i], IKE_PROTO_IKE, &own, err,
							 sizeof(err)),
				 0);
		snprintf(item, sizeof(item), "%s-nopfs", words[i]);
		assert_int_equal(
			ike_proposals_from_text(item, IKE_PROTO_ESP, &own, err, sizeof(err)), 0);
		assert_int_equal(ike_proposals_first_dh(&own), IKE_DH_NONE);
		snprintf(item, sizeof(item), "%s-pfs", words[i]);
		assert_int_equal(
			ike_proposals_from_text(item, IKE_PROTO_ESP, &own, err, sizeof(err)), 0);
		assert_int_not_equal(ike_proposals_first_dh(&own), IKE_DH_NONE);
		assert_false(ike_proposals_allow(
			&own, &(struct ike_transform){ IKE_T_DH, IKE_DH_NONE, 0 }, 1));
	}
	assert_int_equal(ike_proposals_from_text("windows, legacy", IKE_PROTO_IKE, &own, err,
						 sizeof(err)),
			 0);
	assert_int_equal(own.n, 4);
	assert_int_equal(own.p[3].num, 4);
	assert_true(ike_proposals_have_dh(&own, IKE_DH_MODP1024));
	assert_int_equal(
		ike_proposals_from_text("cloud-ecp384", IKE_PROTO_IKE, &own, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "unknown word \"cloud\" in \"cloud-ecp384\""));
}

static void crypto_lists_read(void **state)
{
	(void)state;
	assert_int_equal(ike_proposals_from_text(" aes128gcm16-ecp256 ,\taes256-sha256-modp2048 ",
						 IKE_PROTO_IKE, &own, err, sizeof(err)),
			 0);
	assert_int_equal(own.n, 2);
	assert_int_equal(own.p[1].num, 2);
	assert_int_equal(ike_proposals_from_text("aes128gcm16-ecp256, aes256-sha256-modp2048",
						 IKE_PROTO_ESP, &own, err, sizeof(err)),
			 0);
	assert_string_equal(ike_proposals_print(text, sizeof(text), IKE_OFFER(&own)),
			    "aes128gcm16-ecp256/nopfs-esn/noesn, "
			    "aes256-sha256-modp2048/nopfs-esn/noesn");
	assert_int_equal(ike_proposals_from_text("aes256-sha256-modp2048, modern", IKE_PROTO_IKE,
						 &own, err, sizeof(err)),
			 0);
	assert_int_equal(own.n, 3);
	assert_int_equal(own.p[2].num, 3);
	assert_int_equal(ike_proposals_from_text("modern,", IKE_PROTO_IKE, &own, err, sizeof(err)),
			 -1);
	assert_int_equal(ike_proposals_from_text("", IKE_PROTO_IKE, &own, err, sizeof(err)), -1);
}

static void the_responder_prefers_its_own_order(void **state)
{
	(void)state;
	set(&own, IKE_PROTO_IKE, "aes256gcm16-prfsha384-ecp384-x25519");
	set(&offer, IKE_PROTO_IKE, "aes128gcm16-aes256gcm16-prfsha256-prfsha384-x25519-ecp384");
	assert_string_equal(choose(IKE_DH_ECP384), "aes256gcm16-prfsha384-ecp384");
	/* the group of the KE payload saves a round trip */
	assert_string_equal(choose(IKE_DH_CURVE25519), "aes256gcm16-prfsha384-x25519");
	/* one that we do not take does not count: the answer will be INVALID_KE_PAYLOAD */
	assert_string_equal(choose(IKE_DH_MODP2048), "aes256gcm16-prfsha384-ecp384");
	assert_int_equal(chosen.num, 1);
}

static void own_proposals_come_before_the_offers_order(void **state)
{
	(void)state;
	set(&own, IKE_PROTO_IKE, "aes256gcm16-x25519, aes256-sha256-x25519");
	set(&offer, IKE_PROTO_IKE, "aes256-sha256-x25519, aes256gcm16-x25519");
	assert_string_equal(choose(IKE_DH_CURVE25519), "aes256gcm16-prfsha256-x25519");
	assert_int_equal(chosen.num, 2);
}

static void key_lengths_match_exactly(void **state)
{
	(void)state;
	set(&own, IKE_PROTO_IKE, "aes256gcm16-x25519");
	set(&offer, IKE_PROTO_IKE, "aes128gcm16-x25519");
	assert_null(choose(31));
	offer.p[0].t[0].key_bits = 0;
	assert_null(choose(31));
	offer.p[0].t[0].key_bits = 256;
	assert_non_null(choose(31));
}

static void an_aead_has_no_integrity(void **state)
{
	(void)state;
	set(&own, IKE_PROTO_IKE, "aes256gcm16-prfsha256-x25519");
	set(&offer, IKE_PROTO_IKE, "aes256gcm16-prfsha256-x25519");
	/* NONE said aloud is answered aloud (RFC 7296 3.3.3) */
	add(&offer.p[0], IKE_T_INTEG, IKE_INTEG_NONE, 0);
	assert_non_null(choose(31));
	assert_int_equal(chosen.n, 4);
	assert_int_equal(chosen.t[1].type, IKE_T_INTEG);
	assert_int_equal(chosen.t[1].id, IKE_INTEG_NONE);
	/* an AEAD offered with a MAC alone is not */
	offer.p[0].t[offer.p[0].n - 1].id = IKE_INTEG_HMAC_SHA2_256_128;
	assert_null(choose(31));
	/* CBC and AEAD in one proposal: CBC with the MAC is the one that makes sense */
	set(&own, IKE_PROTO_IKE, "aes256gcm16-prfsha256-x25519, aes256-sha256-x25519");
	add(&offer.p[0], IKE_T_ENCR, IKE_ENCR_AES_CBC, 256);
	assert_string_equal(choose(31), "aes256-sha256-prfsha256-x25519");
	/* CBC without a MAC is never taken */
	set(&own, IKE_PROTO_IKE, "aes256-sha256-x25519");
	add(&own.p[0], IKE_T_INTEG, IKE_INTEG_NONE, 0);
	set(&offer, IKE_PROTO_IKE, "aes256gcm16-prfsha256-x25519");
	offer.p[0].t[0] = (struct ike_transform){ IKE_T_ENCR, IKE_ENCR_AES_CBC, 256 };
	assert_null(choose(31));
}

static void unknown_types_spoil_a_proposal_and_unusable_transforms_do_not(void **state)
{
	(void)state;
	set(&own, IKE_PROTO_IKE, "aes256gcm16-prfsha256-x25519");
	set(&offer, IKE_PROTO_IKE, "aes256gcm16-prfsha256-x25519");
	add(&offer.p[0], IKE_T_ENCR, 0xffff, 0);
	assert_non_null(choose(31));
	add(&offer.p[0], 6, 1, 0); /* additional key exchange, RFC 9370 */
	assert_null(choose(31));
}

/* Of each type of additional key exchange one is chosen, and no method twice (RFC 9370 2.2.1). */
static void additional_key_exchanges_differ(void **state)
{
	struct ike_suite s;

	(void)state;
	set(&own, IKE_PROTO_IKE,
	    "aes256gcm16-prfsha256-x25519-ecp256-ke1_ecp256-ke1_ecp384-ke3_ecp384-ke3_none");
	set(&offer, IKE_PROTO_IKE,
	    "aes256gcm16-prfsha256-x25519-ecp256-ke1_ecp384-ke1_ecp256-ke3_none-ke3_ecp384");
	assert_string_equal(choose(IKE_DH_CURVE25519),
			    "aes256gcm16-prfsha256-x25519-ke1_ecp256-ke3_ecp384");
	assert_int_equal(ike_suite_from_proposal(&chosen, &s), 0);
	assert_int_equal(s.addke.n, 2);
	assert_int_equal(s.addke.method[1], IKE_DH_ECP384);
	assert_string_equal(choose(IKE_DH_ECP256),
			    "aes256gcm16-prfsha256-ecp256-ke1_ecp384-ke3_none");
	assert_int_equal(ike_suite_from_proposal(&chosen, &s), 0);
	assert_int_equal(s.addke.n, 1);
	/* what we answer is checked by the peer, and what it answers here */
	chosen.t[chosen.n - 1].id = IKE_DH_ECP384;
	assert_int_equal(ike_suite_from_proposal(&chosen, &s), -1);
	/* without IKE_INTERMEDIATE: those that may be left out are, and others are in no proposal to choose */
	ike_proposal_drop_addke(&offer.p[0]);
	assert_null(choose(IKE_DH_CURVE25519));
	set(&own, IKE_PROTO_IKE, "aes256gcm16-prfsha256-x25519");
	assert_null(choose(IKE_DH_CURVE25519));
	set(&offer, IKE_PROTO_IKE, "aes256gcm16-prfsha256-x25519-ke1_none-ke1_ecp384");
	ike_proposal_drop_addke(&offer.p[0]);
	assert_string_equal(choose(IKE_DH_CURVE25519), "aes256gcm16-prfsha256-x25519");
	assert_int_equal(ike_proposals_from_text("aes256gcm16-x25519-ke1_ecp256-ke2_ecp256",
						 IKE_PROTO_IKE, &own, err, sizeof(err)),
			 -1);
	assert_non_null(strstr(err, "the same key exchange twice"));
}

static void protocols_and_spis_must_fit(void **state)
{
	(void)state;
	set(&own, IKE_PROTO_ESP, "aes256gcm16");
	set(&offer, IKE_PROTO_ESP, "aes256gcm16");
	offer.p[0].spi[0] = 0xaa;
	assert_non_null(choose(0));
	assert_int_equal(chosen.spi_len, 4);
	assert_int_equal(chosen.spi[0], 0xaa);
	offer.p[0].spi_len = 0;
	assert_null(choose(0));
	offer.p[0].spi_len = 8;
	assert_null(choose(0));
	offer.p[0].spi_len = 4;
	offer.p[0].protocol = IKE_PROTO_AH;
	assert_null(choose(0));
}

static void esn_follows_our_preference(void **state)
{
	struct esp_suite s;

	(void)state;
	set(&own, IKE_PROTO_ESP, "aes256gcm16");
	set(&offer, IKE_PROTO_ESP, "aes256gcm16-noesn-esn");
	assert_string_equal(choose(0), "aes256gcm16-esn");
	assert_int_equal(esp_suite_from_proposal(&chosen, &s), 0);
	assert_true(s.esn);
	set(&offer, IKE_PROTO_ESP, "aes256gcm16-noesn");
	assert_string_equal(choose(0), "aes256gcm16-noesn");
	assert_int_equal(esp_suite_from_proposal(&chosen, &s), 0);
	assert_false(s.esn);
	set(&own, IKE_PROTO_ESP, "aes256gcm16-esn");
	assert_null(choose(0));
	/* said nothing: 32 bits, and so is the answer */
	set(&own, IKE_PROTO_ESP, "aes256gcm16");
	offer.p[0].n--;
	assert_string_equal(choose(0), "aes256gcm16");
	assert_int_equal(esp_suite_from_proposal(&chosen, &s), 0);
	assert_false(s.esn);
}

static bool verify(const char *why)
{
	bool ok = ike_proposal_verify(IKE_OFFER(&offer), IKE_OFFER(&answer), &chosen, err,
				      sizeof(err));

	if (!ok && (!*why || !strstr(err, why)))
		fail_msg("\"%s\" does not say \"%s\"", err, why);
	return ok;
}

enum { NO, X = IKE_DH_CURVE25519, E = IKE_DH_ECP256, REFUSED = -1, SILENT = -2 };

/* Child SAs for which PFS is offered, required or not had, on both sides. */
static void pfs_is_offered_required_or_neither(void **state)
{
	static const char offered[] = "aes256gcm16-x25519-ecp256",
			  required[] = "aes256gcm16-x25519-ecp256-pfs",
			  none[] = "aes256gcm16-x25519-ecp256-nopfs";
	static const struct {
		const char *own, *offer;
		uint16_t ke;
		int group; /* not @ke, and a group: INVALID_KE_PAYLOAD */
	} t[] = {
		{ offered, offered, E, E },
		{ offered, offered, NO, NO },
		{ offered, required, E, E },
		{ offered, required, NO, X },
		{ offered, none, NO, NO },
		{ required, offered, E, E },
		{ required, offered, NO, X },
		{ required, required, E, E },
		{ required, required, NO, X },
		{ required, none, NO, REFUSED },
		{ none, offered, E, NO },
		{ none, offered, NO, NO },
		{ none, required, E, REFUSED },
		{ none, none, NO, NO },
		/* KE of a group that we have not */
		{ offered, offered, IKE_DH_MODP2048, X },
		{ required, offered, IKE_DH_MODP2048, X },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct esp_suite s;
		bool ok;

		assert_int_equal(ike_proposals_from_text(t[i].own, IKE_PROTO_ESP, &own, err,
							 sizeof(err)),
				 0);
		set(&offer, IKE_PROTO_ESP, t[i].offer);
		ok = choose(t[i].ke);
		if (ok != (t[i].group != REFUSED))
			fail_msg("row %zu: %d", i, ok);
		if (!ok)
			continue;
		assert_int_equal(esp_suite_from_proposal(&chosen, &s), 0);
		if (s.dh != t[i].group)
			fail_msg("row %zu: group %u", i, s.dh);
		/* and the peer finds that in its offer */
		answer = (struct ike_proposals){ .n = 1, .p = { chosen } };
		assert_true(verify(""));
		assert_memory_equal(&chosen, &answer.p[0], sizeof(chosen));
	}
}

/* What the answer may say of PFS is what was offered. */
static void pfs_in_answers(void **state)
{
	static const struct {
		const char *offer;
		int group; /* SILENT: not a word about it */
		const char *why; /* NULL: accepted */
	} t[] = {
		{ "aes256gcm16-x25519", X, NULL },
		{ "aes256gcm16-x25519", NO, NULL },
		{ "aes256gcm16-x25519", SILENT, NULL },
		{ "aes256gcm16-x25519", E, "a different key exchange group" },
		{ "aes256gcm16-x25519-pfs", X, NULL },
		{ "aes256gcm16-x25519-pfs", NO, "a different key exchange group" },
		{ "aes256gcm16-x25519-pfs", SILENT, "no key exchange group" },
		{ "aes256gcm16-x25519-pfs", E, "a different key exchange group" },
		{ "aes256gcm16-x25519-nopfs", X, "a different key exchange group" },
		{ "aes256gcm16-x25519-nopfs", NO, NULL },
		{ "aes256gcm16-x25519-nopfs", SILENT, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct esp_suite s;

		set(&offer, IKE_PROTO_ESP, t[i].offer);
		set(&answer, IKE_PROTO_ESP, "aes256gcm16-noesn");
		if (t[i].group != SILENT)
			add(&answer.p[0], IKE_T_DH, (uint16_t)t[i].group, 0);
		if (verify(t[i].why ? t[i].why : "") != !t[i].why)
			fail_msg("row %zu", i);
		if (t[i].why)
			continue;
		assert_int_equal(esp_suite_from_proposal(&chosen, &s), 0);
		assert_int_equal(s.dh, t[i].group == X ? X : NO);
	}
}

/* Some peers offer PFS in one proposal, and none in another one. */
static void pfs_in_proposals_of_their_own(void **state)
{
	(void)state;
	set(&own, IKE_PROTO_ESP, "aes256gcm16-x25519-ecp256");
	set(&offer, IKE_PROTO_ESP, "aes256gcm16-noesn, aes256gcm16-x25519-ecp256-pfs-noesn");
	assert_string_equal(choose(E), "aes256gcm16-ecp256-noesn");
	assert_int_equal(chosen.num, 2);
	assert_string_equal(choose(NO), "aes256gcm16-noesn");
	assert_int_equal(chosen.num, 1);
	/* and one group in each */
	set(&offer, IKE_PROTO_ESP, "aes256gcm16-x25519-pfs-noesn, aes256gcm16-ecp256-pfs-noesn");
	assert_string_equal(choose(E), "aes256gcm16-ecp256-noesn");
	/* of two that are as good, the first */
	assert_string_equal(choose(IKE_DH_MODP2048), "aes256gcm16-x25519-noesn");
	/* but the encryption that we prefer comes first */
	set(&offer, IKE_PROTO_ESP, "aes128gcm16-ecp256-pfs-noesn, aes256gcm16-noesn");
	set(&own, IKE_PROTO_ESP, "aes256gcm16-aes128gcm16-ecp256");
	assert_string_equal(choose(E), "aes256gcm16-noesn");
	/* within IKE_AUTH nobody's groups count */
	set(&own, IKE_PROTO_ESP, "aes256gcm16-x25519-pfs");
	set(&offer, IKE_PROTO_ESP, "aes256gcm16-modp2048-pfs-noesn");
	assert_null(choose(IKE_DH_MODP2048));
	ike_proposals_drop_dh(&own);
	ike_proposals_drop_dh(&offer);
	assert_string_equal(choose(NO), "aes256gcm16-noesn");
}

static void an_answer_is_one_of_each_from_our_offer(void **state)
{
	(void)state;
	assert_int_equal(ike_proposals_from_text("modern", IKE_PROTO_IKE, &offer, err, sizeof(err)),
			 0);
	set(&answer, IKE_PROTO_IKE, "aes128-sha512-prfsha256-modp3072");
	answer.p[0].num = 2;
	assert_true(verify(""));
	assert_int_equal(chosen.num, 2);
	answer.p[0].num = 1; /* the AEAD proposal */
	assert_false(verify("has a different encryption algorithm"));
	answer.p[0].num = 3;
	assert_false(verify("none of ours"));
	answer.p[0].num = 2;
	answer.p[0].spi_len = 3;
	assert_false(verify("none of ours"));
	answer.p[0].spi_len = 0;
	add(&answer.p[0], IKE_T_DH, IKE_DH_CURVE25519, 0);
	assert_false(verify("more than one key exchange group"));
	answer.p[0].n -= 2;
	assert_false(verify("no key exchange group"));
	add(&answer.p[0], IKE_T_DH, 2, 0);
	assert_false(verify("a different key exchange group"));
	answer.p[0].n--;
	add(&answer.p[0], IKE_T_DH, IKE_DH_MODP3072, 0);
	add(&answer.p[0], 13, 1, 0);
	assert_false(verify("none of ours"));
	set(&answer, IKE_PROTO_IKE, "aes128-sha512-x25519, aes256-sha256-x25519");
	assert_false(verify("2 proposals, not one"));
	answer.n = 0;
	assert_false(verify("0 proposals, not one"));
}

static void an_answer_does_not_weaken_the_cipher(void **state)
{
	(void)state;
	set(&offer, IKE_PROTO_IKE, "aes256-sha256-prfsha256-x25519");
	set(&answer, IKE_PROTO_IKE, "aes256gcm16-prfsha256-x25519");
	answer.p[0].t[0] = (struct ike_transform){ IKE_T_ENCR, IKE_ENCR_AES_CBC, 256 };
	assert_false(verify("no integrity algorithm"));
	answer.p[0].t[0].key_bits = 128;
	assert_false(verify("a different encryption algorithm"));
	/* an AEAD answered with a MAC */
	set(&offer, IKE_PROTO_IKE, "aes256gcm16-prfsha256-x25519");
	set(&answer, IKE_PROTO_IKE, "aes256gcm16-prfsha256-x25519");
	assert_true(verify(""));
	add(&answer.p[0], IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_256_128, 0);
	assert_false(verify("a different integrity algorithm"));
	/* and with NONE, said aloud: the same as silence */
	answer.p[0].t[answer.p[0].n - 1].id = IKE_INTEG_NONE;
	assert_true(verify(""));
}

static void esp_answers(void **state)
{
	(void)state;
	assert_int_equal(ike_proposals_from_text("modern", IKE_PROTO_ESP, &offer, err, sizeof(err)),
			 0);
	ike_proposals_drop_dh(&offer);
	set(&answer, IKE_PROTO_ESP, "chacha20poly1305-noesn");
	assert_true(verify(""));
	set(&answer, IKE_PROTO_ESP, "chacha20poly1305-noesn-x25519-pfs");
	assert_false(verify("a different key exchange group"));
	/* ESN left out, which means 32 bits: we offered that too */
	set(&answer, IKE_PROTO_ESP, "aes192gcm16-noesn");
	answer.p[0].n--;
	assert_true(verify(""));
	set(&offer, IKE_PROTO_ESP, "aes192gcm16-esn");
	assert_false(verify("no sequence number size"));
}

static void suites_need_every_part(void **state)
{
	struct ike_suite s;
	struct esp_suite e;

	(void)state;
	set(&own, IKE_PROTO_IKE, "aes256-sha384-prfsha512-ecp521");
	assert_int_equal(ike_suite_from_proposal(&own.p[0], &s), 0);
	assert_int_equal(s.cipher.encr, IKE_ENCR_AES_CBC);
	assert_int_equal(s.cipher.key_bits, 256);
	assert_int_equal(s.cipher.integ, IKE_INTEG_HMAC_SHA2_384_192);
	assert_int_equal(s.prf, IKE_PRF_HMAC_SHA2_512);
	assert_int_equal(s.dh, IKE_DH_ECP521);
	own.p[0].n--; /* the group */
	assert_int_equal(ike_suite_from_proposal(&own.p[0], &s), -1);
	assert_int_equal(esp_suite_from_proposal(&own.p[0], &e), 0);
	own.p[0].n = 0;
	assert_int_equal(ike_suite_from_proposal(&own.p[0], &s), -1);
	assert_int_equal(esp_suite_from_proposal(&own.p[0], &e), -1);
}

static void explain(const char *want)
{
	assert_null(choose(31));
	assert_string_equal(ike_proposal_explain(text, sizeof(text), &own, IKE_OFFER(&offer)),
			    want);
}

static void explanations_name_type_lists_and_remedy(void **state)
{
	(void)state;
	set(&own, IKE_PROTO_IKE, "aes256gcm16-prfsha256-x25519, aes256-sha256-x25519");
	set(&offer, IKE_PROTO_IKE, "aes256-sha256-modp2048-ecp256");
	explain("no common key exchange group for IKE: the peer offers modp2048/ecp256, we allow x25519; "
		"add modp2048 to Crypto= or let the peer offer one of ours");
	set(&offer, IKE_PROTO_IKE, "aes256-sha512-sha384-prfsha256-x25519");
	explain("no common integrity algorithm for IKE: the peer offers sha512/sha384, we allow sha256; "
		"add sha512 to Crypto= or let the peer offer one of ours");
	set(&offer, IKE_PROTO_IKE, "aes256gcm16-prfsha512-x25519");
	explain("no common pseudo-random function for IKE: the peer offers prfsha512, we allow prfsha256; "
		"add prfsha512 to Crypto= or let the peer offer one of ours");
	set(&offer, IKE_PROTO_IKE, "aes128-sha256-x25519");
	explain("no common encryption algorithm for IKE: the peer offers aes128, we allow aes256; "
		"add aes128 to Crypto= or let the peer offer one of ours");
	/* what we cannot add */
	set(&offer, IKE_PROTO_IKE, "aes256-sha256-x25519");
	offer.p[0].t[1].id = IKE_INTEG_AES_XCBC_96; /* for ESP we have it */
	explain("no common integrity algorithm for IKE: the peer offers aesxcbc, we allow sha256; "
		"we have none of the peer's, so let it offer one of ours");
}

static void explanations_for_esp(void **state)
{
	(void)state;
	set(&own, IKE_PROTO_ESP, "aes256gcm16");
	set(&offer, IKE_PROTO_ESP, "aes128-sha256");
	assert_null(choose(0));
	assert_string_equal(
		ike_proposal_explain(text, sizeof(text), &own, IKE_OFFER(&offer)),
		"no common encryption algorithm for ESP: the peer offers aes128, we allow aes256gcm16; "
		"add aes128 to Crypto= or let the peer offer one of ours");
	set(&own, IKE_PROTO_ESP, "aes256-sha256-noesn");
	set(&offer, IKE_PROTO_ESP, "aes256-sha1-md5-noesn");
	assert_null(choose(0));
	assert_string_equal(
		ike_proposal_explain(text, sizeof(text), &own, IKE_OFFER(&offer)),
		"no common integrity algorithm for ESP: the peer offers sha1/md5, we allow sha256; "
		"add sha1 to Crypto= or let the peer offer one of ours");
	/* nothing is recommended that would be warned of */
	set(&offer, IKE_PROTO_ESP, "3des-des-sha256-noesn");
	assert_null(choose(0));
	assert_string_equal(
		ike_proposal_explain(text, sizeof(text), &own, IKE_OFFER(&offer)),
		"no common encryption algorithm for ESP: the peer offers 3des/des, we allow aes256; "
		"Crypto= could take 3des, which is legacy: it has blocks of 64 bits, so that a key of ESP "
		"lasts for 1 GiB only; better let the peer offer one of ours");
	set(&own, IKE_PROTO_ESP, "aes256gcm16-esn");
	set(&offer, IKE_PROTO_ESP, "aes256gcm16-noesn");
	assert_null(choose(0));
	assert_string_equal(
		ike_proposal_explain(text, sizeof(text), &own, IKE_OFFER(&offer)),
		"no common sequence number size for ESP: the peer offers noesn, we allow esn; "
		"add noesn to Crypto= or let the peer offer one of ours");
	/* PFS */
	set(&own, IKE_PROTO_ESP, "aes256gcm16-x25519-pfs");
	set(&offer, IKE_PROTO_ESP, "aes256gcm16-noesn");
	assert_null(choose(0));
	assert_string_equal(
		ike_proposal_explain(text, sizeof(text), &own, IKE_OFFER(&offer)),
		"no common key exchange group for ESP: the peer offers none, we allow x25519; "
		"take pfs out of Crypto= or let the peer use PFS");
	set(&own, IKE_PROTO_ESP, "aes256gcm16-x25519-nopfs");
	set(&offer, IKE_PROTO_ESP, "aes256gcm16-ecp256-pfs");
	assert_null(choose(IKE_DH_ECP256));
	assert_string_equal(
		ike_proposal_explain(text, sizeof(text), &own, IKE_OFFER(&offer)),
		"no common key exchange group for ESP: the peer offers ecp256, we allow none; "
		"have ecp256 and no nopfs in Crypto=, or let the peer do without PFS");
	set(&own, IKE_PROTO_ESP, "aes256gcm16-esn");
	offer.p[0].protocol = IKE_PROTO_AH;
	assert_non_null(strstr(ike_proposal_explain(text, sizeof(text), &own, IKE_OFFER(&offer)),
			       "nothing we could judge for ESP"));
	assert_string_equal(
		ike_proposal_explain(text, sizeof(text), &own, (struct ike_offer){ 0 }),
		"the peer accepts none of our proposals: aes256gcm16-esn; let it accept one, or add "
		"one of its to Crypto=");
}

/* Proposals of ESP with an integrity algorithm: the first of ours that the peer has; answered as offered. */
static void esp_with_an_integrity_algorithm(void **state)
{
	struct esp_suite s;

	(void)state;
	assert_int_equal(ike_proposals_from_text("modern", IKE_PROTO_ESP, &own, err, sizeof(err)),
			 0);
	ike_proposals_drop_dh(&own);
	set(&offer, IKE_PROTO_ESP, "3des-des-aes128-aes256-md5-sha1-sha512-noesn");
	add(&offer.p[0], IKE_T_ENCR, IKE_ENCR_NULL, 0);
	assert_string_equal(choose(0), "aes256-sha512-noesn");
	assert_int_equal(esp_suite_from_proposal(&chosen, &s), 0);
	assert_int_equal(s.cipher.encr, IKE_ENCR_AES_CBC);
	assert_int_equal(s.cipher.integ, IKE_INTEG_HMAC_SHA2_512_256);
	/* AEADs are preferred, wherever the peer has them */
	set(&offer, IKE_PROTO_ESP, "aes256-sha256-noesn, aes128gcm16-noesn");
	assert_string_equal(choose(0), "aes128gcm16-noesn");
	assert_int_equal(chosen.num, 2);
	/* what has a warning is never in modern */
	set(&offer, IKE_PROTO_ESP,
	    "3des-des-sha256-noesn, null-sha256, aes256-md5-noesn, aes256gmac");
	assert_null(choose(0));
	/* nothing without integrity, said aloud or left out, on whichever side */
	set(&offer, IKE_PROTO_ESP, "aes256-sha256-noesn");
	offer.p[0].t[1].id = IKE_INTEG_NONE;
	assert_null(choose(0));
	offer.p[0].t[1] = offer.p[0].t[--offer.p[0].n];
	assert_null(choose(0));
	/* an AEAD with INTEG NONE aloud beside a cipher with one of its own: each has what belongs to it */
	set(&offer, IKE_PROTO_ESP, "aes256-sha256-noesn");
	add(&offer.p[0], IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 256);
	assert_string_equal(choose(0), "aes256-sha256-noesn");
	add(&offer.p[0], IKE_T_INTEG, IKE_INTEG_NONE, 0);
	assert_string_equal(choose(0), "aes256gcm16-noesn");
}

/* What we offered may not be weakened by the answer. */
static void esp_answers_with_an_integrity_algorithm(void **state)
{
	(void)state;
	set(&offer, IKE_PROTO_ESP, "aes256-aes256ctr-sha256-aescmac-noesn, null-sha256-noesn");
	set(&answer, IKE_PROTO_ESP, "aes256ctr-aescmac-noesn");
	assert_true(verify(""));
	answer.p[0].t[1].id = IKE_INTEG_HMAC_SHA1_96;
	assert_false(verify("a different integrity algorithm"));
	answer.p[0].t[1].id = IKE_INTEG_NONE;
	assert_false(verify("a different integrity algorithm"));
	answer.p[0].t[1] = answer.p[0].t[--answer.p[0].n];
	assert_false(verify("no integrity algorithm"));
	set(&answer, IKE_PROTO_ESP, "null-sha256-noesn");
	assert_false(verify("a different encryption algorithm")); /* it is of proposal 2 */
	answer.p[0].num = 2;
	assert_true(verify(""));
}

/* Words that one of both protocols does not have. */
static void words_of_one_protocol(void **state)
{
	static const struct {
		const char *words, *ike, *esp; /* NULL: nothing is left */
	} t[] = {
		{ "aes256-aes256ctr-sha256-x25519", "aes256-sha256-prfsha256-x25519",
		  "aes256/aes256ctr-sha256-x25519/nopfs-esn/noesn" },
		{ "aes256ctr-sha256-x25519", NULL, "aes256ctr-sha256-x25519/nopfs-esn/noesn" },
		{ "aes256-aesxcbc-x25519", NULL, "aes256-aesxcbc-x25519/nopfs-esn/noesn" },
		{ "aes256-aesxcbc-sha1-x25519", "aes256-sha1-prfsha1-x25519",
		  "aes256-aesxcbc/sha1-x25519/nopfs-esn/noesn" },
		{ "aes128gcm16iiv-aes128gcm16-x25519",
		  "aes128gcm16-prfsha256/prfsha384/prfsha512-x25519",
		  "aes128gcm16iiv/aes128gcm16-x25519/nopfs-esn/noesn" },
		{ "null-sha256-x25519", NULL, "null-sha256-x25519/nopfs-esn/noesn" },
		{ "aes128gmac", NULL, "aes128gmac-esn/noesn" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		for (int esp = 0; esp < 2; esp++) {
			const char *want = esp ? t[i].esp : t[i].ike;
			int rc = ike_proposals_from_text(t[i].words,
							 esp ? IKE_PROTO_ESP : IKE_PROTO_IKE, &own,
							 err, sizeof(err));

			assert_int_equal(rc, want ? 0 : -1);
			ike_proposals_print(text, sizeof(text), IKE_OFFER(&own));
			if (want)
				assert_string_equal(text, want);
			else
				assert_non_null(strstr(err,
						       "leaves nothing for IKE; add a proposal "
						       "with aes256gcm16, aes128gcm16, "));
		}
	}
}

static void encryption_needs_integrity(void **state)
{
	static const struct {
		const char *words, *why;
	} t[] = {
		{ "aes256ctr", "encryption without integrity algorithm; add one, such as sha256" },
		{ "3des-x25519", "encryption without integrity algorithm" },
		{ "null", "encryption without integrity algorithm" },
		{ "null-nointeg", "nointeg is not implemented" },
		{ "aes256ccm8-aes256-sha256", "make two proposals with a comma between" },
		{ "aes256gmac-null-sha256", "make two proposals with a comma between" },
		{ "aes256-null-sha256",
		  "null or GMAC, which hide nothing, together with encryption" },
		{ "aes256gcm16-aes256gmac", "null or GMAC, which hide nothing" },
		{ "sha256", "no encryption algorithm" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(ike_proposals_from_text(t[i].words, IKE_PROTO_ESP, &own, err,
							 sizeof(err)),
				 -1);
		if (!strstr(err, t[i].why))
			fail_msg("\"%s\" does not say \"%s\"", err, t[i].why);
	}
}

/* IKE has no suite of what only ESP may have, however it got into a proposal (RFC 8750 7). */
static void suites_of_esp_are_none_of_ike(void **state)
{
	static const char *const words[] = { "null-sha256",    "aes256ctr-sha256",
					     "aes256-aescmac", "aes128ccm16",
					     "aes256gmac",     "chacha20poly1305iiv" };
	struct ike_suite s;
	struct esp_suite e;

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		set(&own, IKE_PROTO_ESP, words[i]);
		assert_int_equal(esp_suite_from_proposal(&own.p[0], &e), 0);
		add(&own.p[0], IKE_T_PRF, IKE_PRF_HMAC_SHA2_256, 0);
		add(&own.p[0], IKE_T_DH, IKE_DH_CURVE25519, 0);
		assert_int_equal(ike_suite_from_proposal(&own.p[0], &s), -1);
	}
}

static const char *kept(const char *words, const char *suite)
{
	struct ike_proposals old;
	struct esp_suite s;

	set(&old, IKE_PROTO_ESP, suite);
	assert_int_equal(esp_suite_from_proposal(&old.p[0], &s), 0);
	set(&own, IKE_PROTO_ESP, words);
	ike_proposals_keep(&own, &s);
	for (unsigned int i = 0; i < own.n; i++)
		assert_int_equal(own.p[i].num, i + 1);
	return ike_proposals_print(text, sizeof(text), IKE_OFFER(&own));
}

/* What renews an SA: its algorithms, and the groups that go with them. */
static void renewed_sas_keep_their_algorithms(void **state)
{
	(void)state;
	assert_string_equal(kept("aes256gcm16-x25519, aes256-aes128-sha256-sha1-modp2048",
				 "aes128-sha1-noesn"),
			    "aes128-sha1-modp2048/nopfs-noesn");
	assert_string_equal(kept("aes256gcm16-aes128gcm16-x25519-pfs, aes256-sha256",
				 "aes128gcm16-esn"),
			    "aes128gcm16-x25519-esn");
	/* in both proposals */
	assert_string_equal(kept("aes256-sha256-x25519, aes256-aes128-sha256-ecp256",
				 "aes256-sha256-noesn"),
			    "aes256-sha256-x25519/nopfs-noesn, aes256-sha256-ecp256/nopfs-noesn");
	/* the configuration has them no longer, or not together */
	assert_string_equal(kept("aes256gcm16-noesn", "aes128gcm16-noesn"), "aes256gcm16-noesn");
	assert_string_equal(kept("aes256gcm16-esn", "aes256gcm16-noesn"), "aes256gcm16-esn");
	assert_string_equal(kept("aes256-sha256-noesn", "aes256-sha1-noesn"),
			    "aes256-sha256-noesn");
}

static bool of_a_small_kernel(void *ctx, const struct ike_cipher *c)
{
	const struct ike_cipher *lacks = ctx;

	return (c->encr != lacks->encr || c->key_bits != lacks->key_bits) &&
	       (!lacks->integ || c->integ != lacks->integ);
}

static const char *restricted(const char *words, uint16_t encr, uint16_t bits, uint16_t integ)
{
	struct ike_cipher lacks = { encr, bits, integ };
	bool any;

	set(&own, IKE_PROTO_ESP, words);
	any = ike_proposals_restrict(&own, of_a_small_kernel, &lacks);
	ike_proposals_print(text, sizeof(text), IKE_OFFER(&own));
	return any ? text : NULL;
}

static void what_the_kernel_lacks_is_not_offered(void **state)
{
	static const char all[] =
		"aes256gcm16-chacha20poly1305-noesn, aes256-aes128-sha256-sha1-noesn";

	(void)state;
	assert_string_equal(restricted(all, IKE_ENCR_CHACHA20_POLY1305, 0, 0),
			    "aes256gcm16-noesn, aes256/aes128-sha256/sha1-noesn");
	assert_string_equal(restricted(all, IKE_ENCR_AES_CBC, 256, IKE_INTEG_HMAC_SHA1_96),
			    "aes256gcm16/chacha20poly1305-noesn, aes128-sha256-noesn");
	/* nothing goes with the integrity algorithm, or with the cipher */
	assert_string_equal(restricted("aes256gcm16-noesn, aes256-sha1-noesn", 0, 0,
				       IKE_INTEG_HMAC_SHA1_96),
			    "aes256gcm16-noesn");
	assert_string_equal(restricted("aes256-sha256-noesn, aes256gcm16-noesn", IKE_ENCR_AES_CBC,
				       256, 0),
			    "aes256gcm16-noesn");
	assert_int_equal(own.p[0].num, 1);
	/* nothing at all: the caller is to say so */
	assert_null(restricted("aes256-sha256-noesn", IKE_ENCR_AES_CBC, 256, 0));
	assert_string_equal(text, "aes256-sha256-noesn");
}

/* Offers of real daemons against our default. */
static void foreign_offers(void **state)
{
	static const struct {
		const char *file, *result;
	} cases[] = {
		{ "ike-captures/strongswan-6.1.0-aescbc.pcapng", "aes256-sha256-prfsha256-x25519" },
		{ "ike-captures/ikev2-decrypt-aes256gcm16.pcap", "aes256gcm16-prfsha256-ecp256" },
		{ "ike-captures/ikev2-decrypt-aes256cbc.pcapng", "aes256-sha256-prfsha256-ecp256" },
		{ "ike-captures/ikev2_nat_t.pcapng", "aes256gcm16-prfsha256-ecp256" },
	};
	static struct ike_sa_payload theirs, given;
	static struct capture c;

	(void)state;
	assert_int_equal(ike_proposals_from_text("modern", IKE_PROTO_IKE, &own, err, sizeof(err)),
			 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ike_payloads p;
		struct ike_ke ke;
		uint8_t offender;
		const char *got;

		capture_load(cases[i].file, &c);
		capture_ike(&c);
		assert_int_equal(ike_payloads_parse(IKE_PL_SA, c.d[0].data + IKE_HDR_LEN,
						    c.d[0].len - IKE_HDR_LEN, &p, &offender),
				 0);
		assert_int_equal(ike_sa_parse(ike_payload_find(&p, IKE_PL_SA), &theirs), 0);
		assert_int_equal(ike_ke_parse(ike_payload_find(&p, IKE_PL_KE), &ke), 0);
		assert_true(ike_proposal_choose(&own, IKE_OFFER(&theirs), ke.group, &chosen));
		got = ike_proposal_print(text, sizeof(text), &chosen);
		assert_string_equal(got, cases[i].result);
		/* and the answer it really got is one of its offer */
		assert_int_equal(ike_payloads_parse(IKE_PL_SA, c.d[1].data + IKE_HDR_LEN,
						    c.d[1].len - IKE_HDR_LEN, &p, &offender),
				 0);
		assert_int_equal(ike_sa_parse(ike_payload_find(&p, IKE_PL_SA), &given), 0);
		assert_true(ike_proposal_verify(IKE_OFFER(&theirs), IKE_OFFER(&given), &chosen, err,
						sizeof(err)));
		capture_free(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modern_means),
		cmocka_unit_test(profiles_mean),
		cmocka_unit_test(crypto_lists_read),
		cmocka_unit_test(esp_with_an_integrity_algorithm),
		cmocka_unit_test(esp_answers_with_an_integrity_algorithm),
		cmocka_unit_test(words_of_one_protocol),
		cmocka_unit_test(encryption_needs_integrity),
		cmocka_unit_test(suites_of_esp_are_none_of_ike),
		cmocka_unit_test(renewed_sas_keep_their_algorithms),
		cmocka_unit_test(what_the_kernel_lacks_is_not_offered),
		cmocka_unit_test(the_responder_prefers_its_own_order),
		cmocka_unit_test(own_proposals_come_before_the_offers_order),
		cmocka_unit_test(key_lengths_match_exactly),
		cmocka_unit_test(an_aead_has_no_integrity),
		cmocka_unit_test(unknown_types_spoil_a_proposal_and_unusable_transforms_do_not),
		cmocka_unit_test(additional_key_exchanges_differ),
		cmocka_unit_test(protocols_and_spis_must_fit),
		cmocka_unit_test(esn_follows_our_preference),
		cmocka_unit_test(pfs_is_offered_required_or_neither),
		cmocka_unit_test(pfs_in_answers),
		cmocka_unit_test(pfs_in_proposals_of_their_own),
		cmocka_unit_test(an_answer_is_one_of_each_from_our_offer),
		cmocka_unit_test(an_answer_does_not_weaken_the_cipher),
		cmocka_unit_test(esp_answers),
		cmocka_unit_test(suites_need_every_part),
		cmocka_unit_test(explanations_name_type_lists_and_remedy),
		cmocka_unit_test(explanations_for_esp),
		cmocka_unit_test(foreign_offers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

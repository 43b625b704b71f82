// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding the words of Crypto= in transform.def, and explaining those that are not there:
 * slips, words of other programs, algorithms that we do not implement.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/distance.h"
#include "ike/proto/crypto_word.h"
#include "ike/proto/names.h"
#include "ike/proto/text.h"

/* Words of other programs and standards, without punctuation, in ours. */
static const struct {
	const char *theirs, *ours;
} aliases[] = {
	{ "default", "modern" },
	{ "aes", "aes256" },
	{ "aescbc", "aes256" },
	{ "aes128cbc", "aes128" },
	{ "aescbc128", "aes128" },
	{ "aes192cbc", "aes192" },
	{ "aescbc192", "aes192" },
	{ "aes256cbc", "aes256" },
	{ "aescbc256", "aes256" },
	{ "gcm", "aes256gcm16" },
	{ "aesgcm", "aes256gcm16" },
	{ "aes128gcm", "aes128gcm16" },
	{ "aesgcm128", "aes128gcm16" },
	{ "aesgcm16128", "aes128gcm16" },
	{ "aes192gcm", "aes192gcm16" },
	{ "aesgcm192", "aes192gcm16" },
	{ "aesgcm16192", "aes192gcm16" },
	{ "aes256gcm", "aes256gcm16" },
	{ "aesgcm256", "aes256gcm16" },
	{ "aesgcm16256", "aes256gcm16" },
	{ "ccm", "aes256ccm16" },
	{ "aesccm", "aes256ccm16" },
	{ "aes128ccm", "aes128ccm16" },
	{ "aes192ccm", "aes192ccm16" },
	{ "aes256ccm", "aes256ccm16" },
	{ "aesctr", "aes256ctr" },
	{ "gmac", "aes256gmac" },
	{ "aesgmac", "aes256gmac" },
	{ "nullauthaesgmac", "aes256gmac" },
	{ "chacha20", "chacha20poly1305" },
	{ "des3", "3des" },
	{ "3descbc", "3des" },
	{ "desede3", "3des" },
	{ "tripledes", "3des" },
	{ "descbc", "des" },
	{ "espnull", "null" },
	{ "sha", "sha1" },
	{ "sha196", "sha1" },
	{ "hmacsha1", "sha1" },
	{ "hmacsha196", "sha1" },
	{ "hmacmd5", "md5" },
	{ "hmacmd596", "md5" },
	{ "xcbc", "aesxcbc" },
	{ "aesxcbc96", "aesxcbc" },
	{ "aesxcbcmac", "aesxcbc" },
	{ "cmac", "aescmac" },
	{ "aescmac96", "aescmac" },
	{ "sha2", "sha256" },
	{ "sha2256", "sha256" },
	{ "hmacsha256", "sha256" },
	{ "hmacsha2256", "sha256" },
	{ "sha2384", "sha384" },
	{ "hmacsha384", "sha384" },
	{ "hmacsha2384", "sha384" },
	{ "sha2512", "sha512" },
	{ "hmacsha512", "sha512" },
	{ "hmacsha2512", "sha512" },
	{ "p256", "ecp256" },
	{ "secp256r1", "ecp256" },
	{ "p384", "ecp384" },
	{ "secp384r1", "ecp384" },
	{ "p521", "ecp521" },
	{ "secp521r1", "ecp521" },
};

/* The letters and digits of @text, @len characters; cut to fit. */
static void squeeze(const char *text, size_t len, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < size; i++)
		if (isalnum((unsigned char)text[i]))
			out[n++] = (char)tolower((unsigned char)text[i]);
	out[n] = '\0';
}

/* "dh14", "group14": a group by its number. */
static const char *group_word(const char *text)
{
	const char *digits = text + strcspn(text, "0123456789");
	size_t letters = (size_t)(digits - text);
	const struct ike_word *w;

	if (!(letters == 2 && !strncmp(text, "dh", 2)) &&
	    !(letters == 5 && !strncmp(text, "group", 5)) &&
	    !(letters == 7 && !strncmp(text, "dhgroup", 7)))
		return NULL;
	for (size_t i = 0; (w = ike_word_get(i)); i++)
		if (w->ours && w->t.type == IKE_T_DH && w->t.id &&
		    w->t.id == strtoul(digits, NULL, 10))
			return w->text;
	return NULL;
}

/* "aes256ccm96": strongSwan has lengths of ICVs in bits, too. Put in bytes if @word ends so. */
static void icv_to_bytes(char *word)
{
	static const char *const bits[] = { "64", "96", "128" }, *const bytes[] = { "8", "12",
										    "16" };
	char *icv = strlen(word) > 9 ? word + 9 : NULL; /* behind "aes256gcm" */

	for (size_t i = 0; icv && i < sizeof(bits) / sizeof(bits[0]); i++)
		if (!strncmp(icv - 2, "cm", 2) && !strcmp(icv, bits[i]))
			strcpy(icv, bytes[i]);
}

const char *ike_word_translate(const char *text, size_t len)
{
	char word[DISTANCE_MAX_WORD + 1];
	const struct ike_word *w;

	squeeze(text, len, word, sizeof(word));
	icv_to_bytes(word);
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (!strcmp(aliases[i].theirs, word))
			return aliases[i].ours;
	for (size_t i = 0; (w = ike_word_get(i)); i++)
		if (w->ours && *word && !strcmp(w->text, word))
			return w->text;
	return group_word(word);
}

/* The word of ours that @text, @len characters, differs least from; NULL if none is like it. */
static const char *nearest_word(const char *text, size_t len)
{
	char word[DISTANCE_MAX_WORD + 1];
	const char *nearest = NULL;
	const struct ike_word *w;
	unsigned int best = 4;

	squeeze(text, len, word, sizeof(word));
	for (size_t i = 0; (w = ike_word_get(i)); i++) {
		unsigned int d = edit_distance(word, w->text);

		if (w->ours && d < best && 2 * d < strlen(word)) {
			best = d;
			nearest = w->text;
		}
	}
	return nearest;
}

/* "aes256-gcm": the unknown word may be a part of one that was cut by its dashes. */
static void explain_unknown(struct text *out, const char *text, size_t len, const char *whole)
{
	const char *ours = ike_word_translate(whole, strlen(whole));

	if (!ours)
		ours = ike_word_translate(text, len);
	if (!ours)
		ours = nearest_word(text, len);
	text_add(out, "unknown word \"%.*s\"", (int)len, text);
	if (strlen(whole) != len)
		text_add(out, " in \"%s\"", whole);
	if (ours)
		text_add(out, "; did you mean %s?", ours);
	else
		text_add(out, "; expected words like aes256gcm16-prfsha384-x25519, which "
			      "esptun.conf(5) lists");
}

static void explain_missing(struct text *out, const struct ike_word *missing)
{
	uint8_t type = (uint8_t)missing->t.type;
	uint8_t protocol = ike_type_of(type)->esp ? IKE_PROTO_ESP : IKE_PROTO_IKE;
	const struct ike_word *w;

	text_add(out, "%s is not implemented; choose another %s", missing->text,
		 ike_transform_type_name(type));
	for (unsigned int place = 1; (w = ike_word_at(type, protocol, place)); place++)
		text_add(out, "%s%s", place == 1 ? ": " : ", ", w->text);
}

const struct ike_word *ike_word_find(const char *text, size_t len, const char *whole, char *err,
				     size_t err_size)
{
	struct text out = text_init(err, err_size);
	const struct ike_word *w;

	for (size_t i = 0; (w = ike_word_get(i)); i++) {
		if (strlen(w->text) != len || strncasecmp(w->text, text, len) != 0)
			continue;
		if (w->ours)
			return w;
		explain_missing(&out, w);
		return NULL;
	}
	explain_unknown(&out, text, len, whole);
	return NULL;
}

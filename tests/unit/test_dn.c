// SPDX-License-Identifier: GPL-2.0-or-later
/* Distinguished names: text and DER, equality (also as libcrypto sees it), wildcards, hostile bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/x509.h>

#include "ike/proto/dn.h"
#include "ike/proto/id.h"

static struct ike_id dn(const char *text)
{
	struct ike_id id;
	char err[512];

	if (ike_id_from_text(text, &id, err, sizeof(err)))
		fail_msg("%s: %s", text, err);
	assert_int_equal(id.type, IKE_ID_DER_DN);
	return id;
}

static const char *text_of(const struct ike_id *id)
{
	static char buf[1200];

	return ike_id_print(buf, sizeof(buf), id);
}

/* libcrypto takes the bytes for a name and prints them so. */
static void assert_libcrypto_reads(const struct ike_id *id, const char *want)
{
	const uint8_t *p = id->data;
	X509_NAME *name = d2i_X509_NAME(NULL, &p, id->len);
	BIO *bio = BIO_new(BIO_s_mem());
	char line[512] = "";

	assert_non_null(name);
	X509_NAME_print_ex(bio, name, 0, ASN1_STRFLGS_RFC2253 | XN_FLAG_SEP_COMMA_PLUS);
	assert_true(BIO_read(bio, line, sizeof(line) - 1) > 0);
	assert_string_equal(line, want);
	BIO_free(bio);
	X509_NAME_free(name);
}

static void names_are_read_and_printed(void **state)
{
	static const struct {
		const char *text, *printed, *libcrypto;
	} rows[] = {
		{ "C=CH, O=Example, CN=west", "C=CH, O=Example, CN=west",
		  "C=CH,O=Example,CN=west" },
		{ "cn=west,o=Example", "CN=west, O=Example", "CN=west,O=Example" },
		{ "dn:CN = a  b ", "CN=a  b", "CN=a  b" },
		{ "C=CH, CN=*", "C=CH, CN=*", "C=CH,CN=*" },
		{ "DC=org, DC=example, E=a@b.example", "DC=org, DC=example, E=a@b.example",
		  "DC=org,DC=example,emailAddress=a@b.example" },
		{ "emailAddress=a@b", "E=a@b", "emailAddress=a@b" },
		{ "CN=a\\, b\\+c, OU=x=y", "CN=a\\, b\\+c, OU=x=y", "CN=a\\, b\\+c,OU=x=y" },
		{ "CN=Z\\c3\\bcrich", "CN=Z\\c3\\bcrich", "CN=Z\\C3\\BCrich" },
		{ "CN=Z\xc3\xbcrich", "CN=Z\\c3\\bcrich", "CN=Z\\C3\\BCrich" },
		{ "CN=\\ a\\ ", "CN=\\20a\\20", "CN=\\ a\\ " },
		{ "CN=a\\\\ , O=b", "CN=a\\5c, O=b", "CN=a\\\\,O=b" },
		{ "CN=\\#a", "CN=\\23a", "CN=\\#a" },
		{ "UID=u, serialNumber=1, ST=s, L=l, OU=o",
		  "UID=u, serialNumber=1, ST=s, L=l, OU=o", "UID=u,serialNumber=1,ST=s,L=l,OU=o" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ike_id id = dn(rows[i].text), again;

		assert_string_equal(text_of(&id), rows[i].printed);
		again = dn(rows[i].printed);
		assert_true(ike_id_eq(&id, &again));
		assert_libcrypto_reads(&id, rows[i].libcrypto);
	}
}

/* The bytes themselves, as strongSwan makes them of the same words. */
static void strings_have_the_usual_types(void **state)
{
	static const uint8_t der[] = "\x30\x2f\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02"
				     "CH"
				     "\x31\x0e\x30\x0c\x06\x03\x55\x04\x0a\x0c\x05"
				     "a_b*c"
				     "\x31\x10\x30\x0e\x06\x03\x55\x04\x03\x13\x07"
				     "west 01";
	struct ike_id id = dn("C=CH, O=a_b*c, CN=west 01"), raw;

	(void)state;
	assert_int_equal(id.len, sizeof(der) - 1);
	assert_memory_equal(id.data, der, id.len);
	raw = dn(
		"dn:0x302f310b3009060355040613024348310e300c060355040a0c05615f622a633110300e06035504031307"
		"77657374203031");
	assert_true(ike_id_eq(&raw, &id));
	assert_string_equal(text_of(&raw), "C=CH, O=a_b*c, CN=west 01");
}

/* Names with one CN each, whose value has this type. */
static struct ike_id typed(uint8_t type, const char *value, size_t len)
{
	struct ike_id id = { .type = IKE_ID_DER_DN };
	uint8_t head[] = { 0x30,	(uint8_t)(len + 11),
			   0x31,	(uint8_t)(len + 9),
			   0x30,	(uint8_t)(len + 7),
			   6,		3,
			   0x55,	4,
			   3,		type,
			   (uint8_t)len };

	memcpy(id.data, head, sizeof(head));
	memcpy(id.data + sizeof(head), value, len);
	id.len = (uint16_t)(sizeof(head) + len);
	return id;
}

static int libcrypto_cmp(const struct ike_id *a, const struct ike_id *b)
{
	const uint8_t *p = a->data, *q = b->data;
	X509_NAME *x = d2i_X509_NAME(NULL, &p, a->len), *y = d2i_X509_NAME(NULL, &q, b->len);
	int order;

	assert_non_null(x);
	assert_non_null(y);
	order = X509_NAME_cmp(x, y);
	X509_NAME_free(x);
	X509_NAME_free(y);
	return order;
}

static void equal_is_what_rfc_5280_calls_so(void **state)
{
	const struct {
		struct ike_id a, b;
		bool equal;
	} rows[] = {
		{ typed(0x13, "West Gate", 9), typed(0x0c, "west gate", 9), true },
		{ typed(0x13, " West   Gate ", 13), typed(0x0c, "west gate", 9), true },
		{ typed(0x16, "WEST", 4), typed(0x1e, "\0w\0e\0s\0t", 8), true },
		{ typed(0x14, "Z\xfcrich", 6), typed(0x0c, "z\xc3\xbcrich", 7), true },
		{ typed(0x1c, "\0\0\0Z\0\0\0\xfc", 8), typed(0x0c, "Z\xc3\xbc", 3), true },
		{ typed(0x0c, "Z\xc3\x9c", 3), typed(0x0c, "Z\xc3\xbc", 3), false },
		{ typed(0x13, "West Gate", 9), typed(0x13, "WestGate", 8), false },
		{ typed(0x13, "west", 4), typed(0x13, "wes", 3), false },
		{ typed(0x13, "west", 4), typed(0x16, "west\0", 5), false },
		{ dn("C=CH, CN=a"), dn("CN=a, C=CH"), false },
		{ dn("C=CH, CN=a"), dn("CN=a"), false },
		{ dn("O=a"), dn("OU=a"), false },
		{ dn("E=A@B.example"), dn("E=a@b.example"), true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int order = ike_id_cmp(&rows[i].a, &rows[i].b);

		if (!order != rows[i].equal ||
		    !libcrypto_cmp(&rows[i].a, &rows[i].b) != rows[i].equal)
			fail_msg("row %zu: %d, libcrypto %d", i, order,
				 libcrypto_cmp(&rows[i].a, &rows[i].b));
		assert_int_equal(order<0, ike_id_cmp(&rows[i].b, &rows[i].a)> 0);
		assert_int_equal(ike_id_hash(&rows[i].a) == ike_id_hash(&rows[i].b), rows[i].equal);
	}
}

/* CN=a and OU=b in one level: the order of a SET says nothing; and it is printed in hexadecimal. */
static void a_level_may_have_several_attributes(void **state)
{
	static const uint8_t x[] = "\x30\x16\x31\x14\x30\x08\x06\x03\x55\x04\x03\x13\x01"
				   "a\x30\x08\x06\x03\x55\x04\x0b\x13\x01"
				   "b";
	static const uint8_t y[] = "\x30\x16\x31\x14\x30\x08\x06\x03\x55\x04\x0b\x0c\x01"
				   "B\x30\x08\x06\x03\x55\x04\x03\x13\x01"
				   "a";
	struct ike_id a = { .type = IKE_ID_DER_DN, .len = sizeof(x) - 1 }, b = a, want = dn("CN=*"),
		      again;
	char line[100];
	struct text t = text_init(line, sizeof(line));

	(void)state;
	memcpy(a.data, x, a.len);
	memcpy(b.data, y, b.len);
	assert_true(ike_id_eq(&a, &b));
	assert_int_equal(ike_id_hash(&a), ike_id_hash(&b));
	assert_false(ike_id_matches(&a, &want));
	assert_true(ike_dn_add(&t, a.data, a.len));
	assert_string_equal(line, "CN=a+OU=b");
	assert_memory_equal(text_of(&a), "dn:0x3016", 9);
	again = dn(text_of(&a));
	assert_true(ike_id_eq(&a, &again));
}

static void wildcards_stand_for_one_value(void **state)
{
	static const struct {
		const char *want, *id;
		bool matches;
	} rows[] = {
		{ "C=CH, O=Example, CN=*", "C=CH, O=Example, CN=west", true },
		{ "C=CH, O=Example, CN=*", "C=ch, O=example, CN=east gate", true },
		{ "C=CH, O=*, CN=*", "C=CH, O=Example, CN=west", true },
		{ "C=CH, O=Example, CN=*", "C=CH, O=Example, CN=*", true },
		{ "C=CH, O=Example, CN=*", "C=CH, O=Other, CN=west", false },
		{ "C=CH, O=Example, CN=*", "C=CH, O=Example", false },
		{ "C=CH, O=Example, CN=*", "C=CH, O=Example, OU=west", false },
		{ "C=CH, O=Example, CN=*", "C=CH, O=Example, CN=west, CN=east", false },
		{ "C=CH, O=Example, CN=west", "C=CH, O=Example, CN=*", false },
		{ "CN=w*", "CN=west", false },
		{ "CN=*", "keyid:west", false },
		{ "CN=*", "*.example.org", false },
		{ "*.example.org", "CN=a.example.org", false },
	};
	struct ike_id id, want, empty = typed(0x13, "", 0), spaces = typed(0x13, "  ", 2);
	char err[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(ike_id_from_text(rows[i].want, &want, err, sizeof(err)), 0);
		assert_int_equal(ike_id_from_text(rows[i].id, &id, err, sizeof(err)), 0);
		if (ike_id_matches(&id, &want) != rows[i].matches)
			fail_msg("%s of %s", rows[i].id, rows[i].want);
	}
	want = dn("CN=*");
	assert_true(ike_id_is_wildcard(&want));
	assert_false(ike_id_matches(&empty, &want));
	assert_false(ike_id_matches(&spaces, &want));
	want = dn("CN=w*, O=a");
	assert_false(ike_id_is_wildcard(&want));
}

/* Whatever the bytes are, a name equals itself, and an end of it is no name. */
static void hostile_names(void **state)
{
	const struct ike_id good = dn("C=CH, O=Example, CN=west"),
			    want = dn("C=CH, O=Example, CN=*");
	struct ike_id id;

	(void)state;
	for (uint16_t cut = 0; cut < good.len; cut++) {
		id = good;
		id.len = cut;
		assert_false(ike_id_matches(&id, &want));
		assert_false(ike_id_eq(&id, &good));
		assert_true(ike_id_eq(&id, &id));
		assert_memory_equal(text_of(&id), "dn:0x", 5);
	}
	for (uint16_t at = 0; at < good.len; at++) {
		for (unsigned int byte = 0; byte < 256; byte++) {
			id = good;
			id.data[at] = (uint8_t)byte;
			assert_true(ike_id_eq(&id, &id));
			assert_int_equal(ike_id_cmp(&id, &good) > 0, ike_id_cmp(&good, &id) < 0);
			ike_id_matches(&id, &want);
			for (const char *s = text_of(&id); *s; s++)
				assert_true(*s >= ' ' && *s <= '~' && *s != '"');
		}
	}
	id = good;
	id.len++; /* a byte behind it */
	assert_false(ike_id_eq(&id, &good));
	id = typed(0x13, "a", 1);
	id.data[1] = 0x81; /* a length in more bytes than it needs */
	assert_memory_equal(text_of(&id), "dn:0x", 5);
}

static void long_names_are_refused(void **state)
{
	char text[600] = "CN=", err[512];
	struct ike_id id;

	(void)state;
	memset(text + 3, 'a', 239);
	assert_int_equal(ike_id_from_text(text, &id, err, sizeof(err)), 0);
	assert_true(id.len <= IKE_MAX_ID);
	memset(text + 3, 'a', 250);
	assert_int_equal(ike_id_from_text(text, &id, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "this distinguished name is too long"));
	memset(text + 3, 'a', 500);
	assert_int_equal(ike_id_from_text(text, &id, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "this distinguished name is too long"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_read_and_printed),
		cmocka_unit_test(strings_have_the_usual_types),
		cmocka_unit_test(equal_is_what_rfc_5280_calls_so),
		cmocka_unit_test(a_level_may_have_several_attributes),
		cmocka_unit_test(wildcards_stand_for_one_value),
		cmocka_unit_test(hostile_names),
		cmocka_unit_test(long_names_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

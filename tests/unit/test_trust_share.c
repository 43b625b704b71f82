// SPDX-License-Identifier: GPL-2.0-or-later
/* Trust stores that several tunnels hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cert_maker.h"
#include "ike/pki/trust_share.h"

enum { NOW = 1764478800 };

static struct made one, two;
static struct ike_iov list, next;

static int make_all(void **state)
{
	(void)state;
	one = maker_ca("CN=one", NULL);
	two = maker_ca("CN=two", NULL);
	list = maker_crl(&(struct crl_recipe){ .issuer = &one, .from = NOW, .until = NOW + 9 });
	next = maker_crl(&(struct crl_recipe){ .issuer = &one, .from = NOW, .until = NOW + 99 });
	return 0;
}

static int free_all(void **state)
{
	(void)state;
	maker_free(&one);
	maker_free(&two);
	maker_free_der(&list);
	maker_free_der(&next);
	return 0;
}

static struct pki_trust *get(const struct ike_iov *cas, unsigned int n, const struct ike_iov *crls,
			     unsigned int n_crls)
{
	char err[PKI_MAX_TEXT];
	struct pki_trust *t = pki_trust_get(cas, n, crls, n_crls, err, sizeof(err));

	if (!t)
		fail_msg("%s", err);
	return t;
}

static void equal_ones_are_one(void **state)
{
	const struct ike_iov cas[] = { one.der, two.der }, crls[] = { list, next };
	struct pki_trust *t[6];

	(void)state;
	t[0] = get(cas, 1, NULL, 0);
	t[1] = get(&one.der, 1, NULL, 0);
	assert_ptr_equal(t[0], t[1]);
	/* Another CA, a CRL, another CRL, a CA that stands where a CRL stood. */
	t[2] = get(cas, 2, NULL, 0);
	t[3] = get(cas, 1, crls, 1);
	t[4] = get(cas, 1, crls + 1, 1);
	t[5] = get(cas, 1, crls, 2);
	for (unsigned int i = 1; i < 6; i++) {
		for (unsigned int k = i + 1; k < 6; k++)
			assert_ptr_not_equal(t[i], t[k]);
	}
	assert_int_equal(pki_trusts_held(), 5);
	for (unsigned int i = 0; i < 6; i++) {
		unsigned int n;

		assert_int_equal(pki_trusts_held(), i ? 6 - i : 5);
		assert_non_null(
			pki_trust_hashes(t[i], &n)); /* also if the other one is given back */
		pki_trust_put(t[i]);
	}
	pki_trust_put(NULL);
	assert_int_equal(pki_trusts_held(), 0);
}

static void what_is_none_is_not_kept(void **state)
{
	char err[PKI_MAX_TEXT];

	(void)state;
	assert_null(pki_trust_get(&list, 1, NULL, 0, err, sizeof(err)));
	assert_string_equal(err, "certificate 1 is none");
	assert_null(pki_trust_get(&one.der, 1, &one.der, 1, err, sizeof(err)));
	assert_string_equal(err, "CRL 1 is none");
	assert_int_equal(pki_trusts_held(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_ones_are_one),
		cmocka_unit_test(what_is_none_is_not_kept),
	};

	return cmocka_run_group_tests_name("trust_share", tests, make_all, free_all);
}

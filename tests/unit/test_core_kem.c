// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A method of key exchange that is not Diffie-Hellman: a KEM, whose values are of another kind and
 * length in each role. It is one row more in the table of methods; the core, its messages and its
 * fragments carry it as they are, in IKE_SA_INIT and in CREATE_CHILD_SA.
 */
#include "core_util.h"
#include "ike/core/core.h"
#include "kem.h"

/* ---- pieces ----------------------------------------------------------------------- */

static void set_groups(struct ike_proposal *p, uint16_t first, uint16_t second)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < p->n; i++)
		if (p->t[i].type != IKE_T_DH)
			p->t[n++] = p->t[i];
	p->t[n++] = (struct ike_transform){ IKE_T_DH, first, 0 };
	if (second)
		p->t[n++] = (struct ike_transform){ IKE_T_DH, second, 0 };
	p->n = n;
}

/* Both ends take the KEM alone, for child SAs, too. */
static struct pair *new_pair(void)
{
	struct pair *p = pair_new();
	struct node *n[] = { p->a, p->b };

	for (size_t i = 0; i < 2; i++) {
		set_groups(&n[i]->conf[0].ike.p[0], KEM, 0);
		set_groups(&n[i]->conf[0].esp.p[0], KEM, 0);
		n[i]->conf[0].liveness = 0;
	}
	return p;
}

/* The KE payload of an IKE_SA_INIT message. */
static struct ike_ke ke_of(const uint8_t *data, size_t len)
{
	struct ike_payloads in;
	struct ike_header h;
	struct ike_ke ke;
	uint8_t offender;

	assert_int_equal(ike_header_parse(data, len, &h), 0);
	assert_int_equal(ike_payloads_parse(h.next, data + IKE_HDR_LEN, len - IKE_HDR_LEN, &in,
					    &offender),
			 0);
	assert_int_equal(ike_ke_parse(ike_payload_find(&in, IKE_PL_KE), &ke), 0);
	return ke;
}

static void has_ke(const struct sent *s, size_t len)
{
	struct ike_ke ke;

	assert_non_null(s);
	ke = ke_of(s->data, s->len);
	assert_int_equal(ke.group, KEM);
	assert_int_equal(ke.len, len);
}

static void at_rest(struct pair *p)
{
	char why[200] = "";

	if (!link_at_rest(&p->w, 0, 1, why, sizeof(why)))
		fail_msg("%s", why);
	assert_string_equal(node_error(p->a), "");
	assert_string_equal(node_error(p->b), "");
	assert_true(direction_works(p->a, p->b, 0));
	assert_true(direction_works(p->b, p->a, 0));
}

/* ---- tests ------------------------------------------------------------------------ */

/* Each role refuses the other one's value, be it of the right length or not. */
static void each_role_has_its_value(void **state)
{
	static const struct ike_rng rng = { .fill = ike_crypto_random };
	struct ike_kex *i = ike_kex_new(KEM, &rng), *r;
	uint8_t wrong[KEM_EK_LEN] = { 0 };
	const uint8_t *ek, *ct;
	struct ike_secret x, y;
	size_t len;

	(void)state;
	assert_non_null(i);
	ek = ike_kex_public(i, &len);
	assert_int_equal(len, KEM_EK_LEN);
	assert_true(ike_kex_valid(KEM, ek, KEM_EK_LEN));
	assert_false(ike_kex_valid(KEM, ek, KEM_CT_LEN));
	assert_false(ike_kex_valid(KEM, wrong, KEM_EK_LEN));
	assert_null(ike_kex_respond(KEM, &rng, wrong, KEM_EK_LEN, &x));
	r = ike_kex_respond(KEM, &rng, ek, KEM_EK_LEN, &x);
	assert_non_null(r);
	ct = ike_kex_public(r, &len);
	assert_int_equal(len, KEM_CT_LEN);
	assert_false(ike_kex_valid(KEM, ct, KEM_CT_LEN));
	assert_int_equal(ike_kex_finish(i, ek, KEM_EK_LEN, &y), -1);
	assert_int_equal(ike_kex_finish(i, ct, KEM_CT_LEN, &y), 0);
	assert_int_equal(x.len, KEM_SHARED_LEN);
	assert_int_equal(y.len, KEM_SHARED_LEN);
	assert_memory_equal(x.data, y.data, KEM_SHARED_LEN);
	memcpy(wrong, ct, KEM_CT_LEN);
	wrong[KEM_CT_LEN - 1] ^= 1;
	assert_int_equal(ike_kex_finish(i, wrong, KEM_CT_LEN, &y), 0);
	assert_memory_not_equal(x.data, y.data, KEM_SHARED_LEN);
	ike_kex_free(i);
	ike_kex_free(r);
}

/* IKE_SA_INIT, then every kind of rekeying by each end; what is long goes in fragments. */
static void it_carries_all_exchanges(void **state)
{
	struct pair *p = new_pair();
	uint8_t spi[IKE_SPI_LEN];
	struct node *n[] = { p->a, p->b };

	(void)state;
	pair_start(p, true);
	has_ke(pair_sent(p, p->a, IKE_SA_INIT, false, 0), KEM_EK_LEN);
	has_ke(pair_sent(p, p->b, IKE_SA_INIT, true, 0), KEM_CT_LEN);
	for (size_t i = 0; i < 2; i++) {
		uint32_t esp = node_out(n[i], 0)->spi;

		p->n_sent = 0;
		memcpy(spi, node_sa(p->a)->spi_i, sizeof(spi));
		node_rekey_ike(n[i]);
		pair_run(p, 1000);
		assert_memory_not_equal(spi, node_sa(p->a)->spi_i, sizeof(spi));
		assert_memory_equal(node_sa(p->a)->spi_i, node_sa(p->b)->spi_i, sizeof(spi));
		assert_true(node_sa(n[i])->initiator);
		assert_int_equal(pair_count(p, n[i], IKE_CREATE_CHILD_SA, false), 2);
		at_rest(p);
		node_rekey_child(n[i]);
		pair_run(p, 10000);
		assert_int_not_equal(node_out(n[i], 0)->spi, esp);
		assert_int_equal(pair_count(p, n[i], IKE_CREATE_CHILD_SA, false), 4);
		assert_true(pair_count(p, n[!i], IKE_CREATE_CHILD_SA, true) > 2);
		at_rest(p);
	}
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	pair_free(p);
}

/* Both ends rekey the IKE SA in the same moment. */
static void both_at_once(void **state)
{
	struct pair *p = new_pair();

	(void)state;
	pair_start(p, true);
	node_rekey_ike(p->a);
	node_rekey_ike(p->b);
	pair_run(p, 5000);
	assert_memory_equal(node_sa(p->a)->spi_i, node_sa(p->b)->spi_i, IKE_SPI_LEN);
	at_rest(p);
	pair_free(p);
}

/* The responder asks for it instead of the group that the initiator guessed (RFC 7296 1.2, 1.3). */
static void it_can_be_asked_for(void **state)
{
	struct pair *p = new_pair();
	struct ike_notify n;

	(void)state;
	set_groups(&p->a->conf[0].ike.p[0], IKE_DH_CURVE25519, KEM);
	set_groups(&p->a->conf[0].esp.p[0], IKE_DH_CURVE25519, KEM);
	pair_start(p, true);
	assert_true(sent_notify(pair_sent(p, p->b, IKE_SA_INIT, true, 0), IKE_N_INVALID_KE_PAYLOAD,
				&n));
	has_ke(pair_sent(p, p->a, IKE_SA_INIT, false, 1), KEM_EK_LEN);
	node_rekey_ike(p->a);
	pair_run(p, 1000);
	node_rekey_child(p->a);
	pair_run(p, 10000);
	at_rest(p);
	pair_free(p);
}

/* An encapsulation key that is none is refused before anything is made of it. */
static void a_wrong_key_costs_nothing(void **state)
{
	struct pair *p = new_pair();
	const struct sent *s;
	struct ike_notify n;
	struct sent wrong;
	struct ike_ke ke;

	(void)state;
	p->drop_from = 1 << p->a->index;
	p->drop_exchange = IKE_SA_INIT;
	p->drop_requests = true;
	pair_start(p, false);
	pair_run(p, 100);
	s = pair_sent(p, p->a, IKE_SA_INIT, false, 0);
	assert_non_null(s);
	wrong = *s;
	ke = ke_of(wrong.data, wrong.len);
	wrong.data[ke.data - wrong.data + KEM_EK_LEN - 1] ^= 1;
	kem_responses = 0;
	pair_replay(p, &wrong);
	pair_run(p, 100);
	assert_true(
		sent_notify(pair_sent(p, p->b, IKE_SA_INIT, true, 0), IKE_N_INVALID_SYNTAX, &n));
	assert_int_equal(kem_responses, 0);
	assert_int_equal(node_stats(p->b).key_exchanges, 0);
	pair_replay(p, s);
	pair_run(p, 30);
	assert_int_equal(kem_responses, 1);
	has_ke(pair_sent(p, p->b, IKE_SA_INIT, true, 1), KEM_CT_LEN);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_role_has_its_value),
		cmocka_unit_test(it_carries_all_exchanges),
		cmocka_unit_test(both_at_once),
		cmocka_unit_test(it_can_be_asked_for),
		cmocka_unit_test(a_wrong_key_costs_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

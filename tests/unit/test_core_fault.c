// SPDX-License-Identifier: GPL-2.0-or-later
/* What the status says a tunnel's last error is about; esptun why goes by it. */
#include "core_util.h"

#include "ike/core/core.h"

static void selectors(struct ike_ts_list *l, const char *text)
{
	char err[128];

	l->n = 0;
	if (ike_ts_from_text(text, l, err, sizeof(err)))
		fail_msg("%s", err);
}

static void is_about(struct pair *p, enum ike_fault fault)
{
	assert_int_equal(node_status(p->a, 0).fault, fault);
}

static void silence(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	is_about(p, IKE_FAULT_NONE);
	p->drop_all = true;
	pair_start(p, false);
	pair_run(p, 120 * 1000);
	is_about(p, IKE_FAULT_SILENCE);
	p->drop_all = false;
	pair_run(p, 60 * 1000);
	assert_int_equal(node_status(p->a, 0).state, IKE_TUNNEL_UP);
	is_about(p, IKE_FAULT_NONE);
	pair_free(p);
}

/* It answered IKE_SA_INIT, and that is all. */
static void silence_later(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->drop_from = 1U << p->a->index;
	p->drop_exchange = IKE_AUTH;
	p->drop_requests = true;
	pair_start(p, false);
	pair_run(p, 120 * 1000);
	is_about(p, IKE_FAULT_SILENCE);
	pair_free(p);
}

static void algorithms(void **state)
{
	struct pair *p = pair_new();
	char err[256];

	(void)state;
	assert_int_equal(ike_proposals_from_text("chacha20poly1305-prfsha256-x25519", IKE_PROTO_IKE,
						 &p->b->conf[0].ike, err, sizeof(err)),
			 0);
	assert_int_equal(ike_proposals_from_text("aes256gcm16-prfsha256-ecp256", IKE_PROTO_IKE,
						 &p->a->conf[0].ike, err, sizeof(err)),
			 0);
	pair_start(p, false);
	pair_run(p, 200);
	is_about(p, IKE_FAULT_INIT);
	assert_int_equal(node_status(p->b, 0).fault, IKE_FAULT_INIT);
	pair_free(p);
}

static void key(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->b->psk[0][3] ^= 1;
	pair_start(p, false);
	pair_run(p, 200);
	is_about(p, IKE_FAULT_AUTH);
	assert_int_equal(node_status(p->b, 0).fault, IKE_FAULT_AUTH);
	pair_free(p);
}

static void child(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	selectors(&p->a->conf[0].child[0].local_ts, "10.77.0.0/16");
	selectors(&p->a->conf[0].child[0].remote_ts, "10.78.0.0/16");
	selectors(&p->b->conf[0].child[0].local_ts, "10.1.0.0/16");
	selectors(&p->b->conf[0].child[0].remote_ts, "10.2.0.0/16");
	pair_start(p, false);
	pair_run(p, 200);
	is_about(p, IKE_FAULT_CHILD);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence),    cmocka_unit_test(silence_later),
		cmocka_unit_test(algorithms), cmocka_unit_test(key),
		cmocka_unit_test(child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

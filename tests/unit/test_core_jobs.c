// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Jobs (auth/job.h): their results come late, not at all, or when what waited for them is over, and
 * other messages come meanwhile. Node a begins; b's or a's results come when a test says so.
 */
#include "core_util.h"
#include "ike/core/layer_ikesa.h"

#include <errno.h>

/* Up to the moment where the job of @n is begun. */
static void run_to_job(struct pair *p, struct node *n)
{
	unsigned int ms = 0;

	while (!n->jobs && ms++ < 5000)
		pair_run(p, 1);
	assert_non_null(n->jobs);
}

static void finish_all(struct pair *p, struct node *n)
{
	while (node_finish_job(n))
		;
	n->holds_jobs = false;
	pair_run(p, 2000);
}

static void both_work(const struct pair *p)
{
	assert_true(direction_works(p->a, p->b, 0));
	assert_true(direction_works(p->b, p->a, 0));
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
}

static struct pair *held(bool a, bool b)
{
	struct pair *p = pair_new();

	p->a->holds_jobs = a;
	p->b->holds_jobs = b;
	pair_start(p, false);
	return p;
}

/* ---- the responder ----------------------------------------------------------- */

static void a_repeated_request_is_dropped(void **state)
{
	struct pair *p = held(false, true);

	(void)state;
	run_to_job(p, p->b);
	pair_run(p, 4000);
	assert_in_range(pair_count(p, p->a, IKE_AUTH, false), 3, 5);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 0);
	assert_null(p->b->jobs->next); /* one for all copies */
	finish_all(p, p->b);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 1);
	both_work(p);
	pair_free(p);
}

static void without_a_result_the_request_may_come_again(void **state)
{
	struct pair *p = held(false, true);
	struct node_job *lost;

	(void)state;
	run_to_job(p, p->b);
	lost = p->b->jobs;
	p->b->jobs = NULL;
	p->b->holds_jobs = false;
	pair_run(p, IKESA_JOB_MS - 500);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 0);
	pair_run(p, 10000);
	both_work(p);
	/* What comes after all finds nobody. */
	ike_core_job_done(p->b->core, &lost->result, p->w.now);
	both_work(p);
	free(lost);
	pair_free(p);
}

static void the_half_open_sa_ends_meanwhile(void **state)
{
	struct pair *p = held(false, true);
	struct ike_sa *sa;

	(void)state;
	run_to_job(p, p->b);
	node_kill(p->a);
	sa = p->b->jobs ? job_find(p->b->core, p->b->jobs->result.id)->sa : NULL;
	assert_non_null(sa);
	sa_fail(p->b->core, sa);
	pair_run(p, 1);
	assert_int_equal(node_stats(p->b).half_open, 0);
	assert_int_equal(p->b->core->n_waiting, 0);
	finish_all(p, p->b);
	assert_int_equal(p->b->installs, 0);
	pair_free(p);
}

static void the_tunnel_goes_meanwhile(void **state)
{
	unsigned int jobs; /* before the tunnel is gone */

	(void)state;
	for (jobs = 0; jobs < 2; jobs++) {
		struct pair *p = held(false, true);

		run_to_job(p, p->b);
		if (jobs)
			assert_true(node_finish_job(p->b)); /* it waits to sign */
		assert_int_equal(ike_core_tunnel_del(p->b->core, "t0"), 0);
		finish_all(p, p->b);
		assert_int_equal(p->b->installs, 0);
		assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 1);
		assert_non_null(strstr(p->a->log, "AUTHENTICATION_FAILED"));
		pair_free(p);
	}
}

/* It seems to come from somewhere else, and is dropped: a copy from there proves no more. */
static void a_copy_from_elsewhere_proves_nothing(void **state)
{
	static const struct ike_addr elsewhere = { 4, { 203, 0, 113, 9 } };
	struct pair *p = held(false, true);
	const struct mobike *mb;
	struct ike_endpoint from;
	const struct sent *s;

	(void)state;
	p->drop_from = 1 << 0;
	p->drop_exchange = IKE_AUTH;
	p->drop_requests = true;
	while (!pair_count(p, p->a, IKE_AUTH, false))
		pair_run(p, 1);
	s = pair_sent(p, p->a, IKE_AUTH, false, 0);
	from = s->local;
	from.addr = elsewhere;
	world_inject(&p->w, &from, &s->remote, s->data, s->len, 0);
	run_to_job(p, p->b);
	p->b->jobs->result.error = -EIO;
	assert_true(node_finish_job(p->b));
	p->b->holds_jobs = false;
	world_inject(&p->w, &from, &s->remote, s->data, s->len, 0);
	pair_run(p, 20);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	mb = &TAILQ_FIRST(&TAILQ_FIRST(&p->b->core->peers)->sas)->mobike;
	assert_false(ike_addr_eq(&mb->proven.addr, &elsewhere));
	pair_free(p);
}

/* A proof by the former key is worth nothing under the new configuration. */
static void the_key_changes_meanwhile(void **state)
{
	unsigned int jobs;

	(void)state;
	for (jobs = 0; jobs < 2; jobs++) {
		struct pair *p = held(false, true);

		run_to_job(p, p->b);
		if (jobs)
			assert_true(node_finish_job(p->b));
		node_set_psk(p->b, 0, "a key that the other end has not");
		assert_int_equal(ike_core_tunnel_change(p->b->core, &p->b->conf[0], true, p->w.now),
				 0);
		finish_all(p, p->b);
		assert_int_equal(p->b->installs, 0);
		assert_non_null(strstr(p->a->log, "AUTHENTICATION_FAILED"));
		pair_free(p);
	}
}

static void the_keys_cannot_be_read(void **state)
{
	struct pair *p = held(false, true);

	(void)state;
	run_to_job(p, p->b);
	p->b->jobs->result.error = -EIO;
	finish_all(p, p->b); /* as if the request had not come: the next copy is taken */
	both_work(p);
	pair_free(p);

	p = held(false, true);
	run_to_job(p, p->b);
	assert_true(node_finish_job(p->b));
	p->b->jobs->result.error = -EIO;
	finish_all(p, p->b);
	both_work(p);
	pair_free(p);

	p = held(false, true);
	run_to_job(p, p->b);
	assert_true(node_finish_job(p->b));
	p->b->jobs->result.error = -ENOENT;
	assert_true(node_finish_job(p->b));
	pair_run(p, 100);
	assert_int_equal(p->b->installs, 0);
	assert_non_null(strstr(p->b->log, "could not prove to the peer who we are"));
	pair_free(p);
}

/* Jobs are begun for strangers, too. */
static void there_are_so_many_at_most(void **state)
{
	struct pair *p = held(false, true);

	(void)state;
	p->b->core->n_waiting = CORE_MAX_JOBS_UNKNOWN;
	pair_run(p, 4000);
	assert_null(p->b->jobs);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 0);
	p->b->core->n_waiting = 0;
	p->b->holds_jobs = false;
	pair_run(p, 10000);
	both_work(p);
	assert_int_equal(p->b->core->n_waiting, 0);
	pair_free(p);
}

/* ---- the initiator ----------------------------------------------------------- */

static void our_proof_comes_late(void **state)
{
	struct pair *p = held(true, false);

	(void)state;
	run_to_job(p, p->a);
	pair_run(p, 5000);
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 0);
	assert_string_equal(node_status(p->a, 0).tunnel, "t0");
	assert_true(node_finish_job(p->a));
	pair_run(p, 100);
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 1);
	finish_all(p, p->a);
	both_work(p);
	pair_free(p);
}

static void our_proof_never_comes(void **state)
{
	struct pair *p = held(true, false);

	(void)state;
	run_to_job(p, p->a);
	free(p->a->jobs);
	p->a->jobs = NULL;
	p->a->holds_jobs = false;
	pair_run(p, IKESA_JOB_MS + 5000);
	assert_non_null(strstr(p->a->log, "could not make an IKE_AUTH request"));
	both_work(p); /* by the next attempt */
	pair_free(p);
}

/* The response is here, and not weighed yet, when the peer asks something itself. */
static void the_peer_asks_meanwhile(void **state)
{
	struct pair *p = held(true, false);

	(void)state;
	run_to_job(p, p->a);
	assert_true(node_finish_job(p->a));
	run_to_job(p, p->a);
	pair_run(p, 20);
	assert_true(pair_count(p, p->b, IKE_AUTH, true) > 0);
	request_probe(p->b->core, TAILQ_FIRST(&TAILQ_FIRST(&p->b->core->peers)->sas));
	pair_run(p, 100);
	assert_int_equal(pair_count(p, p->b, IKE_INFORMATIONAL, false), 1);
	assert_int_equal(pair_count(p, p->a, IKE_INFORMATIONAL, true), 0);
	finish_all(p, p->a);
	assert_int_equal(pair_count(p, p->b, IKE_INFORMATIONAL, false), 1); /* no copy was needed */
	assert_int_equal(pair_count(p, p->a, IKE_INFORMATIONAL, true), 1);
	both_work(p);
	pair_free(p);
}

static void a_repeated_response_is_dropped(void **state)
{
	struct pair *p = held(true, false);

	(void)state;
	run_to_job(p, p->a);
	assert_true(node_finish_job(p->a));
	run_to_job(p, p->a);
	pair_replay(p, pair_sent(p, p->b, IKE_AUTH, true, 0));
	pair_run(p, 3000);
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 1);
	assert_null(p->a->jobs->next);
	finish_all(p, p->a);
	assert_int_equal(p->a->installs, 1);
	both_work(p);
	pair_free(p);
}

static void it_is_taken_down_meanwhile(void **state)
{
	unsigned int jobs;

	(void)state;
	for (jobs = 0; jobs < 2; jobs++) {
		struct pair *p = held(true, false);

		run_to_job(p, p->a);
		if (jobs) {
			assert_true(node_finish_job(p->a));
			run_to_job(p, p->a);
		}
		assert_int_equal(ike_core_down(p->a->core, "t0", p->w.now), 0);
		finish_all(p, p->a);
		pair_run(p, 120000);
		assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), jobs);
		assert_int_equal(p->a->installs, 0);
		assert_int_equal(node_stats(p->a).ike_sas, 0);
		assert_int_equal(node_stats(p->b).ike_sas, 0);
		assert_int_equal(p->a->core->n_waiting, 0);
		pair_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_repeated_request_is_dropped),
		cmocka_unit_test(without_a_result_the_request_may_come_again),
		cmocka_unit_test(the_half_open_sa_ends_meanwhile),
		cmocka_unit_test(the_tunnel_goes_meanwhile),
		cmocka_unit_test(a_copy_from_elsewhere_proves_nothing),
		cmocka_unit_test(the_key_changes_meanwhile),
		cmocka_unit_test(the_keys_cannot_be_read),
		cmocka_unit_test(there_are_so_many_at_most),
		cmocka_unit_test(our_proof_comes_late),
		cmocka_unit_test(our_proof_never_comes),
		cmocka_unit_test(the_peer_asks_meanwhile),
		cmocka_unit_test(a_repeated_response_is_dropped),
		cmocka_unit_test(it_is_taken_down_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Leases that outlive the agent: as text, in the process that keeps the file, and what a hub makes of both
 * when it is opened again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "no_radius.h"
#include "some_pool.h"
#include "ike/app/agent_int.h"
#include "ike/app/store.h"
#include "ike/child/ts.h"
#include "ike/pool/lease_text.h"
#include "ike/proto/addr.h"
#include "ike/proto/id.h"

/* ---- what lease.c needs of others --------------------------------------------------- */

static uint64_t now;
static char said[2048];

uint64_t loop_now(void)
{
	return now;
}

void tunnel_dirty(struct tunnel *t)
{
	(void)t;
}

struct tunnel *tunnel_by_name(const struct agent *a, const char *text)
{
	return a->tunnels && !strcmp(a->tunnels->conf.name, text) ? a->tunnels : NULL;
}

void log_say(enum ike_log_level level, const char *tunnel, const char *fmt, ...)
{
	size_t len = strlen(said);
	va_list ap;

	(void)level;
	(void)tunnel;
	va_start(ap, fmt);
	vsnprintf(said + len, sizeof(said) - len, fmt, ap);
	va_end(ap);
}

/* An answer in parts, as ctl.c puts it together. */
static json_t *answer, *list;

json_t *ctl_text(const char *text)
{
	return json_string(text);
}

void ctl_list_begin(struct ctl_request *q, json_t *head, const char *key)
{
	(void)q;
	list = json_array();
	json_object_set_new(head, key, list);
	answer = head;
}

bool ctl_list_add(struct ctl_request *q, json_t *item)
{
	(void)q;
	json_array_append_new(list, item);
	return true;
}

void ctl_list_end(struct ctl_request *q)
{
	(void)q;
}

bool ctl_is_heard(const struct ctl_request *q)
{
	return q != NULL;
}

/* ---- a hub and its folder ------------------------------------------------------------ */

static char dir[64];
static struct agent_options options = { .state_dir = dir };
static struct agent_helpers helpers;
static struct agent agent = { .options = &options, .helpers = &helpers };
static struct tunnel hub;

static const char *take(struct pool *pool, uint32_t holder, const char *id, uint8_t family)
{
	const struct ike_id who = name(id);
	struct ike_addr got;
	static char text[64];
	int err = pool_take(pool, holder, &who, family, NULL, &got);

	if (err)
		snprintf(text, sizeof(text), "%s", strerrorname_np(-err));
	else
		ike_addr_print(text, sizeof(text), &got);
	return text;
}

static void start_store(void)
{
	const struct store_options o = { .dir = dir };
	char err[256];

	helpers.store = store_start(&o, err, sizeof(err));
	assert_non_null(helpers.store);
}

static int begin(void **state)
{
	(void)state;
	agent.leases_error = 0;
	strcpy(dir, "/tmp/esptun-lease-XXXXXX");
	assert_non_null(mkdtemp(dir));
	start_store();
	now = 1000;
	*said = 0;
	return 0;
}

static int end(void **state)
{
	char command[128];

	(void)state;
	store_free(helpers.store);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static void put_file(const char *file, const char *text, size_t len)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	fclose(f);
}

static bool exists(const char *file)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return !access(path, F_OK);
}

static void open_hub(const char *first, const char *last)
{
	static struct pool_range range;

	range = (struct pool_range){ at(first), at(last) };
	memset(&hub, 0, sizeof(hub));
	hub.agent = &agent;
	hub.save_at = UINT64_MAX;
	strcpy(hub.conf.name, "hub");
	hub.conf.ranges = &range;
	hub.conf.n_ranges = 1;
	agent.tunnels = &hub;
	assert_int_equal(lease_open(&hub), 0);
}

/* As when the agent ends. */
static void end_agent(void)
{
	lease_save_all(&agent);
	pool_free(hub.pool);
	hub.pool = NULL;
}

static const char *client(uint32_t peer, const char *id)
{
	const struct ike_id who = name(id);
	static char text[64];
	struct ike_addr got;
	int err = lease_take(&hub, peer, &who, 4, NULL, &got);

	return err ? strerrorname_np(-err) : ike_addr_print(text, sizeof(text), &got);
}

/* ---- text ------------------------------------------------------------------------------ */

static void all_leases_come_back(void **state)
{
	struct pool *pool = pool_of("10.9.0.2", "10.9.0.5"),
		    *next = pool_of("10.9.0.2", "10.9.0.5");
	unsigned int left_out;
	char err[200], *text, *again;
	size_t len, len2;

	(void)state;
	pool_clock(pool, 1764478800);
	take(pool, 2, "alice@example.org", 4);
	take(pool, 3, "C=CH, O=Example, CN=bob", 4);
	take(pool, 4, "192.0.2.7", 4);
	take(pool, 5, "keyid:0x0a00ff20", 4);
	pool_release(pool, 4);
	pool_clock(pool, 1764478900);
	pool_release(pool, 2);
	pool_release(pool, 5);
	text = lease_text_print(pool, &len);
	assert_int_equal(lease_text_parse(next, text, len, &left_out, err, sizeof(err)), 0);
	assert_int_equal(left_out, 0);
	/* in the order of release, with those times */
	assert_non_null(strstr(text, "10.9.0.4 1764478800 01000000c0000207\n10.9.0.2 1764478900 "));
	again = lease_text_print(next, &len2);
	assert_int_equal(len, len2);
	assert_string_equal(take(next, 9, "C=CH, O=Example, CN=bob", 4), "10.9.0.3");
	/* whose address goes first to somebody else: who was released first */
	assert_string_equal(take(next, 10, "eve", 4), "10.9.0.4");
	free(text);
	free(again);
	pool_free(pool);
	pool_free(next);
}

static void who_is_not_known_is_not_written(void **state)
{
	struct pool *pool = pool_of("10.9.0.2", "10.9.0.5");
	const struct ike_id nobody = { 0 };
	const struct ike_addr a = at("10.9.0.2");
	size_t len;
	char *text;

	(void)state;
	assert_int_equal(pool_restore(pool, 7, &nobody, &a), 0);
	text = lease_text_print(pool, &len);
	assert_string_equal(text, "esptun leases 1\nend\n");
	free(text);
	pool_free(pool);
}

/* A range that is another now: what fits stays, and the rest is counted. */
static void another_range_keeps_what_fits(void **state)
{
	struct pool *pool = pool_of("10.9.0.2", "10.9.0.5"),
		    *next = pool_of("10.9.0.3", "10.9.0.9");
	unsigned int left_out;
	char err[200], *text;
	size_t len;

	(void)state;
	take(pool, 2, "alice", 4);
	take(pool, 3, "bob", 4);
	text = lease_text_print(pool, &len);
	assert_int_equal(lease_text_parse(next, text, len, &left_out, err, sizeof(err)), 0);
	assert_int_equal(left_out, 1);
	assert_string_equal(take(next, 2, "bob", 4), "10.9.0.3");
	assert_string_equal(take(next, 3, "alice", 4), "10.9.0.4");
	free(text);
	pool_free(pool);
	pool_free(next);
}

#define FIRST "esptun leases 1\n"
#define ALICE "10.9.0.2 1764478800 02000000616c696365\n"

static void damage_is_told_by_line(void **state)
{
	static const struct {
		const char *text, *line;
	} rows[] = {
		{ "", "line 1" },
		{ "esptun leases 2\nend\n", "line 1" },
		{ FIRST, "line 2" },
		{ FIRST ALICE, "line 3" }, /* cut off */
		{ FIRST ALICE "en", "line 3" },
		{ FIRST ALICE "end\nend\n", "line 3" },
		{ FIRST "10.9.0.300 0 02000000616c696365\nend\n", "line 2" },
		{ FIRST "10.9.0.2 -1 02000000616c696365\nend\n", "line 2" },
		{ FIRST "10.9.0.2 99999999999999999999 02000000616c696365\nend\n", "line 2" },
		{ FIRST "10.9.0.2 0 0200000061 x\nend\n", "line 2" },
		{ FIRST "10.9.0.2 0 00000000616c696365\nend\n", "line 2" }, /* type 0 */
		{ FIRST "10.9.0.2 0 01000000616c696365\nend\n", "line 2" }, /* IPv4 of five bytes */
		{ FIRST "10.9.0.2 0 020000006\nend\n", "line 2" },
		{ FIRST "10.9.0.2 0\nend\n", "line 2" },
		{ FIRST "\nend\n", "line 2" },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pool *pool = pool_of("10.9.0.2", "10.9.0.5");
		unsigned int left_out;
		char err[200] = "";

		assert_int_equal(lease_text_parse(pool, rows[i].text, strlen(rows[i].text),
						  &left_out, err, sizeof(err)),
				 -EINVAL);
		if (strncmp(err, rows[i].line, strlen(rows[i].line)) ||
		    err[strlen(rows[i].line)] != ':')
			fail_msg("row %u: %s", i, err);
		/* what stands before is used */
		if (strstr(rows[i].text, ALICE))
			assert_string_equal(take(pool, 3, "bob", 4), "10.9.0.3");
		pool_free(pool);
	}
}

static void a_long_line_and_a_nul_are_damage(void **state)
{
	struct pool *pool = pool_of("10.9.0.2", "10.9.0.5");
	char text[4096] = FIRST, err[200];
	unsigned int left_out;

	(void)state;
	memset(text + strlen(FIRST), '1', sizeof(text) - strlen(FIRST));
	text[sizeof(text) - 1] = '\n';
	assert_int_equal(lease_text_parse(pool, text, sizeof(text), &left_out, err, sizeof(err)),
			 -EINVAL);
	assert_int_equal(lease_text_parse(pool, FIRST "en\0d\n", sizeof(FIRST) + 4, &left_out, err,
					  sizeof(err)),
			 -EINVAL);
	pool_free(pool);
}

/* Two of one identity, or of one address: the first one counts. */
static void what_contradicts_is_left_out(void **state)
{
	static const char text[] = FIRST ALICE "10.9.0.3 0 02000000616c696365\n"
					       "10.9.0.2 0 02000000626f62\nend\n";
	struct pool *pool = pool_of("10.9.0.2", "10.9.0.5");
	unsigned int left_out;
	char err[200];

	(void)state;
	assert_int_equal(
		lease_text_parse(pool, text, sizeof(text) - 1, &left_out, err, sizeof(err)), 0);
	assert_int_equal(left_out, 2);
	assert_string_equal(take(pool, 2, "bob", 4), "10.9.0.3");
	pool_free(pool);
}

/* ---- the process that keeps files ------------------------------------------------------ */

static void files_are_kept(void **state)
{
	char *data;
	size_t len;

	(void)state;
	assert_int_equal(store_read(helpers.store, STORE_LEASES, "hub", &data, &len), -ENOENT);
	assert_int_equal(store_write(helpers.store, STORE_LEASES, "hub", "one", 3), 0);
	assert_int_equal(store_result(helpers.store, STORE_LEASES, true), 0);
	put_file("hub.leases.new", "left over", 9);
	assert_int_equal(store_write(helpers.store, STORE_LEASES, "hub", "two!", 4), 0);
	assert_int_equal(store_write(helpers.store, STORE_LEASES, "hub", "three", 5), -EBUSY);
	assert_int_equal(store_read(helpers.store, STORE_LEASES, "hub", &data, &len), 0);
	assert_int_equal(len, 4);
	assert_memory_equal(data, "two!", 4);
	free(data);
	assert_false(exists("hub.leases.new"));
	assert_int_equal(store_set_aside(helpers.store, STORE_LEASES, "hub"), 0);
	assert_true(exists("hub.leases.damaged"));
	assert_int_equal(store_read(helpers.store, STORE_LEASES, "hub", &data, &len), -ENOENT);
}

#ifndef __SANITIZE_ADDRESS__
/* With the filter of system calls, which sanitizers cannot live with. */
static void files_are_kept_behind_all_walls(void **state)
{
	const struct store_options o = { .dir = dir, .seccomp = true };
	char err[256];

	store_free(helpers.store);
	helpers.store = store_start(&o, err, sizeof(err));
	assert_non_null(helpers.store);
	files_are_kept(state);
}
#endif

/* A name that leads elsewhere ends the process: it takes the agent for an enemy. */
static void names_lead_nowhere_else(void **state)
{
	static const char *const names[] = { "../hub", "a/b", ".hub", "" };
	char *data;
	size_t len;

	(void)state;
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(store_read(helpers.store, STORE_LEASES, names[i], &data, &len),
				 -EPIPE);
		store_free(helpers.store);
		start_store();
	}
	assert_int_equal(store_read(helpers.store, STORE_LEASES, "sixteen-letters-", &data, &len),
			 -EINVAL);
}

static void links_and_large_files_are_not_read(void **state)
{
	char link[128], target[128], *data;
	size_t len;

	(void)state;
	put_file("other", "secret", 6);
	snprintf(link, sizeof(link), "%s/hub.leases", dir);
	snprintf(target, sizeof(target), "%s/other", dir);
	assert_int_equal(symlink("other", link), 0);
	assert_int_equal(store_read(helpers.store, STORE_LEASES, "hub", &data, &len), -ELOOP);
	/* and writing leaves what it leads to alone */
	assert_int_equal(store_write(helpers.store, STORE_LEASES, "hub", "x", 1), 0);
	assert_int_equal(store_result(helpers.store, STORE_LEASES, true), 0);
	assert_int_equal(store_read(helpers.store, STORE_LEASES, "hub", &data, &len), 0);
	assert_int_equal(len, 1);
	free(data);
	assert_int_equal(truncate(target, STORE_MAX + 1), 0);
	assert_int_equal(rename(target, link), 0);
	assert_int_equal(store_read(helpers.store, STORE_LEASES, "hub", &data, &len), -EFBIG);
}

/* ---- without memory ---------------------------------------------------------------------- */

static bool is_full; /* memory is */

void *__real_tsearch(const void *key, void **root, int (*order)(const void *, const void *));
void *__wrap_tsearch(const void *key, void **root, int (*order)(const void *, const void *));

void *__wrap_tsearch(const void *key, void **root, int (*order)(const void *, const void *))
{
	return is_full ? NULL : __real_tsearch(key, root, order);
}

/* That is no damage of the file, which is kept all the same, for the next write has not what is in it. */
static void without_memory_nothing_is_called_damaged(void **state)
{
	(void)state;
	put_file("hub.leases", FIRST ALICE "end\n", strlen(FIRST ALICE "end\n"));
	is_full = true;
	open_hub("10.9.0.2", "10.9.0.5");
	is_full = false;
	assert_non_null(strstr(
		said, "hub.leases: Cannot allocate memory; clients may get other addresses"));
	assert_null(strstr(said, "are damaged"));
	assert_true(exists("hub.leases.damaged"));
	end_agent();
}

/* ---- a hub that is opened again --------------------------------------------------------- */

static void a_client_has_its_address_after_a_restart(void **state)
{
	(void)state;
	open_hub("10.9.0.2", "10.9.0.5");
	assert_string_equal(client(2, "alice"), "10.9.0.2");
	assert_string_equal(client(3, "bob"), "10.9.0.3");
	lease_release(&hub, 2);
	end_agent();
	open_hub("10.9.0.2", "10.9.0.5");
	assert_string_equal(client(2, "carol"), "10.9.0.4");
	assert_string_equal(client(3, "bob"), "10.9.0.3");
	assert_string_equal(client(4, "alice"), "10.9.0.2");
	assert_string_equal(said, "");
	end_agent();
}

/* Its file may come back, and the agent goes on. */
static void a_hub_that_is_removed_leaves_its_leases(void **state)
{
	(void)state;
	open_hub("10.9.0.2", "10.9.0.5");
	client(2, "alice");
	assert_false(exists("hub.leases"));
	lease_save_now(&hub);
	assert_true(exists("hub.leases"));
	pool_free(hub.pool);
	open_hub("10.9.0.2", "10.9.0.5");
	assert_string_equal(client(2, "bob"), "10.9.0.3");
	assert_string_equal(client(3, "alice"), "10.9.0.2");
	assert_string_equal(said, "");
	end_agent();
}

/* As its timer has it, until nothing is left to do for it within a second. */
static void save_until_done(void)
{
	do {
		now = hub.save_at;
		lease_save(&hub);
		usleep(1000);
	} while (hub.save_at == now + 500);
}

/* A burst of changes is one file, and nothing is written while nothing changes. */
static void a_file_is_written_some_time_after_a_change(void **state)
{
	(void)state;
	open_hub("10.9.0.2", "10.9.0.5");
	assert_true(hub.save_at == UINT64_MAX);
	client(2, "alice");
	assert_int_equal(hub.save_at, 11000);
	now = 5000;
	client(3, "bob");
	assert_int_equal(hub.save_at, 11000);
	assert_false(exists("hub.leases"));
	save_until_done();
	assert_true(exists("hub.leases"));
	assert_true(hub.save_at == UINT64_MAX);
	client(3, "bob"); /* has it already */
	assert_true(hub.save_at == UINT64_MAX);
	/* another change while that is written: as long after it as the first one */
	lease_release(&hub, 2);
	now = hub.save_at;
	lease_save(&hub);
	assert_int_equal(hub.save_at, now + 500);
	client(2, "alice");
	assert_int_equal(hub.save_at, now + 500);
	save_until_done();
	assert_int_equal(hub.save_at, now + 10000);
	end_agent();
	assert_true(exists("hub.leases"));
	assert_string_equal(said, "");
}

static void a_damaged_file_is_put_aside(void **state)
{
	static const char text[] = FIRST ALICE "10.9.0.3 0 0200";

	(void)state;
	put_file("hub.leases", text, sizeof(text) - 1);
	open_hub("10.9.0.2", "10.9.0.5");
	assert_non_null(strstr(said, "hub.leases are damaged, line 3: expected"));
	assert_true(exists("hub.leases.damaged"));
	assert_string_equal(client(2, "bob"), "10.9.0.3");
	assert_string_equal(client(3, "alice"), "10.9.0.2");
	end_agent();
	assert_true(exists("hub.leases"));
}

/* A tunnel without [Pool] for a while. */
static void without_a_pool_the_file_stays(void **state)
{
	(void)state;
	open_hub("10.9.0.2", "10.9.0.5");
	assert_string_equal(client(2, "alice"), "10.9.0.2");
	lease_save_all(&agent);
	hub.conf.n_ranges = 0;
	assert_int_equal(lease_open(&hub), 0);
	assert_null(hub.pool);
	hub.conf.n_ranges = 1;
	assert_int_equal(lease_open(&hub), 0);
	assert_string_equal(client(2, "bob"), "10.9.0.3");
	end_agent();
}

/* What "esptun pool show" gets. */
static void a_pool_is_told_with_its_leases(void **state)
{
	json_t *l;

	(void)state;
	open_hub("10.9.0.2", "10.9.0.5");
	client(2, "alice");
	client(3, "bob@example.org");
	lease_release(&hub, 3);
	hub.conf.clients = 7;
	assert_false(pool_tell(&hub, NULL));
	assert_int_equal(json_integer_value(json_object_get(answer, "clients")), 7);
	assert_string_equal(json_string_value(json_array_get(json_object_get(answer, "ranges"), 0)),
			    "10.9.0.2-10.9.0.5");
	l = json_object_get(answer, "ipv4");
	assert_int_equal(json_integer_value(json_object_get(l, "free")), 2);
	assert_int_equal(json_array_size(list), 2);
	l = json_array_get(list, 0);
	assert_string_equal(json_string_value(json_object_get(l, "id")), "bob@example.org");
	assert_string_equal(json_string_value(json_object_get(l, "state")), "offline");
	assert_null(json_object_get(l, "peer_id"));
	l = json_array_get(list, 1);
	assert_string_equal(json_string_value(json_object_get(l, "address")), "10.9.0.2");
	assert_string_equal(json_string_value(json_object_get(l, "state")), "online");
	assert_int_equal(json_integer_value(json_object_get(l, "peer_id")), 2);
	assert_true(json_integer_value(json_object_get(l, "since")) > 1764478800);
	json_decref(answer);
	end_agent();
}

/* What the kernel carries wins: the agent ended before it wrote what it knew last. */
static void running_sas_beat_an_old_file(void **state)
{
	struct ike_adopted pair = { .peer = 7, .id = name("alice") };
	const struct ike_addr a = at("10.9.0.2");
	struct ike_ts_list host = { .n = 0 };

	(void)state;
	open_hub("10.9.0.2", "10.9.0.4");
	assert_string_equal(client(2, "carol"), "10.9.0.2");
	assert_string_equal(client(3, "alice"), "10.9.0.3");
	assert_string_equal(client(4, "bob"), "10.9.0.4");
	end_agent();
	open_hub("10.9.0.2", "10.9.0.4");
	ike_ts_add_address(&host, &a);
	pair.remote_ts = IKE_TS_OFFER(&host);
	assert_true(lease_adopt(&hub, &pair));
	assert_true(lease_adopt(&hub, &pair)); /* a second pair of it */
	assert_string_equal(client(7, "alice"), "10.9.0.2");
	assert_string_equal(client(8, "carol"), "10.9.0.3");
	/* but not what somebody holds */
	pair.peer = 9;
	pair.id = name("bob");
	assert_false(lease_adopt(&hub, &pair));
	assert_string_equal(client(9, "bob"), "10.9.0.4");
	end_agent();
}

/* Whatever may be in it: the next write would take its place. */
static void a_file_that_cannot_be_read_is_kept(void **state)
{
	char path[128];

	(void)state;
	put_file("hub.leases", FIRST ALICE "end\n", strlen(FIRST ALICE "end\n"));
	snprintf(path, sizeof(path), "%s/hub.leases", dir);
	assert_int_equal(truncate(path, STORE_MAX + 1), 0);
	open_hub("10.9.0.2", "10.9.0.5");
	assert_non_null(strstr(said, "File too large"));
	assert_non_null(strstr(said, "the file is named hub.leases.damaged"));
	client(2, "bob");
	end_agent();
	assert_true(exists("hub.leases.damaged"));
	assert_true(exists("hub.leases"));
}

/* One that goes without its pool meanwhile, too. */
static void a_write_that_fails_is_told_though_another_file_is_read(void **state)
{
	char aside[128], *data;
	size_t len;

	(void)state;
	open_hub("10.9.0.2", "10.9.0.5");
	client(2, "alice");
	snprintf(aside, sizeof(aside), "%s.aside", dir);
	assert_int_equal(rename(dir, aside), 0);
	assert_int_equal(rmdir(aside), 0);
	lease_save(&hub);
	assert_int_equal(store_read(helpers.store, STORE_LEASES, "other", &data, &len), -ENOENT);
	save_until_done();
	assert_non_null(strstr(said, "cannot write leases to"));
	hub.conf.n_ranges = 0;
	assert_int_equal(lease_open(&hub), 0);
	lease_save(&hub);
	assert_true(hub.save_at == UINT64_MAX);
	assert_int_equal(mkdir(dir, 0700), 0);
}

static void what_cannot_be_written_is_said_once(void **state)
{
	char aside[128], *first;

	(void)state;
	open_hub("10.9.0.2", "10.9.0.5");
	client(2, "alice");
	/* its folder is gone */
	snprintf(aside, sizeof(aside), "%s.aside", dir);
	assert_int_equal(rename(dir, aside), 0);
	assert_int_equal(rmdir(aside), 0);
	for (unsigned int i = 0; i < 3; i++) {
		save_until_done();
		assert_int_equal(hub.save_at, now + 60000); /* without any change */
	}
	first = strstr(said, "cannot write leases to /tmp/esptun-lease-");
	assert_non_null(first);
	assert_non_null(strstr(first, "No such file or directory; clients may get other"));
	assert_null(strstr(first + 1, "cannot write"));
	end_agent();
	assert_int_equal(mkdir(dir, 0700), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_leases_come_back),
		cmocka_unit_test(who_is_not_known_is_not_written),
		cmocka_unit_test(another_range_keeps_what_fits),
		cmocka_unit_test(damage_is_told_by_line),
		cmocka_unit_test(a_long_line_and_a_nul_are_damage),
		cmocka_unit_test(what_contradicts_is_left_out),
		cmocka_unit_test_setup_teardown(files_are_kept, begin, end),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test_setup_teardown(files_are_kept_behind_all_walls, begin, end),
#endif
		cmocka_unit_test_setup_teardown(names_lead_nowhere_else, begin, end),
		cmocka_unit_test_setup_teardown(links_and_large_files_are_not_read, begin, end),
		cmocka_unit_test_setup_teardown(a_client_has_its_address_after_a_restart, begin,
						end),
		cmocka_unit_test_setup_teardown(a_file_is_written_some_time_after_a_change, begin,
						end),
		cmocka_unit_test_setup_teardown(a_hub_that_is_removed_leaves_its_leases, begin,
						end),
		cmocka_unit_test_setup_teardown(without_memory_nothing_is_called_damaged, begin,
						end),
		cmocka_unit_test_setup_teardown(a_damaged_file_is_put_aside, begin, end),
		cmocka_unit_test_setup_teardown(without_a_pool_the_file_stays, begin, end),
		cmocka_unit_test_setup_teardown(a_pool_is_told_with_its_leases, begin, end),
		cmocka_unit_test_setup_teardown(running_sas_beat_an_old_file, begin, end),
		cmocka_unit_test_setup_teardown(a_file_that_cannot_be_read_is_kept, begin, end),
		cmocka_unit_test_setup_teardown(
			a_write_that_fails_is_told_though_another_file_is_read, begin, end),
		cmocka_unit_test_setup_teardown(what_cannot_be_written_is_said_once, begin, end),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CRLs that are kept for when their server does not answer: which stay, their text, and their file, with the process
 * that reads and writes it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ike/app/agent_int.h"
#include "ike/app/crl_file.h"
#include "ike/app/kept.h"
#include "ike/app/store.h"

/* ---- the rest of the agent ----------------------------------------------------------------------- */

static struct event_base *base;
static char said[2048];

struct event_base *loop_base(struct loop *l)
{
	(void)l;
	return base;
}

void log_say(enum ike_log_level level, const char *tunnel_name, const char *fmt, ...)
{
	size_t len = strlen(said);
	va_list ap;

	(void)level;
	(void)tunnel_name;
	va_start(ap, fmt);
	vsnprintf(said + len, sizeof(said) - len, fmt, ap);
	va_end(ap);
}

/* ---- which stay ------------------------------------------------------------------------------------ */

static char large[IKE_MAX_FETCHED + 1];

/* It came from the network, and was of use. */
static void keep(struct kept *k, const char *uri, const char *data, size_t len)
{
	const struct ike_iov iov = { data, len };

	kept_add(k, uri, &iov);
	kept_use(k, uri);
}

static void keep_text(struct kept *k, const char *uri, const char *text)
{
	keep(k, uri, text, strlen(text));
}

static void expect(struct kept *k, const char *uri, const char *text)
{
	const struct ike_iov found = kept_find(k, uri);

	if (!text) {
		assert_null(found.base);
		return;
	}
	assert_non_null(found.base);
	assert_int_equal(found.len, strlen(text));
	assert_memory_equal(found.base, text, found.len);
}

static void what_was_of_use_is_kept(void **state)
{
	const struct ike_iov one = { "one", 3 }, two = { "two", 3 };
	struct kept *k = kept_new();

	(void)state;
	kept_use(k, "http://a/");
	kept_add(k, "http://a/", &one);
	assert_false(kept_is_changed(k));
	expect(k, "http://a/", NULL); /* it waits */
	kept_use(k, "http://b/");
	expect(k, "http://a/", NULL);
	kept_use(k, "http://a/");
	assert_true(kept_is_changed(k));
	expect(k, "http://a/", "one");
	expect(k, "http://a/b", NULL);
	kept_add(k, "http://a/", &two);
	expect(k, "http://a/", "one");
	kept_use(k, "http://a/");
	expect(k, "http://a/", "two");
	kept_free(k);
}

static const char *numbered(unsigned int i)
{
	static char uri[64];

	snprintf(uri, sizeof(uri), "http://crl.example/%u", i);
	return uri;
}

static unsigned int count(struct kept *k, unsigned int n)
{
	unsigned int found = 0;

	for (unsigned int i = 0; i < n; i++)
		found += kept_find(k, numbered(i)).base != NULL;
	return found;
}

static void the_longest_unused_goes_first(void **state)
{
	struct kept *k = kept_new();

	(void)state;
	for (unsigned int i = 0; i < KEPT_ITEMS; i++)
		keep_text(k, numbered(i), "x");
	expect(k, numbered(0), "x"); /* it is used once more */
	keep_text(k, "http://a/", "x");
	expect(k, numbered(0), "x");
	expect(k, numbered(1), NULL);
	assert_int_equal(count(k, KEPT_ITEMS), KEPT_ITEMS - 1);
	kept_free(k);

	k = kept_new();
	for (unsigned int i = 0; i < 40; i++)
		keep(k, numbered(i), large, IKE_MAX_FETCHED);
	assert_int_equal(count(k, 40), KEPT_BYTES / IKE_MAX_FETCHED);
	assert_non_null(kept_find(k, numbered(39)).base);
	kept_free(k);
}

static void what_is_of_no_use_displaces_nothing(void **state)
{
	const struct ike_iov junk = { large, IKE_MAX_FETCHED }, small = { "x", 1 },
			     too_large = { large, IKE_MAX_FETCHED + 1 }, empty = { large, 0 };
	char uri[PKI_MAX_URI + 1];
	struct kept *k = kept_new();
	size_t len;
	char *text;

	(void)state;
	keep_text(k, "http://a/", "one");
	for (unsigned int i = 0; i < 1000; i++) {
		kept_add(k, numbered(i), i % 2 ? &junk : &small);
		kept_add(k, "http://a/", &junk);
	}
	expect(k, "http://a/", "one");
	/* Nor has it more room than it may. */
	for (unsigned int i = 0; i < 1000; i++)
		kept_use(k, numbered(i));
	text = kept_print(k, &len);
	assert_in_range(len, KEPT_WAITING / 2, KEPT_WAITING + 1000 * 32);
	free(text);
	/* What no CRL has is not taken at all. */
	memset(uri, 'x', PKI_MAX_URI);
	uri[PKI_MAX_URI] = 0;
	kept_add(k, uri, &small);
	kept_use(k, uri);
	expect(k, uri, NULL);
	kept_add(k, "http://b/", &too_large);
	kept_add(k, "http://c/", &empty);
	kept_use(k, "http://b/");
	kept_use(k, "http://c/");
	expect(k, "http://b/", NULL);
	expect(k, "http://c/", NULL);
	kept_free(k);
}

/* ---- text ------------------------------------------------------------------------------------------- */

#define HEAD "esptun CRLs 1\n"

static void what_is_printed_is_read(void **state)
{
	static const char binary[] = "\0\n5 http://b/\n\xff";
	struct kept *k = kept_new(), *next = kept_new();
	size_t len;
	char *text;

	(void)state;
	keep(k, "http://a/", binary, sizeof(binary));
	keep_text(k, "http://b/", "two");
	keep_text(k, "http://a/", "one");
	text = kept_print(k, &len);
	assert_int_equal(len, strlen(HEAD "3 http://b/\ntwo\n3 http://a/\none\n"));
	assert_memory_equal(text, HEAD "3 http://b/\ntwo\n3 http://a/\none\n", len);
	assert_false(kept_is_changed(k));
	kept_set_changed(k);
	assert_true(kept_is_changed(k));
	free(text);
	/* The same thing again is no change. */
	free(kept_print(k, &len));
	keep_text(k, "http://a/", "one");
	assert_false(kept_is_changed(k));

	keep(k, "http://a/", binary, sizeof(binary));
	text = kept_print(k, &len);
	assert_int_equal(kept_parse(next, text, len), 0);
	assert_false(kept_is_changed(next));
	expect(next, "http://b/", "two");
	assert_int_equal(kept_find(next, "http://a/").len, sizeof(binary));
	assert_memory_equal(kept_find(next, "http://a/").base, binary, sizeof(binary));
	/* Cut off anywhere it is damaged, unless that is between two. */
	for (size_t i = 0; i < len; i++) {
		struct kept *cut = kept_new();
		bool whole = i == strlen(HEAD) || i == strlen(HEAD "3 http://b/\ntwo\n");

		assert_int_equal(kept_parse(cut, text, i), whole ? 0 : -EINVAL);
		expect(cut, "http://b/", i < strlen(HEAD "3 http://b/\ntwo\n") ? NULL : "two");
		expect(cut, "http://a/", NULL);
		kept_free(cut);
	}
	free(text);
	kept_free(k);
	kept_free(next);
}

static void damage_is_noticed(void **state)
{
	static const char *const damaged[] = {
		"",
		"esptun CRLs 2\n",
		HEAD "\n",
		HEAD "0 http://x/\n\n",
		HEAD "-3 http://x/\none\n",
		HEAD "+3 http://x/\none\n",
		HEAD " 3 http://x/\none\n",
		HEAD "3\thttp://x/\none\n",
		HEAD "3  http://x/\none\n",
		HEAD "3 \none\n",
		HEAD "3 http://x /\none\n",
		HEAD "3 http://x/\x7f\none\n",
		HEAD "3 http://x/\xc3\xa9\none\n",
		HEAD "2 http://x/\none\n",
		HEAD "4 http://x/\none\n",
		HEAD "262145 http://x/\none\n",
		HEAD "4294967299 http://x/\none\n",
		HEAD "18446744073709551619 http://x/\none\n",
		HEAD "99999999999999999999999999999999999999999999 http://x/\none\n",
		HEAD "3 http://x/",
	};
	char line[PKI_MAX_URI + 64] = HEAD "3 ";
	struct kept *k = kept_new();

	(void)state;
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		if (kept_parse(k, damaged[i], strlen(damaged[i])) != -EINVAL)
			fail_msg("not noticed: %s", damaged[i]);
		assert_int_equal(count(k, 4), 0);
		expect(k, "http://x/", NULL);
	}
	memset(line + strlen(line), 'x', PKI_MAX_URI);
	strcat(line, "\none\n");
	assert_int_equal(kept_parse(k, line, strlen(line)), -EINVAL);
	kept_free(k);
}

/* A file with more than may be kept is no way to have more. */
static void files_have_bounds_too(void **state)
{
	enum { LEN = 64, N = 4 * KEPT_ITEMS };
	char *text = malloc(N * LEN);
	size_t len = (size_t)sprintf(text, HEAD);
	struct kept *k = kept_new();

	(void)state;
	for (unsigned int i = 0; i < N; i++)
		len += (size_t)sprintf(text + len, "1 %s\nx\n", numbered(i));
	assert_int_equal(kept_parse(k, text, len), 0);
	assert_int_equal(count(k, N), KEPT_ITEMS);
	expect(k, numbered(N - 1), "x");
	free(text);
	kept_free(k);
}

/* ---- the file ----------------------------------------------------------------------------------------- */

static char dir[64];
static struct agent_options options = { .state_dir = dir };
static struct agent_helpers helpers;
static struct agent agent = { .options = &options, .helpers = &helpers };

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
	base = event_base_new();
	strcpy(dir, "/tmp/esptun-kept-XXXXXX");
	*said = 0;
	if (!base || !mkdtemp(dir))
		return -1;
	start_store();
	return 0;
}

static int end(void **state)
{
	char command[128];

	(void)state;
	store_free(helpers.store);
	helpers.store = NULL;
	event_base_free(base);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static const char *path(const char *name)
{
	static char text[128];

	snprintf(text, sizeof(text), "%s/%s", dir, name);
	return text;
}

static void put_file(const char *name, const char *data, size_t len)
{
	FILE *f = fopen(path(name), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static bool exists(const char *name)
{
	struct stat st;

	return !lstat(path(name), &st);
}

static struct crl_file *open_file(void)
{
	struct crl_file *f = crl_file_open(&agent);

	assert_non_null(f);
	return f;
}

/* An agent fetches @text, and ends. */
static void fetch_and_end(const char *uri, const char *text)
{
	struct crl_file *f = open_file();

	keep_text(crl_file_kept(f), uri, text);
	crl_file_plan(f);
	crl_file_close(f);
}

static void expect_of_next(const char *uri, const char *text)
{
	struct crl_file *f = open_file();

	expect(crl_file_kept(f), uri, text);
	crl_file_close(f);
}

static void the_next_agent_has_them(void **state)
{
	struct stat st;

	(void)state;
	expect_of_next("http://a/", NULL);
	assert_false(exists("fetched.crls")); /* nothing, no file */
	put_file("fetched.crls.new", "left over", 9);
	fetch_and_end("http://a/", "one");
	assert_int_equal(stat(path("fetched.crls"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_false(exists("fetched.crls.new"));
	expect_of_next("http://a/", "one");
	fetch_and_end("http://b/", "two");
	expect_of_next("http://a/", "one");
	expect_of_next("http://b/", "two");
	assert_string_equal(said, "");
	/* A hub of that name has another file. */
	assert_int_equal(store_write(helpers.store, STORE_LEASES, "fetched", "x", 1), 0);
	assert_int_equal(store_result(helpers.store, STORE_LEASES, true), 0);
	expect_of_next("http://a/", "one");
	/* Where nothing is kept over a restart it is kept until then. */
	store_free(helpers.store);
	helpers.store = NULL;
	expect_of_next("http://a/", NULL);
	fetch_and_end("http://a/", "one");
}

/* Its head may be good: that is used, and the whole file set aside for the administrator. */
static void a_damaged_file_is_set_aside(void **state)
{
	static const char text[] = HEAD "3 http://a/\none\n3 http://b/\ntw";
	char sentence[256];

	(void)state;
	put_file("fetched.crls", text, strlen(text));
	expect_of_next("http://a/", "one");
	snprintf(sentence, sizeof(sentence),
		 "cannot use all of %s/fetched.crls: it is damaged; CRLs that are lost are fetched "
		 "anewthe file is named fetched.crls.damaged",
		 dir);
	assert_string_equal(said, sentence);
	assert_true(exists("fetched.crls.damaged"));
	*said = 0;
	expect_of_next("http://a/", "one"); /* that was written, whole */
	assert_string_equal(said, "");
}

/* Of another user, a link, a pipe, a folder, too large: nothing of that is read. */
static void hostile_files_are_not_read(void **state)
{
	static const char text[] = HEAD "3 http://a/\none\n";

	(void)state;
	put_file("other", text, strlen(text));
	assert_int_equal(symlink("other", path("fetched.crls")), 0);
	expect_of_next("http://a/", NULL);
	assert_non_null(strstr(said, "Too many levels of symbolic links"));
	unlink(path("fetched.crls"));
	assert_int_equal(mkfifo(path("fetched.crls"), 0600), 0);
	expect_of_next("http://a/", NULL);
	unlink(path("fetched.crls"));
	put_file("fetched.crls", text, strlen(text));
	assert_int_equal(truncate(path("fetched.crls"), STORE_MAX + 1), 0);
	*said = 0;
	expect_of_next("http://a/", NULL);
	assert_non_null(strstr(said, "File too large"));
	unlink(path("fetched.crls"));
	if (geteuid())
		return;
	put_file("fetched.crls", text, strlen(text));
	assert_int_equal(chown(path("fetched.crls"), 1, 1), 0);
	*said = 0;
	expect_of_next("http://a/", NULL);
	assert_non_null(strstr(said, "Permission denied"));
}

/* The write at the end, too, which the agent waits for. */
static void a_write_that_fails_is_told(void **state)
{
	(void)state;
	assert_int_equal(mkdir(path("fetched.crls"), 0700), 0);
	put_file("fetched.crls/in-the-way", "", 0);
	fetch_and_end("http://a/", "one");
	assert_non_null(strstr(said, "cannot write "));
	assert_non_null(strstr(said, "after a restart CRLs are fetched anew"));
	assert_false(exists("fetched.crls.new"));
}

/* Leases and CRLs are written one after the other, and each one's failure is its own. */
static void results_of_kinds_are_apart(void **state)
{
	struct store *s = helpers.store;
	char *data;
	size_t len;

	(void)state;
	assert_int_equal(mkdir(path("hub.leases.new"), 0700), 0);
	assert_int_equal(store_write(s, STORE_LEASES, "hub", "x", 1), 0);
	assert_int_equal(store_write(s, STORE_CRLS, "fetched", "x", 1), -EBUSY);
	assert_int_equal(store_result(s, STORE_CRLS, true), 0);
	assert_int_equal(store_write(s, STORE_CRLS, "fetched", "x", 1), 0);
	assert_int_not_equal(store_result(s, STORE_LEASES, true), 0);
	assert_int_equal(store_result(s, STORE_LEASES, true), 0); /* it is told once */
	assert_int_equal(store_result(s, STORE_CRLS, true), 0);
	assert_int_equal(store_read(s, STORE_CRLS, "fetched", &data, &len), 0);
	assert_int_equal(len, 1);
	free(data);
}

static void run_for(int seconds)
{
	const struct timeval some = { .tv_sec = seconds };

	event_base_loopexit(base, &some);
	event_base_dispatch(base);
}

static void a_process_that_is_gone_is_told(void **state)
{
	struct crl_file *f = open_file();

	(void)state;
	store_free(helpers.store);
	start_store();
	assert_int_equal(store_read(helpers.store, STORE_CRLS, "a/b", &(char *){ 0 },
				    &(size_t){ 0 }),
			 -EPIPE); /* it has ended for that */
	keep_text(crl_file_kept(f), "http://a/", "one");
	crl_file_plan(f);
	run_for(0);
	crl_file_close(f);
	assert_non_null(strstr(said, "the process that keeps files has ended"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_of_use_is_kept),
		cmocka_unit_test(the_longest_unused_goes_first),
		cmocka_unit_test(what_is_of_no_use_displaces_nothing),
		cmocka_unit_test(what_is_printed_is_read),
		cmocka_unit_test(damage_is_noticed),
		cmocka_unit_test(files_have_bounds_too),
		TEST(the_next_agent_has_them),
		TEST(a_damaged_file_is_set_aside),
		TEST(hostile_files_are_not_read),
		TEST(a_write_that_fails_is_told),
		TEST(results_of_kinds_are_apart),
		TEST(a_process_that_is_gone_is_told),
	};

	signal(SIGPIPE, SIG_IGN); /* as the agent does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables of keys are not written to a file that others may see into. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ike/app/keytable.h"

static char dir[] = "/tmp/test_keytable.XXXXXX";
static char ike[64], esp[64], other[64];

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(ike, sizeof(ike), "%s/ikev2_decryption_table", dir);
	snprintf(esp, sizeof(esp), "%s/esp_sa", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(ike);
	unlink(esp);
	unlink(other);
	return rmdir(dir);
}

static int opened(void)
{
	struct keytable *t;

	errno = 0;
	t = keytable_open(dir);
	if (!t)
		return errno;
	keytable_close(t);
	return 0;
}

static void makes_and_takes_its_own(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(opened(), 0);
	assert_int_equal(stat(ike, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(esp, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(opened(), 0);
}

static void refuses_what_others_may_read(void **state)
{
	(void)state;
	assert_int_equal(chmod(esp, 0640), 0);
	assert_int_equal(opened(), EPERM);
	assert_int_equal(chmod(esp, 0600), 0);
	assert_int_equal(link(esp, other), 0);
	assert_int_equal(opened(), EPERM);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(opened(), 0);
	if (geteuid())
		return;
	assert_int_equal(chown(esp, 65534, 65534), 0);
	assert_int_equal(opened(), EPERM);
	assert_int_equal(chown(esp, 0, 0), 0);
}

static void refuses_what_is_no_file(void **state)
{
	(void)state;
	assert_int_equal(rename(esp, other), 0);
	assert_int_equal(symlink(other, esp), 0);
	assert_int_equal(opened(), ELOOP);
	unlink(esp);
	assert_int_equal(mkfifo(esp, 0600), 0);
	alarm(10); /* it must not wait for a reader */
	assert_int_equal(opened(), ENXIO);
	alarm(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_and_takes_its_own),
		cmocka_unit_test(refuses_what_others_may_read),
		cmocka_unit_test(refuses_what_is_no_file),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

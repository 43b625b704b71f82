// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/ca_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ike/proto/text.h"

enum { MAX_FILE = 64 * 1024 * 1024, VERSION = 1 };

static int fail(struct ca_dir *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int fail(struct ca_dir *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(d->err, sizeof(d->err), fmt, ap);
	va_end(ap);
	return -1;
}

/* ---- files ---------------------------------------------------------------------------------------- */

static int put_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return fsync(fd);
}

/* -1 with errno; nothing of the new file is left then. */
static int replace_file(int dir, const char *name, mode_t mode, const struct issue_bytes *bytes)
{
	char fresh[PATH_MAX];
	int fd, err;

	if (snprintf(fresh, sizeof(fresh), "%s.new", name) >= (int)sizeof(fresh)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	unlinkat(dir, fresh, 0); /* that of a command that was ended */
	fd = openat(dir, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	err = put_all(fd, bytes->data, bytes->len) || fchmod(fd, mode) ? errno : 0;
	if (close(fd) && !err)
		err = errno;
	if (!err && renameat(dir, fresh, dir, name))
		err = errno;
	if (err)
		unlinkat(dir, fresh, 0);
	errno = err;
	return err ? -1 : 0;
}

int ca_file_write(const char *path, mode_t mode, const struct issue_bytes *bytes)
{
	return replace_file(AT_FDCWD, path, mode, bytes);
}

int ca_dir_write(struct ca_dir *d, const char *name, mode_t mode, const struct issue_bytes *bytes)
{
	if (!replace_file(d->fd, name, mode, bytes) && !fsync(d->fd))
		return 0;
	return fail(d, "cannot write %s/%s: %s", d->path, name, strerror(errno));
}

static int get_all(int fd, struct issue_bytes *out)
{
	struct stat st;
	size_t done = 0;

	if (fstat(fd, &st))
		return -1;
	if (!S_ISREG(st.st_mode) || st.st_size > MAX_FILE) {
		errno = EINVAL;
		return -1;
	}
	out->data = calloc(1, (size_t)st.st_size + 1);
	out->len = out->data ? (size_t)st.st_size : 0;
	while (done < out->len) {
		ssize_t n = read(fd, out->data + done, out->len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		done += (size_t)n;
	}
	return out->data ? 0 : -1;
}

/* -1 with errno. */
static int read_file(const struct ca_dir *d, const char *name, struct issue_bytes *out)
{
	int fd = openat(d->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), rc, err;

	*out = (struct issue_bytes){ 0 };
	if (fd < 0)
		return -1;
	rc = get_all(fd, out);
	err = errno;
	close(fd);
	if (rc)
		issue_bytes_clear(out);
	errno = err;
	return rc;
}

int ca_dir_read(struct ca_dir *d, const char *name, struct issue_bytes *out)
{
	if (!read_file(d, name, out))
		return 0;
	return fail(d, "cannot read %s/%s: %s", d->path, name, strerror(errno));
}

/* ---- the index ------------------------------------------------------------------------------------ */

static bool is_serial(const char *s)
{
	return s && strlen(s) == 2 * ISSUE_SERIAL &&
	       strspn(s, "0123456789abcdef") == 2 * ISSUE_SERIAL;
}

static bool entry_is_sane(json_t *e)
{
	return is_serial(json_string_value(json_object_get(e, "serial"))) &&
	       json_is_string(json_object_get(e, "name")) &&
	       json_is_array(json_object_get(e, "san")) &&
	       json_is_integer(json_object_get(e, "from")) &&
	       json_is_integer(json_object_get(e, "until")) &&
	       json_is_integer(json_object_get(e, "revoked"));
}

static bool index_is_sane(json_t *index)
{
	json_t *list = json_object_get(index, "certificates"), *e;
	json_int_t number = json_integer_value(json_object_get(index, "crl_number"));
	size_t i;

	if (json_integer_value(json_object_get(index, "version")) != VERSION ||
	    !json_is_string(json_object_get(index, "name")) ||
	    !json_is_string(json_object_get(index, "key")) || number < 0 || number >= UINT32_MAX ||
	    !json_is_integer(json_object_get(index, "crl_until")) || !json_is_array(list))
		return false;
	json_array_foreach(list, i, e)
		if (!entry_is_sane(e))
			return false;
	return true;
}

static int load_index(struct ca_dir *d)
{
	struct issue_bytes bytes;
	json_error_t where = { .text = "it is not as it was written" };

	if (read_file(d, "index.json", &bytes)) {
		return fail(
			d,
			"%s has no CA (%s/index.json: %s); make one with: esptun ca init --name NAME",
			d->path, d->path, strerror(errno));
	}
	d->index = json_loadb(bytes.data, bytes.len, 0, &where);
	issue_bytes_clear(&bytes);
	if (d->index && index_is_sane(d->index))
		return 0;
	return fail(d, "%s/index.json is damaged: %s", d->path, where.text);
}

int ca_dir_save(struct ca_dir *d)
{
	struct issue_bytes bytes = { .data = json_dumps(d->index, JSON_INDENT(1)) };
	int err;

	if (!bytes.data) {
		return fail(d, "no memory for %s/index.json", d->path);
	}
	bytes.len = strlen(bytes.data);
	err = ca_dir_write(d, "index.json", 0600, &bytes);
	issue_bytes_clear(&bytes);
	return err;
}

/* ---- the folder ----------------------------------------------------------------------------------- */

/* Is the folder root's or ours, and closed to all others? */
static int check_folder(struct ca_dir *d)
{
	struct stat st;

	if (fstat(d->fd, &st)) {
		return fail(d, "cannot look at %s: %s", d->path, strerror(errno));
	}
	if (st.st_mode & 077) {
		return fail(
			d,
			"%s holds a CA's key and is open to others (mode %04o): run chmod 700 %s",
			d->path, st.st_mode & 07777, d->path);
	}
	if (st.st_uid && st.st_uid != geteuid()) {
		return fail(d, "%s holds a CA's key and belongs to another user (uid %u)", d->path,
			    st.st_uid);
	}
	return 0;
}

static int take_lock(struct ca_dir *d)
{
	int rc;

	d->lock = openat(d->fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	do
		rc = d->lock < 0 ? -1 : flock(d->lock, LOCK_EX);
	while (rc && d->lock >= 0 && errno == EINTR);
	if (!rc)
		return 0;
	return fail(d, "cannot lock %s/lock: %s", d->path, strerror(errno));
}

/* A new index, where there was none. */
static int begin_index(struct ca_dir *d)
{
	if (!faccessat(d->fd, "index.json", F_OK, AT_SYMLINK_NOFOLLOW) ||
	    !faccessat(d->fd, "ca.key", F_OK, AT_SYMLINK_NOFOLLOW)) {
		return fail(d, "%s has a CA already; another one goes elsewhere: --dir DIR",
			    d->path);
	}
	if (mkdirat(d->fd, "issued", 0700) && errno != EEXIST) {
		return fail(d, "cannot make %s/issued: %s", d->path, strerror(errno));
	}
	d->index = json_pack("{s:i,s:s,s:s,s:i,s:i,s:[]}", "version", VERSION, "name", "", "key",
			     "", "crl_number", 0, "crl_until", 0, "certificates");
	return d->index ? 0 : fail(d, "no memory for %s/index.json", d->path);
}

int ca_dir_open(struct ca_dir *d, const char *path, bool create)
{
	int err;

	*d = (struct ca_dir){ .path = path, .fd = -1, .lock = -1 };
	if (create && mkdir(path, 0700) && errno != EEXIST) {
		return fail(d, "cannot make %s: %s", path, strerror(errno));
	}
	d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd < 0) {
		return fail(d, "cannot open %s: %s%s", path, strerror(errno),
			    errno == ENOENT ? "; make a CA with: esptun ca init --name NAME" : "");
	}
	err = check_folder(d);
	if (!err)
		err = take_lock(d);
	if (!err)
		err = create ? begin_index(d) : load_index(d);
	return err;
}

void ca_dir_close(struct ca_dir *d)
{
	json_decref(d->index);
	if (d->lock >= 0)
		close(d->lock);
	if (d->fd >= 0)
		close(d->fd);
	*d = (struct ca_dir){ .fd = -1, .lock = -1 };
}

void ca_serial_print(char *text, const uint8_t serial[ISSUE_SERIAL])
{
	for (unsigned int i = 0; i < ISSUE_SERIAL; i++)
		sprintf(text + 2 * i, "%02x", serial[i]);
}

struct issue_revoked *ca_dir_revoked(const struct ca_dir *d, unsigned int *n)
{
	json_t *list = json_object_get(d->index, "certificates"), *e;
	struct issue_revoked *out = calloc(json_array_size(list) + 1, sizeof(*out));
	size_t i, len;

	*n = 0;
	json_array_foreach(list, i, e) {
		json_int_t at = json_integer_value(json_object_get(e, "revoked"));

		if (!out || !at)
			continue;
		out[*n].at = at;
		ike_hex_from_text(json_string_value(json_object_get(e, "serial")), out[*n].serial,
				  ISSUE_SERIAL, &len);
		++*n;
	}
	return out;
}

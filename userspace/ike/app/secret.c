// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ike/app/secret.h"
#include "ike/proto/names.h"

static int from_base64(const char *s, uint8_t *key, size_t *len)
{
	static const char set[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = strcspn(s, "="), out = 0;
	uint32_t acc = 0;
	unsigned int bits = 0;

	if (!n || strlen(s) % 4 || strlen(s) - n > 2 || strspn(s + n, "=") != strlen(s + n))
		return -1;
	for (size_t i = 0; i < n; i++) {
		const char *at = strchr(set, s[i]);

		if (!at || out >= SECRET_MAX)
			return -1;
		acc = acc << 6 | (uint32_t)(at - set);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			key[out++] = (uint8_t)(acc >> bits);
		}
	}
	*len = out;
	return out ? 0 : -1;
}

int secret_from_text(const char *s, uint8_t key[static SECRET_MAX], size_t *len)
{
	size_t n = strlen(s);

	if (!strncmp(s, "hex:", 4))
		return ike_hex_from_text(s + 4, key, SECRET_MAX, len);
	if (!strncmp(s, "base64:", 7))
		return from_base64(s + 7, key, len);
	if (n > 1 && s[0] == '"' && s[n - 1] == '"') {
		s++;
		n -= 2;
	}
	if (!n || n > SECRET_MAX)
		return -1;
	memcpy(key, s, n);
	*len = n;
	return 0;
}

/*
 * The size of the alphabet that shows, to the power of the length; a character that
 * repeats or continues the one before it adds nothing. Too kind to words, but it
 * catches "secret123", the keys that are really guessed offline (Felsch et al. 2018).
 */
unsigned int secret_bits(const uint8_t *key, size_t len)
{
	bool lower = false, upper = false, digit = false, other = false, high = false;
	unsigned int set, count = 0, bits = 0;
	uint64_t product = 1;

	for (size_t i = 0; i < len; i++) {
		int step = i ? key[i] - key[i - 1] : 2;

		count += step < -1 || step > 1;
		if (key[i] >= 0x7f || key[i] < 0x20)
			high = true;
		else if (islower(key[i]))
			lower = true;
		else if (isupper(key[i]))
			upper = true;
		else if (isdigit(key[i]))
			digit = true;
		else
			other = true;
	}
	set = high ? 256 : 26 * lower + 26 * upper + 10 * digit + 32 * other;
	for (; count; count--) {
		for (product *= set; product >> 32; product >>= 1)
			bits++;
	}
	for (; product > 1; product >>= 1)
		bits++;
	return bits;
}

bool secret_strong(const uint8_t *key, size_t len, char *why, size_t size)
{
	unsigned int bits = secret_bits(key, len);

	if (bits >= SECRET_MIN_BITS)
		return true;
	snprintf(
		why, size,
		"can be guessed (about %u bits, want %d): make one with \"openssl rand -base64 24\"",
		bits, SECRET_MIN_BITS);
	return false;
}

ssize_t secret_read(const char *path, char *buf, size_t cap, struct stat *st)
{
	/* Whoever puts a FIFO there must not stop the agent. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	size_t len = 0;
	ssize_t n = -1;
	int err;

	if (fd < 0)
		return -1;
	if (!fstat(fd, st) && S_ISREG(st->st_mode)) {
		while (len < cap && (n = read(fd, buf + len, cap - len)) > 0)
			len += (size_t)n;
	} else {
		errno = EINVAL;
	}
	err = errno;
	close(fd);
	errno = err;
	return n < 0 ? -1 : (ssize_t)len;
}

bool secret_file_ok(const char *path, const struct stat *st, char *why, size_t size)
{
	if (st->st_mode & 077) {
		snprintf(why, size,
			 "%s holds a key and can be read by others (mode %04o): run chmod 600 %s",
			 path, st->st_mode & 07777, path);
		return false;
	}
	if (st->st_uid && st->st_uid != geteuid()) {
		snprintf(why, size,
			 "%s holds a key and belongs to another user (uid %u): run chown %u %s",
			 path, st->st_uid, geteuid(), path);
		return false;
	}
	return true;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "ike/app/secret.h"
#include "ike/proto/text.h"

static const char base64_set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Why @s is not base64 (RFC 4648 section 4) of 1 to SECRET_MAX bytes; NULL if it is. */
static const char *base64_fault(const char *s)
{
	size_t all = strlen(s), n = strcspn(s, "="), pad = all - n;

	if (strpbrk(s, "-_"))
		return "is base64url, not base64: write + for - and / for _";
	if (!n || strspn(s, base64_set) != n || strspn(s + n, "=") != pad || pad > 2)
		return "is not base64: expected base64: and letters, digits, + and /";
	if (all % 4)
		return "is not whole: base64 comes in groups of 4 characters, the last one filled up with =";
	if (all / 4 * 3 - pad > SECRET_MAX)
		return "is longer than 256 bytes";
	return NULL;
}

static void decode_base64(const char *s, uint8_t *key, size_t *len)
{
	uint32_t acc = 0;
	unsigned int bits = 0;
	size_t out = 0;

	for (; *s && *s != '='; s++) {
		acc = acc << 6 | (uint32_t)(strchr(base64_set, *s) - base64_set);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			key[out++] = (uint8_t)(acc >> bits);
		}
	}
	*len = out;
}

/* Characters that look like nothing or like a quotation mark, at an end of a pasted key. */
static const struct {
	const char *bytes, *what;
} strange_ends[] = {
	{ "\"", "a quotation mark" },
	{ "'", "a quotation mark" },
	{ "`", "a quotation mark" },
	{ "\xe2\x80\x98", "a typographic quotation mark" },
	{ "\xe2\x80\x99", "a typographic quotation mark" },
	{ "\xe2\x80\x9a", "a typographic quotation mark" },
	{ "\xe2\x80\x9c", "a typographic quotation mark" },
	{ "\xe2\x80\x9d", "a typographic quotation mark" },
	{ "\xe2\x80\x9e", "a typographic quotation mark" },
	{ "\xc2\xab", "a typographic quotation mark" },
	{ "\xc2\xbb", "a typographic quotation mark" },
	{ "\xc2\xa0", "a no-break space" },
	{ "\xe2\x80\x8b", "a space of no width" },
	{ "\xe2\x80\xaf", "a no-break space" },
	{ "\xef\xbb\xbf", "a byte order mark" },
};

static const char *strange_end(const char *s, size_t n)
{
	for (size_t i = 0; i < sizeof(strange_ends) / sizeof(strange_ends[0]); i++) {
		const char *bytes = strange_ends[i].bytes;
		size_t len = strlen(bytes);

		if (n >= len && (!memcmp(s, bytes, len) || !memcmp(s + n - len, bytes, len)))
			return strange_ends[i].what;
	}
	return NULL;
}

/* What the writer of the bare text @s, @n bytes, may have meant, in @why. */
static void warn_of_text(const char *s, size_t n, char *why, size_t size)
{
	const char *strange = strange_end(s, n);
	size_t control = 0;

	for (size_t i = 0; i < n; i++)
		control += (unsigned char)s[i] < ' ' || s[i] == 0x7f;
	if (!strncasecmp(s, "0x", 2) && n > 2 && !s[2 + strspn(s + 2, "0123456789abcdefABCDEF")])
		snprintf(
			why, size,
			"is taken as text, not as bytes in hexadecimal: those are written hex:DIGITS (text that begins with 0x: in double quotes)");
	else if (!strncmp(s, "0s", 2) && n > 2 && !base64_fault(s + 2))
		snprintf(
			why, size,
			"is taken as text, not as base64: that is written base64:TEXT (text that begins with 0s: in double quotes)");
	else if (s[0] == '/' && strchr(s + 1, '/'))
		snprintf(
			why, size,
			"is taken as text, not as a file's name: that is written file:/PATH (text that begins with /: in double quotes)");
	else if (strange)
		snprintf(why, size, "begins or ends with %s, which is a part of it", strange);
	else if (control)
		snprintf(why, size,
			 "holds control characters: bytes are better written as hex:DIGITS");
}

/* The prefixes of bytes and files in capitals could as well be text, and a key is not guessed at. */
static const char *prefix_fault(const char *s)
{
	if (!strncasecmp(s, "hex:", 4) && strncmp(s, "hex:", 4))
		return "begins with hex: in capitals; write it in small letters (text: in double quotes)";
	if (!strncasecmp(s, "base64:", 7) && strncmp(s, "base64:", 7))
		return "begins with base64: in capitals; write it in small letters (text: in double quotes)";
	if (!strncasecmp(s, "file:", 5))
		return "names a file: expected file:/PATH, and no file: within a file";
	return NULL;
}

int secret_from_text(const char *s, uint8_t key[static SECRET_MAX], size_t *len, char *why,
		     size_t size)
{
	const char *fault = prefix_fault(s);
	size_t n = strlen(s);

	why[0] = '\0';
	if (fault) {
		snprintf(why, size, "%s", fault);
		return -1;
	}
	if (!strncmp(s, "hex:", 4)) {
		if (ike_hex_from_text(s + 4, key, SECRET_MAX, len))
			fault = "is wrong: expected hex:DIGITS, 1 to 256 pairs of them";
	} else if (!strncmp(s, "base64:", 7)) {
		fault = base64_fault(s + 7);
		if (!fault)
			decode_base64(s + 7, key, len);
	} else {
		bool quoted = n > 1 && s[0] == '"' && s[n - 1] == '"';

		if (quoted)
			s++, n -= 2;
		if (!n)
			fault = "is empty";
		else if (n > SECRET_MAX)
			fault = "is longer than 256 bytes";
		else if (!quoted)
			warn_of_text(s, n, why, size);
		if (!fault) {
			memcpy(key, s, n);
			*len = n;
		}
	}
	if (fault)
		snprintf(why, size, "%s", fault);
	return fault ? -1 : 0;
}

int secret_from_value(const char *s, uint8_t key[static SECRET_MAX], size_t *len, char *why,
		      size_t size)
{
	char fault[160];

	if (*s != '"' &&
	    (strstr(s, " #") || strstr(s, " ;") || strstr(s, "\t#") || strstr(s, "\t;"))) {
		snprintf(
			why, size,
			"expected a key without comment behind it (put a key with blanks and # or ; in double quotes)");
		return -1;
	}
	if (!secret_from_text(s, key, len, why, size))
		return 0;
	snprintf(fault, sizeof(fault), "%s", why);
	snprintf(why, size, "the key %s", fault);
	return -1;
}

/* "PSK = ...", "secret: ...": a line of a configuration, not a key. */
static bool names_a_key(const char *line)
{
	static const char *const words[] = { "psk", "key", "secret", "password", "presharedkey" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i]);

		if (strncasecmp(line, words[i], n))
			continue;
		n += strspn(line + n, " \t");
		if ((line[n] == '=' || line[n] == ':') && isspace((unsigned char)line[n + 1]))
			return true;
	}
	return false;
}

/* Why the first line of a key file is no key, whatever it holds; NULL if it may be one. */
static const char *line_fault(const char *line)
{
	if (!*line)
		return "is empty";
	if ((*line == '#' || *line == ';') && isspace((unsigned char)line[1]))
		return "is a comment; a key that begins so stands in double quotes";
	if (names_a_key(line))
		return "names a key as a configuration does; the file holds the key alone";
	if (*line != '"' && strstr(line, ": PSK "))
		return "is of ipsec.secrets; the file holds the key alone";
	return NULL;
}

int secret_from_file(char *buf, size_t n, uint8_t key[static SECRET_MAX], size_t *len, char *why,
		     size_t size)
{
	bool mark = n >= 3 && !memcmp(buf, "\xef\xbb\xbf", 3), blanks;
	char *line = buf + (mark ? 3 : 0), *end, *rest;
	const char *fault;

	buf[n] = '\0';
	end = line + strcspn(line, "\r\n");
	rest = end + strspn(end, "\r\n");
	if (n >= 2 && (!memcmp(buf, "\xff\xfe", 2) || !memcmp(buf, "\xfe\xff", 2))) {
		snprintf(why, size, "is UTF-16; save the file as UTF-8");
		return -1;
	}
	if (!*end && end != buf + n) {
		snprintf(why, size, "holds a zero byte; write bytes as hex:DIGITS");
		return -1;
	}
	blanks = isblank((unsigned char)*line) || (end > line && isblank((unsigned char)end[-1]));
	while (isblank((unsigned char)*line))
		line++;
	while (end > line && isblank((unsigned char)end[-1]))
		end--;
	*end = '\0';
	fault = line_fault(line);
	if (fault) {
		snprintf(why, size, "%s", fault);
		return -1;
	}
	if (secret_from_text(line, key, len, why, size))
		return -1;
	if (*why)
		return 0;
	if (mark)
		snprintf(why, size, "follows a byte order mark, which is not a part of it");
	else if (blanks)
		snprintf(
			why, size,
			"has blanks around it, which are not a part of it (in double quotes they are)");
	else if (rest[strspn(rest, " \t\r\n")])
		snprintf(why, size, "is the first line; the file has more, which are ignored");
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
	snprintf(why, size,
		 "can be guessed (about %u bits, want %d): make one with \"esptun keygen\"", bits,
		 SECRET_MIN_BITS);
	return false;
}

bool secret_strong_ppk(const uint8_t *key, size_t len, char *why, size_t size)
{
	unsigned int bits = secret_bits(key, len);

	if (bits >= SECRET_PPK_BITS)
		return true;
	snprintf(
		why, size,
		"is too weak against quantum computers (about %u bits, want 256): make one with \"esptun keygen\"",
		bits);
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

const char *secret_hidden(const char *path)
{
	static const struct {
		const char *folder, *setting;
	} rows[] = {
		{ "/home/", "ProtectHome=yes" },     { "/root/", "ProtectHome=yes" },
		{ "/run/user/", "ProtectHome=yes" }, { "/tmp/", "PrivateTmp=yes" },
		{ "/var/tmp/", "PrivateTmp=yes" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!strncmp(path, rows[i].folder, strlen(rows[i].folder)))
			return rows[i].setting;
	}
	return NULL;
}

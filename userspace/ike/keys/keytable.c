// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ike/keys/keytable.h"

struct keytable {
	int ike, esp; /* descriptors */
};

/* In a folder that others may write to, the file may be one they made and hold open. */
static bool only_ours(const struct stat *st)
{
	return S_ISREG(st->st_mode) && !(st->st_mode & 077) && st->st_uid == geteuid() &&
	       st->st_nlink == 1;
}

static int open_table(const char *dir, const char *name)
{
	char path[4096];
	struct stat st;
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd >= 0 && (fstat(fd, &st) || !only_ours(&st))) {
		close(fd);
		errno = EPERM;
		return -1;
	}
	return fd;
}

struct keytable *keytable_open(const char *dir)
{
	struct keytable *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return NULL;
	t->ike = t->esp = -1;
	if (mkdir(dir, 0700) && errno != EEXIST)
		goto fail;
	t->ike = open_table(dir, "ikev2_decryption_table");
	if (t->ike < 0)
		goto fail;
	t->esp = open_table(dir, "esp_sa");
	if (t->esp < 0)
		goto fail;
	return t;

fail:
	err = errno;
	keytable_close(t);
	errno = err;
	return NULL;
}

void keytable_close(struct keytable *t)
{
	if (!t)
		return;
	if (t->ike >= 0)
		close(t->ike);
	if (t->esp >= 0)
		close(t->esp);
	free(t);
}

/* A line under construction; written at once, so that two agents may share a table. */
struct line {
	char text[2048];
	size_t len;
};

static void add(struct line *l, const char *text)
{
	size_t len = strlen(text);

	if (len < sizeof(l->text) - l->len) {
		memcpy(l->text + l->len, text, len + 1);
		l->len += len;
	}
}

static void add_hex(struct line *l, const uint8_t *key, size_t len)
{
	char pair[3];

	for (size_t i = 0; i < len; i++) {
		snprintf(pair, sizeof(pair), "%02x", key[i]);
		add(l, pair);
	}
	ike_wipe(pair, sizeof(pair));
}

static void flush(struct line *l, int fd)
{
	ssize_t n = write(fd, l->text, l->len);

	(void)n; /* a debugging aid must not stop the agent */
	ike_wipe(l, sizeof(*l));
}

/* Names as Wireshark's packet-isakmp.c has them; NULL for what it does not decrypt. */
static const char *ike_encr(const struct ike_cipher *c)
{
	static const struct {
		uint16_t encr, key_bits;
		const char *name;
	} rows[] = {
#define ENCR_KEY(name, bits, len, word, library, ike, esp, shark) { IKE_ENCR_##name, bits, shark },
#include "ike/proto/transform.def"
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].encr == c->encr && rows[i].key_bits == c->key_bits)
			return rows[i].name;
	return NULL;
}

static const char *ike_integ(uint16_t integ)
{
	static const struct {
		uint16_t integ;
		const char *name;
	} rows[] = {
#define INTEG(name, number, word, library, key, icv, prf, ike, esp, shark, esp_shark) \
	{ number, shark },
#include "ike/proto/transform.def"
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].integ == integ)
			return rows[i].name;
	return "NONE [RFC4306]";
}

/* The same for ESP, as packet-ipsec.c has them. */
static const char *esp_encr(uint16_t encr)
{
	static const struct {
		uint16_t encr;
		const char *name;
	} rows[] = {
#define ENCR(name, number, aead, ike, salt, iv, block, icv, esp_shark) { number, esp_shark },
#include "ike/proto/transform.def"
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].encr == encr)
			return rows[i].name;
	return NULL;
}

static const char *esp_integ(uint16_t integ)
{
	static const struct {
		uint16_t integ;
		const char *name;
	} rows[] = {
#define INTEG(name, number, word, library, key, icv, prf, ike, esp, shark, esp_shark) \
	{ number, esp_shark },
#include "ike/proto/transform.def"
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].integ == integ)
			return rows[i].name;
	return "NULL"; /* an AEAD has its own */
}

static void add_ike(struct keytable *t, const struct ike_keylog *k)
{
	const char *encr = ike_encr(k->cipher), *integ = ike_integ(k->cipher->integ);
	struct line l = { .len = 0 };

	if (!encr || !integ)
		return;
	add_hex(&l, k->spi_i, IKE_SPI_LEN);
	add(&l, ",");
	add_hex(&l, k->spi_r, IKE_SPI_LEN);
	add(&l, ",");
	add_hex(&l, k->sk_ei, k->sk_e_len);
	add(&l, ",");
	add_hex(&l, k->sk_er, k->sk_e_len);
	add(&l, ",\"");
	add(&l, encr);
	add(&l, "\",");
	if (k->sk_ai)
		add_hex(&l, k->sk_ai, k->sk_a_len);
	add(&l, ",");
	if (k->sk_ar)
		add_hex(&l, k->sk_ar, k->sk_a_len);
	add(&l, ",\"");
	add(&l, integ);
	add(&l, "\"\n");
	flush(&l, t->ike);
}

/* Wireshark knows no key without bytes. */
static void add_esp_key(struct line *l, const uint8_t *key, size_t len)
{
	add(l, len ? ",\"0x" : ",\"");
	add_hex(l, key, len);
	add(l, "\"");
}

/* Any address: behind a NAT the two ends see different ones. */
static void add_esp(struct keytable *t, const struct ike_child *c, uint32_t spi, const uint8_t *key,
		    const uint8_t *integ_key)
{
	const char *name = esp_encr(c->cipher.encr);
	struct line l = { .len = 0 };
	char head[32];

	if (!name)
		return;
	snprintf(head, sizeof(head), "0x%08x", spi);
	add(&l, "\"IPv4\",\"*\",\"*\",\"");
	add(&l, head);
	add(&l, "\",\"");
	add(&l, name);
	add(&l, "\"");
	add_esp_key(&l, key, c->key_len);
	add(&l, ",\"");
	add(&l, esp_integ(c->cipher.integ));
	add(&l, "\"");
	add_esp_key(&l, integ_key, c->integ_len);
	add(&l, "\n");
	flush(&l, t->esp);
}

void keytable_add(struct keytable *t, const struct ike_keylog *k)
{
	const struct ike_child *c = k->child;

	if (!c) {
		add_ike(t, k);
		return;
	}
	add_esp(t, c, c->spi_in, c->key_in, c->integ_in);
	add_esp(t, c, c->spi_out, c->key_out, c->integ_out);
}

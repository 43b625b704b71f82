// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ike/app/keytable.h"

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

/* Names as Wireshark's packet-isakmp.c has them. */
static const char *ike_encr(const struct ike_cipher *c, char *buf, size_t size)
{
	if (c->encr == IKE_ENCR_AES_GCM_16)
		snprintf(buf, size, "AES-GCM-%u with 16 octet ICV [RFC5282]", c->key_bits);
	else if (c->encr == IKE_ENCR_AES_CBC)
		snprintf(buf, size, "AES-CBC-%u [RFC3602]", c->key_bits);
	else
		return NULL;
	return buf;
}

static const char *ike_integ(uint16_t integ)
{
	switch (integ) {
	case IKE_INTEG_HMAC_SHA2_256_128: return "HMAC_SHA2_256_128 [RFC4868]";
	case IKE_INTEG_HMAC_SHA2_384_192: return "HMAC_SHA2_384_192 [RFC4868]";
	case IKE_INTEG_HMAC_SHA2_512_256: return "HMAC_SHA2_512_256 [RFC4868]";
	default: return "NONE [RFC4306]";
	}
}

static void add_ike(struct keytable *t, const struct ike_keylog *k)
{
	struct line l = { .len = 0 };
	char name[64];

	if (!ike_encr(k->cipher, name, sizeof(name)))
		return;
	add_hex(&l, k->spi_i, IKE_SPI_LEN);
	add(&l, ",");
	add_hex(&l, k->spi_r, IKE_SPI_LEN);
	add(&l, ",");
	add_hex(&l, k->sk_ei, k->sk_e_len);
	add(&l, ",");
	add_hex(&l, k->sk_er, k->sk_e_len);
	add(&l, ",\"");
	add(&l, name);
	add(&l, "\",");
	if (k->sk_ai)
		add_hex(&l, k->sk_ai, k->sk_a_len);
	add(&l, ",");
	if (k->sk_ar)
		add_hex(&l, k->sk_ar, k->sk_a_len);
	add(&l, ",\"");
	add(&l, ike_integ(k->cipher->integ));
	add(&l, "\"\n");
	flush(&l, t->ike);
}

/* Any address: behind a NAT the two ends see different ones. */
static void add_esp(struct keytable *t, const struct ike_child *c, uint32_t spi, const uint8_t *key)
{
	struct line l = { .len = 0 };
	char head[32];

	if (c->cipher.encr != IKE_ENCR_AES_GCM_16)
		return;
	snprintf(head, sizeof(head), "0x%08x", spi);
	add(&l, "\"IPv4\",\"*\",\"*\",\"");
	add(&l, head);
	add(&l, "\",\"AES-GCM with 16 octet ICV [RFC4106]\",\"0x");
	add_hex(&l, key, c->key_len);
	add(&l, "\",\"NULL\",\"\"\n");
	flush(&l, t->esp);
}

void keytable_add(struct keytable *t, const struct ike_keylog *k)
{
	if (!k->child) {
		add_ike(t, k);
		return;
	}
	add_esp(t, k->child, k->child->spi_in, k->child->key_in);
	add_esp(t, k->child, k->child->spi_out, k->child->key_out);
}

// SPDX-License-Identifier: LGPL-2.1-or-later
/* Security associations. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/internal.h"

/* Octets one encoded selector takes at most; all of an SA but its selectors. */
#define TS_SIZE 64
#define SA_SIZE 512

static int request(struct esptun *h, const struct esptun_sa *sa, uint8_t cmd, const char *what,
		   int (*encode)(struct nl_msg *msg, const struct esptun_sa *sa))
{
	size_t size = SA_SIZE + TS_SIZE * (sa->n_ts_local + sa->n_ts_remote);
	struct request rq = { 0 };
	int err;

	if (sa->n_ts_local > ESPTUN_TS_MAX || sa->n_ts_remote > ESPTUN_TS_MAX)
		return esptun_set_error(h, -E2BIG, "%s: more than %d traffic selectors on one side",
					what, ESPTUN_TS_MAX);
	err = esptun_request_genl(h, &rq, cmd, NLM_F_ACK, sa->ifindex, size, what);
	return err ? err : esptun_request_run(h, &rq, encode(rq.msg, sa));
}

int esptun_sa_add(struct esptun *h, const struct esptun_sa *sa)
{
	return request(h, sa, ESPTUN_CMD_SA_NEW, "cannot add SA", esptun_sa_encode);
}

int esptun_sa_set(struct esptun *h, const struct esptun_sa *sa)
{
	return request(h, sa, ESPTUN_CMD_SA_SET, "cannot change SA", esptun_sa_encode_changes);
}

int esptun_sa_del(struct esptun *h, uint32_t ifindex, enum esptun_sa_dir dir, uint32_t spi,
		  uint32_t peer)
{
	struct request rq = { 0 };
	int err = esptun_request_genl(h, &rq, ESPTUN_CMD_SA_DEL, NLM_F_ACK, ifindex, 0,
				      "cannot delete SA");

	return err ? err : esptun_request_run(h, &rq, esptun_sa_encode_id(rq.msg, dir, spi, peer));
}

int esptun_sa_flush(struct esptun *h, uint32_t ifindex, uint32_t peer)
{
	struct request rq = { 0 };
	int err = esptun_request_genl(h, &rq, ESPTUN_CMD_FLUSH, NLM_F_ACK, ifindex, 0,
				      "cannot flush SAs");

	if (err)
		return err;
	return esptun_request_run(h, &rq, peer ? esptun_sa_encode_peer(rq.msg, peer) : 0);
}

/* A second reply to one get would be the kernel's mistake, not a leak. */
static int reply_sa(const struct nlmsghdr *nlh, size_t len, void *arg)
{
	esptun_sa_clear(arg);
	return esptun_sa_decode(nlh, len, arg);
}

int esptun_sa_get(struct esptun *h, uint32_t ifindex, enum esptun_sa_dir dir, uint32_t spi,
		  uint32_t peer, unsigned int flags, struct esptun_sa *sa)
{
	struct request rq = { .reply = reply_sa, .arg = sa };
	int err;

	memset(sa, 0, sizeof(*sa));
	err = esptun_request_genl(h, &rq, ESPTUN_CMD_SA_GET, NLM_F_ACK, ifindex, 0,
				  "cannot read SA");
	if (err)
		return err;
	err = esptun_sa_encode_id(rq.msg, dir, spi, peer);
	if (!err && (flags & ESPTUN_SHOW_KEYS) && nla_put_flag(rq.msg, ESPTUN_A_SHOW_KEYS) < 0)
		err = -EMSGSIZE;
	err = esptun_request_run(h, &rq, err);
	if (err)
		esptun_sa_clear(sa);
	return err;
}

int esptun_spi_alloc(struct esptun *h, uint32_t ifindex, uint32_t peer, uint32_t *spi)
{
	struct esptun_sa sa = { 0 };
	struct request rq = { .reply = reply_sa, .arg = &sa };
	int err = esptun_request_genl(h, &rq, ESPTUN_CMD_SPI_ALLOC, NLM_F_ACK, ifindex, 0,
				      "cannot reserve an SPI");

	if (!err)
		err = esptun_request_run(h, &rq, esptun_sa_encode_peer(rq.msg, peer));
	if (!err && sa.spi < ESPTUN_SPI_MIN)
		err = esptun_set_error(h, -EBADMSG,
				       "cannot reserve an SPI: no SPI in the kernel's answer");
	*spi = sa.spi;
	esptun_sa_clear(&sa);
	return err;
}

static int reply_sas(const struct nlmsghdr *nlh, size_t len, void *arg)
{
	struct esptun_sa *sa = esptun_list_add(arg);

	return sa ? esptun_sa_decode(nlh, len, sa) : -ENOMEM;
}

/* Between two tries: the items own selectors and keys. */
static void clear_sas(struct list *l)
{
	struct esptun_sa *sas = l->items;
	size_t i;

	for (i = 0; i < l->n; i++)
		esptun_sa_clear(&sas[i]);
}

int esptun_sa_dump(struct esptun *h, uint32_t ifindex, unsigned int flags, struct esptun_sa **sas,
		   size_t *n)
{
	struct list l = {
		.item_size = sizeof(struct esptun_sa),
		.reply = reply_sas,
		.clear = clear_sas,
	};
	int err = esptun_dump_genl(h, &l, ESPTUN_CMD_SA_GET, ifindex, flags, "cannot list SAs");

	*sas = l.items;
	*n = l.n;
	return err;
}

void esptun_sa_clear(struct esptun_sa *sa)
{
	free(sa->ts_local);
	free(sa->ts_remote);
	explicit_bzero(sa, sizeof(*sa));
}

void esptun_sas_free(struct esptun_sa *sas, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		esptun_sa_clear(&sas[i]);
	free(sas);
}

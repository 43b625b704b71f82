// SPDX-License-Identifier: GPL-2.0
/* The table of algorithms, for those who ask what there is. Nothing to lock. */
#include <net/genetlink.h>
#include <linux/esptun.h>
#include "alg/alg.h"
#include "netlink/netlink-gen.h"
#include "netlink/netlink.h"

/* Types of IKEv2 transforms, RFC 7296 3.3.2. */
#define TYPE_ENCR 1
#define TYPE_INTEG 3

/**
 * struct row - what rows of both kinds have to tell
 * @type: IKEv2 transform type
 * @id: its ID
 * @name: IANA's name
 * @xfrm: name that "ip xfrm" has for it, or NULL
 * @legacy: class
 * @found: what this kernel has for it
 * @key_lens: @n_key_lens accepted numbers of bytes, 0 ends the list
 * @n_key_lens: at most
 * @salt: bytes of a key that are salt
 * @sizes: packet layout; align of 0 is none
 */
struct row {
	u8 type;
	u16 id;
	const char *name;
	const char *xfrm;
	bool legacy;
	const struct esptun_found *found;
	const u8 *key_lens;
	unsigned int n_key_lens;
	u8 salt;
	struct esptun_esp_sizes sizes;
};

static void encr_row(struct row *row, const struct esptun_encr *encr)
{
	row->type = TYPE_ENCR;
	row->id = encr->id;
	row->name = encr->name;
	row->xfrm = encr->xfrm;
	row->legacy = encr->legacy;
	row->key_lens = encr->key_lens;
	row->n_key_lens = ARRAY_SIZE(encr->key_lens);
	row->salt = encr->salt;
	row->sizes = encr->sizes;
}

static void integ_row(struct row *row, const struct esptun_integ *integ)
{
	row->type = TYPE_INTEG;
	row->id = integ->id;
	row->name = integ->name;
	row->xfrm = integ->crypto;
	row->legacy = integ->legacy;
	row->key_lens = &integ->key_len;
	row->n_key_lens = 1;
	row->sizes.icv = integ->icv;
}

/* The @i-th of all, encryption first. Return: false after the last one. */
static bool get_row(unsigned int i, struct row *row)
{
	const struct esptun_integ *integ;
	const struct esptun_encr *encr;
	unsigned int first = 0;

	memset(row, 0, sizeof(*row));
	encr = esptun_alg_encr(i, &row->found);
	if (encr) {
		encr_row(row, encr);
		return true;
	}
	while (esptun_alg_encr(first, NULL))
		first++;
	integ = esptun_alg_integ(i - first, &row->found);
	if (integ)
		integ_row(row, integ);
	return integ;
}

static u8 state_of(const struct row *row)
{
	if (row->legacy && !esptun_alg_legacy())
		return ESPTUN_ALGO_STATE_REFUSED;
	return row->found->driver[0] ? ESPTUN_ALGO_STATE_AVAILABLE :
				       ESPTUN_ALGO_STATE_MISSING;
}

static int put_names(struct sk_buff *msg, const struct row *row)
{
	if (nla_put_u8(msg, ESPTUN_ALGO_A_TYPE, row->type) ||
	    nla_put_u16(msg, ESPTUN_ALGO_A_ID, row->id) ||
	    nla_put_string(msg, ESPTUN_ALGO_A_NAME, row->name) ||
	    nla_put_u8(msg, ESPTUN_ALGO_A_CLASS,
		       row->legacy ? ESPTUN_ALGO_CLASS_LEGACY :
				     ESPTUN_ALGO_CLASS_MODERN) ||
	    nla_put_u8(msg, ESPTUN_ALGO_A_STATE, state_of(row)))
		return -EMSGSIZE;
	if (row->xfrm &&
	    nla_put_string(msg, ESPTUN_ALGO_A_XFRM_NAME, row->xfrm))
		return -EMSGSIZE;
	if (row->found->driver[0] &&
	    nla_put_string(msg, ESPTUN_ALGO_A_DRIVER, row->found->driver))
		return -EMSGSIZE;
	return 0;
}

static int put_sizes(struct sk_buff *msg, const struct row *row)
{
	unsigned int i;

	for (i = 0; i < row->n_key_lens && row->key_lens[i]; i++)
		if (nla_put_u16(msg, ESPTUN_ALGO_A_KEY_LEN, row->key_lens[i]))
			return -EMSGSIZE;
	if (nla_put_u8(msg, ESPTUN_ALGO_A_ICV_LEN, row->sizes.icv))
		return -EMSGSIZE;
	if (row->type != TYPE_ENCR)
		return 0;
	if (nla_put_u8(msg, ESPTUN_ALGO_A_SALT_LEN, row->salt) ||
	    nla_put_u8(msg, ESPTUN_ALGO_A_IV_LEN, row->sizes.iv) ||
	    nla_put_u8(msg, ESPTUN_ALGO_A_ALIGN, row->sizes.align))
		return -EMSGSIZE;
	return 0;
}

static int fill_row(struct sk_buff *msg, struct netlink_callback *cb,
		    const struct row *row)
{
	void *hdr = genlmsg_put(msg, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, &esptun_nl_family,
				NLM_F_MULTI, ESPTUN_CMD_ALGO_GET);
	struct nlattr *nest;

	if (!hdr)
		return -EMSGSIZE;
	nest = nla_nest_start(msg, ESPTUN_A_ALGO);
	if (!nest || put_names(msg, row) || put_sizes(msg, row)) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	nla_nest_end(msg, nest);
	genlmsg_end(msg, hdr);
	return 0;
}

/* The next row is in netlink_callback.args. */
int esptun_nl_algo_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct row row;

	while (get_row(cb->args[0], &row) && !fill_row(skb, cb, &row))
		cb->args[0]++;
	return skb->len;
}

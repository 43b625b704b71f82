// SPDX-License-Identifier: GPL-2.0
#include "util/reader.h"

void esptun_reader_init(struct esptun_reader *r, struct sk_buff *skb)
{
	skb_prepare_seq_read(skb, 0, skb->len, &r->seq);
	r->data = skb->data;
	r->left = skb_headlen(skb);
	r->at = 0;
}

void esptun_reader_end(struct esptun_reader *r)
{
	skb_abort_seq_read(&r->seq);
}

static void seek(struct esptun_reader *r, unsigned int at)
{
	unsigned int ahead = at - r->at;

	if (at < r->at) {
		esptun_reader_end(r);
		esptun_reader_init(r, r->seq.root_skb);
		ahead = at;
	}
	if (ahead < r->left) {
		r->data += ahead;
		r->left -= ahead;
	} else {
		r->left = 0;
	}
	r->at = at;
}

bool esptun_reader_seek_get(struct esptun_reader *r, unsigned int at, void *to,
			    unsigned int len)
{
	unsigned int n;

	if (at != r->at)
		seek(r, at);
	for (; len; len -= n, at += n, to += n) {
		if (!r->left)
			r->left = skb_seq_read(at, &r->data, &r->seq);
		if (!r->left)
			return false;
		n = min(len, r->left);
		esptun_reader_get(r, at, to, n);
	}
	return true;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading a packet from front to back. skb_copy_bits() goes through all
 * fragments from the first one on each time; this remembers where it was.
 */
#ifndef ESPTUN_READER_H
#define ESPTUN_READER_H

#include <linux/skbuff.h>
#include <linux/types.h>

/**
 * struct esptun_reader - a place in a packet
 * @seq: the kernel's part
 * @data: the octets at @at
 * @left: how many lie there in one piece
 * @at: offset from skb->data
 */
struct esptun_reader {
	struct skb_seq_state seq;
	const u8 *data;
	unsigned int left;
	unsigned int at;
};

/**
 * esptun_copy - copy octets out, once
 * @skb: the packet
 * @at: offset from skb->data
 * @to: @len octets
 * @len: how many
 *
 * As skb_copy_bits(), which costs more than a small packet that lies in one
 * piece. Return: false if the packet does not have them.
 */
static inline bool esptun_copy(const struct sk_buff *skb, unsigned int at,
			       void *to, unsigned int len)
{
	if (len > skb_headlen(skb) || at > skb_headlen(skb) - len)
		return !skb_copy_bits(skb, at, to, len);
	memcpy(to, skb->data + at, len);
	return true;
}

/**
 * esptun_reader_init - begin to read
 * @r: to fill
 * @skb: only read; must not change until esptun_reader_end(). In between
 *	nothing may sleep, nor may another CPU go on
 */
void esptun_reader_init(struct esptun_reader *r, struct sk_buff *skb);

/* What esptun_reader_get() does if the octets do not lie where it is. */
bool esptun_reader_seek_get(struct esptun_reader *r, unsigned int at, void *to,
			    unsigned int len);

/**
 * esptun_reader_get - copy octets out
 * @r: the reader
 * @at: offset from skb->data; cheap if not before the last one
 * @to: @len octets
 * @len: how many
 *
 * Return: false if the packet does not have them.
 */
static inline bool esptun_reader_get(struct esptun_reader *r, unsigned int at,
				     void *to, unsigned int len)
{
	if (at != r->at || len > r->left)
		return esptun_reader_seek_get(r, at, to, len);
	memcpy(to, r->data, len);
	r->data += len;
	r->left -= len;
	r->at += len;
	return true;
}

void esptun_reader_end(struct esptun_reader *r);

#endif /* ESPTUN_READER_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The packets a submitted one stands for: itself, or each segment of a TCP or
 * UDP super-packet (GSO), written out without building an skb for it.
 */
#ifndef ESPTUN_SEGMENT_H
#define ESPTUN_SEGMENT_H

#include <linux/skbuff.h>
#include <linux/types.h>
#include "util/reader.h"

/**
 * struct esptun_segments - how a submitted packet divides
 * @skb: the packet, starting at its IP header; only read
 * @head: octets of headers every segment begins with, 0 if there is one only
 * @transport: offset of the TCP or UDP header
 * @size: octets of payload a segment, only the last may have less
 * @n: how many segments, at least 1
 * @tcp: TCP, else UDP
 * @payload: where the last one written ended
 */
struct esptun_segments {
	struct sk_buff *skb;
	unsigned int head;
	unsigned int transport;
	unsigned int size;
	unsigned int n;
	bool tcp;
	struct esptun_reader payload;
};

/**
 * esptun_segments_init - look at a packet
 * @s: to fill; valid as long as @skb
 * @skb: an IP packet starting at its IP header, which is linear, with
 *	skb->protocol set. Transport headers are made linear
 *
 * Return: false for a super-packet of a kind that only skb_gso_segment() can
 * divide. Otherwise end it with esptun_segments_end(), on the same CPU and
 * without sleep in between.
 */
bool esptun_segments_init(struct esptun_segments *s, struct sk_buff *skb);

void esptun_segments_end(struct esptun_segments *s);

/* Octets of segment @i, IP header included. */
static inline unsigned int esptun_segment_len(const struct esptun_segments *s,
					      unsigned int i)
{
	if (i + 1 < s->n)
		return s->head + s->size;
	return s->skb->len - i * s->size;
}

/**
 * esptun_segment_write - one segment with all its checksums
 * @s: result of esptun_segments_init()
 * @i: which; cheap if they are written one after the other
 * @to: esptun_segment_len() octets
 *
 * Return: false if the packet is not what its metadata claim.
 */
bool esptun_segment_write(struct esptun_segments *s, unsigned int i, u8 *to);

#endif /* ESPTUN_SEGMENT_H */

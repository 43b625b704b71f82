/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the decrypted packets of a batch to what goes up the stack: consecutive
 * segments of a TCP connection become one super-packet, as GRO would make it
 * (RFC 9293 segments, the rules of inet_gro_receive() and tcp_gro_receive()),
 * without an skb for each. Every TCP checksum is verified before.
 */
#ifndef ESPTUN_MERGE_H
#define ESPTUN_MERGE_H

#include <linux/skbuff.h>
#include <linux/types.h>

/* IPv4 or IPv6 without options, and the longest TCP header. */
#define ESPTUN_MERGE_HEAD_MAX 100u
/* In front of it, ESP header and the longest IV. */
#define ESPTUN_MERGE_FRONT_MAX 24u

/**
 * struct esptun_merge - a batch on its way up
 * @list: packets that are complete
 * @skb: the newest packet, which the next segment may extend, or NULL
 * @frag: memory that payloads are written to, one behind the other
 * @end: where the next payload of @skb is to be; NULL if not in @frag
 * @to: result of esptun_merge_room()
 * @front: octets in front of the inner packet
 * @overlap: octets at @to that belong to the packet before
 * @head: octets of headers of each of @skb's segments, 0 if none may follow
 * @size: payload of each of them
 * @count: how many they are
 * @seq: TCP sequence number of the next
 * @id: IPv4 identification of the first
 * @fixed: all have the same identification
 * @first: headers of the first, as received
 * @saved: what was at @to
 */
struct esptun_merge {
	struct sk_buff_head list;
	struct sk_buff *skb;
	struct page_frag *frag;
	u8 *end;
	u8 *to;
	unsigned int front;
	unsigned int overlap;
	unsigned int head;
	unsigned int size;
	unsigned int count;
	u32 seq;
	u16 id;
	bool fixed;
	u8 first[ESPTUN_MERGE_HEAD_MAX] __aligned(8);
	u8 saved[ESPTUN_MERGE_FRONT_MAX + ESPTUN_MERGE_HEAD_MAX];
};

/**
 * esptun_merge_init - nothing yet
 * @m: to fill
 * @frag: memory of this CPU; bottom halves stay off until
 *	esptun_merge_finish()
 * @front: octets of ESP header and IV
 */
void esptun_merge_init(struct esptun_merge *m, struct page_frag *frag,
		       unsigned int front);

/**
 * esptun_merge_room - where to put the next ESP packet
 * @m: the batch
 * @len: its octets
 *
 * To be followed by esptun_merge_take() or esptun_merge_skip(). In front of the
 * result are ESPTUN_AEAD_HEADROOM octets that nobody else reads.
 *
 * Return: NULL without memory.
 */
u8 *esptun_merge_room(struct esptun_merge *m, unsigned int len);

/**
 * esptun_merge_take - the packet was opened where it lay
 * @m: the batch
 * @len: octets of the inner packet, as its header says
 * @ip4: IPv4, else IPv6
 *
 * Return: 0 or -ENOMEM, then the packet is lost.
 */
int esptun_merge_take(struct esptun_merge *m, unsigned int len, bool ip4);

/* The packet is not to be used. */
void esptun_merge_skip(struct esptun_merge *m);

/* No more packets: all are complete, in @m->list. */
void esptun_merge_finish(struct esptun_merge *m);

#endif /* ESPTUN_MERGE_H */

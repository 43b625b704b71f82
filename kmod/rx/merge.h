/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the decrypted packets of a batch to what goes up the stack: consecutive
 * segments of a TCP connection become one super-packet, as GRO would make it
 * (RFC 9293 segments, the rules of inet_gro_receive() and tcp_gro_receive()),
 * without an skb for each. Every TCP checksum is verified before.
 */
#ifndef ESPTUN_MERGE_H
#define ESPTUN_MERGE_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/types.h>

/* IPv4 or IPv6 without options, and the longest TCP header. */
#define ESPTUN_MERGE_HEAD_MAX 100u

/**
 * struct esptun_merge - a batch on its way up
 * @list: packets that are complete
 * @skb: the newest packet, which the next segment may extend, or NULL
 * @head: octets of headers of each of @skb's segments, 0 if none may follow
 * @size: payload of each of them
 * @count: how many they are
 * @seq: TCP sequence number of the next
 * @id: IPv4 identification of the first
 * @fixed: all have the same identification
 * @join: the device has GRO on
 */
struct esptun_merge {
	struct sk_buff_head list;
	struct sk_buff *skb;
	unsigned int head;
	unsigned int size;
	unsigned int count;
	u32 seq;
	u16 id;
	bool fixed;
	bool join;
};

/**
 * esptun_merge_init - nothing yet
 * @m: to fill; between esptun_pages_begin() and esptun_pages_end()
 * @dev: the device the packets will come from: joins nothing if its GRO is off
 */
void esptun_merge_init(struct esptun_merge *m, const struct net_device *dev);

/**
 * esptun_merge_add - the next packet of the batch
 * @m: the batch
 * @data: an IP packet, aligned to 4 octets; copied
 * @len: its octets, as its header says
 * @ip4: IPv4, else IPv6
 *
 * Return: 0 or -ENOMEM, then the packet is lost.
 */
int esptun_merge_add(struct esptun_merge *m, const u8 *data, unsigned int len,
		     bool ip4);

/* No more packets: all are complete, in @m->list. */
void esptun_merge_finish(struct esptun_merge *m);

#endif /* ESPTUN_MERGE_H */

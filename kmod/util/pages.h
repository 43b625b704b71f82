/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory of our own that packets are made in. Each is built, encrypted or
 * decrypted in a buffer of the CPU, where it lies in one piece of physical
 * memory and nobody else looks, then put behind the last one of its batch.
 */
#ifndef ESPTUN_PAGES_H
#define ESPTUN_PAGES_H

#include <linux/skbuff.h>
#include <linux/types.h>
#include "limits.h"

/**
 * esptun_pages_begin - use this CPU's memory
 *
 * Bottom halves off. On PREEMPT_RT they do not keep other tasks from this CPU's
 * memory, a local lock does, until esptun_pages_end(); nothing in between may
 * enter the network stack.
 *
 * Return: the CPU's buffer, ESPTUN_WORK_LEN octets, aligned for anything.
 */
u8 *esptun_pages_begin(void);

void esptun_pages_end(void);

/**
 * esptun_pages_room - get memory for the end of a packet
 * @skb: a packet that nobody else knows
 * @len: octets
 *
 * After esptun_pages_begin(). Return: false if there is none, or @skb is full.
 */
bool esptun_pages_room(struct sk_buff *skb, unsigned int len);

/**
 * esptun_pages_add - put octets behind a packet
 * @skb: the packet; esptun_pages_room() said there is room just before
 * @from: the octets
 * @len: how many
 */
void esptun_pages_add(struct sk_buff *skb, const void *from, unsigned int len);

/* Once per module. Return: 0 or -ENOMEM. Process context. */
int esptun_pages_module_init(void);
void esptun_pages_module_exit(void);

#endif /* ESPTUN_PAGES_H */

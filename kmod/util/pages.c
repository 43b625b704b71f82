// SPDX-License-Identifier: GPL-2.0
/*
 * A CPU's pages go round: when one is full, the next is used, again if its
 * packets are gone by then. Else it is left to them and a new one taken, which
 * the kernel has to find and, usually, to clear.
 */
#include <linux/local_lock.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include "util/pages.h"

#define RING 8u

struct pages {
	local_lock_t lock;
	u8 *work;
	unsigned int at; /* in @ring: the one in use */
	struct page_frag ring[RING];
};

static struct pages __percpu *pages;

u8 *esptun_pages_begin(void)
{
	local_lock_nested_bh(&pages->lock);
	return this_cpu_read(pages->work);
}

void esptun_pages_end(void)
{
	local_unlock_nested_bh(&pages->lock);
}

bool esptun_pages_room(struct sk_buff *skb, unsigned int len)
{
	struct pages *p = this_cpu_ptr(pages);
	struct page_frag *frag = &p->ring[p->at];
	unsigned int n = skb_shinfo(skb)->nr_frags;

	if (n && skb_can_coalesce(skb, n, frag->page, frag->offset) &&
	    frag->offset + len <= frag->size)
		return true;
	if (frag->page && frag->offset + len > frag->size &&
	    page_ref_count(frag->page) > 1) {
		p->at = (p->at + 1) % RING;
		frag = &p->ring[p->at];
	}
	/* Neither too small for ever, nor the kernel's last reserve. */
	if (frag->page &&
	    (len > frag->size || page_is_pfmemalloc(frag->page))) {
		put_page(frag->page);
		frag->page = NULL;
	}
	/* Begins anew if nobody uses them. New ones may be smaller than asked. */
	if (!skb_page_frag_refill(len, frag, GFP_ATOMIC) ||
	    frag->offset + len > frag->size)
		return false;
	return n < MAX_SKB_FRAGS ||
	       skb_can_coalesce(skb, n, frag->page, frag->offset);
}

void esptun_pages_add(struct sk_buff *skb, const void *from, unsigned int len)
{
	struct pages *p = this_cpu_ptr(pages);
	struct page_frag *frag = &p->ring[p->at];
	unsigned int n = skb_shinfo(skb)->nr_frags;

	memcpy(page_address(frag->page) + frag->offset, from, len);
	if (skb_can_coalesce(skb, n, frag->page, frag->offset)) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[n - 1], len);
	} else {
		skb_fill_page_desc(skb, n, frag->page, frag->offset, len);
		get_page(frag->page);
	}
	frag->offset += len;
	skb->len += len;
	skb->data_len += len;
	skb->truesize += len;
}

int esptun_pages_module_init(void)
{
	int cpu;

	pages = alloc_percpu(struct pages);
	if (!pages)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		u8 *work = kmalloc_node(ESPTUN_WORK_LEN, GFP_KERNEL,
					cpu_to_node(cpu));

		if (!work) {
			esptun_pages_module_exit();
			return -ENOMEM;
		}
		local_lock_init(&per_cpu_ptr(pages, cpu)->lock);
		per_cpu_ptr(pages, cpu)->work = work;
	}
	return 0;
}

void esptun_pages_module_exit(void)
{
	unsigned int i;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct pages *p = per_cpu_ptr(pages, cpu);

		for (i = 0; i < RING; i++)
			if (p->ring[i].page)
				put_page(p->ring[i].page);
		kfree_sensitive(p->work);
	}
	free_percpu(pages);
}

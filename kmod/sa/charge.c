// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/net.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include "sa/charge.h"

/*
 * Whose packets they are: an unconnected UDP socket that nothing is sent from.
 * sch_fq tells packets of such sockets apart by their flow hash, and unlike
 * packets of no socket does not orphan them. One for all namespaces, so that
 * no packet outlives its socket or its socket's namespace.
 */
static struct socket *owner;

/* Outer packets that keep an inner one; one CPU may count up, another down. */
static DEFINE_PER_CPU(int, kept);

static void free_kept(struct sk_buff *out)
{
	struct sk_buff *in = skb_shinfo(out)->destructor_arg;

	consume_skb(in);
	this_cpu_dec(kept);
}

void esptun_charge_keep(struct sk_buff *out, struct sk_buff *in)
{
	/* It must not hold devices or connections longer than its way needs. */
	skb_dst_drop(in);
	nf_reset_ct(in);
	skb_ext_reset(in);
	skb_shinfo(out)->destructor_arg = in;
	out->sk = owner->sk;
	out->destructor = free_kept;
	this_cpu_inc(kept);
}

int esptun_charge_module_init(void)
{
	return sock_create_kern(&init_net, PF_INET, SOCK_DGRAM, IPPROTO_UDP,
				&owner);
}

static bool any_kept(void)
{
	int cpu, sum = 0;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(kept, cpu));
	return sum;
}

/*
 * When no links are left: what they sent is in queues of other devices, which
 * send it or drop it.
 */
void esptun_charge_module_exit(void)
{
	unsigned int i;

	for (i = 0; any_kept(); i++) {
		if (i == 100)
			pr_info(KBUILD_MODNAME
				": unloading waits for packets in the queues of other devices\n");
		msleep(20);
	}
	/* The last free_kept() has counted, but may not have returned. */
	synchronize_rcu_tasks();
	synchronize_rcu();
	sock_release(owner);
}

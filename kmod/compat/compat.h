/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Forced into every file of the module, which is written for the newest kernel
 * interfaces. Where probe.sh found that this kernel lacks one (no HAVE_...),
 * the older form is dressed up as the newer here, and nowhere else.
 */
#ifndef _ESPTUN_COMPAT_H
#define _ESPTUN_COMPAT_H

#include <linux/build_bug.h>
#include <linux/kconfig.h>
#include <linux/netdevice.h>
#include <linux/srcu.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>
#include <net/rtnetlink.h>
#include <net/udp_tunnel.h>

#if !IS_ENABLED(CONFIG_INET)
#error "esptun needs a kernel with CONFIG_INET"
#endif
#if !IS_ENABLED(CONFIG_NETFILTER)
#error "esptun needs a kernel with CONFIG_NETFILTER"
#endif
#if !IS_ENABLED(CONFIG_NET_UDP_TUNNEL)
#error "esptun needs a kernel with CONFIG_NET_UDP_TUNNEL (as WireGuard and VXLAN do)"
#endif
#if !IS_ENABLED(CONFIG_DST_CACHE)
#error "esptun needs a kernel with CONFIG_DST_CACHE (as WireGuard and VXLAN do)"
#endif
#if !IS_ENABLED(CONFIG_CRYPTO_AEAD2)
#error "esptun needs a kernel with CONFIG_CRYPTO_AEAD"
#endif

/* ---- language ---------------------------------------------------------- */

#ifdef HAVE_LINUX_UNALIGNED_H
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

#ifdef HAVE_NET_GSO_H
#include <net/gso.h>
#endif

/* ---- cryptography ------------------------------------------------------ */

#if !IS_ENABLED(CONFIG_CRYPTO_LIB_CHACHA_GENERIC) && \
	!IS_ENABLED(CONFIG_CRYPTO_LIB_CHACHA)
#error "esptun needs a kernel with CONFIG_CRYPTO_LIB_CHACHA (as WireGuard does)"
#endif
#if !IS_ENABLED(CONFIG_CRYPTO_LIB_POLY1305_GENERIC) && \
	!IS_ENABLED(CONFIG_CRYPTO_LIB_POLY1305)
#error "esptun needs a kernel with CONFIG_CRYPTO_LIB_POLY1305 (as WireGuard does)"
#endif

#ifndef HAVE_CHACHA_STATE
#include <crypto/chacha.h>

struct chacha_state {
	u32 x[CHACHA_STATE_WORDS];
};

#define chacha_init(state, key, iv) chacha_init((state)->x, key, iv)
#define chacha20_crypt(state, dst, src, bytes) \
	chacha20_crypt((state)->x, dst, src, bytes)
#endif

/* ---- locks ------------------------------------------------------------- */

#include <linux/local_lock.h>

/* Without it, bottom halves off are a lock of the CPU, also with PREEMPT_RT. */
#ifndef local_lock_nested_bh
#define local_lock_nested_bh(lock) ((void)(lock))
#define local_unlock_nested_bh(lock) ((void)(lock))
#endif

/* ---- timers ------------------------------------------------------------ */

#ifndef timer_container_of
#define timer_container_of(var, callback_timer, timer_fieldname) \
	container_of(callback_timer, typeof(*(var)), timer_fieldname)
#endif

/* Our timers are never rearmed once their object is marked dead. */
#ifndef HAVE_TIMER_SHUTDOWN_SYNC
#define timer_shutdown_sync(timer) del_timer_sync(timer)
#endif

/* ---- RCU --------------------------------------------------------------- */

/* A read side that ends in another context; sparse has no notion of it. */
#ifndef HAVE_SRCU_DOWN_READ
static inline int srcu_down_read(struct srcu_struct *srcu)
{
	int index = __srcu_read_lock(srcu);

	__release(srcu);
	return index;
}

static inline void srcu_up_read(struct srcu_struct *srcu, int index)
{
	__acquire(srcu);
	__srcu_read_unlock(srcu, index);
}
#endif

/* ---- work queues ------------------------------------------------------- */

/* Of each CPU, where not WQ_UNBOUND. */
#ifndef HAVE_WQ_PERCPU
#define WQ_PERCPU 0
#endif

/* ---- devices ----------------------------------------------------------- */

/*
 * rtnl_link_ops.newlink: write "int fn(dev, params, extack)", then
 * COMPAT_NEWLINK(fn); at file scope and .newlink = compat_newlink(fn).
 */
#ifdef HAVE_RTNL_NEWLINK_PARAMS
#define COMPAT_NEWLINK(fn) static_assert(true)
#define compat_newlink(fn) fn
#else
struct rtnl_newlink_params {
	struct net *src_net;
	struct net *link_net;
	struct nlattr **tb;
	struct nlattr **data;
};

static inline struct net *rtnl_newlink_link_net(struct rtnl_newlink_params *p)
{
	return p->link_net ?: p->src_net;
}

#define COMPAT_NEWLINK(fn)                                                  \
	static int fn##_compat(struct net *src_net, struct net_device *dev, \
			       struct nlattr *tb[], struct nlattr *data[],  \
			       struct netlink_ext_ack *extack)              \
	{                                                                   \
		struct rtnl_newlink_params params = {                       \
			.src_net = src_net,                                 \
			.tb = tb,                                           \
			.data = data,                                       \
		};                                                          \
		return fn(dev, &params, extack);                            \
	}                                                                   \
	static_assert(true)
#define compat_newlink(fn) fn##_compat
#endif

/* The device locks its own transmit path. */
static inline void compat_netdev_set_lltx(struct net_device *dev)
{
#ifdef HAVE_NETDEV_LLTX
	dev->lltx = true;
#else
	dev->features |= NETIF_F_LLTX;
#endif
}

/* ---- generic netlink --------------------------------------------------- */

#ifndef HAVE_GENL_SPLIT_OPS
#define genl_split_ops genl_ops
#endif

/*
 * The text of a refusal outlives the function, so without room in the extack
 * it is kept at the call site: two refusals at the same instant may read each
 * other's words, never anything else.
 */
#ifndef NL_SET_ERR_MSG_FMT
#define NL_SET_ERR_MSG_FMT(extack, fmt, args...)                \
	do {                                                    \
		static char __text[80];                         \
		struct netlink_ext_ack *__to = (extack);        \
		scnprintf(__text, sizeof(__text), fmt, ##args); \
		if (__to)                                       \
			__to->_msg = __text;                    \
	} while (0)
#endif

/* A text that is no literal; it outlives the request. */
static inline void compat_nl_set_err_text(struct netlink_ext_ack *extack,
					  const char *text)
{
	if (extack)
		extack->_msg = text;
}

/* Joining a multicast group may ask for CAP_NET_ADMIN. */
#ifdef GENL_MCAST_CAP_NET_ADMIN
#define COMPAT_MCAST_NET_ADMIN .flags = GENL_MCAST_CAP_NET_ADMIN,
#else
#define COMPAT_MCAST_NET_ADMIN
#endif

/* Only ->attrs of the result may be used. */
#ifndef HAVE_GENL_INFO_DUMP
#define genl_info_dump(cb) genl_dumpit_info(cb)
#endif

/* ---- UDP tunnels ------------------------------------------------------- */

#ifndef HAVE_SETUP_UDP_TUNNEL_SOCK_SK
#define setup_udp_tunnel_sock(net, sk, cfg) \
	setup_udp_tunnel_sock(net, (sk)->sk_socket, cfg)
#endif

/* May or may not wait for readers: the caller does, where it matters. */
#ifndef HAVE_UDP_TUNNEL_SOCK_RELEASE_SK
#define udp_tunnel_sock_release(sk) udp_tunnel_sock_release((sk)->sk_socket)
#endif

#ifndef HAVE_UDP4_LIB_LOOKUP_NO_TABLE
#include <net/udp.h>
#ifdef HAVE_NET_UDP_TABLE
#define compat_udp_table(net) ((net)->ipv4.udp_table)
#else
#define compat_udp_table(net) (&udp_table)
#endif
#define __udp4_lib_lookup(net, saddr, sport, daddr, dport, dif, sdif, skb) \
	__udp4_lib_lookup(net, saddr, sport, daddr, dport, dif, sdif,      \
			  compat_udp_table(net), skb)
#define __udp6_lib_lookup(net, saddr, sport, daddr, dport, dif, sdif, skb) \
	__udp6_lib_lookup(net, saddr, sport, daddr, dport, dif, sdif,      \
			  compat_udp_table(net), skb)
#endif

#endif /* _ESPTUN_COMPAT_H */

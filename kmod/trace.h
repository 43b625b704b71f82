/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One event whenever packets are dropped: with what counter they raised, on
 * which SA. /sys/kernel/tracing/events/esptun/esptun_drop
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM esptun

#if !defined(ESPTUN_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define ESPTUN_TRACE_H

#include <linux/netdevice.h>
#include <linux/tracepoint.h>
#include <linux/esptun.h>

/* clang-format off */
/* dev is NULL and spi 0 for what belongs to no link or no SA. */
TRACE_EVENT(esptun_drop,
	TP_PROTO(const struct net_device *dev, __be32 spi, unsigned int reason,
		 unsigned int packets),
	TP_ARGS(dev, spi, reason, packets),
	TP_STRUCT__entry(
		__array(char, dev, IFNAMSIZ)
		__field(u32, spi)
		__field(unsigned int, reason)
		__field(unsigned int, packets)
	),
	TP_fast_assign(
		strscpy(__entry->dev, dev ? dev->name : "-", IFNAMSIZ);
		__entry->spi = be32_to_cpu(spi);
		__entry->reason = reason;
		__entry->packets = packets;
	),
	TP_printk("dev=%s spi=0x%08x reason=%s packets=%u", __entry->dev,
		  __entry->spi,
		  __print_symbolic(__entry->reason,
			{ ESPTUN_STATS_A_RX_DUMMY, "rx-dummy" },
			{ ESPTUN_STATS_A_RX_IKE_NO_AGENT, "rx-ike-no-agent" },
			{ ESPTUN_STATS_A_RX_IKE_LIMITED, "rx-ike-limited" },
			{ ESPTUN_STATS_A_RX_TRUNCATED, "rx-truncated" },
			{ ESPTUN_STATS_A_RX_NO_SA, "rx-no-sa" },
			{ ESPTUN_STATS_A_RX_REPLAY, "rx-replay" },
			{ ESPTUN_STATS_A_RX_AUTH, "rx-auth" },
			{ ESPTUN_STATS_A_RX_PADDING, "rx-padding" },
			{ ESPTUN_STATS_A_RX_NEXT_HEADER, "rx-next-header" },
			{ ESPTUN_STATS_A_RX_INNER, "rx-inner" },
			{ ESPTUN_STATS_A_RX_ECN, "rx-ecn" },
			{ ESPTUN_STATS_A_RX_TS, "rx-ts" },
			{ ESPTUN_STATS_A_RX_EXPIRED, "rx-expired" },
			{ ESPTUN_STATS_A_RX_LINK_DOWN, "rx-link-down" },
			{ ESPTUN_STATS_A_RX_NOMEM, "rx-nomem" },
			{ ESPTUN_STATS_A_TX_NO_SA, "tx-no-sa" },
			{ ESPTUN_STATS_A_TX_HELD, "tx-held" },
			{ ESPTUN_STATS_A_TX_MALFORMED, "tx-malformed" },
			{ ESPTUN_STATS_A_TX_TOO_BIG, "tx-too-big" },
			{ ESPTUN_STATS_A_TX_NO_ROUTE, "tx-no-route" },
			{ ESPTUN_STATS_A_TX_LOOP, "tx-loop" },
			{ ESPTUN_STATS_A_TX_EXPIRED, "tx-expired" },
			{ ESPTUN_STATS_A_TX_SEQUENCE, "tx-sequence" },
			{ ESPTUN_STATS_A_TX_CRYPTO, "tx-crypto" },
			{ ESPTUN_STATS_A_TX_NOMEM, "tx-nomem" },
			{ ESPTUN_STATS_A_RX_OVERFLOW, "rx-overflow" },
			{ ESPTUN_STATS_A_TX_OVERFLOW, "tx-overflow" },
			{ ESPTUN_STATS_A_RX_IKE_TOO_LONG, "rx-ike-too-long" },
			{ ESPTUN_STATS_A_RX_TS_FRAGMENT, "rx-ts-fragment" },
			{ ESPTUN_STATS_A_TX_TS_FRAGMENT, "tx-ts-fragment" },
			{ ESPTUN_STATS_A_RX_LARVAL, "rx-larval" }),
		  __entry->packets)
);
/* clang-format on */

#endif /* ESPTUN_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>

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
#include "stats-gen.h"

/* clang-format off */
ESPTUN_COUNTER_NUMBERS;

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
		  __print_symbolic(__entry->reason, ESPTUN_COUNTER_SYMBOLS),
		  __entry->packets)
);
/* clang-format on */

#endif /* ESPTUN_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>

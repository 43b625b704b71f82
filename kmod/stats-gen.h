/* SPDX-License-Identifier: GPL-2.0 */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/esptun.yaml */

/* Most of them that one SA has. */
#define ESPTUN_SA_COUNTERS 15

/* Of struct esptun_counter. */
#define ESPTUN_COUNTER_ROWS \
	[ESPTUN_STATS_A_RX_KEEPALIVE] = { "rx-keepalive", false, ESPTUN_WAY_RX, 0 }, \
	[ESPTUN_STATS_A_RX_IKE] = { "rx-ike", false, ESPTUN_WAY_RX, 0 }, \
	[ESPTUN_STATS_A_RX_DUMMY] = { "rx-dummy", false, ESPTUN_WAY_RX, 1 }, \
	[ESPTUN_STATS_A_RX_IKE_NO_AGENT] = { "rx-ike-no-agent", true, ESPTUN_WAY_RX, 0 }, \
	[ESPTUN_STATS_A_RX_IKE_LIMITED] = { "rx-ike-limited", true, ESPTUN_WAY_RX, 0 }, \
	[ESPTUN_STATS_A_RX_TRUNCATED] = { "rx-truncated", true, ESPTUN_WAY_RX, 2 }, \
	[ESPTUN_STATS_A_RX_NO_SA] = { "rx-no-sa", true, ESPTUN_WAY_RX, 0 }, \
	[ESPTUN_STATS_A_RX_REPLAY] = { "rx-replay", true, ESPTUN_WAY_RX, 3 }, \
	[ESPTUN_STATS_A_RX_AUTH] = { "rx-auth", true, ESPTUN_WAY_RX, 4 }, \
	[ESPTUN_STATS_A_RX_PADDING] = { "rx-padding", true, ESPTUN_WAY_RX, 5 }, \
	[ESPTUN_STATS_A_RX_NEXT_HEADER] = { "rx-next-header", true, ESPTUN_WAY_RX, 6 }, \
	[ESPTUN_STATS_A_RX_INNER] = { "rx-inner", true, ESPTUN_WAY_RX, 7 }, \
	[ESPTUN_STATS_A_RX_ECN] = { "rx-ecn", true, ESPTUN_WAY_RX, 8 }, \
	[ESPTUN_STATS_A_RX_TS] = { "rx-ts", true, ESPTUN_WAY_RX, 9 }, \
	[ESPTUN_STATS_A_RX_EXPIRED] = { "rx-expired", true, ESPTUN_WAY_RX, 10 }, \
	[ESPTUN_STATS_A_RX_LINK_DOWN] = { "rx-link-down", true, ESPTUN_WAY_RX, 11 }, \
	[ESPTUN_STATS_A_RX_NOMEM] = { "rx-nomem", true, ESPTUN_WAY_RX, 12 }, \
	[ESPTUN_STATS_A_TX_NO_SA] = { "tx-no-sa", true, ESPTUN_WAY_TX, 0 }, \
	[ESPTUN_STATS_A_TX_HELD] = { "tx-held", true, ESPTUN_WAY_TX, 0 }, \
	[ESPTUN_STATS_A_TX_MALFORMED] = { "tx-malformed", true, ESPTUN_WAY_TX, 0 }, \
	[ESPTUN_STATS_A_TX_TOO_BIG] = { "tx-too-big", true, ESPTUN_WAY_TX, 1 }, \
	[ESPTUN_STATS_A_TX_NO_ROUTE] = { "tx-no-route", true, ESPTUN_WAY_TX, 2 }, \
	[ESPTUN_STATS_A_TX_LOOP] = { "tx-loop", true, ESPTUN_WAY_TX, 3 }, \
	[ESPTUN_STATS_A_TX_EXPIRED] = { "tx-expired", true, ESPTUN_WAY_TX, 4 }, \
	[ESPTUN_STATS_A_TX_SEQUENCE] = { "tx-sequence", true, ESPTUN_WAY_TX, 5 }, \
	[ESPTUN_STATS_A_TX_CRYPTO] = { "tx-crypto", true, ESPTUN_WAY_TX, 6 }, \
	[ESPTUN_STATS_A_TX_NOMEM] = { "tx-nomem", true, ESPTUN_WAY_TX, 7 }, \
	[ESPTUN_STATS_A_RX_OVERFLOW] = { "rx-overflow", true, ESPTUN_WAY_RX, 13 }, \
	[ESPTUN_STATS_A_TX_OVERFLOW] = { "tx-overflow", true, ESPTUN_WAY_TX, 8 }, \
	[ESPTUN_STATS_A_ROAM_REFUSED] = { "roam-refused", false, ESPTUN_WAY_NONE, 0 }, \
	[ESPTUN_STATS_A_RX_IKE_TOO_LONG] = { "rx-ike-too-long", true, ESPTUN_WAY_RX, 0 }, \
	[ESPTUN_STATS_A_RX_TS_FRAGMENT] = { "rx-ts-fragment", true, ESPTUN_WAY_RX, 14 }, \
	[ESPTUN_STATS_A_TX_TS_FRAGMENT] = { "tx-ts-fragment", true, ESPTUN_WAY_TX, 9 }, \
	[ESPTUN_STATS_A_RX_LARVAL] = { "rx-larval", true, ESPTUN_WAY_RX, 15 }

/* For the tracepoint's text, and for programs that read its numbers. */
#define ESPTUN_COUNTER_SYMBOLS \
	{ ESPTUN_STATS_A_RX_KEEPALIVE, "rx-keepalive" }, \
	{ ESPTUN_STATS_A_RX_IKE, "rx-ike" }, \
	{ ESPTUN_STATS_A_RX_DUMMY, "rx-dummy" }, \
	{ ESPTUN_STATS_A_RX_IKE_NO_AGENT, "rx-ike-no-agent" }, \
	{ ESPTUN_STATS_A_RX_IKE_LIMITED, "rx-ike-limited" }, \
	{ ESPTUN_STATS_A_RX_TRUNCATED, "rx-truncated" }, \
	{ ESPTUN_STATS_A_RX_NO_SA, "rx-no-sa" }, \
	{ ESPTUN_STATS_A_RX_REPLAY, "rx-replay" }, \
	{ ESPTUN_STATS_A_RX_AUTH, "rx-auth" }, \
	{ ESPTUN_STATS_A_RX_PADDING, "rx-padding" }, \
	{ ESPTUN_STATS_A_RX_NEXT_HEADER, "rx-next-header" }, \
	{ ESPTUN_STATS_A_RX_INNER, "rx-inner" }, \
	{ ESPTUN_STATS_A_RX_ECN, "rx-ecn" }, \
	{ ESPTUN_STATS_A_RX_TS, "rx-ts" }, \
	{ ESPTUN_STATS_A_RX_EXPIRED, "rx-expired" }, \
	{ ESPTUN_STATS_A_RX_LINK_DOWN, "rx-link-down" }, \
	{ ESPTUN_STATS_A_RX_NOMEM, "rx-nomem" }, \
	{ ESPTUN_STATS_A_TX_NO_SA, "tx-no-sa" }, \
	{ ESPTUN_STATS_A_TX_HELD, "tx-held" }, \
	{ ESPTUN_STATS_A_TX_MALFORMED, "tx-malformed" }, \
	{ ESPTUN_STATS_A_TX_TOO_BIG, "tx-too-big" }, \
	{ ESPTUN_STATS_A_TX_NO_ROUTE, "tx-no-route" }, \
	{ ESPTUN_STATS_A_TX_LOOP, "tx-loop" }, \
	{ ESPTUN_STATS_A_TX_EXPIRED, "tx-expired" }, \
	{ ESPTUN_STATS_A_TX_SEQUENCE, "tx-sequence" }, \
	{ ESPTUN_STATS_A_TX_CRYPTO, "tx-crypto" }, \
	{ ESPTUN_STATS_A_TX_NOMEM, "tx-nomem" }, \
	{ ESPTUN_STATS_A_RX_OVERFLOW, "rx-overflow" }, \
	{ ESPTUN_STATS_A_TX_OVERFLOW, "tx-overflow" }, \
	{ ESPTUN_STATS_A_ROAM_REFUSED, "roam-refused" }, \
	{ ESPTUN_STATS_A_RX_IKE_TOO_LONG, "rx-ike-too-long" }, \
	{ ESPTUN_STATS_A_RX_TS_FRAGMENT, "rx-ts-fragment" }, \
	{ ESPTUN_STATS_A_TX_TS_FRAGMENT, "tx-ts-fragment" }, \
	{ ESPTUN_STATS_A_RX_LARVAL, "rx-larval" }

#define ESPTUN_COUNTER_NUMBERS \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_RX_KEEPALIVE); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_RX_IKE); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_RX_DUMMY); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_RX_IKE_NO_AGENT); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_RX_IKE_LIMITED); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_RX_TRUNCATED); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_RX_NO_SA); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_RX_REPLAY); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_RX_AUTH); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_RX_PADDING); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_RX_NEXT_HEADER); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_RX_INNER); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_RX_ECN); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_RX_TS); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_RX_EXPIRED); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_RX_LINK_DOWN); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_RX_NOMEM); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_TX_NO_SA); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_TX_HELD); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_TX_MALFORMED); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_TX_TOO_BIG); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_TX_NO_ROUTE); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_TX_LOOP); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_TX_EXPIRED); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_TX_SEQUENCE); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_TX_CRYPTO); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_TX_NOMEM); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_RX_OVERFLOW); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_TX_OVERFLOW); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_ROAM_REFUSED); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_RX_IKE_TOO_LONG); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_RX_TS_FRAGMENT); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_TX_TS_FRAGMENT); \
	TRACE_DEFINE_ENUM(ESPTUN_STATS_A_RX_LARVAL)

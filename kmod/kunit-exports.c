// SPDX-License-Identifier: GPL-2.0
/*
 * What tests/kunit calls. Part of the module only in kernels built with KUnit,
 * so that nothing is exported where there is no test.
 */
#include <linux/export.h>
#include "alg/alg.h"
#include "alg/chachapoly.h"
#include "rx/cells.h"
#include "sa/early.h"
#include "encap/endpoint.h"
#include "esp/esp.h"
#include "encap/family.h"
#include "sa/flow.h"
#include "encap/header.h"
#include "sa/lifetime.h"
#include "esp/mode.h"
#include "tx/hold.h"
#include "tx/nest.h"
#include "util/order.h"
#include "sa/percpu.h"
#include "esp/repair.h"
#include "esp/replay.h"
#include "sa/sa.h"
#include "sa/sadb.h"
#include "tx/segment.h"
#include "sa/selector.h"

EXPORT_SYMBOL_GPL(esptun_alg_encr);
EXPORT_SYMBOL_GPL(esptun_alg_free);
EXPORT_SYMBOL_GPL(esptun_alg_init);
EXPORT_SYMBOL_GPL(esptun_alg_integ);
EXPORT_SYMBOL_GPL(esptun_alg_open);
EXPORT_SYMBOL_GPL(esptun_alg_seal);

EXPORT_SYMBOL_GPL(esptun_cells_init);
EXPORT_SYMBOL_GPL(esptun_cells_receive);
EXPORT_SYMBOL_GPL(esptun_cells_stop);
EXPORT_SYMBOL_GPL(esptun_cells_free);

EXPORT_SYMBOL_GPL(esptun_chachapoly_init);
EXPORT_SYMBOL_GPL(esptun_chachapoly_open);

EXPORT_SYMBOL_GPL(esptun_early_init);
EXPORT_SYMBOL_GPL(esptun_early_full);
EXPORT_SYMBOL_GPL(esptun_early_add);
EXPORT_SYMBOL_GPL(esptun_early_take);

EXPORT_SYMBOL_GPL(esptun_header_label);
EXPORT_SYMBOL_GPL(esptun_header_merge);
EXPORT_SYMBOL_GPL(esptun_header_tos);
EXPORT_SYMBOL_GPL(esptun_header_ttl);
EXPORT_SYMBOL_GPL(esptun_header_whole);

EXPORT_SYMBOL_GPL(esptun_addr_is_host);
EXPORT_SYMBOL_GPL(esptun_addr_hash_site);
EXPORT_SYMBOL_GPL(esptun_addr_get);
EXPORT_SYMBOL_GPL(esptun_addr_size);
EXPORT_SYMBOL_GPL(esptun_addr_put);

EXPORT_SYMBOL_GPL(esptun_esp_pad);
EXPORT_SYMBOL_GPL(esptun_esp_len);
EXPORT_SYMBOL_GPL(esptun_esp_inner_mtu);
EXPORT_SYMBOL_GPL(esptun_esp_put_trailer);
EXPORT_SYMBOL_GPL(esptun_esp_valid_len);
EXPORT_SYMBOL_GPL(esptun_esp_get_trailer);

EXPORT_SYMBOL_GPL(esptun_limits_check);
EXPORT_SYMBOL_GPL(esptun_limits_merge);
EXPORT_SYMBOL_GPL(esptun_limits_present);
EXPORT_SYMBOL_GPL(esptun_sa_used);
EXPORT_SYMBOL_GPL(esptun_sa_count);

EXPORT_SYMBOL_GPL(esptun_ip4);
EXPORT_SYMBOL_GPL(esptun_ip6);

EXPORT_SYMBOL_GPL(esptun_modes);
EXPORT_SYMBOL_GPL(esptun_mode_open);

EXPORT_SYMBOL_GPL(esptun_repair);
EXPORT_SYMBOL_GPL(esptun_repair_sum);

EXPORT_SYMBOL_GPL(esptun_nest_find);
EXPORT_SYMBOL_GPL(esptun_nest_enter);
EXPORT_SYMBOL_GPL(esptun_nest_leave);

EXPORT_SYMBOL_GPL(esptun_order_init);
EXPORT_SYMBOL_GPL(esptun_order_reserve);
EXPORT_SYMBOL_GPL(esptun_order_complete);
EXPORT_SYMBOL_GPL(esptun_order_wait);

EXPORT_SYMBOL_GPL(esptun_hold_init);
EXPORT_SYMBOL_GPL(esptun_hold_ask_cpu);

EXPORT_SYMBOL_GPL(esptun_percpu_add);
EXPORT_SYMBOL_GPL(esptun_percpu_del);
EXPORT_SYMBOL_GPL(esptun_percpu_find);
EXPORT_SYMBOL_GPL(esptun_percpu_due);
EXPORT_SYMBOL_GPL(esptun_percpu_asked);
EXPORT_SYMBOL_GPL(esptun_percpu_flush);

EXPORT_SYMBOL_GPL(esptun_replay_words);
EXPORT_SYMBOL_GPL(esptun_replay_init);
EXPORT_SYMBOL_GPL(esptun_replay_infer);
EXPORT_SYMBOL_GPL(esptun_replay_check);
EXPORT_SYMBOL_GPL(esptun_replay_commit);

EXPORT_SYMBOL_GPL(esptun_sadb_net_init);
EXPORT_SYMBOL_GPL(esptun_sadb_net_exit);
EXPORT_SYMBOL_GPL(esptun_sadb_in_find);
EXPORT_SYMBOL_GPL(esptun_sadb_in_add);
EXPORT_SYMBOL_GPL(esptun_sadb_in_replace);
EXPORT_SYMBOL_GPL(esptun_sadb_in_del);
EXPORT_SYMBOL_GPL(esptun_sadb_key_add);
EXPORT_SYMBOL_GPL(esptun_sadb_key_del);
EXPORT_SYMBOL_GPL(esptun_sadb_sent_find);
EXPORT_SYMBOL_GPL(esptun_sadb_out_init);
EXPORT_SYMBOL_GPL(esptun_sadb_out_exit);
EXPORT_SYMBOL_GPL(esptun_sadb_out_add);
EXPORT_SYMBOL_GPL(esptun_sadb_out_del);
EXPORT_SYMBOL_GPL(esptun_sadb_out_find);

EXPORT_SYMBOL_GPL(esptun_segments_init);
EXPORT_SYMBOL_GPL(esptun_segment_write);

EXPORT_SYMBOL_GPL(esptun_ts_check);
EXPORT_SYMBOL_GPL(esptun_ts_match);
EXPORT_SYMBOL_GPL(esptun_flow_parse);

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Traffic selectors as text, for configuration, logs and commands. Pure. */
#ifndef ESPTUN_IKE_TS_TEXT_H
#define ESPTUN_IKE_TS_TEXT_H

#include "ike/proto/ikev2.h"

/* "10.1.0.0/16", "10.1.0.5-10.1.0.9", with ":udp:53", ":tcp:80-90"; "any" is 0.0.0.0/0 and ::/0 (two). */
char *ike_ts_print(char *buf, size_t size, const struct ike_ts *ts);
char *ike_ts_list_print(char *buf, size_t size, struct ike_ts_offer o);
/* Appends to @l; 0, or -1 with what was expected in @err. */
int ike_ts_from_text(const char *text, struct ike_ts_list *l, char *err, size_t err_size);

#endif

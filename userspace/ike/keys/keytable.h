/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debugging aid: the secrets of every SA, as Wireshark's tables ikev2_decryption_table
 * and esp_sa. With their folder as WIRESHARK_CONFIG_DIR, Wireshark and tshark decrypt
 * a capture. Whoever has them reads the traffic: off unless --debug-keys is given.
 */
#ifndef ESPTUN_IKE_KEYTABLE_H
#define ESPTUN_IKE_KEYTABLE_H

#include "ike/core/core.h"

struct keytable;

/*
 * Make @dir (mode 0700) and in it the tables (mode 0600), to which lines are appended.
 * NULL with the cause in errno; EPERM if a table can be read by others, belongs to
 * another user or has a second name.
 */
struct keytable *keytable_open(const char *dir);
void keytable_close(struct keytable *t); /* NULL is fine */

/* Append the SA's line or lines. Algorithms that Wireshark 4.0 cannot decrypt are left out. */
void keytable_add(struct keytable *t, const struct ike_keylog *k);

#endif

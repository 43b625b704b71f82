/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of numbers in the protocol. A file that prints many kinds of things gets all of proto's
 * texts with this header. Pure; no function allocates. The text of every "print" function
 * is truncated to fit and always terminated; each returns @buf so that it can stand in an
 * argument list.
 */
#ifndef ESPTUN_IKE_NAMES_H
#define ESPTUN_IKE_NAMES_H

#include "ike/proto/addr.h"
#include "ike/proto/id.h"
#include "ike/proto/ikev2.h"
#include "ike/proto/proposal_text.h"
#include "ike/proto/text.h"
#include "ike/proto/transform.h"
#include "ike/proto/ts_text.h"

const char *ike_exchange_name(uint8_t exchange);
const char *ike_payload_name(uint8_t type);
const char *ike_notify_name(uint16_t type); /* NULL for those without a name */
const char *ike_transform_type_name(uint8_t type);

/* "a1b2c3d4e5f60718_i 1122334455667788_r", the form of every log line. */
char *ike_spis_print(char *buf, size_t size, const uint8_t spi_i[IKE_SPI_LEN],
		     const uint8_t spi_r[IKE_SPI_LEN]);

#endif

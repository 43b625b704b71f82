// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names of numbers in the protocol.
 */
#include "ike/proto/names.h"
#include "ike/proto/text.h"

struct name {
	uint16_t number;
	const char *text;
};

#define FIND(table, number) name_find(table, sizeof(table) / sizeof((table)[0]), number)

static const char *name_find(const struct name *table, size_t n, uint16_t number)
{
	for (size_t i = 0; i < n; i++)
		if (table[i].number == number)
			return table[i].text;
	return NULL;
}

static const struct name exchanges[] = {
#define EXCHANGE(enumerator, number, name) { number, name },
#include "ike/proto/exchange.def"
#undef EXCHANGE
};

static const struct name payloads[] = {
#define PAYLOAD(name, number, notation) { number, notation },
#include "ike/proto/payload.def"
#undef PAYLOAD
};

static const struct name notifies[] = {
#define NOTIFY(name, number, rfc) { number, #name },
#include "ike/proto/notify.def"
#undef NOTIFY
};

const char *ike_exchange_name(uint8_t exchange)
{
	const char *name = FIND(exchanges, exchange);

	return name ? name : "unknown exchange";
}

const char *ike_payload_name(uint8_t type)
{
	const char *name = FIND(payloads, type);

	return name ? name : "unknown payload";
}

const char *ike_notify_name(uint16_t type)
{
	return FIND(notifies, type);
}

const char *ike_transform_type_name(uint8_t type)
{
	const struct ike_type *t = ike_type_of(type);

	return t ? t->title : "transform of unknown type";
}

char *ike_spis_print(char *buf, size_t size, const uint8_t spi_i[IKE_SPI_LEN],
		     const uint8_t spi_r[IKE_SPI_LEN])
{
	struct text out = text_init(buf, size);

	text_add_hex(&out, spi_i, IKE_SPI_LEN);
	text_add(&out, "_i ");
	text_add_hex(&out, spi_r, IKE_SPI_LEN);
	text_add(&out, "_r");
	return buf;
}

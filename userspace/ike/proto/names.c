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
	{ IKE_SA_INIT, "IKE_SA_INIT" },
	{ IKE_AUTH, "IKE_AUTH" },
	{ IKE_CREATE_CHILD_SA, "CREATE_CHILD_SA" },
	{ IKE_INFORMATIONAL, "INFORMATIONAL" },
};

static const struct name payloads[] = {
	{ IKE_PL_NONE, "none" },       { IKE_PL_SA, "SA" },	{ IKE_PL_KE, "KE" },
	{ IKE_PL_IDI, "IDi" },	       { IKE_PL_IDR, "IDr" },	{ IKE_PL_CERT, "CERT" },
	{ IKE_PL_CERTREQ, "CERTREQ" }, { IKE_PL_AUTH, "AUTH" }, { IKE_PL_NONCE, "Nonce" },
	{ IKE_PL_NOTIFY, "N" },	       { IKE_PL_DELETE, "D" },	{ IKE_PL_VENDOR, "V" },
	{ IKE_PL_TSI, "TSi" },	       { IKE_PL_TSR, "TSr" },	{ IKE_PL_SK, "SK" },
	{ IKE_PL_CP, "CP" },	       { IKE_PL_EAP, "EAP" },	{ IKE_PL_SKF, "SKF" },
};

static const struct name notifies[] = {
	{ IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD, "UNSUPPORTED_CRITICAL_PAYLOAD" },
	{ IKE_N_INVALID_IKE_SPI, "INVALID_IKE_SPI" },
	{ IKE_N_INVALID_MAJOR_VERSION, "INVALID_MAJOR_VERSION" },
	{ IKE_N_INVALID_SYNTAX, "INVALID_SYNTAX" },
	{ IKE_N_INVALID_MESSAGE_ID, "INVALID_MESSAGE_ID" },
	{ IKE_N_INVALID_SPI, "INVALID_SPI" },
	{ IKE_N_NO_PROPOSAL_CHOSEN, "NO_PROPOSAL_CHOSEN" },
	{ IKE_N_INVALID_KE_PAYLOAD, "INVALID_KE_PAYLOAD" },
	{ IKE_N_AUTHENTICATION_FAILED, "AUTHENTICATION_FAILED" },
	{ IKE_N_SINGLE_PAIR_REQUIRED, "SINGLE_PAIR_REQUIRED" },
	{ IKE_N_NO_ADDITIONAL_SAS, "NO_ADDITIONAL_SAS" },
	{ IKE_N_INTERNAL_ADDRESS_FAILURE, "INTERNAL_ADDRESS_FAILURE" },
	{ IKE_N_FAILED_CP_REQUIRED, "FAILED_CP_REQUIRED" },
	{ IKE_N_TS_UNACCEPTABLE, "TS_UNACCEPTABLE" },
	{ IKE_N_INVALID_SELECTORS, "INVALID_SELECTORS" },
	{ IKE_N_TEMPORARY_FAILURE, "TEMPORARY_FAILURE" },
	{ IKE_N_CHILD_SA_NOT_FOUND, "CHILD_SA_NOT_FOUND" },
	{ IKE_N_STATE_NOT_FOUND, "STATE_NOT_FOUND" },
	{ IKE_N_INITIAL_CONTACT, "INITIAL_CONTACT" },
	{ IKE_N_SET_WINDOW_SIZE, "SET_WINDOW_SIZE" },
	{ IKE_N_ADDITIONAL_TS_POSSIBLE, "ADDITIONAL_TS_POSSIBLE" },
	{ 16387, "IPCOMP_SUPPORTED" },
	{ IKE_N_NAT_DETECTION_SOURCE_IP, "NAT_DETECTION_SOURCE_IP" },
	{ IKE_N_NAT_DETECTION_DESTINATION_IP, "NAT_DETECTION_DESTINATION_IP" },
	{ IKE_N_COOKIE, "COOKIE" },
	{ IKE_N_USE_TRANSPORT_MODE, "USE_TRANSPORT_MODE" },
	{ 16392, "HTTP_CERT_LOOKUP_SUPPORTED" },
	{ IKE_N_REKEY_SA, "REKEY_SA" },
	{ IKE_N_ESP_TFC_PADDING_NOT_SUPPORTED, "ESP_TFC_PADDING_NOT_SUPPORTED" },
	{ 16395, "NON_FIRST_FRAGMENTS_ALSO" },
	{ IKE_N_MOBIKE_SUPPORTED, "MOBIKE_SUPPORTED" },
	{ 16404, "MULTIPLE_AUTH_SUPPORTED" },
	{ 16407, "REDIRECT" },
	{ 16417, "EAP_ONLY_AUTHENTICATION" },
	{ IKE_N_CHILDLESS_IKEV2_SUPPORTED, "CHILDLESS_IKEV2_SUPPORTED" },
	{ IKE_N_IKEV2_FRAGMENTATION_SUPPORTED, "IKEV2_FRAGMENTATION_SUPPORTED" },
	{ IKE_N_SIGNATURE_HASH_ALGORITHMS, "SIGNATURE_HASH_ALGORITHMS" },
};

static const struct name transform_types[] = {
	{ IKE_T_ENCR, "encryption algorithm" }, { IKE_T_PRF, "pseudo-random function" },
	{ IKE_T_INTEG, "integrity algorithm" }, { IKE_T_DH, "key exchange group" },
	{ IKE_T_ESN, "sequence number size" },
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
	const char *name = FIND(transform_types, type);

	return name ? name : "transform of unknown type";
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

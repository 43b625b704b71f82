// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TLS of libssl between two buffers. Versions, algorithms and groups are set here, so that neither a build's defaults nor a
 * file of the system change them.
 *
 * The client's handshake stops within libssl until the certificates are judged. libssl's server cannot stop there: it goes through
 * to its end, and what it would send then is held back until the judgement; of a client that is refused it is thrown away.
 */
#include "ike/crypto/tls.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "ike/crypto/sign.h"

enum { COMMITMENT = 0 }; /* what a server of TLS 1.3 sends as the last it sends (RFC 9190 2.5) */

enum { KEY_MATERIAL = 128 }; /* MSK and EMSK: TLS 1.3 derives another key for another length */

enum judgement { UNASKED, ASKED, GOOD, BAD };

struct ike_tls_setup {
	SSL_CTX *ctx;
};

struct ike_tls {
	SSL *ssl;
	BIO *in, *out; /* they are the SSL's */
	bool server;
	uint8_t type;
	size_t taken; /* bytes of the other end */
	enum ike_tls_state state;
	enum judgement judgement;
	int alert; /* the last one of either end, as libssl has it */
	bool alert_is_theirs;
	uint8_t *certs;
	size_t certs_len;
	char why[IKE_TLS_WHY];
};

/* ---- certificates of the other end ---------------------------------------------------------- */

static bool add_cert(struct ike_tls *t, const X509 *cert)
{
	int len = i2d_X509(cert, NULL);
	size_t room = IKE_TLS_MAX_CERTS - t->certs_len;
	uint8_t *at = t->certs + t->certs_len;

	if (len <= 0 || room < IKE_TLS_CERT_HEAD || (size_t)len > room - IKE_TLS_CERT_HEAD)
		return false;
	*at++ = (uint8_t)(len >> 16);
	*at++ = (uint8_t)(len >> 8);
	*at++ = (uint8_t)len;
	i2d_X509(cert, &at);
	t->certs_len += IKE_TLS_CERT_HEAD + (size_t)len;
	return true;
}

/* The leaf comes first. */
static bool keep_certs(struct ike_tls *t, STACK_OF(X509) *chain)
{
	t->certs = malloc(IKE_TLS_MAX_CERTS);
	for (int i = 0; t->certs && i < sk_X509_num(chain); i++)
		if (!add_cert(t, sk_X509_value(chain, i))) {
			snprintf(t->why, sizeof(t->why),
				 "peer shows certificates of more than %d bytes in all",
				 IKE_TLS_MAX_CERTS);
			return false;
		}
	return t->certs;
}

/* Is the leaf's key one that a signature may be verified with? That comes before anything is judged, and is a stranger's. */
static bool key_is_sane(struct ike_tls *t, const X509 *leaf)
{
	uint8_t *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &der);
	char why[IKE_TLS_WHY / 2];
	bool sane = len > 0 && ike_key_kind(der, (size_t)len, why, sizeof(why)) != IKE_KEY_NONE;

	OPENSSL_free(der);
	if (!sane)
		snprintf(t->why, sizeof(t->why), "peer shows a certificate whose key %s",
			 len > 0 ? why : "is malformed");
	return sane;
}

/* libssl has the other end's certificates, and asks. It goes on with 1; a client's is told to ask again. */
static int on_certs(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct ike_tls *t = SSL_get_app_data(ssl);

	(void)arg;
	if (t->judgement == UNASKED && (!key_is_sane(t, X509_STORE_CTX_get0_cert(store)) ||
					!keep_certs(t, X509_STORE_CTX_get0_untrusted(store))))
		t->judgement = BAD;
	if (t->judgement == BAD) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
		return 0;
	}
	if (t->judgement == UNASKED)
		t->judgement = ASKED;
	if (!t->server && t->judgement != GOOD)
		SSL_set_retry_verify(ssl);
	return 1;
}

static void on_event(const SSL *ssl, int where, int value)
{
	struct ike_tls *t = SSL_get_app_data(ssl);

	if (!(where & SSL_CB_ALERT))
		return;
	t->alert = value;
	t->alert_is_theirs = where & SSL_CB_READ;
}

/* ---- what all connections have ------------------------------------------------------------------- */

static bool set_algorithms(SSL_CTX *ctx)
{
	static const char signatures[] = "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ed448:"
					 "RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:"
					 "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:"
					 "RSA+SHA256:RSA+SHA384:RSA+SHA512";

	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!PSK") == 1 &&
	       SSL_CTX_set_ciphersuites(
		       ctx,
		       "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256") ==
		       1 &&
	       SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384:P-521") == 1 &&
	       SSL_CTX_set1_sigalgs_list(ctx, signatures) == 1 &&
	       SSL_CTX_set1_client_sigalgs_list(ctx, signatures) == 1;
}

struct ike_tls_setup *ike_tls_setup_new(void)
{
	struct ike_tls_setup *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->ctx = SSL_CTX_new(TLS_method());
	if (!s->ctx || !set_algorithms(s->ctx)) {
		ike_tls_setup_free(s);
		return NULL;
	}
	SSL_CTX_set_security_level(s->ctx, 1); /* what certificates are worth is pki's to say */
	SSL_CTX_clear_options(s->ctx, SSL_CTX_get_options(s->ctx));
	/*
	 * A server that does not know RFC 5746, as strongSwan's, is taken: what that defends is a second handshake, which
	 * there is none of.
	 */
	SSL_CTX_set_options(s->ctx,
			    SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
				    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_LEGACY_SERVER_CONNECT);
	SSL_CTX_set_session_cache_mode(s->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(s->ctx, 0);
	SSL_CTX_set_max_cert_list(s->ctx, IKE_TLS_MAX_CERTS);
	SSL_CTX_set_verify(s->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(s->ctx, on_certs, NULL);
	SSL_CTX_set_info_callback(s->ctx, on_event);
	return s;
}

void ike_tls_setup_free(struct ike_tls_setup *s)
{
	if (s)
		SSL_CTX_free(s->ctx);
	free(s);
}

/* ---- a connection -------------------------------------------------------------------------------- */

static X509 *read_cert(const struct ike_iov *der)
{
	const uint8_t *at = der->base;
	X509 *cert = der->len <= INT_MAX ? d2i_X509(NULL, &at, (long)der->len) : NULL;

	if (cert && at == (const uint8_t *)der->base + der->len)
		return cert;
	X509_free(cert);
	return NULL;
}

static bool use_certs(SSL *ssl, const struct ike_tls_conf *conf)
{
	bool used = conf->n_certs;

	for (unsigned int i = 0; used && i < conf->n_certs; i++) {
		X509 *cert = read_cert(&conf->certs[i]);

		used = cert &&
		       (i ? SSL_add1_chain_cert(ssl, cert) : SSL_use_certificate(ssl, cert)) == 1;
		X509_free(cert);
	}
	return used;
}

static bool use_key(SSL *ssl, const struct ike_tls_conf *conf)
{
	const uint8_t *at = conf->key.base;
	EVP_PKEY *key = conf->key.len <= IKE_MAX_PRIVATE
				? d2i_AutoPrivateKey(NULL, &at, (long)conf->key.len)
				: NULL;
	bool used = key && SSL_use_PrivateKey(ssl, key) == 1 && SSL_check_private_key(ssl) == 1;

	EVP_PKEY_free(key);
	return used;
}

/* Is memory what libssl failed for? Its errors are forgotten then. */
static bool ran_out_of_memory(void)
{
	unsigned long err;
	bool out = false;

	while ((err = ERR_get_error()))
		out |= ERR_GET_REASON(err) == ERR_R_MALLOC_FAILURE;
	return out;
}

int ike_tls_new(struct ike_tls_setup *setup, const struct ike_tls_conf *conf, struct ike_tls **out)
{
	struct ike_tls *t = calloc(1, sizeof(*t));

	*out = NULL;
	if (!t)
		return -ENOMEM;
	t->server = conf->server;
	t->type = conf->type;
	t->ssl = SSL_new(setup->ctx);
	t->in = BIO_new(BIO_s_mem());
	t->out = BIO_new(BIO_s_mem());
	if (!t->ssl || !t->in || !t->out) {
		BIO_free(t->in);
		BIO_free(t->out);
		t->in = t->out = NULL;
		ike_tls_free(t);
		return -ENOMEM;
	}
	SSL_set_bio(t->ssl, t->in, t->out);
	SSL_set_app_data(t->ssl, t);
	(conf->server ? SSL_set_accept_state : SSL_set_connect_state)(t->ssl);
	if (!use_certs(t->ssl, conf) || !use_key(t->ssl, conf)) {
		ike_tls_free(t);
		return ran_out_of_memory() ? -ENOMEM : -EINVAL;
	}
	*out = t;
	return 0;
}

void ike_tls_free(struct ike_tls *t)
{
	if (!t)
		return;
	SSL_free(t->ssl);
	free(t->certs);
	ike_wipe(t, sizeof(*t));
	free(t);
}

bool ike_tls_put(struct ike_tls *t, const void *data, size_t len)
{
	if (len <= IKE_TLS_MAX - t->taken &&
	    (!len || BIO_write(t->in, data, (int)len) == (int)len)) {
		t->taken += len;
		return true;
	}
	snprintf(t->why, sizeof(t->why), "peer sends more than %d bytes in TLS", IKE_TLS_MAX);
	(void)BIO_reset(t->out);
	t->state = IKE_TLS_FAILED;
	return false;
}

size_t ike_tls_get(struct ike_tls *t, uint8_t *out, size_t cap, size_t *left)
{
	int n = 0;

	if (t->state != IKE_TLS_JUDGE && cap)
		n = BIO_read(t->out, out, cap < INT_MAX ? (int)cap : INT_MAX);
	*left = t->state == IKE_TLS_JUDGE ? 0 : BIO_ctrl_pending(t->out);
	return n > 0 ? (size_t)n : 0;
}

struct ike_iov ike_tls_certs(const struct ike_tls *t)
{
	return (struct ike_iov){ t->certs, t->certs_len };
}

const char *ike_tls_why(const struct ike_tls *t)
{
	return t->why;
}

/* An alert says it best; else what libssl says. */
static enum ike_tls_state fail(struct ike_tls *t)
{
	unsigned long err = ERR_peek_error();
	const char *reason = err ? ERR_reason_error_string(err) : NULL;

	if (*t->why)
		;
	else if (t->alert && t->alert_is_theirs)
		snprintf(t->why, sizeof(t->why), "peer ended TLS with the alert '%s'",
			 SSL_alert_desc_string_long(t->alert));
	else if (t->alert)
		snprintf(t->why, sizeof(t->why), "TLS ends here with the alert '%s'%s%s",
			 SSL_alert_desc_string_long(t->alert), reason ? ": " : "",
			 reason ? reason : "");
	else
		snprintf(t->why, sizeof(t->why), "TLS fails here: %s",
			 reason ? reason : "peer said what it may not say now");
	ERR_clear_error();
	return t->state = IKE_TLS_FAILED;
}

/* Client of TLS 1.3: the server's last word, which says that we are accepted. */
static enum ike_tls_state await_commitment(struct ike_tls *t)
{
	uint8_t word[2];
	size_t n = 0;

	if (SSL_read_ex(t->ssl, word, sizeof(word), &n) != 1)
		return SSL_get_error(t->ssl, 0) == SSL_ERROR_WANT_READ ? t->state : fail(t);
	return n == 1 && word[0] == COMMITMENT ? (t->state = IKE_TLS_DONE) : fail(t);
}

/* The handshake is over. */
static enum ike_tls_state conclude(struct ike_tls *t)
{
	static const uint8_t commitment = COMMITMENT;
	const bool is_13 = SSL_version(t->ssl) == TLS1_3_VERSION;
	size_t n;

	if (!t->certs_len) /* each end shows some, but a session could be another's */
		return fail(t);
	if (t->server && t->judgement != GOOD)
		return t->state = IKE_TLS_JUDGE;
	if (is_13 && !t->server)
		return await_commitment(t);
	if (is_13 && SSL_write_ex(t->ssl, &commitment, sizeof(commitment), &n) != 1)
		return fail(t);
	return t->state = IKE_TLS_DONE;
}

enum ike_tls_state ike_tls_run(struct ike_tls *t)
{
	int rc;

	if (t->state != IKE_TLS_GOES_ON)
		return t->state;
	ERR_clear_error();
	rc = SSL_is_init_finished(t->ssl) ? 1 : SSL_do_handshake(t->ssl);
	if (rc == 1)
		return conclude(t);
	switch (SSL_get_error(t->ssl, rc)) {
	case SSL_ERROR_WANT_READ: return t->state;
	case SSL_ERROR_WANT_RETRY_VERIFY: return t->state = IKE_TLS_JUDGE;
	default: return fail(t);
	}
}

enum ike_tls_state ike_tls_state(const struct ike_tls *t)
{
	return t->state;
}

void ike_tls_judge(struct ike_tls *t, bool good)
{
	if (t->state != IKE_TLS_JUDGE)
		return;
	t->judgement = good ? GOOD : BAD;
	t->state = IKE_TLS_GOES_ON;
	if (good || !t->server)
		return;
	/* What it would have sent is for one that is accepted. */
	(void)BIO_reset(t->out);
	snprintf(t->why, sizeof(t->why), "peer's certificates are refused");
	t->state = IKE_TLS_FAILED;
}

int ike_tls_msk(struct ike_tls *t, uint8_t out[IKE_TLS_MSK])
{
	static const char label_12[] = "client EAP encryption",
			  label_13[] = "EXPORTER_EAP_TLS_Key_Material";
	const bool is_13 = SSL_version(t->ssl) == TLS1_3_VERSION;
	const char *label = is_13 ? label_13 : label_12;
	uint8_t material[KEY_MATERIAL];
	int rc = -1;

	if (t->state == IKE_TLS_DONE &&
	    SSL_export_keying_material(t->ssl, material, sizeof(material), label, strlen(label),
				       &t->type, is_13, is_13) == 1) {
		memcpy(out, material, IKE_TLS_MSK);
		rc = 0;
	}
	ike_wipe(material, sizeof(material));
	return rc;
}

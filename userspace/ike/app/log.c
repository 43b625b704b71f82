// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/hash.h"
#include "ike/app/log.h"
#include "ike/proto/names.h"

enum { BUCKETS = 256, BURST = 20, PER_SECOND = 5 };

/* Token buckets; two tunnels may share one, which only makes them quieter. */
struct bucket {
	uint64_t filled_at; /* ms */
	unsigned int used; /* thousandths of a line */
	unsigned int left_out;
};

static struct {
	enum ike_log_level level;
	bool syslog, prefix;
	struct bucket bucket[BUCKETS];
} self = { .level = IKE_LOG_INFO };

static const int priority[] = {
	[IKE_LOG_ERROR] = LOG_ERR,
	[IKE_LOG_WARN] = LOG_WARNING,
	[IKE_LOG_INFO] = LOG_INFO,
	[IKE_LOG_DEBUG] = LOG_DEBUG,
};

void log_open(enum ike_log_level level, bool use_syslog)
{
	self.level = level;
	self.syslog = use_syslog;
	self.prefix = getenv("JOURNAL_STREAM") != NULL;
	if (use_syslog)
		openlog("esptund", LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

/* Peers choose parts of what is logged: no control characters reach the terminal. */
static void put(enum ike_log_level level, char *line)
{
	for (char *s = line; *s; s++) {
		if (iscntrl((unsigned char)*s))
			*s = '?';
	}
	if (self.syslog)
		syslog(priority[level], "%s", line);
	else if (self.prefix)
		fprintf(stderr, "<%d>%s\n", priority[level], line);
	else
		fprintf(stderr, "esptund: %s\n", line);
}

void log_say(enum ike_log_level level, const char *tunnel, const char *fmt, ...)
{
	char line[2048];
	int len = 0;
	va_list ap;

	if (level > self.level)
		return;
	if (tunnel)
		len = snprintf(line, sizeof(line), "%s: ", tunnel);
	va_start(ap, fmt);
	vsnprintf(line + len, sizeof(line) - (size_t)len, fmt, ap);
	va_end(ap);
	put(level, line);
}

static struct bucket *bucket_of(const char *tunnel)
{
	if (!tunnel)
		return &self.bucket[0];
	return &self.bucket[1 + hash_lower(tunnel, strlen(tunnel)) % (BUCKETS - 1)];
}

static bool admit(struct bucket *b, uint64_t now)
{
	uint64_t drained = (now - b->filled_at) * PER_SECOND;

	b->used = drained < b->used ? b->used - (unsigned int)drained : 0;
	b->filled_at = now;
	if (b->used > (BURST - 1) * 1000)
		return false;
	b->used += 1000;
	return true;
}

void log_core(enum ike_log_level level, const char *tunnel, const uint8_t *spi_i,
	      const uint8_t *spi_r, const char *text, uint64_t now)
{
	static const uint8_t zero[IKE_SPI_LEN];
	struct bucket *b = bucket_of(tunnel);
	char spis[64] = "";

	if (level > self.level)
		return;
	if (self.level < IKE_LOG_DEBUG && !admit(b, now)) {
		b->left_out++;
		return;
	}
	if (b->left_out)
		log_say(IKE_LOG_WARN, tunnel, "%u lines left out to keep the log short",
			b->left_out);
	b->left_out = 0;
	if (spi_i || spi_r)
		ike_spis_print(spis, sizeof(spis), spi_i ? spi_i : zero, spi_r ? spi_r : zero);
	if (*spis)
		log_say(level, tunnel, "[%s] %s", spis, text);
	else
		log_say(level, tunnel, "%s", text);
}

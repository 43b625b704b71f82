// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/hash.h"
#include "ike/app/bucket.h"
#include "ike/app/log.h"
#include "ike/proto/names.h"

enum { BUCKETS = 256 };

enum { LINE = 1000 }; /* so that a rate for a second is a line's share for a millisecond */

/* Of one tunnel, and of all together, or many could fill the disk. */
static const struct rate rate_each = { 20 * LINE, 5 }, rate_all = { 5000 * LINE, 20 };

struct limit {
	struct bucket lines;
	unsigned int left_out;
};

static struct {
	enum ike_log_level level;
	bool syslog, prefix;
	/* Two tunnels may share one, which only makes them quieter. */
	struct limit limit[BUCKETS];
	struct bucket all;
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

bool log_wants(enum ike_log_level level)
{
	return level <= self.level;
}

/* One of C0 or, in UTF-8, of C1 begins at @s. */
static bool is_control(const char *s)
{
	return iscntrl((unsigned char)*s) ||
	       ((uint8_t)s[0] == 0xc2 && (uint8_t)s[1] >= 0x80 && (uint8_t)s[1] < 0xa0);
}

/* Peers choose parts of what is logged: no control characters reach the terminal. */
static void put(enum ike_log_level level, char *line)
{
	for (char *s = line; *s; s++) {
		if (is_control(s))
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

static struct limit *limit_of(const char *tunnel)
{
	if (!tunnel)
		return &self.limit[0];
	return &self.limit[1 + hash_lower(tunnel, strlen(tunnel)) % (BUCKETS - 1)];
}

static bool admit(struct limit *l, uint64_t now)
{
	return bucket_room(&self.all, &rate_all, now) >= LINE &&
	       bucket_take(&l->lines, &rate_each, LINE, now) &&
	       bucket_take(&self.all, &rate_all, LINE, now);
}

void log_core(enum ike_log_level level, const char *tunnel, const uint8_t *spi_i,
	      const uint8_t *spi_r, const char *text, uint64_t now)
{
	static const uint8_t zero[IKE_SPI_LEN];
	struct limit *l = limit_of(tunnel);
	char spis[64] = "";

	if (level > self.level)
		return;
	if (self.level < IKE_LOG_DEBUG && !admit(l, now)) {
		l->left_out++;
		return;
	}
	if (l->left_out)
		log_say(IKE_LOG_WARN, tunnel, "%u lines left out to keep the log short",
			l->left_out);
	l->left_out = 0;
	if (spi_i || spi_r)
		ike_spis_print(spis, sizeof(spis), spi_i ? spi_i : zero, spi_r ? spi_r : zero);
	if (*spis)
		log_say(level, tunnel, "[%s] %s", spis, text);
	else
		log_say(level, tunnel, "%s", text);
}

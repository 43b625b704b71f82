/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * esptun top: rates of tunnels and clients, from what esptun status counts at two times. What is
 * here neither asks the agent nor knows of a terminal.
 */
#ifndef CLI_TOP_H
#define CLI_TOP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum top_counter {
	TOP_RX_BYTES,
	TOP_RX_PACKETS,
	TOP_TX_BYTES,
	TOP_TX_PACKETS,
	TOP_DROPS,
	TOP_COUNTERS,
};

/* What can be sorted by: the greatest first, but names from A to Z. */
enum top_sort {
	TOP_BY_RATE,
	TOP_BY_IN,
	TOP_BY_OUT,
	TOP_BY_DROPS,
	TOP_BY_REKEYS,
	TOP_BY_NAME,
	TOP_SORTS,
};

/* A number that may be unknown. */
struct top_rate {
	bool known;
	double v; /* per second */
};

/* A tunnel, or a client of one. */
struct top_row {
	const char *tunnel, *name, *state;
	const struct top_row *hub; /* of a client; NULL: this is a tunnel */
	json_int_t peer; /* number of a client */
	bool has_clients;
	bool counted[TOP_COUNTERS]; /* these are known: */
	json_int_t count[TOP_COUNTERS];
	struct top_rate rate[TOP_COUNTERS];
	json_int_t rekeys_ike, rekeys_child;
};

struct top_snapshot {
	json_t *tunnels; /* has the texts of all rows */
	struct top_row *rows; /* each tunnel, with its clients behind it */
	struct top_row **order; /* as they were sorted last */
	size_t n;
	int64_t at; /* ms */
};

/**
 * top_read() - the rows of a status
 * @tunnels: "tunnels" of the answers, each hub with its "clients"; taken
 * @at: when that was, in ms
 * Return: 0, or -1 without memory.
 */
int top_read(struct top_snapshot *s, json_t *tunnels, int64_t at);

void top_clear(struct top_snapshot *s);

/**
 * top_rates() - rates of @now since @before
 * A rate is unknown of a row that was not there before, and of one whose counter has become less:
 * it began again at 0 with a new peer or netdevice.
 */
void top_rates(struct top_snapshot *now, const struct top_snapshot *before);

void top_sort(struct top_snapshot *s, enum top_sort by);

/**
 * top_print() - the table, as it was sorted last
 * @width: columns of the terminal, 0: no limit
 * @height: lines of the terminal for it, 0: no limit
 */
void top_print(FILE *out, const struct top_snapshot *s, unsigned int width, unsigned int height);

/** top_json() - the same for programs, @interval: s since the snapshot before */
json_t *top_json(const struct top_snapshot *s, double interval);

#endif

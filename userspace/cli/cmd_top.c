// SPDX-License-Identifier: GPL-2.0-or-later
/* esptun top. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "cli/cli.h"
#include "cli/control.h"
#include "cli/reply.h"
#include "cli/top.h"
#include "common/clock.h"

const char usage_top[] =
	"Usage: esptun top [-b] [-n ROUNDS] [-d SECONDS]\n"
	"Rates of tunnels and of the clients of each hub, drops and rekeys, every second or every\n"
	"SECONDS (0.1 to 3600). On a terminal: q quits, s sorts by the next column.\n"
	"-b, -n, -j or without a terminal: a table, or a JSON object, each round.\n";

const struct keyword top_keywords[] = {
	{ "-b", 0, false, "" },
	{ "-n", 1, false, NULL },
	{ "-d", 2, false, NULL },
	{ NULL, 0, false, NULL },
};

/* ---------------------------------------------------------------- snapshots */

static void read_traffic(struct top_row *r, json_t *peer)
{
	static const char *const keys[] = {
		[TOP_RX_BYTES] = "rx_bytes",
		[TOP_RX_PACKETS] = "rx_packets",
		[TOP_TX_BYTES] = "tx_bytes",
		[TOP_TX_PACKETS] = "tx_packets",
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		r->counted[i] = json_object_get(peer, keys[i]);
		r->count[i] = reply_number(peer, keys[i]);
	}
}

/* A counter that is 0 is absent. */
static void read_drops(struct top_row *r, json_t *counters)
{
	char key[ESPTUN_STATS_KEYLEN];

	r->counted[TOP_DROPS] = counters;
	for (unsigned int i = 0; i <= ESPTUN_STATS_A_MAX; i++) {
		if (esptun_stats_is_drop(i) && esptun_stats_key(i, key))
			r->count[TOP_DROPS] += reply_number(counters, key);
	}
}

static void read_row(struct top_row *r, json_t *o)
{
	json_t *rekeys = json_object_get(o, "rekeys");

	r->state = reply_text(o, "state");
	r->rekeys_ike = reply_number(rekeys, "ike");
	r->rekeys_child = reply_number(rekeys, "child");
	read_drops(r, json_object_get(o, "counters"));
}

static struct top_row *read_client(struct top_row *r, const struct top_row *hub, json_t *o)
{
	read_row(r, o);
	read_traffic(r, json_object_get(o, "peer"));
	r->hub = hub;
	r->tunnel = hub->tunnel;
	r->name = *reply_text(o, "id") ? reply_text(o, "id") : "(not back yet)";
	r->peer = reply_number(o, "peer_id");
	return r + 1;
}

/* The first peer of a hub is but one of its clients, so that its traffic is not the hub's. */
static struct top_row *read_tunnel(struct top_row *r, json_t *o)
{
	json_t *client, *clients = json_object_get(o, "clients");
	struct top_row *hub = r++;
	size_t i;

	read_row(hub, o);
	hub->tunnel = hub->name = reply_text(o, "name");
	hub->has_clients = clients;
	if (!json_object_get(o, "n_clients"))
		read_traffic(hub, json_object_get(o, "peer"));
	json_array_foreach(clients, i, client)
		r = read_client(r, hub, client);
	return r;
}

int top_read(struct top_snapshot *s, json_t *tunnels, int64_t at)
{
	json_t *o;
	size_t i;

	*s = (struct top_snapshot){ .tunnels = tunnels, .at = at };
	json_array_foreach(tunnels, i, o)
		s->n += 1 + json_array_size(json_object_get(o, "clients"));
	s->rows = calloc(s->n + 1, sizeof(*s->rows));
	s->order = calloc(s->n + 1, sizeof(struct top_row *));
	if (!s->rows || !s->order) {
		top_clear(s);
		return -1;
	}
	struct top_row *r = s->rows;

	json_array_foreach(tunnels, i, o)
		r = read_tunnel(r, o);
	for (i = 0; i < s->n; i++)
		s->order[i] = &s->rows[i];
	return 0;
}

void top_clear(struct top_snapshot *s)
{
	json_decref(s->tunnels);
	free(s->rows);
	free(s->order);
	*s = (struct top_snapshot){ 0 };
}

/* -------------------------------------------------------------------- rates */

/* A number of a client may have been another client's before. */
static int compare_keys(const void *a, const void *b)
{
	const struct top_row *x = *(struct top_row *const *)a, *y = *(struct top_row *const *)b;
	int order = strcmp(x->tunnel, y->tunnel);

	if (!order)
		order = !!x->hub - !!y->hub;
	if (!order)
		order = (x->peer > y->peer) - (x->peer < y->peer);
	return order ? order : strcmp(x->name, y->name);
}

static bool has_restarted(const struct top_row *now, const struct top_row *then)
{
	for (size_t i = TOP_RX_BYTES; i < TOP_DROPS; i++) {
		if (now->count[i] < then->count[i])
			return true;
	}
	return false;
}

static void rate_row(struct top_row *now, const struct top_row *then, double seconds)
{
	bool restarted = has_restarted(now, then);

	for (size_t i = 0; i < TOP_COUNTERS; i++) {
		if (!now->counted[i] || !then->counted[i] || now->count[i] < then->count[i] ||
		    (i != TOP_DROPS && restarted))
			continue;
		now->rate[i].known = true;
		now->rate[i].v = (double)(now->count[i] - then->count[i]) / seconds;
	}
}

/* A hub's traffic is that of its clients: @hub is followed by them, up to @end. */
static void sum_clients(struct top_row *hub, const struct top_row *end)
{
	for (size_t i = 0; i < TOP_DROPS; i++)
		hub->rate[i].known = true;
	for (const struct top_row *c = hub + 1; c < end && c->hub; c++) {
		for (size_t i = 0; i < TOP_DROPS; i++)
			hub->rate[i].v += c->rate[i].v;
	}
}

void top_rates(struct top_snapshot *now, const struct top_snapshot *before)
{
	double seconds = (double)(now->at - before->at) / 1000;
	struct top_row *end = now->rows + now->n;

	if (seconds <= 0 || !before->n)
		return;
	qsort(before->order, before->n, sizeof(*before->order), compare_keys);
	for (struct top_row *r = now->rows; r < end; r++) {
		struct top_row **then =
			bsearch(&r, before->order, before->n, sizeof(*before->order), compare_keys);

		if (then)
			rate_row(r, *then, seconds);
	}
	for (struct top_row *r = now->rows; r < end; r++) {
		if (r->has_clients)
			sum_clients(r, end);
	}
}

/* ------------------------------------------------------------------ sorting */

static double in_rate(const struct top_row *r)
{
	return r->rate[TOP_RX_BYTES].v;
}

static double out_rate(const struct top_row *r)
{
	return r->rate[TOP_TX_BYTES].v;
}

static double both_rates(const struct top_row *r)
{
	return in_rate(r) + out_rate(r);
}

static double drop_rate(const struct top_row *r)
{
	return r->rate[TOP_DROPS].v;
}

static double all_rekeys(const struct top_row *r)
{
	return (double)r->rekeys_ike + (double)r->rekeys_child;
}

static double no_weight(const struct top_row *r)
{
	(void)r;
	return 0;
}

static const struct {
	const char *title;
	double (*weight)(const struct top_row *r);
} sorts[TOP_SORTS] = {
	[TOP_BY_RATE] = { "rate", both_rates },	    [TOP_BY_IN] = { "rate in", in_rate },
	[TOP_BY_OUT] = { "rate out", out_rate },    [TOP_BY_DROPS] = { "drops", drop_rate },
	[TOP_BY_REKEYS] = { "rekeys", all_rekeys }, [TOP_BY_NAME] = { "name", no_weight },
};

static int compare_rows(const void *a, const void *b, void *arg)
{
	const struct top_row *x = *(struct top_row *const *)a, *y = *(struct top_row *const *)b;
	const struct top_row *hub_x = x->hub ? x->hub : x, *hub_y = y->hub ? y->hub : y;
	enum top_sort by = *(enum top_sort *)arg;
	double wx, wy;
	int order;

	if (hub_x == hub_y && (x == hub_x || y == hub_y))
		return (x != hub_x) - (y != hub_y);
	if (hub_x != hub_y) { /* clients stay with their hub */
		x = hub_x;
		y = hub_y;
	}
	wx = sorts[by].weight(x);
	wy = sorts[by].weight(y);
	if (wx != wy)
		return wx < wy ? 1 : -1;
	order = strcmp(x->name, y->name);
	return order ? order : (x > y) - (x < y);
}

void top_sort(struct top_snapshot *s, enum top_sort by)
{
	qsort_r(s->order, s->n, sizeof(*s->order), compare_rows, &by);
}

/* -------------------------------------------------------------------- table */

#define CELL 48 /* longer than any of these */

static void format_rate(char cell[static CELL], const struct top_rate *rate)
{
	static const char units[] = " kMGTPE";
	size_t unit = 0;
	double v = rate->v;

	for (; v >= 999.5 && units[unit + 1]; unit++)
		v /= 1000;
	if (!rate->known)
		snprintf(cell, CELL, "-");
	else if (!unit)
		snprintf(cell, CELL, v > 0 && v < 9.95 ? "%.1f" : "%.0f", v);
	else
		snprintf(cell, CELL,
			 v < 9.995   ? "%.2f%c"
			 : v < 99.95 ? "%.1f%c"
				     : "%.0f%c",
			 v, units[unit]);
}

static void in_bytes(char cell[static CELL], const struct top_row *r)
{
	format_rate(cell, &r->rate[TOP_RX_BYTES]);
}

static void in_packets(char cell[static CELL], const struct top_row *r)
{
	format_rate(cell, &r->rate[TOP_RX_PACKETS]);
}

static void out_bytes(char cell[static CELL], const struct top_row *r)
{
	format_rate(cell, &r->rate[TOP_TX_BYTES]);
}

static void out_packets(char cell[static CELL], const struct top_row *r)
{
	format_rate(cell, &r->rate[TOP_TX_PACKETS]);
}

static void drops(char cell[static CELL], const struct top_row *r)
{
	if (r->counted[TOP_DROPS])
		snprintf(cell, CELL, "%" JSON_INTEGER_FORMAT, r->count[TOP_DROPS]);
	else
		snprintf(cell, CELL, "-");
}

static void drops_rate(char cell[static CELL], const struct top_row *r)
{
	format_rate(cell, &r->rate[TOP_DROPS]);
}

static void rekeys(char cell[static CELL], const struct top_row *r)
{
	snprintf(cell, CELL, "%" JSON_INTEGER_FORMAT "+%" JSON_INTEGER_FORMAT, r->rekeys_ike,
		 r->rekeys_child);
}

static void state(char cell[static CELL], const struct top_row *r)
{
	snprintf(cell, CELL, "%.10s", r->state);
}

/* Columns behind the name. */
static const struct {
	const char *title;
	int width;
	void (*format)(char cell[static CELL], const struct top_row *r);
} columns[] = {
	{ "STATE", 10, state },	     { "IN-B/s", 7, in_bytes },	    { "IN-p/s", 7, in_packets },
	{ "OUT-B/s", 7, out_bytes }, { "OUT-p/s", 7, out_packets }, { "DROP/s", 6, drops_rate },
	{ "DROPS", 6, drops },	     { "REKEYS", 6, rekeys },
};

#define N_COLUMNS (sizeof(columns) / sizeof(*columns))
#define NAME_MIN 10 /* columns of the name, in however narrow a terminal */

/* Bytes of the first @most characters of UTF-8 text; how many there are is in @count. */
static int fit(const char *s, size_t most, size_t *count)
{
	size_t i = 0;

	for (*count = 0; s[i]; i++) {
		if (((unsigned char)s[i] & 0xc0) == 0x80)
			continue;
		if (*count == most)
			break;
		++*count;
	}
	return (int)i;
}

/* Those of a client are behind two blanks. */
static size_t name_width(const struct top_snapshot *s, unsigned int width)
{
	size_t widest = NAME_MIN, count, others = 0;

	for (size_t i = 0; i < s->n; i++) {
		fit(s->rows[i].name, SIZE_MAX, &count);
		count += s->rows[i].hub ? 2 : 0;
		widest = count > widest ? count : widest;
	}
	for (size_t i = 0; i < N_COLUMNS; i++)
		others += (size_t)columns[i].width + 1;
	if (!width || widest + others <= width)
		return widest;
	return width > others + NAME_MIN ? width - others : NAME_MIN;
}

/* The line that @name and @cells are, no more than @width of it. */
static void print_line(FILE *out, const char *name, size_t indent, size_t name_columns,
		       char cells[static N_COLUMNS][CELL], unsigned int width)
{
	char rest[N_COLUMNS * CELL];
	size_t count, len = 0, most = name_columns - indent;
	int bytes;

	if (width && most + indent > width)
		most = width > indent ? width - indent : 0;
	bytes = fit(name, most, &count);
	for (size_t i = 0; i < N_COLUMNS; i++)
		len += (size_t)snprintf(rest + len, sizeof(rest) - len, i ? " %*s" : " %-*s",
					columns[i].width, cells[i]);
	fprintf(out, "%*s%.*s%*s", (int)indent, "", bytes, name, (int)(most - count), "");
	if (width)
		fprintf(out, "%.*s\n",
			width > name_columns ? (int)(width - (unsigned int)name_columns) : 0, rest);
	else
		fprintf(out, "%s\n", rest);
}

void top_print(FILE *out, const struct top_snapshot *s, unsigned int width, unsigned int height)
{
	size_t name_columns = name_width(s, width), shown = s->n;
	char cells[N_COLUMNS][CELL];

	for (size_t i = 0; i < N_COLUMNS; i++)
		snprintf(cells[i], CELL, "%s", columns[i].title);
	print_line(out, "NAME", 0, name_columns, cells, width);
	if (height && shown + 1 > height)
		shown = height > 2 ? height - 2 : 0;
	for (size_t row = 0; row < shown; row++) {
		const struct top_row *r = s->order[row];

		for (size_t i = 0; i < N_COLUMNS; i++)
			columns[i].format(cells[i], r);
		print_line(out, r->name, r->hub ? 2 : 0, name_columns, cells, width);
	}
	if (shown < s->n && height > 1)
		fprintf(out, "%zu more\n", s->n - shown);
}

/* --------------------------------------------------------------------- JSON */

static json_t *row_json(const struct top_row *r)
{
	static const char *const keys[TOP_COUNTERS] = {
		[TOP_RX_BYTES] = "rx_bytes_per_second", [TOP_RX_PACKETS] = "rx_packets_per_second",
		[TOP_TX_BYTES] = "tx_bytes_per_second", [TOP_TX_PACKETS] = "tx_packets_per_second",
		[TOP_DROPS] = "drops_per_second",
	};
	json_t *o = json_object();

	if (r->hub)
		json_object_set_new(o, "peer_id", json_integer(r->peer));
	json_object_set_new(o, r->hub ? "id" : "name", json_string(r->name));
	json_object_set_new(o, "state", json_string(r->state));
	for (size_t i = 0; i < TOP_COUNTERS; i++)
		json_object_set_new(o, keys[i],
				    r->rate[i].known ? json_real(r->rate[i].v) : json_null());
	json_object_set_new(o, "drops",
			    r->counted[TOP_DROPS] ? json_integer(r->count[TOP_DROPS])
						  : json_null());
	json_object_set_new(o, "rekeys",
			    json_pack("{s:I,s:I}", "ike", r->rekeys_ike, "child", r->rekeys_child));
	if (r->has_clients)
		json_object_set_new(o, "clients", json_array());
	return o;
}

/* A hub precedes its clients however they are sorted. */
json_t *top_json(const struct top_snapshot *s, double interval)
{
	json_t *list = json_array(), *clients = NULL;

	for (size_t i = 0; i < s->n; i++) {
		json_t *o = row_json(s->order[i]);

		json_array_append_new(s->order[i]->hub ? clients : list, o);
		if (!s->order[i]->hub)
			clients = json_object_get(o, "clients");
	}
	return json_pack("{s:f,s:o}", "interval", interval, "tunnels", list);
}

/* ------------------------------------------------------------------- asking */

#define ERROR_SIZE 512

/* "tunnels" of a status, the caller's; NULL with a sentence in @err. */
static json_t *ask_status(const struct cli *cli, const char *name, char err[static ERROR_SIZE])
{
	json_t *request = json_pack("{ss}", "cmd", "status"), *reply, *tunnels;

	if (name)
		json_object_set_new(request, "tunnel", json_string(name));
	reply = control_exchange(cli, request, 0, NULL, err, ERROR_SIZE);
	if (!reply)
		return NULL;
	tunnels = json_incref(json_object_get(reply, "tunnels"));
	if (!tunnels) {
		control_make_printable(reply);
		snprintf(err, ERROR_SIZE, "%s",
			 *reply_text(reply, "error") ? reply_text(reply, "error")
						     : "the agent refused");
	}
	json_decref(reply);
	return tunnels;
}

/* A hub's clients are told to who asks for it alone. One that is gone meanwhile has none. */
static void add_clients(const struct cli *cli, json_t *tunnels)
{
	char err[ERROR_SIZE];
	json_t *t;
	size_t i;

	json_array_foreach(tunnels, i, t) {
		json_t *hub = NULL, *clients;

		if (json_object_get(t, "n_clients"))
			hub = ask_status(cli, reply_text(t, "name"), err);
		clients = json_object_get(json_array_get(hub, 0), "clients");
		if (clients)
			json_object_set(t, "clients", clients);
		json_decref(hub);
	}
}

static int take_snapshot(const struct cli *cli, struct top_snapshot *s, char err[static ERROR_SIZE])
{
	json_t *tunnels = ask_status(cli, NULL, err);

	*s = (struct top_snapshot){ 0 };
	if (!tunnels)
		return -1;
	add_clients(cli, tunnels);
	if (!cli->json)
		control_make_printable(tunnels);
	if (!top_read(s, tunnels, clock_ms()))
		return 0;
	snprintf(err, ERROR_SIZE, "out of memory");
	return -1;
}

struct top {
	struct cli *cli;
	struct top_snapshot last;
	double interval; /* s between it and the one before */
	enum top_sort by;
	uint32_t rounds; /* 0: until interrupted */
	int64_t delay; /* ms */
};

/* The next snapshot, with its rates; the last one stays if there is none. */
static int next_snapshot(struct top *t, char err[static ERROR_SIZE])
{
	struct top_snapshot now;

	if (take_snapshot(t->cli, &now, err))
		return -1;
	top_rates(&now, &t->last);
	t->interval = (double)(now.at - t->last.at) / 1000;
	top_clear(&t->last);
	t->last = now;
	top_sort(&t->last, t->by);
	return 0;
}

/* -------------------------------------------------------------------- batch */

static int run_batch(struct top *t)
{
	struct timespec pause = { t->delay / 1000, t->delay % 1000 * 1000000 };
	char err[ERROR_SIZE];

	for (uint32_t i = 0; !t->rounds || i < t->rounds; i++) {
		nanosleep(&pause, NULL);
		if (next_snapshot(t, err)) {
			cli_error("%s", err);
			return EXIT_KERNEL;
		}
		if (t->cli->json)
			print_json(t->cli, top_json(&t->last, t->interval));
		else
			top_print(stdout, &t->last, 0, 0);
		if (fflush(stdout))
			return EXIT_KERNEL;
	}
	return 0;
}

/* ----------------------------------------------------------------- terminal */

/* Another screen, without a cursor, whose lines do not wrap; and back. */
#define SCREEN_ENTER "\033[?1049h\033[?25l\033[?7l"
#define SCREEN_LEAVE "\033[?7h\033[?25h\033[?1049l"

static struct termios former; /* how the terminal was, for signals too */

static void tell_terminal(const char *s, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, s, len);

		if (n <= 0)
			return;
		s += n;
		len -= (size_t)n;
	}
}

static void enter_screen(void)
{
	struct termios raw = former;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	tell_terminal(SCREEN_ENTER, sizeof(SCREEN_ENTER) - 1);
}

static void leave_screen(void)
{
	tell_terminal(SCREEN_LEAVE, sizeof(SCREEN_LEAVE) - 1);
	tcsetattr(STDIN_FILENO, TCSANOW, &former);
}

/* The action is the default one again (SA_RESETHAND), and is taken on return. */
static void on_end(int sig)
{
	leave_screen();
	raise(sig);
}

static void on_stop(int sig)
{
	int saved = errno;

	(void)sig;
	leave_screen();
	raise(SIGSTOP);
	enter_screen();
	errno = saved;
}

/* That it came is enough: ppoll() returns. */
static void on_winch(int sig)
{
	(void)sig;
}

static void catch_signals(sigset_t *while_waiting)
{
	static const struct {
		int sig, flags;
		void (*handler)(int sig);
	} rows[] = {
		{ SIGINT, SA_RESETHAND, on_end },   { SIGTERM, SA_RESETHAND, on_end },
		{ SIGHUP, SA_RESETHAND, on_end },   { SIGQUIT, SA_RESETHAND, on_end },
		{ SIGPIPE, SA_RESETHAND, on_end },  { SIGTSTP, SA_RESTART, on_stop },
		{ SIGWINCH, SA_RESTART, on_winch },
	};
	sigset_t winch;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct sigaction action = { .sa_handler = rows[i].handler,
					    .sa_flags = rows[i].flags };

		sigaction(rows[i].sig, &action, NULL);
	}
	/* A terminal that changes its size must not disturb talking to the agent. */
	sigemptyset(&winch);
	sigaddset(&winch, SIGWINCH);
	sigprocmask(SIG_BLOCK, &winch, while_waiting);
	sigdelset(while_waiting, SIGWINCH);
}

/* @trouble: why there is nothing new to show, "" if there is. */
static void draw(const struct top *t, const char *trouble)
{
	struct winsize w = { 0 };
	unsigned int width = 80, height = 24;
	char *screen = NULL;
	size_t size;
	FILE *f = open_memstream(&screen, &size);

	if (!f)
		return;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) && w.ws_col && w.ws_row) {
		width = w.ws_col;
		height = w.ws_row;
	}
	if (*trouble)
		fprintf(f, "%.*s\n", (int)width, trouble);
	else
		fprintf(f, "%.*s\n", (int)width, "esptun top: q quits, s sorts by another column");
	fprintf(f, "sorted by %s\n", sorts[t->by].title);
	/* The last line stays empty: behind a newline there the terminal would scroll. */
	if (!*trouble && height > 3)
		top_print(f, &t->last, width, height - 3);
	fclose(f);
	tell_terminal("\033[H\033[2J", 7);
	tell_terminal(screen, size);
	free(screen);
}

/* Waits until @until: false if the user wants to quit, or the terminal is gone. */
static bool wait_for_keys(struct top *t, int64_t until, const sigset_t *mask, const char *trouble)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	int64_t left;
	char key;

	while ((left = until - clock_ms()) > 0) {
		struct timespec pause = { left / 1000, left % 1000 * 1000000 };
		int n = ppoll(&p, 1, &pause, mask);

		if (n > 0 && (read(STDIN_FILENO, &key, 1) != 1 || key == 'q'))
			return false;
		if (n > 0 && key == 's') {
			t->by = (t->by + 1) % TOP_SORTS;
			top_sort(&t->last, t->by);
		}
		if (n)
			draw(t, trouble);
	}
	return true;
}

/* The agent may be away for a while, for it is started again now and then. */
static int run_screen(struct top *t)
{
	char trouble[ERROR_SIZE] = "";
	sigset_t mask;

	if (tcgetattr(STDIN_FILENO, &former))
		return run_batch(t);
	catch_signals(&mask);
	enter_screen();
	for (;;) {
		draw(t, trouble);
		if (!wait_for_keys(t, clock_ms() + t->delay, &mask, trouble))
			break;
		if (!next_snapshot(t, trouble))
			*trouble = '\0';
	}
	leave_screen();
	return 0;
}

/* ------------------------------------------------------------------ command */

static int parse_delay(struct args *a, int64_t *delay)
{
	const char *value = NULL;
	double seconds;
	char *end;

	if (args_value(a, "-d", &value))
		return -EINVAL;
	seconds = strtod(value, &end);
	if (*end || !(seconds >= 0.1 && seconds <= 3600))
		return args_fail(a, "-d is %.40s, but must be from 0.1 to 3600 seconds", value);
	*delay = (int64_t)(seconds * 1000);
	return 0;
}

static int parse(struct args *a, struct top *t, bool *batch)
{
	int id, err = 0;

	a->seen = 0;
	while (a->argc && !err) {
		if (args_keyword(a, top_keywords, &id))
			return -EINVAL;
		if (id == 1)
			err = args_u32(a, "-n", 1, UINT32_MAX, &t->rounds);
		else if (id == 2)
			err = parse_delay(a, &t->delay);
	}
	*batch = args_has(a, 0) || args_has(a, 1);
	return err;
}

int cmd_top(struct cli *cli, struct args *a)
{
	struct top t = { .cli = cli, .delay = 1000 };
	char err[ERROR_SIZE];
	bool batch;
	int ret;

	if (a->argc && args_abbrev(a->argv[0], "help")) {
		fputs(usage_top, stdout);
		return 0;
	}
	if (parse(a, &t, &batch))
		return cli_usage_error(a);
	if (next_snapshot(&t, err)) {
		cli_error("%s", err);
		return EXIT_KERNEL;
	}
	batch = batch || cli->json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO);
	ret = batch ? run_batch(&t) : run_screen(&t);
	top_clear(&t.last);
	return ret;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: a Unix stream socket, mode 0600, for root (or whoever runs the
 * agent). A request is one JSON object in a line, and so is the answer to each, in order.
 *
 * Requests
 *   {"cmd":"status"}                      all tunnels
 *   {"cmd":"status","tunnel":"hq"}        one
 *   {"cmd":"pool"}                        pools of all tunnels, with their leases
 *   {"cmd":"pool","tunnel":"hq"}          of one, which has to have one
 *   {"cmd":"up","tunnel":"hq","timeout":20}
 *	Reads hq.conf if hq is not known or taken down. Answers when the tunnel is up, when
 *	an attempt failed, or after timeout seconds (default 20; 0: at once).
 *   {"cmd":"down","tunnel":"hq"}
 *	Answers when the peer was told and the netdevice, its addresses and routes are gone.
 *   {"cmd":"down","all":true}             the same for all tunnels
 *   {"cmd":"probe","tunnel":"hq","port":4500}
 *	Does its peer answer on this UDP port (absent: that of Endpoint)? Answers when it did, or after 2 s.
 *   {"cmd":"rekey","tunnel":"hq"}
 *	Renew the keys of its IKE SA and child SAs now; the SPIs in the status tell when that is done.
 *   {"cmd":"reload"}                      read the configuration files again
 *
 * Answers
 *   {"ok":true, ...} or {"ok":false,"error":"one sentence with the remedy"}
 *   reload adds "added", "removed", "changed": lists of names, and "errors": a list of
 *	"FILE:LINE: sentence"; ok is false if there are errors, good files count all the same.
 *   up and down add "tunnel", as in the status.
 *   probe adds "probe": {
 *	"local":"192.0.2.1:4500", "remote":"198.51.100.2:4500",
 *	"sent":3,			so many datagrams were sent, or could not be
 *	"send_error":"…",		why the last one could not, absent if it was
 *	"answered":false,
 *	"after":0.02}			seconds until then; absent without an answer
 *   Keys are spelled with underscores, as those of ip -j.
 *   status adds "version", "ike": {counters of struct ike_core_stats}, "folder": that of the
 *	configuration files, "files": those the agent does not go by, such as
 *	{"name":"hq","state":"new"} (or "changed" since it was read, or "gone"), and
 *   "tunnels": [{
 *	"name":"hq",
 *	"state":"up",			"down", "connecting", "up", "closing", "failed"
 *					(failed: netdevice or name resolution; see error)
 *	"start":"now",			"now", "traffic", "listen"
 *	"error":"…", "error_age":12.3,	last one, absent if none; seconds
 *	"fault":"IKE_AUTH",		what the error is about: "netdevice", "name", "path" (to the peer), "silence"
 *					(no answer), "IKE_SA_INIT", "IKE_AUTH", "clock" (with certificates), "child SA";
 *					absent with it
 *	"attempt":2,			while connecting: the first since it last worked is 1
 *	"step":"IKE_SA_INIT",		or "IKE_AUTH": its answer is waited for; absent between attempts
 *	"tries":4,			so often was it sent
 *	"next_try":3.2,			seconds until it is sent again, or until the next attempt
 *	"send_error":"…",		why the last datagram could not be sent, absent if it was
 *	"endpoint":"vpn.example.org",	as configured, absent if listening only
 *	"adopted":0,			pairs of a former agent that still carry traffic
 *	"rekeys":{"ike":1,"child":7},	so often were keys renewed, with all clients; absent without a netdevice
 *	"addresses":["169.254.10.2/30"], "routes":["10.0.0.0/8"],
 *	"told_routes":["10.1.0.0/16"],	those of Routes = request; absent if none
 *	"lease":["10.9.0.2"],		addresses that the peer gave us; absent if none
 *	"pool":{"ipv4":{"size":254,	addresses of [Pool]; absent without one
 *	  "leased":9, "held":3,		that are some identity's, and that connected clients have
 *	  "free":245}},			that are nobody's; also "ipv6"
 *	"radius":[{			servers of [Radius], in their order; absent without one
 *	  "server":"192.0.2.9:1812",
 *	  "state":"alive",		or "dead": it was silent, and has not answered since; "unknown": it did not answer yet
 *	  "requests":4, "answers":3,	without repetitions; authentic ones
 *	  "accepts":1, "rejects":1,	of the answers; others go on
 *	  "accounting":{"server":"192.0.2.9:1813","state":"alive",	absent if off
 *	    "requests":1, "answers":1}}],
 *	"radius_records":0,		of accounting, that no server took so far; absent without [Radius]
 *	"link":{"ifindex":4,"mtu":1422,"running":true},	absent without a netdevice
 *	"ike":{				absent without an IKE SA
 *	  "state":"established",	or "half-open"
 *	  "role":"initiator",		it began here, whoever rekeyed it since; or "responder"
 *	  "spi_i":"0123456789abcdef", "spi_r":"0123456789abcdef",
 *	  "local":"192.0.2.1:4500", "remote":"198.51.100.2:4500",
 *	  "local_id":"branch.example.org", "remote_id":"vpn.example.org",
 *	  "first_id":"dn:CN=laptop 7",	what the peer proved in the first one of two rounds; absent with one
 *	  "local_auth":"pubkey",	how this end and the peer proved who they are, with two rounds
 *	  "remote_auth":"pubkey, eap",	"pubkey, eap" or "psk, eap", "eap-only" by EAP-TLS alone; absent until it is up
 *	  "proposal":"aes256gcm16-prfsha384-x25519",	once chosen
 *	  "cautions":["modp1024 is …"],	what is legacy of that; absent if nothing is
 *	  "ppk":"used",			or why not: "not-offered", the peer uses none; "unknown", the ends
 *					do not have the same; absent without PPK in the configuration
 *	  "age":12.3,			seconds since it was established
 *	  "nat_local":true, "nat_remote":false,	who is behind a NAT
 *	  "encap":"udp"},		what ESP travels in; or "esp", without UDP
 *	"child":{			absent without a CHILD SA
 *	  "spi_in":"0xc0ffee01", "spi_out":"0xc0ffee02",
 *	  "proposal":"aes256gcm16-esn",
 *	  "cautions":["3des is …"],	as above
 *	  "mode":"tunnel",		or "transport"
 *	  "local_ts":["0.0.0.0/0"], "remote_ts":["10.0.0.0/8"],
 *	  "age":12.3},
 *	"children":[{			all that are configured; absent with Clients of 2 or more
 *	  "name":"lan",			as in [Child NAME]
 *	  "state":"up",			or "down"; what follows is as in "child", if it is up
 *	  …}],
 *	"peer":{			what the kernel counts; absent without a netdevice
 *	  "rx_packets":1, "rx_bytes":84, "tx_packets":1, "tx_bytes":84,
 *	  "last_rx":0.5,		seconds ago, absent if never
 *	  "keepalives":3},
 *	"counters":{"rx_replay":1},	of the link, those that are not zero
 *	"n_clients":1,			with Clients of 2 or more
 *	"clients":[{			the same, if the status of one tunnel was asked for
 *	  "peer_id":2,			the kernel's number
 *	  "id":"alice@example.org",	proven; absent if adopted and not back yet
 *	  "state":"up", "error":"…", "error_age":1.5, "adopted":0, "rekeys":{…},
 *	  "lease":["10.9.0.2"],		its addresses of the pool; absent if none
 *	  "ike":{…}, "children":[…], "peer":{…}	as above
 *	}]
 *   }]
 *   pool adds "pools": [{
 *	"name":"hq", "ranges":["10.9.0.1-10.9.0.254"],
 *	"clients":5,			so many may be connected (Clients=)
 *	"ipv4":{…},			as in "pool" above
 *	"leases":[{			first those of clients that are not connected, who left first before others
 *	  "address":"10.9.0.2",
 *	  "id":"alice@example.org",	absent if adopted and not back yet
 *	  "state":"online",		or "offline": it waits for its client
 *	  "peer_id":2,			the kernel's number of the client; absent if offline
 *	  "since":1764478800}]		when that began, in seconds since 1970; absent if not known
 *   }]
 */
#ifndef ESPTUN_IKE_CTL_H
#define ESPTUN_IKE_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define CTL_DIR "/run/esptun"
#define CTL_SOCKET CTL_DIR "/control"

enum ctl_limits {
	CTL_MAX_LINE = 65536, /* octets of a request */
	CTL_MAX_UNREAD = 65536, /* octets of answers, from which on no more requests are read */
	CTL_MAX_CLIENTS = 32,
	CTL_DEFAULT_TIMEOUT = 20,
};

struct event_base;
struct ctl;
struct ctl_request; /* a question that waits for its answer */

/* @q is the callee's until it calls ctl_answer(), now or later. @what is only lent. */
typedef void (*ctl_fn)(void *ctx, struct ctl_request *q, json_t *what);

/*
 * Listen on @path. NULL with a sentence in @err, also if another agent answers there.
 */
struct ctl *ctl_open(struct event_base *base, const char *path, ctl_fn fn, void *ctx, char *err,
		     size_t err_size);
/* The socket's name stays. Answers may still be given afterwards; they go nowhere. NULL is fine. */
void ctl_close(struct ctl *c);

/*
 * Answer @q, which is then gone, with @what, whose reference is taken; NULL says that
 * memory ran out. The asker may be gone too.
 */
void ctl_answer(struct ctl_request *q, json_t *what);

/*
 * Or in parts: an object with the members of @head, of which there are some, and last @key, an array of
 * the items that are added. Begun within an array, it is an item of that. References are taken; false if
 * the asker is gone. For each ctl_list_begin() a ctl_list_end() has to come; with the last one @q is gone.
 */
void ctl_list_begin(struct ctl_request *q, json_t *head, const char *key);
bool ctl_list_add(struct ctl_request *q, json_t *item);
/* Is the asker still there? */
bool ctl_is_heard(const struct ctl_request *q);
void ctl_list_end(struct ctl_request *q);

/* JSON's string of @text. One that is not UTF-8 gets "?" in place of all but ASCII. */
json_t *ctl_text(const char *text);

#endif

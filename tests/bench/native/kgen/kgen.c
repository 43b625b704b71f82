// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Traffic that is made and checked in the kernel, so that no figure holds what User-mode Linux
 * takes for a system call. In the receiver's network namespace, then in the sender's:
 *
 *	echo "serve KIND ADDRESS PORT STREAMS" > /proc/kgen
 *	echo "send KIND ADDRESS PORT STREAMS MS SIZE" > /proc/kgen
 *
 * KIND is tcp, rr (requests and answers of one octet), udp (datagrams of SIZE octets) or imix (of
 * 64, 570 and 1400, 7:4:1). They go on for MS of processor time; each stream has a port, from PORT
 * on. And a cipher alone:
 *
 *	echo "cipher AEAD OCTETS" > /proc/kgen
 *
 * /proc/kgen then holds the result, a line of JSON in which ns is processor time of this whole
 * kernel, without what nic.c does for its hardware.
 */
#include <linux/completion.h>
#include <linux/inet.h>
#include <linux/kthread.h>
#include <linux/net.h>
#include <linux/nsproxy.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>
#include <net/ip.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "kgen.h"

#define STREAMS_MAX 64
#define CHUNK (128 * 1024)
#define EVERY 4096
#define UDP_END U64_MAX
#define UDP_BUFFER (64 << 20)
/* On a busy host processor time passes so many times more slowly before it is given up. */
#define PATIENCE 20

/* One end of a stream. */
struct end {
	struct socket *sock;
	struct completion done;
	u8 *buf;
	u64 bytes, packets, wrong;
	u16 port;
	int index;
};

struct kind {
	const char *name;
	const char *counted; /* what its sender counts */
	int type, protocol;
	void (*serve)(struct end *end);
	void (*send)(struct end *end);
};

static struct end senders[STREAMS_MAX], receivers[STREAMS_MAX];
static const struct kind *served;
static int streams;
static int datagram; /* octets; 0: IMIX */
static u64 cpu_end, wall_end;
static struct net *receiving;
static u64 skbs, segments; /* that IP received there before */
static char result[512];
static DEFINE_MUTEX(lock);

static bool is_over(void)
{
	return host_clock(HOST_CPU) > cpu_end || host_clock(HOST_MONOTONIC) > wall_end;
}

static u64 used_ns(void)
{
	return host_clock(HOST_CPU) - READ_ONCE(nic_ns);
}

static int receive(struct end *end, u8 *buf, size_t len)
{
	struct kvec v = { buf, len };
	struct msghdr m = {};

	return kernel_recvmsg(end->sock, &m, &v, 1, len, 0);
}

static int transmit(struct end *end, u8 *buf, size_t len)
{
	struct kvec v = { buf, len };
	struct msghdr m = { .msg_flags = MSG_NOSIGNAL };

	return kernel_sendmsg(end->sock, &m, &v, 1, len);
}

/* ---- TCP: each EVERY octets a word that follows from the place ---- */

static u64 word_at(u64 at)
{
	return (at / EVERY + 1) * 0x9e3779b97f4a7c15ULL;
}

static void serve_tcp(struct end *end)
{
	u64 at;
	int n;

	while ((n = receive(end, end->buf, CHUNK)) > 0) {
		for (at = ALIGN(end->bytes, EVERY); at + 8 <= end->bytes + n; at += EVERY)
			end->wrong += get_unaligned((u64 *)(end->buf + at - end->bytes)) !=
				      word_at(at);
		end->bytes += n;
	}
}

static void send_tcp(struct end *end)
{
	int i, n, sent;

	while (!is_over()) {
		for (i = 0; i < CHUNK; i += EVERY)
			put_unaligned(word_at(end->bytes + i), (u64 *)(end->buf + i));
		for (sent = 0; sent < CHUNK; sent += n) {
			n = transmit(end, end->buf + sent, CHUNK - sent);
			if (n <= 0)
				return;
			end->bytes += n;
		}
	}
}

/* ---- requests and answers ---- */

static void serve_rr(struct end *end)
{
	while (receive(end, end->buf, 1) == 1 && transmit(end, end->buf, 1) == 1)
		end->packets++;
}

static void send_rr(struct end *end)
{
	u8 octet;

	while ((end->packets & 31) || !is_over()) {
		octet = end->packets;
		end->buf[0] = octet;
		if (transmit(end, end->buf, 1) != 1 || receive(end, end->buf, 1) != 1 ||
		    end->buf[0] != octet) {
			end->wrong++;
			return;
		}
		end->packets++;
	}
}

/* ---- datagrams: each says its number and the complement ---- */

static void serve_udp(struct end *end)
{
	u64 next = 0, number;
	int n;

	while ((n = receive(end, end->buf, CHUNK)) >= 16) {
		number = get_unaligned((u64 *)end->buf);
		if (number == UDP_END)
			return;
		end->wrong += get_unaligned((u64 *)(end->buf + 8)) != ~number || number < next;
		next = number + 1;
		end->packets++;
		end->bytes += n;
	}
}

static int datagram_size(u64 number)
{
	static const u16 imix[] = { 64, 570, 64, 64, 570, 64, 1400, 64, 570, 64, 570, 64 };

	return datagram ?: imix[number % ARRAY_SIZE(imix)];
}

static void send_datagram(struct end *end, u64 number, int size)
{
	put_unaligned(number, (u64 *)end->buf);
	put_unaligned(~number, (u64 *)(end->buf + 8));
	transmit(end, end->buf, size);
}

/* The first one's thread serves all streams by turns, a packet each. */
static void send_udp(struct end *end)
{
	u64 total = 0;
	int i;

	if (end != senders)
		return;
	while (!is_over()) {
		for (i = 0; i < 64; i++, total++) {
			end = &senders[total % streams];
			send_datagram(end, end->packets, datagram_size(total));
			end->packets++;
			if (!(total & 15))
				cond_resched();
		}
	}
}

/* The end is said to each stream until it was heard. */
static void end_datagrams(void)
{
	int i, tries, deaf = streams;

	for (tries = 0; deaf && tries < 20; tries++) {
		schedule_timeout_uninterruptible(1);
		deaf = 0;
		for (i = 0; i < streams; i++) {
			if (completion_done(&receivers[i].done))
				continue;
			send_datagram(&senders[i], UDP_END, 64);
			deaf++;
		}
	}
}

static const struct kind kinds[] = {
	{ "tcp", "bytes", SOCK_STREAM, IPPROTO_TCP, serve_tcp, send_tcp },
	{ "rr", "transactions", SOCK_STREAM, IPPROTO_TCP, serve_rr, send_rr },
	{ "udp", "packets", SOCK_DGRAM, IPPROTO_UDP, serve_udp, send_udp },
	{ "imix", "packets", SOCK_DGRAM, IPPROTO_UDP, serve_udp, send_udp },
};

static const struct kind *find_kind(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

/* ---- both ends ---- */

static void release_end(struct end *end)
{
	if (end->sock)
		sock_release(end->sock);
	kfree(end->buf);
	memset(end, 0, sizeof(*end));
}

static int open_end(struct end *end, int index, const struct kind *kind)
{
	memset(end, 0, sizeof(*end));
	end->index = index;
	init_completion(&end->done);
	end->buf = kmalloc(CHUNK, GFP_KERNEL);
	if (!end->buf)
		return -ENOMEM;
	memset(end->buf, 0x5a, CHUNK);
	return sock_create_kern(current->nsproxy->net_ns, AF_INET, kind->type, kind->protocol,
				&end->sock);
}

static void count_received(u64 *packets, u64 *parts)
{
	static const int ecn[] = { IPSTATS_MIB_NOECTPKTS, IPSTATS_MIB_ECT1PKTS,
				   IPSTATS_MIB_ECT0PKTS, IPSTATS_MIB_CEPKTS };
	void __percpu *mib = receiving->mib.ip_statistics;
	const size_t sync = offsetof(struct ipstats_mib, syncp);
	int i;

	*packets = snmp_fold_field64(mib, IPSTATS_MIB_INPKTS, sync);
	/* Those by ECN count what super-packets hold. */
	*parts = 0;
	for (i = 0; i < ARRAY_SIZE(ecn); i++)
		*parts += snmp_fold_field64(mib, ecn[i], sync);
}

/* A listener's socket becomes that of the connection. */
static int accept_one(struct end *end)
{
	struct socket *listener = end->sock, *sock;
	int err = kernel_accept(listener, &sock, 0);

	if (err)
		return err;
	tcp_sock_set_nodelay(sock->sk);
	end->sock = sock;
	sock_release(listener);
	return 0;
}

static int serve_thread(void *arg)
{
	struct end *end = arg;

	if (served->type != SOCK_STREAM || !accept_one(end))
		served->serve(end);
	complete(&end->done);
	return 0;
}

static int send_thread(void *arg)
{
	struct end *end = arg;

	served->send(end);
	complete(&end->done);
	return 0;
}

static struct sockaddr_in address(__be32 ip, int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = ip };
}

static int serve_one(struct end *end, int index, __be32 ip, int port)
{
	struct sockaddr_in a = address(ip, port + index);
	struct task_struct *task;
	int err;

	err = open_end(end, index, served);
	if (err)
		return err;
	end->sock->sk->sk_reuse = SK_CAN_REUSE;
	err = kernel_bind(end->sock, (struct sockaddr_unsized *)&a, sizeof(a));
	if (!err && served->type == SOCK_STREAM)
		err = kernel_listen(end->sock, 1);
	if (err)
		return err;
	if (served->type == SOCK_DGRAM) {
		lock_sock(end->sock->sk);
		WRITE_ONCE(end->sock->sk->sk_rcvbuf, UDP_BUFFER);
		release_sock(end->sock->sk);
	}
	task = kthread_run(serve_thread, end, "kgen_serve/%d", index);
	return PTR_ERR_OR_ZERO(task);
}

static void end_receivers(void)
{
	int i;

	for (i = 0; i < streams; i++) {
		struct end *end = &receivers[i];

		if (end->sock && !wait_for_completion_timeout(&end->done, 5 * HZ)) {
			end->wrong++;
			kernel_sock_shutdown(end->sock, SHUT_RDWR);
			wait_for_completion(&end->done);
		}
	}
}

static void release_all(void)
{
	int i;

	for (i = 0; i < streams; i++) {
		release_end(&senders[i]);
		release_end(&receivers[i]);
	}
	if (receiving)
		put_net(receiving);
	receiving = NULL;
	streams = 0;
}

static int serve(const struct kind *kind, __be32 ip, int port, int n)
{
	int i, err = 0;

	if (streams || n < 1 || n > STREAMS_MAX)
		return -EINVAL;
	served = kind;
	receiving = get_net(current->nsproxy->net_ns);
	for (i = 0; i < n && !err; i++) {
		err = serve_one(&receivers[i], i, ip, port);
		streams += !err;
	}
	if (err)
		release_end(&receivers[streams]);
	return err;
}

static int connect_all(__be32 ip, int port)
{
	int i, err;

	for (i = 0; i < streams; i++) {
		struct sockaddr_in a = address(ip, port + i);

		err = open_end(&senders[i], i, served);
		if (!err)
			err = kernel_connect(senders[i].sock, (struct sockaddr_unsized *)&a,
					     sizeof(a), 0);
		if (err)
			return err;
		if (served->type == SOCK_STREAM)
			tcp_sock_set_nodelay(senders[i].sock->sk);
	}
	return 0;
}

static void run_senders(void)
{
	struct task_struct *task;
	int i;

	for (i = 0; i < streams; i++) {
		task = kthread_run(send_thread, &senders[i], "kgen_send/%d", i);
		if (IS_ERR(task)) {
			senders[i].wrong++;
			complete(&senders[i].done);
		}
	}
	for (i = 0; i < streams; i++)
		wait_for_completion(&senders[i].done);
}

static struct end sum(const struct end *ends)
{
	struct end all = {};
	int i;

	for (i = 0; i < streams; i++) {
		all.bytes += ends[i].bytes;
		all.packets += ends[i].packets;
		all.wrong += ends[i].wrong;
	}
	return all;
}

static void write_result(u64 ns, u32 payload, u32 retransmits)
{
	struct end sent = sum(senders), got = sum(receivers);
	s64 lost = served->type == SOCK_DGRAM ? sent.packets - got.packets : 0;
	u64 packets, parts;
	int n;

	count_received(&packets, &parts);
	n = scnprintf(result, sizeof(result), "{\"sent\":{\"%s\":%llu,\"ns\":%llu,",
		      served->counted, sent.bytes ?: sent.packets, ns);
	n += scnprintf(result + n, sizeof(result) - n,
		       "\"payload\":%u,\"retransmits\":%u,\"wrong\":%llu},", payload, retransmits,
		       sent.wrong);
	n += scnprintf(result + n, sizeof(result) - n,
		       "\"got\":{\"bytes\":%llu,\"packets\":%llu,\"lost\":%lld,\"wrong\":%llu,",
		       got.bytes, got.packets, lost, got.wrong);
	scnprintf(result + n, sizeof(result) - n, "\"ns\":%llu,\"skbs\":%llu,\"segments\":%llu}}\n",
		  ns, packets - skbs, parts - segments);
}

static int transfer(__be32 ip, int port, int ms)
{
	u32 payload = datagram, retransmits = 0;
	int i, err;
	u64 begun;

	err = connect_all(ip, port);
	if (err)
		return err;
	count_received(&skbs, &segments);
	begun = used_ns();
	cpu_end = host_clock(HOST_CPU) + (u64)ms * NSEC_PER_MSEC;
	wall_end = host_clock(HOST_MONOTONIC) + (u64)ms * NSEC_PER_MSEC * PATIENCE;
	run_senders();
	if (served->type == SOCK_DGRAM) {
		end_datagrams();
	} else {
		payload = tcp_sk(senders[0].sock->sk)->mss_cache;
		for (i = 0; i < streams; i++)
			kernel_sock_shutdown(senders[i].sock, SHUT_WR);
	}
	end_receivers();
	for (i = 0; i < streams && served->type == SOCK_STREAM; i++)
		retransmits += tcp_sk(senders[i].sock->sk)->total_retrans;
	write_result(used_ns() - begun, payload, retransmits);
	return 0;
}

static int send(const struct kind *kind, __be32 ip, int port, int n, int ms, int size)
{
	int err = -EINVAL;

	if (streams && kind == served && n == streams && ms > 0 && size >= 16 && size <= 1400) {
		datagram = strcmp(kind->name, "imix") ? size : 0;
		err = transfer(ip, port, ms);
	}
	if (err)
		end_receivers();
	release_all();
	return err;
}

static int cipher(const char *aead, int octets)
{
	s64 ns = time_cipher(aead, octets);

	if (ns < 0)
		return ns;
	scnprintf(result, sizeof(result), "{\"aead\":\"%s\",\"octets\":%d,\"ns\":%lld}\n", aead,
		  octets, ns);
	return 0;
}

/* ---- /proc/kgen ---- */

static int run_command(const char *line)
{
	char what[8] = "", name[32] = "", ip[32] = "";
	int port = 0, n = 1, ms = 0, size = 64;
	const struct kind *kind;
	int words;

	words = sscanf(line, "%7s %31s %31s %d %d %d %d", what, name, ip, &port, &n, &ms, &size);
	if (!strcmp(what, "cipher") && words == 3)
		return kstrtoint(ip, 10, &size) ?: cipher(name, size);
	kind = find_kind(name);
	if (!kind || words < 5)
		return -EINVAL;
	if (!strcmp(what, "serve"))
		return serve(kind, in_aton(ip), port, n);
	if (!strcmp(what, "send"))
		return send(kind, in_aton(ip), port, n, ms, size);
	return -EINVAL;
}

static ssize_t kgen_write(struct file *file, const char __user *from, size_t len, loff_t *off)
{
	char line[128] = "";
	int err;

	if (len >= sizeof(line) || copy_from_user(line, from, len))
		return -EINVAL;
	mutex_lock(&lock);
	err = run_command(line);
	mutex_unlock(&lock);
	return err ?: len;
}

static int kgen_show(struct seq_file *m, void *v)
{
	seq_puts(m, result);
	return 0;
}

static int kgen_open(struct inode *inode, struct file *file)
{
	return single_open(file, kgen_show, NULL);
}

static const struct proc_ops kgen_ops = {
	.proc_open = kgen_open,
	.proc_read = seq_read,
	.proc_write = kgen_write,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
};

static int __init kgen_init(void)
{
	return proc_create("kgen", 0600, NULL, &kgen_ops) ? 0 : -ENOMEM;
}
late_initcall(kgen_init);

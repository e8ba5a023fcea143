/* SPDX-License-Identifier: MIT */
/*
 * postfix/egress - from which IP each transport of smtp(8) sends: smtp_bind_address of the service or of main.cf, else
 * the one address of inet_interfaces (postconf(5), smtp_bind_address). See master.h.
 */
#include "backends/postfix/master_private.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define ARENA_MAX_BYTES (256u << 10)
#define TAG_MAX_BYTES 256
#define TEXT_MAX_BYTES 512

static bool sends(const struct entry *e)
{
	return str_eq(e->command, STR_LIT("smtp"));
}

static bool is_address(struct str word, int family)
{
	char z[INET6_ADDRSTRLEN];
	struct in6_addr room;

	if (word.n == 0 || word.n >= sizeof(z))
		return false;
	memcpy(z, word.p, word.n);
	z[word.n] = '\0';
	return inet_pton(family, z, &room) == 1;
}

static bool is_loopback(struct str word)
{
	return str_starts(word, STR_LIT("127.")) || str_eq(word, STR_LIT("::1"));
}

/* The one address of that family in inet_interfaces; absent when there are several, or a name that says less. */
static struct str one_interface(const char *interfaces, int family)
{
	struct str rest = str_of(interfaces), found = {NULL, 0};

	while (rest.n > 0) {
		size_t n = 0;
		struct str word;

		while (n < rest.n && rest.p[n] != ' ' && rest.p[n] != ',' && rest.p[n] != '\t')
			n++;
		word = str_first(rest, n);
		rest = str_skip(rest, n + 1);
		if (word.n == 0)
			continue;
		if (!is_address(word, AF_INET) && !is_address(word, AF_INET6))
			return (struct str){NULL, 0}; /* "all", a host name */
		if (!is_address(word, family))
			continue;
		if (str_present(found))
			return (struct str){NULL, 0};
		found = word;
	}
	return str_present(found) && is_loopback(found) ? (struct str){NULL, 0} : found;
}

static struct str bound(struct str own, const char *main_cf, const char *interfaces, int family)
{
	struct str s = str_present(own) ? own : str_of(main_cf);

	if (s.n > 0)
		return s;
	return one_interface(interfaces, family);
}

static void add_row(struct postfix_egress *out, struct str tag, struct str ip, struct str ip6)
{
	struct egress_row *row = NULL;
	struct buf text;

	buf_init(&text, TEXT_MAX_BYTES);
	(void)buf_add_str(&text, str_present(ip) ? ip : (struct str){"", 0});
	if (str_present(ip6))
		(void)buf_printf(&text, "%s%.*s", text.n ? " " : "", STR_ARG(ip6));
	for (size_t i = 0; i < out->n && !row; i++)
		if (str_eq(out->rows[i].tag, tag))
			row = &out->rows[i];
	if (row) {
		if (!str_eq(str_present(row->ip) ? row->ip : (struct str){"", 0}, buf_str(&text))) {
			row->ip = (struct str){NULL, 0};
			row->note = STR_LIT("several transports of different addresses share this "
					    "tag: give each its syslog_name");
		}
	} else if (out->n < MASTER_ROWS_MAX) {
		out->rows[out->n++] = (struct egress_row){.tag = arena_str(&out->arena, tag),
			.ip = text.n ? arena_str(&out->arena, buf_str(&text))
				     : (struct str){NULL, 0},
			.note = text.n == 0 ? STR_LIT("no smtp_bind_address: the system chooses "
						      "the address")
				: str_present(ip) && str_present(ip6)
					? STR_LIT("IPv4 and IPv6 are counted together")
					: (struct str){NULL, 0}};
	}
	buf_done(&text);
}

void postfix_egress_parse(struct str services, struct str params, const struct postfix_config *c,
	struct postfix_egress *ret)
{
	struct entries *all = calloc(1, sizeof(*all));
	struct buf tag;

	*ret = (struct postfix_egress){.n = 0};
	arena_init(&ret->arena, ARENA_MAX_BYTES);
	buf_init(&tag, TAG_MAX_BYTES);
	if (all)
		master_read(services, params, sends, all);
	for (size_t i = 0; all && i < all->n; i++) {
		const struct entry *e = &all->e[i];
		struct str name =
			str_present(e->syslog_name) ? e->syslog_name : str_of(c->syslog_name);

		/* master.cf may say it by the service's own name */
		if (str_find(name, STR_LIT("$service_name")) < name.n)
			name = (struct str){NULL, 0};
		buf_clear(&tag);
		if (str_present(name))
			(void)buf_add_str(&tag, name);
		else
			(void)buf_printf(&tag, "%s/%.*s", c->syslog_name, STR_ARG(e->service));
		(void)buf_add_z(&tag, "/smtp");
		if (tag.err == MT_OK)
			add_row(ret, buf_str(&tag),
				bound(e->bind, c->smtp_bind_address, c->inet_interfaces, AF_INET),
				bound(e->bind6, c->smtp_bind_address6, c->inet_interfaces,
					AF_INET6));
	}
	buf_done(&tag);
	free(all);
}

void postfix_egress_done(struct postfix_egress *e)
{
	arena_done(&e->arena);
	e->n = 0;
}

/* SPDX-License-Identifier: MIT */
/* postfix/master - service tags and their ports; see master.h. */
#include "backends/postfix/master_private.h"

#include "store/base/scan.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_MAX_BYTES (256u << 10) /* names and notes */
#define NOTE_MAX_BYTES 512
#define PORT_MAX 65535
#define SERVICE_NAME_MAX 64 /* services(5) names are short */
#define COMMAND_FIELD 7 /* service type private unpriv chroot wakeup maxproc command */

static int32_t known_port(struct str name)
{
	static const struct {
		const char *name;
		int32_t port;
	} ports[] = {{"smtp", 25}, {"smtps", 465}, {"submission", 587}, {"submissions", 465},
		{"urd", 465}};

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (str_eq(name, str_of(ports[i].name)))
			return ports[i].port;
	return EVENT_UNKNOWN;
}

static int32_t looked_up_port(struct str name)
{
	struct addrinfo hints = {
		.ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *found = NULL;
	struct sockaddr_in in;
	char z[SERVICE_NAME_MAX + 1];

	if (name.n == 0 || name.n > SERVICE_NAME_MAX || memchr(name.p, '\0', name.n))
		return EVENT_UNKNOWN;
	memcpy(z, name.p, name.n);
	z[name.n] = '\0';
	if (getaddrinfo(NULL, z, &hints, &found) != 0 || !found)
		return EVENT_UNKNOWN;
	memcpy(&in, found->ai_addr, sizeof(in));
	freeaddrinfo(found);
	return in.sin_port ? ntohs(in.sin_port) : EVENT_UNKNOWN;
}

int32_t postfix_port(struct str service)
{
	size_t colon = str_rfind_char(service, ':');
	struct str name = colon < service.n ? str_skip(service, colon + 1) : service;
	uint64_t n;
	int32_t port;

	if (scan_all_u64(name, PORT_MAX, &n))
		return n ? (int32_t)n : EVENT_UNKNOWN;
	port = known_port(name);
	return port > 0 ? port : looked_up_port(name);
}

static bool next_line(struct str *in, struct str *ret)
{
	if (in->n == 0)
		return false;
	*ret = str_first(*in, str_find_char(*in, '\n'));
	*in = str_skip(*in, ret->n + 1);
	return true;
}

static bool next_field(struct str *in, struct str *ret)
{
	while (in->n > 0 && (in->p[0] == ' ' || in->p[0] == '\t'))
		*in = str_skip(*in, 1);
	return scan_word(in, ret);
}

static void set_param(struct entry *e, struct str name, struct str value)
{
	if (str_eq(name, STR_LIT("syslog_name")))
		e->syslog_name = value;
	else if (str_eq(name, STR_LIT("smtpd_service_name")))
		e->smtpd_service = value;
	else if (str_eq(name, STR_LIT("smtp_bind_address")))
		e->bind = value;
	else if (str_eq(name, STR_LIT("smtp_bind_address6")))
		e->bind6 = value;
	else if (str_eq(name, STR_LIT("smtpd_tls_wrappermode")))
		e->wrapper = str_ieq(value, STR_LIT("yes"));
}

/* "-o name=value" and "-o { name = value }" behind the command; other options are passed over. */
static void take_options(struct entry *e, struct str rest)
{
	struct str word, option;

	while (next_field(&rest, &word)) {
		size_t eq;

		if (!str_eq(word, STR_LIT("-o")) || !next_field(&rest, &option))
			continue;
		if (str_eq(option, STR_LIT("{")) && !scan_until(&rest, '}', &option))
			return;
		rest = str_starts(rest, STR_LIT("}")) ? str_skip(rest, 1) : rest;
		eq = str_find_char(option, '=');
		if (eq < option.n)
			set_param(e, str_trim(str_first(option, eq)),
				str_trim(str_skip(option, eq + 1)));
	}
}

static bool serves_clients(const struct entry *e)
{
	bool smtpd = str_eq(e->command, STR_LIT("smtpd"));

	if (str_eq(e->type, STR_LIT("inet")))
		return smtpd || str_eq(e->command, STR_LIT("postscreen")) ||
		       str_eq(e->command, STR_LIT("qmqpd"));
	return smtpd && str_eq(e->type, STR_LIT("pass"));
}

static void read_services(struct str text, bool (*keep)(const struct entry *e), struct entries *all)
{
	struct str line;

	while (all->n < ENTRIES_MAX && next_line(&text, &line)) {
		struct entry e = {.wrapper = EVENT_UNKNOWN};
		struct str skipped;
		size_t slash;
		bool ok = next_field(&line, &e.service) && next_field(&line, &e.type);

		for (int i = 2; ok && i < COMMAND_FIELD; i++)
			ok = next_field(&line, &skipped);
		if (!ok || !next_field(&line, &e.command))
			continue;
		slash = str_rfind_char(e.command, '/');
		if (slash < e.command.n)
			e.command = str_skip(e.command, slash + 1);
		if (!keep(&e))
			continue;
		take_options(&e, line);
		all->e[all->n++] = e;
	}
}

/* "service/type/name = value" lines of postconf -P; a service name may hold a slash, so match known ones. */
static void read_params(struct str text, struct entries *all)
{
	struct str line;

	while (next_line(&text, &line)) {
		size_t eq = str_find_char(line, '=');
		struct str key = str_trim(str_first(line, eq)),
			   value = str_trim(str_skip(line, eq + 1));

		for (size_t i = 0; eq < line.n && i < all->n; i++) {
			struct str name = key;

			if (scan_lit(&name, all->e[i].service) && scan_lit(&name, STR_LIT("/")) &&
				scan_lit(&name, all->e[i].type) && scan_lit(&name, STR_LIT("/")))
				set_param(&all->e[i], name, value);
		}
	}
}

void master_read(struct str services, struct str params, bool (*keep)(const struct entry *e),
	struct entries *all)
{
	read_services(services, keep, all);
	read_params(params, all);
}

static struct service_row *row_of(
	struct postfix_services *s, struct str syslog_name, struct str command)
{
	struct buf tag;
	struct service_row *row = NULL;

	buf_init(&tag, NOTE_MAX_BYTES);
	(void)buf_add_str(&tag, syslog_name);
	(void)buf_add_char(&tag, '/');
	(void)buf_add_str(&tag, command);
	for (size_t i = 0; i < s->n && !row; i++)
		if (str_eq(s->rows[i].tag, buf_str(&tag)))
			row = &s->rows[i];
	if (!row && s->n < MASTER_ROWS_MAX && tag.err == MT_OK) {
		row = &s->rows[s->n++];
		*row = (struct service_row){.tag = arena_str(&s->arena, buf_str(&tag)),
			.port = EVENT_UNKNOWN,
			.wrapper = EVENT_UNKNOWN};
	}
	buf_done(&tag);
	return row;
}

/* Note of an ambiguous tag: "25 and 10025 share the name postfix/smtpd"; grown one port at a time. */
static void note_shared(struct postfix_services *s, struct service_row *row, int32_t port)
{
	static const char shares[] = " share the name ";
	struct buf note;
	struct str ports = row->note;

	buf_init(&note, NOTE_MAX_BYTES);
	if (str_present(ports)) {
		(void)buf_add_str(&note, str_first(ports, str_find(ports, str_of(shares))));
		(void)buf_printf(&note, ", %d", port);
	} else {
		(void)buf_printf(&note, "%d and %d", row->port, port);
	}
	(void)buf_add_z(&note, shares);
	(void)buf_add_str(&note, row->tag);
	if (note.err == MT_OK)
		row->note = arena_str(&s->arena, buf_str(&note));
	buf_done(&note);
}

static bool note_has_port(struct str note, int32_t port)
{
	char digits[16];
	struct str word;

	snprintf(digits, sizeof(digits), "%d", port);
	while (next_field(&note, &word)) {
		word = str_first(word, str_find_char(word, ','));
		if (str_eq(word, str_of(digits)))
			return true;
		if (str_eq(word, STR_LIT("share")))
			return false;
	}
	return false;
}

static void add_port(
	struct postfix_services *s, struct service_row *row, int32_t port, int wrapper, bool first)
{
	if (first)
		row->wrapper = wrapper;
	else if (row->wrapper != wrapper)
		row->wrapper = EVENT_UNKNOWN;
	if (port < 0) {
		/* One of its ports is not known: then the tag's port is not either. */
		row->source = PORT_UNKNOWN;
		row->port = EVENT_UNKNOWN;
	} else if (first) {
		row->source = PORT_FROM_MASTER;
		row->port = port;
	} else if (row->source == PORT_FROM_MASTER && row->port != port) {
		note_shared(s, row, port);
		row->source = PORT_AMBIGUOUS;
		row->port = EVENT_UNKNOWN;
	} else if (row->source == PORT_AMBIGUOUS && !note_has_port(row->note, port)) {
		note_shared(s, row, port);
	}
}

static void add_entry(struct postfix_services *s, const struct entry *e, int32_t port,
	const struct postfix_config *c)
{
	size_t before = s->n;
	struct str name = str_present(e->syslog_name) ? e->syslog_name : str_of(c->syslog_name);
	int wrapper = e->wrapper >= 0 ? e->wrapper : (int)c->smtpd_tls_wrappermode;
	struct service_row *row = row_of(s, name, e->command);

	if (row)
		add_port(s, row, port, wrapper, s->n > before);
}

/* smtpd behind postscreen has the ports of every postscreen that hands over to it. */
static void add_passed(struct postfix_services *s, const struct entries *all, const struct entry *e,
	const struct postfix_config *c)
{
	struct str fallback =
		c->smtpd_service_name[0] ? str_of(c->smtpd_service_name) : STR_LIT("smtpd");

	for (size_t i = 0; i < all->n; i++) {
		const struct entry *screen = &all->e[i];
		struct str to =
			str_present(screen->smtpd_service) ? screen->smtpd_service : fallback;

		if (str_eq(screen->command, STR_LIT("postscreen")) && str_eq(to, e->service))
			add_entry(s, e, postfix_port(screen->service), c);
	}
}

void postfix_master_parse(struct str services, struct str params, const struct postfix_config *c,
	struct postfix_services *ret)
{
	struct entries *all = calloc(1, sizeof(*all));

	*ret = (struct postfix_services){.n = 0};
	arena_init(&ret->arena, ARENA_MAX_BYTES);
	if (!all)
		return;
	master_read(services, params, serves_clients, all);
	for (size_t i = 0; i < all->n; i++) {
		if (str_eq(all->e[i].type, STR_LIT("pass")))
			add_passed(ret, all, &all->e[i], c);
		else
			add_entry(ret, &all->e[i], postfix_port(all->e[i].service), c);
	}
	free(all);
}

void postfix_services_done(struct postfix_services *s)
{
	arena_done(&s->arena);
	s->n = 0;
}

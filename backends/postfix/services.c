/* SPDX-License-Identifier: MIT */
/* postfix/services - the service -> port map of an instance, from postconf into the store; see master.h. */
#include "backends/postfix/master.h"
#include "backends/spawn.h"

#include "store/base/mem.h"

#include <stdlib.h>

#define MASTER_MAX_BYTES (1u << 20) /* output of postconf -M or -P */
#define COMPLAINT_MAX_BYTES 1024

#define OWN_MAX 1000 /* domains; more are in tables */

struct own_list {
	struct str names[OWN_MAX];
	size_t n;
};

/* With -x for the names in values; without, where that fails (a name that stands for itself, an old postconf). */
static int run_master(const char *tool, const char *dir, const char *what, struct buf *out,
	struct mt_error *reterr)
{
	const char *expanded[] = {tool, "-c", dir, "-x", what, NULL};
	const char *as_written[] = {tool, "-c", dir, what, NULL};
	struct buf complaint;
	int rc;

	buf_init(&complaint, COMPLAINT_MAX_BYTES);
	rc = postfix_run_text(expanded, (struct str){0}, out, &complaint, NULL);
	if (rc != 0) {
		buf_clear(out);
		buf_clear(&complaint);
		rc = postfix_run_text(as_written, (struct str){0}, out, &complaint, reterr);
	}
	if (rc > 0)
		rc = mt_error_set(reterr, MT_ECONFIG, "%s", buf_z(&complaint));
	buf_done(&complaint);
	return rc;
}

static int write_maps(struct store *store, int provider, struct str services, struct str params,
	const struct postfix_config *c, struct mt_error *reterr)
{
	struct postfix_services s;
	struct postfix_egress e;
	int rc;

	postfix_master_parse(services, params, c, &s);
	postfix_egress_parse(services, params, c, &e);
	rc = store_services(store, provider, s.rows, s.n, reterr);
	if (rc == 0)
		rc = store_egress(store, provider, e.rows, e.n, reterr);
	postfix_services_done(&s);
	postfix_egress_done(&e);
	return rc;
}

/* own_words - names with a dot of a list, but one: tables (type:name), patterns and files say nothing by themselves. */
static void own_words(struct own_list *out, const char *list, struct str but)
{
	struct str rest = str_of(list);

	while (rest.n > 0 && out->n < OWN_MAX) {
		size_t n = 0;
		struct str word;

		while (n < rest.n && rest.p[n] != ' ' && rest.p[n] != ',' && rest.p[n] != '\t')
			n++;
		word = str_first(rest, n);
		rest = str_skip(rest, n + 1);
		if (word.n == 0 || str_find_char(word, '.') == word.n ||
			str_find_char(word, ':') < word.n || str_find_char(word, '/') < word.n ||
			str_find_char(word, '$') < word.n || word.p[0] == '!' ||
			str_ieq(word, but) || str_starts(word, STR_LIT("localhost.")))
			continue;
		out->names[out->n++] = word;
	}
}

/* write_own - for the checks in the DNS: the domains it takes mail for, and how it greets. */
static int write_own(
	struct store *store, int provider, const struct postfix_config *c, struct mt_error *reterr)
{
	struct own_list *own = xcalloc(1, sizeof(*own));
	struct str helo = str_of(c->smtp_helo_name[0] ? c->smtp_helo_name : c->myhostname);
	int rc;

	/* The host's own name stands in mydestination by default; nobody sends mail as of it. */
	own_words(own, c->mydestination, str_of(c->myhostname));
	own_words(own, c->mydomain, (struct str){NULL, 0});
	own_words(own, c->virtual_mailbox_domains, (struct str){NULL, 0});
	rc = store_own(store, provider, OWN_DOMAIN, own->names, own->n, reterr);
	if (rc == 0)
		rc = store_own(store, provider, OWN_HELO, &helo, helo.n > 0, reterr);
	free(own);
	return rc;
}

int postfix_services(
	struct store *store, int provider, const struct instance_def *def, struct mt_error *reterr)
{
	struct postfix_config c = {0};
	struct buf services, params;
	char *tool = spawn_find_tool("postconf");
	int rc;

	buf_init(&services, MASTER_MAX_BYTES);
	buf_init(&params, MASTER_MAX_BYTES);
	if (!def->config_dir || !tool) { /* only a log: stock names must do */
		rc = store_services(store, provider, NULL, 0, reterr);
		if (rc == 0)
			rc = store_active_limit(store, provider, EVENT_UNKNOWN, reterr);
		goto out;
	}
	rc = postfix_config_load(&c, def->config_dir, reterr);
	if (rc == 0)
		rc = run_master(tool, def->config_dir, "-M", &services, reterr);
	if (rc == 0 && run_master(tool, def->config_dir, "-P", &params, NULL) < 0)
		buf_clear(&params); /* Postfix < 2.11: the options of -M have it all */
	if (rc == 0)
		rc = write_maps(store, provider, buf_str(&services), buf_str(&params), &c, reterr);
	if (rc == 0)
		rc = store_active_limit(store, provider, c.qmgr_message_active_limit, reterr);
	if (rc == 0)
		rc = write_own(store, provider, &c, reterr);
	postfix_config_done(&c);
out:
	buf_done(&services);
	buf_done(&params);
	free(tool);
	return rc;
}

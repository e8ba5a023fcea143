/* SPDX-License-Identifier: MIT */
/* postfix/services - the service -> port map of an instance, from postconf into the store; see master.h. */
#include "backends/postfix/master.h"

#include <stdlib.h>

#define MASTER_MAX_BYTES (1u << 20) /* output of postconf -M or -P */
#define COMPLAINT_MAX_BYTES 1024

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

int postfix_services(
	struct store *store, int provider, const struct instance_def *def, struct mt_error *reterr)
{
	struct postfix_config c = {0};
	struct buf services, params;
	char *tool = postfix_find_tool("postconf");
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
	postfix_config_done(&c);
out:
	buf_done(&services);
	buf_done(&params);
	free(tool);
	return rc;
}

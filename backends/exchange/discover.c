/* SPDX-License-Identifier: MIT */
/*
 * exchange/discover - the Exchange servers whose log folders were named.
 *
 * Exchange runs on Windows: its logs come over a mounted share or are copied here. Nothing tells where, so a section names
 * the folders; each section is a provider of its own.
 */
#include "backends/exchange/discover.h"

#include "store/base/mem.h"

#include <stdlib.h>

#define SECTION "exchange"

const struct conf_key exchange_keys[EXCHANGE_NKEYS] = {
	{.section = SECTION,
		.name = "enabled",
		.type = CONF_BOOL,
		.fallback = "yes",
		.help = "Watch this Exchange server or organisation"},
	{.section = SECTION,
		.name = "folder",
		.type = CONF_LIST,
		.fallback = "",
		.help = "Folders with its logs in them or below, mounted or copied: message "
			"tracking (MSGTRK*.LOG), "
			"protocol (SEND*.LOG, RECV*.LOG), connectivity (CONNECTLOG*.LOG); of all "
			"servers of an organisation, so that each message counts once. The "
			"view :log shows that of the first"},
};

bool exchange_reads(struct str prefix)
{
	static const struct str ours[] = {STR_INIT("MSGTRK"), STR_INIT("MSGTRKM"),
		STR_INIT("MSGTRKMA"), STR_INIT("MSGTRKMD"), STR_INIT("MSGTRKMS"), STR_INIT("SEND"),
		STR_INIT("RECV"), STR_INIT("CONNECTLOG")};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (str_ieq(prefix, ours[i]))
			return true;
	return false;
}

static int give(const struct conf *conf, const char *instance,
	int (*found)(void *ctx, const struct instance_def *def), void *ctx)
{
	char *name = instance ? xasprintf(SECTION "-%s", instance) : xstrdup(SECTION);
	struct instance_def def = {
		.family = SECTION, .name = name, .folders = true, .section = instance};
	int rc = 0;

	def.logs = conf_list(conf, SECTION, instance, "folder", &def.nlogs);
	if (def.nlogs && conf_bool(conf, SECTION, instance, "enabled"))
		rc = found(ctx, &def) < 0 ? MT_ECANCELED : 1;
	free(name);
	return rc;
}

int exchange_discover(const struct conf *conf,
	int (*found)(void *ctx, const struct instance_def *def), void *ctx, struct mt_error *reterr)
{
	size_t n;
	const char *const *names = conf_instances(conf, SECTION, &n);
	int rc = 0, total = 0;

	(void)reterr;
	if (n == 0)
		return give(conf, NULL, found, ctx);
	for (size_t i = 0; i < n && rc >= 0; i++) {
		rc = give(conf, names[i], found, ctx);
		total += rc > 0;
	}
	return rc < 0 ? rc : total;
}

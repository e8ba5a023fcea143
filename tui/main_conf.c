/* SPDX-License-Identifier: MIT */
/* main_conf - the tables of all configuration keys together, where the cache is, and --dump-config. */
#include "backends/confkeys.h"
#include "backends/probe_conf.h"
#include "backends/registry.h"
#include "store/base/mem.h"
#include "tui/dashboard.h"
#include "tui/main_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

size_t main_conf_tables(struct conf_table *out, size_t max)
{
	size_t n = 0;

	out[n++] = collector_conf_table();
	out[n++] = dashboard_conf;
	out[n++] = warmup_conf_table();
	out[n++] = alert_conf_table();
	out[n++] = probe_conf_table();
	for (size_t i = 0; backend_table[i] && n < max; i++)
		if (backend_table[i]->nkeys)
			out[n++] = (struct conf_table){
				backend_table[i]->keys, backend_table[i]->nkeys};
	return n;
}

/* logs_cache_name - a cache of their own for given files, so that they never mix with this machine's. */
static char *logs_cache_name(const struct args *args)
{
	uint64_t h =
		UINT64_C(1469598103934665603); /* FNV-1a: the name must be the same the next time */

	for (size_t i = 0; i < args->nlogs; i++) {
		char *path = realpath(args->logs[i], NULL);

		for (const char *p = path ? path : args->logs[i]; *p; p++)
			h = (h ^ (unsigned char)*p) * UINT64_C(1099511628211);
		h = (h ^ '\n') * UINT64_C(1099511628211);
		free(path);
	}
	return xasprintf("log-%016llx.db", (unsigned long long)h);
}

char *main_cache_path(const struct args *args, const struct conf *conf)
{
	const char *state = getenv("STATE_DIRECTORY");
	const char *xdg = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");
	char *name;
	char *path;

	if (args->cache)
		return xstrdup(args->cache);
	if (!args->nlogs && conf_text(conf, "mtatop", NULL, "cache")[0])
		return xstrdup(conf_text(conf, "mtatop", NULL, "cache"));
	name = args->nlogs ? logs_cache_name(args) : xstrdup("cache.db");
	if (state && state[0] == '/')
		path = xasprintf("%.*s/%s", (int)strcspn(state, ":"), state, name);
	else if (xdg && xdg[0] == '/')
		path = xasprintf("%s/mtatop/%s", xdg, name);
	else if (geteuid() == 0)
		path = xasprintf("/var/lib/mtatop/%s", name);
	else
		path = xasprintf(
			"%s/.cache/mtatop/%s", home && home[0] == '/' ? home : "/tmp", name);
	free(name);
	return path;
}

struct dump {
	const char *section, *instance;
};

static void dump_key(
	void *ctx, const struct conf_key *key, const char *instance, const char *value, bool is_set)
{
	struct dump *d = ctx;

	if (!d->section || strcmp(d->section, key->section) != 0 ||
		strcmp(d->instance ? d->instance : "", instance ? instance : "") != 0) {
		printf("%s[%s%s%s]\n", d->section ? "\n" : "", key->section, instance ? " " : "",
			instance ? instance : "");
		d->section = key->section;
		d->instance = instance;
	}
	printf("# %s%s%s\n", key->help, key->choices ? ": " : "", key->choices ? key->choices : "");
	printf("%s%s = %s\n", is_set ? "" : "#", key->name, value);
}

void main_dump_config(const struct conf *conf)
{
	struct dump d = {NULL, NULL};

	conf_each(conf, dump_key, &d);
}

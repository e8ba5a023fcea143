/* SPDX-License-Identifier: MIT */
/* api_check - see api_check.h. */
#include "backends/api_check.h"

#include "backends/keys.h"
#include "store/base/utf8.h"

#include <stdio.h>

#define SHOWN_MAX_BYTES 4096
#define BODY_MAX_BYTES (4u << 20)
#define TEXT_MAX_BYTES 400

struct answer {
	int rc;
	struct mt_error error;
};

static void answered(void *ctx, const struct http_reply *reply)
{
	struct answer *a = ctx;

	a->rc = reply->rc;
	a->error = reply->error;
}

/* ask - the answer to one probe; a failure to ask at all is one too. */
static struct answer ask(struct http *http, const struct http_auth *auth,
	const struct api_checked *api, const struct api_probe *probe)
{
	struct answer a = {.rc = MT_ENET};
	const struct http_request r = {.method = probe->method,
		.path = probe->path,
		.body = str_of(probe->body ? probe->body : ""),
		.auth = auth,
		.headers = api->headers,
		.body_max_bytes = BODY_MAX_BYTES,
		.done = answered,
		.ctx = &a};
	int rc = http_start(http, &r, &a.error);

	if (rc == 0)
		rc = http_finish(http, NULL, NULL, &a.error);
	if (rc < 0)
		a.rc = rc;
	return a;
}

/* shown - a vendor's words on a terminal. */
static const char *shown(struct buf *b, const char *text)
{
	buf_clear(b);
	return utf8_show_text(b, str_of(text), true) < 0 ? "?" : buf_z(b);
}

static const char *fix_of(int rc)
{
	if (rc == MT_EAUTH)
		return "put a valid key into its file; a key of another region is refused too";
	if (rc == MT_ENET)
		return "check the network, the proxy in the environment, and ca_file where "
		       "certificates are your own";
	return "check region and base_url";
}

static int tell(const struct api_probe *probe, const struct answer *a, bool first,
	const struct check_report *report, struct buf *b)
{
	char text[TEXT_MAX_BYTES];

	if (a->rc == 0) {
		report->good(probe->what, first ? "the API is reached, and the key is taken"
						: "the key may read them");
		return 0;
	}
	if (!first && (a->rc == MT_EPERM || a->rc == MT_EAUTH || a->rc == MT_ENOENT)) {
		snprintf(text, sizeof(text), "not for this key (%.150s)%s%s%s%s", a->error.text,
			probe->needs ? "; grant it the " : "", probe->needs ? probe->needs : "",
			probe->instead ? "; " : "", probe->instead ? probe->instead : "");
		report->note(probe->what, shown(b, text));
		return 0;
	}
	return report->bad(probe->what, shown(b, a->error.text), fix_of(a->rc));
}

static int ask_all(const struct conf *conf, const struct instance_def *def,
	const struct api_checked *api, const struct secret *key, const struct check_report *report)
{
	const struct http_options o = {.base = api->base,
		.ca_file = conf_text(conf, api->family, def->section, "ca_file"),
		.connections = 1};
	const struct http_auth auth = {api->auth, api->auth_name, key};
	struct mt_error error = {0};
	struct http *http = NULL;
	struct buf b;
	int problems = 0;

	if (http_new(&o, &http, &error) < 0)
		return report->bad("API", error.text, "correct its section of mtatop.conf");
	buf_init(&b, SHOWN_MAX_BYTES);
	for (size_t i = 0; i < api->n; i++) {
		struct answer a = ask(http, &auth, api, &api->probes[i]);

		problems += tell(&api->probes[i], &a, i == 0, report, &b);
		if (i == 0 && a.rc < 0) /* the rest would say the same */
			break;
	}
	buf_done(&b);
	http_free(http);
	return problems;
}

int api_check(const struct conf *conf, const struct instance_def *def,
	const struct api_checked *api, const struct check_report *report)
{
	char where[KEY_ORIGIN_MAX_BYTES];
	struct mt_error error = {0};
	struct secret *key = NULL;
	int problems;

	if (key_find(conf, api->family, def->section, &key, where, &error) < 0)
		return report->bad("key", error.text, "as it says; see man mtatop.conf");
	report->good("key", where);
	problems = ask_all(conf, def, api, key, report);
	secret_free(key);
	return problems;
}

/* SPDX-License-Identifier: MIT */
/*
 * keys - where the key of a provider comes from, and which providers the configuration names.
 *
 * In this order: $CREDENTIALS_DIRECTORY/NAME (systemd LoadCredential=), key_file of its section, the environment
 * variable MTATOP_NAME_KEY; NAME is the family, or family and instance ("mailgun-eu", MTATOP_MAILGUN_EU_KEY), an
 * instance without one of its own has the family's. Never the command line. A key is shown nowhere.
 */
#ifndef MT_BACKENDS_KEYS_H
#define MT_BACKENDS_KEYS_H

#include "backends/backend.h"
#include "store/base/secret.h"

#define KEY_ORIGIN_MAX_BYTES 256

/* The configuration keys every family with a web API has, as initializers of struct conf_key. */
#define KEY_CONF_BASE_URL(family)                                                                  \
	{                                                                                          \
		.section = (family), .name = "base_url", .type = CONF_TEXT, .fallback = "",        \
		.help = "Where the API is, for a proxy or a test: https://HOST, or http:// to "    \
			"this machine; empty: the vendor's"                                        \
	}
#define KEY_CONF_CA_FILE(family)                                                                   \
	{                                                                                          \
		.section = (family), .name = "ca_file", .type = CONF_PATH, .fallback = "",         \
		.help = "Certificates to trust instead of the system's"                            \
	}
#define KEY_CONF_KEY_FILE(family)                                                                  \
	{                                                                                          \
		.section = (family), .name = "key_file", .type = CONF_PATH, .fallback = "",        \
		.help = "File with the API key, readable by nobody else (chmod 600); a systemd "   \
			"credential comes first, the environment last"                             \
	}
#define KEY_CONF_RATE(family)                                                                      \
	{                                                                                          \
		.section = (family), .name = "requests_per_minute", .type = CONF_INT,              \
		.fallback = "0", .max = 1000000,                                                   \
		.help = "Requests to one endpoint a minute at most; 0: as mtatop knows the "       \
			"vendor's limits"                                                          \
	}

/*
 * key_find - the key of a provider. where: at least KEY_ORIGIN_MAX_BYTES, gets where it was found ("key_file /etc/..."),
 * may be NULL. Gives *ret.
 * MT_ECONFIG with what to do: no key; a file others can read or write (chmod 600 PATH), of another user, no regular
 * file, or whose content is no key (one line of visible ASCII, 8 to SECRET_MAX_BYTES bytes).
 */
int key_find(const struct conf *conf, const char *family, const char *section, struct secret **ret,
	char *where, struct mt_error *reterr) MT_MUST_CHECK;

/* What a family's discovery has to know of its sections: keys key_file, ca_file of its table. */
typedef int (*provider_found)(void *ctx, const struct instance_def *def);
/* key_providers - a backend_ops.discover for a family with a web API: each [family NAME], or the plain [family] when
 * something in it is set or there is a key for it. Returns how many. */
int key_providers(const struct conf *conf, const char *family, provider_found found, void *ctx,
	struct mt_error *reterr) MT_MUST_CHECK;

/* key_ready - the sandbox must let it read: the folder of credentials, or NULL. Borrowed. */
const char *key_credentials_folder(void);

#endif

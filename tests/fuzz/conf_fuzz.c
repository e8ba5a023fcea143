/* SPDX-License-Identifier: MIT */
/* conf_fuzz - any bytes as a configuration file: taken within the ranges, or refused with nothing changed. */
#include "store/base/conf.h"
#include "tests/fuzz/fuzz.h"

static const struct conf_key keys[] = {
	{"mtatop", "interval", CONF_DURATION, "5s", 1000, 86400000, NULL, "", false},
	{"mtatop", "cache", CONF_PATH, "~/cache", 0, 0, NULL, "", false},
	{"mtatop", "colour", CONF_CHOICE, "auto", 0, 0, "auto|yes|no", "", false},
	{"mtatop", "limit", CONF_SIZE, "4G", 1048576, INT64_C(1) << 40, NULL, "", false},
	{"postfix", "log", CONF_LIST, "", 0, 0, NULL, "", false},
	{"postfix", "depth", CONF_INT, "3", -5, 10, NULL, "", false},
	{"postfix", "key", CONF_TEXT, "", 0, 0, NULL, "", true},
	{"postfix", "mouse", CONF_BOOL, "yes", 0, 0, NULL, "", false},
};
static const struct conf_table tables[] = {{keys, sizeof(keys) / sizeof(keys[0])}};

static void check_value(
	void *ctx, const struct conf_key *key, const char *instance, const char *value, bool is_set)
{
	(void)instance;
	FUZZ_CHECK(value != NULL);
	FUZZ_CHECK(!key->secret || !is_set || value[0] == '\0' || strcmp(value, "***") == 0);
	FUZZ_CHECK(*(const int *)ctx == 0 || !is_set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf *c = conf_new(tables, 1);
	struct str in = str_make((const char *)data, size);
	struct mt_error err = {0};
	int rc = conf_load_text(c, "f", in, size % 2 == 1, &err);
	int64_t depth, interval_ms, number;
	size_t n;

	FUZZ_CHECK(rc == 0 || (rc == MT_ECONFIG && err.text[0] != '\0'));
	conf_each(c, check_value, &rc);
	depth = conf_int(c, "postfix", NULL, "depth");
	interval_ms = conf_int(c, "mtatop", NULL, "interval");
	FUZZ_CHECK(depth >= -5 && depth <= 10 && interval_ms >= 1000 && interval_ms <= 86400000);
	conf_instances(c, "postfix", &n);
	FUZZ_CHECK(rc == 0 || n == 0);
	FUZZ_CHECK(conf_parse_duration_ms(in, &number) < 0 || number >= 0);
	FUZZ_CHECK(conf_parse_size_bytes(in, &number) < 0 || number >= 0);
	conf_free(c);
	return 0;
}

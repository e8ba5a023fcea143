/* SPDX-License-Identifier: MIT */
/* probe_conf - the [probe] section of mtatop.conf: whom to probe, how often, and how. */
#ifndef MT_BACKENDS_PROBE_CONF_H
#define MT_BACKENDS_PROBE_CONF_H

#include "backends/probe.h"
#include "store/base/conf.h"

#define PROBE_SUBMISSIONS_PORT 465 /* TLS from the first byte (RFC 8314) */

struct conf_table probe_conf_table(void);
/* probe_conf_options - timeout, name, certificates of the section; the rest is the caller's. Strings borrowed from conf. */
void probe_conf_options(const struct conf *conf, struct probe_options *out);
/* probe_conf_check - every target of the section can be read. MT_ECONFIG. */
int probe_conf_check(const struct conf *conf, struct mt_error *reterr) MT_MUST_CHECK;

#endif

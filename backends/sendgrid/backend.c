/* SPDX-License-Identifier: MIT */
/* backend - the sendgrid family's one line of registration. */
#include "backends/keys.h"
#include "backends/sendgrid/job.h"
#include "backends/sendgrid/keys.h"
#include "backends/sendgrid/show.h"
#include "backends/sendgrid/source.h"

extern const struct backend_ops sendgrid_backend;

static const struct source_ops *const sources[] = {&sendgrid_source, NULL};

static int discover(const struct conf *conf,
	int (*found)(void *ctx, const struct instance_def *def), void *ctx, struct mt_error *reterr)
{
	return key_providers(conf, "sendgrid", found, ctx, reterr);
}

const struct backend_ops sendgrid_backend = {
	.name = "sendgrid",
	.summary =
		"SendGrid: statistics, failures, suppressions, IPs of an account and its subusers",
	.keys = sendgrid_keys,
	.nkeys = SENDGRID_NKEYS,
	.caps = BACKEND_CAP_DETAIL | BACKEND_CAP_ACT,
	.replay_body = sendgrid_show,
	.discover = discover,
	.sources = sources,
	.job = sendgrid_job,
};

/* SPDX-License-Identifier: MIT */
/* show - a body as lines of JSON, one a row: what `mtatop --replay sendgrid FILE` prints and the fixtures hold. */
#ifndef MT_BACKENDS_SENDGRID_SHOW_H
#define MT_BACKENDS_SENDGRID_SHOW_H

#include "store/base/buf.h"

/* sendgrid_show - backend_ops.replay_body of the family. */
int sendgrid_show(struct str body, struct buf *out, struct mt_error *reterr) MT_MUST_CHECK;

#endif

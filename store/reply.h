/* SPDX-License-Identifier: MIT */
/*
 * reply - keep a reply text once: a template with its varying parts taken out, and those parts.
 *
 * Varying parts are the words (runs of bytes other than space and the brackets, quotes and
 * separators listed in reply.c) that hold a digit and are not a reply code, and <addresses>. In the template each is
 * one byte REPLY_HOLE. The split is lossless: join(split(x)) == x for every byte string without
 * that byte; others are kept whole as a template of their own with no holes filled.
 * The template is also the signature under which like failures are grouped.
 */
#ifndef MT_STORE_REPLY_H
#define MT_STORE_REPLY_H

#include "store/base/buf.h"

#define REPLY_HOLE '\x1a' /* SUB: "a character in place of another"; never valid in an SMTP reply */

/*
 * reply_split - template and args of a reply text.
 * text   the reply as logged, any bytes.
 * template_out, args_out   cleared and filled; args are joined by REPLY_HOLE.
 * Returns 0 or MT_ELIMIT / MT_ENOMEM of the buffers.
 */
int reply_split(struct str text, struct buf *template_out, struct buf *args_out) MT_MUST_CHECK;

/* reply_join - the text back from template and args. Returns as reply_split. */
int reply_join(struct str tmpl, struct str args, struct buf *out) MT_MUST_CHECK;

/* reply_signature - template for a person: each hole shown as an ellipsis character "…" (or "..."). */
int reply_signature(struct str tmpl, bool utf8, struct buf *out) MT_MUST_CHECK;

#endif

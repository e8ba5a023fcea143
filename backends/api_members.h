/* SPDX-License-Identifier: MIT */
/*
 * api_members - a body without the members that nobody reads. jansson needs ten times as long for a byte as it takes to
 * see that it is not wanted, and more than half of an event is not.
 */
#ifndef MT_BACKENDS_API_MEMBERS_H
#define MT_BACKENDS_API_MEMBERS_H

#include "store/base/buf.h"
#include "store/base/str.h"

#define API_MEMBERS_MAX 64 /* names */

/*
 * api_members - append body to out without the white space around punctuation and, at any depth, without the members
 * whose names are not among names (ended by NULL, API_MEMBERS_MAX at most). A name with an escape in it stays. What is no
 * JSON stays none, but in what is left out: that is not looked at. MT_ELIMIT, MT_ENOMEM: no room for body.n bytes. Pure.
 */
int api_members(struct str body, const char *const *names, struct buf *out) MT_MUST_CHECK;

#endif

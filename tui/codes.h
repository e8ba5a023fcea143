/* SPDX-License-Identifier: MIT */
/*
 * codes - what a reply code means where it was said, whose side it is on and what to do.
 *
 * Looked up in this order: a person's own rules (codes.conf), the words and codes of the mailbox provider that
 * answered, words that mean the same everywhere, the IANA registry, the basic code. Which of them matched is told.
 * Tables: assets/codes.def, assets/code_overlays.def. The class digit never decides the side (RFC 3463: it says
 * only whether a retry may help).
 */
#ifndef MT_TUI_CODES_H
#define MT_TUI_CODES_H

#include "store/base/err.h"
#include "store/vocab.h"

/* Whose side a failure is on. Words: code_side_word. */
#define SIDE_LIST(X)                                                                               \
	X(UNKNOWN, "?")                                                                            \
	X(ADDRESS, "address")                                                                      \
	X(MAILBOX, "mailbox")                                                                      \
	X(REMOTE, "remote system")                                                                 \
	X(NETWORK, "network")                                                                      \
	X(PROTOCOL, "protocol")                                                                    \
	X(CONTENT, "content")                                                                      \
	X(AUTH, "auth")                                                                            \
	X(REPUTATION, "reputation")                                                                \
	X(RATE, "rate")                                                                            \
	X(ACCESS, "access")                                                                        \
	X(LOCAL, "local")
enum code_side {
#define SIDE_ENUM(id, word) SIDE_##id,
	SIDE_LIST(SIDE_ENUM)
#undef SIDE_ENUM
		SIDE__COUNT
};

enum code_source { /* which table told */
	CODE_NOWHERE,
	CODE_OWN, /* codes.conf */
	CODE_PROVIDER,
	CODE_WORDS,
	CODE_REGISTRY,
	CODE_BASIC
};

struct code_info { /* texts are static or the rules' */
	enum code_source source;
	enum code_side side;
	const char *meaning, *todo;
	const char *provider; /* mailbox provider whose host answered, "" none known */
};

struct codes; /* a person's own rules */

/*
 * codes_lookup - what a code means.
 * own    rules of codes.conf, or NULL.
 * key    code_key() of the record; 0 none.
 * relay  host name or whole relay= value of who answered; absent: taken from "host NAME[...] said:" of the reply.
 * reply  the reply text or its template; may be absent.
 * Never fails: without any rule source is CODE_NOWHERE, side SIDE_UNKNOWN and meaning says so.
 */
struct code_info codes_lookup(
	const struct codes *own, int64_t key, struct str relay, struct str reply);

/* codes_provider - the mailbox provider behind an MX host name (or relay= value), "" when none is known. */
const char *codes_provider(struct str host);
/* codes_provider_id - the same as a number > 0, 0 when none is known. codes_provider_name - of a number. */
int codes_provider_id(struct str host);
const char *codes_provider_name(int id);
const char *code_side_word(enum code_side side);
/* code_source_word - "Gmail's own list" is the caller's; "registry", "reply text" ... */
const char *code_source_word(enum code_source source);
/* code_action - what becomes of it, by outcome: "will retry", "gave up" ... "" for others. */
const char *code_action(enum event_status status);

/*
 * codes_load - rules of a file, one a line: CODE | PROVIDER | WORDS | SIDE | MEANING | TO DO. CODE: 4.7.28, x.7.28,
 * 550, or *; PROVIDER: a name as shown, a host name's suffix with a leading dot, or *; WORDS: the reply must hold
 * them, or *. '#' begins a comment. The first rule that fits counts.
 * MT_ENOENT; MT_EINVAL with file and line in reterr. Gives *ret.
 */
int codes_load(const char *path, struct codes **ret, struct mt_error *reterr) MT_MUST_CHECK;
/*
 * codes_load_found - codes.conf of the configuration folder: beside config_path (may be NULL: then of
 * $XDG_CONFIG_HOME/mtatop or ~/.config/mtatop, else of /etc/mtatop). No such file: *ret is NULL, 0. Errors as codes_load.
 */
int codes_load_found(
	const char *config_path, struct codes **ret, struct mt_error *reterr) MT_MUST_CHECK;
/* codes_parse - the same from text. */
int codes_parse(struct str text, struct codes **ret, struct mt_error *reterr) MT_MUST_CHECK;
void codes_free(struct codes *own);

#endif

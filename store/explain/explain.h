/* SPDX-License-Identifier: MIT */
/*
 * explain - why a reply was given: what it means where it was said, who can mend it, what to do, and which rule says so.
 *
 * Rules are data (assets/explain/NN-name.rules, built in; a person's explain.conf comes first). The first that fits
 * counts, in this order: a person's own rules; those of the mailbox provider that answered; words that mean the same
 * everywhere; the enhanced code; the basic code. The class digit never decides the cause (RFC 3463: it says only
 * whether a retry may help). Rules do not change once made; any number of threads may ask them.
 * Texts are strangers' bytes: matching takes time in proportion to their length, whatever they hold.
 */
#ifndef MT_STORE_EXPLAIN_H
#define MT_STORE_EXPLAIN_H

#include "store/base/err.h"
#include "store/vocab.h"

/* All enums of this file are on disk: append only. */

/* Why mail fails. */
#define CAUSE_LIST(X)                                                                              \
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

/* Who can mend it. */
#define SIDE_LIST(X)                                                                               \
	X(UNKNOWN, "?")                                                                            \
	X(SENDER, "sender")                                                                        \
	X(RECIPIENT, "recipient")                                                                  \
	X(REMOTE, "remote")                                                                        \
	X(NETWORK, "network")

/* What becomes of the message. */
#define ACTION_LIST(X)                                                                             \
	X(UNKNOWN, "?")                                                                            \
	X(RETRYING, "retrying")                                                                    \
	X(FINAL, "final")                                                                          \
	X(SUPPRESSED, "suppressed")                                                                \
	X(ACCEPTED, "accepted")

/* What is wrong; the cause and side of a category are those of a rule that names none. */
#define CATEGORY_LIST(X)                                                                           \
	X(UNKNOWN, "unknown", UNKNOWN, UNKNOWN)                                                    \
	X(USER_UNKNOWN, "user_unknown", ADDRESS, SENDER)                                           \
	X(MAILBOX_FULL, "mailbox_full", MAILBOX, RECIPIENT)                                        \
	X(MAILBOX_DISABLED, "mailbox_disabled", MAILBOX, RECIPIENT)                                \
	X(DNS_ERROR, "dns_error", NETWORK, REMOTE)                                                 \
	X(NETWORK, "network", NETWORK, NETWORK)                                                    \
	X(TLS_ERROR, "tls_error", ACCESS, SENDER)                                                  \
	X(GREYLISTED, "greylisted", RATE, REMOTE)                                                  \
	X(RATE_LIMITED, "rate_limited", RATE, SENDER)                                              \
	X(IP_BLOCKED, "ip_blocked", REPUTATION, SENDER)                                            \
	X(SPAM, "spam", CONTENT, SENDER)                                                           \
	X(VIRUS, "virus", CONTENT, SENDER)                                                         \
	X(AUTH_POLICY, "auth_policy", AUTH, SENDER)                                                \
	X(POLICY_REJECT, "policy_reject", ACCESS, REMOTE)                                          \
	X(SENDER_REJECTED, "sender_rejected", ADDRESS, SENDER)                                     \
	X(RELAY_DENIED, "relay_denied", ACCESS, SENDER)                                            \
	X(MESSAGE_TOO_BIG, "message_too_big", CONTENT, SENDER)                                     \
	X(CONTENT_ERROR, "content_error", CONTENT, SENDER)                                         \
	X(LOOP, "loop", NETWORK, REMOTE)                                                           \
	X(EXPIRED, "expired", NETWORK, REMOTE)                                                     \
	X(SERVER_ERROR, "server_error", REMOTE, REMOTE)                                            \
	X(SERVER_FULL, "server_full", REMOTE, REMOTE)                                              \
	X(PROTOCOL_ERROR, "protocol_error", PROTOCOL, SENDER)

#define EXPLAIN_ENUM(id, ...) EXPLAIN_ENUM_NAME(id),
#define EXPLAIN_ENUM_NAME(id) CAUSE_##id
enum explain_cause { CAUSE_LIST(EXPLAIN_ENUM) CAUSE__COUNT };
#undef EXPLAIN_ENUM_NAME
#define EXPLAIN_ENUM_NAME(id) SIDE_##id
enum explain_side { SIDE_LIST(EXPLAIN_ENUM) SIDE__COUNT };
#undef EXPLAIN_ENUM_NAME
#define EXPLAIN_ENUM_NAME(id) ACTION_##id
enum explain_action { ACTION_LIST(EXPLAIN_ENUM) ACTION__COUNT };
#undef EXPLAIN_ENUM_NAME
#define EXPLAIN_ENUM_NAME(id) CATEGORY_##id
enum explain_category { CATEGORY_LIST(EXPLAIN_ENUM) CATEGORY__COUNT };
#undef EXPLAIN_ENUM_NAME
#undef EXPLAIN_ENUM

enum explain_layer { /* where the rule is from, in the order of asking */
	LAYER_OWN, /* explain.conf */
	LAYER_PROVIDER,
	LAYER_WORDS,
	LAYER_ENHANCED,
	LAYER_WEAK, /* words that say less than an enhanced code */
	LAYER_SUBJECT, /* enhanced codes that name a subject only: x.7.0, details nobody has registered */
	LAYER_BASIC,
	LAYER_NONE /* no rule */
};

struct explain_query {
	struct str text; /* the reply as logged; absent: only codes are asked */
	struct str
		host; /* host name or whole relay= value of who answered; else taken from the text */
	int64_t key; /* code_key of the record, 0 none: then that of the text */
	enum smtp_stage stage; /* STAGE_NONE: from the text */
	enum event_status status; /* STATUS_NONE: what becomes of it is read from the code */
};

struct explain_result { /* texts live as long as the rules */
	enum explain_layer layer;
	enum explain_category category;
	enum explain_cause cause;
	enum explain_side side;
	enum explain_action action;
	enum smtp_stage stage;
	int64_t key; /* code_key the rule was asked with; 0 none */
	int provider; /* mailbox provider, 0 none known */
	int rule; /* number in the rules, -1 none */
	const char *rule_name, *meaning, *todo, *link; /* never NULL; link "" none */
};

struct explain_rules;

/* explain - never fails: without any rule (rules may be NULL) layer is LAYER_NONE and the category unknown. */
void explain(const struct explain_rules *rules, const struct explain_query *q,
	struct explain_result *out);

/* explain_provider - mailbox provider behind an MX host name or relay= value, by host alone: > 0, or 0 none known.
 * explain_provider_name - "" for 0. Numbers are those of these rules alone. */
int explain_provider(const struct explain_rules *rules, struct str host);
const char *explain_provider_name(const struct explain_rules *rules, int provider);

/* explain_rule - number of the rule of that name, -1 none. explain_rule_texts - the texts of a rule number. */
int explain_rule(const struct explain_rules *rules, struct str name);
void explain_rule_texts(const struct explain_rules *rules, int rule, struct explain_result *out);
int explain_rule_count(const struct explain_rules *rules);
/* explain_hash - of all the rules' text: changes when any rule does. */
uint64_t explain_hash(const struct explain_rules *rules);

/* explain_new - the built-in rules with own (absent: none) before them; name is that of own's file, for errors.
 * MT_EINVAL with file and line; MT_ELIMIT. Gives *ret. */
int explain_new(struct str own, const char *name, struct explain_rules **ret,
	struct mt_error *reterr) MT_MUST_CHECK;
void explain_free(struct explain_rules *rules);

/* explain_path - where a person's rules are: explain.conf beside config_path (NULL: of $XDG_CONFIG_HOME/mtatop or
 * ~/.config/mtatop when it is there, else of /etc/mtatop). Gives. */
char *explain_path(const char *config_path);
/* explain_load - the built-in rules and those of the file; no such file: the built-in ones. Errors as explain_new, and
 * MT_EPERM. Gives *ret. explain_stamp - changes when the file does (0: not there). */
int explain_load(
	const char *path, struct explain_rules **ret, struct mt_error *reterr) MT_MUST_CHECK;
uint64_t explain_stamp(const char *path);

/* explain_examples - calls back for every example of the rules: its rule, provider host ("" any) and text. */
void explain_examples(const struct explain_rules *rules,
	void (*each)(void *ctx, int rule, const char *host, const char *text), void *ctx);

/* explain_class - what to do with an address or a flow, as senders sort failures. */
enum explain_class {
	CLASS_UNKNOWN,
	CLASS_HARD, /* take it off */
	CLASS_SOFT, /* wait */
	CLASS_BLOCK, /* mend what the sender is judged by */
	CLASS_THROTTLE, /* slow down */
	CLASS__COUNT
};
enum explain_class explain_class(enum explain_category category);
const char *explain_class_word(enum explain_class);

const char *explain_category_word(enum explain_category category);
const char *explain_cause_word(enum explain_cause cause);
const char *explain_side_word(enum explain_side side);
const char *explain_action_word(enum explain_action action);
/* explain_stage_word - "rcpt", "end-of-data" ...; "" none known. explain_code - "5.1.1" or "550" as a code_key, 0 neither. */
const char *explain_stage_word(enum smtp_stage stage);
int64_t explain_code(struct str word);
/* explain_layer_word - "the provider's list", "the IANA registry" ... */
const char *explain_layer_word(enum explain_layer layer);

#endif

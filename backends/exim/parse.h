/* SPDX-License-Identifier: MIT */
/*
 * exim/parse - what the files of the Exim log parser share.
 *
 * A function gets the event with stamp, host, pid and message id filled and the text behind them; it sets kind and fields
 * and returns true, or returns false when it doesn't know the line. Every view is into the line or a constant:
 * nothing is copied, allocated or remembered. Source of the forms: The Exim Specification, chapter 53 "Log files".
 */
#ifndef MT_BACKENDS_EXIM_PARSE_H
#define MT_BACKENDS_EXIM_PARSE_H

#include "store/event.h"

/* A host as H= and "from" name it: "name (helo) [ip]:port". Absent parts stay absent. */
struct exim_host {
	struct str whole, name, helo, ip;
	int32_t port; /* EVENT_UNKNOWN if none */
	bool reused; /* a '*' behind it: the connection had been used before */
};

/* exim_take_id - "1jmKso-0009d4-Uf" or, from 4.97 on, "1smkL5-00000000e65-24eQ", with the space behind it. */
bool exim_take_id(struct str *in, struct str *ret);
bool exim_is_id(struct str s);
/* exim_take_host - a host at the start of *in, which is advanced past it. */
bool exim_take_host(struct str *in, struct exim_host *ret);
/* exim_take_quoted - "..." with backslashes before inner quotes; the inside as logged. */
bool exim_take_quoted(struct str *in, struct str *ret);
/* exim_take_address - an address of a flagged line: a word, a word with a quoted part, a file, a |command. */
struct str exim_take_address(struct str *in);
/*
 * exim_take_field - " K=value" at the start of *in; the value of H, T="", DN="", C="", F=<> whole.
 * Returns false (nothing taken) when no field follows. host   filled when the key is H.
 */
bool exim_take_field(
	struct str *in, struct str *ret_key, struct str *ret_value, struct exim_host *host);
/* exim_cs - a time interval ("3s", "0.123s", "2m3s", "1d2h") in centiseconds; EVENT_UNKNOWN if it is none. */
int32_t exim_cs(struct str s);
/* exim_set_client - the host as the client of the event; its interface's port as the service. */
void exim_set_client(struct event *e, const struct exim_host *h);
void exim_set_interface(struct event *e, struct str value);
/* exim_set_auth - "A=driver:user" into method and user. */
void exim_set_auth(struct event *e, struct str value);
/* exim_reply_facts - code, enhanced code and stage out of e->reply. */
void exim_reply_facts(struct event *e);

/* The lines. exim_arrival   "<= ...", what is behind the flag; ret_parent: the failed message's id of a bounce. */
bool exim_arrival(struct event *e, struct str rest, struct str *ret_parent);
bool exim_attempt(struct event *e, struct str flag, struct str rest);
/* exim_of_message - a line with a message id and no flag. exim_of_server - one without an id. */
bool exim_of_message(struct event *e, struct str rest);
bool exim_of_server(struct event *e, struct str rest);
/* exim_refusal - "H=... F=<...> rejected RCPT <...>: text" and its kin, with or without an id. */
bool exim_refusal(struct event *e, struct str rest);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * err - the one set of error classes and the carrier of their detail.
 *
 * A fallible function returns 0 or a negative enum mt_err and fills an optional
 * struct mt_error with text for a person. It never logs and never exits.
 */
#ifndef MT_BASE_ERR_H
#define MT_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

#define MT_MUST_CHECK __attribute__((warn_unused_result))
#define MT_PRINTF(fmt_arg, first_arg) __attribute__((format(printf, fmt_arg, first_arg)))

enum mt_err {
	MT_OK = 0,
	MT_ENOMEM = -1, /* memory could not be had for something sized by input */
	MT_EIO = -2, /* the system refused a read, write, open ... */
	MT_EINVAL = -3, /* the input is not what the format allows */
	MT_ENOENT = -4, /* the thing asked for is not there */
	MT_EPERM = -5, /* permission missing */
	MT_EFULL = -6, /* no space left on the device, quota */
	MT_ECORRUPT = -7, /* stored data is damaged */
	MT_ENEWER = -8, /* stored data was written by a newer version */
	MT_EBUSY = -9, /* held by someone else; try again later */
	MT_ELIMIT = -10, /* a cap of ours was reached */
	MT_EPROTO = -11, /* a peer or child spoke another protocol */
	MT_ENET = -12, /* network or a server-side failure; retry later */
	MT_ERATE = -13, /* rate limited by the peer */
	MT_EAUTH = -14, /* the peer refused our credentials */
	MT_ECONFIG = -15, /* configuration is wrong; stop until reload */
	MT_EEOF = -16, /* end of the input */
	MT_ENOTSUP = -17, /* not built in or not possible on this system */
	MT_ECANCELED = -18 /* stopped by request */
};

#define MT_ERROR_TEXT_MAX_BYTES 256 /* one screen line of detail, with room for a path */

struct mt_error {
	enum mt_err code;
	int sys_errno; /* 0 when no system call was involved */
	char text[MT_ERROR_TEXT_MAX_BYTES];
};

/*
 * mt_error_set - fill *reterr (may be NULL) and hand the code back, for `return mt_error_set(...)`.
 * fmt   literal format; the result is cut at MT_ERROR_TEXT_MAX_BYTES.
 * Returns code.
 */
int mt_error_set(struct mt_error *reterr, enum mt_err code, const char *fmt, ...) MT_PRINTF(3, 4);

/*
 * mt_error_sys - as mt_error_set, and append ": strerror(sys_errno)".
 * sys_errno   errno of the failed call; ENOSPC/EDQUOT map to MT_EFULL, EACCES/EPERM to MT_EPERM,
 *             ENOENT to MT_ENOENT, ENOMEM to MT_ENOMEM, all others to MT_EIO.
 * Returns the mapped code.
 */
int mt_error_sys(struct mt_error *reterr, int sys_errno, const char *fmt, ...) MT_PRINTF(3, 4);

/* mt_strerror - a short English name of the class ("permission denied"); never NULL. */
const char *mt_strerror(int code);

#endif

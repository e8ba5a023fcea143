/* SPDX-License-Identifier: MIT */
/* err - error classes; see err.h. Holds no state. */
#include "store/base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int mt_error_set(struct mt_error *reterr, enum mt_err code, const char *fmt, ...)
{
	if (reterr) {
		va_list ap;

		reterr->code = code;
		reterr->sys_errno = 0;
		va_start(ap, fmt);
		vsnprintf(reterr->text, sizeof(reterr->text), fmt, ap);
		va_end(ap);
	}
	return code;
}

static enum mt_err class_of_errno(int sys_errno)
{
	switch (sys_errno) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return MT_EFULL;
	case EACCES:
	case EPERM:
	case EROFS:
		return MT_EPERM;
	case ENOENT:
		return MT_ENOENT;
	case ENOMEM:
		return MT_ENOMEM;
	default:
		return MT_EIO;
	}
}

int mt_error_sys(struct mt_error *reterr, int sys_errno, const char *fmt, ...)
{
	enum mt_err code = class_of_errno(sys_errno);

	if (reterr) {
		va_list ap;
		size_t used;

		reterr->code = code;
		reterr->sys_errno = sys_errno;
		va_start(ap, fmt);
		vsnprintf(reterr->text, sizeof(reterr->text), fmt, ap);
		va_end(ap);
		used = strlen(reterr->text);
		snprintf(reterr->text + used, sizeof(reterr->text) - used, ": %s",
			strerror(sys_errno));
	}
	return code;
}

const char *mt_strerror(int code)
{
	static const char *const names[] = {"ok", "out of memory", "input/output error",
		"invalid input", "not found", "permission denied", "no space left", "damaged data",
		"written by a newer version", "busy", "limit reached", "protocol error",
		"network or server failure", "rate limited", "credentials refused",
		"configuration error", "end of input", "not supported here", "canceled"};
	size_t index = (size_t)-code;

	return code <= 0 && index < sizeof(names) / sizeof(names[0]) ? names[index]
								     : "unknown error";
}

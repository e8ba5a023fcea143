/* SPDX-License-Identifier: MIT */
/*
 * vendorfix - a cache with two accounts at vendors as the demo makes them up, as of FIX_NOW_MS, written by the real
 * writer, and a Postfix beside them. The same figures every time.
 */
#ifndef MT_TESTS_VENDORFIX_H
#define MT_TESTS_VENDORFIX_H

/* vendorfix_make - write the cache to path (must not exist). Fails the test on any error. */
void vendorfix_make(const char *path);

#endif

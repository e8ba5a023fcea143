/* SPDX-License-Identifier: MIT */
/* api_put - rows of an answer into the store; one the store can't take (a date no cache holds) is odd, not the end. */
#include "backends/api.h"

static int skip_odd(int rc)
{
	return rc == MT_EINVAL ? 0 : rc;
}

int api_put_event(void *api, const struct api_event *e)
{
	struct api *a = api;

	return skip_odd(store_api_event(api_store(a), api_provider(a), e, NULL));
}

int api_put_suppression(void *api, const struct api_suppression *row)
{
	struct api *a = api;

	return skip_odd(store_api_suppression(api_store(a), api_provider(a), row, NULL));
}

int api_put_ip(void *api, const struct api_ip *row)
{
	struct api *a = api;

	return skip_odd(store_api_ip(api_store(a), api_provider(a), row, NULL));
}

int api_put_account(void *api, struct str name, struct str value)
{
	struct api *a = api;

	return store_api_account(api_store(a), api_provider(a), name, value, NULL);
}

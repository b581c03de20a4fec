/*
 * The location of payments_console.
 */

#ifndef NGX_HTTP_PAYMENTS_CONSOLE_H
#define NGX_HTTP_PAYMENTS_CONSOLE_H

#include "util/ngx_payments.h"


/* The content handler: files of the pages, and their JSON below api/. */
ngx_int_t ngx_http_payments_console(ngx_http_request_t *r);


#endif /* NGX_HTTP_PAYMENTS_CONSOLE_H */

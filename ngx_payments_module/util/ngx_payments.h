/*
 * The common header of the glue: nginx, and conversions between two kinds of
 * slices.
 * Names with _http_ have a request or its configuration; the others have a
 * worker.
 */

#ifndef NGX_PAYMENTS_H
#define NGX_PAYMENTS_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* nginx's and the core's slices have one layout; these only rename. */
#define ngx_payments_str(s)   ((pay_str_t) { (s).len, (s).data })
#define ngx_payments_nstr(s)  ((ngx_str_t) { (s).len, (u_char *) (s).data })


extern ngx_module_t  ngx_http_payments_module;


#endif /* NGX_PAYMENTS_H */

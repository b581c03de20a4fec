/*
 * How the PSPs do, as the node that answers has seen it.
 */

#ifndef NGX_HTTP_PAYMENTS_NODE_H
#define NGX_HTTP_PAYMENTS_NODE_H

#include "util/ngx_payments_conf_types.h"


/* A JSON array with an object for each PSP of the cell: its circuit, calls in
 * flight, success and latency (docs/console-openapi.yaml, NodePsp).  Empty
 * without a zone. */
pay_status_t ngx_http_payments_node(
    const ngx_http_payments_main_conf_t *pmcf, ngx_uint_t cell,
    pay_arena_t *arena, pay_str_t *json) PAY_MUST_CHECK;


#endif /* NGX_HTTP_PAYMENTS_NODE_H */

/*
 * payments_webhook_bodies: how long, and up to which size, the raw bodies of
 * verified webhooks are kept for operators.
 */

#include "conf/ngx_http_payments_conf_bodies.h"
#include "util/ngx_payments_conf_types.h"


#define MAIN(member)  NGX_PAYMENTS_FIELD(ngx_http_payments_main_conf_t, member)


/* off | [days=30] [size=64k] */
static const ngx_http_payments_option_t  options[] = {
    { "off", NGX_PAYMENTS_OFF, MAIN(body_days) },
    { "days=", NGX_PAYMENTS_NUMBER, 1, 365, 30, MAIN(body_days) },
    { "size=", NGX_PAYMENTS_SIZE, 1, 256 * 1024, 64 * 1024, MAIN(body_size) },
    { .name = NULL }
};

ngx_http_payments_line_t  ngx_http_payments_webhook_bodies_line = { options,
                                                                    NULL };

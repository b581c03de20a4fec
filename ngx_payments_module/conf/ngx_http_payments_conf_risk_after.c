/*
 * The effect of a block that is decided when the PSP has spoken of a card:
 * payments_risk_after block=hold|void.
 */

#include "conf/ngx_http_payments_conf_risk_after.h"
#include "conf/ngx_http_payments_conf_risk.h"


static char *note(ngx_conf_t *cf, void *object, ngx_uint_t given);


static const ngx_conf_enum_t  effects[] = {
    { ngx_string("hold"), 0 },
    { ngx_string("void"), 1 },
    { ngx_null_string, 0 }
};

static const ngx_http_payments_option_t  options[] = {
    { "block=", NGX_PAYMENTS_WORD, 0, 0, 0,
      NGX_PAYMENTS_FIELD(ngx_payments_risk_conf_t, core.voids),
      .names = effects },
    { .name = NULL }
};

ngx_http_payments_line_t  ngx_http_payments_risk_after_line = {
    options, note
};


static char *
note(ngx_conf_t *cf, void *object, ngx_uint_t given)
{
    (void) given;

    return ngx_http_payments_risk_note(cf, object);
}

/*
 * The effect of a block that is decided when the PSP has spoken of a card,
 * payments_risk_after block=hold|void, and the mode of merchants whose cards
 * are being tested, payments_risk_card_testing share=… then=….
 */

#include "conf/ngx_http_payments_conf_risk_after.h"
#include "conf/ngx_http_payments_conf_risk.h"


#define THEN   (1 << 4)        /* the bits of these rows */
#define SHARE  (1 << 0)


static char *note(ngx_conf_t *cf, void *object, ngx_uint_t given);
static char *note_testing(ngx_conf_t *cf, void *object, ngx_uint_t given);


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

    return ngx_http_payments_risk_note_line(cf, object);
}


static const ngx_conf_enum_t  words[] = {
    { ngx_string("challenge"), PAY_RISK_CHALLENGE },
    { ngx_string("review"), PAY_RISK_REVIEW },
    { ngx_string("block"), PAY_RISK_BLOCK },
    { ngx_null_string, 0 }
};

#define RISK(member)  NGX_PAYMENTS_FIELD(ngx_payments_risk_conf_t, member)

/* payments_risk_card_testing share=50% then=challenge [min=20] [window=10m]
 * [for=15m] */
static const ngx_http_payments_option_t  testing[] = {
    { "share=", NGX_PAYMENTS_PERCENT, 1, 100, 0, RISK(testing_share) },
    { "min=", NGX_PAYMENTS_NUMBER, 1, 100000, 20, RISK(testing_min) },
    { "window=", NGX_PAYMENTS_SEC, 60, 3600, 600, RISK(testing_window_s) },
    { "for=", NGX_PAYMENTS_SEC, 1, 86400, 900, RISK(testing_for_s) },
    { "then=", NGX_PAYMENTS_WORD, 0, 0, 0, RISK(testing_then),
      .names = words },
    { .name = NULL }
};

ngx_http_payments_line_t  ngx_http_payments_risk_card_testing_line = {
    testing, note_testing
};


static char *
note_testing(ngx_conf_t *cf, void *object, ngx_uint_t given)
{
    if ((given & (THEN | SHARE)) != (THEN | SHARE)) {
        return "needs share= and then=, as in share=50% then=challenge";
    }

    return ngx_http_payments_risk_note_line(cf, object);
}

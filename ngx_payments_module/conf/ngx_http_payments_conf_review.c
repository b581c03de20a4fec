/*
 * The terms of reviews: payments_risk_review deadline=… overdue=…
 * [second_above=…].  They are the same for each checkout, so that their JSON is
 * made here, once.
 */

#include "conf/ngx_http_payments_conf_review.h"
#include "util/ngx_payments_conf_types.h"
#include "util/ngx_payments_memory.h"


#define CODE_LEN      3
#define DEADLINE_MIN  60
#define DEADLINE_MAX  (30 * 86400)
#define TERMS_MAX     160


static char *make_terms(ngx_conf_t *cf, void *object, ngx_uint_t given);


enum { ESCALATE, APPROVE, REJECT };

static const ngx_conf_enum_t  acts[] = {
    { ngx_string("escalate"), ESCALATE },
    { ngx_string("approve"), APPROVE },
    { ngx_string("reject"), REJECT },
    { ngx_null_string, 0 }
};

#define REVIEW(member)  NGX_PAYMENTS_FIELD(ngx_payments_risk_conf_t, member)

static const ngx_http_payments_option_t  options[] = {
    { "deadline=", NGX_PAYMENTS_SEC, DEADLINE_MIN, DEADLINE_MAX, 3 * 86400,
      REVIEW(review_deadline_s) },
    { "overdue=", NGX_PAYMENTS_WORD, 0, 0, ESCALATE, REVIEW(review_overdue),
      .names = acts },
    { "second_above=", NGX_PAYMENTS_PLAIN, 1, 32, 0, REVIEW(review_second) },
    { .name = NULL }
};

ngx_http_payments_line_t  ngx_http_payments_risk_review_line = {
    options, make_terms
};


static char *
make_terms(ngx_conf_t *cf, void *object, ngx_uint_t given)
{
    u_char                    *text, *last;
    int64_t                    minor;
    const pay_currency_t      *currency;
    ngx_payments_risk_conf_t  *risk = object;

    (void) given;

    text = ngx_pnalloc(cf->pool, TERMS_MAX);
    if (text == NULL) {
        return NGX_CONF_ERROR;
    }

    last = ngx_snprintf(text, TERMS_MAX,
                        "{\"deadline_s\":%T,\"overdue\":\"%V\"",
                        risk->review_deadline_s,
                        &acts[risk->review_overdue].name);

    if (risk->review_second.len != 0) {
        if (!ngx_http_payments_read_amount(&risk->review_second, &currency,
                                           &minor))
        {
            return "needs an amount as its second_above=, in the decimals of "
                   "its currency, as in second_above=5000.00USD";
        }

        last = ngx_snprintf(last, TERMS_MAX - (last - text),
                            ",\"second_minor\":%L,\"second_currency\":\"%s\"",
                            minor, currency->code);
    }

    *last++ = '}';
    risk->core.review = (pay_str_t) { last - text, text };

    return NGX_CONF_OK;
}


ngx_uint_t
ngx_http_payments_read_amount(ngx_str_t *text,
    const pay_currency_t **currency, int64_t *minor)
{
    pay_str_t  amount, code;

    if (text->len <= CODE_LEN) {
        return 0;
    }

    amount = (pay_str_t) { text->len - CODE_LEN, text->data };
    code = (pay_str_t) { CODE_LEN, text->data + amount.len };

    return pay_currency_find(code, currency, NULL) == PAY_OK
           && pay_amount_parse(amount, *currency, minor, NULL) == PAY_OK;
}

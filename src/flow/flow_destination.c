/*
 * The account of a seller, sealed: PostgreSQL keeps it and cannot read it.
 * src/payout/account.c opens the seal.
 */

#include "flow_destination.h"
#include "pay_json.h"


#define DETAILS_MAX  PAY_SECRET_MAX

static const pay_str_t  blind_name = pay_string(
                            "payments payout fingerprint 1\n");

static pay_status_t write_details(pay_flow_t *flow,
    const pay_payout_destination_t *to, pay_str_t *clear);
static void member(pay_buf_t *buf, const char *name, pay_str_t value);


pay_status_t
destination_seal(pay_flow_t *flow, const pay_payout_act_input_t *in,
    const pay_payout_act_t *act, pay_str_t *details)
{
    pay_str_t             place, clear;
    unsigned char        *out;
    const pay_keyring_t  *ring = flow->env->keyring;

    if (ring == NULL || in->nonce.len != PAY_KEYRING_NONCE) {
        return PAY_BUG;
    }

    PAY_TRY(write_details(flow, &act->to, &clear));
    PAY_TRY(pay_payout_place(flow->scratch, in->merchant_id, in->id,
                             pay_str_of(act->currency->code), &place));

    out = pay_alloc(flow->arena, PAY_KEYRING_NONCE + clear.len
                                 + PAY_KEYRING_TAG);
    if (out == NULL) {
        return PAY_NO_MEMORY;
    }

    memcpy(out, in->nonce.data, PAY_KEYRING_NONCE);
    PAY_TRY(pay_keyring_seal(ring, in->nonce.data, place, clear,
                             out + PAY_KEYRING_NONCE));
    *details = (pay_str_t) { PAY_KEYRING_NONCE + clear.len + PAY_KEYRING_TAG,
                             out };

    return PAY_OK;
}


/* An empty member would be one: the reader takes a missing one for empty. */
static pay_status_t
write_details(pay_flow_t *flow, const pay_payout_destination_t *to,
    pay_str_t *clear)
{
    pay_buf_t  buf;

    static const char *const  names[PAY_PAYOUT_TO_COUNT] = {
        [PAY_PAYOUT_TO_PAYEE] = "{\"payee\":\"",
        [PAY_PAYOUT_TO_IBAN] = "{\"iban\":\"",
        [PAY_PAYOUT_TO_EMAIL] = "{\"email\":\""
    };

    pay_buf_init(&buf, flow->scratch, DETAILS_MAX);
    pay_buf_text(&buf, names[to->kind]);
    pay_buf_json(&buf, to->kind == PAY_PAYOUT_TO_IBAN ? to->iban : to->payee);
    pay_buf_text(&buf, "\"");
    member(&buf, ",\"name\":\"", to->name);
    member(&buf, ",\"bic\":\"", to->bic);
    pay_buf_text(&buf, "}");

    return pay_buf_done(&buf, clear);
}


static void
member(pay_buf_t *buf, const char *name, pay_str_t value)
{
    if (value.len > 0) {
        pay_buf_text(buf, name);
        pay_buf_json(buf, value);
        pay_buf_text(buf, "\"");
    }
}


pay_status_t
destination_blind(const pay_keyring_t *ring,
    unsigned char digest[PAY_SHA256_SIZE])
{
    unsigned char  made[PAY_SHA256_SIZE];

    const pay_str_t  parts[] = { blind_name, { PAY_SHA256_SIZE, digest } };

    PAY_TRY(pay_hmac_sha256((pay_str_t) { PAY_KEYRING_KEY,
                            (unsigned char *) ring->keys[0].bytes }, parts, 2,
                            made));
    memcpy(digest, made, sizeof(made));

    return PAY_OK;
}

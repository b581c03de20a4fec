/*
 * The content of a call to a pay-out provider: the facts of the adapter that
 * PostgreSQL decides by, and the seller's account, which PostgreSQL keeps
 * sealed and cannot read.
 *
 * The name of the place goes into the seal (AAD): the account of a seller
 * cannot stand in the row of another one, not even by a role that may write
 * the table.
 */

#include "flow_destination.h"
#include "flow_payout.h"
#include "pay_json.h"


#define HOUR_S       3600
#define DAY_S        86400
#define FACTS_MAX    1024
#define TEXT_MAX     600
#define SHORT_ID     8                 /* of the pay-out's id, for the text on
                                          the seller's statement */


static pay_status_t open_seal(pay_flow_t *flow, payout_t *payout,
    const pay_payout_call_row_t *row, pay_secret_t *clear);
static pay_status_t read_details(pay_flow_t *flow, payout_t *payout,
    pay_str_t clear, pay_str_t kind);
static pay_status_t read_account(pay_flow_t *flow, payout_t *payout,
    const pay_json_t *json, pay_str_t kind);
static pay_status_t member(pay_flow_t *flow, payout_t *payout,
    const pay_json_t *json, const char *name, pay_str_t *text);
static pay_status_t item_text(pay_flow_t *flow, payout_t *payout);
static pay_status_t refuse(payout_t *payout, const char *why);


pay_status_t
payout_facts(pay_arena_t *arena, const pay_payout_adapter_t *adapter,
    pay_str_t *facts)
{
    unsigned                  n, looks, gap_s;
    pay_buf_t                 buf;
    const pay_payout_step_t  *step;

    looks = pay_payout_looks(adapter, &gap_s);
    pay_buf_init(&buf, arena, FACTS_MAX);
    pay_buf_text(&buf, "{\"window_s\":[");

    for (n = 0; (step = pay_payout_step(adapter, n)) != NULL; n++) {
        pay_buf_text(&buf, n == 0 ? "" : ",");
        pay_buf_int(&buf, (int64_t) step->window_hours * HOUR_S);
    }

    pay_buf_text(&buf, "],\"moves\":[");

    for (n = 0; (step = pay_payout_step(adapter, n)) != NULL; n++) {
        pay_buf_text(&buf, n == 0 ? "" : ",");
        pay_buf_text(&buf, step->moves_money ? "true" : "false");
    }

    pay_buf_text(&buf, "],\"looks\":");
    pay_buf_int(&buf, looks);
    pay_buf_text(&buf, ",\"gap_s\":");
    pay_buf_int(&buf, gap_s);
    pay_buf_text(&buf, ",\"asks\":");
    pay_buf_text(&buf, pay_payout_can(adapter, PAY_PAYOUT_ASK) ? "true"
                                                               : "false");
    pay_buf_text(&buf, ",\"finds\":");
    pay_buf_text(&buf, pay_payout_can(adapter, PAY_PAYOUT_FIND) ? "true"
                                                                : "false");
    pay_buf_text(&buf, ",\"takes_back\":");
    pay_buf_text(&buf, (pay_payout_traits(adapter) & PAY_PAYOUT_TAKES_BACK)
                       ? "true" : "false");
    pay_buf_text(&buf, ",\"return_s\":");
    pay_buf_int(&buf, (int64_t) pay_payout_return_days(adapter) * DAY_S);
    pay_buf_text(&buf, "}");

    return pay_buf_done(&buf, facts);
}


pay_status_t
payout_open(pay_flow_t *flow, payout_t *payout,
    const pay_payout_call_row_t *row)
{
    pay_secret_t  clear;
    pay_status_t  status;

    if (pay_currency_find(row->currency, &payout->item.currency, NULL)
        != PAY_OK)
    {
        return refuse(payout, "currency_unknown");
    }

    PAY_TRY(pay_dup(flow->arena, row->country, &payout->item.to.country));

    status = open_seal(flow, payout, row, &clear);
    if (status == PAY_OK) {
        status = read_details(flow, payout, pay_secret_str(&clear), row->kind);
    }

    pay_secret_wipe(&clear);
    PAY_TRY(status);

    return item_text(flow, payout);
}


/* `clear` is for the caller to wipe. */
static pay_status_t
open_seal(pay_flow_t *flow, payout_t *payout,
    const pay_payout_call_row_t *row, pay_secret_t *clear)
{
    pay_str_t     aad, sealed;
    pay_status_t  status;

    if (flow->env->keyring == NULL) {
        return refuse(payout, "no_keyring");
    }

    if (row->details.len <= PAY_KEYRING_NONCE + PAY_KEYRING_TAG
        || row->details.len > PAY_KEYRING_NONCE + PAY_KEYRING_TAG
                              + PAY_SECRET_MAX)
    {
        return refuse(payout, "details_unreadable");
    }

    PAY_TRY(destination_place(flow, payout->provider->merchant_id,
                              row->seller_account, row->currency, &aad));

    sealed.data = row->details.data + PAY_KEYRING_NONCE;
    sealed.len = row->details.len - PAY_KEYRING_NONCE;
    clear->len = sealed.len - PAY_KEYRING_TAG;
    status = pay_keyring_open(flow->env->keyring, row->key_id,
                              row->details.data, aad, sealed, clear->data);

    return status == PAY_NOT_FOUND ? refuse(payout, "key_missing")
           : status == PAY_INVALID ? refuse(payout, "details_unreadable")
           : status;
}


static pay_status_t
read_details(pay_flow_t *flow, payout_t *payout, pay_str_t clear,
    pay_str_t kind)
{
    pay_json_t   *json;
    pay_status_t  status;

    status = pay_json_parse(clear, NULL, &json, NULL);
    if (status != PAY_OK) {
        return status == PAY_INVALID ? refuse(payout, "details_unreadable")
                                     : status;
    }

    status = read_account(flow, payout, json, kind);
    pay_json_free(json);

    return status;
}


/* The adapter judges the texts themselves, as it does with each item. */
static pay_status_t
read_account(pay_flow_t *flow, payout_t *payout, const pay_json_t *json,
    pay_str_t kind)
{
    pay_payout_destination_t  *to = &payout->item.to;

    PAY_TRY(member(flow, payout, json, "name", &to->name));
    PAY_TRY(member(flow, payout, json, "bic", &to->bic));

    if (pay_str_is(kind, "iban")) {
        to->kind = PAY_PAYOUT_TO_IBAN;
        return member(flow, payout, json, "iban", &to->iban);
    }

    if (!pay_str_is(kind, "payee")) {
        return refuse(payout, "kind_unknown");
    }

    if (pay_json_get(json, "email") != NULL) {
        to->kind = PAY_PAYOUT_TO_EMAIL;
        return member(flow, payout, json, "email", &to->payee);
    }

    to->kind = PAY_PAYOUT_TO_PAYEE;

    return member(flow, payout, json, "payee", &to->payee);
}


/* Empty when it is missing. */
static pay_status_t
member(pay_flow_t *flow, payout_t *payout, const pay_json_t *json,
    const char *name, pay_str_t *text)
{
    pay_str_t          value = PAY_STR("");
    const pay_json_t  *found = pay_json_get(json, name);

    if (found != NULL && pay_json_string(found, &value) != PAY_OK) {
        return refuse(payout, "details_unreadable");
    }

    return pay_dup(flow->arena, value, text);
}


/* Made of stored rows alone, so that each attempt has the same bytes. */
static pay_status_t
item_text(pay_flow_t *flow, payout_t *payout)
{
    pay_str_t     text, id = payout->payout_id;
    pay_status_t  status;

    id.len = id.len < SHORT_ID ? id.len : SHORT_ID;

    PAY_TRY(pay_format(flow->scratch, &text, TEXT_MAX, "PAYOUT %.*s %.*s",
                       pay_fmt(id), pay_fmt(payout->provider->merchant_id)));

    status = pay_payout_name(flow->arena, text, PAY_PAYOUT_TEXT_MAX,
                             &payout->item.text);

    return status == PAY_INVALID ? refuse(payout, "text_unreadable") : status;
}


static pay_status_t
refuse(payout_t *payout, const char *why)
{
    payout->why = why;

    return PAY_INVALID;
}

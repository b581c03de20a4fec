/*
 * The account of a seller, which PostgreSQL keeps sealed and cannot read: it is
 * opened where an item is sent, by the workers' flow and by payctl, which
 * writes files for banks.  And the facts of an adapter that PostgreSQL decides
 * by.
 *
 * The name of the place goes into the seal (AAD): the account of a seller
 * cannot stand in the row of another one, not even by a role that may write
 * the table.
 */

#include "payout/payout.h"


#define HOUR_S       3600
#define DAY_S        86400
#define FACTS_MAX    1024
#define PLACE_MAX    1024
#define TEXT_MAX     600
#define SHORT_ID     8                 /* of the pay-out's id, for the text on
                                          the seller's statement */

/* An account while it is opened. */
typedef struct {
    pay_arena_t                *arena;
    const pay_keyring_t        *ring;  /* NULL: there is none */
    const pay_payout_sealed_t  *row;
    pay_payout_item_t          *item;
    const char                **why;
} account_t;


static pay_status_t open_seal(const account_t *account, pay_secret_t *clear);
static pay_status_t read_details(const account_t *account, pay_str_t clear);
static pay_status_t read_account(const account_t *account,
    const pay_json_t *json);
static pay_status_t member(const account_t *account, const pay_json_t *json,
    const char *name, pay_str_t *text);
static pay_status_t item_text(const account_t *account);
static pay_status_t refuse(const account_t *account, const char *why);


pay_status_t
pay_payout_facts(pay_arena_t *arena, const pay_payout_adapter_t *adapter,
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
pay_payout_place(pay_arena_t *arena, pay_str_t merchant_id, pay_str_t seller,
    pay_str_t currency, pay_str_t *place)
{
    return pay_format(arena, place, PLACE_MAX,
                      "payments payout account 1\n%.*s\n%.*s\n%.*s",
                      pay_fmt(merchant_id), pay_fmt(seller),
                      pay_fmt(currency));
}


pay_status_t
pay_payout_open(pay_arena_t *arena, const pay_keyring_t *ring,
    const pay_payout_sealed_t *row, pay_payout_item_t *item, const char **why)
{
    pay_secret_t     clear;
    pay_status_t     status;
    const account_t  account = { arena, ring, row, item, why };

    if (pay_currency_find(row->currency, &item->currency, NULL) != PAY_OK) {
        return refuse(&account, "currency_unknown");
    }

    PAY_TRY(pay_dup(arena, row->country, &item->to.country));

    status = open_seal(&account, &clear);
    if (status == PAY_OK) {
        status = read_details(&account, pay_secret_str(&clear));
    }

    pay_secret_wipe(&clear);
    PAY_TRY(status);

    return item_text(&account);
}


/* `clear` is for the caller to wipe. */
static pay_status_t
open_seal(const account_t *account, pay_secret_t *clear)
{
    pay_str_t                   aad, sealed;
    pay_status_t                status;
    const pay_payout_sealed_t  *row = account->row;

    if (account->ring == NULL) {
        return refuse(account, "no_keyring");
    }

    if (row->details.len <= PAY_KEYRING_NONCE + PAY_KEYRING_TAG
        || row->details.len > PAY_KEYRING_NONCE + PAY_KEYRING_TAG
                              + PAY_SECRET_MAX)
    {
        return refuse(account, "details_unreadable");
    }

    PAY_TRY(pay_payout_place(account->arena, row->merchant_id,
                             row->seller_account, row->currency, &aad));

    sealed.data = row->details.data + PAY_KEYRING_NONCE;
    sealed.len = row->details.len - PAY_KEYRING_NONCE;
    clear->len = sealed.len - PAY_KEYRING_TAG;
    status = pay_keyring_open(account->ring, row->key_id, row->details.data,
                              aad, sealed, clear->data);

    return status == PAY_NOT_FOUND ? refuse(account, "key_missing")
           : status == PAY_INVALID ? refuse(account, "details_unreadable")
           : status;
}


static pay_status_t
read_details(const account_t *account, pay_str_t clear)
{
    pay_json_t   *json;
    pay_status_t  status;

    status = pay_json_parse(clear, NULL, &json, NULL);
    if (status != PAY_OK) {
        return status == PAY_INVALID ? refuse(account, "details_unreadable")
                                     : status;
    }

    status = read_account(account, json);
    pay_json_free(json);

    return status;
}


/* The adapter judges the texts themselves, as it does with each item. */
static pay_status_t
read_account(const account_t *account, const pay_json_t *json)
{
    pay_payout_destination_t  *to = &account->item->to;

    PAY_TRY(member(account, json, "name", &to->name));
    PAY_TRY(member(account, json, "bic", &to->bic));

    if (pay_str_is(account->row->kind, "iban")) {
        to->kind = PAY_PAYOUT_TO_IBAN;
        return member(account, json, "iban", &to->iban);
    }

    if (!pay_str_is(account->row->kind, "payee")) {
        return refuse(account, "kind_unknown");
    }

    if (pay_json_get(json, "email") != NULL) {
        to->kind = PAY_PAYOUT_TO_EMAIL;
        return member(account, json, "email", &to->payee);
    }

    to->kind = PAY_PAYOUT_TO_PAYEE;

    return member(account, json, "payee", &to->payee);
}


/* Empty when it is missing. */
static pay_status_t
member(const account_t *account, const pay_json_t *json, const char *name,
    pay_str_t *text)
{
    pay_str_t          value = PAY_STR("");
    const pay_json_t  *found = pay_json_get(json, name);

    if (found != NULL && pay_json_string(found, &value) != PAY_OK) {
        return refuse(account, "details_unreadable");
    }

    return pay_dup(account->arena, value, text);
}


/* Made of stored rows alone, so that each attempt has the same bytes. */
static pay_status_t
item_text(const account_t *account)
{
    pay_str_t     text, id = account->row->payout_id;
    pay_status_t  status;

    id.len = id.len < SHORT_ID ? id.len : SHORT_ID;

    PAY_TRY(pay_format(account->arena, &text, TEXT_MAX, "PAYOUT %.*s %.*s",
                       pay_fmt(id), pay_fmt(account->row->merchant_id)));

    status = pay_payout_name(account->arena, text, PAY_PAYOUT_TEXT_MAX,
                             &account->item->text);

    return status == PAY_INVALID ? refuse(account, "text_unreadable")
                                 : status;
}


static pay_status_t
refuse(const account_t *account, const char *why)
{
    *account->why = why;

    return PAY_INVALID;
}

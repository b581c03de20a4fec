/*
 * What Adyen tells (docs/psp/adyen.md): the state of a link, and Standard
 * webhooks, item by item (adyen_item.c).  Money that we asked to capture
 * ourselves is known by the end of our reference; accounts that capture all by
 * hand are not supported.
 */

#include "psp/adyen.h"


typedef struct {
    const char  *name;
    pay_fact_t   fact;
} adyen_status_t;


static pay_status_t adyen_items(pay_arena_t *arena,
    const pay_psp_account_t *account, const pay_json_t *root,
    pay_psp_event_t *events, unsigned *count, pay_err_t *err);


/* "completed": the shopper has completed the payment (CheckoutService-v72,
 * PaymentLinkResponse). */
static const adyen_status_t  adyen_statuses[] = {
    { "active", PAY_FACT_NONE },
    { "paymentPending", PAY_FACT_PENDING },
    { "paid", PAY_FACT_PAID },
    { "completed", PAY_FACT_PAID },
    { "expired", PAY_FACT_EXPIRED },
    { NULL, PAY_FACT_NONE }
};


pay_status_t
pay_adyen_state(pay_arena_t *arena, const pay_json_t *link,
    pay_psp_event_t *event)
{
    pay_str_t              reference;
    pay_status_t           status;
    const adyen_status_t  *row;

    for (row = adyen_statuses; row->name != NULL; row++) {
        if (pay_adyen_is(link, "status", row->name)) {
            break;
        }
    }

    if (row->name == NULL) {
        return PAY_INVALID;
    }

    memset(event, 0, sizeof(*event));
    event->fact = row->fact;

    if (row->fact == PAY_FACT_PAID
        && pay_json_string(pay_json_get(link, "reference"), &reference)
           == PAY_OK
        && pay_adyen_is_held(reference))
    {
        event->fact = PAY_FACT_AUTHORIZED;
    }

    status = pay_psp_token_get(arena, link, "id", &event->token);
    if (status != PAY_OK) {
        return (status == PAY_NOT_FOUND) ? PAY_INVALID : status;
    }

    PAY_TRY(pay_psp_word_get(arena, link, "status", &event->type));
    PAY_TRY(pay_adyen_amount_in(arena, link, event));

    return ((event->fact == PAY_FACT_PAID
             || event->fact == PAY_FACT_AUTHORIZED) && !event->has_amount)
           ? PAY_INVALID : PAY_OK;
}


pay_status_t
pay_adyen_webhook_events(pay_arena_t *arena, const pay_psp_account_t *account,
    pay_str_t event_id, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err)
{
    unsigned          made_count = 0;
    pay_json_t       *root;
    pay_status_t      status;
    pay_psp_event_t   made[PAY_PSP_EVENTS_MAX];

    (void) event_id;           /* Adyen's headers carry none */

    PAY_TRY(pay_psp_parse(body, &root, err));

    status = adyen_items(arena, account, root, made, &made_count, err);
    pay_json_free(root);

    if (status == PAY_OK) {
        memcpy(events, made, made_count * sizeof(made[0]));
        *count = made_count;
    }

    return status;
}


/* `live` is not signed: what keeps test and live apart is the key.  Where the
 * block says its mode, a message of the other one is refused all the same. */
static pay_status_t
adyen_items(pay_arena_t *arena, const pay_psp_account_t *account,
    const pay_json_t *root, pay_psp_event_t *events, unsigned *count,
    pay_err_t *err)
{
    int                live;
    size_t             i, size;
    const pay_json_t  *items;

    if (!pay_adyen_flag(root, "live", &live)
        || (account->live >= 0 && live != account->live))
    {
        return pay_refuse(err, "validation-error",
                          "live is not the mode of this account");
    }

    items = pay_json_get(root, "notificationItems");
    size = (pay_json_type(items) == PAY_JSON_ARRAY) ? pay_json_size(items)
                                                    : 0;
    if (size == 0 || size > PAY_PSP_EVENTS_MAX) {
        return pay_refuse(err, "validation-error",
                          "1 to 16 notificationItems are taken");
    }

    for (i = 0; i < size; i++) {
        memset(&events[i], 0, sizeof(events[i]));
        PAY_TRY(pay_adyen_item(arena, account,
                               pay_json_get(pay_json_at(items, i),
                                            "NotificationRequestItem"),
                               &events[i], err));
    }

    *count = (unsigned) size;

    return PAY_OK;
}


int
pay_adyen_is_held(pay_str_t reference)
{
    return pay_adyen_cut(&reference, PAY_ADYEN_HELD);
}


int
pay_adyen_cut(pay_str_t *text, const char *end)
{
    size_t  len = strlen(end);

    if (text->len <= len
        || memcmp(text->data + text->len - len, end, len) != 0)
    {
        return 0;
    }

    text->len -= len;

    return 1;
}


/* Adyen writes its booleans as strings. */
int
pay_adyen_flag(const pay_json_t *json, const char *member, int *flag)
{
    pay_json_type_t  type;

    type = pay_json_type(pay_json_get(json, member));
    *flag = type == PAY_JSON_TRUE || pay_adyen_is(json, member, "true");

    return *flag || type == PAY_JSON_FALSE
           || pay_adyen_is(json, member, "false");
}


int
pay_adyen_is(const pay_json_t *json, const char *member, const char *text)
{
    pay_str_t  value;

    return pay_json_string(pay_json_get(json, member), &value) == PAY_OK
           && pay_str_is(value, text);
}

/*
 * The generic PSP's events (docs/psp-generic.md, "Events"): Standard Webhooks,
 * whose id is the event's id.  A registration's have the words of its status;
 * those about captures, refunds, disputes and fees name the registration, or
 * the payment alone.
 */

#include "psp/generic.h"


#define GENERIC_PREFIX   "registration."
#define GENERIC_ATTEMPT  "attempt.declined"

/* A type of event about something else than the registration's status.
 * `suffix` is that of the nonce of our changes: it tells which kind of change
 * an event answers. */
typedef struct {
    const char       *type;
    pay_psp_about_t   about;
    pay_psp_news_t    news;
    const char       *suffix;          /* of our nonce; NULL: a name of the
                                          PSP's */
    const char       *amount;          /* the member */
} generic_type_t;


static pay_status_t generic_event_id(pay_arena_t *arena, pay_str_t event_id,
    const pay_json_t *root, pay_psp_event_t *event, pay_err_t *err);
static pay_status_t generic_read(pay_arena_t *arena, pay_str_t name,
    const pay_json_t *data, pay_psp_told_t *told);
static pay_status_t generic_card(pay_arena_t *arena, const pay_json_t *data,
    pay_psp_event_t *event);
static pay_status_t generic_attempt(pay_arena_t *arena,
    const pay_json_t *data, pay_psp_event_t *event);
static pay_status_t generic_about(pay_arena_t *arena,
    const generic_type_t *type, const pay_json_t *data,
    pay_psp_event_t *event);
static pay_status_t generic_names(pay_arena_t *arena, const pay_json_t *data,
    pay_psp_event_t *event);
static pay_status_t generic_operation(pay_arena_t *arena,
    const generic_type_t *type, const pay_json_t *data,
    pay_psp_event_t *event);
static pay_status_t generic_fee(pay_arena_t *arena, const pay_json_t *data,
    pay_psp_told_t *told);
static int generic_costs(const pay_psp_event_t *event);


/* The words of the gateway itself: our protocol. */
static const pay_psp_said_t  generic_three_d[] = {
    { "authenticated", "authenticated" }, { "attempted", "attempted" },
    { "exempted", "exempted" }, { "failed", "failed" }, { NULL, NULL }
};

static const pay_psp_said_t  generic_levels[] = {
    { "normal", "normal" }, { "elevated", "elevated" },
    { "highest", "highest" }, { NULL, NULL }
};

static const generic_type_t  generic_types[] = {
    { "capture.done", PAY_ABOUT_CAPTURE, PAY_NEWS_SUCCEEDED, ":capture",
      "captured" },
    { "capture.failed", PAY_ABOUT_CAPTURE, PAY_NEWS_FAILED, ":capture",
      "captured" },
    { "refund.pending", PAY_ABOUT_REFUND, PAY_NEWS_PENDING, ":refund",
      "amount" },
    { "refund.done", PAY_ABOUT_REFUND, PAY_NEWS_SUCCEEDED, ":refund",
      "amount" },
    { "refund.failed", PAY_ABOUT_REFUND, PAY_NEWS_FAILED, ":refund",
      "amount" },
    { "dispute.opened", PAY_ABOUT_DISPUTE, PAY_NEWS_OPENED, NULL, "amount" },
    { "dispute.won", PAY_ABOUT_DISPUTE, PAY_NEWS_WON, NULL, "amount" },
    { "dispute.lost", PAY_ABOUT_DISPUTE, PAY_NEWS_LOST, NULL, "amount" },
    { "fee.charged", PAY_ABOUT_FEE, PAY_NEWS_SUCCEEDED, NULL, "amount" },
    { "fee.returned", PAY_ABOUT_FEE, PAY_NEWS_FAILED, NULL, "amount" },
    { NULL, PAY_ABOUT_PAYMENT, PAY_NEWS_PENDING, NULL, NULL }
};


/* The id comes from the signed header, unlike with most PSPs: Standard
 * Webhooks sign it. */
pay_status_t
pay_generic_webhook_events(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t event_id, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err)
{
    pay_json_t      *root;
    pay_status_t     status;
    pay_psp_told_t   told;

    (void) account;

    PAY_TRY(pay_psp_parse(body, &root, err));

    memset(&told, 0, sizeof(told));
    status = pay_generic_event(arena, event_id, root, &told, err);
    pay_json_free(root);

    if (status == PAY_OK) {
        memcpy(events, told.events, told.count * sizeof(told.events[0]));
        *count = told.count;
    }

    return status;
}


/* The pointer and the rule of a refusal go back to the sender, who is the
 * developer of the bridge. */
pay_status_t
pay_generic_event(pay_arena_t *arena, pay_str_t event_id,
    const pay_json_t *root, pay_psp_told_t *told, pay_err_t *err)
{
    pay_str_t         name;
    pay_status_t      status;
    pay_psp_event_t  *event = pay_psp_told_add(told);
    pay_psp_unread_t *unread;

    PAY_TRY(generic_event_id(arena, event_id, root, event, err));

    if (!pay_generic_string(root, "type", &name) || name.len == 0) {
        return pay_refuse_at(err, "validation-error",
                             "must be a string that is not empty", "/type");
    }

    PAY_TRY(pay_psp_safe(arena, name, &event->type));

    status = generic_read(arena, name, pay_json_get(root, "data"), told);

    if (status != PAY_INVALID) {
        return status;
    }

    unread = &told->events[0].unread;

    return unread->rule == NULL
           ? pay_refuse_at(err, "validation-error",
                           "lacks a member that this type has", "/data")
           : pay_refuse_at(err, "validation-error", unread->rule, "/data/%s",
                           unread->member);
}


/* The signed webhook-id, which the body may repeat but not contradict. */
static pay_status_t
generic_event_id(pay_arena_t *arena, pay_str_t event_id,
    const pay_json_t *root, pay_psp_event_t *event, pay_err_t *err)
{
    pay_str_t  id;

    if (pay_json_get(root, "id") == NULL) {
        id = event_id;

    } else if (!pay_generic_string(root, "id", &id)
               || (event_id.len && !pay_str_eq(id, event_id)))
    {
        return pay_refuse_at(err, "validation-error",
                             "must be the same as the header webhook-id",
                             "/id");
    }

    if (!pay_psp_token_is_valid(id)) {
        return pay_refuse_at(err, "validation-error", PAY_PSP_RULE_TOKEN,
                             "/id");
    }

    return pay_dup(arena, id, &event->event_id);
}


/* PAY_INVALID when something is missing.  "registration.<status>" is read by
 * the table of statuses.  An approval by webhook is a hint: the money is
 * captured after a query, never by a message alone. */
static pay_status_t
generic_read(pay_arena_t *arena, pay_str_t name, const pay_json_t *data,
    pay_psp_told_t *told)
{
    size_t                 prefix = strlen(GENERIC_PREFIX);
    pay_str_t              word;
    pay_psp_event_t       *event = &told->events[0];
    const generic_type_t  *type;

    if (name.len > prefix && memcmp(name.data, GENERIC_PREFIX, prefix) == 0) {
        word = (pay_str_t) { name.len - prefix, name.data + prefix };

        if (pay_generic_status(word, event) == NULL) {
            return PAY_OK;
        }

        event->must_ask = event->must_capture;
        event->must_capture = 0;
        PAY_TRY(pay_generic_facts(arena, data, event));
        PAY_TRY(generic_card(arena, data, event));

        return generic_fee(arena, data, told);
    }

    if (pay_str_is(name, GENERIC_ATTEMPT)) {
        return generic_attempt(arena, data, event);
    }

    for (type = generic_types; type->type != NULL; type++) {
        if (pay_str_is(name, type->type)) {
            PAY_TRY(generic_about(arena, type, data, event));
            return generic_fee(arena, data, told);
        }
    }

    return PAY_OK;
}


/* The page lives on, so there is no reference of a payment yet. */
static pay_status_t
generic_attempt(pay_arena_t *arena, const pay_json_t *data,
    pay_psp_event_t *event)
{
    PAY_TRY(generic_names(arena, data, event));
    PAY_TRY(pay_psp_word_get(arena, data, "code", &event->code));
    PAY_TRY(pay_psp_word_get(arena, data, "decline_code", &event->decline));

    if (event->token.len == 0) {
        return PAY_INVALID;
    }

    event->fact = PAY_FACT_ATTEMPT;
    event->reference = PAY_STR("");

    return generic_card(arena, data, event);
}


/* The attempt's id, or else the payment's, or the registration's. */
static pay_status_t
generic_card(pay_arena_t *arena, const pay_json_t *data,
    pay_psp_event_t *event)
{
    pay_psp_card_t    *said = &event->card;
    const pay_json_t  *risk = pay_json_get(data, "risk");

    said->attempt = event->object.len ? event->object
                    : event->reference.len ? event->reference : event->token;
    PAY_TRY(pay_psp_card_name(arena, risk, "card", &said->card));
    PAY_TRY(pay_psp_card_bin(arena, risk, "bin", &said->bin));
    PAY_TRY(pay_psp_card_country(arena, risk, "country", &said->country));
    pay_psp_card_word(pay_psp_fundings, risk, "funding", &said->funding);
    pay_psp_card_word(generic_three_d, risk, "three_d_secure",
                      &said->three_d);
    pay_psp_card_word(generic_levels, risk, "level", &said->level);
    pay_psp_card_score(risk, "score", said);

    return pay_psp_word_get(arena, risk, "warning", &said->warning);
}


/* `captured` of a capture is the sum so far, in other events `amount` is
 * theirs alone; "final" says that the PSP has released the rest. */
static pay_status_t
generic_about(pay_arena_t *arena, const generic_type_t *type,
    const pay_json_t *data, pay_psp_event_t *event)
{
    PAY_TRY(generic_names(arena, data, event));
    PAY_TRY(generic_operation(arena, type, data, event));
    PAY_TRY(pay_psp_word_get(arena, data, "code", &event->code));
    PAY_TRY(pay_generic_amount_in(arena, data, type->amount, event));

    if (!event->has_amount) {
        pay_psp_unread(&event->unread, type->amount, PAY_GENERIC_RULE_AMOUNT);
        return PAY_INVALID;
    }

    if (event->object.len == 0 && type->about != PAY_ABOUT_CAPTURE) {
        pay_psp_unread(&event->unread, "id", PAY_PSP_RULE_TOKEN);
        return PAY_INVALID;
    }

    pay_psp_about(event, type->about, type->news);

    if (type->about == PAY_ABOUT_CAPTURE
        && type->news == PAY_NEWS_SUCCEEDED
        && pay_json_is_true(pay_json_get(data, "final")))
    {
        event->news = PAY_NEWS_ENDED;
    }

    return PAY_OK;
}


/* The registration or the payment must be named, else no checkout can be
 * found. */
static pay_status_t
generic_names(pay_arena_t *arena, const pay_json_t *data,
    pay_psp_event_t *event)
{
    size_t  i;

    const struct {
        const char  *member;
        pay_str_t   *to;
    } names[] = {
        { "token", &event->token }, { "payment_id", &event->reference },
        { "id", &event->object }
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        PAY_TRY(pay_psp_token_may(arena, data, names[i].member, names[i].to));
    }

    if (event->token.len != 0 || event->reference.len != 0) {
        return PAY_OK;
    }

    pay_psp_unread(&event->unread, "token", "must be there, or payment_id");

    return PAY_INVALID;
}


/* Our change's nonce is its id and the kind. */
static pay_status_t
generic_operation(pay_arena_t *arena, const generic_type_t *type,
    const pay_json_t *data, pay_psp_event_t *event)
{
    size_t     len;
    pay_str_t  nonce;

    if (type->suffix == NULL || !pay_generic_string(data, "nonce", &nonce)) {
        return PAY_OK;
    }

    len = strlen(type->suffix);

    if (nonce.len <= len
        || memcmp(nonce.data + nonce.len - len, type->suffix, len) != 0)
    {
        return PAY_OK;
    }

    nonce.len -= len;

    return pay_psp_operation(arena, nonce, &event->operation);
}


/* A dispute's fee is part of its event, any other fee an event of its own.  A
 * fee that cannot be read is left out rather than refusing the payment that it
 * comes with. */
static pay_status_t
generic_fee(pay_arena_t *arena, const pay_json_t *data, pay_psp_told_t *told)
{
    int64_t                minor;
    pay_str_t              text, code;
    pay_psp_event_t       *event = &told->events[0];
    const pay_currency_t  *currency;

    if (!generic_costs(event) || !pay_generic_string(data, "fee", &text)) {
        return PAY_OK;
    }

    if (!pay_generic_string(data, "fee_currency", &code)) {
        code = event->currency;
    }

    if (pay_currency_find(code, &currency, NULL) != PAY_OK
        || pay_amount_parse(text, currency, &minor, NULL) != PAY_OK)
    {
        return PAY_OK;
    }

    code = pay_str_of(currency->code);

    if (event->about != PAY_ABOUT_DISPUTE) {
        return pay_psp_fee_add(arena, event->event_id, minor, code, told);
    }

    event->has_fee = minor > 0;
    event->fee_minor = minor;
    event->fee_currency = code;

    return PAY_OK;
}


/* Fees stand in events of things that are done; a pending refund costs nothing
 * yet. */
static int
generic_costs(const pay_psp_event_t *event)
{
    switch (event->about) {

    case PAY_ABOUT_PAYMENT:
        return event->fact == PAY_FACT_PAID;

    case PAY_ABOUT_CAPTURE:
    case PAY_ABOUT_REFUND:
        return event->news == PAY_NEWS_SUCCEEDED
               || event->news == PAY_NEWS_ENDED;

    default:
        return event->about == PAY_ABOUT_DISPUTE;
    }
}

/*
 * Braintree (docs/psp/braintree.md).  It has no hosted page that a server could
 * register, so only its webhooks are understood: bt_payload of a form, base64
 * of a small XML notification.  A notification has no id: kind, the subject's
 * id and the timestamp, all signed, are used instead.  Money has arrived with
 * transaction_settled; local_payment_completed and _funded say that the buyer
 * is done, but their transaction may still fail to settle.  Disputes name the
 * transaction; a retrieval takes no money and is not reported.  Refunds and
 * payouts say nothing about an order.
 */

#include "psp/braintree.h"
#include "pay_crypto.h"


#define BT_FIELDS_MAX  16              /* of the form */
#define BT_TIME_MAX    40

/* A kind of notification about a payment, and its fact. */
typedef struct {
    const char  *kind;
    pay_fact_t   fact;
} bt_kind_t;

/* A kind of notification about a dispute.  Accepted and expired disputes are
 * lost ones: the buyer keeps the money. */
typedef struct {
    const char      *kind;
    pay_psp_news_t   news;
} bt_news_t;

/* The texts that matter, all PAY_BT_TEXT_MAX + 1 bytes at most. */
typedef struct {
    pay_str_t  kind;
    pay_str_t  timestamp;
    pay_str_t  subject;                /* the name of the subject's element */
    pay_str_t  id;
    pay_str_t  payment_id;             /* of a local payment */
    pay_str_t  amount;
    pay_str_t  currency;
    pay_str_t  order_id;
    pay_str_t  dispute;                /* its kind */
    pay_str_t  inner_id;               /* of the transaction in it */
    pay_str_t  inner_amount;
    pay_str_t  inner_currency;
    pay_str_t  inner_order_id;
} bt_note_t;

/* Where a text stands in the document: directly in the notification (outer
 * NULL), in the subject's element (outer ""), or in that element within the
 * subject's. */
typedef struct {
    const char  *outer;                /* of the subject, or NULL: the top */
    const char  *name;
    size_t       offset;               /* in bt_note_t */
} bt_slot_t;


static pay_status_t bt_webhook_events(pay_arena_t *arena,
    const pay_psp_account_t *account, pay_str_t event_id, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err);
static pay_status_t bt_payload(pay_arena_t *arena, pay_str_t form,
    pay_str_t *xml);
static pay_status_t bt_field(pay_str_t form, pay_str_t *value);
static pay_str_t bt_cut(pay_str_t *rest, unsigned char separator);
static int bt_encoded(pay_str_t text, unsigned char *byte);
static pay_status_t bt_leaf(const pay_str_t *path, unsigned depth,
    pay_str_t text, void *data);
static pay_status_t bt_event(pay_arena_t *arena, const bt_note_t *note,
    pay_psp_event_t *event, pay_err_t *err);
static pay_status_t bt_dispute(pay_arena_t *arena, const bt_note_t *note,
    pay_psp_event_t *event, pay_err_t *err);
static pay_status_t bt_event_id(pay_arena_t *arena, const bt_note_t *note,
    pay_psp_event_t *event);
static int bt_time_is_valid(pay_str_t text);
static pay_status_t bt_amount(pay_arena_t *arena, const bt_note_t *note,
    pay_psp_event_t *event);
static pay_status_t bt_minor(pay_arena_t *arena, pay_str_t amount,
    const pay_currency_t *currency, int64_t *minor);


static const bt_kind_t  bt_kinds[] = {
    { "transaction_settled", PAY_FACT_PAID },
    { "transaction_settlement_declined", PAY_FACT_DECLINED },
    { "local_payment_completed", PAY_FACT_PENDING },
    { "local_payment_funded", PAY_FACT_PENDING },
    { "local_payment_expired", PAY_FACT_EXPIRED },
    { "local_payment_reversed", PAY_FACT_DECLINED },
    { NULL, PAY_FACT_NONE }
};

static const bt_news_t  bt_disputes[] = {
    { "dispute_opened", PAY_NEWS_OPENED },
    { "dispute_won", PAY_NEWS_WON },
    { "dispute_lost", PAY_NEWS_LOST },
    { "dispute_accepted", PAY_NEWS_LOST },
    { "dispute_auto_accepted", PAY_NEWS_LOST },
    { "dispute_expired", PAY_NEWS_LOST },
    { NULL, PAY_NEWS_PENDING }
};

#define BT_SLOT(outer, name, member)                                          \
    { outer, name, offsetof(bt_note_t, member) }

static const bt_slot_t  bt_slots[] = {
    BT_SLOT(NULL, "kind", kind),
    BT_SLOT(NULL, "timestamp", timestamp),
    BT_SLOT("", "id", id),
    BT_SLOT("", "payment-id", payment_id),
    BT_SLOT("", "amount", amount),
    BT_SLOT("", "currency-iso-code", currency),
    BT_SLOT("", "order-id", order_id),
    BT_SLOT("", "kind", dispute),
    BT_SLOT("transaction", "id", inner_id),
    BT_SLOT("transaction", "amount", inner_amount),
    BT_SLOT("transaction", "currency-iso-code", inner_currency),
    BT_SLOT("transaction", "order-id", inner_order_id),
    { NULL, NULL, 0 }
};


const pay_psp_adapter_t  pay_psp_braintree = {
    .name = "braintree",
    .scheme = "braintree",
    .webhook_events = bt_webhook_events
};


/* The whole message is one event.  The scheme has verified bt_payload as text
 * before; here the same text is decoded. */
static pay_status_t
bt_webhook_events(pay_arena_t *arena, const pay_psp_account_t *account,
    pay_str_t event_id, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX], unsigned *count,
    pay_err_t *err)
{
    pay_str_t         xml;
    bt_note_t         note;
    pay_status_t      status;
    pay_psp_event_t   event;

    (void) account;
    (void) event_id;           /* Braintree's headers carry none */

    status = bt_payload(arena, body, &xml);

    if (status == PAY_OK) {
        memset(&note, 0, sizeof(note));
        status = pay_bt_xml_walk(arena, xml, bt_leaf, &note);
    }

    if (status == PAY_INVALID) {
        return pay_refuse(err, "validation-error",
                          "bt_payload holds no notification");
    }

    PAY_TRY(status);

    memset(&event, 0, sizeof(event));
    PAY_TRY(bt_event(arena, &note, &event, err));

    events[0] = event;
    *count = 1;

    return PAY_OK;
}


/* The bytes that bt_payload encodes.  Read exactly as the scheme reads it that
 * has verified it: the one field whose name stands there unencoded. */
static pay_status_t
bt_payload(pay_arena_t *arena, pay_str_t form, pay_str_t *xml)
{
    size_t          i, n;
    pay_str_t       field;
    unsigned char   c;
    unsigned char  *text;

    if (form.len > PAY_PSP_BODY_MAX) {
        return PAY_INVALID;
    }

    PAY_TRY(bt_field(form, &field));

    text = pay_alloc(arena, field.len + 1);
    if (text == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0, n = 0; i < field.len; i++) {
        c = field.data[i];

        if (c == '%') {
            if (!bt_encoded((pay_str_t) { field.len - i, field.data + i },
                            &c))
            {
                return PAY_INVALID;
            }

            i += 2;

        } else if (c == '+') {         /* a blank */
            return PAY_INVALID;
        }

        if (c == '\n') {
            continue;
        }

        text[n++] = c;
    }

    return pay_base64_decode(arena, (pay_str_t) { n, text }, xml);
}


/* A second bt_payload would let the scheme verify one and this file read the
 * other, so exactly one is taken. */
static pay_status_t
bt_field(pay_str_t form, pay_str_t *value)
{
    unsigned   fields, found;
    pay_str_t  field, name;

    found = 0;
    *value = PAY_STR("");

    for (fields = 0; form.len != 0; fields++) {
        field = bt_cut(&form, '&');
        name = bt_cut(&field, '=');

        if (fields == BT_FIELDS_MAX) {
            return PAY_INVALID;
        }

        if (pay_str_is(name, "bt_payload")) {
            *value = field;
            found++;
        }
    }

    return (found == 1 && value->len != 0) ? PAY_OK : PAY_INVALID;
}


/* Takes the part before the separator off, and the separator with it. */
static pay_str_t
bt_cut(pay_str_t *rest, unsigned char separator)
{
    size_t     i;
    pay_str_t  part;

    for (i = 0; i < rest->len && rest->data[i] != separator; i++) {
        /* void */
    }

    part = (pay_str_t) { i, rest->data };
    i += (i < rest->len);
    rest->data += i;
    rest->len -= i;

    return part;
}


/* %2B %2F %3D %0A: what base64 has and a form encodes.  Everything else would
 * be no payload. */
static int
bt_encoded(pay_str_t text, unsigned char *byte)
{
    size_t  i;

    static const struct {
        char           code[4];
        unsigned char  byte;
    } codes[] = {
        { "%2B", '+' }, { "%2b", '+' }, { "%2F", '/' }, { "%2f", '/' },
        { "%3D", '=' }, { "%3d", '=' }, { "%0A", '\n' }, { "%0a", '\n' }
    };

    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (text.len >= 3 && memcmp(text.data, codes[i].code, 3) == 0) {
            *byte = codes[i].byte;
            return 1;
        }
    }

    return 0;
}


/* Keeps the texts of bt_slots.  A doubled one would leave it open which
 * counts. */
static pay_status_t
bt_leaf(const pay_str_t *path, unsigned depth, pay_str_t text, void *data)
{
    int               fits;
    bt_note_t        *note = data;
    pay_str_t        *member;
    const bt_slot_t  *slot;

    if (!pay_str_is(path[0], "notification")) {
        return PAY_INVALID;
    }

    if (depth >= 3 && pay_str_is(path[1], "subject")) {
        if (note->subject.len != 0 && !pay_str_eq(note->subject, path[2])) {
            return PAY_INVALID;
        }

        note->subject = path[2];
    }

    for (slot = bt_slots; slot->name != NULL; slot++) {
        fits = (slot->outer == NULL) ? depth == 2
               : (slot->outer[0] == '\0')
               ? depth == 4 && pay_str_is(path[1], "subject")
               : depth == 5 && pay_str_is(path[1], "subject")
                 && pay_str_is(path[3], slot->outer);

        if (fits && pay_str_is(path[depth - 1], slot->name)) {
            member = (pay_str_t *) ((char *) note + slot->offset);

            if (member->data != NULL) {
                return PAY_INVALID;
            }

            *member = text;
        }
    }

    return PAY_OK;
}


/* An unknown kind that is no dispute is stored without a fact.  PAID needs an
 * amount, because an order must not be paid by a notification that does not
 * say how much. */
static pay_status_t
bt_event(pay_arena_t *arena, const bt_note_t *note, pay_psp_event_t *event,
    pay_err_t *err)
{
    pay_str_t         token, order;
    const bt_kind_t  *row;

    if (!pay_psp_token_is_valid(note->kind)
        || note->kind.len > PAY_PSP_CODE_MAX
        || !bt_time_is_valid(note->timestamp))
    {
        return pay_refuse(err, "validation-error",
                          "a notification has kind and timestamp");
    }

    for (row = bt_kinds; row->kind != NULL; row++) {
        if (pay_str_is(note->kind, row->kind)) {
            break;
        }
    }

    PAY_TRY(pay_psp_safe(arena, note->kind, &event->type));
    PAY_TRY(bt_event_id(arena, note, event));

    if (row->kind == NULL) {
        return bt_dispute(arena, note, event, err);
    }

    /* our reference names the order best, the PSP's own ids else */
    order = note->order_id.len ? note->order_id : note->inner_order_id;
    token = pay_psp_token_is_valid(order) ? order
            : note->payment_id.len ? note->payment_id : note->id;

    if (!pay_psp_token_is_valid(token)) {
        return pay_refuse(err, "validation-error", "a payment has an id");
    }

    PAY_TRY(bt_amount(arena, note, event));

    if (row->fact == PAY_FACT_PAID && !event->has_amount) {
        return pay_refuse(err, "validation-error",
                          "a settled transaction has an amount");
    }

    event->fact = row->fact;
    event->token = token;
    event->reference = note->inner_id.len ? note->inner_id : note->id;

    if (!pay_psp_token_is_valid(event->reference)) {
        event->reference = PAY_STR("");
    }

    if (row->fact == PAY_FACT_DECLINED) {
        event->code = event->type;
    }

    return PAY_OK;
}


/* The dispute's own id is the object, so that opened, won and lost are about
 * one dispute. */
static pay_status_t
bt_dispute(pay_arena_t *arena, const bt_note_t *note, pay_psp_event_t *event,
    pay_err_t *err)
{
    const bt_news_t  *row;

    for (row = bt_disputes; row->kind != NULL; row++) {
        if (pay_str_is(note->kind, row->kind)) {
            break;
        }
    }

    if (row->kind == NULL || pay_str_is(note->dispute, "retrieval")) {
        return PAY_OK;
    }

    PAY_TRY(bt_amount(arena, note, event));

    if (!event->has_amount || !pay_psp_token_is_valid(note->id)
        || !pay_psp_token_is_valid(note->inner_id))
    {
        return pay_refuse(err, "validation-error",
                          "a dispute has id, transaction and amount");
    }

    event->object = note->id;
    event->reference = note->inner_id;
    pay_psp_about(event, PAY_ABOUT_DISPUTE, row->news);

    return PAY_OK;
}


/* kind:id:timestamp, with "-" for a subject without an id (check). */
static pay_status_t
bt_event_id(pay_arena_t *arena, const bt_note_t *note, pay_psp_event_t *event)
{
    pay_str_t  id;

    id = note->id.len ? note->id
         : note->payment_id.len ? note->payment_id : note->inner_id;

    if (!pay_psp_token_is_valid(id) || id.len > 128) {
        id = PAY_STR("-");
    }

    return pay_format(arena, &event->event_id, 255, "%.*s:%.*s:%.*s",
                      pay_fmt(note->kind), pay_fmt(id),
                      pay_fmt(note->timestamp));
}


/* The time becomes a part of the event's id; it is compared, never calculated
 * with. */
static int
bt_time_is_valid(pay_str_t text)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < text.len; i++) {
        c = text.data[i];

        if (!(c >= '0' && c <= '9') && c != 'T' && c != 'Z' && c != ':'
            && c != '+' && c != '-' && c != '.')
        {
            return 0;
        }
    }

    return text.len > 0 && text.len <= BT_TIME_MAX;
}


/* An amount that no order of ours can have is reported as 0. */
static pay_status_t
bt_amount(pay_arena_t *arena, const bt_note_t *note, pay_psp_event_t *event)
{
    int                    inner;
    size_t                 i;
    pay_str_t              amount, code;
    pay_status_t           status;
    const pay_currency_t  *currency;

    inner = !pay_str_is(note->subject, "transaction")
            && !pay_str_is(note->subject, "dispute");
    amount = inner ? note->inner_amount : note->amount;
    code = inner ? note->inner_currency : note->currency;

    for (i = 0; i < code.len; i++) {
        if (code.data[i] < 'A' || code.data[i] > 'Z') {
            return PAY_OK;
        }
    }

    if (amount.len == 0 || code.len != 3) {
        return PAY_OK;
    }

    event->has_amount = 1;
    event->currency = code;
    event->amount_minor = 0;

    if (pay_currency_find(code, &currency, NULL) != PAY_OK) {
        return PAY_OK;
    }

    status = bt_minor(arena, amount, currency, &event->amount_minor);

    return (status == PAY_NO_MEMORY) ? status : PAY_OK;
}


/* Braintree leaves decimals out ("100", "250.0"): they are filled up, never
 * rounded. */
static pay_status_t
bt_minor(pay_arena_t *arena, pay_str_t amount, const pay_currency_t *currency,
    int64_t *minor)
{
    size_t     i, decimals;
    pay_buf_t  buf;
    pay_str_t  text;

    for (i = 0; i < amount.len && amount.data[i] != '.'; i++) {
        /* void */
    }

    decimals = (i < amount.len) ? amount.len - i - 1 : 0;

    pay_buf_init(&buf, arena, PAY_BT_TEXT_MAX + 8);
    pay_buf_add(&buf, amount);

    if (i == amount.len && currency->exponent != 0) {
        pay_buf_text(&buf, ".");
    }

    for ( /* void */ ; decimals < currency->exponent; decimals++) {
        pay_buf_text(&buf, "0");
    }

    PAY_TRY(pay_buf_done(&buf, &text));

    return pay_amount_parse(text, currency, minor, NULL);
}

/*
 * The JSON of a capture, a cancellation or a refund, alone and in a list.  One
 * function makes the members for both.
 */

#include "pay_change.h"


/* Bounds of our own database's JSON: a limit here ends a bug, not an
 * attack. */
#define LIST_MAX     (8 * 1024 * 1024)
#define LIST_VALUES  (PAY_CHANGES_MAX * 100)   /* metadata among them */


static pay_status_t set_change(pay_arena_t *arena, const pay_change_t *change,
    pay_json_t *json);
static pay_status_t set_opt(pay_json_t *json, const char *member,
    pay_str_t text);
static pay_status_t set_metadata(pay_json_t *json, pay_str_t metadata);
static pay_status_t list_changes(pay_arena_t *arena, pay_change_kind_t kind,
    const pay_json_t *from, pay_json_t *to);
static pay_status_t read_change(pay_arena_t *arena, const pay_json_t *from,
    pay_change_t *change);
static pay_status_t wrap(pay_arena_t *arena, pay_change_kind_t kind,
    pay_str_t payment_order_id, pay_json_t *array, pay_str_t *text);


static const char  *const ids[] = {
    [PAY_CHANGE_CAPTURE] = "capture_id",
    [PAY_CHANGE_CANCEL] = "cancel_id",
    [PAY_CHANGE_REFUND] = "refund_id"
};
PAY_ROWS(ids, PAY_CHANGE_KINDS);


/* The object of one change, with the checkout it belongs to. */
pay_status_t
pay_change_render(pay_arena_t *arena, const pay_change_t *change,
    pay_str_t checkout_id, pay_str_t *text)
{
    pay_json_t    *json;
    pay_status_t   status;

    json = pay_json_object_new();
    if (json == NULL) {
        return PAY_NO_MEMORY;
    }

    status = set_change(arena, change, json);

    if (status == PAY_OK) {
        status = pay_json_set_string(json, "checkout_id", checkout_id);
    }

    if (status == PAY_OK) {
        status = pay_json_write(arena, json, text);
    }

    pay_json_free(json);

    return status;
}


/* SQL's list is parsed and written anew, so that amounts, states and names
 * come from the same function as those of a single change. */
pay_status_t
pay_changes_render(pay_arena_t *arena, pay_change_kind_t kind,
    pay_str_t payment_order_id, pay_str_t changes, pay_str_t *text)
{
    pay_json_t         *from, *to;
    pay_status_t        status;
    pay_json_limits_t   limits = { LIST_MAX, 0, PAY_CHANGES_MAX,
                                   LIST_VALUES };

    status = pay_json_parse(changes, &limits, &from, NULL);
    if (status != PAY_OK) {
        return (status == PAY_INVALID) ? PAY_BUG : status;
    }

    to = pay_json_array_new();
    status = (to == NULL) ? PAY_NO_MEMORY : list_changes(arena, kind, from,
                                                         to);
    pay_json_free(from);

    if (status != PAY_OK) {
        pay_json_free(to);
        return status;
    }

    return wrap(arena, kind, payment_order_id, to, text);
}


/* The members that a change has alone and in a list.  refund_id, capture_id
 * and cancel_id are names of one id, one for each kind. */
static pay_status_t
set_change(pay_arena_t *arena, const pay_change_t *change, pay_json_t *json)
{
    pay_str_t  amount;

    PAY_TRY(pay_amount_format(arena, change->amount_minor, change->currency,
                              &amount));
    PAY_TRY(pay_json_set_string(json, ids[change->kind], change->id));
    PAY_TRY(pay_json_set_string(json, "payment_order_id", change->order_id));
    PAY_TRY(pay_json_set_string(json, "status",
                                pay_str_of(pay_state_name(change->status))));
    PAY_TRY(pay_json_set_string(json, "amount", amount));
    PAY_TRY(pay_json_set_string(json, "currency",
                                pay_str_of(change->currency->code)));

    if (change->kind == PAY_CHANGE_CAPTURE) {
        PAY_TRY(pay_json_set(json, "final",
                             pay_json_boolean_new(change->is_final)));
    }

    PAY_TRY(set_opt(json, "reason", change->reason));
    PAY_TRY(set_opt(json, "code", change->code));
    PAY_TRY(set_metadata(json, change->metadata));
    PAY_TRY(pay_json_set_string(json, "created_at", change->created_at));

    return pay_json_set_string(json, "changed_at", change->changed_at);
}


/* Members that may be absent are null rather than left out: a client sees that
 * they exist. */
static pay_status_t
set_opt(pay_json_t *json, const char *member, pay_str_t text)
{
    return (text.len == 0) ? pay_json_set(json, member, pay_json_null_new())
                           : pay_json_set_string(json, member, text);
}


/* Stored as text and shown as JSON: it is parsed again instead of being pasted
 * in, which would let a broken row break the answer. */
static pay_status_t
set_metadata(pay_json_t *json, pay_str_t metadata)
{
    pay_json_t    *value;
    pay_status_t   status;

    if (metadata.len == 0) {
        return pay_json_set(json, "metadata", pay_json_null_new());
    }

    status = pay_json_parse(metadata, NULL, &value, NULL);
    if (status != PAY_OK) {
        return (status == PAY_INVALID) ? PAY_BUG : status;
    }

    return pay_json_set(json, "metadata", value);
}


/* Items that were appended belong to `to`; the one that failed is freed
 * here. */
static pay_status_t
list_changes(pay_arena_t *arena, pay_change_kind_t kind,
    const pay_json_t *from, pay_json_t *to)
{
    size_t         i;
    pay_json_t    *item;
    pay_change_t   change;
    pay_status_t   status;

    for (i = 0; i < pay_json_size(from); i++) {
        memset(&change, 0, sizeof(change));
        change.kind = kind;
        PAY_TRY(read_change(arena, pay_json_at(from, i), &change));

        item = pay_json_object_new();
        status = (item == NULL) ? PAY_NO_MEMORY : set_change(arena, &change,
                                                             item);
        if (status != PAY_OK) {
            pay_json_free(item);
            return status;
        }

        PAY_TRY(pay_json_append(to, item));
    }

    return PAY_OK;
}


/* Reads an element of the JSON that pay_api.list_changes has written.  Texts
 * are borrowed from it, so that it must outlive the change. */
static pay_status_t
read_change(pay_arena_t *arena, const pay_json_t *from, pay_change_t *change)
{
    unsigned           i;
    pay_str_t          kind = PAY_STR(""), status = kind, currency = kind;
    const pay_json_t  *value;

    const struct {
        const char  *name;
        pay_str_t   *to;
        int          may_be_null;
    } texts[] = {
        { "change_id", &change->id, 0 },
        { "kind", &kind, 0 },
        { "payment_order_id", &change->order_id, 0 },
        { "status", &status, 0 },
        { "currency", &currency, 0 },
        { "reason", &change->reason, 1 },
        { "code", &change->code, 1 },
        { "created_at", &change->created_at, 0 },
        { "changed_at", &change->changed_at, 0 }
    };

    /* A list that our own SQL has written has every member: anything else is a
     * bug. */
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (pay_json_string(pay_json_get(from, texts[i].name), texts[i].to)
            != PAY_OK && !texts[i].may_be_null)
        {
            return PAY_BUG;
        }
    }

    if (pay_json_integer(pay_json_get(from, "amount_minor"),
                         &change->amount_minor) != PAY_OK
        || !pay_state_parse(status, &change->status)
        || pay_currency_find(currency, &change->currency, NULL) != PAY_OK)
    {
        return PAY_BUG;
    }

    /* SQL folds two facts into the kind, as in op_change.c: read_kind(). */
    change->is_final = pay_str_is(kind, "final_capture");
    value = pay_json_get(from, "metadata");

    return (pay_json_type(value) == PAY_JSON_OBJECT)
           ? pay_json_write(arena, value, &change->metadata) : PAY_OK;
}


/* {"payment_order_id", "refunds": […]}.  Owns `array` from here on, also when
 * it fails. */
static pay_status_t
wrap(pay_arena_t *arena, pay_change_kind_t kind, pay_str_t payment_order_id,
    pay_json_t *array, pay_str_t *text)
{
    pay_json_t    *json;
    pay_status_t   status;

    json = pay_json_object_new();
    status = (json == NULL)
             ? PAY_NO_MEMORY
             : pay_json_set_string(json, "payment_order_id",
                                   payment_order_id);
    if (status != PAY_OK) {
        pay_json_free(array);
        pay_json_free(json);
        return status;
    }

    status = pay_json_set(json, pay_change_plural(kind), array);

    if (status == PAY_OK) {
        status = pay_json_write(arena, json, text);
    }

    pay_json_free(json);

    return status;
}

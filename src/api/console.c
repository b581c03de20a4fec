/*
 * The pages of the console and the parameters of their addresses, which come
 * from a browser and are a stranger's.  All that passes here is bounded and of
 * the form that SQL expects; PostgreSQL reads each value as a parameter.
 */

#include "pay_console.h"
#include "pay_form.h"
#include "pay_id.h"
#include "pay_json.h"
#include "pay_time.h"


#define FIELDS_MAX   16
#define TEXT_MAX     128
#define CURSOR_MAX   320
#define TIME_SHORT   (sizeof("2026-11-21T08:15:00Z") - 1)
#define TIME_LONG    (sizeof("2026-11-21T08:15:00.123456Z") - 1)
#define PARAMETERS   32


typedef pay_status_t (*take_pt)(pay_arena_t *arena, pay_str_t *value);

typedef enum {
    MERCHANT = 0, PSP, STATUS, CURRENCY, MIN, MAX, FROM, TO, KIND, STATE,
    SELLER, ORDER, CHECKOUT, PAYOUT, FIND, PERSONAL, BEFORE, AFTER, LIMIT,
    METHOD, OUTCOME, CODE, STEP, ZONE, FILE_ID,
    PERSON, ACT, OBJECT, ACCOUNT, CELL,
    PARAMETER_COUNT
} parameter_t;

#define P(parameter)  (1u << (parameter))
#define RANGE         (P(FROM) | P(TO))
#define LIST          (P(MERCHANT) | P(BEFORE) | P(LIMIT))

struct pay_console_page_s {
    const char  *name;
    unsigned     parameters;
    unsigned     shows;        /* bits of shows_t */
};

/* Facts of the configuration that a page shows. */
typedef enum { SETTINGS = 1, ACTS = 2, CELLS = 4 } shows_t;


static pay_status_t take_field(pay_arena_t *arena, pay_str_t field,
    unsigned allowed, unsigned *seen, pay_json_t *query, pay_err_t *err);
static pay_status_t read_fields(pay_arena_t *arena, pay_str_t args,
    unsigned allowed, unsigned *seen, pay_json_t *query, pay_err_t *err);
static pay_status_t add_facts(const pay_console_page_t *page,
    const pay_console_facts_t *facts, pay_json_t *query);
static pay_status_t read_cell(pay_arena_t *arena, const pay_json_t *query,
    pay_str_t *cell);
static pay_status_t take_id(pay_arena_t *arena, pay_str_t *value);
static pay_status_t take_word(pay_arena_t *arena, pay_str_t *value);
static pay_status_t take_currency(pay_arena_t *arena, pay_str_t *value);
static pay_status_t take_amount(pay_arena_t *arena, pay_str_t *value);
static pay_status_t take_time(pay_arena_t *arena, pay_str_t *value);
static pay_status_t take_cursor(pay_arena_t *arena, pay_str_t *value);
static pay_status_t take_name(pay_arena_t *arena, pay_str_t *value);
static pay_status_t take_number(pay_arena_t *arena, pay_str_t *value);
static pay_status_t take_limit(pay_arena_t *arena, pay_str_t *value);
static pay_status_t take_text(pay_arena_t *arena, pay_str_t *value);
static pay_status_t take_printable(pay_arena_t *arena, pay_str_t *value);
static pay_status_t take_one(pay_arena_t *arena, pay_str_t *value);
static pay_status_t take_cell(pay_arena_t *arena, pay_str_t *value);


static const struct {
    const char  *name;
    take_pt      take;
    const char  *rule;         /* for a value that is refused */
} parameters[] = {
    [MERCHANT] = { "merchant", take_id, "merchant must be a merchant's id" },
    [PSP] = { "psp", take_id, "psp must be the name of a PSP" },
    [STATUS] = { "status", take_word,
                 "status must be NOT_STARTED, EXECUTING, SUCCESS or FAILED" },
    [CURRENCY] = { "currency", take_currency,
                   "currency must be a code of ISO 4217, such as EUR" },
    [MIN] = { "min", take_amount, "min must be an amount such as 10.50" },
    [MAX] = { "max", take_amount, "max must be an amount such as 10.50" },
    [FROM] = { "from", take_time,
               "from must be a time such as 2026-11-21T08:15:00Z" },
    [TO] = { "to", take_time,
             "to must be a time such as 2026-11-21T08:15:00Z" },
    [KIND] = { "kind", take_word, "kind must be a word" },
    [STATE] = { "state", take_word, "state must be a word" },
    [SELLER] = { "seller", take_text, "seller must be a seller's account" },
    [ORDER] = { "order", take_id, "order must be the id of an order" },
    [CHECKOUT] = { "checkout", take_id,
                   "checkout must be the id of a checkout" },
    [PAYOUT] = { "payout", take_id, "payout must be the id of a pay-out" },
    [FIND] = { "q", take_text,
               "q must be 1 to 128 printable ASCII characters" },
    [PERSONAL] = { "personal", take_one, "personal must be 1" },
    [BEFORE] = { "before", take_cursor,
                 "before must be the next of an earlier page" },
    [AFTER] = { "after", take_cursor,
                "after must be the next of an earlier page" },
    [LIMIT] = { "limit", take_limit,
                "limit must be a whole number from 1 to 100" },
    [METHOD] = { "method", take_name,
                 "method must be a payment method, or - for none" },
    [OUTCOME] = { "outcome", take_word,
                  "outcome must be success, failed, expired or open" },
    [CODE] = { "code", take_word,
               "code must be one of our codes of declines" },
    [STEP] = { "step", take_word, "step must be minute, hour or day" },
    [ZONE] = { "zone", take_name,
               "zone must be UTC or a name such as Europe/Paris" },
    [FILE_ID] = { "file", take_number,
                  "file must be the number of a settlement file" },
    [PERSON] = { "person", take_text,
                 "person must be 1 to 128 printable ASCII characters" },
    [ACT] = { "act", take_word, "act must be a word" },
    [OBJECT] = { "object", take_text,
                 "object must be 1 to 128 printable ASCII characters" },
    [ACCOUNT] = { "account", take_word,
                  "account must be an account of the ledger" },
    [CELL] = { "cell", take_cell, "cell must be the name of a cell" }
};
PAY_ROWS(parameters, PARAMETER_COUNT);
_Static_assert(PARAMETER_COUNT <= PARAMETERS, "parameters are bits");

static const pay_console_page_t  pages[] = {
    { "me", 0, ACTS | CELLS },
    { "now", P(MERCHANT), 0 },
    { "payments", LIST | RANGE | P(PSP) | P(STATUS) | P(CURRENCY) | P(MIN)
                  | P(MAX) | P(METHOD) | P(OUTCOME) | P(CODE), 0 },
    { "find", P(FIND) | P(MERCHANT), 0 },
    { "payment", P(MERCHANT) | P(ORDER) | P(CHECKOUT) | P(PERSONAL), 0 },
    { "jobs", LIST | P(KIND) | P(STATE), 0 },
    { "letters", LIST | P(KIND) | P(STATE) | P(PSP), 0 },
    { "mismatches", LIST | P(KIND) | P(STATE) | P(PSP), 0 },
    { "late", LIST | P(STATE) | P(PSP), 0 },
    { "unknown", LIST | P(KIND) | P(PSP), 0 },
    { "webhooks", P(MERCHANT), 0 },
    { "inbox", LIST | P(PSP), 0 },
    { "quarantine", P(PSP) | P(BEFORE) | P(LIMIT), 0 },
    { "deliveries", LIST | P(STATE), 0 },
    { "disputes", LIST | P(STATE) | P(PSP), 0 },
    { "psps", 0, 0 },
    { "money", P(MERCHANT), 0 },
    { "wallets", P(MERCHANT) | P(SELLER) | P(CURRENCY) | P(AFTER)
                 | P(LIMIT), 0 },
    { "settlement", LIST | P(PSP) | P(STATE), 0 },
    { "exceptions", LIST | P(PSP) | P(STATE) | P(KIND), 0 },
    { "payouts", LIST | P(STATE), 0 },
    { "batches", LIST | P(STATE), 0 },
    { "risk", LIST | P(STATE), 0 },
    { "changes", LIST | P(KIND) | P(PSP), 0 },
    { "audit", P(BEFORE) | P(LIMIT), 0 },
    { "acts", LIST | RANGE | P(PERSON) | P(ACT) | P(OBJECT), 0 },
    { "approvals", LIST | P(STATE), 0 },
    { "settings", 0, SETTINGS },
    { "plots", RANGE | P(MERCHANT) | P(PSP) | P(CURRENCY) | P(METHOD) | P(STEP)
               | P(ZONE), 0 },
    { "flight", P(MERCHANT) | P(PSP) | P(CURRENCY), 0 },
    { "waterfall", P(FILE_ID), 0 },
    { "ledger", LIST | RANGE | P(ACCOUNT) | P(PSP) | P(CURRENCY), 0 },
    { "lines", LIST | P(FILE_ID) | P(CURRENCY) | P(KIND), 0 }
};


const pay_console_page_t *
pay_console_page(pay_str_t name)
{
    size_t  i;

    for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (pay_str_is(name, pages[i].name)) {
            return &pages[i];
        }
    }

    return NULL;
}


const char *
pay_console_page_name(const pay_console_page_t *page)
{
    return page->name;
}


pay_status_t
pay_console_parse(pay_arena_t *arena, pay_str_t args,
    const pay_console_page_t *page, const pay_console_facts_t *facts,
    pay_console_asked_t *asked, pay_err_t *err)
{
    unsigned       seen = 0;
    pay_json_t    *query;
    pay_status_t   status;

    query = pay_json_object_new();
    status = read_fields(arena, args, page->parameters | P(CELL), &seen, query,
                         err);

    if (status == PAY_OK) {
        status = add_facts(page, facts, query);
    }

    if (status == PAY_OK) {
        status = read_cell(arena, query, &asked->cell);
    }

    asked->page = page;
    asked->is_first = (seen & (P(BEFORE) | P(AFTER))) == 0;
    asked->is_personal = pay_json_get(query, "personal") != NULL;

    if (status == PAY_OK) {
        status = pay_json_write(arena, query, &asked->query);
    }

    pay_json_free(query);

    return status;
}


pay_status_t
pay_console_parse_cell(pay_arena_t *arena, pay_str_t args, pay_str_t *cell,
    pay_err_t *err)
{
    unsigned       seen = 0;
    pay_json_t    *query;
    pay_status_t   status;

    query = pay_json_object_new();
    status = read_fields(arena, args, P(CELL), &seen, query, err);

    if (status == PAY_OK) {
        status = read_cell(arena, query, cell);
    }

    pay_json_free(query);

    return status;
}


static pay_status_t
add_facts(const pay_console_page_t *page, const pay_console_facts_t *facts,
    pay_json_t *query)
{
    if (page->shows & SETTINGS) {
        PAY_TRY(pay_json_set_string(query, "settings", facts->settings));
    }

    if (page->shows & CELLS) {
        PAY_TRY(pay_json_set_string(query, "cells", facts->cells));
    }

    return (page->shows & ACTS) && facts->can_act
           ? pay_json_set_string(query, "acts", PAY_STR("1")) : PAY_OK;
}


static pay_status_t
read_cell(pay_arena_t *arena, const pay_json_t *query, pay_str_t *cell)
{
    const pay_json_t  *value = pay_json_get(query, parameters[CELL].name);

    *cell = PAY_STR("");

    if (value == NULL) {
        return PAY_OK;
    }

    PAY_TRY(pay_json_string(value, cell));

    return pay_dup(arena, *cell, cell);
}


static pay_status_t
read_fields(pay_arena_t *arena, pay_str_t args, unsigned allowed,
    unsigned *seen, pay_json_t *query, pay_err_t *err)
{
    int                   more = args.len != 0;
    unsigned              fields = 0;
    pay_str_t             field;
    const unsigned char  *end;

    while (more) {
        if (fields++ == FIELDS_MAX) {
            return pay_refuse(err, "validation-error",
                              "the query has too many parameters");
        }

        end = args.len == 0 ? NULL : memchr(args.data, '&', args.len);
        field.data = args.data;
        field.len = end == NULL ? args.len : (size_t) (end - args.data);
        PAY_TRY(take_field(arena, field, allowed, seen, query, err));

        more = end != NULL;
        args.data += more ? field.len + 1 : 0;
        args.len -= more ? field.len + 1 : 0;
    }

    return PAY_OK;
}


/* A parameter that is not known is an error: a filter with a slip of the pen
 * would show more than was asked for. */
static pay_status_t
take_field(pay_arena_t *arena, pay_str_t field, unsigned allowed,
    unsigned *seen, pay_json_t *query, pay_err_t *err)
{
    size_t                len;
    unsigned              i;
    pay_str_t             value;
    pay_status_t          status;
    const unsigned char  *equals;

    equals = field.len == 0 ? NULL : memchr(field.data, '=', field.len);
    len = equals == NULL ? field.len : (size_t) (equals - field.data);

    for (i = 0; i < PARAMETER_COUNT; i++) {
        if ((allowed & P(i)) != 0
            && pay_str_is((pay_str_t) { len, field.data }, parameters[i].name))
        {
            break;
        }
    }

    if (i == PARAMETER_COUNT || (*seen & P(i)) != 0 || equals == NULL) {
        return pay_refuse(err, "validation-error",
                          "the query has a parameter that this page does not "
                          "know, or one of them twice or without a value: "
                          "docs/console-openapi.yaml lists them");
    }

    *seen |= P(i);
    value = (pay_str_t) { field.len - len - 1, equals + 1 };
    status = pay_form_decode(arena, value, &value);

    if (status == PAY_OK) {
        status = parameters[i].take(arena, &value);
    }

    if (status == PAY_INVALID) {
        return pay_refuse(err, "validation-error", parameters[i].rule);
    }

    PAY_TRY(status);

    return pay_json_set_string(query, parameters[i].name, value);
}


static pay_status_t
take_id(pay_arena_t *arena, pay_str_t *value)
{
    (void) arena;

    return pay_id_is_valid(*value) ? PAY_OK : PAY_INVALID;
}


static pay_status_t
take_word(pay_arena_t *arena, pay_str_t *value)
{
    size_t         i;
    unsigned char  c;

    (void) arena;

    for (i = 0; i < value->len; i++) {
        c = value->data[i];

        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_'
            && c != '-')
        {
            return PAY_INVALID;
        }
    }

    return value->len >= 1 && value->len <= 32 ? PAY_OK : PAY_INVALID;
}


static pay_status_t
take_currency(pay_arena_t *arena, pay_str_t *value)
{
    size_t  i;

    (void) arena;

    for (i = 0; i < value->len; i++) {
        if (value->data[i] < 'A' || value->data[i] > 'Z') {
            return PAY_INVALID;
        }
    }

    return value->len == 3 ? PAY_OK : PAY_INVALID;
}


/* Digits, and at most four behind a point; SQL refuses more than the currency
 * has. */
static pay_status_t
take_amount(pay_arena_t *arena, pay_str_t *value)
{
    size_t  whole, places = 0;

    (void) arena;

    whole = pay_digits_count(*value, 0);

    if (whole < value->len) {
        places = value->data[whole] == '.'
                 ? pay_digits_count(*value, whole + 1) : 0;

        if (places == 0 || places > 4 || whole + 1 + places != value->len) {
            return PAY_INVALID;
        }
    }

    return whole >= 1 && whole <= 15 ? PAY_OK : PAY_INVALID;
}


/* RFC 3339 in UTC, with seconds or microseconds, as microseconds since
 * 1970. */
static pay_status_t
take_time(pay_arena_t *arena, pay_str_t *value)
{
    int64_t        unix_us;
    pay_str_t      text = *value;
    unsigned char  whole[TIME_LONG + 1];

    if (value->len == TIME_SHORT) {
        memcpy(whole, value->data, TIME_SHORT - 1);
        memcpy(whole + TIME_SHORT - 1, ".000000Z", sizeof(".000000Z"));
        text = (pay_str_t) { TIME_LONG, whole };
    }

    PAY_TRY(pay_time_parse(text, &unix_us));

    return pay_format(arena, value, PAY_INT_TEXT_MAX, "%lld",
                      (long long) unix_us);
}


/* NUMBER, and behind it, where the number alone is not unique, one or two texts
 * with a colon before each.  SQL compares them and reads nothing else in
 * them. */
static pay_status_t
take_cursor(pay_arena_t *arena, pay_str_t *value)
{
    size_t  digits = pay_digits_count(*value, 0);

    if (digits < 1 || digits > 18
        || (digits < value->len && value->data[digits] != ':'))
    {
        return PAY_INVALID;
    }

    return value->len <= CURSOR_MAX ? take_printable(arena, value)
                                    : PAY_INVALID;
}


/* The name of a payment method, or of a time zone. */
static pay_status_t
take_name(pay_arena_t *arena, pay_str_t *value)
{
    size_t         i;
    unsigned char  c;

    (void) arena;

    for (i = 0; i < value->len; i++) {
        c = value->data[i];

        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
            && (c < '0' || c > '9')
            && (c == '\0' || strchr("._~-+/", c) == NULL))
        {
            return PAY_INVALID;
        }
    }

    return value->len >= 1 && value->len <= 64 ? PAY_OK : PAY_INVALID;
}


static pay_status_t
take_number(pay_arena_t *arena, pay_str_t *value)
{
    size_t  digits = pay_digits_count(*value, 0);

    (void) arena;

    return digits >= 1 && digits <= 18 && digits == value->len
           ? PAY_OK : PAY_INVALID;
}


static pay_status_t
take_limit(pay_arena_t *arena, pay_str_t *value)
{
    int64_t  limit;

    (void) arena;

    return pay_digits_parse(*value, &limit) == PAY_OK && limit >= 1
           && limit <= 100 ? PAY_OK : PAY_INVALID;
}


static pay_status_t
take_text(pay_arena_t *arena, pay_str_t *value)
{
    return value->len <= TEXT_MAX ? take_printable(arena, value)
                                  : PAY_INVALID;
}


static pay_status_t
take_printable(pay_arena_t *arena, pay_str_t *value)
{
    size_t  i;

    (void) arena;

    for (i = 0; i < value->len; i++) {
        if (value->data[i] < 0x20 || value->data[i] > 0x7e) {
            return PAY_INVALID;
        }
    }

    return value->len >= 1 ? PAY_OK : PAY_INVALID;
}


static pay_status_t
take_one(pay_arena_t *arena, pay_str_t *value)
{
    (void) arena;

    return pay_str_is(*value, "1") ? PAY_OK : PAY_INVALID;
}


static pay_status_t
take_cell(pay_arena_t *arena, pay_str_t *value)
{
    (void) arena;

    return pay_cell_is_valid(*value) ? PAY_OK : PAY_INVALID;
}

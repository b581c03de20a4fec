/*
 * Checks that the bodies of all requests go through.  Knows no resource.
 */

#include "parse.h"
#include "pay_pan.h"
#include "pay_time.h"


#define CARD_DATA     "card-data-not-accepted"
#define TIME_TEXT     27               /* 2026-11-21T08:15:00.123456Z */
#define METADATA_MAX  4096
#define KEY_MAX       40
#define VALUE_MAX     500
/* PostgreSQL spells numbers out: what it returns must be one that we read, and
 * of few digits. */
#define REAL_MAX      9.2e18
#define REAL_MIN      1e-18

typedef struct {
    /* The data of one walk over the members of an object, which check_member()
     * gets beside name and value. */
    pay_arena_t         *arena;
    const char   *const *allowed;
    const char          *base;         /* pointer to the object */
    pay_errors_t        *errors;
} member_check_t;


static pay_status_t parse_card_data(const pay_json_t *json, pay_str_t body,
    pay_err_t *err);
static pay_status_t check_member(pay_str_t name, const pay_json_t *value,
    void *data);
static pay_status_t check_card_names(const pay_json_t *json, pay_err_t *err);
static pay_status_t check_card_name(pay_str_t name, const pay_json_t *value,
    void *data);
static int point_to(const char *base, pay_str_t name,
    char pointer[PAY_POINTER_MAX]);
static pay_status_t check_card_data(pay_str_t name, const pay_json_t *value,
    void *data);
static pay_status_t check_metadata(pay_str_t name, const pay_json_t *value,
    void *data);
static int is_plain(double real);


/* Card data is looked for before anything else, so that no refusal of ours can
 * repeat it, and nothing is stored. */
pay_status_t
pay_parse_body(pay_arena_t *arena, pay_str_t body, const char *const *allowed,
    pay_errors_t *errors, pay_json_t **json, pay_err_t *err)
{
    pay_json_t    *made;
    pay_status_t   status;

    PAY_TRY(pay_json_parse(body, NULL, &made, err));

    status = parse_card_data(made, body, err);

    if (status == PAY_OK && pay_json_type(made) != PAY_JSON_OBJECT) {
        status = pay_refuse(err, "validation-error",
                            "the body must be a JSON object");
    }

    if (status == PAY_OK) {
        status = pay_parse_members(arena, made, allowed, "", errors);
    }

    if (status != PAY_OK) {
        pay_json_free(made);
        return status;
    }

    *json = made;

    return PAY_OK;
}


/* Three looks, from the clearest refusal to the widest net: names of members,
 * single texts, and the raw body, in which a card number may stand as a JSON
 * number. */
static pay_status_t
parse_card_data(const pay_json_t *json, pay_str_t body, pay_err_t *err)
{
    PAY_TRY(check_card_names(json, err));
    PAY_TRY(pay_json_each_string(json, check_card_data, err, NULL));

    return pay_pan_found(body) ? check_card_data(body, NULL, err) : PAY_OK;
}


/* Card data ends the reading at once, with that error alone: other errors
 * point into the body and could quote a part of it. */
pay_status_t
pay_parse_note(pay_arena_t *arena, pay_errors_t *errors, pay_status_t status,
    const pay_err_t *err)
{
    if (status != PAY_INVALID) {
        return status;
    }

    if (strcmp(err->slug, CARD_DATA) == 0) {
        errors->count = 0;
        return PAY_INVALID;
    }

    return pay_errors_add(errors, arena, err);
}


/* All spellings are filled up to the one that pay_time_parse() reads. */
pay_status_t
pay_parse_time(pay_str_t text, int64_t *us)
{
    unsigned char  full[TIME_TEXT];

    if ((text.len != 20 && text.len != 24 && text.len != TIME_TEXT)
        || text.data[text.len - 1] != 'Z')
    {
        return PAY_INVALID;
    }

    memcpy(full, text.data, text.len);

    if (text.len < TIME_TEXT) {
        memcpy(full + text.len - 1, text.len == 20 ? ".000000Z" : "000Z",
               TIME_TEXT - text.len + 1);
    }

    return pay_time_parse((pay_str_t) { TIME_TEXT, full }, us);
}


/* Unknown members are refused (docs/security.md T43): a misspelt "expires_in"
 * that is ignored would be a checkout with another end than was asked for. */
pay_status_t
pay_parse_members(pay_arena_t *arena, const pay_json_t *json,
    const char *const *allowed, const char *base, pay_errors_t *errors)
{
    member_check_t  check;

    check.arena = arena;
    check.allowed = allowed;
    check.base = base;
    check.errors = errors;

    return pay_json_each(json, check_member, &check);
}


/* Numbers are refused although JSON has them: 19.99 as a number is a double in
 * most libraries, and its digits are no longer the merchant's. */
pay_status_t
pay_parse_amount(const pay_json_t *value, const pay_currency_t *currency,
    const char *pointer, int64_t *minor, pay_err_t *err)
{
    pay_str_t  text;

    if (value == NULL) {
        return pay_refuse_at(err, "amount-invalid", "amount is missing", "%s",
                             pointer);
    }

    if (pay_json_string(value, &text) != PAY_OK) {
        return pay_refuse_at(err, "amount-invalid",
                             "amount must be a string, as \"12.30\", not a "
                             "number", "%s", pointer);
    }

    return (pay_amount_parse(text, currency, minor, NULL) == PAY_OK)
           ? PAY_OK : pay_parse_bad_amount(currency, pointer, err);
}


/* An example in the currency's own form is worth more to a developer than the
 * rule. */
pay_status_t
pay_parse_bad_amount(const pay_currency_t *currency, const char *pointer,
    pay_err_t *err)
{
    static const char  *const examples[] = {
        "1200", "12.3", "12.30", "1.230", "1.2300"
    };

    (void) pay_refuse_at(err, "amount-invalid",
                         "amount must be a decimal string above zero with "
                         "exactly the currency's number of decimals", "%s",
                         pointer);

    if (currency->exponent == 0) {
        pay_err_say(err, "amount must be above zero and without decimals, "
                    "since %s has none: for example \"1200\"",
                    currency->code);

    } else if (currency->exponent < sizeof(examples) / sizeof(examples[0])) {
        pay_err_say(err, "amount must be above zero with exactly %u decimals, "
                    "as many as %s has: for example \"%s\"",
                    (unsigned) currency->exponent, currency->code,
                    examples[currency->exponent]);
    }

    return PAY_INVALID;
}


/* The document is written anew from the parsed value, so that only JSON as we
 * understand it is stored.  `max` bounds a row of the database. */
pay_status_t
pay_parse_document(pay_arena_t *arena, const pay_json_t *value,
    const char *pointer, size_t max, pay_str_t *text, pay_err_t *err)
{
    PAY_TRY(pay_json_write(arena, value, text));

    if (text->len > max) {
        return pay_refuse_at(err, "validation-error",
                             "the member is larger than allowed", "%s",
                             pointer);
    }

    /* the stored text may spell out a number that came as 4.1e15 */
    return pay_pan_found(*text) ? check_card_data(*text, NULL, err) : PAY_OK;
}


/* Flat, with few bytes: metadata is stored and shown with each read, and is no
 * place for documents. */
pay_status_t
pay_parse_metadata(pay_arena_t *arena, const pay_json_t *body,
    pay_str_t *text, pay_err_t *err)
{
    const pay_json_t  *value;

    value = pay_json_get(body, "metadata");
    if (value == NULL) {
        return PAY_OK;
    }

    if (pay_json_type(value) != PAY_JSON_OBJECT) {
        return pay_refuse_at(err, "validation-error",
                             "metadata must be an object", "/metadata");
    }

    PAY_TRY(pay_json_each(value, check_metadata, err));

    return pay_parse_document(arena, value, "/metadata", METADATA_MAX, text,
                              err);
}


/* Keeps the error and goes on: all unknown members are listed at once. */
static pay_status_t
check_member(pay_str_t name, const pay_json_t *value, void *data)
{
    pay_err_t            err;
    const char *const  *allowed;
    member_check_t     *check = data;

    (void) value;

    for (allowed = check->allowed; *allowed != NULL; allowed++) {
        if (pay_str_is(name, *allowed)) {
            return PAY_OK;
        }
    }

    (void) pay_refuse(&err, "validation-error",
                      "there is no such member here");

    if (!point_to(check->base, name, err.pointer)) {
        (void) pay_refuse_at(&err, "validation-error",
                             "it has a member that is not known, whose name "
                             "is too long to be repeated", "%s", check->base);
    }

    return pay_errors_add(check->errors, check->arena, &err);
}


/* Writes the pointer (RFC 6901) of a member of the object at `base`.  0 when
 * there is no room for it, because half a pointer would name another
 * member. */
static int
point_to(const char *base, pay_str_t name, char pointer[PAY_POINTER_MAX])
{
    size_t  i, len;

    len = strlen(base);
    memcpy(pointer, base, len);
    pointer[len++] = '/';

    for (i = 0; i < name.len; i++) {
        if (len + 3 > PAY_POINTER_MAX) {
            return 0;
        }

        if (name.data[i] == '~' || name.data[i] == '/') {
            pointer[len++] = '~';
            pointer[len++] = name.data[i] == '~' ? '0' : '1';

        } else {
            pointer[len++] = (char) name.data[i];
        }
    }

    pointer[len] = '\0';

    return 1;
}


/* The answer points at the member, unless its path spells a card number. */
static pay_status_t
check_card_names(const pay_json_t *json, pay_err_t *err)
{
    char          pointer[PAY_POINTER_MAX];
    pay_status_t  status;

    pointer[0] = '\0';

    status = pay_json_each_string(json, check_card_name, err, pointer);

    if (status == PAY_INVALID && err != NULL
        && !pay_pan_found(pay_str_of(pointer)))
    {
        memcpy(err->pointer, pointer, sizeof(pointer));
    }

    return status;
}


static pay_status_t
check_card_name(pay_str_t name, const pay_json_t *value, void *data)
{
    (void) value;

    if (pay_pan_is_name(name)) {
        return pay_refuse(data, "card-data-not-accepted",
                          "a member of that name would hold card data, which "
                          "must never be sent here");
    }

    return PAY_OK;
}


/* Also called for whole texts, without a value.  The text is not repeated in
 * the error. */
static pay_status_t
check_card_data(pay_str_t name, const pay_json_t *value, void *data)
{
    pay_str_t  text;

    if (pay_pan_found(name)
        || (pay_json_string(value, &text) == PAY_OK && pay_pan_found(text)))
    {
        return pay_refuse(data, CARD_DATA,
                          "the request holds what looks like a card number");
    }

    return PAY_OK;
}


static pay_status_t
check_metadata(pay_str_t name, const pay_json_t *value, void *data)
{
    double            real;
    pay_str_t         text;
    pay_json_type_t   type;

    type = pay_json_type(value);

    if (pay_json_real(value, &real) == PAY_OK && !is_plain(real)) {
        return pay_refuse_at(data, "validation-error",
                             "a number of metadata is too large or too small",
                             "/metadata");
    }

    if (name.len == 0 || name.len > KEY_MAX
        || type == PAY_JSON_OBJECT || type == PAY_JSON_ARRAY
        || (pay_json_string(value, &text) == PAY_OK && text.len > VALUE_MAX))
    {
        return pay_refuse_at(data, "validation-error",
                             "metadata takes names of 1 to 40 bytes and plain "
                             "values of at most 500 bytes", "/metadata");
    }

    return PAY_OK;
}


/* 0 for numbers that PostgreSQL would store as a row of hundreds of digits,
 * such as 1e300: jsonb keeps numbers as numeric. */
static int
is_plain(double real)
{
    if (real < 0) {
        real = -real;
    }

    return real == 0 || (real >= REAL_MIN && real <= REAL_MAX);
}

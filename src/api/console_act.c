/*
 * The bodies of the console's acts: from a browser's bytes to an object of
 * texts within bounds.  The rest is judged by PostgreSQL, where the object of
 * the act is.
 */

#include "parse.h"
#include "pay_console.h"
#include "pay_id.h"


#define REASON_MAX  200
#define FILTER_MAX  1024
#define ROWS_MAX    100000
#define AMOUNT_MAX  20

typedef enum {
    REQUEST = 0, OBJECT, REASON, MERCHANT, AMOUNT, CURRENCY, OUTCOME_OF,
    FILTER, ROWS, MEMBER_COUNT
} member_t;

#define M(member)  (1u << (member))
#define BASE       (M(REQUEST) | M(OBJECT) | M(REASON))


static pay_status_t take_member(const pay_json_t *json, unsigned i,
    pay_json_t *made, pay_err_t *err);
static int is_plain(pay_str_t text);


/* A text of 1 to `max` bytes; is_ascii: printable ones. */
static const struct {
    const char  *name;
    size_t       max;
    int          is_ascii;
    const char  *rule;
} members[] = {
    [REQUEST] = { "request", 36, 1,
                  "request must be a UUID in small letters" },
    [OBJECT] = { "object", 128, 1,
                 "object must be 1 to 128 printable ASCII characters" },
    [REASON] = { "reason", REASON_MAX, 0,
                 "reason must be a text of 1 to 200 bytes" },
    [MERCHANT] = { "merchant", PAY_ID_MAX, 1,
                   "merchant must be a merchant's id" },
    [AMOUNT] = { "amount", AMOUNT_MAX, 1,
                 "amount must be a text such as 10.50" },
    [CURRENCY] = { "currency", 3, 1,
                   "currency must be a code of ISO 4217, such as EUR" },
    [OUTCOME_OF] = { "outcome", 6, 1, "outcome must be done or failed" },
    [FILTER] = { "filter", FILTER_MAX, 1,
                 "filter must be at most 1024 printable ASCII characters" },
    [ROWS] = { "rows", 6, 1, "rows must be a number of rows" }
};
PAY_ROWS(members, MEMBER_COUNT);

/* The members that each act needs; there are no others. */
static const struct {
    const char  *name;
    unsigned     members;
} acts[] = {
    { "requeue", BASE },
    { "enable", BASE },
    { "disable", BASE },
    { "refund", BASE | M(MERCHANT) | M(AMOUNT) | M(CURRENCY) },
    { "settle", BASE | M(MERCHANT) | M(OUTCOME_OF) },
    { "approve", BASE },
    { "reject", BASE },
    { "withdraw", BASE },
    { "proof", BASE | M(MERCHANT) },
    { "export", M(REQUEST) | M(OBJECT) | M(FILTER) | M(ROWS) }
};

#define ACTS  (sizeof(acts) / sizeof(acts[0]))


const char *
pay_console_act_name(pay_str_t name)
{
    size_t  i;

    for (i = 0; i < ACTS; i++) {
        if (pay_str_is(name, acts[i].name)) {
            return acts[i].name;
        }
    }

    return NULL;
}


pay_status_t
pay_console_act_parse(pay_arena_t *arena, const char *name, pay_str_t body,
    pay_console_act_t *act, pay_errors_t *errors, pay_err_t *err)
{
    size_t         a = 0;
    unsigned       i, n = 0;
    const char    *allowed[MEMBER_COUNT + 1];
    pay_json_t    *json, *made;
    pay_status_t   status = PAY_OK;

    while (strcmp(acts[a].name, name) != 0) {
        a++;
    }

    for (i = 0; i < MEMBER_COUNT; i++) {
        if (acts[a].members & M(i)) {
            allowed[n++] = members[i].name;
        }
    }

    allowed[n] = NULL;
    memset(errors, 0, sizeof(*errors));
    PAY_TRY(pay_parse_body(arena, body, allowed, errors, &json, err));
    made = pay_json_object_new();

    for (i = 0; status == PAY_OK && i < MEMBER_COUNT; i++) {
        if (acts[a].members & M(i)) {
            status = pay_parse_note(arena, errors,
                                    take_member(json, i, made, err), err);
        }
    }

    if (status == PAY_OK) {
        status = pay_errors_verdict(errors, err);
    }

    act->name = acts[a].name;

    if (status == PAY_OK) {
        status = pay_json_write(arena, made, &act->body);
    }

    pay_json_free(json);
    pay_json_free(made);

    return status;
}


/* An empty filter is one: the whole list.  A number becomes its text. */
static pay_status_t
take_member(const pay_json_t *json, unsigned i, pay_json_t *made,
    pay_err_t *err)
{
    int64_t            rows;
    pay_str_t          text;
    unsigned char      number[PAY_INT_TEXT_MAX];
    const pay_json_t  *value = pay_json_get(json, members[i].name);

    if (i == ROWS) {
        if (pay_json_integer(value, &rows) != PAY_OK || rows < 0
            || rows > ROWS_MAX)
        {
            return pay_refuse_at(err, "validation-error", members[i].rule,
                                 "/%s", members[i].name);
        }

        return pay_json_set_string(made, members[i].name,
                                   pay_int_text(rows, number));
    }

    if (pay_json_string(value, &text) != PAY_OK
        || (text.len == 0 && i != FILTER) || text.len > members[i].max
        || (members[i].is_ascii && !is_plain(text)))
    {
        return pay_refuse_at(err, "validation-error", members[i].rule,
                             "/%s", members[i].name);
    }

    return pay_json_set_string(made, members[i].name, text);
}


static int
is_plain(pay_str_t text)
{
    size_t  i;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] < 0x20 || text.data[i] > 0x7e) {
            return 0;
        }
    }

    return 1;
}

/*
 * The body of an operator's act on an exception, from a stranger's bytes to a
 * checked request.
 */

#include "parse.h"
#include "pay_finance.h"


#define KIND_MAX  63


static pay_status_t parse_object(pay_arena_t *arena, const pay_json_t *body,
    pay_finance_act_t *act, pay_err_t *err);
static pay_status_t parse_why(pay_arena_t *arena, const pay_json_t *body,
    pay_finance_act_t *act, pay_err_t *err);
static pay_status_t parse_as(pay_arena_t *arena, const pay_json_t *body,
    pay_finance_act_t *act, pay_err_t *err);
static pay_status_t parse_with(const pay_json_t *body, pay_finance_act_t *act,
    pay_err_t *err);


static const char *const  accept_members[] = { "why", "as", NULL };
static const char *const  resolve_members[] = { "why", "with", NULL };
static const char *const  write_off_members[] = { "why", NULL };

static const char *const *const  members[] = {
    [PAY_ACT_ACCEPT] = accept_members,
    [PAY_ACT_RESOLVE] = resolve_members,
    [PAY_ACT_WRITE_OFF] = write_off_members
};
PAY_ROWS(members, PAY_ACT_KINDS);


const char *
pay_finance_act_word(pay_finance_act_kind_t kind)
{
    static const char *const  words[] = {
        [PAY_ACT_ACCEPT] = "accept",
        [PAY_ACT_RESOLVE] = "resolve",
        [PAY_ACT_WRITE_OFF] = "write_off"
    };
    PAY_ROWS(words, PAY_ACT_KINDS);

    return words[kind];
}


int
pay_why_is_fit(pay_str_t text)
{
    size_t    i;
    unsigned  blank = 1;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] < ' ' || text.data[i] == 0x7f) {
            return 0;
        }

        blank &= text.data[i] == ' ';
    }

    return !blank && text.len <= PAY_WHY_MAX;
}


pay_status_t
pay_finance_act_parse(pay_arena_t *arena, pay_finance_act_kind_t kind,
    pay_str_t body, pay_finance_act_t *act, pay_err_t *err)
{
    pay_json_t    *json;
    pay_status_t   status;

    memset(act, 0, sizeof(*act));
    PAY_TRY(pay_parse_body(arena, body, members[kind], &act->errors,
                           &json, err));
    status = parse_object(arena, json, act, err);
    pay_json_free(json);

    return status;
}


static pay_status_t
parse_object(pay_arena_t *arena, const pay_json_t *body,
    pay_finance_act_t *act, pay_err_t *err)
{
    PAY_TRY(pay_parse_note(arena, &act->errors,
                           parse_why(arena, body, act, err), err));
    PAY_TRY(pay_parse_note(arena, &act->errors,
                           parse_as(arena, body, act, err), err));
    PAY_TRY(pay_parse_note(arena, &act->errors, parse_with(body, act, err),
                           err));

    return pay_errors_verdict(&act->errors, err);
}


/* The reason is kept with the act for ever: no act is without one. */
static pay_status_t
parse_why(pay_arena_t *arena, const pay_json_t *body, pay_finance_act_t *act,
    pay_err_t *err)
{
    pay_str_t  text;

    return (pay_json_string(pay_json_get(body, "why"), &text) == PAY_OK
            && pay_why_is_fit(text))
           ? pay_dup(arena, text, &act->why)
           : pay_refuse_at(err, "validation-error", PAY_WHY_RULE, "/why");
}


/* SQL knows which kinds of entries a row can be; here only the form counts. */
static pay_status_t
parse_as(pay_arena_t *arena, const pay_json_t *body, pay_finance_act_t *act,
    pay_err_t *err)
{
    size_t             i;
    pay_str_t          text;
    const pay_json_t  *value = pay_json_get(body, "as");

    if (value == NULL) {
        return PAY_OK;
    }

    if (pay_json_string(value, &text) == PAY_OK && text.len > 0
        && text.len <= KIND_MAX)
    {
        for (i = 0; i < text.len; i++) {
            if (text.data[i] != '_'
                && (text.data[i] < 'a' || text.data[i] > 'z'))
            {
                break;
            }
        }

        if (i == text.len) {
            return pay_dup(arena, text, &act->as);
        }
    }

    return pay_refuse_at(err, "validation-error",
                         "as must be a kind of entry, for example "
                         "\"psp_fee\"", "/as");
}


static pay_status_t
parse_with(const pay_json_t *body, pay_finance_act_t *act, pay_err_t *err)
{
    const pay_json_t  *value = pay_json_get(body, "with");

    if (value == NULL) {
        return PAY_OK;
    }

    act->with.is_set = 1;

    return (pay_json_integer(value, &act->with.number) == PAY_OK
            && act->with.number > 0)
           ? PAY_OK
           : pay_refuse_at(err, "validation-error",
                           "with must be the exception_id of another "
                           "exception", "/with");
}

/*
 * The account of a seller in the body of a request: which of its forms it has,
 * whether it can be one, and as banks take it.  Whose account it is nothing
 * here can know.
 */

#include "parse.h"
#include "pay_payout_api.h"


#define PAYEE_MAX  255                 /* bytes */
#define SHOWN_MAX  16
#define END        4                   /* characters of a number that readers
                                          see, unless it is short */
#define END_MIN    12
#define NAME_ROOM  (2 * PAY_PAYOUT_NAME_MAX)


static pay_status_t take_number(pay_arena_t *arena, const pay_json_t *body,
    pay_payout_act_t *act, pay_err_t *err);
static pay_status_t take_iban(pay_arena_t *arena, const pay_json_t *value,
    pay_payout_destination_t *to, pay_err_t *err);
static pay_status_t take_payee(pay_arena_t *arena, const pay_json_t *value,
    pay_payout_destination_t *to, pay_err_t *err);
static int is_payee(pay_str_t text, int is_email);
static pay_status_t take_country(pay_arena_t *arena, const pay_json_t *body,
    pay_payout_act_t *act, pay_err_t *err);
static pay_status_t take_bic(pay_arena_t *arena, const pay_json_t *body,
    pay_payout_act_t *act, pay_err_t *err);
static pay_status_t take_name(pay_arena_t *arena, const pay_json_t *body,
    pay_payout_act_t *act, pay_err_t *err);
static pay_status_t mask(pay_arena_t *arena, pay_payout_act_t *act);


typedef pay_status_t (*take_pt)(pay_arena_t *arena, const pay_json_t *body,
    pay_payout_act_t *act, pay_err_t *err);

/* The country depends on the number. */
static const take_pt  takes[] = {
    take_number, take_country, take_bic, take_name
};

/* by pay_payout_to_t */
static const char *const  numbers[PAY_PAYOUT_TO_COUNT] = {
    "payee", "iban", "email"
};


pay_status_t
pay_parse_destination(pay_arena_t *arena, const pay_json_t *body,
    pay_payout_act_t *act, pay_err_t *err)
{
    size_t  i;

    for (i = 0; i < sizeof(takes) / sizeof(takes[0]); i++) {
        PAY_TRY(pay_parse_note(arena, &act->errors,
                               takes[i](arena, body, act, err), err));
    }

    return mask(arena, act);
}


static pay_status_t
take_number(pay_arena_t *arena, const pay_json_t *body, pay_payout_act_t *act,
    pay_err_t *err)
{
    unsigned           i, count = 0;
    const pay_json_t  *value = NULL;

    for (i = 0; i < PAY_PAYOUT_TO_COUNT; i++) {
        if (pay_json_get(body, numbers[i]) != NULL) {
            value = pay_json_get(body, numbers[i]);
            act->to.kind = (pay_payout_to_t) i;
            count++;
        }
    }

    if (count != 1) {
        return pay_refuse_at(err, "validation-error",
                             "an account is an iban, a payee or an email: one "
                             "of them", "/iban");
    }

    return act->to.kind == PAY_PAYOUT_TO_IBAN
           ? take_iban(arena, value, &act->to, err)
           : take_payee(arena, value, &act->to, err);
}


static pay_status_t
take_iban(pay_arena_t *arena, const pay_json_t *value,
    pay_payout_destination_t *to, pay_err_t *err)
{
    pay_str_t     text;
    pay_err_t     fault;
    pay_status_t  status;

    if (pay_json_string(value, &text) != PAY_OK) {
        return pay_refuse_at(err, "validation-error", "iban must be a string",
                             "/iban");
    }

    memset(&fault, 0, sizeof(fault));
    status = pay_iban_read(arena, text, &to->iban, &fault);

    return status == PAY_INVALID
           ? pay_refuse_at(err, "validation-error", fault.detail, "/iban")
           : status;
}


static pay_status_t
take_payee(pay_arena_t *arena, const pay_json_t *value,
    pay_payout_destination_t *to, pay_err_t *err)
{
    int        is_email = to->kind == PAY_PAYOUT_TO_EMAIL;
    pay_str_t  text;

    if (pay_json_string(value, &text) == PAY_OK && is_payee(text, is_email)) {
        return pay_dup(arena, text, &to->payee);
    }

    return is_email
           ? pay_refuse_at(err, "validation-error",
                           "email must be the address of a wallet: visible "
                           "ASCII characters around one @", "/email")
           : pay_refuse_at(err, "validation-error",
                           "payee must be the provider's id of the payee: 1 to "
                           "255 visible ASCII characters", "/payee");
}


/* No quotes and backslashes: an address or an id that has one is a mistake. */
static int
is_payee(pay_str_t text, int is_email)
{
    size_t  i, ats = 0;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~' || text.data[i] == '"'
            || text.data[i] == '\\')
        {
            return 0;
        }

        ats += text.data[i] == '@';
    }

    return text.len > 0 && text.len <= PAYEE_MAX
           && (!is_email || (ats == 1 && text.data[0] != '@'
                             && text.data[text.len - 1] != '@'));
}


static pay_status_t
take_country(pay_arena_t *arena, const pay_json_t *body, pay_payout_act_t *act,
    pay_err_t *err)
{
    pay_str_t          text = { act->to.iban.len > 0 ? 2 : 0,
                                act->to.iban.data };
    const pay_json_t  *value = pay_json_get(body, "country");

    if (value == NULL && act->to.kind == PAY_PAYOUT_TO_IBAN) {
        return pay_dup(arena, text, &act->to.country);
    }

    if (pay_json_string(value, &text) != PAY_OK || text.len != 2
        || text.data[0] < 'A' || text.data[0] > 'Z'
        || text.data[1] < 'A' || text.data[1] > 'Z')
    {
        return pay_refuse_at(err, "validation-error",
                             "country must be two capital letters (ISO "
                             "3166-1), for example \"DE\"", "/country");
    }

    if (act->to.iban.len > 0 && memcmp(text.data, act->to.iban.data, 2) != 0) {
        return pay_refuse_at(err, "validation-error",
                             "country is not that of the IBAN", "/country");
    }

    return pay_dup(arena, text, &act->to.country);
}


static pay_status_t
take_bic(pay_arena_t *arena, const pay_json_t *body, pay_payout_act_t *act,
    pay_err_t *err)
{
    pay_str_t          text;
    const pay_json_t  *value = pay_json_get(body, "bic");

    if (value == NULL) {
        return PAY_OK;
    }

    return (act->to.kind == PAY_PAYOUT_TO_IBAN
            && pay_json_string(value, &text) == PAY_OK
            && pay_bic_is_valid(text))
           ? pay_dup(arena, text, &act->to.bic)
           : pay_refuse_at(err, "validation-error",
                           "bic must be the 8 or 11 characters of the bank of "
                           "an IBAN, in capitals", "/bic");
}


/* As banks take it, so that the bank compares the same name. */
static pay_status_t
take_name(pay_arena_t *arena, const pay_json_t *body, pay_payout_act_t *act,
    pay_err_t *err)
{
    pay_str_t          text, name = PAY_STR("");
    pay_status_t       status = PAY_INVALID;
    const pay_json_t  *value = pay_json_get(body, "name");

    if (value == NULL && act->to.kind != PAY_PAYOUT_TO_IBAN) {
        return PAY_OK;
    }

    if (pay_json_string(value, &text) == PAY_OK) {
        status = pay_payout_name(arena, text, NAME_ROOM, &name);
    }

    if (status == PAY_OK && name.len <= PAY_PAYOUT_NAME_MAX) {
        act->to.name = name;
        return PAY_OK;
    }

    return status == PAY_NO_MEMORY ? status
           : pay_refuse_at(err, "validation-error",
                           "name must be that of the account's holder: at most "
                           "70 letters and digits as banks write them",
                           "/name");
}


/* As pay.shown_account() has it. */
static pay_status_t
mask(pay_arena_t *arena, pay_payout_act_t *act)
{
    pay_str_t  end, country = act->to.country;

    end = act->to.kind == PAY_PAYOUT_TO_IBAN ? act->to.iban : act->to.payee;

    if (act->to.kind != PAY_PAYOUT_TO_IBAN) {
        country.len = 0;
    }

    if (end.len >= END_MIN) {
        end.data += end.len - END;
        end.len = END;

    } else {
        end.len = 0;
    }

    return pay_format(arena, &act->shown, SHOWN_MAX, "%.*s\xE2\x80\xA6%.*s",
                      pay_fmt(country), pay_fmt(end));
}

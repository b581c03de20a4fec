/*
 * A model PSP: reads the bytes that the adapter `generic` has built, keeps
 * books, and answers as docs/psp-generic.md says.  Its faults are honest: what
 * it calls refused or busy has had no effect.
 */

#include <jansson.h>

#include "sim.h"


#define PATH    "/v1/registrations"
#define EVENTS  "/v1/events?"
#define PAGE    4


static int trouble(sim_t *sim, sim_sent_t *sent, pay_http_answer_t *answer);
static sim_said_t dispatch(sim_t *sim, sim_sent_t *sent);
static sim_said_t take_register(sim_t *sim, sim_sent_t *sent);
static sim_said_t make_registration(sim_t *sim, sim_sent_t *sent, json_t *body);
static const char *held_word(const sim_reg_t *reg);
static void check_alone(sim_t *sim, const sim_reg_t *reg);
static sim_key_t *key_find(sim_t *sim, sim_psp_t *psp, pay_str_t key);
static void key_keep(sim_t *sim, sim_sent_t *sent, sim_said_t said);
static sim_said_t take_find(sim_t *sim, sim_psp_t *psp, pay_str_t nonce);
static sim_said_t take_query(sim_t *sim, sim_reg_t *reg);
static sim_said_t take_change(sim_t *sim, sim_sent_t *sent, sim_reg_t *reg,
    pay_str_t verb);
static sim_said_t take_expire(sim_t *sim, sim_reg_t *reg);
static sim_said_t take_list(sim_t *sim, sim_psp_t *psp, const char *query);
static pay_str_t spoil(sim_t *sim, pay_str_t body);
static pay_str_t member(sim_t *sim, json_t *object, const char *name);
static void clear(sim_t *sim, void *data);
static void close_page(sim_t *sim, void *data);
static void cancel_page(sim_t *sim, void *data);
static void lapse(sim_t *sim, void *data);


void
sim_psp_take(sim_t *sim, sim_sent_t *sent, pay_http_answer_t *answer)
{
    sim_said_t  said;

    if (trouble(sim, sent, answer)) {
        return;
    }

    said = dispatch(sim, sent);
    answer->status = said.status;
    answer->body = said.body;
    answer->content_type = PAY_STR("application/json");
    sent->nothing_happened = said.refused;

    if (sim_psp_is_broken(sim, answer)) {
        answer->body = PAY_STR("{\"error\":{\"code\":\"internal\"}}");
        sent->nothing_happened = 0;

    } else if (sim_fault(sim, sim->faults.psp_malformed)) {
        answer->body = spoil(sim, said.body);
        sent->nothing_happened = 0;
    }
}


/* Before anything happens. */
static int
trouble(sim_t *sim, sim_sent_t *sent, pay_http_answer_t *answer)
{
    answer->content_type = PAY_STR("application/json");
    answer->body = PAY_STR("{\"error\":{\"code\":\"later\"}}");

    if (sim_psp_is_busy(sim, sent, answer)) {
        return 1;
    }

    if (sim_fault(sim, sim->faults.psp_conflict)) {
        answer->status = 409;
        return 1;
    }

    return sim_psp_is_broken(sim, answer);
}


int
sim_psp_is_busy(sim_t *sim, sim_sent_t *sent, pay_http_answer_t *answer)
{
    if (!sim_fault(sim, sim->faults.psp_busy)) {
        return 0;
    }

    answer->status = sim_chance(sim, 800) ? 429 : 401;
    answer->retry_after_s = sim_between(sim, -1, 90);
    sent->nothing_happened = 1;

    return 1;
}


int
sim_psp_is_broken(sim_t *sim, pay_http_answer_t *answer)
{
    if (!sim_fault(sim, sim->faults.psp_error)) {
        return 0;
    }

    answer->status = 500 + (unsigned) sim_below(sim, 5);

    return 1;
}


static sim_said_t
dispatch(sim_t *sim, sim_sent_t *sent)
{
    pay_str_t    token, verb;
    sim_reg_t   *reg;
    const char  *path = (const char *) sent->path.data, *slash;

    if (strncmp(path, EVENTS, strlen(EVENTS)) == 0) {
        return take_list(sim, sent->psp, path + strlen(EVENTS));
    }

    if (strcmp(path, PATH) == 0) {
        return take_register(sim, sent);
    }

    if (strncmp(path, PATH "?nonce=", strlen(PATH "?nonce=")) == 0) {
        return take_find(sim, sent->psp,
                         pay_str_of(path + strlen(PATH "?nonce=")));
    }

    if (strncmp(path, PATH "/", strlen(PATH "/")) != 0) {
        sim_violation(sim, "the PSP has no %s", path);
        return sim_psp_refuse(sim, 404, "not_found");
    }

    path += strlen(PATH "/");
    slash = strchr(path, '/');
    token = pay_str_of(path);
    token.len = slash != NULL ? (size_t) (slash - path) : token.len;
    reg = sim_psp_reg(sim, token);

    if (reg == NULL || reg->psp != sent->psp) {
        sim_violation(sim, "the PSP knows no token %s", path);
        return sim_psp_refuse(sim, 404, "not_found");
    }

    if (slash == NULL) {
        return take_query(sim, reg);
    }

    verb = pay_str_of(slash + 1);

    return take_change(sim, sent, reg, verb);
}


static sim_said_t
take_register(sim_t *sim, sim_sent_t *sent)
{
    sim_said_t      said;
    json_t     *body;
    sim_key_t  *known = key_find(sim, sent->psp, sent->key);

    if (known != NULL) {
        if (!pay_str_eq(known->body, sent->body)) {
            sim_violation(sim, "nonce %.*s with other bytes",
                          pay_fmt(sent->key));
            return sim_psp_refuse(sim, 422, "nonce_reused");
        }

        return (sim_said_t) { known->status, known->answer,
                              known->status >= 400 };
    }

    if (sim_fault(sim, sim->faults.psp_refuses)) {
        said = sim_psp_refuse(sim, 402, "not_today");
        key_keep(sim, sent, said);
        return said;
    }

    body = json_loadb((const char *) sent->body.data, sent->body.len,
                      JSON_REJECT_DUPLICATES, NULL);
    if (body == NULL) {
        sim_violation(sim, "a registration is no JSON");
        return sim_psp_refuse(sim, 400, "invalid_json");
    }

    said = make_registration(sim, sent, body);
    json_decref(body);
    key_keep(sim, sent, said);

    return said;
}


static sim_said_t
make_registration(sim_t *sim, sim_sent_t *sent, json_t *body)
{
    sim_said_t      said;
    int64_t     expires;
    sim_reg_t  *reg = sim_alloc(sim, sizeof(sim_reg_t));

    reg->psp = sent->psp;
    reg->nonce = member(sim, body, "nonce");
    reg->reference = member(sim, body, "reference");
    reg->amount = member(sim, body, "amount");
    reg->total = sim_minor(reg->amount);
    reg->is_manual = pay_str_is(member(sim, body, "capture"), "manual");
    reg->currency = member(sim, body, "currency");
    reg->token = sim_format(sim, "reg_%" PRIu64 "_%u", sim->scenario,
                            ++sim->names);
    reg->status = "open";
    expires = json_integer_value(json_object_get(body, "expires_at"))
              * SIM_S;
    reg->expires_at = expires;
    reg->close_at = sent->psp->lingers ? INT64_MAX
                                       : expires + sent->psp->close_lag;

    if (!pay_str_eq(reg->nonce, sent->key)) {
        sim_violation(sim, "the key is not the nonce");
    }

    check_alone(sim, reg);
    sim_judge_beside(sim, reg);
    reg->next = sent->psp->regs;
    sent->psp->regs = reg;

    if (!sent->psp->lingers) {
        sim_at(sim, reg->close_at, close_page, reg);
    }

    if (sim_fault(sim, 60)) {
        sim_after(sim, sim_between(sim, 0, 15 * SIM_S), cancel_page, reg);
    }

    said.status = 201;
    said.refused = 0;
    said.body = sim_format(sim,
        "{\"token\":\"%s\",\"nonce\":\"%s\",\"status\":\"open\","
        "\"amount\":\"%s\",\"currency\":\"%s\",\"reference\":\"%s\","
        "\"hosted_url\":\"https://page%u.psp.example/p/%s\"%s,"
        "\"expires_at\":%" PRId64 "}", (const char *) reg->token.data,
        (const char *) reg->nonce.data, (const char *) reg->amount.data,
        (const char *) reg->currency.data,
        (const char *) reg->reference.data, reg->psp->index,
        (const char *) reg->token.data, held_word(reg), expires / SIM_S);

    return said;
}


static const char *
held_word(const sim_reg_t *reg)
{
    return reg->is_manual ? ",\"capture\":\"manual\"" : "";
}


/* I1: one nonce for a checkout, one registration for a nonce, wherever. */
static void
check_alone(sim_t *sim, const sim_reg_t *reg)
{
    unsigned          i;
    const sim_reg_t  *other;

    for (i = 0; i < SIM_PSPS; i++) {
        for (other = sim->books[i].regs; other; other = other->next) {
            if (!pay_str_eq(other->reference, reg->reference)) {
                continue;
            }

            sim_violation(sim, "I1: checkout %.*s is registered twice: "
                          "nonce %.*s at psp %u, %.*s at psp %u",
                          pay_fmt(reg->reference), pay_fmt(other->nonce), i,
                          pay_fmt(reg->nonce), reg->psp->index);
        }
    }
}


static sim_key_t *
key_find(sim_t *sim, sim_psp_t *psp, pay_str_t key)
{
    sim_key_t  *known;

    for (known = psp->keys; known != NULL; known = known->next) {
        if (pay_str_eq(known->key, key)
            && sim->now < known->made_at + psp->window + SIM_SLACK)
        {
            return known;
        }
    }

    return NULL;
}


static void
key_keep(sim_t *sim, sim_sent_t *sent, sim_said_t said)
{
    sim_key_t  *known;

    if (sent->psp->window == 0) {
        return;
    }

    known = sim_alloc(sim, sizeof(sim_key_t));
    known->key = sent->key;
    known->body = sent->body;
    known->status = said.status;
    known->answer = said.body;
    known->made_at = sim->now;
    known->next = sent->psp->keys;
    sent->psp->keys = known;
}


static sim_said_t
take_find(sim_t *sim, sim_psp_t *psp, pay_str_t nonce)
{
    sim_said_t      said = { 200, PAY_STR("{\"registrations\":[]}"), 0 };
    sim_reg_t  *reg;

    for (reg = psp->regs; reg != NULL; reg = reg->next) {
        if (!pay_str_eq(reg->nonce, nonce)) {
            continue;
        }

        said.body = sim_format(sim,
            "{\"registrations\":[{\"token\":\"%s\",\"nonce\":\"%s\","
            "\"status\":\"%s\",\"amount\":\"%s\",\"currency\":\"%s\","
            "\"reference\":\"%s\","
            "\"hosted_url\":\"https://page%u.psp.example/p/%s\"%s,"
            "\"expires_at\":%" PRId64 "}]}", (const char *) reg->token.data,
            (const char *) reg->nonce.data, reg->status,
            (const char *) reg->amount.data,
            (const char *) reg->currency.data,
            (const char *) reg->reference.data, psp->index,
            (const char *) reg->token.data, held_word(reg),
            reg->expires_at / SIM_S);
    }

    return said;
}


static sim_said_t
take_query(sim_t *sim, sim_reg_t *reg)
{
    pay_str_t  more = PAY_STR("");

    if (reg->payment_id.len != 0) {
        more = sim_format(sim, ",\"payment_id\":\"%s\"",
                          (const char *) reg->payment_id.data);
    }

    if (reg->is_manual && reg->captured > 0) {
        more = sim_format(sim, "%.*s,\"captured\":\"%s\"", pay_fmt(more),
                          (const char *) sim_amount(sim, reg->captured).data);
    }

    if (reg->code != NULL) {
        more = sim_format(sim, "%.*s,\"code\":\"%s\"", pay_fmt(more),
                          reg->code);
    }

    return (sim_said_t) { 200, sim_format(sim,
        "{\"token\":\"%s\",\"nonce\":\"%s\",\"status\":\"%s\","
        "\"amount\":\"%s\",\"currency\":\"%s\",\"reference\":\"%s\"%.*s}",
        (const char *) reg->token.data, (const char *) reg->nonce.data,
        reg->status, (const char *) reg->amount.data,
        (const char *) reg->currency.data,
        (const char *) reg->reference.data, pay_fmt(more)), 0 };
}


static sim_said_t
take_change(sim_t *sim, sim_sent_t *sent, sim_reg_t *reg, pay_str_t verb)
{
    sim_said_t      said;
    sim_key_t  *known = key_find(sim, sent->psp, sent->key);

    if (known != NULL) {
        if (!pay_str_eq(known->body, sent->body)) {
            sim_violation(sim, "change %.*s with other bytes",
                          pay_fmt(sent->key));
        }

        return (sim_said_t) { known->status, known->answer,
                              known->status >= 400 };
    }

    said = pay_str_is(verb, "expire") ? take_expire(sim, reg)
                                      : sim_money_take(sim, sent, reg, verb);
    key_keep(sim, sent, said);

    return said;
}


static sim_said_t
take_expire(sim_t *sim, sim_reg_t *reg)
{
    /* one that has refused a card says so until it is told, or paid on */
    if (sim_psp_is_open(sim, reg) || strcmp(reg->status, "declined") == 0) {
        sim_psp_settle(sim, reg, "expired", NULL);
    }

    return take_query(sim, reg);
}


/* The newest come first; the cursor counts them. */
static sim_said_t
take_list(sim_t *sim, sim_psp_t *psp, const char *query)
{
    long         since = 0, until = 0, cursor = 0;
    unsigned     n = 0, shown = 0;
    pay_str_t    all = PAY_STR(""), next = PAY_STR("null");
    sim_hook_t  *hook;
    const char  *found;

    (void) sscanf(query, "since=%ld&until=%ld", &since, &until);
    found = strstr(query, "cursor=");
    cursor = found != NULL ? strtol(found + strlen("cursor="), NULL, 10) : 0;

    for (hook = psp->hooks; hook != NULL; hook = hook->next) {
        if (hook->at / SIM_S < since || hook->at / SIM_S >= until
            || n++ < cursor)
        {
            continue;
        }

        if (shown++ == PAGE) {
            next = sim_format(sim, "\"%u\"", n - 1);
            break;
        }

        all = sim_format(sim, "%.*s%s%.*s", pay_fmt(all),
                         all.len ? "," : "", pay_fmt(hook->body));
    }

    return (sim_said_t) { 200, sim_format(sim,
        "{\"events\":[%.*s],\"next\":%.*s}", pay_fmt(all), pay_fmt(next)),
        0 };
}


sim_said_t
sim_psp_refuse(sim_t *sim, unsigned status, const char *code)
{
    return (sim_said_t) { status, sim_format(sim,
        "{\"error\":{\"code\":\"%s\",\"message\":\"for people\"}}", code),
        1 };
}


/* Done, but nobody can read it. */
static pay_str_t
spoil(sim_t *sim, pay_str_t body)
{
    switch (sim_below(sim, 4)) {

    case 0:
        return (pay_str_t) { body.len / 2, body.data };

    case 1:
        return PAY_STR("<html>502</html>");

    case 2:
        return PAY_STR("{\"token\":\"reg_other\",\"nonce\":\"other\","
                       "\"status\":\"open\",\"amount\":\"1.00\","
                       "\"currency\":\"USD\","
                       "\"hosted_url\":\"https://page0.psp.example/p/x\"}");

    default:
        return PAY_STR("");
    }
}


static pay_str_t
member(sim_t *sim, json_t *object, const char *name)
{
    const char  *text = json_string_value(json_object_get(object, name));

    return sim_dup(sim, pay_str_of(text != NULL ? text : ""));
}


sim_reg_t *
sim_psp_reg(sim_t *sim, pay_str_t token)
{
    unsigned    i;
    sim_reg_t  *reg;

    for (i = 0; i < SIM_PSPS; i++) {
        for (reg = sim->books[i].regs; reg != NULL; reg = reg->next) {
            if (pay_str_eq(reg->token, token)) {
                return reg;
            }
        }
    }

    return NULL;
}


int
sim_psp_is_open(sim_t *sim, sim_reg_t *reg)
{
    return sim->now < reg->close_at
           && (strcmp(reg->status, "open") == 0
               || strcmp(reg->status, "declined") == 0);
}


void
sim_psp_settle(sim_t *sim, sim_reg_t *reg, const char *status,
    const char *code)
{
    sim_say(sim, "   psp %u: %.*s is %s", reg->psp->index,
            pay_fmt(reg->token), status);
    reg->status = status;
    reg->code = code;

    if (strcmp(status, "paid") == 0) {
        if (!reg->is_manual) {
            reg->captured = reg->total;
        }

        if (reg->payments++ == 0) {
            reg->is_late = sim->now > reg->expires_at;
        }
    }

    if (reg->payment_id.len == 0 && (strcmp(status, "paid") == 0
                                     || strcmp(status, "authorized") == 0))
    {
        reg->payment_id = sim_format(sim, "pay_%" PRIu64 "_%u",
                                     sim->scenario, ++sim->names);
    }

    sim_hook_add(sim, reg, status);

    if (strcmp(status, "approved") == 0
        || strcmp(status, "authorized") == 0)
    {
        sim_after(sim, sim_between(sim, SIM_HOUR, 6 * SIM_HOUR), lapse, reg);

        /* in time, for money that a review holds */
        if (sim->risk != NULL) {
            sim_after(sim, sim_between(sim, SIM_MIN, 50 * SIM_MIN), sim_sweep,
                      NULL);
        }
    }

    if (strcmp(status, "open") != 0 && strcmp(status, "pending") != 0
        && strcmp(status, "approved") != 0
        && strcmp(status, "authorized") != 0)
    {
        reg->was_final = 1;
    }
}


static void
close_page(sim_t *sim, void *data)
{
    sim_reg_t  *reg = data;

    if (strcmp(reg->status, "open") == 0) {
        sim_psp_settle(sim, reg, "expired", NULL);
    }
}


/* Somebody at the merchant's, at the PSP's own back office. */
static void
cancel_page(sim_t *sim, void *data)
{
    sim_reg_t  *reg = data;

    if (strcmp(reg->status, "open") == 0) {
        sim_psp_settle(sim, reg, "cancelled", NULL);
    }
}


/* The money is under way; in the end it comes or it does not. */
void
sim_psp_clear(sim_t *sim, sim_reg_t *reg)
{
    sim_after(sim, sim_between(sim, 30 * SIM_S, 20 * SIM_MIN), clear, reg);
}


static void
clear(sim_t *sim, void *data)
{
    sim_reg_t  *reg = data;

    if (strcmp(reg->status, "pending") != 0) {
        return;
    }

    if (sim_chance(sim, 750)) {
        sim_money_paid(sim, reg);

    } else {
        sim_psp_settle(sim, reg, "declined", "no_funds");
    }
}


/* Money that nobody has taken is the buyer's again. */
static void
lapse(sim_t *sim, void *data)
{
    sim_reg_t  *reg = data;

    if (strcmp(reg->status, "approved") == 0) {
        sim_psp_settle(sim, reg, "expired", NULL);

    } else if (strcmp(reg->status, "authorized") == 0
               && reg->capturing > 0)
    {
        sim_after(sim, SIM_HOUR, lapse, reg);

    } else if (strcmp(reg->status, "authorized") == 0) {
        sim_money_release(sim, reg);
    }
}

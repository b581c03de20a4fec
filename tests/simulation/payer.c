/*
 * The model providers of pay-outs: each reads the bytes that the adapter
 * `generic` has built, keeps books, and answers as docs/payout-providers.md
 * says.  A call that it answers as refused or busy has had no effect.
 */

#include <jansson.h>

#include "payout.h"


#define PATH    "/v1/payouts"
#define BY_KEY  PATH "?key="
#define LATE_MAX  (40 * SIM_HOUR)    /* until money comes back */


static int trouble(sim_t *sim, sim_sent_t *sent, pay_http_answer_t *answer);
static sim_said_t dispatch(sim_t *sim, sim_sent_t *sent);
static sim_said_t take_send(sim_t *sim, sim_sent_t *sent);
static sim_key_t *key_find(sim_t *sim, const sim_sent_t *sent);
static void key_keep(sim_t *sim, const sim_sent_t *sent, pay_str_t id);
static sim_paid_t *make_payment(sim_t *sim, const sim_sent_t *sent);
static void go_mute(sim_t *sim, sim_psp_t *psp);
static pay_str_t member(sim_t *sim, const json_t *object, const char *name);
static void plan_fate(sim_t *sim, sim_paid_t *paid);
static sim_said_t take_list(sim_t *sim, const sim_psp_t *psp, pay_str_t key);
static sim_said_t take_cancel(sim_t *sim, sim_paid_t *paid);
static sim_paid_t *paid_find(sim_t *sim, unsigned payer, pay_str_t id);
static sim_said_t shown(sim_t *sim, unsigned status, const sim_paid_t *paid);
static void become(sim_paid_t *paid, const char *status, const char *code);
static void pay_it(sim_t *sim, void *data);
static void arrive(sim_t *sim, void *data);
static void fail(sim_t *sim, void *data);
static void come_back(sim_t *sim, void *data);


void
sim_payer_take(sim_t *sim, sim_sent_t *sent, pay_http_answer_t *answer)
{
    sim_said_t  said;

    answer->content_type = PAY_STR("application/json");

    if (trouble(sim, sent, answer)) {
        return;
    }

    said = dispatch(sim, sent);
    answer->status = said.status;
    answer->body = said.body;
    sent->nothing_happened = said.refused;

    if (sim_psp_is_broken(sim, answer)) {
        answer->body = PAY_STR("{\"error\":{\"code\":\"internal\"}}");
        sent->nothing_happened = 0;

    } else if (sim_fault(sim, sim->faults.psp_malformed)) {
        answer->body.len = sim_below(sim, answer->body.len + 1);
        sent->nothing_happened = 0;
    }
}


/* Before anything happens. */
static int
trouble(sim_t *sim, sim_sent_t *sent, pay_http_answer_t *answer)
{
    answer->body = PAY_STR("{\"error\":{\"code\":\"later\"}}");

    return sim_psp_is_busy(sim, sent, answer)
           || sim_psp_is_broken(sim, answer);
}


static sim_said_t
dispatch(sim_t *sim, sim_sent_t *sent)
{
    unsigned     payer = sent->psp->index - SIM_PSPS;
    pay_str_t    id;
    const char  *path = (const char *) sent->path.data, *slash;
    sim_paid_t  *paid;

    if (strcmp(path, PATH) == 0) {
        return take_send(sim, sent);
    }

    if (strncmp(path, BY_KEY, strlen(BY_KEY)) == 0) {
        return take_list(sim, sent->psp, pay_str_of(path + strlen(BY_KEY)));
    }

    path += strlen(PATH "/");
    slash = strchr(path, '/');
    id = pay_str_of(path);
    id.len = slash != NULL ? (size_t) (slash - path) : id.len;
    paid = paid_find(sim, payer, id);

    if (paid == NULL) {
        sim_violation(sim, "the provider knows no pay-out %s", path);
        return sim_psp_refuse(sim, 404, "not_found");
    }

    return slash == NULL ? shown(sim, 200, paid) : take_cancel(sim, paid);
}


/* Within the window of a key, and some more, the first payment is shown. */
static sim_said_t
take_send(sim_t *sim, sim_sent_t *sent)
{
    sim_key_t   *known = key_find(sim, sent);
    sim_paid_t  *paid;

    if (known != NULL) {
        if (!known->is_over && !pay_str_eq(known->body, sent->body)) {
            sim_violation(sim, "P5: %.*s is sent again with another body",
                          pay_fmt(sent->key));
        }

        return known->answer.len == 0
               ? sim_psp_refuse(sim, 422, "account_invalid")
               : shown(sim, 201, paid_find(sim, sent->psp->index - SIM_PSPS,
                                           known->answer));
    }

    if (sim_fault(sim, sim->faults.psp_refuses)) {
        key_keep(sim, sent, PAY_STR(""));
        return sim_psp_refuse(sim, 422, "account_invalid");
    }

    paid = make_payment(sim, sent);
    key_keep(sim, sent, paid->id);

    return shown(sim, 201, paid);
}


static sim_key_t *
key_find(sim_t *sim, const sim_sent_t *sent)
{
    sim_psp_t  *psp = sent->psp;
    sim_key_t  *known;

    for (known = psp->keys; known != NULL; known = known->next) {
        if (pay_str_eq(known->key, sent->key)
            && (known->is_over
                || (psp->window != 0
                    && sim->now - known->made_at <= psp->window
                                                    + SIM_SLACK)))
        {
            return known;
        }
    }

    return NULL;
}


const sim_paid_t *
sim_payer_end(sim_t *sim, unsigned payer, pay_str_t key)
{
    sim_psp_t         *psp = &sim->payouts->psps[payer];
    sim_key_t         *known;
    const sim_paid_t  *paid;

    for (paid = sim->payouts->paid; paid != NULL; paid = paid->next) {
        if (paid->payer == payer && pay_str_eq(paid->key, key)) {
            return paid;
        }
    }

    known = sim_alloc(sim, sizeof(sim_key_t));
    known->key = key;
    known->is_over = 1;
    known->made_at = sim->now;
    known->next = psp->keys;
    psp->keys = known;

    return NULL;
}


/* id: empty, it was refused */
static void
key_keep(sim_t *sim, const sim_sent_t *sent, pay_str_t id)
{
    sim_key_t  *known = sim_alloc(sim, sizeof(sim_key_t));

    known->key = sent->key;
    known->body = sent->body;
    known->answer = id;
    known->made_at = sim->now;
    known->next = sent->psp->keys;
    sent->psp->keys = known;
}


static sim_paid_t *
make_payment(sim_t *sim, const sim_sent_t *sent)
{
    json_t      *body;
    pay_str_t    iban;
    sim_paid_t  *paid = sim_alloc(sim, sizeof(sim_paid_t));

    body = json_loadb((const char *) sent->body.data, sent->body.len,
                      JSON_REJECT_DUPLICATES, NULL);
    paid->sim = sim;
    paid->payer = sent->psp->index - SIM_PSPS;
    paid->id = sim_format(sim, "pay_%" PRIu64 "_%u", sim->scenario,
                          ++sim->names);
    paid->key = member(sim, body, "key");
    paid->amount = member(sim, body, "amount");
    paid->currency = member(sim, body, "currency");
    iban = member(sim, json_object_get(body, "destination"), "iban");
    json_decref(body);

    if (!pay_str_eq(paid->key, sent->key) || iban.len < 4) {
        sim_violation(sim, "P5: the body of %.*s has another key, or no IBAN",
                      pay_fmt(sent->key));
    }

    if (sent->psp->goes_mute) {
        go_mute(sim, sent->psp);
    }

    paid->end = (pay_str_t) { 4, iban.data + iban.len - 4 };
    paid->next = sim->payouts->paid;
    sim->payouts->paid = paid;
    sim->figures.paid_out++;
    sim_judge_payment(sim, paid);
    become(paid, "accepted", NULL);
    plan_fate(sim, paid);

    return paid;
}


/* What it has done becomes known when it may have forgotten the key. */
static void
go_mute(sim_t *sim, sim_psp_t *psp)
{
    psp->goes_mute = 0;
    psp->mute_from = sim->now;
    psp->mute_until = sim->now + sim_between(sim, SIM_MIN, 20 * SIM_MIN);
    psp->down_from = psp->mute_until;
    psp->down_until = psp->down_from + sim_between(sim, SIM_HOUR / 2,
                                                   3 * SIM_HOUR);
}


static pay_str_t
member(sim_t *sim, const json_t *object, const char *name)
{
    const char  *text = json_string_value(json_object_get(object, name));

    return sim_dup(sim, pay_str_of(text != NULL ? text : ""));
}


static void
plan_fate(sim_t *sim, sim_paid_t *paid)
{
    int64_t  later = sim_between(sim, SIM_MS, 10 * SIM_MIN);

    sim_after(sim, later, sim_fault(sim, sim->faults.fails_later) ? fail
                          : sim_chance(sim, 700) ? pay_it : arrive, paid);
}


static sim_said_t
take_list(sim_t *sim, const sim_psp_t *psp, pay_str_t key)
{
    pay_str_t          list = PAY_STR("");
    const sim_paid_t  *paid;

    sim->figures.expired += psp->window != 0;

    for (paid = sim->payouts->paid; paid != NULL; paid = paid->next) {
        if (paid->payer == psp->index - SIM_PSPS
            && pay_str_eq(paid->key, key))
        {
            list = sim_format(sim, "%.*s%s%.*s", pay_fmt(list),
                              list.len != 0 ? "," : "",
                              pay_fmt(sim_payer_json(sim, paid)));
        }
    }

    return (sim_said_t) {
        200, sim_format(sim, "{\"payouts\":[%.*s]}", pay_fmt(list)), 0
    };
}


static sim_said_t
take_cancel(sim_t *sim, sim_paid_t *paid)
{
    if (strcmp(paid->status, "accepted") == 0) {
        become(paid, "cancelled", NULL);
    }

    return shown(sim, 200, paid);
}


static sim_paid_t *
paid_find(sim_t *sim, unsigned payer, pay_str_t id)
{
    sim_paid_t  *paid;

    for (paid = sim->payouts->paid; paid != NULL; paid = paid->next) {
        if (paid->payer == payer && pay_str_eq(paid->id, id)) {
            return paid;
        }
    }

    return NULL;
}


static sim_said_t
shown(sim_t *sim, unsigned status, const sim_paid_t *paid)
{
    return (sim_said_t) { status, sim_payer_json(sim, paid), 0 };
}


static void
become(sim_paid_t *paid, const char *status, const char *code)
{
    sim_t  *sim = paid->sim;

    paid->status = status;
    paid->code = code;
    paid->at = sim->now;
    sim_say(sim, "   provider: %.*s of %.*s %.*s is %s", pay_fmt(paid->key),
            pay_fmt(paid->amount), pay_fmt(paid->currency), status);

    if (!paid->is_silent) {
        sim_payer_tell(sim, paid);

        /* and once more under another id */
        if (sim_chance(sim, 150) || sim_steered(sim, SIM_STEER_RETURNS)) {
            sim_payer_tell(sim, paid);
        }
    }
}


static void
pay_it(sim_t *sim, void *data)
{
    sim_paid_t  *paid = data;

    if (strcmp(paid->status, "accepted") == 0) {
        paid->has_left = 1;
        become(paid, "sent", NULL);
        sim_after(sim, sim_between(sim, SIM_MS, 20 * SIM_MIN), arrive, paid);
    }
}


static void
arrive(sim_t *sim, void *data)
{
    sim_paid_t  *paid = data;

    if (strcmp(paid->status, "cancelled") == 0) {
        return;
    }

    paid->has_left = 1;
    become(paid, "paid", NULL);

    if (sim_fault(sim, sim->faults.fails_later)) {
        paid->comes_back = 1;
        sim_after(sim, sim_chance(sim, 700)
                       ? sim_between(sim, SIM_MS, 20 * SIM_MIN)
                       : sim_between(sim, SIM_HOUR, LATE_MAX), come_back,
                  paid);
    }
}


static void
fail(sim_t *sim, void *data)
{
    sim_paid_t  *paid = data;

    (void) sim;

    if (strcmp(paid->status, "accepted") == 0) {
        become(paid, "failed", "account_closed");
    }
}


static void
come_back(sim_t *sim, void *data)
{
    sim_paid_t  *paid = data;

    paid->is_back = 1;
    paid->is_silent = sim_chance(sim, 300);
    sim->figures.came_back++;
    sim->figures.silent += (unsigned) paid->is_silent;
    become(paid, "returned", "account_closed");
}

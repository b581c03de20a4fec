/*
 * An external provider of risk: a model of one, which answers, is slow, wrong
 * or away, and the truths about it.  Whatever it says, or does not say, counts
 * as the configuration has it; an attempt asks once, and a repetition of a
 * checkout that is stored asks nobody.
 */

#include <jansson.h>

#include "risk.h"
#include "../answer.h"


#define BASE_URL   "https://risk.example"
#define PATH       BASE_URL "/v1/decisions"
#define LATE_MAX   (20 * SIM_S)
#define PADDING    4096                  /* bytes: as large as an answer is */


/* A question on its way. */
typedef struct {
    sim_look_t         *look;
    pay_str_t           id;
    int                 over;            /* an end is under way or was heard */
    int                 is_word;         /* its end will be the word */
    pay_risk_action_t   word;
    pay_http_answer_t   answer;
} question_t;


static void judge_question(sim_t *sim, const sim_flow_t *flow,
    sim_look_t *look, pay_str_t id);
static void arrives(sim_t *sim, void *data);
static void say(sim_t *sim, question_t *question);
static pay_str_t strange(sim_t *sim, pay_str_t id);
static void fails(sim_t *sim, void *data);
static void end(question_t *question, pay_sent_t how, pay_failure_t why);
static void heard(sim_t *sim, void *data);


/* Not by chance, as scenarios with risk: the others depend on no draw. */
void
sim_provider_plan(sim_t *sim)
{
    int64_t      length = sim->heal_at - sim->now;
    sim_risk_t  *risk = sim->risk;

    if (sim->scenario % 2 != 0) {
        return;
    }

    risk->provider = (pay_risk_provider_t) {
        .name = PAY_STR("oracle"), .base_url = PAY_STR(BASE_URL),
        .key_count = 1,
        .fail = (pay_risk_action_t) sim_below(sim, PAY_RISK_ACTIONS),
        .is_shadow = sim_chance(sim, 150)
    };
    risk->provider.keys[0] = sim->webhook_key;

    if (sim_chance(sim, 300)) {
        risk->provider.above_minor = sim_between(sim, 5000, 60000);

        if (pay_currency_find(PAY_STR("EUR"), &risk->provider.above, NULL)
            != PAY_OK)
        {
            sim_die("no currency");
        }
    }

    risk->providers[0] = &risk->provider;
    risk->conf.providers = risk->providers;
    risk->conf.provider_count = 1;
    risk->timeout = sim_between(sim, 200 * SIM_MS, 2 * SIM_S);

    if (sim_chance(sim, 300)) {
        risk->away_from = sim->now + sim_between(sim, 0, length);
        risk->away_until = risk->away_from + sim_between(sim, 0, length);
    }
}


/* PAY_CALL_RISK */
void
sim_provider_send(sim_flow_t *flow)
{
    sim_t                     *sim = flow->sim;
    unsigned                   count;
    const sim_risk_t          *risk = sim->risk;
    question_t                *question = sim_alloc(sim, sizeof(question_t));
    const pay_http_request_t  *http = &flow->effect.http;

    static const pay_failure_t  reasons[] = {
        PAY_FAILURE_CONNECT, PAY_FAILURE_TLS, PAY_FAILURE_BUSY,
        PAY_FAILURE_CIRCUIT_OPEN
    };

    question->look = sim_risk_look(sim, flow);
    question->id = sim_dup(sim, request_field(http, "Idempotency-Key",
                                              &count));
    sim->figures.questions++;
    sim_say(sim, "w%u f%u %.*s: asks the provider, %.*s", flow->worker,
            flow->number, pay_fmt(flow->core.checkout_id),
            pay_fmt(question->id));
    judge_question(sim, flow, question->look, question->id);

    if ((sim->now >= risk->away_from && sim->now < risk->away_until
         && !sim->healed) || sim_fault(sim, sim->faults.net_refused))
    {
        end(question, PAY_SENT_NOTHING, reasons[sim_below(sim, 4)]);
        sim_after(sim, sim_between(sim, 0, 50 * SIM_MS), heard, question);
        return;
    }

    sim_after(sim, risk->timeout, fails, question);

    if (!sim_fault(sim, sim->faults.net_lost)) {
        sim_after(sim, sim_fault(sim, sim->faults.net_late)
                       ? risk->timeout + sim_between(sim, 0, LATE_MAX)
                       : sim_between(sim, 5 * SIM_MS, 80 * SIM_MS), arrives,
                  question);
    }
}


static void
judge_question(sim_t *sim, const sim_flow_t *flow, sim_look_t *look,
    pay_str_t id)
{
    json_t                    *body;
    sim_looked_t              *looked;
    const pay_http_request_t  *http = &flow->effect.http;

    if (look == NULL || flow->effect.risk_provider != &sim->risk->provider
        || !pay_str_is(http->url, PATH))
    {
        sim_violation(sim, "risk: somebody is asked who is no provider");
        sim_die("nothing more can be said");
    }

    if (look->asks++ != 0 || look->was_stored) {
        sim_violation(sim, "risk: the provider is asked about %.*s, %s",
                      pay_fmt(look->post->checkout_id), look->was_stored
                      ? "which is stored" : "twice in one attempt");
    }

    looked = look->post->looked;
    body = json_loadb((const char *) http->body.data, http->body.len,
                      JSON_REJECT_DUPLICATES, NULL);

    if (!pay_str_is(id, json_string_value(json_object_get(body, "id")))
        || !pay_str_is(look->post->checkout_id,
                       json_string_value(json_object_get(body, "checkout")))
        || (looked->question.len != 0 && !pay_str_eq(looked->question, id)))
    {
        sim_violation(sim, "risk: %.*s has another question than before",
                      pay_fmt(look->post->checkout_id));
    }

    looked->question = id;
    json_decref(body);
}


static void
arrives(sim_t *sim, void *data)
{
    question_t          *question = data;
    const sim_faults_t  *faults = &sim->faults;

    if (question->over || sim_fault(sim, faults->net_answer_lost)) {
        return;
    }

    if (sim_fault(sim, faults->net_cut)) {
        end(question, PAY_SENT_SOME, PAY_FAILURE_BROKEN);

    } else {
        end(question, PAY_ANSWERED, PAY_FAILURE_NONE);
        say(sim, question);
    }

    sim_after(sim, sim_between(sim, SIM_MS, 40 * SIM_MS), heard, question);
}


/* It keeps no book: a second question may have another word. */
static void
say(sim_t *sim, question_t *question)
{
    pay_str_t  reference = PAY_STR("");
    unsigned   draw = (unsigned) sim_below(sim, 1000);

    question->answer.reach = PAY_REACH_COMPLETE;
    question->answer.status = 200;

    if (sim_fault(sim, sim->faults.psp_error)) {
        question->answer.status = sim_chance(sim, 500) ? 503 : 302;
    }

    if (sim_fault(sim, sim->faults.psp_malformed)) {
        question->answer.body = strange(sim, question->id);
        return;
    }

    question->word = draw < 500 ? PAY_RISK_ALLOW
                     : draw < 650 ? PAY_RISK_CHALLENGE
                     : draw < 850 ? PAY_RISK_REVIEW : PAY_RISK_BLOCK;
    question->is_word = question->answer.status == 200;

    if (sim_chance(sim, 300)) {
        reference = sim_format(sim, ",\"reference\":\"case-%u\"",
                               ++sim->names);
    }

    question->answer.body = sim_format(sim, "{\"id\":\"%.*s\",\"decision\":"
        "\"%s\"%.*s}", pay_fmt(question->id),
        pay_risk_action_name(question->word), pay_fmt(reference));
}


/* An answer of no word: it says of another question, or of none, that all is
 * well. */
static pay_str_t
strange(sim_t *sim, pay_str_t id)
{
    char  *padding;

    switch (sim_below(sim, 5)) {

    case 0:
        return PAY_STR("<html>");

    case 1:
        return PAY_STR("{\"id\":\"another\",\"decision\":\"allow\"}");

    case 2:
        return PAY_STR("{\"decision\":\"allow\"}");

    case 3:
        return sim_format(sim, "{\"id\":\"%.*s\",\"decision\":\"ALLOW\"}",
                          pay_fmt(id));

    default:
        padding = sim_alloc(sim, PADDING + 1);
        memset(padding, ' ', PADDING);
        return sim_format(sim, "{\"id\":\"%.*s\",\"decision\":\"allow\"%s}",
                          pay_fmt(id), padding);
    }
}


static void
fails(sim_t *sim, void *data)
{
    question_t  *question = data;

    if (!question->over) {
        end(question, PAY_SENT_SOME, PAY_FAILURE_TIMEOUT);
        heard(sim, question);
    }
}


static void
end(question_t *question, pay_sent_t how, pay_failure_t why)
{
    question->over = 1;
    question->answer = answer_blank(how);
    question->answer.failure = why;
}


static void
heard(sim_t *sim, void *data)
{
    question_t    *question = data;
    sim_look_t    *look = question->look;
    pay_input_t    input = { .kind = PAY_INPUT_HTTP };
    sim_flow_t    *flow = look->flow;
    sim_worker_t  *worker = &sim->workers[flow->worker];

    if (flow->life != worker->life) {
        return;
    }

    if (sim->now < worker->paused_until) {
        sim_at(sim, worker->paused_until + sim_between(sim, 0, 1000), heard,
               question);
        return;
    }

    look->has_word = question->is_word;
    look->word = question->is_word ? question->word : sim->risk->provider.fail;
    sim->figures.no_words += !question->is_word;
    sim_say(sim, "w%u f%u the provider: %s%s", flow->worker, flow->number,
            look->has_word ? "" : "no word, which counts as ",
            pay_risk_action_name(look->word));
    input.answer = &question->answer;
    sim_flow_event(flow, &input);
    memset(&question->answer, 0, sizeof(question->answer));
}


/* Of a new checkout: whether it was asked about, and that the decision has the
 * word that was heard, once.  is_decided: before anybody is asked. */
void
sim_judge_word(sim_t *sim, const sim_look_t *look, int64_t minor,
    int is_decided)
{
    int                         asks;
    sim_rows_t                  found;
    const char                 *checkout = sim_text(sim,
                                                    look->post->checkout_id);
    const pay_risk_provider_t  *provider = &sim->risk->provider;

    asks = sim->risk->conf.provider_count != 0 && !is_decided
           && (provider->above == NULL || minor > provider->above_minor);

    if ((unsigned) asks != look->asks) {
        sim_violation(sim, "risk: the provider is asked %u times about %s, "
                      "and should be %d times", look->asks, checkout, asks);
        return;
    }

    found = sim_db_ask(sim->db, "SELECT h.hit ->> 'then', h.hit ? 'failed', "
        "h.hit ->> 'shadow' FROM pay.risk_decision d CROSS JOIN LATERAL "
        "jsonb_array_elements(d.hits) h (hit) WHERE d.merchant_id = $1 AND "
        "d.checkout_id = $2 AND h.hit ->> 'by' = 'provider'", 2,
        sim_text(sim, sim->merchant.id), checkout);

    if (found.rows != asks
        || (asks && (strcmp(sim_db_cell(sim->db, 0, 0),
                            pay_risk_action_name(look->word)) != 0
                     || (*sim_db_cell(sim->db, 0, 1) == 't') == look->has_word
                     || (strcmp(sim_db_cell(sim->db, 0, 2), "true") == 0)
                        != (provider->is_shadow
                            || sim->risk->conf.is_shadow))))
    {
        sim_violation(sim, "risk: the provider's word about %s is %s in the "
                      "decision, and was %s", checkout, found.rows != 0
                      ? sim_db_cell(sim->db, 0, 0) : "not there", asks
                      ? pay_risk_action_name(look->word) : "none");
    }
}

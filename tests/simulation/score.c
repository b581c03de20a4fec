/*
 * Learned scores: a small model whose probabilities are known in advance, and
 * the truths about what is stored of them.  It has two signals: several orders,
 * and an address of mail that came often within an hour.
 */

#include "risk.h"


#define MANY_MAX  2


/* Of so many signals; log odds -4, 2 and 8. */
static const char *const  totals[] = { "0.017986", "0.880797", "0.999665" };


/* Not by chance, as scenarios with risk: the others depend on no draw. */
void
sim_score_plan(sim_t *sim)
{
    char               hash[PAY_RISK_HASH_SIZE];
    pay_str_t          text;
    pay_err_t          err;
    sim_risk_t        *risk = sim->risk;
    pay_risk_scale_t  *scale = &risk->scale;

    if (sim->scenario / 2 % 2 != 0) {
        return;
    }

    if (pay_risk_features_hash(pay_risk_features(), hash) != PAY_OK) {
        sim_die("no features");
    }

    risk->many = (unsigned) sim_below(sim, MANY_MAX + 1);
    text = sim_format(sim, "{\"form\":\"scorecard\",\"features_hash\":\"%s\","
        "\"intercept\":-4,\"features\":[{\"name\":\"orders\",\"bins\":[1.5],"
        "\"points\":[0,6],\"missing\":0,\"average\":0},{\"name\":"
        "\"attempts_email_1h\",\"bins\":[%u.5],\"points\":[0,6],\"missing\":0,"
        "\"average\":0}]}", hash, risk->many);

    if (pay_risk_model_read(pay_heap_arena(sim->heap), text,
                            pay_risk_features(), &risk->scorer.model, &err)
        != PAY_OK)
    {
        sim_die("no model: %s", err.detail);
    }

    risk->scorer.name = PAY_STR("small");
    memset(risk->scorer.sha256, 'a', PAY_RISK_HASH_SIZE - 1);
    risk->conf.scorers = &risk->scorer;
    risk->conf.scorer_count = 1;

    risk->score[0] = sim_chance(sim, 500) ? PAY_RISK_CHALLENGE
                                          : PAY_RISK_REVIEW;
    risk->score[1] = sim_chance(sim, 500) ? PAY_RISK_REVIEW : PAY_RISK_BLOCK;
    scale->weights[PAY_RISK_PART_MODEL] = PAY_RISK_ONE;
    scale->thresholds[risk->score[1]] = 990;
    scale->thresholds[risk->score[0]] = 500;
    scale->is_shadow = sim_chance(sim, 200);
    risk->conf.scales = scale;
    risk->conf.scale_count = 1;
}


/* Signals: of the attempt and of its window in memory, which has this attempt
 * already. */
pay_risk_action_t
sim_score_word(const sim_risk_t *risk, const sim_look_t *look, int is_live)
{
    unsigned  signals = sim_score_signals(risk, look);

    if (risk->conf.scorer_count == 0 || signals == 0
        || (is_live && (risk->scale.is_shadow || risk->conf.is_shadow)))
    {
        return PAY_RISK_ALLOW;
    }

    return signals == 1 ? risk->score[0]
           : risk->score[1] > risk->score[0] ? risk->score[1] : risk->score[0];
}


unsigned
sim_score_signals(const sim_risk_t *risk, const sim_look_t *look)
{
    return (look->post->order_count > 1) + (look->mails > risk->many + 1);
}


/* Of a new checkout: the total is that of the model, and where it asks for
 * something the decision has it once. */
void
sim_judge_score(sim_t *sim, const sim_look_t *look)
{
    int                       is_scored = sim->risk->conf.scorer_count != 0;
    const char               *total;
    sim_rows_t                found;
    const pay_risk_action_t   word = sim_score_word(sim->risk, look, 0);

    total = is_scored ? totals[sim_score_signals(sim->risk, look)] : "";
    found = sim_db_ask(sim->db, "SELECT coalesce(d.score ->> 'total', ''), "
        "coalesce((SELECT string_agg(h.hit ->> 'then', ' ') FROM "
        "jsonb_array_elements(d.hits) h (hit) WHERE h.hit ->> 'by' = 'score'),"
        " 'allow') FROM pay.risk_decision d WHERE d.merchant_id = $1 AND "
        "d.checkout_id = $2", 2, sim_text(sim, sim->merchant.id),
        sim_text(sim, look->post->checkout_id));
    sim->figures.scored += is_scored;

    if (found.rows == 1
        && (strcmp(sim_db_cell(sim->db, 0, 0), total) != 0
            || strcmp(sim_db_cell(sim->db, 0, 1), pay_risk_action_name(word))
               != 0))
    {
        sim_violation(sim, "risk: %.*s has the score %s, %s, and should have "
                      "%s, %s", pay_fmt(look->post->checkout_id),
                      sim_db_cell(sim->db, 0, 0), sim_db_cell(sim->db, 0, 1),
                      total, pay_risk_action_name(word));
    }
}

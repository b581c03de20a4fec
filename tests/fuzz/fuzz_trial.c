/*
 * Fuzz target: trials of risk.  The first line of the input has a stored
 * decision's hits, the second its facts, then features and score; the rest is a
 * file of rules.  Whatever the bytes: lines that are read are within their
 * limits, others are refused with a reason and a line of the text; a row is
 * decided or refused, the same way twice.
 */

#include "fuzz.h"

#include "pay_risk_trial.h"


#define must  FUZZ_CHECK


static void check_trial(const pay_risk_trial_t *trial);
static void check_row(const pay_risk_trial_t *trial,
    const pay_risk_stored_t *stored);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t             i;
    unsigned           line = 0, lines = 1;
    pay_err_t          err = { .slug = NULL };
    pay_str_t          text = { size, data };
    pay_heap_t        *heap = pay_heap_create();
    pay_status_t       status;
    pay_risk_stored_t  stored = {
        .merchant_id = PAY_STR("acme"), .currency = PAY_STR("USD"),
        .amount_minor = 50000, .at_s = 1764068400
    };

    static pay_risk_trial_t  trial;

    must(heap != NULL);
    memset(&trial, 0, sizeof(trial));
    stored.hits = fuzz_line(&text);
    stored.facts = fuzz_line(&text);
    stored.features = fuzz_line(&text);
    stored.score = fuzz_line(&text);

    for (i = 0; i < text.len; i++) {
        lines += text.data[i] == '\n';
    }

    status = pay_risk_trial_read(pay_heap_arena(heap), text, &trial, &line,
                                 &err);
    must(status == PAY_OK || status == PAY_INVALID);
    must(line >= 1 && line <= lines);

    if (status == PAY_OK) {
        check_trial(&trial);
        check_row(&trial, &stored);
        trial.keeps_windows = 1;
        check_row(&trial, &stored);
    } else {
        fuzz_refused(&err);
    }

    pay_heap_destroy(heap);

    return 0;
}


static void
check_trial(const pay_risk_trial_t *trial)
{
    int                         sum;
    unsigned                    i, k;
    const pay_risk_velocity_t  *velocity;

    must(trial->rule_count <= PAY_RISK_RULES_MAX);
    must(trial->velocity_count <= PAY_RISK_VELOCITIES_MAX);
    must(trial->scale_count <= PAY_RISK_TRIAL_SCALES);

    for (i = 0; i < trial->rule_count; i++) {
        must(trial->rules[i].name.len > 0);
        must(trial->rules[i].name.len <= PAY_RISK_NAME_MAX);
        must(trial->rules[i].term_count > 0);
        must(trial->rules[i].term_count <= PAY_RISK_TERMS_MAX);
        must(trial->rules[i].then < PAY_RISK_ACTIONS);
    }

    for (i = 0; i < trial->velocity_count; i++) {
        velocity = &trial->velocities[i];
        must(velocity->key < PAY_RISK_KEYS && velocity->limit > 0);
        must(velocity->window_s > 0);
        must(velocity->window_s <= PAY_RISK_WINDOW_MAX_S);
        must(velocity->then != PAY_RISK_ALLOW);
        must((velocity->of == PAY_RISK_SUM) == (velocity->currency != NULL));
    }

    for (i = 0; i < trial->scale_count; i++) {
        for (sum = 0, k = 0; k < PAY_RISK_TRIAL_PARTS; k++) {
            must(trial->scales[i].weights[k] >= 0);
            sum += trial->scales[i].weights[k];
        }

        must(sum == 1000);
    }
}


static void
check_row(const pay_risk_trial_t *trial, const pay_risk_stored_t *stored)
{
    unsigned          i;
    pay_status_t      status;
    pay_risk_tried_t  tried, again;

    status = pay_risk_try(trial, stored, &tried);
    must(pay_risk_try(trial, stored, &again) == status);
    must(status == PAY_OK || status == PAY_INVALID);

    if (status != PAY_OK) {
        return;
    }

    must(memcmp(&tried, &again, sizeof(tried)) == 0);
    must(tried.decision < PAY_RISK_ACTIONS && tried.score <= PAY_RISK_YES);

    for (i = 0; i < PAY_RISK_TRIAL_LINES; i++) {
        must(tried.lines[i] <= PAY_RISK_YES);
        must(i < trial->rule_count + trial->velocity_count
             || tried.lines[i] == PAY_RISK_NO);
    }
}

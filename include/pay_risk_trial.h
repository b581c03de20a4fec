/*
 * Risk: a trial of other rules, windows, thresholds or another model on
 * decisions that are stored.  The rules are read and compared as the gateway
 * does it; a value that is not stored makes a line unknown, and a decision that
 * hangs on it, too.  Nothing is guessed.
 */

#ifndef PAY_RISK_TRIAL_H
#define PAY_RISK_TRIAL_H

#include "pay_risk.h"
#include "pay_risk_model.h"


#define PAY_RISK_TRIAL_MAX     (256 << 10)     /* bytes of a file */
#define PAY_RISK_TRIAL_LINES   (PAY_RISK_RULES_MAX + PAY_RISK_VELOCITIES_MAX)
#define PAY_RISK_TRIAL_SCALES  16
#define PAY_RISK_TRIAL_PARTS   4       /* model, rules, velocity, device */

/* The line of payments_risk_score.  In thousandths; of the thresholds 0 is
 * none. */
typedef struct {
    pay_str_t  merchant_id;            /* empty: of all */
    int        weights[PAY_RISK_TRIAL_PARTS];
    int        thresholds[PAY_RISK_ACTIONS];
    int        is_shadow;
} pay_risk_trial_scale_t;

/* - model: NULL: the probability is the one that is stored.
 * - keeps_windows: hits of windows are those that are stored, and the lines of
 *   velocities are not tried. */
typedef struct {
    pay_risk_rule_t           rules[PAY_RISK_RULES_MAX];
    unsigned                  rule_count;
    pay_risk_velocity_t       velocities[PAY_RISK_VELOCITIES_MAX];
    unsigned                  velocity_count;
    pay_risk_trial_scale_t    scales[PAY_RISK_TRIAL_SCALES];
    unsigned                  scale_count;
    const pay_risk_model_t   *model;
    int                       keeps_windows;
} pay_risk_trial_t;

/* A decision as it is stored; JSON as text, an empty one is not kept. */
typedef struct {
    pay_str_t  merchant_id;
    pay_str_t  currency;
    int64_t    amount_minor;
    int64_t    at_s;
    pay_str_t  hits;
    pay_str_t  facts;
    pay_str_t  features;
    pay_str_t  score;
} pay_risk_stored_t;

/* - is_known: 0: the decision hangs on a value that is not stored.
 * - lines: by rule, then by velocity, of each whether it hits.
 * - score: whether the total asks for a decision. */
typedef struct {
    int                is_known;
    pay_risk_action_t  decision;
    pay_risk_truth_t   lines[PAY_RISK_TRIAL_LINES];
    pay_risk_truth_t   score;
} pay_risk_tried_t;


/* Reads the lines payments_risk_rule, payments_risk_velocity and
 * payments_risk_score of an untrusted text, written as in nginx.conf.  All of
 * the trial but model and keeps_windows is written, and the texts are the
 * arena's.  PAY_INVALID: err->detail says why, and *line where. */
pay_status_t pay_risk_trial_read(pay_arena_t *arena, pay_str_t text,
    pay_risk_trial_t *trial, unsigned *line, pay_err_t *err) PAY_MUST_CHECK;

/* Decides anew.  PAY_INVALID: the row is none that the gateway has written. */
pay_status_t pay_risk_try(const pay_risk_trial_t *trial,
    const pay_risk_stored_t *stored, pay_risk_tried_t *tried) PAY_MUST_CHECK;


#endif /* PAY_RISK_TRIAL_H */

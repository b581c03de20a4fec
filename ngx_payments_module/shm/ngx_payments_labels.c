/*
 * The label values of the metrics.  Counters lie in the zone by their place
 * here; the counts in ngx_payments_labels.h follow these tables.
 */

#include "shm/ngx_payments_labels.h"


const char *const  ngx_payments_flow_names[] = {
    "api", "create", "read", "buyer", "checkout", "return", "webhook", "job",
    "metrics", "live", "ready", "problems", "page", "console", "other", NULL
};
PAY_ROWS(ngx_payments_flow_names, NGX_PAYMENTS_FLOWS + 1);

const char *const  ngx_payments_outcome_names[] = {
    "applied", "unchanged", "duplicate", "parked", "mismatch", "ignored",
    "asked", "held", "contradiction", "unknown", "not_found", "signature",
    "timestamp", "payload", "other", NULL
};
PAY_ROWS(ngx_payments_outcome_names, NGX_PAYMENTS_OUTCOMES + 1);

const char *const  ngx_payments_job_names[] = {
    "stored", "applied", "open", "no_answer", "refunded", "refused",
    "not_sent", "unknown", "busy", "not-stored", "request_refused",
    "psp_not_configured", "internal-error", "changed", "no_token",
    "no_reference", "not_supported", "other", NULL
};
PAY_ROWS(ngx_payments_job_names, NGX_PAYMENTS_JOBS + 1);

const char *const  ngx_payments_change_names[] = {
    "capture", "cancel", "refund", "other", NULL
};
PAY_ROWS(ngx_payments_change_names, NGX_PAYMENTS_CHANGES + 1);

const char *const  ngx_payments_state_names[] = {
    "NOT_STARTED", "EXECUTING", "SUCCESS", "FAILED", "other", NULL
};
PAY_ROWS(ngx_payments_state_names, NGX_PAYMENTS_STATES + 1);

const char *const  ngx_payments_reason_names[] = {
    "no_key", "malformed", "stale", "skew", "wrong_key", "altered_body",
    "mismatch", "certificate", "other", NULL
};
PAY_ROWS(ngx_payments_reason_names, NGX_PAYMENTS_REASONS + 1);

const char *const  ngx_payments_letter_names[] = {
    "register", "poll", "refund", "change", "late_success", "parked", "stuck",
    NULL
};
PAY_ROWS(ngx_payments_letter_names, NGX_PAYMENTS_LETTERS + 1);

const char *const  ngx_payments_file_names[] = {
    "booked", "staged", "known", "refused", NULL
};
PAY_ROWS(ngx_payments_file_names, NGX_PAYMENTS_FILES + 1);

const char *const  ngx_payments_row_names[] = {
    "matched", "class1", "class2", "class3", "repeats", NULL
};
PAY_ROWS(ngx_payments_row_names, NGX_PAYMENTS_ROWS + 1);

const char *const  ngx_payments_class_names[] = {
    "2", "3", NULL
};
PAY_ROWS(ngx_payments_class_names, NGX_PAYMENTS_CLASSES + 1);

const char *const  ngx_payments_payout_names[] = {
    "draft", "held", "ready", "approved", "sending", "unknown", "sent", NULL
};
PAY_ROWS(ngx_payments_payout_names, NGX_PAYMENTS_PAYOUTS + 1);

/* Words of end_delivery. */
const char *const  ngx_payments_delivery_names[] = {
    "delivered", "failed", "gone", NULL
};
PAY_ROWS(ngx_payments_delivery_names, NGX_PAYMENTS_DELIVERIES + 1);

const char *const  ngx_payments_refused_names[] = {
    "busy", "circuit-open", NULL
};
PAY_ROWS(ngx_payments_refused_names, NGX_PAYMENTS_REFUSED + 1);

const char *const  ngx_payments_work_names[] = {
    "intake", "read", "change", "job", "console", NULL
};
PAY_ROWS(ngx_payments_work_names, NGX_PAYMENTS_WORKS + 1);

const char *const  ngx_payments_full_names[] = {
    "merchant", "class", "pressure", "queue", NULL
};
PAY_ROWS(ngx_payments_full_names, NGX_PAYMENTS_FULLS + 1);

const ngx_uint_t  ngx_payments_codes[] = {
    200, 201, 202, 204, 303, 304, 400, 401, 403, 404, 405, 408, 409, 411,
    412, 413, 414, 415, 416, 421, 422, 429, 431, 499, 500, 501, 502, 503,
    504, 505, 507, 0
};
PAY_ROWS(ngx_payments_codes, NGX_PAYMENTS_CODES);

const ngx_msec_t  ngx_payments_le_ms[] = {
    1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000
};
PAY_ROWS(ngx_payments_le_ms, NGX_PAYMENTS_LES);

const char *const  ngx_payments_le_names[] = {
    "0.001", "0.002", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5",
    "1", "2.5", "5", "10", "30"
};
PAY_ROWS(ngx_payments_le_names, NGX_PAYMENTS_LES);

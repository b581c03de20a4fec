/*
 * The label values of the metrics.  Counters lie in the zone by their place
 * here; the counts in ngx_payments_labels.h follow these tables.
 */

#include "shm/ngx_payments_labels.h"


const char *const  ngx_payments_flow_names[NGX_PAYMENTS_FLOWS + 1] = {
    "api", "create", "read", "buyer", "checkout", "return", "webhook", "job",
    "metrics", "live", "ready", "problems", "page", "other", NULL
};

const char *const  ngx_payments_outcome_names[NGX_PAYMENTS_OUTCOMES + 1] = {
    "applied", "unchanged", "duplicate", "parked", "mismatch", "ignored",
    "asked", "held", "contradiction", "unknown", "not_found", "signature",
    "timestamp", "payload", "other", NULL
};

const char *const  ngx_payments_job_names[NGX_PAYMENTS_JOBS + 1] = {
    "stored", "applied", "open", "no_answer", "refunded", "refused",
    "not_sent", "unknown", "busy", "not-stored", "request_refused",
    "psp_not_configured", "internal-error", "changed", "no_token",
    "no_reference", "not_supported", "other", NULL
};

const char *const  ngx_payments_change_names[NGX_PAYMENTS_CHANGES + 1] = {
    "capture", "cancel", "refund", "other", NULL
};

const char *const  ngx_payments_state_names[NGX_PAYMENTS_STATES + 1] = {
    "NOT_STARTED", "EXECUTING", "SUCCESS", "FAILED", "other", NULL
};

const char *const  ngx_payments_reason_names[NGX_PAYMENTS_REASONS + 1] = {
    "no_key", "malformed", "stale", "skew", "wrong_key", "altered_body",
    "mismatch", "certificate", "other", NULL
};

const char *const  ngx_payments_letter_names[NGX_PAYMENTS_LETTERS + 1] = {
    "register", "poll", "refund", "change", "late_success", "parked", "stuck",
    NULL
};

const char *const  ngx_payments_refused_names[NGX_PAYMENTS_REFUSED + 1] = {
    "busy", "circuit-open", NULL
};

const char *const  ngx_payments_work_names[NGX_PAYMENTS_WORKS + 1] = {
    "intake", "read", "change", "job", NULL
};

const char *const  ngx_payments_full_names[NGX_PAYMENTS_FULLS + 1] = {
    "merchant", "class", "pressure", "queue", NULL
};

const ngx_uint_t  ngx_payments_codes[NGX_PAYMENTS_CODES] = {
    200, 201, 202, 204, 303, 304, 400, 401, 403, 404, 405, 408, 409, 411,
    412, 413, 414, 415, 416, 421, 422, 429, 431, 499, 500, 501, 502, 503,
    504, 505, 507, 0
};

const ngx_msec_t  ngx_payments_le_ms[NGX_PAYMENTS_LES] = {
    1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000
};

const char *const  ngx_payments_le_names[NGX_PAYMENTS_LES] = {
    "0.001", "0.002", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5",
    "1", "2.5", "5", "10", "30"
};

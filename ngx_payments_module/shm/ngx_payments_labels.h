/*
 * The label values of the metrics: how many there are of each kind, and their
 * words.
 */

#ifndef NGX_PAYMENTS_LABELS_H
#define NGX_PAYMENTS_LABELS_H

#include "shm/ngx_payments_health.h"

#include "pay_http.h"


#define NGX_PAYMENTS_FLOWS      15
#define NGX_PAYMENTS_CODES      32
#define NGX_PAYMENTS_OUTCOMES   15
/* PAY_FAILURE_NONE is "ok", and one more than the failures there is */
#define NGX_PAYMENTS_RESULT_HTTP_ERROR  PAY_FAILURE_COUNT
#define NGX_PAYMENTS_RESULTS    (PAY_FAILURE_COUNT + 1)
#define NGX_PAYMENTS_JOBS       18
#define NGX_PAYMENTS_REASONS    9                /* of the quarantine */
#define NGX_PAYMENTS_LETTERS    7                /* kinds of dead letters */
#define NGX_PAYMENTS_FILES      4                /* ends of settlement files */
#define NGX_PAYMENTS_ROWS       5                /* outcomes of their rows */
#define NGX_PAYMENTS_CLASSES    2                /* that wait for operators */
#define NGX_PAYMENTS_PAYOUTS    7                /* states that do not last */
#define NGX_PAYMENTS_DELIVERIES 3                /* ends of attempts */
#define NGX_PAYMENTS_CHANGES    4                /* kinds of changes */
#define NGX_PAYMENTS_STATES     5
#define NGX_PAYMENTS_LES        14               /* bounds of a histogram */


/* Label values; each table ends with NULL, its last word is "other". */
extern const char *const  ngx_payments_flow_names[];
extern const char *const  ngx_payments_outcome_names[];
extern const char *const  ngx_payments_job_names[];
extern const char *const  ngx_payments_change_names[];
extern const char *const  ngx_payments_state_names[];
extern const char *const  ngx_payments_reason_names[];
/* All of them; none is "other". */
extern const char *const  ngx_payments_letter_names[];
extern const char *const  ngx_payments_file_names[];
extern const char *const  ngx_payments_row_names[];
extern const char *const  ngx_payments_class_names[];
extern const char *const  ngx_payments_payout_names[];
extern const char *const  ngx_payments_delivery_names[];
/* By ngx_payments_refused_e. */
extern const char *const  ngx_payments_refused_names[];
/* By ngx_payments_work_e and ngx_payments_full_e. */
extern const char *const  ngx_payments_work_names[];
extern const char *const  ngx_payments_full_names[];
/* Status codes; 0 stands for "other" and is the last. */
extern const ngx_uint_t   ngx_payments_codes[];
/* Upper bounds in milliseconds, and the same in seconds as text. */
extern const ngx_msec_t   ngx_payments_le_ms[];
extern const char *const  ngx_payments_le_names[];


#endif /* NGX_PAYMENTS_LABELS_H */

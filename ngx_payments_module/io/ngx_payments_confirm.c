/*
 * Anybody may send the form of a message that has to be posted back, and must
 * not make this gateway call out at will: the messages of a provider take from
 * a bucket of their own in the shared zone, over all workers.
 */

#include "io/ngx_payments_confirm.h"
#include "shm/ngx_payments_shm.h"
#include "util/ngx_payments_memory.h"
#include "util/ngx_payments_process.h"


#define KEY_MAX  80
#define LOG_MS   (60 * 1000)


/* A message too many is answered 503, so that its sender repeats it.  The line
 * of the log is written once a minute. */
ngx_uint_t
ngx_payments_confirm_may(const ngx_payments_psp_t *psp)
{
    u_char             text[KEY_MAX];
    uint64_t           wait_ms;
    pay_str_t          key;
    ngx_str_t          name = ngx_payments_nstr(psp->psp.name);
    ngx_uint_t         left;
    static ngx_msec_t  told;

    key.data = text;
    key.len = ngx_snprintf(text, KEY_MAX, "p:%V", &name) - text;

    if (ngx_payments_shm_gcra(ngx_payments_main_conf()->zone, key,
                              psp->confirm_rate, psp->confirm_burst,
                              ngx_current_msec, &left, &wait_ms)
        == NGX_PAYMENTS_GCRA_ALLOWED)
    {
        return 1;
    }

    if (told == 0 || ngx_current_msec - told >= LOG_MS) {
        told = ngx_max(ngx_current_msec, 1);
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "payments: too many webhooks to be posted back, "
                      "psp:%V, directive:webhook_confirm_rate", &name);
    }

    return 0;
}

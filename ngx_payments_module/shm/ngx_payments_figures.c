/*
 * Figures of a round: numbers of its JSON, and how old they are.  The functions
 * neither read nor write the zone.
 */

#include "shm/ngx_payments_figures.h"
#include "util/ngx_payments_process.h"


#define ROUNDS_OLD  10                 /* in intervals of the watchdog */


ngx_atomic_uint_t
ngx_payments_figure(const pay_json_t *json, const char *member)
{
    int64_t  number;

    return pay_json_integer(pay_json_get(json, member), &number) == PAY_OK
           && number > 0 ? (ngx_atomic_uint_t) number : 0;
}


ngx_uint_t
ngx_payments_figures_are_old(ngx_atomic_uint_t at)
{
    time_t  age, limit;

    if (at == 0) {
        return 1;
    }

    age = ngx_time() - (time_t) at;
    limit = ROUNDS_OLD * (time_t) (ngx_payments_main_conf()->watch.interval_ms
                                   / 1000 + 1);

    return age > limit;
}


uint64_t
ngx_payments_figure_age(ngx_atomic_uint_t at)
{
    return at == 0 ? 0 : (uint64_t) ngx_max(ngx_time() - (time_t) at, 0);
}

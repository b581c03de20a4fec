/*
 * The counters of the seals of the event log: how many this host has signed or
 * failed to, and the newest that is known here, of any host.
 */

#include "shm/ngx_payments_count_seals.h"
#include "shm/ngx_payments_zone.h"


void
ngx_payments_count_seal(ngx_uint_t cell, ngx_uint_t is_signed)
{
    ngx_payments_cell_stat_t  *stat = ngx_payments_cell_stat(cell);

    if (stat != NULL) {
        (void) ngx_atomic_fetch_add(is_signed ? &stat->seals.total
                                              : &stat->seals.failures,
                                    1);
    }
}


/* Workers race for it: for a moment an older one may be shown. */
void
ngx_payments_note_seal(ngx_uint_t cell, int64_t number, time_t at)
{
    ngx_payments_cell_stat_t  *stat = ngx_payments_cell_stat(cell);

    if (stat != NULL
        && (ngx_atomic_uint_t) number >= stat->seals.number)
    {
        stat->seals.number = (ngx_atomic_uint_t) number;
        stat->seals.at = (ngx_atomic_uint_t) at;
    }
}

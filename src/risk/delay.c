/*
 * The wait of the answer about a blocked checkout.  A card tester who sees at
 * once that nothing was sent would learn the rules by trying.
 */

#include "risk.h"


#define DELAY_MAX_MS  5000             /* a storefront waits no longer */
#define DRAWS         65536


int64_t
pay_risk_delay_ms(int64_t least_ms, int64_t mean_ms, unsigned draw)
{
    int64_t  ms;

    if (least_ms <= 0) {
        return 0;
    }

    /* the least of the draws is least_ms: no wait is always the same */
    ms = least_ms + (least_ms + 2) / 3;
    ms = mean_ms > ms ? mean_ms : ms;
    ms = ms < DELAY_MAX_MS ? ms : DELAY_MAX_MS;

    return ms * 3 / 4 + ms * (int64_t) (draw % DRAWS) / (2 * DRAWS);
}

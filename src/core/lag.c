/*
 * The lag of a replica.  A beat's age only grows, so a replica that stands
 * still, has lost its primary or answers no more is behind by the clock alone,
 * without anybody noticing why.
 */

#include "pay_lag.h"


/* Looks in the time of one limit: the newest beat that a look finds is up to
 * two looks old, and one more look may fail. */
#define LOOKS_OF_LIMIT  8
#define PACE_MAX_MS     1000


int64_t
pay_lag_beat(pay_lag_t *lag, int64_t now_ms)
{
    lag->number++;
    lag->sent_ms[lag->number % PAY_LAG_BEATS] = now_ms;

    return lag->number;
}


/* Answers of one connection come in order.  The first of another one counts
 * alone, even where it is behind: it may be to another server. */
void
pay_lag_seen(pay_lag_t *lag, int64_t number, int64_t session)
{
    int64_t  sent_ms;

    if (session != lag->session) {
        lag->session = session;
        lag->is_known = 0;
    }

    if (number <= 0 || number > lag->number
        || number <= lag->number - PAY_LAG_BEATS)
    {
        return;
    }

    sent_ms = lag->sent_ms[number % PAY_LAG_BEATS];

    if (!lag->is_known || sent_ms > lag->as_of_ms) {
        lag->as_of_ms = sent_ms;
        lag->is_known = 1;
    }
}


/* A clock that goes back counts as one that stands still. */
int64_t
pay_lag_ms(const pay_lag_t *lag, int64_t session, int64_t now_ms)
{
    if (!lag->is_known || session != lag->session) {
        return PAY_LAG_UNKNOWN;
    }

    return now_ms > lag->as_of_ms ? now_ms - lag->as_of_ms : 0;
}


int64_t
pay_lag_pace_ms(int64_t limit_ms)
{
    int64_t  pace = limit_ms / LOOKS_OF_LIMIT;

    return pace < 1 ? 1 : pace > PACE_MAX_MS ? PACE_MAX_MS : pace;
}

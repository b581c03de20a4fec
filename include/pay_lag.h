/*
 * How far a replica is behind its primary, by beats: numbers that this process
 * writes at the primary and looks for at the replica.  All that had been
 * committed before a beat was sent is at each server that has the beat, so its
 * age bounds the lag.  One clock is enough for that.  Neither the two servers
 * nor their positions in the WAL are compared: a server that has left the
 * primary's history, or is the copy of another database, never gets the beat.
 * Reads no clock: the caller's is monotonic, in milliseconds.
 */

#ifndef PAY_LAG_H
#define PAY_LAG_H

#include <stdint.h>


/* More than are sent in the longest limit, a minute. */
#define PAY_LAG_BEATS    32
#define PAY_LAG_UNKNOWN  INT64_MAX

/* All zero has sent no beat and seen none. */
typedef struct {
    int64_t  number;           /* of the last beat that was sent; 0: none */
    int64_t  sent_ms[PAY_LAG_BEATS];   /* by number modulo PAY_LAG_BEATS */
    int64_t  session;          /* the replica's connection that had … */
    int64_t  as_of_ms;         /* … the beat that was sent then; when known */
    int      is_known;
} pay_lag_t;


/* A beat is sent to the primary now; its number, which is above all before. */
int64_t pay_lag_beat(pay_lag_t *lag, int64_t now_ms);

/* The replica has shown `number` (0: none) over the connection `session`, which
 * is above 0 and of no other connection.  A number that was never sent, or so
 * long ago that nobody knows when, says nothing. */
void pay_lag_seen(pay_lag_t *lag, int64_t number, int64_t session);

/* The most by which an answer over the connection `session` may be behind, or
 * PAY_LAG_UNKNOWN: this connection has shown no beat, since another one may be
 * to another server. */
int64_t pay_lag_ms(const pay_lag_t *lag, int64_t session, int64_t now_ms);

/* How long to wait between two looks at the replica where answers may be
 * limit_ms old; each second look is behind another beat. */
int64_t pay_lag_pace_ms(int64_t limit_ms);


#endif /* PAY_LAG_H */

/*
 * Lines of the relay on stderr, where systemd's journal takes them from.  They
 * have codes, names and counts, and never a message's body.
 */

#ifndef PAY_SRC_RELAY_LOG_H
#define PAY_SRC_RELAY_LOG_H


#define RELAY_REASONS  32              /* reasons that are known at a time */

typedef struct {
    /* The reasons that were logged since things last went well. */
    int       codes[RELAY_REASONS];
    unsigned  count;
} relay_log_t;


/* Writes "payments-relay: LEVEL: " and the printf-like rest as one line. */
void relay_log(const char *level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* 1 when this reason was not seen before.  RELAY_REASONS are remembered; more
 * of them are logged each time. */
int relay_log_is_new(relay_log_t *log, int code);

/* Things went well: each reason is a new one again. */
void relay_log_forget(relay_log_t *log);


#endif /* PAY_SRC_RELAY_LOG_H */

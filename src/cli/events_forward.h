/* payctl events tail --forward: events to a program under development on this
 * machine.  Private to src/cli. */

#ifndef PAY_SRC_CLI_EVENTS_FORWARD_H
#define PAY_SRC_CLI_EVENTS_FORWARD_H

typedef struct forward_s  pay_cli_forward_t;

/* For an address of this machine; prints the secret that signs to stderr.
 * NULL after a complaint.  pay_cli_forward_end() ends it. */
pay_cli_forward_t *pay_cli_forward_begin(const char *url);

/* Posts the event, signed, and prints the status of the answer to stderr.
 * It is sent once: the next one goes whatever became of it. */
void pay_cli_forward(pay_cli_forward_t *forward, const char *id,
    const char *body);

void pay_cli_forward_end(pay_cli_forward_t *forward);


#endif /* PAY_SRC_CLI_EVENTS_FORWARD_H */

/*
 * A message of Kafka, made of a row of the log (docs/events-kafka.md).
 */

#ifndef PAY_SRC_RELAY_MESSAGE_H
#define PAY_SRC_RELAY_MESSAGE_H

#include "relay/db.h"


#define RELAY_KEY      1024            /* bytes of a key, with a NUL */
#define RELAY_HEADERS  3

/* Borrows from the row. */
typedef struct {
    const char  *name;
    const char  *value;
    size_t       size;
} relay_header_t;


/* "MERCHANT/SUBJECT" and its length; 0: it has no room, and nothing may be sent
 * under a part of it. */
int relay_message_key(const relay_row_t *row, char key[RELAY_KEY],
    size_t *size);

void relay_message_headers(const relay_row_t *row,
    relay_header_t headers[RELAY_HEADERS]);


#endif /* PAY_SRC_RELAY_MESSAGE_H */

/*
 * The relay's configuration file: librdkafka's own keys, and those of the relay
 * with the prefix "relay." (docs/events-kafka.md).
 */

#ifndef PAY_SRC_RELAY_CONF_H
#define PAY_SRC_RELAY_CONF_H

#include "relay/partition.h"


#define RELAY_TEXT     2048            /* bytes of a value, with a NUL */
#define RELAY_WINDOW   4               /* batches on their way at a time */

typedef struct {
    char              database[RELAY_TEXT];    /* libpq's; "": its variables */
    char              topic[250];              /* Kafka: 249 bytes at most */
    char              name[64];                /* of pay.message_reader */
    int               batch;                   /* messages of one claim */
    int               lease_ms;
    int               poll_ms;                 /* pause when nothing is new */
    int               stop_ms;                 /* wait for reports at the end */
    int               is_debug;
    rd_kafka_conf_t      *kafka;
    relay_partitioner_pt  partitioner; /* of a key, whose partition is fixed */
} relay_conf_t;


/* Reads the file; 1, or 0 after a complaint with the number of the line.  The
 * caller frees it with relay_conf_free() in both cases. */
int relay_conf_read(relay_conf_t *conf, const char *path);

void relay_conf_free(relay_conf_t *conf);


#endif /* PAY_SRC_RELAY_CONF_H */

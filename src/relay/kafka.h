/*
 * The relay's producer.  It is made anew after each error that a message may
 * have been lost by, so that nothing is ever sent behind a gap.
 */

#ifndef PAY_SRC_RELAY_KAFKA_H
#define PAY_SRC_RELAY_KAFKA_H

#include "relay/conf.h"
#include "relay/db.h"
#include "relay/log.h"
#include "relay/partition.h"


typedef enum {
    RELAY_SENT,
    RELAY_FULL,                        /* its partition takes no more, or the
                                        * memory: poll, then try again */
    RELAY_REFUSED                      /* `failed` is set */
} relay_send_t;

typedef struct {
    const relay_conf_t  *conf;
    relay_log_t          log;
    rd_kafka_t          *producer;     /* NULL: closed */
    rd_kafka_topic_t    *topic;
    relay_partitions_t   partitions;   /* as many as there were when opened */
    int                  failed;       /* close it, and begin at the mark */
} relay_kafka_t;


void relay_kafka_init(relay_kafka_t *kafka, const relay_conf_t *conf);

/* A producer whose brokers know the topic; 1, or 0 with a line in the log.
 * Blocks for `wait_ms` at most. */
int relay_kafka_open(relay_kafka_t *kafka, int wait_ms);

/* Hands a message over.  When all brokers that must have it do, `arrived` is
 * counted up in relay_kafka_poll(). */
relay_send_t relay_kafka_send(relay_kafka_t *kafka, const relay_row_t *row,
    int *arrived);

/* Takes reports and errors in, for `wait_ms` at most. */
void relay_kafka_poll(relay_kafka_t *kafka, int wait_ms);

/* Forgets the messages that are on their way; they may still arrive. */
void relay_kafka_close(relay_kafka_t *kafka);

/* Makes a producer and ends it: 1 when librdkafka takes the configuration. */
int relay_kafka_check(const relay_conf_t *conf);


#endif /* PAY_SRC_RELAY_KAFKA_H */

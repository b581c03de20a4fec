/*
 * The topic's partitions, as one producer fills them.
 *
 * A partition that has not answered yet has one message on its way, no more.  A
 * broker takes any first number of a producer that it does not know.  When it
 * refuses the first request (it was not the leader yet) and takes the second
 * one, librdkafka 2.0 concludes that the first has arrived too and reports it
 * as delivered: its messages are lost.  Once a request has arrived, the broker
 * refuses a gap.  It forgets a producer that is silent for a day
 * (producer.id.expiration.ms), so that a partition is asked again much earlier.
 */

#ifndef PAY_SRC_RELAY_PARTITION_H
#define PAY_SRC_RELAY_PARTITION_H

#include <librdkafka/rdkafka.h>

#include <stdint.h>


#define RELAY_KNOWN_MS  600000         /* the broker remembers us that long */

typedef int32_t (*relay_partitioner_pt)(const rd_kafka_topic_t *topic,
    const void *key, size_t size, int32_t count, void *topic_opaque,
    void *message_opaque);

typedef struct {
    int64_t  known_until;              /* ms of relay_now() */
    int      on_way;                   /* messages without a report */
} relay_partition_t;

typedef struct {
    relay_partition_t  *items;         /* NULL: none */
    int                 count;
} relay_partitions_t;


/* librdkafka's function of that name; NULL: there is none, or it does not keep
 * a key in one partition. */
relay_partitioner_pt relay_partitioner(const char *name);

/* 0: no memory. */
int relay_partitions_init(relay_partitions_t *partitions, int count);
void relay_partitions_free(relay_partitions_t *partitions);

/* Whether one more message may be sent to the partition now. */
int relay_partition_takes(const relay_partitions_t *partitions, int number,
    int64_t now);
void relay_partition_sent(relay_partitions_t *partitions, int number);
/* A report has come: of one that arrived, or of one that did not. */
void relay_partition_reported(relay_partitions_t *partitions, int number,
    int has_arrived, int64_t now);


#endif /* PAY_SRC_RELAY_PARTITION_H */

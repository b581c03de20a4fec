/*
 * The topic's partitions, as one producer fills them.
 */

#include "relay/partition.h"

#include <stdlib.h>
#include <string.h>


typedef struct {
    const char            *name;
    relay_partitioner_pt   function;
} partitioner_row_t;

/* A key is never empty, so that the two forms of a name do the same. */
static const partitioner_row_t  partitioner_rows[] = {
    { "murmur2_random", rd_kafka_msg_partitioner_murmur2 },
    { "murmur2", rd_kafka_msg_partitioner_murmur2 },
    { "consistent_random", rd_kafka_msg_partitioner_consistent },
    { "consistent", rd_kafka_msg_partitioner_consistent },
    { "fnv1a_random", rd_kafka_msg_partitioner_fnv1a },
    { "fnv1a", rd_kafka_msg_partitioner_fnv1a },
    { NULL, NULL }
};


relay_partitioner_pt
relay_partitioner(const char *name)
{
    const partitioner_row_t  *row = partitioner_rows;

    while (row->name != NULL && strcmp(row->name, name) != 0) {
        row++;
    }

    return row->function;
}


int
relay_partitions_init(relay_partitions_t *partitions, int count)
{
    partitions->count = count;
    partitions->items = calloc((size_t) count, sizeof(relay_partition_t));

    return partitions->items != NULL;
}


void
relay_partitions_free(relay_partitions_t *partitions)
{
    free(partitions->items);
    memset(partitions, 0, sizeof(*partitions));
}


int
relay_partition_takes(const relay_partitions_t *partitions, int number,
    int64_t now)
{
    const relay_partition_t  *partition = &partitions->items[number];

    return partition->on_way == 0 || now < partition->known_until;
}


void
relay_partition_sent(relay_partitions_t *partitions, int number)
{
    partitions->items[number].on_way++;
}


void
relay_partition_reported(relay_partitions_t *partitions, int number,
    int has_arrived, int64_t now)
{
    relay_partition_t  *partition;

    if (number < 0 || number >= partitions->count) {
        return;
    }

    partition = &partitions->items[number];
    partition->on_way--;

    if (has_arrived) {
        partition->known_until = now + RELAY_KNOWN_MS;
    }
}

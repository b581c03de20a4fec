/*
 * The relay's producer against librdkafka's model of a broker.  As a real one
 * does, the model takes any first request of a producer that it does not know.
 */

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include "relay/clock.h"
#include "relay/kafka.h"

#include <librdkafka/rdkafka_mock.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


#define TOPIC       "payments"
#define PARTITIONS  3
#define MESSAGES    60
#define SUBJECTS    12
#define PRODUCE     0                  /* a request's number in the protocol */
#define LIMIT_MS    30000

static rd_kafka_t               *owner;    /* of the broker */
static rd_kafka_mock_cluster_t  *broker;
static relay_conf_t              conf;
static relay_kafka_t             kafka;


/* One message is a request. */
static void
begin(void)
{
    int   fd;
    char  text[512], why[256], path[] = "/tmp/relay-kafka.XXXXXX";

    cr_redirect_stderr();
    owner = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why,
                         sizeof(why));
    cr_assert_not_null(owner);
    broker = rd_kafka_mock_cluster_new(owner, 1);
    cr_assert_not_null(broker);
    cr_assert_eq(rd_kafka_mock_topic_create(broker, TOPIC, PARTITIONS, 1), 0);

    snprintf(text, sizeof(text), "bootstrap.servers=%s\nrelay.topic=" TOPIC
             "\nbatch.num.messages=1\nlinger.ms=0\n",
             rd_kafka_mock_cluster_bootstraps(broker));
    fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
    close(fd);
    cr_assert(relay_conf_read(&conf, path));
    unlink(path);

    relay_kafka_init(&kafka, &conf);
    cr_assert(relay_kafka_open(&kafka, LIMIT_MS));
}


static void
end(void)
{
    relay_kafka_close(&kafka);
    relay_conf_free(&conf);
    rd_kafka_mock_cluster_destroy(broker);
    rd_kafka_destroy(owner);
}


TestSuite(relay_kafka, .init = begin, .fini = end);


/* Sends all, and waits for the reports. */
static int
send_all(void)
{
    int            n = 0, arrived = 0;
    char           id[32], subject[32];
    relay_row_t    row = { .merchant_id = "acme", .type = "payment.succeeded",
                           .message_id = id, .subject = subject, .body = "{}",
                           .body_size = 2 };
    const int64_t  end_at = relay_now() + LIMIT_MS;

    while (arrived < MESSAGES && !kafka.failed && relay_now() < end_at) {
        snprintf(id, sizeof(id), "%d", n);
        snprintf(subject, sizeof(subject), "payment/%d", n % SUBJECTS);

        if (n < MESSAGES
            && relay_kafka_send(&kafka, &row, &arrived) == RELAY_SENT)
        {
            n++;
            continue;
        }

        relay_kafka_poll(&kafka, 10);
    }

    return arrived;
}


/* The number in the header that has the message's id; -1: another message. */
static int
id_of(const rd_kafka_message_t *message)
{
    size_t               size;
    const void          *value;
    rd_kafka_headers_t  *headers;

    if (rd_kafka_message_headers(message, &headers) != 0
        || rd_kafka_header_get_last(headers, "ce_id", &value, &size) != 0)
    {
        return -1;
    }

    return (int) strtol(value, NULL, 10);
}


static rd_kafka_t *
reader(void)
{
    int                               i;
    char                              why[256];
    rd_kafka_t                       *made;
    rd_kafka_conf_t                  *own = rd_kafka_conf_new();
    rd_kafka_topic_partition_list_t  *all;

    rd_kafka_conf_set(own, "bootstrap.servers",
                      rd_kafka_mock_cluster_bootstraps(broker), why,
                      sizeof(why));
    rd_kafka_conf_set(own, "group.id", "test", why, sizeof(why));
    rd_kafka_conf_set(own, "enable.partition.eof", "true", why, sizeof(why));
    made = rd_kafka_new(RD_KAFKA_CONSUMER, own, why, sizeof(why));
    cr_assert_not_null(made, "%s", why);

    all = rd_kafka_topic_partition_list_new(PARTITIONS);

    for (i = 0; i < PARTITIONS; i++) {
        rd_kafka_topic_partition_list_add(all, TOPIC, i)->offset = 0;
    }

    cr_assert_eq(rd_kafka_assign(made, all), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(all);

    return made;
}


/* Counts the copies of each message in the topic. */
static void
read_all(int copies[MESSAGES])
{
    int                  ended = 0;
    rd_kafka_t          *consumer = reader();
    rd_kafka_message_t  *message;

    const int64_t  end_at = relay_now() + LIMIT_MS;

    while (ended < PARTITIONS) {
        cr_assert_lt(relay_now(), end_at, "the partitions have no end");
        message = rd_kafka_consumer_poll(consumer, 100);

        if (message == NULL) {
            continue;
        }

        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            ended++;

        } else {
            cr_assert_eq(message->err, RD_KAFKA_RESP_ERR_NO_ERROR);
            cr_assert_geq(id_of(message), 0);
            copies[id_of(message)]++;
        }

        rd_kafka_message_destroy(message);
    }

    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
}


static void
expect_all(void)
{
    int  i, copies[MESSAGES] = { 0 };

    cr_assert_eq(send_all(), MESSAGES);
    read_all(copies);

    for (i = 0; i < MESSAGES; i++) {
        cr_expect_eq(copies[i], 1, "message %d has %d copies", i, copies[i]);
    }
}


static void
refuse_one(rd_kafka_resp_err_t error)
{
    rd_kafka_mock_push_request_errors(broker, PRODUCE, 1, error);
}


Test(relay_kafka, each_message_arrives)
{
    expect_all();
}


/* The first request is refused, and those behind it would be taken. */
Test(relay_kafka, a_refused_first_request_loses_nothing)
{
    refuse_one(RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    expect_all();
}


Test(relay_kafka, an_unknown_partition_at_first_loses_nothing)
{
    refuse_one(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    refuse_one(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    expect_all();
}


Test(relay_kafka, a_partition_that_has_not_answered_has_one_message)
{
    relay_partitions_t  two;

    cr_assert(relay_partitions_init(&two, 2));
    cr_expect(relay_partition_takes(&two, 0, 1000));
    relay_partition_sent(&two, 0);
    cr_expect_not(relay_partition_takes(&two, 0, 1000));
    cr_expect(relay_partition_takes(&two, 1, 1000));

    relay_partition_reported(&two, 0, 0, 1000);
    cr_expect(relay_partition_takes(&two, 0, 1000));
    relay_partition_sent(&two, 0);
    cr_expect_not(relay_partition_takes(&two, 0, 1000));

    relay_partition_reported(&two, 0, 1, 1000);
    relay_partition_sent(&two, 0);
    cr_expect(relay_partition_takes(&two, 0, 1000 + RELAY_KNOWN_MS - 1));
    cr_expect_not(relay_partition_takes(&two, 0, 1000 + RELAY_KNOWN_MS));

    relay_partition_reported(&two, 2, 1, 1000);
    relay_partition_reported(&two, -1, 1, 1000);
    relay_partitions_free(&two);
}

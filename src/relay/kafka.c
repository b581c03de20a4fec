/*
 * librdkafka for the relay: an idempotent producer, its delivery reports and
 * its errors.
 */

#include "relay/kafka.h"

#include "relay/advice.h"
#include "relay/clock.h"
#include "relay/message.h"

#include <string.h>


#define KAFKA_HEADER(header)                                                  \
    RD_KAFKA_V_HEADER((header).name, (header).value, (ssize_t) (header).size)


static rd_kafka_t *kafka_make(const relay_conf_t *conf, void *opaque);
static int kafka_sees_topic(relay_kafka_t *kafka, int wait_ms);
static rd_kafka_resp_err_t kafka_partitions(relay_kafka_t *kafka,
    const struct rd_kafka_metadata *found);
static void kafka_fail(relay_kafka_t *kafka, rd_kafka_resp_err_t error,
    const char *detail);
static void kafka_complain(relay_kafka_t *kafka, rd_kafka_resp_err_t error,
    const char *detail);
static void kafka_report(rd_kafka_t *producer, const rd_kafka_message_t *report,
    void *opaque);
static void kafka_error(rd_kafka_t *producer, int error, const char *detail,
    void *opaque);


void
relay_kafka_init(relay_kafka_t *kafka, const relay_conf_t *conf)
{
    memset(kafka, 0, sizeof(*kafka));
    kafka->conf = conf;
}


int
relay_kafka_open(relay_kafka_t *kafka, int wait_ms)
{
    kafka->failed = 0;
    kafka->producer = kafka_make(kafka->conf, kafka);

    if (kafka->producer == NULL) {
        return 0;
    }

    kafka->topic = rd_kafka_topic_new(kafka->producer, kafka->conf->topic,
                                      NULL);

    if (kafka->topic == NULL) {
        kafka_complain(kafka, rd_kafka_last_error(), "the topic's name");

    } else if (kafka_sees_topic(kafka, wait_ms)) {
        return 1;
    }

    relay_kafka_close(kafka);

    return 0;
}


relay_send_t
relay_kafka_send(relay_kafka_t *kafka, const relay_row_t *row, int *arrived)
{
    char                 key[RELAY_KEY];
    size_t               size;
    int32_t              partition;
    relay_header_t       headers[RELAY_HEADERS];
    rd_kafka_resp_err_t  error;

    if (!relay_message_key(row, key, &size)) {
        kafka_fail(kafka, RD_KAFKA_RESP_ERR__INVALID_ARG, row->message_id);
        return RELAY_REFUSED;
    }

    partition = kafka->conf->partitioner(kafka->topic, key, size,
                                         kafka->partitions.count, NULL, NULL);

    if (!relay_partition_takes(&kafka->partitions, partition, relay_now())) {
        return RELAY_FULL;
    }

    relay_message_headers(row, headers);

    error = rd_kafka_producev(kafka->producer,
                              RD_KAFKA_V_RKT(kafka->topic),
                              RD_KAFKA_V_PARTITION(partition),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                              RD_KAFKA_V_KEY(key, size),
                              RD_KAFKA_V_VALUE((void *) row->body,
                                               row->body_size),
                              KAFKA_HEADER(headers[0]),
                              KAFKA_HEADER(headers[1]),
                              KAFKA_HEADER(headers[2]),
                              RD_KAFKA_V_OPAQUE(arrived),
                              RD_KAFKA_V_END);

    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return RELAY_FULL;
    }

    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        kafka_fail(kafka, error, row->message_id);
        return RELAY_REFUSED;
    }

    relay_partition_sent(&kafka->partitions, partition);

    return RELAY_SENT;
}


void
relay_kafka_poll(relay_kafka_t *kafka, int wait_ms)
{
    rd_kafka_poll(kafka->producer, wait_ms);
}


void
relay_kafka_close(relay_kafka_t *kafka)
{
    if (kafka->producer == NULL) {
        return;
    }

    rd_kafka_purge(kafka->producer, RD_KAFKA_PURGE_F_QUEUE
                   | RD_KAFKA_PURGE_F_INFLIGHT
                   | RD_KAFKA_PURGE_F_NON_BLOCKING);

    if (kafka->topic != NULL) {
        rd_kafka_topic_destroy(kafka->topic);
        kafka->topic = NULL;
    }

    rd_kafka_destroy(kafka->producer);
    kafka->producer = NULL;
    relay_partitions_free(&kafka->partitions);
}


int
relay_kafka_check(const relay_conf_t *conf)
{
    rd_kafka_t  *producer = kafka_make(conf, NULL);

    if (producer == NULL) {
        return 0;
    }

    rd_kafka_destroy(producer);

    return 1;
}


/* librdkafka's own lines repeat for as long as a broker is away; the errors
 * that matter come to kafka_error().  With "debug" in the file the lines are
 * wanted. */
static rd_kafka_t *
kafka_make(const relay_conf_t *conf, void *opaque)
{
    char              why[512];
    rd_kafka_t       *producer;
    rd_kafka_conf_t  *own = rd_kafka_conf_dup(conf->kafka);

    rd_kafka_conf_set_opaque(own, opaque);
    rd_kafka_conf_set_dr_msg_cb(own, kafka_report);
    rd_kafka_conf_set_error_cb(own, kafka_error);

    if (!conf->is_debug) {
        rd_kafka_conf_set_log_cb(own, NULL);
    }

    producer = rd_kafka_new(RD_KAFKA_PRODUCER, own, why, sizeof(why));

    if (producer == NULL) {
        relay_log("error", "librdkafka refuses the configuration, reason:%s",
                  why);
        rd_kafka_conf_destroy(own);
    }

    return producer;
}


/* A message to a topic that is not known yet would wait, and could be overtaken
 * by one that is handed over when it is. */
static int
kafka_sees_topic(relay_kafka_t *kafka, int wait_ms)
{
    rd_kafka_resp_err_t              error;
    const struct rd_kafka_metadata  *found;

    error = rd_kafka_metadata(kafka->producer, 0, kafka->topic, &found,
                              wait_ms);

    /* the reason why no broker could be asked */
    rd_kafka_poll(kafka->producer, 0);

    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        error = kafka_partitions(kafka, found);
        rd_kafka_metadata_destroy(found);
    }

    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        kafka_complain(kafka, error, kafka->conf->topic);
        return 0;
    }

    return 1;
}


static rd_kafka_resp_err_t
kafka_partitions(relay_kafka_t *kafka, const struct rd_kafka_metadata *found)
{
    const rd_kafka_metadata_topic_t  *topic = found->topics;

    if (found->topic_cnt != 1) {
        return RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    }

    if (topic->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return topic->err;
    }

    if (topic->partition_cnt < 1) {
        return RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    }

    return relay_partitions_init(&kafka->partitions, topic->partition_cnt)
           ? RD_KAFKA_RESP_ERR_NO_ERROR : RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE;
}


static void
kafka_fail(relay_kafka_t *kafka, rd_kafka_resp_err_t error, const char *detail)
{
    kafka->failed = 1;
    kafka_complain(kafka, error, detail);
}


static void
kafka_complain(relay_kafka_t *kafka, rd_kafka_resp_err_t error,
    const char *detail)
{
    if (relay_log_is_new(&kafka->log, error)) {
        relay_log(relay_advice_level(error),
                  "Kafka: %s, code:%s, topic:%s, at:%s, do:%s",
                  rd_kafka_err2str(error), rd_kafka_err2name(error),
                  kafka->conf->topic, detail, relay_advice(error));
    }
}


/* A purged message is one that a failure or the end has given up. */
static void
kafka_report(rd_kafka_t *producer, const rd_kafka_message_t *report,
    void *opaque)
{
    relay_kafka_t  *kafka = opaque;

    (void) producer;

    relay_partition_reported(&kafka->partitions, report->partition,
                             report->err == RD_KAFKA_RESP_ERR_NO_ERROR,
                             relay_now());

    if (report->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        ++*(int *) report->_private;
        return;
    }

    if (report->err != RD_KAFKA_RESP_ERR__PURGE_QUEUE
        && report->err != RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
    {
        kafka_fail(kafka, report->err, "report");
    }
}


/* Most errors pass by themselves: librdkafka tries again for ever. */
static void
kafka_error(rd_kafka_t *producer, int error, const char *detail, void *opaque)
{
    char                 why[256];
    relay_kafka_t       *kafka = opaque;
    rd_kafka_resp_err_t  fatal;

    if (kafka == NULL) {
        return;
    }

    if (error == RD_KAFKA_RESP_ERR__FATAL) {
        fatal = rd_kafka_fatal_error(producer, why, sizeof(why));
        kafka_fail(kafka, fatal, why);
        return;
    }

    kafka_complain(kafka, (rd_kafka_resp_err_t) error, detail);
}

/*
 * Errors of Kafka as operators meet them, and the remedy of each
 * (docs/events-kafka.md).  None of them loses a message: the relay tries again
 * from its mark.
 */

#include "relay/advice.h"

#include <stddef.h>


typedef struct {
    rd_kafka_resp_err_t  error;
    const char          *advice;
} advice_row_t;


static const advice_row_t *advice_find(rd_kafka_resp_err_t error);


#define NO_TOPIC  "create the topic"
#define AWAY                                                                  \
    "nothing, messages stay in PostgreSQL until the brokers are back"
#define LOGIN                                                                 \
    "check security.protocol, sasl.mechanisms and the user's password"
/* OpenSSL's reason is the same for an unknown CA and for another host. */
#define TLS                                                                   \
    "check ssl.ca.location, and that the broker's certificate has its host name"
#define SIZE                                                                  \
    "raise the topic's max.message.bytes, or lower batch.size beneath it"

static const advice_row_t  advice_errors[] = {
    { RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, NO_TOPIC },
    { RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, NO_TOPIC },
    { RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, NO_TOPIC },
    { RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, "correct relay.topic" },
    { RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
      "allow the relay's user to Describe and Write the topic" },
    { RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
      "allow the relay's user IdempotentWrite on the cluster" },
    { RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, SIZE },
    { RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, SIZE },
    { RD_KAFKA_RESP_ERR__AUTHENTICATION, LOGIN },
    { RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, LOGIN },
    { RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, LOGIN },
    { RD_KAFKA_RESP_ERR__SSL, TLS },
    { RD_KAFKA_RESP_ERR__INVALID_ARG, "report the message's id as a bug" },
    { RD_KAFKA_RESP_ERR_NO_ERROR, NULL }
};

static const advice_row_t  advice_warnings[] = {
    { RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, AWAY },
    { RD_KAFKA_RESP_ERR__TRANSPORT, AWAY },
    { RD_KAFKA_RESP_ERR__RESOLVE, "check bootstrap.servers and the DNS" },
    { RD_KAFKA_RESP_ERR__TIMED_OUT, AWAY },
    { RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, AWAY },
    { RD_KAFKA_RESP_ERR_NO_ERROR, NULL }
};


const char *
relay_advice(rd_kafka_resp_err_t error)
{
    size_t               i;
    const advice_row_t  *row = advice_find(error);

    for (i = 0; row == NULL && advice_warnings[i].advice != NULL; i++) {
        if (advice_warnings[i].error == error) {
            row = &advice_warnings[i];
        }
    }

    return row != NULL ? row->advice
                       : "nothing, the relay goes on from its mark with a new"
                         " producer";
}


const char *
relay_advice_level(rd_kafka_resp_err_t error)
{
    return advice_find(error) != NULL ? "error" : "warn";
}


static const advice_row_t *
advice_find(rd_kafka_resp_err_t error)
{
    size_t  i;

    for (i = 0; advice_errors[i].advice != NULL; i++) {
        if (advice_errors[i].error == error) {
            return &advice_errors[i];
        }
    }

    return NULL;
}

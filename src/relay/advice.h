/*
 * The advice that goes with an error of Kafka into the log.
 */

#ifndef PAY_SRC_RELAY_ADVICE_H
#define PAY_SRC_RELAY_ADVICE_H

#include <librdkafka/rdkafka.h>


/* A sentence without an end, for errors that are not known, too. */
const char *relay_advice(rd_kafka_resp_err_t error);

/* "error" when an operator is needed, else "warn". */
const char *relay_advice_level(rd_kafka_resp_err_t error);


#endif /* PAY_SRC_RELAY_ADVICE_H */

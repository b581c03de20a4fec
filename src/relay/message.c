/*
 * A message is a CloudEvent in structured mode (CloudEvents' binding to Kafka,
 * 3.3): the row's body is the value, and headers repeat its id and type for
 * filters.  No library of Kafka is called here.
 */

#include "relay/message.h"

#include <stdio.h>
#include <string.h>


#define CONTENT_TYPE  "application/cloudevents+json; charset=UTF-8"


static relay_header_t header(const char *name, const char *value);


int
relay_message_key(const relay_row_t *row, char key[RELAY_KEY], size_t *size)
{
    int  length;

    length = snprintf(key, RELAY_KEY, "%s/%s", row->merchant_id, row->subject);

    if (length < 0 || length >= RELAY_KEY) {
        return 0;
    }

    *size = (size_t) length;

    return 1;
}


void
relay_message_headers(const relay_row_t *row,
    relay_header_t headers[RELAY_HEADERS])
{
    headers[0] = header("content-type", CONTENT_TYPE);
    headers[1] = header("ce_id", row->message_id);
    headers[2] = header("ce_type", row->type);
}


static relay_header_t
header(const char *name, const char *value)
{
    return (relay_header_t) { name, value, strlen(value) };
}

/*
 * Reads the relay's file: one "key=value" a line, "#" begins a comment.  Keys
 * that the order and the durability of messages depend on are set here, and a
 * file that sets them is refused.
 */

#include "relay/conf.h"

#include "relay/log.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>


typedef struct {
    const char  *key;
    const char  *value;
} conf_pair_t;

typedef struct {
    const char  *key;
    size_t       offset;
    size_t       size;                 /* of a text; 0: a number */
    int          least;
    int          most;
} conf_key_t;


static int conf_begin(relay_conf_t *conf);
static int conf_set(relay_conf_t *conf, const char *key, const char *value);
static int conf_lines(relay_conf_t *conf, FILE *file, const char *path);
static int conf_line(relay_conf_t *conf, char *line);
static int conf_own(relay_conf_t *conf, const char *key, const char *value);
static int conf_other(relay_conf_t *conf, const char *key, const char *value);
static int conf_number(int *number, const conf_key_t *known,
    const char *value);
static int conf_is_whole(relay_conf_t *conf, const char *path);
static int conf_partitioner(relay_conf_t *conf, const char *path);
static int conf_is_private(FILE *file, const char *path);
static char *conf_trim(char *text);


#define NUMBER(name, least, most)                                             \
    { "relay." #name, offsetof(relay_conf_t, name), 0, least, most }
#define TEXT(name)                                                            \
    { "relay." #name, offsetof(relay_conf_t, name),                           \
      sizeof(((relay_conf_t *) NULL)->name), 0, 0 }

static const conf_key_t  conf_keys[] = {
    TEXT(database),
    TEXT(topic),
    TEXT(name),
    NUMBER(batch, 1, 10000),
    NUMBER(lease_ms, 1000, 3600000),
    NUMBER(poll_ms, 10, 60000),
    NUMBER(stop_ms, 0, 600000),
    { NULL, 0, 0, 0, 0 }
};

/* A gap in the series of a key would be a message that is never sent, and an
 * infinite time-out keeps one message from failing alone. */
static const conf_pair_t  conf_fixed[] = {
    { "enable.idempotence", "true" },
    { "acks", "all" },
    { "enable.gapless.guarantee", "true" },
    { "message.timeout.ms", "0" },
    { NULL, NULL }
};

/* Other spellings of them, and things that the relay does not do. */
static const char *const  conf_refused[] = {
    "request.required.acks", "delivery.timeout.ms", "transactional.id",
    "retries", "message.send.max.retries", NULL
};

/* The window bounds messages, and this bounds bytes. */
static const conf_pair_t  conf_defaults[] = {
    { "client.id", "payments-relay" },
    { "partitioner", "murmur2_random" },
    { "queue.buffering.max.messages", "100000" },
    { "queue.buffering.max.kbytes", "65536" },
    { "linger.ms", "5" },
    { "reconnect.backoff.max.ms", "2000" },
    { NULL, NULL }
};


int
relay_conf_read(relay_conf_t *conf, const char *path)
{
    int    ok;
    FILE  *file;

    memset(conf, 0, sizeof(*conf));

    if (!conf_begin(conf)) {
        return 0;
    }

    file = fopen(path, "re");
    if (file == NULL) {
        relay_log("error", "%s: %s", path, strerror(errno));
        return 0;
    }

    ok = conf_is_private(file, path) && conf_lines(conf, file, path)
         && conf_is_whole(conf, path);
    fclose(file);

    return ok;
}


void
relay_conf_free(relay_conf_t *conf)
{
    if (conf->kafka != NULL) {
        rd_kafka_conf_destroy(conf->kafka);
        conf->kafka = NULL;
    }
}


static int
conf_begin(relay_conf_t *conf)
{
    const conf_pair_t  *pair;

    conf->batch = 1000;
    conf->lease_ms = 30000;
    conf->poll_ms = 100;
    conf->stop_ms = 10000;
    memcpy(conf->name, "kafka", sizeof("kafka"));
    conf->kafka = rd_kafka_conf_new();

    for (pair = conf_defaults; pair->key != NULL; pair++) {
        if (!conf_set(conf, pair->key, pair->value)) {
            return 0;
        }
    }

    for (pair = conf_fixed; pair->key != NULL; pair++) {
        if (!conf_set(conf, pair->key, pair->value)) {
            return 0;
        }
    }

    return 1;
}


static int
conf_set(relay_conf_t *conf, const char *key, const char *value)
{
    char  why[512];

    if (rd_kafka_conf_set(conf->kafka, key, value, why, sizeof(why))
        != RD_KAFKA_CONF_OK)
    {
        /* the reason may quote the value, which may be a password */
        relay_log("error", "librdkafka refuses the value or the key %s", key);
        return 0;
    }

    return 1;
}


static int
conf_lines(relay_conf_t *conf, FILE *file, const char *path)
{
    char      line[RELAY_TEXT + 256];
    size_t    length;
    unsigned  number = 0;

    while (fgets(line, sizeof(line), file) != NULL) {
        number++;
        length = strlen(line);

        if (length == sizeof(line) - 1 && line[length - 1] != '\n') {
            relay_log("error", "%s:%u: the line is too long", path, number);
            return 0;
        }

        if (!conf_line(conf, line)) {
            relay_log("error", "%s:%u: refused", path, number);
            return 0;
        }
    }

    return 1;
}


static int
conf_line(relay_conf_t *conf, char *line)
{
    char  *key, *value;

    key = conf_trim(line);

    if (*key == '\0' || *key == '#') {
        return 1;
    }

    value = strchr(key, '=');

    if (value == NULL) {
        relay_log("error", "a line is key=value");
        return 0;
    }

    *value++ = '\0';
    key = conf_trim(key);
    value = conf_trim(value);

    return strncmp(key, "relay.", 6) == 0 ? conf_own(conf, key, value)
                                          : conf_other(conf, key, value);
}


static int
conf_own(relay_conf_t *conf, const char *key, const char *value)
{
    char              *place;
    const conf_key_t  *known;

    for (known = conf_keys; known->key != NULL; known++) {
        if (strcmp(known->key, key) != 0) {
            continue;
        }

        place = (char *) conf + known->offset;

        if (known->size == 0) {
            return conf_number((int *) (void *) place, known, value);
        }

        if (strlen(value) >= known->size) {
            relay_log("error", "%s is longer than %zu bytes", key,
                      known->size - 1);
            return 0;
        }

        memcpy(place, value, strlen(value) + 1);

        return 1;
    }

    relay_log("error", "no key %s", key);

    return 0;
}


static int
conf_other(relay_conf_t *conf, const char *key, const char *value)
{
    const char *const  *refused;
    const conf_pair_t  *fixed;

    for (fixed = conf_fixed; fixed->key != NULL; fixed++) {
        if (strcmp(fixed->key, key) == 0 && strcmp(fixed->value, value) != 0) {
            relay_log("error", "%s is always %s", key, fixed->value);
            return 0;
        }
    }

    for (refused = conf_refused; *refused != NULL; refused++) {
        if (strcmp(*refused, key) == 0) {
            relay_log("error", "%s is the relay's own matter", key);
            return 0;
        }
    }

    conf->is_debug |= strcmp(key, "debug") == 0;

    return conf_set(conf, key, value);
}


static int
conf_number(int *number, const conf_key_t *known, const char *value)
{
    char  *end;
    long   found;

    errno = 0;
    found = strtol(value, &end, 10);

    if (errno != 0 || end == value || *end != '\0' || found < known->least
        || found > known->most)
    {
        relay_log("error", "%s is a number from %d to %d", known->key,
                  known->least, known->most);
        return 0;
    }

    *number = (int) found;

    return 1;
}


static int
conf_is_whole(relay_conf_t *conf, const char *path)
{
    char    brokers[RELAY_TEXT];
    size_t  size = sizeof(brokers);

    if (conf->topic[0] == '\0' || conf->name[0] == '\0') {
        relay_log("error", "%s: relay.topic or relay.name is missing", path);
        return 0;
    }

    if (rd_kafka_conf_get(conf->kafka, "bootstrap.servers", brokers, &size)
        != RD_KAFKA_CONF_OK || size <= 1)
    {
        relay_log("error", "%s: bootstrap.servers is missing or too long",
                  path);
        return 0;
    }

    return conf_partitioner(conf, path);
}


static int
conf_partitioner(relay_conf_t *conf, const char *path)
{
    char    name[64];
    size_t  size = sizeof(name);

    if (rd_kafka_conf_get(conf->kafka, "partitioner", name, &size)
        == RD_KAFKA_CONF_OK)
    {
        conf->partitioner = relay_partitioner(name);
    }

    if (conf->partitioner == NULL) {
        relay_log("error", "%s: this partitioner would scatter the messages of"
                  " a key", path);
        return 0;
    }

    return 1;
}


/* The file may have passwords. */
static int
conf_is_private(FILE *file, const char *path)
{
    struct stat  found;

    if (fstat(fileno(file), &found) != 0) {
        relay_log("error", "%s: %s", path, strerror(errno));
        return 0;
    }

    if (found.st_mode & S_IRWXO) {
        relay_log("error", "%s is open to all users: chmod o= it", path);
        return 0;
    }

    return 1;
}


static char *
conf_trim(char *text)
{
    size_t  length;

    text += strspn(text, " \t\r\n");
    length = strlen(text);

    while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL) {
        length--;
    }

    text[length] = '\0';

    return text;
}

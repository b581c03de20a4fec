/*
 * payments-relay: reads the log of messages in PostgreSQL and writes it to a
 * topic of Kafka (docs/events-kafka.md).  A process of its own, which nginx
 * neither starts nor waits for.
 */

#include "relay/conf.h"
#include "relay/db.h"
#include "relay/kafka.h"
#include "relay/log.h"
#include "relay/loop.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>


#define RELAY_VERSION  "1.0.0"

enum { EXIT_OK, EXIT_NO, EXIT_USAGE };


static void main_stop(int number);
static int main_signals(void);
static int main_run(const char *path, int is_check);


static const char  main_usage[] =
    "usage: payments-relay [--check] FILE\n"
    "Writes the log of messages to Kafka, as FILE says"
    " (docs/events-kafka.md).\n"
    "--check: only reads FILE.\n"
    "Exit code 0: ended by a signal, or FILE is fine; 1: refused.\n";

static volatile sig_atomic_t  is_stopping;


int
main(int argc, char **argv)
{
    int  is_check = argc > 1 && strcmp(argv[1], "--check") == 0;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(main_usage, stdout);
        return EXIT_OK;
    }

    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("payments-relay %s, librdkafka %s\n", RELAY_VERSION,
               rd_kafka_version_str());
        return EXIT_OK;
    }

    if (argc != 2 + is_check || argv[argc - 1][0] == '-') {
        fputs(main_usage, stderr);
        return EXIT_USAGE;
    }

    return main_run(argv[argc - 1], is_check);
}


static void
main_stop(int number)
{
    (void) number;
    is_stopping = 1;
}


/* A connection that PostgreSQL has closed is an error of its own, no signal. */
static int
main_signals(void)
{
    struct sigaction  stop = { .sa_handler = main_stop };
    struct sigaction  ignore = { .sa_handler = SIG_IGN };

    return sigaction(SIGTERM, &stop, NULL) == 0
           && sigaction(SIGINT, &stop, NULL) == 0
           && sigaction(SIGPIPE, &ignore, NULL) == 0;
}


static int
main_run(const char *path, int is_check)
{
    int           ok;
    relay_conf_t  conf;

    if (!main_signals()) {
        return EXIT_NO;
    }

    ok = relay_conf_read(&conf, path)
         && relay_db_check(&conf) && relay_kafka_check(&conf)
         && (is_check || relay_run(&conf, &is_stopping));

    relay_conf_free(&conf);

    return ok ? EXIT_OK : EXIT_NO;
}

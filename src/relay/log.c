/*
 * Lines of the relay, each written by one call, and the memory of the reasons
 * that were logged already.  A broker that is away for a night makes one line.
 */

#include "relay/log.h"

#include <stdarg.h>
#include <stdio.h>


#define LINE_MAX_BYTES  2048


void
relay_log(const char *level, const char *format, ...)
{
    char     line[LINE_MAX_BYTES];
    va_list  args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);

    fprintf(stderr, "payments-relay: %s: %s\n", level, line);
}


int
relay_log_is_new(relay_log_t *log, int code)
{
    unsigned  i;

    for (i = 0; i < log->count; i++) {
        if (log->codes[i] == code) {
            return 0;
        }
    }

    if (log->count < RELAY_REASONS) {
        log->codes[log->count++] = code;
    }

    return 1;
}


void
relay_log_forget(relay_log_t *log)
{
    log->count = 0;
}

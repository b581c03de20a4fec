/*
 * payctl events tail --forward: each event is signed with a secret of its own
 * and posted to an address of this machine, so that a developer's receiver
 * gets the requests of an endpoint.
 */

#include "pay_endpoint.h"

#include "cli/events_forward.h"

#include <curl/curl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>


#define TIMEOUT_S    15L
#define HEADER_MAX   1024
#define FIELDS       4

struct forward_s {
    CURL          *curl;
    const char    *url;
    pay_secret_t   secret;
};


static const char *const  hosts[] = {
    "://localhost", "://127.0.0.1", "://[::1]", NULL
};


static int is_local(const char *url);
static int make_secret(pay_cli_forward_t *forward);
static struct curl_slist *headers(pay_arena_t *arena,
    const pay_cli_forward_t *forward, const char *id, const char *body);
static size_t drop(char *bytes, size_t size, size_t count, void *data);


pay_cli_forward_t *
pay_cli_forward_begin(const char *url)
{
    pay_cli_forward_t  *forward;

    if (!is_local(url)) {
        fprintf(stderr, "payctl events tail: --forward takes an http or https "
                "URL of this machine: http://localhost:8080/hook\n");
        return NULL;
    }

    forward = calloc(1, sizeof(*forward));
    if (forward == NULL) {
        return NULL;
    }

    forward->url = url;
    forward->curl = curl_easy_init();

    if (forward->curl == NULL || !make_secret(forward)) {
        fprintf(stderr, "payctl events tail: no memory or no random bytes\n");
        pay_cli_forward_end(forward);
        return NULL;
    }

    return forward;
}


static int
is_local(const char *url)
{
    size_t       i, len;
    const char  *rest;

    for (i = 0; hosts[i] != NULL; i++) {
        rest = strncmp(url, "https", 5) == 0 ? url + 5
               : strncmp(url, "http", 4) == 0 ? url + 4 : "";
        len = strlen(hosts[i]);

        if (strncmp(rest, hosts[i], len) == 0
            && (rest[len] == ':' || rest[len] == '/' || rest[len] == '\0')
            && strchr(url, '@') == NULL)
        {
            return 1;
        }
    }

    return 0;
}


static int
make_secret(pay_cli_forward_t *forward)
{
    int             done = 0;
    pay_str_t       text;
    pay_heap_t     *heap;
    unsigned char   bytes[PAY_ENDPOINT_SECRET];

    heap = pay_heap_create();

    if (heap != NULL && getentropy(bytes, sizeof(bytes)) == 0
        && pay_secret_set(&forward->secret,
                          (pay_str_t) { sizeof(bytes), bytes }) == PAY_OK
        && pay_endpoint_key_text(pay_heap_arena(heap), PAY_ENDPOINT_V1,
                                 &forward->secret, &text) == PAY_OK)
    {
        fprintf(stderr, "signed with %.*s\n", (int) text.len, text.data);
        done = 1;
    }

    pay_heap_destroy(heap);

    return done;
}


void
pay_cli_forward(pay_cli_forward_t *forward, const char *id, const char *body)
{
    long                status = 0;
    CURLcode            code;
    pay_heap_t         *heap = pay_heap_create();
    struct curl_slist  *fields;

    fields = heap == NULL ? NULL
             : headers(pay_heap_arena(heap), forward, id, body);

    if (fields == NULL) {
        fprintf(stderr, "%s: not sent, no memory\n", id);
        pay_heap_destroy(heap);
        return;
    }

    curl_easy_setopt(forward->curl, CURLOPT_URL, forward->url);
    curl_easy_setopt(forward->curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(forward->curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(forward->curl, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(forward->curl, CURLOPT_TIMEOUT, TIMEOUT_S);
    curl_easy_setopt(forward->curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(forward->curl, CURLOPT_NOSIGNAL, 1L);

    code = curl_easy_perform(forward->curl);
    curl_easy_getinfo(forward->curl, CURLINFO_RESPONSE_CODE, &status);

    if (code == CURLE_OK) {
        fprintf(stderr, "%s: %ld\n", id, status);

    } else {
        fprintf(stderr, "%s: %s\n", id, curl_easy_strerror(code));
    }

    curl_slist_free_all(fields);
    pay_heap_destroy(heap);
}


static struct curl_slist *
headers(pay_arena_t *arena, const pay_cli_forward_t *forward, const char *id,
    const char *body)
{
    int                     i;
    char                    lines[FIELDS][HEADER_MAX];
    pay_str_t               timestamp, signature;
    struct curl_slist      *next, *list = NULL;
    pay_endpoint_message_t  message = {
        .id = pay_str_of(id), .now_s = (int64_t) time(NULL),
        .body = pay_str_of(body)
    };

    if (pay_endpoint_sign(arena, PAY_ENDPOINT_V1, &forward->secret, 1,
                          &message, &timestamp, &signature) != PAY_OK)
    {
        return NULL;
    }

    (void) snprintf(lines[0], HEADER_MAX, "Content-Type: application/json");
    (void) snprintf(lines[1], HEADER_MAX, "webhook-id: %s", id);
    (void) snprintf(lines[2], HEADER_MAX, "webhook-timestamp: %.*s",
                    (int) timestamp.len, timestamp.data);
    (void) snprintf(lines[3], HEADER_MAX, "webhook-signature: %.*s",
                    (int) signature.len, signature.data);

    for (i = 0; i < FIELDS; i++) {
        next = curl_slist_append(list, lines[i]);

        if (next == NULL) {
            curl_slist_free_all(list);
            return NULL;
        }

        list = next;
    }

    return list;
}


/* The developer sees the receiver's answer there. */
static size_t
drop(char *bytes, size_t size, size_t count, void *data)
{
    (void) bytes;
    (void) data;

    return size * count;
}


void
pay_cli_forward_end(pay_cli_forward_t *forward)
{
    if (forward != NULL) {
        pay_secret_wipe(&forward->secret);
        curl_easy_cleanup(forward->curl);
        free(forward);
    }
}

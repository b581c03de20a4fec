/*
 * libpq's view of payments_database at configuration time: is the text a
 * connection string, does it hold a secret, and which hosts does it name?
 * libpq's own way through several hosts blocks on each of their names, so the
 * workers get one string a host and go round themselves.  Opens no connection
 * and never shows libpq's own message, which quotes the text.
 */

#include "io/ngx_payments_pq_conf.h"

#include <arpa/inet.h>
#include <libpq-fe.h>


#define HOSTS_MAX  8


/* NULL where the string does not say. */
typedef struct {
    const char  *host;
    const char  *hostaddr;
    const char  *port;
    const char  *target;
    ngx_uint_t   count;
} hosts_t;

/* The servers that will do. */
typedef enum {
    PRIMARY = 0, ANY, STANDBY
} wanted_e;


static const char *value_of(const PQconninfoOption *options, const char *word,
    const char *otherwise);
static void hosts_find(const PQconninfoOption *options, hosts_t *hosts);
static char *hosts_read(ngx_conf_t *cf, ngx_str_t *dsn, ngx_array_t **dsns,
    wanted_e wanted);
static const char *hosts_check(const hosts_t *hosts, wanted_e wanted);
static const char *hosts_check_target(const hosts_t *hosts);
static const char *hosts_check_standby(const hosts_t *hosts);
static const char *hosts_check_item(const hosts_t *hosts, ngx_uint_t n);
static ngx_int_t hosts_add(ngx_conf_t *cf, const PQconninfoOption *options,
    const hosts_t *hosts, ngx_uint_t n, wanted_e wanted, ngx_array_t *dsns);
static u_char *add_option(u_char *p, const char *name, ngx_str_t value);
static ngx_uint_t list_count(const char *list);
static ngx_str_t list_item(const char *list, ngx_uint_t n);
static ngx_uint_t is(const char *text, const char *word);


/* A password may stand in many spellings (a URI's, a keyword's), and libpq's
 * own parser knows them all. */
ngx_int_t
ngx_payments_pq_check(ngx_str_t *dsn)
{
    ngx_int_t          rc;
    PQconninfoOption  *options, *o;

    options = PQconninfoParse((char *) dsn->data, NULL);
    if (options == NULL) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;                  /* "" names nothing */

    for (o = options; o->keyword != NULL; o++) {
        if (o->val == NULL || o->val[0] == '\0') {
            continue;
        }

        if (ngx_strcmp(o->keyword, "password") == 0
            || ngx_strcmp(o->keyword, "sslpassword") == 0)
        {
            rc = NGX_ABORT;
            break;
        }

        rc = NGX_OK;
    }

    PQconninfoFree(options);

    return rc;
}


/* Only the name is judged, at configuration time; a superuser of another name
 * shows after connecting (ngx_payments_pq_warn_superuser()). */
ngx_uint_t
ngx_payments_pq_superuser(ngx_str_t *dsn)
{
    return ngx_payments_pq_user_is(dsn, "postgres");
}


ngx_uint_t
ngx_payments_pq_user_is(ngx_str_t *dsn, const char *name)
{
    ngx_uint_t         found = 0;
    PQconninfoOption  *options, *o;

    options = PQconninfoParse((char *) dsn->data, NULL);

    for (o = options; o != NULL && o->keyword != NULL; o++) {
        if (is(o->keyword, "user") && o->val != NULL) {
            found = is(o->val, name);
        }
    }

    PQconninfoFree(options);

    return found;
}


/* An error is a text behind the directive's name, or NGX_CONF_ERROR without
 * memory. */
char *
ngx_payments_pq_hosts(ngx_conf_t *cf, ngx_str_t *dsn, ngx_array_t **dsns)
{
    return hosts_read(cf, dsn, dsns, PRIMARY);
}


char *
ngx_payments_pq_readers(ngx_conf_t *cf, ngx_str_t *dsn, ngx_array_t **dsns)
{
    return hosts_read(cf, dsn, dsns, ANY);
}


char *
ngx_payments_pq_standbys(ngx_conf_t *cf, ngx_str_t *dsn, ngx_array_t **dsns)
{
    return hosts_read(cf, dsn, dsns, STANDBY);
}


static char *
hosts_read(ngx_conf_t *cf, ngx_str_t *dsn, ngx_array_t **dsns,
    wanted_e wanted)
{
    char              *rv;
    hosts_t            hosts;
    ngx_uint_t         n;
    PQconninfoOption  *options;

    options = PQconninfoParse((char *) dsn->data, NULL);
    if (options == NULL) {
        return NGX_CONF_ERROR;
    }

    hosts_find(options, &hosts);
    rv = (char *) hosts_check(&hosts, wanted);

    if (rv == NGX_CONF_OK) {
        *dsns = ngx_array_create(cf->pool, hosts.count, sizeof(ngx_str_t));
        rv = *dsns != NULL ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    for (n = 0; rv == NGX_CONF_OK && n < hosts.count; n++) {
        if (hosts_add(cf, options, &hosts, n, wanted, *dsns) != NGX_OK) {
            rv = NGX_CONF_ERROR;
        }
    }

    PQconninfoFree(options);

    return rv;
}


/* Neither a directory, nor an abstract socket, nor an address. */
ngx_uint_t
ngx_payments_pq_resolves(ngx_str_t *dsn)
{
    hosts_t            hosts;
    ngx_uint_t         resolves;
    struct in6_addr    address;
    PQconninfoOption  *options;

    options = PQconninfoParse((char *) dsn->data, NULL);
    if (options == NULL) {
        return 0;
    }

    hosts_find(options, &hosts);

    resolves = hosts.hostaddr == NULL && hosts.host != NULL
               && hosts.host[0] != '/' && hosts.host[0] != '@'
               && inet_pton(AF_INET, hosts.host, &address) != 1
               && inet_pton(AF_INET6, hosts.host, &address) != 1;

    PQconninfoFree(options);

    return resolves;
}


/* By their texts: two names of one server are two places. */
ngx_uint_t
ngx_payments_pq_is_same_place(ngx_str_t *one, ngx_str_t *two)
{
    size_t             i;
    ngx_uint_t         same = 1;
    const char        *a, *b;
    PQconninfoOption  *ones, *twos;

    static const char *const  words[][2] = {
        { "host", "" }, { "hostaddr", "" }, { "port", "5432" },
        { "dbname", "" }
    };

    ones = PQconninfoParse((char *) one->data, NULL);
    twos = PQconninfoParse((char *) two->data, NULL);

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        a = value_of(ones, words[i][0], words[i][1]);
        b = value_of(twos, words[i][0], words[i][1]);
        same = same && is(a, b);
    }

    PQconninfoFree(ones);
    PQconninfoFree(twos);

    return same;
}


static const char *
value_of(const PQconninfoOption *options, const char *word,
    const char *otherwise)
{
    const PQconninfoOption  *o;

    for (o = options; o != NULL && o->keyword != NULL; o++) {
        if (is(o->keyword, word) && o->val != NULL && o->val[0] != '\0') {
            return o->val;
        }
    }

    return otherwise;
}


/* The values point into libpq's options and end with them. */
static void
hosts_find(const PQconninfoOption *options, hosts_t *hosts)
{
    const PQconninfoOption  *o;

    ngx_memzero(hosts, sizeof(hosts_t));

    for (o = options; o->keyword != NULL; o++) {
        if (o->val == NULL || o->val[0] == '\0') {
            continue;
        }

        if (is(o->keyword, "host")) {
            hosts->host = o->val;

        } else if (is(o->keyword, "hostaddr")) {
            hosts->hostaddr = o->val;

        } else if (is(o->keyword, "port")) {
            hosts->port = o->val;

        } else if (is(o->keyword, "target_session_attrs")) {
            hosts->target = o->val;
        }
    }

    hosts->count = list_count(hosts->hostaddr ? hosts->hostaddr
                                              : hosts->host);
}


/* The lists pair as in libpq: one hostaddr for each host, one port for each
 * or for all. */
static const char *
hosts_check(const hosts_t *hosts, wanted_e wanted)
{
    ngx_uint_t   n;
    const char  *why;

    if (hosts->count > HOSTS_MAX) {
        return "names more than 8 hosts: keep those that may be the primary";
    }

    if (hosts->host != NULL && list_count(hosts->host) != hosts->count) {
        return "names other numbers of hosts in host= and hostaddr=: give one "
               "address for each name, or leave one of the two lists out";
    }

    n = list_count(hosts->port);

    if (n != 1 && n != hosts->count) {
        return "needs one port for all hosts in port=, or one for each";
    }

    why = wanted == PRIMARY ? hosts_check_target(hosts)
          : wanted == STANDBY ? hosts_check_standby(hosts) : NULL;

    for (n = 0; why == NULL && n < hosts->count; n++) {
        why = hosts_check_item(hosts, n);
    }

    return why;
}


/* Each operation writes, so a standby is never right.  With one host there is
 * no choice to make. */
static const char *
hosts_check_target(const hosts_t *hosts)
{
    const char  *target = hosts->target;

    if (target != NULL && (is(target, "read-write") || is(target, "primary"))) {
        return NULL;
    }

    if (target != NULL && (is(target, "read-only") || is(target, "standby")
                           || is(target, "prefer-standby")))
    {
        return "asks for a server that cannot write, and each operation "
               "writes: set target_session_attrs=read-write";
    }

    if (target != NULL && !is(target, "any")) {
        return "has a target_session_attrs that is none of any, read-write "
               "and primary: set target_session_attrs=read-write";
    }

    return hosts->count == 1 ? NULL
           : "names several hosts and takes the first that answers, be it a "
             "standby, where nothing can be written: add "
             "target_session_attrs=read-write";
}


/* The gateway asks for it itself. */
static const char *
hosts_check_standby(const hosts_t *hosts)
{
    return hosts->target == NULL || is(hosts->target, "standby") ? NULL
           : "has a target_session_attrs, and only a standby will do: leave "
             "it out";
}


/* libpq takes a blank as part of the name, and would fail only when a worker
 * connects. */
static const char *
hosts_check_item(const hosts_t *hosts, ngx_uint_t n)
{
    ngx_int_t   number;
    ngx_str_t   host = list_item(hosts->host, n);
    ngx_str_t   addr = list_item(hosts->hostaddr, n);
    ngx_str_t   port = list_item(hosts->port, n);

    if (hosts->count > 1 && host.len == 0 && addr.len == 0) {
        return "has an empty place in its list of hosts: remove the comma "
               "too many";
    }

    if ((host.len != 0 && (host.data[0] == ' '
                           || host.data[host.len - 1] == ' '))
        || (addr.len != 0 && (addr.data[0] == ' '
                              || addr.data[addr.len - 1] == ' ')))
    {
        return "has a blank beside a host: write host=a,b";
    }

    number = ngx_atoi(port.data, port.len);

    return port.len == 0 || (number >= 1 && number <= 65535) ? NULL
           : "needs ports from 1 to 65535";
}


/* The same string with the host, address and port of one of its hosts.
 * Written in the quoted form of keyword and value, in which every value may
 * stand. */
static ngx_int_t
hosts_add(ngx_conf_t *cf, const PQconninfoOption *options,
    const hosts_t *hosts, ngx_uint_t n, wanted_e wanted, ngx_array_t *dsns)
{
    size_t                   size = sizeof("target_session_attrs='standby' ");
    u_char                  *p;
    ngx_str_t               *dsn, value;
    const PQconninfoOption  *o;

    for (o = options; o->keyword != NULL; o++) {
        size += ngx_strlen(o->keyword) + sizeof("='' ") - 1
                + (o->val ? 2 * ngx_strlen(o->val) : 0);
    }

    dsn = ngx_array_push(dsns);
    p = ngx_pnalloc(cf->pool, size);
    if (dsn == NULL || p == NULL) {
        return NGX_ERROR;
    }

    dsn->data = p;

    for (o = options; o->keyword != NULL; o++) {
        if (o->val == NULL) {
            continue;
        }

        if (o->val == hosts->host || o->val == hosts->hostaddr
            || o->val == hosts->port)
        {
            value = list_item(o->val, n);

        } else {
            value.data = (u_char *) o->val;
            value.len = ngx_strlen(o->val);
        }

        p = add_option(p, o->keyword, value);
    }

    if (wanted == STANDBY && hosts->target == NULL) {
        ngx_str_set(&value, "standby");
        p = add_option(p, "target_session_attrs", value);
    }

    *p = '\0';
    dsn->len = p - dsn->data;

    return NGX_OK;
}


/* Quotes and backslashes are escaped by a backslash (PostgreSQL manual,
 * "Connection Strings"). */
static u_char *
add_option(u_char *p, const char *name, ngx_str_t value)
{
    size_t  i;

    p = ngx_cpymem(p, name, ngx_strlen(name));
    *p++ = '=';
    *p++ = '\'';

    for (i = 0; i < value.len; i++) {
        if (value.data[i] == '\'' || value.data[i] == '\\') {
            *p++ = '\\';
        }

        *p++ = value.data[i];
    }

    *p++ = '\'';
    *p++ = ' ';

    return p;
}


/* As libpq counts: no list is one place, the default. */
static ngx_uint_t
list_count(const char *list)
{
    ngx_uint_t  n = 1;

    for ( /* void */ ; list != NULL && *list != '\0'; list++) {
        n += *list == ',';
    }

    return n;
}


/* A list of one place serves all; no list: empty. */
static ngx_str_t
list_item(const char *list, ngx_uint_t n)
{
    ngx_str_t  item = ngx_null_string;

    if (list == NULL) {
        return item;
    }

    if (list_count(list) == 1) {
        n = 0;
    }

    while (n > 0) {
        n -= *list++ == ',';
    }

    item.data = (u_char *) list;
    item.len = strcspn(list, ",");

    return item;
}


static ngx_uint_t
is(const char *text, const char *word)
{
    return ngx_strcmp(text, word) == 0;
}

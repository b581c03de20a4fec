/*
 * Staff and the console: who signs the tokens of staff, which groups have which
 * roles, where the pages lie, and as whom PostgreSQL is asked.  Each refusal
 * says how to mend it.
 */

#include "conf/ngx_http_payments_conf_staff.h"
#include "conf/ngx_http_payments_conf_block.h"
#include "conf/ngx_http_payments_conf_cell.h"
#include "conf/ngx_http_payments_conf_key.h"
#include "conf/ngx_http_payments_conf_place.h"
#include "conf/ngx_http_payments_conf_text.h"
#include "io/ngx_payments_pq_conf.h"
#include "util/ngx_payments_memory.h"
#include "pay_staff.h"


#define TEXT_MAX       255
#define GROUPS_MAX     64
#define LIFETIME_MIN   60
#define LIFETIME_MAX   90000           /* a day and an hour, for tests */
#define LIFETIME       600
#define QUEUE_MAX      4096
#define CELLS_MAX      4096            /* bytes of JSON */

#define CONSOLE(member)                                                       \
    NGX_PAYMENTS_FIELD(ngx_payments_console_conf_t, member)
#define DB(member)  NGX_PAYMENTS_FIELD(ngx_payments_db_conf_t, member)


static char *staff_key(ngx_conf_t *cf, void *object);
static char *staff_group(ngx_conf_t *cf, void *object);
static char *group_roles(ngx_conf_t *cf, unsigned *roles);
static char *set_dsn(ngx_conf_t *cf, ngx_str_t *dsn, void *object);
static char *staff_lacks(ngx_conf_t *cf,
    const ngx_payments_console_conf_t *console);
static char *resolve_cells(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);
static char *each_has(ngx_conf_t *cf,
    const ngx_http_payments_main_conf_t *pmcf, pay_op_role_t role,
    const char *rule);
static const char *name_of(pay_op_role_t role);
static char *write_cells(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf);
static char *resolve_served(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);
static char *resolve_keys(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);
static const char *key_clash(const ngx_http_payments_main_conf_t *pmcf,
    const pay_jwt_key_t *key, ngx_uint_t i);
static char *resolve_html(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);
static ngx_conf_t *place_of(ngx_http_payments_at_t *at, ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf);


static const word_t  staff_words[] = {
    { "issuer", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_PLAIN, 0, TEXT_MAX, CONSOLE(issuer) } },
    { "audience", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_PLAIN, 0, TEXT_MAX, CONSOLE(audience) } },
    { "jwt_key", 3, 3, OFTEN, staff_key, VALUE_NONE },
    { "group", 2, 1 + PAY_ROLES, OFTEN, staff_group, VALUE_NONE },
    { "max_lifetime", 1, 1, ONCE, NULL,
      { NULL, NGX_PAYMENTS_SEC, LIFETIME_MIN, LIFETIME_MAX,
        CONSOLE(max_lifetime) } },
    { .name = NULL }
};

/* payments_console_database "CONNINFO" [connections=N] … */
static const ngx_http_payments_option_t  database[] = {
    { "", .set = set_dsn },
    { "connections=", NGX_PAYMENTS_NUMBER, 1, 16, 1, DB(connections) },
    { "batch=", NGX_PAYMENTS_NUMBER, 1, 64, 1, DB(batch) },
    { "queue=", NGX_PAYMENTS_NUMBER, 1, QUEUE_MAX, 64, DB(queue) },
    { "timeout=", NGX_PAYMENTS_MSEC, 100, 60000, 3750, DB(timeout) },
    { "wait=", NGX_PAYMENTS_MSEC, 10, 60000, 2000, DB(wait) },
    { .name = NULL }
};

static const ngx_http_payments_option_t  html[] = {
    { "", NGX_PAYMENTS_TEXT, CONSOLE(html) },
    { .name = NULL }
};


ngx_http_payments_line_t  ngx_http_payments_console_database_line = {
    database, NULL
};
ngx_http_payments_line_t  ngx_http_payments_console_html_line = {
    html, NULL
};


/* One block: with two identity providers, a clerk who leaves would have to be
 * removed in two places. */
char *
ngx_http_payments_staff_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_uint_t                      i;
    pay_jwt_key_t                  *keys;
    ngx_http_payments_main_conf_t  *pmcf = conf;
    ngx_payments_console_conf_t    *console = &pmcf->console;

    (void) cmd;

    if (console->is_set) {
        return "is duplicate";
    }

    console->is_set = 1;
    console->max_lifetime = LIFETIME;

    if (ngx_http_payments_parse_block(cf, staff_words, "payments_staff",
                                      console) != NGX_CONF_OK
        || staff_lacks(cf, console) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    keys = console->keys->elts;

    for (i = 0; i < console->keys->nelts; i++) {
        keys[i].issuer = ngx_payments_str(console->issuer);
    }

    return NGX_CONF_OK;
}


static char *
staff_lacks(ngx_conf_t *cf, const ngx_payments_console_conf_t *console)
{
    ngx_conf_t              *at;
    const char              *lack;
    ngx_http_payments_at_t   place;

    lack = console->keys == NULL
           ? "jwt_key, the public key that tokens of staff are signed with"
           : console->issuer.len == 0
           ? "issuer, the claim iss of tokens of staff"
           : console->audience.len == 0
           ? "audience, the claim aud of tokens of staff"
           : console->groups == NULL
           ? "group, for example \"group payments-support support\"" : NULL;

    if (lack == NULL) {
        return NGX_CONF_OK;
    }

    at = ngx_http_payments_at(&place, cf, console, "", 0);
    ngx_conf_log_error(NGX_LOG_EMERG, at, 0, "payments_staff lacks %s", lack);

    return NGX_CONF_ERROR;
}


/* The issuer may stand behind its keys, and is put in when all is read. */
static char *
staff_key(ngx_conf_t *cf, void *object)
{
    ngx_payments_console_conf_t  *console = object;

    return ngx_http_payments_jwt_key(cf, &console->keys, cf->pool,
                                     PAY_STR(""));
}


/* group NAME ROLE … */
static char *
staff_group(ngx_conf_t *cf, void *object)
{
    char                         *rv;
    unsigned                      roles = 0;
    ngx_str_t                    *value = cf->args->elts;
    ngx_uint_t                    i;
    pay_staff_group_t            *group;
    ngx_payments_console_conf_t  *console = object;

    if (value[1].len == 0 || value[1].len > PAY_STAFF_GROUP_MAX) {
        return "needs a group's name of 1 to 128 bytes first, as the tokens "
               "have it";
    }

    rv = group_roles(cf, &roles);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (console->groups == NULL) {
        console->groups = ngx_array_create(cf->pool, 8,
                                           sizeof(pay_staff_group_t));
        if (console->groups == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    group = console->groups->elts;

    for (i = 0; i < console->groups->nelts; i++) {
        if (pay_str_eq(group[i].name, ngx_payments_str(value[1]))) {
            return "names a group that has a line already: put all its roles "
                   "into one line";
        }
    }

    if (console->groups->nelts == GROUPS_MAX) {
        return "is one too many: there may be 64 groups";
    }

    group = ngx_array_push(console->groups);
    if (group == NULL) {
        return NGX_CONF_ERROR;
    }

    group->name = ngx_payments_str(value[1]);
    group->roles = roles;

    return NGX_CONF_OK;
}


static char *
group_roles(ngx_conf_t *cf, unsigned *roles)
{
    unsigned     bit, role;
    ngx_str_t   *value = cf->args->elts;
    ngx_uint_t   i;
    const char  *words[PAY_ROLES + 1];

    for (i = 2; i < cf->args->nelts; i++) {
        if (pay_role_parse(ngx_payments_str(value[i]), &bit) != PAY_OK) {
            for (role = 0; role < PAY_ROLES; role++) {
                words[role] = pay_role_word(role);
            }

            words[PAY_ROLES] = NULL;

            return ngx_http_payments_unknown(cf, "group", &value[i], words);
        }

        if (*roles & bit) {
            return "names one role twice: keep one";
        }

        *roles |= bit;
    }

    return NGX_CONF_OK;
}


/* A standby will do, as nothing is written. */
static char *
set_dsn(ngx_conf_t *cf, ngx_str_t *dsn, void *object)
{
    return ngx_http_payments_console_dsn(cf, dsn, object, PAY_ROLE_CONSOLE);
}


/* The text is never logged. */
char *
ngx_http_payments_console_dsn(ngx_conf_t *cf, ngx_str_t *dsn,
    ngx_payments_db_conf_t *db, pay_op_role_t role)
{
    const char  *name, *user, *may;

    name = name_of(role);
    user = role == PAY_ROLE_ACT ? "payments_console_act" : "payments_console";
    may = role == PAY_ROLE_ACT ? "act for staff" : "read pages";

    switch (ngx_payments_pq_check(dsn)) {

    case NGX_OK:
        break;

    case NGX_ABORT:
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s must not hold a password: name a file by "
                           "passfile=, or use peer or certificate "
                           "authentication", name);
        return NGX_CONF_ERROR;

    default:
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s needs a libpq connection string without a "
                           "password first, for example \"host=… dbname=… "
                           "user=%s\"", name, user);
        return NGX_CONF_ERROR;
    }

    if (!ngx_payments_pq_user_is(dsn, user)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s needs user=%s, the role that may %s and "
                           "nothing else; payctl migrate makes it", name,
                           user, may);
        return NGX_CONF_ERROR;
    }

    db->role = role;

    return role == PAY_ROLE_ACT ? ngx_payments_pq_hosts(cf, dsn, &db->dsns)
                                : ngx_payments_pq_readers(cf, dsn, &db->dsns);
}


char *
ngx_http_payments_console_resolve(ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t                i;
    ngx_payments_location_t  *location = pmcf->locations.elts;

    for (i = 0; i < pmcf->locations.nelts; i++) {
        if (location[i].kind == NGX_HTTP_PAYMENTS_CONSOLE) {
            pmcf->console.is_served = 1;
        }
    }

    if (pmcf->console.is_set && resolve_keys(cf, pmcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    return pmcf->console.is_served ? resolve_served(cf, pmcf) : NGX_CONF_OK;
}


/* A cell that the console left out would be one whose open work nobody sees. */
static char *
resolve_cells(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf)
{
    int  can_act = (int) ngx_http_payments_cells_have(pmcf, PAY_ROLE_ACT);

    pmcf->console.facts.can_act = can_act;

    if (each_has(cf, pmcf, PAY_ROLE_CONSOLE, "shows every cell")
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return !can_act
           || each_has(cf, pmcf, PAY_ROLE_ACT,
                       "lets staff act in every cell or in none")
              == NGX_CONF_OK
           ? write_cells(cf, pmcf) : NGX_CONF_ERROR;
}


static char *
each_has(ngx_conf_t *cf, const ngx_http_payments_main_conf_t *pmcf,
    pay_op_role_t role, const char *rule)
{
    ngx_uint_t             i;
    ngx_payments_cell_t  **cells = pmcf->cells.elts;

    for (i = 0; i < pmcf->cells.nelts; i++) {
        if (cells[i]->dbs[role].dsns == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "payments_console %s, and \"%V\" has no "
                               "database for it: add %s %V \"CONNINFO\"", rule,
                               &cells[i]->name, name_of(role),
                               &cells[i]->name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static const char *
name_of(pay_op_role_t role)
{
    return role == PAY_ROLE_ACT ? "payments_console_act_database"
                                : "payments_console_database";
}


static char *
write_cells(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t             i;
    pay_buf_t              buf;
    pay_arena_t            arena = ngx_payments_arena(cf->pool);
    ngx_payments_cell_t  **cells = pmcf->cells.elts;

    pay_buf_init(&buf, &arena, CELLS_MAX);

    for (i = 0; i < pmcf->cells.nelts; i++) {
        pay_buf_text(&buf, i == 0 ? "[\"" : ",\"");
        pay_buf_json(&buf, ngx_payments_str(cells[i]->name));
        pay_buf_text(&buf, "\"");

        if (ngx_strcmp(cells[i]->name.data, "default") == 0) {
            pmcf->console.cell = i;
        }
    }

    pay_buf_text(&buf, "]");

    return pay_buf_done(&buf, &pmcf->console.facts.cells) == PAY_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
resolve_served(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf)
{
    ngx_conf_t              *at;
    const char              *lack;
    ngx_http_payments_at_t   place;

    lack = !pmcf->console.is_set
           ? "payments_staff, the block that says who signs tokens of staff"
           : !ngx_http_payments_cells_have(pmcf, PAY_ROLE_CONSOLE)
           ? "payments_console_database, for example \"host=… dbname=… "
             "user=payments_console\""
           : pmcf->console.html.len == 0 && pmcf->html.len == 0
           ? "payments_console_html, the directory html/console of the "
             "module's source" : NULL;

    if (lack == NULL) {
        return resolve_cells(cf, pmcf) == NGX_CONF_OK
               ? resolve_html(cf, pmcf) : NGX_CONF_ERROR;
    }

    at = place_of(&place, cf, pmcf);
    ngx_conf_log_error(NGX_LOG_EMERG, at, 0, "payments_console needs %s in "
                       "the http block", lack);

    return NGX_CONF_ERROR;
}


/* A key of a merchant would let a storefront make tokens of staff. */
static char *
resolve_keys(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t               i;
    ngx_conf_t              *at;
    const char              *why;
    pay_jwt_key_t           *keys = pmcf->console.keys->elts;
    ngx_http_payments_at_t   place;

    for (i = 0; i < pmcf->console.keys->nelts; i++) {
        why = key_clash(pmcf, &keys[i], i);

        if (why != NULL) {
            at = ngx_http_payments_at(&place, cf, &pmcf->console, "jwt_key",
                                      i);
            ngx_conf_log_error(NGX_LOG_EMERG, at, 0, "payments_staff %s", why);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static const char *
key_clash(const ngx_http_payments_main_conf_t *pmcf,
    const pay_jwt_key_t *key, ngx_uint_t i)
{
    ngx_uint_t           k;
    const pay_jwt_key_t  *merchants = pmcf->jwt_keys.elts;
    const pay_jwt_key_t  *staff = pmcf->console.keys->elts;

    for (k = 0; k < pmcf->jwt_keys.nelts; k++) {
        if (ngx_http_payments_same_key(key, &merchants[k])) {
            return "has a jwt_key that a payments_merchant has, too, who "
                   "could sign tokens of staff with it: make another one";
        }
    }

    for (k = 0; k < i; k++) {
        if (pay_str_eq(key->kid, staff[k].kid)) {
            return "has two keys of one kid: give each its own";
        }
    }

    return NULL;
}


static char *
resolve_html(ngx_conf_t *cf, ngx_http_payments_main_conf_t *pmcf)
{
    u_char     *p;
    ngx_str_t  *dir = &pmcf->console.html;

    if (dir->len == 0) {
        p = ngx_pnalloc(cf->pool, pmcf->html.len + sizeof("/console"));
        if (p == NULL) {
            return NGX_CONF_ERROR;
        }

        dir->data = p;
        dir->len = ngx_sprintf(p, "%V/console%Z", &pmcf->html) - p - 1;
    }

    return ngx_conf_full_name(cf->cycle, dir, 1) == NGX_OK ? NGX_CONF_OK
                                                           : NGX_CONF_ERROR;
}


/* The line payments_console of the first console. */
static ngx_conf_t *
place_of(ngx_http_payments_at_t *at, ngx_conf_t *cf,
    ngx_http_payments_main_conf_t *pmcf)
{
    ngx_uint_t                i;
    ngx_payments_location_t  *location = pmcf->locations.elts;

    for (i = 0; location[i].kind != NGX_HTTP_PAYMENTS_CONSOLE; i++) {
        /* void */
    }

    return ngx_http_payments_at(at, cf, location[i].owner, "", 0);
}

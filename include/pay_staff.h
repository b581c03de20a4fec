/*
 * Staff: those who look at the console.  A token that an identity provider has
 * signed names one of them, the groups, and the merchants whose payments may
 * be seen; the configuration gives the groups roles.  PostgreSQL judges which
 * pages a role may see (docs/console.md).
 */

#ifndef PAY_STAFF_H
#define PAY_STAFF_H

#include "pay_jwt.h"


#define PAY_STAFF_MERCHANTS_MAX  64
#define PAY_STAFF_GROUP_MAX      128    /* bytes of a group's name */
#define PAY_STAFF_COOKIE         "__Host-staff"

/* Bits of pay_staff_t.roles; the words are those of pay_role_word(). */
#define PAY_ROLES  8

/* One `group` of payments_staff. */
typedef struct {
    pay_str_t  name;
    unsigned   roles;          /* bits */
} pay_staff_group_t;

/* All texts are the arena's. */
typedef struct {
    pay_str_t  subject;
    unsigned   roles;          /* of all groups together; 0: none fits */
    pay_str_t  merchants;      /* JSON array of ids; empty: all merchants */
    int64_t    auth_time_s;    /* of the log-in; -1: the token says none */
    int64_t    expires_s;
} pay_staff_t;


/* "viewer" … "auditor", by number below PAY_ROLES. */
const char *pay_role_word(unsigned role);
/* The bit of a word; PAY_NOT_FOUND: it is no role. */
pay_status_t pay_role_parse(pay_str_t word, unsigned *bit) PAY_MUST_CHECK;
/* A copy with texts of this arena. */
pay_status_t pay_staff_copy(pay_arena_t *arena, const pay_staff_t *from,
    pay_staff_t *to) PAY_MUST_CHECK;
/* The roles as a JSON array of words. */
pay_status_t pay_roles_write(pay_arena_t *arena, unsigned roles,
    pay_str_t *json) PAY_MUST_CHECK;

/* Verifies a token of staff as pay_jwt_judge() does one of a storefront, and
 * its further claims: sub, which must be fit for the log; groups, a text or an
 * array of texts; merchants, "*" or an array of 1 to 64 ids; auth_time, a time,
 * if it is there.  PAY_INVALID with *why. */
pay_status_t pay_staff_verify(pay_arena_t *arena, pay_str_t token,
    const pay_jwt_policy_t *policy, const pay_staff_group_t *groups,
    size_t count, pay_staff_t *staff, pay_jwt_why_t *why) PAY_MUST_CHECK;

/* The value of a cookie of that name in a Cookie field: PAY_NOT_FOUND when
 * there is none, PAY_INVALID when there are two. */
pay_status_t pay_cookie_get(pay_str_t field, const char *name,
    pay_str_t *value) PAY_MUST_CHECK;


#endif /* PAY_STAFF_H */

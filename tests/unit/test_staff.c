/*
 * Tokens of staff: the claims beyond a storefront's, and the cookie.
 */

#include <criterion/criterion.h>
#include <stdio.h>

#include "jwt_mint.h"
#include "pay_staff.h"


#define HEADER  "{\"alg\":\"HS256\",\"kid\":\"hs1\"}"
#define HEAD                                                                  \
    "{\"iss\":\"acme\",\"aud\":\"" MINT_AUDIENCE "\",\"exp\":1800000600,"

static const pay_staff_group_t  groups[] = {
    { pay_string("viewers"), 0x01 },
    { pay_string("risk and support"), 0x22 }
};


static pay_status_t
verify(const char *members, pay_staff_t *staff)
{
    char           payload[6000];
    pay_jwt_why_t  why;

    snprintf(payload, sizeof(payload), "%s%s}", HEAD, members);
    memset(staff, 0xa5, sizeof(pay_staff_t));

    return pay_staff_verify(mint_arena(), mint(HEADER, payload, MINT_ACME_HS),
                            mint_policy(0), groups, 2, staff, &why);
}


static pay_staff_t
good(const char *members)
{
    pay_staff_t  staff;

    cr_assert_eq(verify(members, &staff), PAY_OK, "%s", members);

    return staff;
}


Test(pay_staff, several_groups_have_the_union_of_their_roles)
{
    pay_str_t    json;
    pay_staff_t  staff = good("\"sub\":\"ann\",\"merchants\":\"*\","
                              "\"groups\":[\"viewers\",\"others\","
                              "\"risk and support\"]");

    cr_assert_eq(staff.roles, 0x23);
    cr_assert(pay_str_is(staff.subject, "ann"));
    cr_assert_eq(staff.merchants.len, 0);
    cr_assert_eq(staff.auth_time_s, -1);
    cr_assert_eq(pay_roles_write(mint_arena(), staff.roles, &json), PAY_OK);
    cr_assert(pay_str_is(json, "[\"viewer\",\"support\",\"risk\"]"));
    cr_assert_eq(pay_roles_write(mint_arena(), 0, &json), PAY_OK);
    cr_assert(pay_str_is(json, "[]"));
}


Test(pay_staff, unknown_and_missing_groups_give_no_role)
{
    cr_assert_eq(good("\"sub\":\"a\",\"merchants\":\"*\"").roles, 0);
    cr_assert_eq(good("\"sub\":\"a\",\"merchants\":\"*\",\"groups\":[]").roles,
                 0);
    cr_assert_eq(good("\"sub\":\"a\",\"merchants\":\"*\","
                      "\"groups\":\"viewers\"").roles, 0x01);
}


Test(pay_staff, merchants_become_an_array_of_ids)
{
    pay_staff_t  staff = good("\"sub\":\"a\",\"auth_time\":1799999000,"
                              "\"merchants\":[\"acme\",\"globex\"]");

    cr_assert(pay_str_is(staff.merchants, "[\"acme\",\"globex\"]"));
    cr_assert_eq(staff.auth_time_s, 1799999000);
}


Test(pay_staff, other_claims_are_refused)
{
    size_t       i;
    pay_staff_t  staff;

    static const char  *const  bad[] = {
        "\"merchants\":\"*\"",
        "\"sub\":7,\"merchants\":\"*\"",
        "\"sub\":\"\",\"merchants\":\"*\"",
        "\"sub\":\"a\\u00e9\",\"merchants\":\"*\"",
        "\"sub\":\"4111111111111111\",\"merchants\":\"*\"",
        "\"sub\":\"a\"",
        "\"sub\":\"a\",\"merchants\":\"acme\"",
        "\"sub\":\"a\",\"merchants\":[]",
        "\"sub\":\"a\",\"merchants\":[7]",
        "\"sub\":\"a\",\"merchants\":[\"a\\\"b\"]",
        "\"sub\":\"a\",\"merchants\":{\"acme\":1}",
        "\"sub\":\"a\",\"merchants\":\"*\",\"groups\":7",
        "\"sub\":\"a\",\"merchants\":\"*\",\"groups\":[\"viewers\",7]",
        "\"sub\":\"a\",\"merchants\":\"*\",\"groups\":null",
        "\"sub\":\"a\",\"merchants\":\"*\",\"auth_time\":\"now\"",
        "\"sub\":\"a\",\"merchants\":\"*\",\"auth_time\":-1"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_eq(verify(bad[i], &staff), PAY_INVALID, "%s", bad[i]);
    }
}


Test(pay_staff, each_role_has_its_word)
{
    unsigned  role, bit;

    for (role = 0; role < PAY_ROLES; role++) {
        cr_assert_eq(pay_role_parse(pay_str_of(pay_role_word(role)), &bit),
                     PAY_OK);
        cr_assert_eq(bit, 1u << role);
    }

    cr_assert_eq(pay_role_parse(PAY_STR("Viewer"), &bit), PAY_NOT_FOUND);
    cr_assert_eq(pay_role_parse(PAY_STR(""), &bit), PAY_NOT_FOUND);
}


Test(pay_staff, a_cookie_is_found_by_its_whole_name_and_once)
{
    size_t     i;
    pay_str_t  value;

    static const struct {
        const char    *field;
        pay_status_t   status;
        const char    *value;
    } cases[] = {
        { "__Host-staff=t", PAY_OK, "t" },
        { "a=b; __Host-staff=t; c=d", PAY_OK, "t" },
        { "a=b;__Host-staff=t=u", PAY_OK, "t=u" },
        { "__Host-staff=", PAY_OK, "" },
        { "", PAY_NOT_FOUND, NULL },
        { "__Host-staff", PAY_NOT_FOUND, NULL },
        { "x__Host-staff=t", PAY_NOT_FOUND, NULL },
        { "__Host-staffx=t", PAY_NOT_FOUND, NULL },
        { "__host-staff=t", PAY_NOT_FOUND, NULL },
        { "__Host-staff=t; __Host-staff=u", PAY_INVALID, NULL },
        { ";;; ; __Host-staff=t;", PAY_OK, "t" }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_assert_eq(pay_cookie_get(pay_str_of(cases[i].field),
                                    PAY_STAFF_COOKIE, &value),
                     cases[i].status, "%s", cases[i].field);

        if (cases[i].value != NULL) {
            cr_assert(pay_str_is(value, cases[i].value), "%s",
                      cases[i].field);
        }
    }
}

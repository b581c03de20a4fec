"""Mutants of the glue, by hand: where a condition or an argument decides about
money, or about who may do what.

Each has a file of ngx_payments_module, what it stands for, the text that it
replaces, which is there once, the new one, and the integration tests that it
meets: a file, or file::test.
"""

MUTANTS = [
    (
        "http/ngx_http_payments_jwt.c",
        "a disabled merchant goes on",
        "if ((*merchant)->disabled) {",
        "if (0) {",
        "test_tenants.py",
    ),
    (
        "http/ngx_http_payments_jwt.c",
        "a token's scopes are not asked for",
        "if ((claims.scopes & scope) != scope) {",
        "if (0) {",
        "test_tenants.py",
    ),
    (
        "http/ngx_http_payments_jwt.c",
        "any scheme of Authorization is a token",
        "if (len < 8 || ngx_strncasecmp",
        "if (len < 8 && ngx_strncasecmp",
        "test_auth.py",
    ),
    (
        "http/ngx_http_payments_jwt.c",
        "a token lives as long as it says",
        "policy.max_lifetime_s = pmcf->jwt_max_lifetime;",
        "policy.max_lifetime_s = INT32_MAX;",
        "test_auth.py",
    ),
    (
        "http/ngx_http_payments_jwt.c",
        "a token for another audience is taken",
        "policy.audience = ngx_payments_str(pmcf->audience);",
        'policy.audience = PAY_STR("");',
        "test_auth.py",
    ),
    (
        "http/ngx_http_payments_api.c",
        "writing takes the scope of reading",
        "reads ? route->read_scope : route->write_scope",
        "route->read_scope",
        "test_tenants.py",
    ),
    (
        "http/ngx_http_payments_api.c",
        "no quota for an address before its token is looked at",
        'if (check_quota(r, PAY_STR(""), err) != NGX_OK',
        "if (0",
        "test_rate_limit.py",
    ),
    (
        "http/ngx_http_payments_api.c",
        "no quota for a merchant",
        "return check_quota(r, merchant->id, err);",
        "return NGX_OK;",
        "test_rate_limit.py",
    ),
    (
        "http/ngx_http_payments_webhook.c",
        "no quota for webhooks",
        'rc = ngx_http_payments_limit(r, PAY_STR(""));',
        "rc = NGX_OK;",
        "test_rate_limit.py",
    ),
    (
        "http/ngx_http_payments_webhook.c",
        "an address that may not be kept in quarantine is",
        "(int) ngx_payments_quarantine_may(in.psp)",
        "1",
        "test_webhook_forgery.py",
    ),
    (
        "http/ngx_http_payments_check.c",
        "the first of two keys counts",
        "if (count != 1) {",
        "if (0) {",
        "test_idempotency.py",
    ),
    (
        "http/ngx_http_payments_check.c",
        "a card number is a key",
        "return pay_pan_found(ctx->key)",
        "return 0",
        "test_card_data.py",
    ),
    (
        "http/ngx_http_payments_create.c",
        "a key does not cover the body",
        "in->merchant->id, body, digest)",
        'in->merchant->id, PAY_STR(""), digest)',
        "test_idempotency.py",
    ),
    (
        "http/ngx_http_payments_create.c",
        "buyers are sent back to any host",
        "if (request->return_url.len != 0 || parsed == PAY_OK) {",
        "if (0) {",
        "test_return_url.py",
    ),
    (
        "http/ngx_http_payments_create.c",
        "a PSP that is not the merchant's is passed over in silence",
        "if (choose_psp(merchant, request->psp, &in->psp) != NGX_OK) {",
        "if (choose_psp(merchant, request->psp, &in->psp) == NGX_ERROR) {",
        "test_api_input.py",
    ),
    (
        "http/ngx_http_payments_create.c",
        "work beyond the bulkhead is let in",
        "ctx->merchant,\n                                &retry_after_s)"
        " != NGX_OK)",
        "ctx->merchant,\n                                &retry_after_s)"
        " == NGX_ERROR)",
        "test_bulkhead.py",
    ),
    (
        "http/ngx_http_payments_change.c",
        "each change is a refund",
        "in.kind = kind;",
        "in.kind = PAY_CHANGE_REFUND;",
        "test_changes.py",
    ),
    (
        "run/ngx_payments_effect.c",
        "a read on behalf of a refund has the rank of others",
        "flow->place.work == NGX_PAYMENTS_WORK_CHANGE;",
        "0;",
        "test_db_priority.py",
    ),
    (
        "run/ngx_payments_effect.c",
        "a buyer waits as long as a job does",
        "http->timeout = ngx_min(http->timeout, flow->pmcf->buyer_timeout);",
        "http->timeout = ngx_max(http->timeout, flow->pmcf->buyer_timeout);",
        "test_stages.py test_psp_faults.py",
    ),
    (
        "run/ngx_payments_effect.c",
        "a PSP is asked each time that a buyer comes back",
        "&& !ngx_payments_question_may(",
        "&& 0 && !ngx_payments_question_may(",
        "test_lifecycle.py test_psp_peculiar.py",
    ),
    (
        "run/ngx_payments_effect.c",
        "a call to PostgreSQL without an answer counts as never sent",
        "input.db_failure = failure;",
        "input.db_failure = PAY_DB_UNAVAILABLE;",
        "test_pg_lost.py",
    ),
    (
        "run/ngx_payments_effect.c",
        "a create whose routing took too long goes on",
        "if (flow->late) {",
        "if (0) {",
        "test_stages.py",
    ),
]

/*
 * Every problem type of the service: slug, HTTP status, title, and the text of
 * its page (docs/security.md#hostile-requests).  Slugs and statuses are a
 * contract with storefronts: rows may be added, never changed.
 */

#include "problem.h"


const pay_problem_t  pay_problems[] = {
    /* The body as a text, then its members. */
    { "malformed-request", 400,
      "The request is malformed.",
      "The request breaks a rule of HTTP: a broken request line or header, a "
      "header given twice that may appear once, or plain HTTP sent to the "
      "TLS port.",
      "Send the request with an ordinary HTTP library over https, with each "
      "header once. If it passes a proxy of yours, look at what the proxy "
      "sends." },

    { "invalid-json", 400,
      "The body is not acceptable JSON.",
      "The body is empty, is not JSON in UTF-8, is nested too deeply, or "
      "holds an object or array with too many members.",
      "Let a JSON library write the body instead of building it by hand, "
      "send it without a byte order mark, and keep it within 16 levels and "
      "64 members each." },

    { "duplicate-member", 400,
      "The JSON body names a member twice.",
      "An object in the body has two members of one name. Which of them "
      "counts would depend on the reader, so neither does.",
      "Send each member once. Look for code that puts JSON together by "
      "joining strings." },

    { "validation-error", 422,
      "The request does not fit the API's description.",
      "The JSON is well-formed, but a member is missing, unknown, of the "
      "wrong type or out of bounds. The list of errors points at it.",
      "Compare the request with the OpenAPI file, mend the member that the "
      "pointer names and send it again; the same Idempotency-Key may be "
      "used." },

    { "amount-invalid", 422,
      "The amount is not acceptable.",
      "An amount is a string holding a plain decimal number greater than "
      "zero with exactly as many decimals as its currency has: 12.34 USD, "
      "1200 JPY, 1.234 KWD.",
      "Send the amount as a JSON string without sign, blanks, separators or "
      "exponent. Never compute it with floating point." },

    { "currency-unsupported", 422,
      "The currency is not supported.",
      "The currency is not an upper-case ISO 4217 code of a currency in use, "
      "or the chosen payment service provider cannot take it.",
      "Send a code such as USD, EUR or JPY in capital letters, or choose "
      "another provider with the member psp." },

    { "card-data-not-accepted", 422,
      "Card data is not accepted here.",
      "Something in the request looks like a card number, or a member has the "
      "name of card data: of a card number, a verification code (CVC), a "
      "magnetic stripe or a PIN. The request was refused whole; nothing of it "
      "was stored or logged.",
      "Never send card data to this service. The buyer types it on the "
      "provider's hosted page, to which redirect_url leads. If pointer names "
      "a member that holds something else, rename it." },

    { "return-url-not-allowed", 422,
      "The return URL is not allowed.",
      "The return_url is not an https URL on one of the hosts that are "
      "registered for your account, or it contains characters that a URL may "
      "not hold.",
      "Use an absolute https URL on a registered host, without user name or "
      "fragment. Ask the operator to register further hosts." },

    /* Conflicts with the stored state.  409 says that the request was right
     * and may become possible; 422 that it never will as it stands. */
    { "order-exists", 409,
      "The checkout or order exists already.",
      "A checkout or payment order with this id was created before, with "
      "another Idempotency-Key. It was not changed. The member existing "
      "leads to it.",
      "Read the existing order to see its state. For a new purchase choose "
      "new ids; to repeat a request, repeat its Idempotency-Key as well." },

    { "payment-state-conflict", 409,
      "The payment is not in a state for this.",
      "What was asked for does not fit what has become of the order: a refund "
      "of what was not captured or has been refunded already, a capture of "
      "what is not authorised, a cancellation of what is paid; or an act on an "
      "exception of reconciliation that is closed. Nothing was changed.",
      "Read the order: its status and the members amount_authorized, "
      "amount_captured and amount_refundable say what can be done." },

    { "payout-state-conflict", 409,
      "The pay-out cannot be made, approved or sent now.",
      "Something stops the pay-out: the detail names it, for instance "
      "an account of the seller that was changed a short time ago, or an "
      "approval by the one who has made the pay-out. Nothing was changed.",
      "Read the detail and the pay-out. Repeat the request with a new "
      "Idempotency-Key when the reason is gone." },

    { "endpoint-state-conflict", 409,
      "The endpoint for webhooks is not in a state for this.",
      "The endpoint is disabled, there are as many endpoints as there may be, "
      "it stands in the gateway's nginx.conf, or this gateway delivers no "
      "webhooks: the detail says which. Nothing was changed.",
      "Read the detail and the endpoint: enable it before events are tested or "
      "delivered again. One of nginx.conf is changed by the gateway's "
      "operator." },

    { "risk-state-conflict", 409,
      "The review or list is not in a state for this.",
      "The review has ended, another reviewer has claimed it, or this gateway "
      "keeps no values of this kind: the detail says which. Nothing was "
      "changed.",
      "Read the detail and the review. A claim that is over is anybody's." },

    { "seller-overdrawn", 409,
      "The seller has less than the refund takes.",
      "Refunds of your account may not take more than what the seller has "
      "available, and this one would have. Nothing was changed.",
      "Read the seller's balance. Refund a smaller amount, or repeat the "
      "request with a new Idempotency-Key when later sales have filled it "
      "up." },

    { "amount-exceeds-remaining", 422,
      "The amount is more than what is left.",
      "A refund may take what was captured and is neither refunded, nor "
      "disputed, nor on its way back already; a capture what is authorised. "
      "Nothing was changed.",
      "Read the order for what is left, and send at most that, or no amount "
      "at all to take the rest." },

    { "operation-not-supported", 422,
      "The payment service provider cannot do this.",
      "The provider that has the payment, or that was chosen for it, offers "
      "no such operation, or not for such a payment. Nothing was changed.",
      "The operator's documents say what each provider can do. Choose another "
      "one with the member psp, or leave the member capture out." },

    { "rate-unavailable", 503,
      "There is no exchange rate at present.",
      "An order's credit_currency differs from its currency, and no rate "
      "between the two that is fresh enough is known. Nothing was stored.",
      "Wait for the seconds that Retry-After names and repeat the request "
      "with the same Idempotency-Key, or leave credit_currency out." },

    /* Identity.  404 and not 403 for another merchant's rows: their existence
     * is private (docs/security.md H17). */
    { "not-found", 404,
      "There is nothing at this address.",
      "No such order, checkout, page or route exists, or it belongs to "
      "somebody else.",
      "Check the address and the id. Orders are found with the credentials "
      "of the merchant who created them." },

    { "unauthenticated", 401,
      "Authentication is needed.",
      "The request carries no bearer token.",
      "Send the header Authorization: Bearer followed by a JSON Web Token "
      "that your own key has signed." },

    { "invalid-token", 401,
      "The token is not valid.",
      "The bearer token is malformed, expired, not valid yet, meant for "
      "somebody else, or not signed by a key that is registered for its "
      "issuer.",
      "Make a new token: check the clock, the claims iss, aud and exp, the "
      "kid, and that the algorithm is the one registered with the key. "
      "Tokens may live for an hour at most." },

    { "insufficient-scope", 403,
      "The token does not cover this operation.",
      "The token is valid, but its scope lacks what this operation needs.",
      "Ask for a token with the scope that the WWW-Authenticate header of "
      "the response names, such as payments:write." },

    { "merchant-disabled", 403,
      "The merchant account is disabled.",
      "The token is valid, but its merchant may not use this service at "
      "present.",
      "Ask the operator of this service why the account is disabled. "
      "Repeating the request does not help." },

    { "forbidden", 403,
      "Access to this address is not allowed.",
      "The address is not open to where the request comes from, or, on the "
      "console, to the roles of the one who asks.",
      "Send it from an allowed network, or ask the operator to allow yours. On "
      "the console the detail names the roles that would do." },

    /* Acts of staff (docs/console.md#acts). */
    { "login-too-old", 403,
      "The log-in is too old for this.",
      "An act on the console needs a log-in that is five minutes old at most, "
      "which the claim auth_time of the token states. Nothing was changed.",
      "Log in again, at the identity provider, and repeat the act." },

    { "second-person-needed", 403,
      "Another person has to decide about this.",
      "Who has proposed an act that moves money may not approve or reject it. "
      "Nothing was changed.",
      "Ask a colleague with the role that may approve it." },

    { "limit-exceeded", 403,
      "A limit of the console forbids this.",
      "Refunds from the console have limits: of one refund, of a person in a "
      "day, and of all in a day. Nothing was changed.",
      "The detail names the limit. Refund less, wait for the next day in UTC, "
      "or have the merchant refund by the API." },

    { "act-not-possible", 409,
      "This cannot be done at present.",
      "The state of the object does not allow the act: it is over, or was "
      "decided already. Nothing was changed.",
      "Read the page again: the detail says the reason." },

    { "acts-off", 403,
      "This console only shows.",
      "The operator has given this console no connection by which it may act.",
      "Use payctl, or ask the operator to configure "
      "payments_console_act_database." },

    /* Keys; statuses by docs/security.md IK4 to IK6. */
    { "idempotency-key-missing", 400,
      "The Idempotency-Key header is missing.",
      "Requests that create or change something need an Idempotency-Key, so "
      "that a repeated request never pays twice.",
      "Make a new UUID for each operation, send it as Idempotency-Key, and "
      "keep it for every retry of that operation." },

    { "idempotency-key-invalid", 400,
      "The Idempotency-Key is not valid.",
      "The key must be given once, with 16 to 64 characters out of letters, "
      "digits and . _ ~ - with or without double quotes around them.",
      "Use a UUID as the key and send the header exactly once." },

    { "idempotency-key-reused", 422,
      "The Idempotency-Key was used for another request.",
      "This key came before with a different body. Nothing was changed by "
      "this request.",
      "To repeat the earlier request send exactly the same bytes; for a new "
      "operation make a new key." },

    { "idempotency-in-progress", 429,
      "The first request with this key is still running.",
      "A request with the same Idempotency-Key and body is being worked on. "
      "This one did nothing.",
      "Wait for the seconds that Retry-After names, then repeat the request "
      "with the same key and body." },

    { "quota-exceeded", 429,
      "Too many requests.",
      "More requests came from your account or address than the rate limit "
      "allows. This one did nothing.",
      "Wait for the seconds that Retry-After names. The RateLimit fields "
      "tell how much is left, so that a client can slow down in time." },

    /* Rules of HTTP, most of them enforced by nginx before the module sees the
     * request. */
    { "method-not-allowed", 405,
      "The method is not allowed here.",
      "The address exists, but not with this method. The Allow header lists "
      "those that work.",
      "Use a method of the Allow header; the OpenAPI file lists every route." },

    { "not-implemented", 501,
      "The method or feature is not implemented.",
      "The request uses a method or a transfer coding that this service does "
      "not know.",
      "Use GET or POST as the OpenAPI file says, without uncommon transfer "
      "codings." },

    { "unsupported-media-type", 415,
      "The body's type or coding is not supported.",
      "Bodies must be application/json in UTF-8, without compression.",
      "Send Content-Type: application/json, no other charset than utf-8, and "
      "no Content-Encoding." },

    { "content-too-large", 413,
      "The body is too large.",
      "The body is longer than this address accepts: 64 KiB for the API, 256 "
      "KiB for webhooks.",
      "Send less; large documents do not belong into metadata. Split a "
      "checkout with very many orders." },

    { "uri-too-long", 414,
      "The address is too long.",
      "The request's address is longer than this service reads.",
      "Shorten the address; data belongs into the body of the request." },

    { "header-fields-too-large", 431,
      "The header fields are too large.",
      "One header is too long, or there are too many headers. A token that "
      "carries too much is the usual reason.",
      "Send fewer and shorter headers; leave out cookies and keep tokens "
      "small." },

    { "length-required", 411,
      "The length of the body is missing.",
      "A request with a body must carry Content-Length or use chunked "
      "transfer.",
      "Let your HTTP library set the header; most do so when given the whole "
      "body." },

    { "request-timeout", 408,
      "The request took too long to arrive.",
      "The request was not complete within the time this service waits. "
      "Nothing was changed.",
      "Check the network and send it again; with the same Idempotency-Key "
      "that is safe." },

    { "misdirected-request", 421,
      "This host is not served here.",
      "The Host header or the TLS server name is not one that this service "
      "answers for.",
      "Use the service's own host name for both, and open a new connection "
      "for another host." },

    { "range-not-satisfiable", 416,
      "The range cannot be satisfied.",
      "The Range header asks for bytes that the answer does not have.",
      "Leave out the Range header." },

    { "precondition-failed", 412,
      "The resource may have changed in the meantime.",
      "The version named in If-Match or If-Unmodified-Since cannot be "
      "compared with the present one. Nothing was changed.",
      "Read the resource again, decide anew, and leave these headers out." },

    { "http-version-not-supported", 505,
      "The HTTP version is not supported.",
      "The request names a version of HTTP that this service does not speak.",
      "Use HTTP/1.1 or HTTP/2." },

    /* Answers to PSPs, whose logs are all that becomes of the texts: they say
     * nothing that would help to forge a webhook. */
    { "webhook-signature-invalid", 401,
      "The webhook's signature is not valid.",
      "The signature headers are missing or malformed, or no key of this "
      "provider fits the body as it was received.",
      "Check that both sides hold the same secret and that nothing on the "
      "way changes the body. During a rotation both secrets may be "
      "configured." },

    { "webhook-timestamp-invalid", 401,
      "The webhook's timestamp is not acceptable.",
      "The signed timestamp is missing, is no number, or lies too far in the "
      "past or the future.",
      "Check the clocks on both sides. A webhook that is sent again must be "
      "signed again with the present time." },

    { "webhook-unknown-psp", 404,
      "There is no such webhook address.",
      "No payment service provider of this name is configured.",
      "Check the last part of the webhook address that is entered at the "
      "provider." },

    { "webhook-payload-invalid", 422,
      "The webhook is no event of this provider.",
      "The signature is right, but the body is not an event that this "
      "provider is known to send.",
      "Check that the provider's account and API version are those that the "
      "gateway is configured for." },

    /* Faults behind the gateway and in it.  None of these means that a payment
     * has failed: the request may be repeated with its key (docs/security.md
     * IK12). */
    { "psp-refused", 502,
      "The payment service provider refused the request.",
      "The provider answered, but did not accept the checkout or gave an "
      "answer that cannot be trusted. No money has moved.",
      "Read the checkout for the reason. Try again later with a new "
      "checkout, or choose another provider with the member psp." },

    { "psp-timeout", 504,
      "The payment service provider did not answer in time.",
      "Whether the provider took the request is not known yet; this service "
      "goes on asking. Nothing is done twice.",
      "Read the checkout after a while, or repeat the request with the same "
      "Idempotency-Key. Do not start a new checkout before that." },

    { "overloaded", 503,
      "The service is overloaded.",
      "More work is waiting than can be taken on now. This request did "
      "nothing.",
      "Wait for the seconds that Retry-After names and repeat the request "
      "with the same Idempotency-Key." },

    { "dependency-unavailable", 503,
      "A part of the service is unavailable.",
      "The service cannot reach something it depends on. Whether this "
      "request was stored is not certain.",
      "Wait for the seconds that Retry-After names and repeat the request "
      "with the same Idempotency-Key; nothing is done twice." },

    { "internal-error", 500,
      "Something went wrong on our side.",
      "The service made a mistake. It is recorded under the request id in "
      "the member instance.",
      "Repeat the request with the same Idempotency-Key. If it fails again, "
      "tell the operator the request id." },

    { NULL, 0, NULL, NULL, NULL }
};

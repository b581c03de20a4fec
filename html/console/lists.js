// The lists: a column is [member of docs/console-openapi.yaml, label, kind], a
// filter a parameter of its page, with its values where they are few.
// tests/browser/test_console.py holds both against the document.

const STATUSES = ["NOT_STARTED", "EXECUTING", "SUCCESS", "FAILED"];
const CHECKOUT = ["checkout_id", "Checkout", "checkout"];
const MERCHANT = ["merchant_id", "Merchant", "id"];
const PSP = ["psp", "PSP"];
const MONEY = [["amount", "Amount", "amount"], ["currency", "Currency"]];

export const FILTERS = {
    merchant: "Merchant", psp: "PSP", status: "Status", state: "State",
    kind: "Kind", currency: "Currency", min: "Amount from", max: "Amount to",
    from: "From", to: "Before", seller: "Seller", outcome: "Outcome",
    method: "Method", code: "Decline code", step: "Step", file: "File",
    person: "Person", act: "Act", object: "Object or checkout",
    account: "Account",
};

export const LISTS = {
    payments: {
        title: "Payments", order: "newest first",
        filters: {
            status: STATUSES, psp: null, merchant: null, currency: null,
            min: null, max: null, from: null, to: null,
            outcome: ["success", "failed", "expired", "open"], method: null,
            code: null,
        },
        columns: [
            ["created_at", "Created", "time"], CHECKOUT, MERCHANT, PSP,
            ["status", "Status", "status"], ["reason", "Reason"], ...MONEY,
            ["payment_method", "Method"], ["orders", "Orders", "number"],
            ["decline_code", "Declined"],
            ["attempts_declined", "Declined attempts", "number"],
            ["attempts_approved", "Approved attempts", "number"],
            ["expires_at", "Expires", "time"],
            ["payment_order_id", "First order", "order"],
        ],
    },
    changes: {
        title: "Changes", order: "under way, newest first",
        filters: { kind: ["capture", "cancel", "refund"], psp: null,
            merchant: null },
        columns: [
            ["created_at", "Asked for", "time"], ["kind", "Kind"], CHECKOUT,
            MERCHANT, PSP, ["status", "Status", "status"], ...MONEY,
            ["reason", "Reason"], ["code", "PSP's answer"],
            ["origin", "Asked by"], ["reference", "PSP's id", "id"],
            ["change_id", "Change", "id"],
            ["payment_order_id", "Order", "order"],
            ["changed_at", "Changed", "time"],
        ],
    },
    unknown: {
        title: "Unknown calls", order: "outcome unknown, newest first",
        filters: { kind: ["register", "capture", "cancel", "refund"],
            psp: null, merchant: null },
        columns: [
            ["first_sent_at", "First sent", "time"], ["kind", "Call"], CHECKOUT,
            MERCHANT, PSP, ...MONEY, ["reach", "Bytes reached"],
            ["http_status", "HTTP", "number"], ["code", "Code"],
            ["sends", "Sent times", "number"], ["sent_at", "Last sent", "time"],
            ["key_until", "Key good until", "time"],
            ["attempt", "Attempt", "number"],
            ["operation_id", "About", "id"],
        ],
    },
    late: {
        title: "Late payments", order: "newest first",
        filters: { state: ["held", "refunding"], psp: null, merchant: null },
        columns: [
            ["at", "Proved", "time"], ["state", "State", "status"], CHECKOUT,
            MERCHANT, PSP, ...MONEY, ["source", "Source"],
        ],
    },
    mismatches: {
        title: "Mismatches", order: "newest first",
        filters: {
            state: ["open", "settled"],
            kind: ["amount", "currency", "token", "late_token", "left_psp",
                "contradiction", "capture", "cancel", "refund", "dispute",
                "fee", "invalid", "books"],
            psp: null, merchant: null,
        },
        columns: [
            ["at", "At", "time"], ["kind", "Kind"],
            ["state", "State", "status"], CHECKOUT, MERCHANT, PSP, ...MONEY,
            ["psp_amount", "PSP's amount", "amount"],
            ["psp_currency", "PSP's currency"], ["wrong", "Wrong"],
            ["source", "Source"], ["token", "Token", "id"],
            ["settled_at", "Settled", "time"], ["settled_by", "Settled by"],
            ["settled_why", "Why"], ["mismatch_id", "Number", "number"],
        ],
    },
    letters: {
        title: "Dead letters", order: "newest first",
        filters: {
            state: ["open", "requeued", "settled", "resolved"],
            kind: ["register", "poll", "refund", "change", "late_success",
                "parked", "stuck"],
            psp: null, merchant: null,
        },
        columns: [
            ["at", "Since", "time"], ["kind", "Kind"],
            ["state", "State", "status"], ["reason", "Reason"],
            ["code", "Last answer"], CHECKOUT, MERCHANT, PSP, ...MONEY,
            ["attempts", "Attempts", "number"], ["closed_at", "Closed", "time"],
            ["closed_by", "Closed by"], ["closed_why", "Why"],
            ["dead_letter_id", "Number", "number"],
        ],
    },
    jobs: {
        title: "Jobs", order: "longest waiting first",
        filters: {
            state: ["running", "late", "due", "planned"],
            kind: ["register", "poll", "refund", "change"], merchant: null,
        },
        columns: [
            ["run_at", "Due", "time"], ["kind", "Kind"],
            ["state", "State", "status"], CHECKOUT, MERCHANT,
            ["attempts", "Attempts", "number"], ["code", "Last answer"],
            ["lease_until", "In hand until", "time"],
            ["operation_id", "About", "id"],
        ],
    },
    disputes: {
        title: "Disputes",
        order: "newest first, open ones by the deadline for evidence",
        filters: { state: ["open", "won", "lost"], psp: null, merchant: null },
        columns: [
            ["opened_at", "Opened", "time"], ["state", "State", "status"],
            ["evidence_until", "Evidence until", "time"],
            CHECKOUT, MERCHANT, PSP, ...MONEY, ["code", "PSP's reason"],
            ["dispute_id", "Dispute", "id"],
            ["payment_order_id", "Order", "order"],
            ["changed_at", "Changed", "time"],
        ],
    },
    risk: {
        title: "Risk reviews", order: "newest first",
        filters: {
            state: ["open", "escalated", "approved", "rejected", "ended"],
            merchant: null,
        },
        columns: [
            ["at", "Since", "time"], ["state", "State", "status"], CHECKOUT,
            MERCHANT, ...MONEY, ["deadline", "Deadline", "time"],
            ["overdue", "At the deadline"],
            ["needs_second", "Needs a second person"],
            ["claimed_by", "In hand of"],
            ["claimed_until", "In hand until", "time"],
            ["asked", "Asked for"], ["asked_by", "Asked by"],
            ["hits", "Rules", "wide"], ["score", "Score", "wide"],
            ["review_id", "Number", "number"],
        ],
    },
    wallets: {
        title: "Wallets", order: "by merchant and seller", next: "after",
        filters: { merchant: null, seller: null, currency: null },
        columns: [
            ["seller_account", "Seller", "id"], MERCHANT,
            ["currency", "Currency"], ["available", "Available", "amount"],
            ["pending", "Pending", "amount"],
            ["reserved", "Reserved", "amount"],
            ["changed_at", "Changed", "time"],
        ],
    },
    settlement: {
        title: "Settlement files", order: "newest first",
        filters: { state: null, psp: null, merchant: null },
        columns: [
            ["received_at", "Received", "time"],
            ["name", "File", "waterfall"],
            ["state", "State", "status"], ["reason", "Reason"],
            ["source", "Source"], ["medium", "From"], PSP, MERCHANT,
            ["rows", "Rows", "number"], ["matched", "Matched", "number"],
            ["class1", "Class 1", "number"], ["class2", "Class 2", "number"],
            ["class3", "Class 3", "number"], ["repeats", "Repeats", "number"],
            ["format", "Format"], ["sha256", "SHA-256", "id"],
            ["changed_at", "Changed", "time"], ["file_id", "Number", "number"],
        ],
    },
    ledger: {
        title: "Ledger", order: "entries by account, newest first",
        filters: { account: null, psp: null, currency: null, merchant: null,
            from: null, to: null },
        columns: [
            ["at", "Booked", "time"], ["kind", "Entry"],
            ["account", "Account"], ["owner", "Owner", "id"],
            ["debit", "Debit", "amount"], ["credit", "Credit", "amount"],
            ["currency", "Currency"], PSP, MERCHANT, CHECKOUT,
            ["payment_order_id", "Order", "order"], ["source", "Source"],
        ],
    },
    lines: {
        title: "Settlement rows", order: "of a file, last line first",
        filters: {
            file: null,
            kind: ["gross", "charged", "refunds", "disputes", "other", "net",
                "paid"],
            currency: null, merchant: null,
        },
        columns: [
            ["line", "Line", "number"], ["kind", "Kind"], ["part", "Part"],
            CHECKOUT, MERCHANT, ["gross", "Gross", "amount"],
            ["fee", "Fee and tax", "amount"], ["net", "Net", "amount"],
            ["currency", "Currency"], ["occurred_at", "Happened", "time"],
            ["booked_on", "Booked on"], ["class", "Class", "number"],
            ["finding", "Finding"], ["reference", "PSP's id", "id"],
            ["payout", "Pay-out", "id"], ["row_id", "Number", "number"],
        ],
    },
    exceptions: {
        title: "Exceptions", order: "of the reconciliation, newest first",
        filters: { state: ["open", "closed"], kind: null, psp: null,
            merchant: null },
        columns: [
            ["opened_at", "Opened", "time"], ["class", "Class", "number"],
            ["kind", "Finding"], ["state", "State", "status"],
            ["playbook", "Remedy"], CHECKOUT, MERCHANT, PSP, ...MONEY,
            ["is_suspended", "In suspense"], ["closed_at", "Closed", "time"],
            ["closed_as", "Closed as"], ["exception_id", "Number", "number"],
        ],
    },
    payouts: {
        title: "Pay-outs", order: "not over, newest change first",
        filters: {
            state: ["draft", "held", "ready", "approved", "sending", "sent",
                "paid", "returned", "unknown"],
            merchant: null,
        },
        columns: [
            ["changed_at", "Changed", "time"], ["payout_id", "Pay-out", "id"],
            ["state", "State", "status"], ["reason", "Reason"],
            ["seller_account", "Seller", "id"], MERCHANT, ...MONEY,
            ["lines", "Lines", "number"], ["provider", "Provider"],
            ["account", "To"], ["batch_id", "Batch", "id"],
            ["made_by", "Made by"], ["created_at", "Made", "time"],
        ],
    },
    batches: {
        title: "Batches", order: "of pay-outs, newest first",
        filters: { state: null, merchant: null },
        columns: [
            ["made_at", "Made", "time"], ["batch_id", "Batch", "id"],
            ["state", "State", "status"], MERCHANT, ["provider", "Provider"],
            ["items", "Pay-outs", "number"], ...MONEY, ["made_by", "Made by"],
            ["approvers", "Approved by"], ["approved_at", "Approved", "time"],
            ["until", "Good until", "time"], ["send_at", "To be sent", "time"],
        ],
    },
    inbox: {
        title: "Parked webhooks", order: "no checkout yet, newest first",
        filters: { psp: null, merchant: null },
        columns: [
            ["received_at", "Received", "time"], PSP, ["fact", "Fact"],
            ["type", "PSP's word"], ["code", "Code"], ...MONEY,
            ["state", "State", "status"], ["token", "Token", "id"], CHECKOUT,
            MERCHANT, ["event_id", "Event", "id"],
        ],
    },
    quarantine: {
        title: "Quarantine", order: "unproven webhooks, newest first",
        filters: { psp: null },
        columns: [
            ["received_at", "Received", "time"], PSP, ["reason", "Reason"],
            ["size", "Bytes", "number"], ["digest", "SHA-256", "id"],
            ["request_id", "Request", "id"], ["number", "Number", "number"],
        ],
    },
    deliveries: {
        title: "Deliveries", order: "messages to storefronts",
        filters: { state: ["failed", "due"], merchant: null },
        columns: [
            ["run_at", "Due", "time"], ["state", "State", "status"],
            ["type", "Event"], ["subject", "About", "id"], MERCHANT,
            ["url", "Address"], ["attempts", "Attempts", "number"],
            ["http_status", "HTTP", "number"], ["failure", "Failure"],
            ["took_ms", "Took (ms)", "number"],
            ["ended_at", "Given up", "time"],
            ["endpoint_id", "Endpoint", "id"], ["message_id", "Message", "id"],
            ["position", "Position", "number"],
        ],
    },
    approvals: {
        title: "Approvals", order: "acts that wait for a second person",
        filters: {
            state: ["waiting", "done", "rejected", "withdrawn", "failed",
                "expired"],
            merchant: null,
        },
        columns: [
            ["at", "Proposed", "time"], ["act", "Act"],
            ["state", "State", "status"], CHECKOUT, MERCHANT, ...MONEY,
            ["outcome", "To be settled as"],
            ["proposed_by", "Proposed by"], ["reason", "Reason"],
            ["until", "Expires", "time"], ["decided_by", "Decided by"],
            ["decided_at", "Decided", "time"], ["decided_why", "Why"],
            ["result", "Result"], ["object", "About", "id"],
            ["proposal_id", "Number", "number"],
        ],
    },
    acts: {
        title: "Who did what",
        order: "acts of staff and operators, newest first",
        filters: { person: null, act: null, object: null, merchant: null,
            from: null, to: null },
        columns: [
            ["at", "At", "time"], ["who", "Person"], ["act", "Act"],
            ["object", "Object", "id"], ["result", "Result", "status"],
            ["reason", "Reason"], CHECKOUT, MERCHANT, ["source", "By way of"],
            ["roles", "Roles"], ["detail", "Detail", "wide"],
            ["proposal_id", "Proposal", "number"],
            ["request_id", "Request", "id"], ["number", "Number", "id"],
        ],
    },
    audit: {
        title: "Audit", order: "seals of the event log, newest first",
        filters: {}, seconds: 0,
        columns: [
            ["number", "Seal", "number"], ["at", "Made", "time"],
            ["leaves", "Events", "number"], ["is_signed", "Signed"],
            ["key_id", "Key", "id"], ["root", "Merkle root", "id"],
            ["from_tx", "From transaction", "number"],
            ["until_tx", "Before transaction", "number"],
        ],
    },
};

// Tables inside of other pages; the schema's name is the key.
export const TABLES = {
    Found: [
        ["checkout_id", "Checkout", "checkout"], ["found_as", "Found as"],
        ["status", "Status", "status"], ...MONEY, PSP, MERCHANT,
        ["created_at", "Created", "time"],
        ["payment_order_id", "Order", "order"],
    ],
    Psp: [
        PSP, ["statuses.SUCCESS", "Paid", "number"],
        ["statuses.FAILED", "Failed", "number"],
        ["statuses.EXECUTING", "Under way", "number"],
        ["statuses.NOT_STARTED", "Not started", "number"],
        ["unknown", "Unknown calls", "unknown"],
        ["parked", "Parked webhooks", "inbox"],
        ["backfill_until", "Compared until", "time"],
        ["backfill_code", "Comparison's error"],
    ],
    NodePsp: [
        PSP, ["circuit", "Circuit breaker", "status"],
        ["opened", "Opened times", "number"],
        ["in_flight", "Calls under way", "number"],
        ["in_flight_max", "At most", "number"],
        ["calls", "Calls in the window", "number"],
        ["success_permille", "Good of 1,000", "number"],
        ["latency_ms", "Mean (ms)", "number"],
        ["p50_ms", "Half within (ms)", "number"],
        ["p95_ms", "95 % within (ms)", "number"],
        ["p99_ms", "99 % within (ms)", "number"],
        ["certificate", "Certificate", "status"],
        ["certificate_end", "Ends", "time"],
        ["certificate_issuer", "Issuer"], ["pinned", "Pinned"],
    ],
    Key: [
        ["place", "Of"], ["name", "Directive"], ["kid", "Name", "id"],
        ["word", "Word", "number"], ["state", "State", "status"],
        ["age_days", "Age (days)", "number"],
        ["changed_at", "Changed", "time"],
    ],
    Directive: [
        ["name", "Directive"], ["value", "Value", "wide"],
        ["is_set", "Set"],
    ],
    Endpoint: [
        ["url", "Address"], MERCHANT, ["state", "State", "status"],
        ["failures", "Failures in a row", "number"],
        ["failing_since", "Failing since", "time"],
        ["paused_until", "Paused until", "time"], ["reason", "Reason"],
        ["endpoint_id", "Endpoint", "id"],
    ],
    Account: [
        ["account", "Account"], ["class", "Class"], MERCHANT, PSP,
        ["balance", "Balance", "account"], ["currency", "Currency"],
        ["entries", "Entries", "number"],
    ],
    Ageing: [
        ["days", "Age in days"], ["family", "Kind"], MERCHANT, PSP,
        ["amount", "Amount", "amount"], ["currency", "Currency"],
        ["entries", "Entries", "number"], ["overdue", "Overdue", "number"],
        ["oldest_at", "Oldest", "time"], ["counted_at", "Counted", "time"],
    ],
    Balance: [
        ["source", "Source"], MERCHANT, PSP, ["currency", "Currency"],
        ["available", "Available", "amount"], ["pending", "Pending", "amount"],
        ["ledger", "Our ledger", "amount"],
        ["difference", "Difference", "amount"],
        ["verdict", "Verdict", "status"],
        ["looked_at", "Asked", "time"],
    ],
    Check: [
        ["name", "Check", "id"], ["rows", "Rows", "number"],
        ["at", "Run", "time"],
    ],
    LedgerLine: [
        ["at", "Booked", "time"], ["kind", "Entry"], ["account", "Account"],
        ["owner", "Owner", "id"], ["debit", "Debit", "amount"],
        ["credit", "Credit", "amount"], ["currency", "Currency"],
        ["rate", "Rate", "amount"], ["payment_order_id", "Order", "id"],
        ["source", "Source"], ["request_id", "Request", "id"],
    ],
};

// Acts about a payment, on its page.
export const ACTS = [
    ["at", "At", "time"], ["who", "Person"], ["act", "Act"],
    ["object", "About", "id"], ["result", "Result", "status"],
    ["reason", "Reason"], ["proposal_id", "Proposal", "number"],
    ["number", "Number", "id"],
];

// The parts of explain(), whose rows the document leaves open.
export const EVENTS = [
    ["at", "At", "time"], ["kind", "Event"], ["actor", "By"],
    ["old_status", "From"], ["new_status", "To"], ["reason", "Reason"],
    ["detail", "Detail", "wide"], ["request_id", "Request", "id"],
];
export const DISPATCHES = [
    ["first_sent_at", "First sent", "time"], ["operation", "Call"], PSP,
    ["state", "State", "status"], ["reach", "Bytes reached"],
    ["http_status", "HTTP", "number"], ["code", "PSP's code"],
    ["sends", "Sent times", "number"], ["attempt", "Attempt", "number"],
    ["ended_at", "Ended", "time"], ["reference", "PSP's id", "id"],
    ["key_until", "Key good until", "time"], ["operation_id", "About", "id"],
];

export const TILES = {
    unknown: "Calls with an unknown outcome",
    late: "Late payments held",
    letters: "Open dead letters",
    mismatches: "Open mismatches",
    disputes: "Open disputes",
    reviews: "Reviews open",
    escalated: "Reviews escalated",
    changes: "Changes under way",
    jobs_late: "Late jobs",
    inbox: "Parked webhooks",
    quarantine: "Webhooks in quarantine",
    deliveries: "Messages given up",
    failed: "Messages given up",
    due: "Messages due",
    exceptions: "Open exceptions",
    suspense: "Open exceptions",
    batches: "Batches to approve",
    payouts_unknown: "Pay-outs with an unknown outcome",
    payouts_returned: "Pay-outs returned",
};

export const STATUS_WORDS = {
    NOT_STARTED: "Not started", EXECUTING: "Under way", SUCCESS: "Paid",
    FAILED: "Failed",
};

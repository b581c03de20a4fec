// Acts of staff: which buttons there are, and the dialog that asks for a
// reason before anything is done.  PostgreSQL judges each act; a button that is
// missing only saves a refusal.

import { refresh, tell } from "./api.js";
import { html, useEffect, useRef, useState } from "./html.js";
import { useCell } from "./route.js";
import { Facts, Time } from "./table.js";

const WAITS = "Nothing moves yet: another person with the role "
    + "finance-approver decides within 24 hours.";
// Title, the button's words, and what happens then.
const ACTS = {
    requeue: {
        title: "Try again", button: "Try again",
        words: "The gateway does this work again, now and with all its "
            + "attempts. The PSP gets the same key as before, so that nothing "
            + "is paid twice. The dead letter is closed.",
    },
    disable: {
        title: "Disable an endpoint", button: "Disable",
        words: "This address gets no more messages. Those that are due end as "
            + "failed, and can be sent again when it is enabled.",
    },
    enable: {
        title: "Enable an endpoint", button: "Enable",
        words: "This address gets messages again from now on. Earlier ones "
            + "are sent again by payctl events replay.",
    },
    refund: {
        title: "Propose a refund", button: "Propose", fields: Refund,
        words: `Money goes back to the buyer when this is approved. ${WAITS}`,
    },
    settle: {
        title: "Propose an outcome", button: "Propose", fields: Settle,
        words: "The gateway does not know whether the PSP has done this. Ask "
            + "the PSP first: the outcome that you state is booked, and no "
            + `call is made. ${WAITS}`,
    },
    approve: {
        title: "Approve", button: "Approve",
        words: "It is done at once, and cannot be taken back here.",
    },
    reject: {
        title: "Reject", button: "Reject",
        words: "The proposal ends, and nothing moves.",
    },
    withdraw: {
        title: "Withdraw", button: "Withdraw",
        words: "Your proposal ends, and nothing moves.",
    },
    proof: {
        title: "Proof of an order", button: "Make the proof",
        words: "The file has all that a dispute needs, also what is kept of "
            + "the buyer. Your name and the reason are written down.",
    },
};

export function may(me, act, step = "act") {
    return me.acts.some(each => each.act === act && each.step === step);
}

function Refund({ subject }) {
    return html`<label for="act-amount">Amount in ${subject.currency}</label>
        <input id="act-amount" name="amount" required autocomplete="off"
            inputmode="decimal" maxlength="20"
            onFocus=${event => event.target.select()}
            defaultValue=${subject.refundable} />`;
}

function Settle() {
    return html`<fieldset><legend>The PSP says</legend>
        <label><input type="radio" name="outcome" value="done" required />
            it was done</label>
        <label><input type="radio" name="outcome" value="failed" required />
            it was not done</label></fieldset>`;
}

function Problem({ problem }) {
    return problem ? html`<div class="notice bad" role="alert">
        <p>${problem.title || problem.words}</p>
        ${problem.detail ? html`<p>${problem.detail}</p>` : ""}
        ${problem.instance ? html`<p>Request <span
            class="id">${problem.instance}</span></p>` : ""}</div>` : "";
}

function Done({ answer, zone, onClose }) {
    const button = useRef(null);
    useEffect(() => button.current.focus(), []);
    return html`<div class="notice good" role="status">
        <p>${answer.result === "waiting"
        ? html`Proposed as number ${answer.proposal_id}. It waits for another
            person until <${Time} at=${answer.until} zone=${zone} />.`
        : `Done: ${answer.result}.`}</p></div>
        <p class="tools"><button type="button" ref=${button}
            onClick=${onClose}>Close</button></p>`;
}

// The browser's own dialog: it keeps the keyboard inside, ends with Escape, and
// gives the focus back to the button that has opened it.
function Dialog({ act, subject, cell, zone = "UTC", onEnd, onAnswer }) {
    const dialog = useRef(null);
    const request = useRef(crypto.randomUUID());
    const [{ problem, answer, isBusy }, setState] = useState({});
    const { title, words, button, fields: Fields } = ACTS[act];

    useEffect(() => dialog.current.showModal(), []);

    async function send(event) {
        event.preventDefault();
        const values = Object.fromEntries(new FormData(event.target));
        setState({ isBusy: true });
        const got = await tell(act, { request: request.current,
            ...subject.body, ...values }, cell);
        if (got.problem) {
            setState({ problem: got.problem });
            return;
        }
        refresh();
        if (onAnswer) {
            dialog.current.close();
            onAnswer(got.text);
        } else {
            setState({ answer: JSON.parse(got.text) });
        }
    }

    const close = () => dialog.current.close();
    return html`<dialog ref=${dialog} aria-labelledby="act-title"
        onClose=${onEnd}>
        <h2 id="act-title">${title}</h2>
        <${Facts} facts=${subject.facts} />
        ${answer ? html`<${Done} answer=${answer} zone=${zone}
            onClose=${close} />`
        : html`<p>${words}</p>
        <form onSubmit=${send}>
            ${Fields ? html`<${Fields} subject=${subject} />` : ""}
            <label for="act-reason">Reason</label>
            <textarea id="act-reason" name="reason" rows="3" maxlength="200"
                required></textarea>
            <${Problem} problem=${problem} />
            <p class="tools"><button disabled=${Boolean(isBusy)}>${
                button}</button>
                <button type="button" class="quiet"
                    onClick=${close}>Cancel</button></p>
        </form>`}
    </dialog>`;
}

let show = () => {};

// The place of the dialog: it outlives the row whose button has opened it,
// which may be gone when the act is done.
export function Dialogs() {
    const [opened, setOpened] = useState(null);
    useEffect(() => {
        show = setOpened;
    }, []);
    return opened ? html`<${Dialog} ...${opened}
        onEnd=${() => setOpened(null)} />` : "";
}

// A button with the dialog behind it.  subject: {body, facts, …}.
export function Act({ label, about, ...dialog }) {
    const cell = useCell();
    return html`<button type="button" class="quiet" aria-haspopup="dialog"
        aria-label=${`${label} ${about}`}
        onClick=${() => show({ ...dialog, cell })}>${label}</button>`;
}

function letterActs(me) {
    return may(me, "requeue") ? row => row.state === "open" ? html`<${Act}
        act="requeue" label="Try again" about=${row.dead_letter_id}
        subject=${{ body: { object: String(row.dead_letter_id) },
        facts: [["Kind", row.kind], ["Reason", row.reason],
            ["Checkout", row.checkout_id]] }} />` : "" : null;
}

function endpointActs(me) {
    if (!may(me, "disable")) {
        return null;
    }
    return row => {
        const isOn = row.state !== "disabled";
        return html`<${Act} act=${isOn ? "disable" : "enable"}
            label=${isOn ? "Disable" : "Enable"} about=${row.endpoint_id}
            subject=${{ body: { object: row.endpoint_id },
        facts: [["Address", row.url], ["Merchant", row.merchant_id]] }} />`;
    };
}

function deliveryActs(me) {
    return may(me, "disable") ? row => html`<${Act} act="disable"
        label="Disable the endpoint" about=${row.endpoint_id}
        subject=${{ body: { object: row.endpoint_id },
        facts: [["Address", row.url], ["Merchant", row.merchant_id]] }} />`
        : null;
}

export function changeActs(me, checkout = {}) {
    return may(me, "settle", "propose") ? row =>
        ["NOT_STARTED", "EXECUTING"].includes(row.status) ? html`<${Act}
            act="settle" label="Settle" about=${row.change_id}
            subject=${{ body: { object: row.change_id,
            merchant: row.merchant_id || checkout.merchant_id },
        facts: [["Kind", row.kind],
            ["Amount", `${row.amount} ${row.currency}`]] }} />` : "" : null;
}

export function proposalActs(me) {
    return row => {
        if (row.state !== "waiting") {
            return "";
        }
        const acts = row.proposed_by === me.staff ? ["withdraw"]
            : may(me, row.act, "approve") ? ["approve", "reject"] : [];
        return acts.map(act => html`<${Act} key=${act} act=${act}
            label=${ACTS[act].button} about=${row.proposal_id}
            subject=${{ body: { object: String(row.proposal_id) }, facts: [
            ["Act", row.outcome ? `${row.act} as ${row.outcome}` : row.act],
            ["Amount", `${row.amount} ${row.currency}`],
            ["Checkout", row.checkout_id], ["Proposed by", row.proposed_by],
            ["Their reason", row.reason]] }} />`);
    };
}

// The buttons of a table's rows, or null where these roles have none.
export function actionsOf(page, me) {
    const makers = { letters: letterActs, webhooks: endpointActs,
        deliveries: deliveryActs, changes: changeActs,
        approvals: proposalActs };
    return me.can_act && makers[page] ? makers[page](me) : null;
}

export function OrderActs({ payment, order, me, zone, onProof }) {
    const id = order.payment_order_id;
    const body = { object: id, merchant: payment.merchant_id };
    const { currency } = payment;
    const canRefund = me.can_act && may(me, "refund", "propose")
        && Number(order.refundable) > 0;
    const canProve = me.can_act && may(me, "proof");
    if (!canRefund && !canProve) {
        return "";
    }
    return html`<p class="tools">
        ${canRefund ? html`<${Act} act="refund" label="Propose a refund"
            about=${`of ${id}`} zone=${zone} subject=${{ currency,
        refundable: order.refundable, body: { ...body, currency },
        facts: [["Order", id],
            ["Refundable", `${order.refundable} ${currency}`]] }} />` : ""}
        ${canProve ? html`<${Act} act="proof" label="Proof"
            about=${`of ${id}`} subject=${{ body, facts: [["Order", id]] }}
            onAnswer=${onProof} />` : ""}
    </p>`;
}

// Money on its way: open payments by age, and a settlement file from gross to
// net.

import { Bars, barsOf } from "./bars.js";
import { Data } from "./data.js";
import { html } from "./html.js";
import { useAddress } from "./route.js";
import { Facts, Table, Time } from "./table.js";

const LIVE_S = 30;
const AGES = [["older", "more than 7 days"], ["under_7d", "1 to 7 days"],
    ["under_1d", "1 hour to a day"], ["under_1h", "15 minutes to an hour"],
    ["under_15m", "up to 15 minutes"]];
const AGE_WORDS = Object.fromEntries(AGES);
const PARTS = {
    gross: "Gross", fees: "Fees", refunds: "Refunds", disputes: "Disputes",
    other: "Other", net: "Net", paid: "Paid out",
};

export function Flight({ route }) {
    const { zone, query } = route;
    const addressOf = useAddress();
    return html`<${Data} page="flight" query=${query} seconds=${LIVE_S}
        zone=${zone}>${data => {
    const ages = AGES.map(([id, label]) => ({
        label, count: data.items.filter(each => each.age === id).reduce(
            (sum, each) => sum + each.count, 0),
    }));
    const rows = data.items.map(each => ({
        ...each, age: AGE_WORDS[each.age],
        links: { count: addressOf(each.link.page, each.link.query) },
    }));
    return html`
        <p>Payments that are neither paid nor failed${data.counted_at ? html`,
            counted until <${Time} at=${data.counted_at}
            zone=${zone} />` : ""}.</p>
        <${Bars} label="Open payments by age" bars=${barsOf(ages)} />
        <${Table} caption="Open payments by age, PSP and state"
            columns=${[["age", "Age"], ["psp", "PSP"],
        ["state", "State", "status"], ["count", "Payments", "linked"],
        ["amount", "Amount", "amount"], ["currency", "Currency"]]}
            rows=${rows} zone=${zone} name="flight" />`;
}}<//>`;
}

// Each part begins where the one before it ended; the net begins at nothing.
function fallOf(steps) {
    const bars = [];
    let sum = 0;
    for (const { part, amount, link } of steps) {
        const value = Number(amount);
        const isSum = part === "net";
        const from = isSum ? 0 : sum;
        sum = isSum ? sum : sum + value;
        bars.push({ label: PARTS[part], text: amount, link, isSum, from,
            to: isSum ? value : sum });
    }
    const ends = bars.flatMap(({ from, to }) => [from, to]);
    const least = Math.min(0, ...ends), span = Math.max(...ends) - least || 1;
    return bars.map(bar => ({ ...bar, from: (bar.from - least) / span,
        to: (bar.to - least) / span }));
}

function Fall({ each, zone }) {
    const addressOf = useAddress();
    const rows = each.steps.map(step => ({
        ...step, part: PARTS[step.part],
        links: { rows: addressOf(step.link.page, step.link.query) },
    }));
    const title = `From gross to net in ${each.currency}`;
    return html`<section class="plot"><h2>${title}</h2>
        <${Bars} label=${title} bars=${fallOf(each.steps)} isAmount=${true} />
        <${Table} caption=${title} columns=${[["part", "Part"],
        ["amount", each.currency, "amount"], ["rows", "Rows", "linked"]]}
            rows=${rows} zone=${zone} name="waterfall" /></section>`;
}

export function Waterfall({ route }) {
    const { zone, query } = route;
    return html`<${Data} page="waterfall" query=${query} seconds=${0}
        zone=${zone}>${({ file, currencies }) => file === null ? html`
        <p class="empty">No settlement file is booked yet.</p>` : html`
        <${Facts} facts=${[
        ["File", html`<bdi>${file.name}</bdi>`], ["Number", file.file_id],
        ["Source", file.source], ["PSP", file.psp],
        ["Merchant", file.merchant_id], ["State", file.state],
        ["Received", html`<${Time} at=${file.received_at} zone=${zone} />`],
    ]} />
        ${currencies.length === 0 ? html`<p class="empty">It has no rows.</p>`
        : currencies.map(each => html`<${Fall} key=${each.currency}
            each=${each} zone=${zone} />`)}`}<//>`;
}

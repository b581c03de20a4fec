// The page of plots: payments by the time of their creation, from roll-ups.
// Each figure of its tables leads to the rows that it counts.

import { usePage } from "./api.js";
import { Bars, barsOf } from "./bars.js";
import { Data } from "./data.js";
import { Heat } from "./heat.js";
import { html } from "./html.js";
import { Filters } from "./pages.js";
import { Plot } from "./plot.js";
import { useAddress } from "./route.js";
import { Amount, Table, Time } from "./table.js";

const LIVE_S = 60;
const FORM = {
    filters: {
        step: ["minute", "hour", "day"], psp: null, method: null,
        currency: null, merchant: null, from: null, to: null,
    },
    spans: [["Last 3 hours", 3, { step: "minute" }],
        ["Last day", 24, { step: "hour" }],
        ["Last 7 days", 168, { step: "hour" }],
        ["Last 90 days", 2160, { step: "day" }]],
};
const OUTCOMES = [["success", "Paid", { outcome: "success" }],
    ["failed", "Failed", { outcome: "failed" }],
    ["expired", "Expired", { outcome: "expired" }],
    ["executing", "Under way", { status: "EXECUTING" }],
    ["not_started", "Not started", { status: "NOT_STARTED" }]];
const QUANTILES = [["p50_ms", "Median"], ["p95_ms", "95 %"],
    ["p99_ms", "99 %"]];
const TIMES = [["registered", "From creation to the PSP's page"],
    ["called", "The PSP's answer to later calls"]];

const WEEK_MS = 7 * 86400000;
const BEFORE = "A week before";

const secondsOf = iso => Date.parse(iso) / 1000;

function percent(share) {
    return share === null || share === undefined ? "none"
        : `${(100 * share).toFixed(1)} %`;
}

function millis(ms) {
    return ms === null || ms === undefined ? "none"
        : ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`;
}

function whole(value) {
    return value === null || value === undefined ? "none"
        : Number.isInteger(value) ? String(value) : value.toFixed(1);
}

// What all plots of the page share.
function frame(data, isYoung) {
    return {
        at: data.steps.map(({ at }) => secondsOf(at)), to: secondsOf(data.to),
        youngFrom: isYoung ? secondsOf(data.young_from) : null,
    };
}

function spanOf(data, n) {
    return { from: data.steps[n].at, to: data.steps[n + 1]?.at || data.to };
}

function linkTo(data, n, more) {
    return data.addressOf("payments",
        { ...data.filter, ...spanOf(data, n), ...more });
}

function rowsOf(data, make) {
    return data.steps.map((step, n) => ({ at: step.at, ...make(step, n) }));
}

function shifted(iso) {
    return new Date(Date.parse(iso) - WEEK_MS).toISOString().replace(
        /\.[0-9]+Z$/, "Z");
}

// The plot with the figure of the same steps a week earlier, where there were
// payments: a line, and a column with links.  A night on which clocks change
// may have a step more or less.
function withBefore(plot, data, before, figure, format, more) {
    if (!before || before.totals.outcomes.every(({ count }) => count === 0)) {
        return plot;
    }
    const at = n => n < before.steps.length ? figure(before.steps[n], n) : null;
    return {
        ...plot,
        before: { label: BEFORE, values: data.steps.map((step, n) => {
            const value = at(n);
            return value === null || value === undefined ? null
                : Number(value);
        }) },
        columns: [...plot.columns, ["before", BEFORE, "linked"]],
        rows: plot.rows.map((row, n) => n >= before.steps.length ? row : {
            ...row, before: format(at(n)),
            links: { ...row.links, before: linkTo(before, n, more) },
        }),
    };
}

function sumOf(step) {
    return OUTCOMES.reduce((sum, [id]) => sum + step[id], 0);
}

function outcomes(data) {
    const tiles = Object.fromEntries(data.totals.outcomes.map(
        ({ id, count }) => [id, count]));
    const total = Object.values(tiles).reduce((sum, each) => sum + each, 0);
    return {
        ...frame(data, true), name: "outcomes", isStack: true,
        title: "Payments by outcome", format: whole,
        summary: `${total} payments: ${OUTCOMES.map(([id, label]) =>
            `${tiles[id]} ${label.toLowerCase()}`).join(", ")}.`,
        series: OUTCOMES.map(([id, label]) => ({
            label, values: data.steps.map(step => step[id]),
        })),
        columns: [["at", "From", "time"], ...OUTCOMES.map(([id, label]) =>
            [id, label, "linked"])],
        rows: rowsOf(data, (step, n) => ({
            ...step, links: Object.fromEntries(OUTCOMES.map(([id, , more]) =>
                [id, linkTo(data, n, more)])),
        })),
    };
}

function success(data) {
    const { success_rate: rate, finished_rate: all } = data.totals;
    return {
        ...frame(data, true), name: "success", most: 1, format: percent,
        title: "Success rate",
        summary: `${percent(rate)} of the payments that were paid or failed, `
            + `${percent(all)} if the expired ones count as failed.`,
        series: [
            ["success_rate", "Paid of paid and failed"],
            ["finished_rate", "Paid of all that have ended"],
        ].map(([id, label]) => ({
            label, values: data.steps.map(step => step[id]),
        })),
        columns: [["at", "From", "time"], ["rate", "Success rate", "number"],
            ["all", "With expired", "number"], ["ended", "Ended", "linked"]],
        rows: rowsOf(data, (step, n) => ({
            rate: percent(step.success_rate), all: percent(step.finished_rate),
            ended: step.success + step.failed + step.expired,
            links: { ended: linkTo(data, n, {}) },
        })),
    };
}

function acceptance(data) {
    const { approved, declined } = data.steps.reduce((sum, step) => ({
        approved: sum.approved + step.approved,
        declined: sum.declined + step.declined,
    }), { approved: 0, declined: 0 });
    return {
        ...frame(data, false), name: "acceptance", most: 1, format: percent,
        title: "Acceptance rate by PSP",
        summary: `${approved} of ${approved + declined} attempts to pay were `
            + "approved.",
        series: data.psps.map(({ psp, rates }) => ({
            label: psp, values: rates,
        })),
        columns: [["at", "From", "time"], ...data.psps.map(({ psp }, i) =>
            [`rate${i}`, psp, "linked"])],
        rows: rowsOf(data, (step, n) => ({
            ...Object.fromEntries(data.psps.map(({ rates }, i) =>
                [`rate${i}`, rates[n] === null ? null : percent(rates[n])])),
            links: Object.fromEntries(data.psps.map(({ psp }, i) =>
                [`rate${i}`, linkTo(data, n, { psp })])),
        })),
    };
}

function volume(data, each) {
    const { currency, amount, count, amounts } = each;
    return {
        ...frame(data, true), name: `volume-${currency}`, isStepped: true,
        title: `Volume in ${currency}`, format: whole,
        summary: `${amount} ${currency} in ${count} paid payments.`,
        series: [{ label: currency, values: amounts.map(Number) }],
        columns: [["at", "From", "time"], ["amount", currency, "linked"]],
        rows: rowsOf(data, (step, n) => ({
            amount: amounts[n],
            links: { amount: linkTo(data, n, { currency,
                outcome: "success" }) },
        })),
    };
}

function amountBefore(before, currency, n) {
    return before.volume.find(each => each.currency === currency)
        ?.amounts[n] ?? "0";
}

function latency(data, id, title) {
    const total = data.totals[id];
    return {
        ...frame(data, false), name: id, title, format: millis,
        summary: `${total.count} times: ${QUANTILES.map(([key, label]) =>
            `${label.toLowerCase()} ${millis(total[key])}`).join(", ")}.`,
        series: QUANTILES.map(([key, label]) => ({
            label, values: data.steps.map(step => step[id][key]),
        })),
        columns: [["at", "From", "time"], ["count", "Times", "linked"],
            ...QUANTILES.map(([key, label]) => [key, label, "number"])],
        rows: rowsOf(data, (step, n) => ({
            count: step[id].count, links: { count: linkTo(data, n, {}) },
            ...Object.fromEntries(QUANTILES.map(([key]) =>
                [key, millis(step[id][key])])),
        })),
    };
}

function Histogram({ classes, title }) {
    const shown = classes.filter(({ count }) => count > 0);
    return shown.length === 0 ? "" : html`<${Bars} label=${`${title}: classes`}
        bars=${barsOf(shown.map(each => ({
        count: each.count, label: each.to_ms === null
            ? `from ${millis(each.from_ms)}`
            : `${millis(each.from_ms)} to ${millis(each.to_ms)}`,
    })))} />`;
}

function Rates({ data, zone }) {
    const addressOf = useAddress();
    const rows = data.rates.map(each => ({
        ...each, method: each.method === "-" ? "none named" : each.method,
        asked: each.approved + each.declined, share: percent(each.rate),
        links: { asked: addressOf(each.link.page, each.link.query) },
    }));
    return html`<${Table} caption="Attempts to pay by PSP, method and currency"
        columns=${[["psp", "PSP"], ["method", "Method"],
        ["currency", "Currency"], ["asked", "Attempts", "linked"],
        ["approved", "Approved", "number"], ["declined", "Declined", "number"],
        ["share", "Rate", "number"]]} rows=${rows} zone=${zone}
        name="rates" />`;
}

function Declines({ declines }) {
    const rows = declines.codes.map(({ code, count, link }) => ({
        label: code, count, link }));
    if (declines.other) {
        rows.push({ label: "other codes", count: declines.other });
    }
    return html`<section class="plot"><h2>Declines by code</h2>
        ${rows.length === 0 ? html`<p class="empty">None.</p>` : html`
        <p>Payments by the code of their last declined attempt, the ten most
            frequent.</p>
        <${Bars} label="Declines by code" bars=${barsOf(rows)} />`}</section>`;
}

function Content({ data: found, zone, query }) {
    const addressOf = useAddress(), data = { ...found, addressOf };
    const { data: past } = usePage("plots", { ...query, step: data.step,
        from: shifted(data.from), to: shifted(data.to) }, 0);
    const before = past && { ...past, addressOf };
    return html`
        <p>Payments created from <${Time} at=${data.from} zone=${zone} /> to
            ${" "}<${Time} at=${data.to} zone=${zone} />, by ${data.step}${
    data.counted_at ? html`, counted until <${Time} at=${data.counted_at}
            zone=${zone} />` : ""}.</p>
        <${Plot} plot=${withBefore(outcomes(data), data, before, sumOf,
        whole, {})} zone=${zone} />
        <${Plot} plot=${withBefore(success(data), data, before,
        step => step.success_rate, percent, {})} zone=${zone} />
        ${data.psps.length ? html`<${Plot} plot=${acceptance(data)}
            zone=${zone} />` : ""}
        <${Rates} data=${data} zone=${zone} />
        ${data.volume.map(each => html`<${Plot} key=${each.currency}
            plot=${withBefore(volume(data, each), data, before,
        (step, n) => amountBefore(before, each.currency, n), amount => amount,
        { currency: each.currency, outcome: "success" })}
            zone=${zone} />`)}
        ${TIMES.map(([id, title]) => data.totals[id].count ? html`
            <${Plot} plot=${latency(data, id, title)} zone=${zone} />
            <${Histogram} classes=${data.totals[id].histogram}
                title=${title} />` : "")}
        <${Declines} declines=${data.declines} />
        ${data.step === "hour" ? html`<${Heat} steps=${data.steps} zone=${zone}
            linkTo=${n => linkTo(data, n, {})} />` : ""}`;
}

export function Plots({ route }) {
    const { zone, query } = route;
    const asked = zone === "UTC" ? query : { ...query, zone };
    return html`<${Data} page="plots" query=${asked} seconds=${LIVE_S}
        zone=${zone}>${data => html`
        <${Content} data=${data} zone=${zone} query=${asked} />`}<//>`;
}

export function PlotFilters({ route }) {
    return html`<${Filters} key=${JSON.stringify(route)} name="plots"
        list=${FORM} route=${route} />`;
}

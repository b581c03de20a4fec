// The frame of a page: its heading, the data of a page of the API, and in words
// when there is none or none that is new.

import { usePage } from "./api.js";
import { html, useEffect, useRef } from "./html.js";
import { Time } from "./table.js";

// After a move the focus is on the heading, as after a load of a page.
export function Heading({ title, route }) {
    const heading = useRef(null);
    useEffect(() => {
        document.title = `${title} – Payments console`;
        if (route.isMove) {
            heading.current?.focus({ preventScroll: true });
            scrollTo(0, 0);
        }
    }, [title, route]);
    return html`<h1 ref=${heading} tabindex="-1">${title}</h1>`;
}

function Trouble({ problem, at, zone }) {
    return html`<div class="notice bad" role="alert">
        <p>${problem.words}</p>
        ${problem.detail ? html`<p>${problem.detail}</p>` : ""}
        ${at ? html`<p>Below is the data of <${Time} at=${at}
            zone=${zone} />.</p>` : ""}
        ${problem.instance ? html`<p>Request <span
            class="id">${problem.instance}</span></p>` : ""}
    </div>`;
}

// children is a function of the data; count says how many rows they are.
export function Data({ page, query, seconds, zone, count, children }) {
    const { data, at, problem, isLoading } = usePage(page, query, seconds);
    const rows = data && count ? count(data) : null;
    return html`
        ${problem && problem.status !== 401 ? html`<${Trouble}
            problem=${problem} at=${data ? at : null} zone=${zone} />` : ""}
        <p class="hidden" role="status">${isLoading ? "Loading …"
            : rows === null ? "" : rows === 1 ? "1 row" : `${rows} rows`}</p>
        ${isLoading ? html`<p class="empty" aria-hidden="true">Loading …</p>`
            : ""}
        ${data ? children(data) : ""}
        ${data && !problem ? html`<p class="age">As of <${Time} at=${at}
            zone=${zone} />${seconds ? ", kept up to date" : ""}.</p>` : ""}`;
}

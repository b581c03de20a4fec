// How disputes have ended.

import { html } from "./html.js";

// Of those that were decided; of few a share says nothing.
export function WinRate({ rate }) {
    const { days, won, lost, open } = rate;
    const decided = won + lost;
    return html`<p class="rate">Opened in the last ${days} days: ${won} won,
        ${" "}${lost} lost, ${open} not decided.${decided > 0
    ? ` Won of those that were decided: ${shareOf(won, decided)}.` : ""}</p>`;
}

function shareOf(part, whole) {
    return new Intl.NumberFormat("en", { style: "percent",
        maximumFractionDigits: 1 }).format(part / whole);
}

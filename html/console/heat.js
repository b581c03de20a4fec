// Declined attempts by weekday and hour of the zone: a table whose cells are
// the darker the more there are; each one has its figure.

import { html } from "./html.js";
import { useLabel } from "./route.js";
import { timeText } from "./text.js";

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
    "Saturday", "Sunday"];
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);
const SHADES = 4;

// {count, steps: their places} of each day and hour that the steps have.
function cellsOf(steps, zone) {
    const cells = DAYS.map(() => HOURS.map(() => ({ count: 0, steps: [] })));
    steps.forEach(({ at, declined }, n) => {
        const text = timeText(at, zone);
        const day = new Date(`${text.slice(0, 10)}T00:00:00Z`).getUTCDay();
        const cell = cells[(day + 6) % 7][Number(text.slice(11, 13))];
        cell.count += declined;
        cell.steps.push(n);
    });
    return cells;
}

// linkTo(n) is the address of the payments of a step; a cell of several weeks
// has none.
export function Heat({ steps, zone, linkTo }) {
    const cells = cellsOf(steps, zone);
    const most = Math.max(...cells.flat().map(({ count }) => count));
    if (most === 0) {
        return "";
    }
    const title = "Declined attempts by weekday and hour";
    const label = useLabel()(title);

    function cell({ count, steps: [n, ...others] }, hour) {
        const shade = Math.ceil(SHADES * count / most);
        return html`<td data-label=${`${hour}:00`} class=${`figure heat-${shade}
            ${count === 0 ? "none" : ""}`}>${n === undefined ? ""
            : count === 0 || others.length ? count
                : html`<a href=${linkTo(n)}>${count}</a>`}</td>`;
    }

    return html`<section class="plot"><h2>${title}</h2>
        <p>Hours are those of ${zone}.</p>
        <div class="scroll" role="region" tabindex="0" aria-label=${label}>
        <table class="heat">
        <thead><tr><th scope="col">Day</th>${HOURS.map(hour => html`
            <th scope="col" class="figure">${hour}</th>`)}</tr></thead>
        <tbody>${DAYS.map((day, n) => html`<tr><th scope="row">${day}</th>${
    cells[n].map(cell)}</tr>`)}</tbody>
        </table></div></section>`;
}

// Bars that lie: each with its words and its figure, so that they need no table
// beside them, and no library.

import { html } from "./html.js";
import { useAddress } from "./route.js";
import { loadStyle } from "./style.js";
import { Amount } from "./table.js";

await loadStyle("plots.css");

// bars: [{label, text, from, to, link, isSum}]; from and to are shares of the
// whole width, 0 to 1.
export function Bars({ label, bars, isAmount }) {
    const addressOf = useAddress();
    return html`<ul class="bars" aria-label=${label}>${bars.map(bar => {
        const figure = isAmount ? html`<${Amount} text=${bar.text} />`
            : bar.text;
        const place = element => element && Object.assign(element.style, {
            marginInlineStart: `${100 * Math.min(bar.from, bar.to)}%`,
            width: `${100 * Math.abs(bar.to - bar.from)}%`,
        });
        const mood = bar.from === bar.to ? "none" : bar.isSum ? "sum"
            : bar.to < bar.from ? "less" : "more";
        return html`<li>
            <span class="name"><bdi>${bar.label}</bdi></span>
            <span class="track"><span class=${`bar ${mood}`}
                ref=${place}></span></span>
            <span class="figure">${bar.link ? html`<a
                href=${addressOf(bar.link.page, bar.link.query)}
                >${figure}</a>` : figure}</span>
        </li>`;
    })}</ul>`;
}

// Bars that begin at nothing.
export function barsOf(rows) {
    const most = Math.max(1, ...rows.map(({ count }) => count));
    return rows.map(({ label, count, link }) => ({
        label, text: String(count), from: 0, to: count / most, link,
    }));
}

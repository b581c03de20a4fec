// One plot: a canvas of uPlot, and beside it all that a canvas cannot say: a
// legend with dashes, a sentence, the figures under the pointer, and a table
// with a link from each figure to its rows.

import { html, useEffect, useRef, useState } from "./html.js";
import { loadStyle } from "./style.js";
import { Table } from "./table.js";
import { timeText } from "./text.js";
import uPlot from "./vendor/uplot.js";

const HEIGHT = 240;
const AXIS = 64;
// a dash tells lines apart where a colour does not
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [4, 4], [12, 4], [2, 6],
    [6, 2, 2, 2, 2, 2]];
const DARK = "(prefers-color-scheme: dark)";

// colours come from it: no plot is drawn before
await Promise.all([loadStyle("plots.css"), loadStyle("vendor/uplot.css")]);

function colour(name) {
    return getComputedStyle(document.documentElement)
        .getPropertyValue(name).trim();
}

function paint(n) {
    return colour(`--plot-${n % 8 + 1}`);
}

// Of a stack the upper edge of each area; the highest is drawn first, so that
// each covers what is below it.
function edgesOf(series) {
    const sums = series[0].values.map(() => 0);
    return series.map(({ values }) => values.map((value, i) => {
        sums[i] += value || 0;
        return sums[i];
    }));
}

function dataOf(plot) {
    const steps = [...plot.at, plot.to];
    const lines = plot.isStack ? edgesOf(plot.series).reverse()
        : plot.series.map(({ values }) => values);
    // the last value holds until the end of its step
    return [steps, ...lines.map(each => [...each, each[each.length - 1]])];
}

function lineOf(plot, n, label) {
    const stepped = uPlot.paths.stepped({ align: 1 });
    return {
        label, stroke: paint(n), width: 2, dash: DASHES[n % 8],
        fill: plot.isStack ? paint(n) : undefined,
        paths: plot.isStack || plot.isStepped ? stepped : undefined,
        spanGaps: false, points: { show: !plot.isStack && !plot.isStepped,
            size: 5, fill: paint(n) },
    };
}

function shade(u, from) {
    const left = Math.max(u.valToPos(from, "x", true), u.bbox.left);
    const right = u.bbox.left + u.bbox.width;
    if (left < right) {
        u.ctx.save();
        u.ctx.fillStyle = colour("--plot-young");
        u.ctx.fillRect(left, u.bbox.top, right - left, u.bbox.height);
        u.ctx.restore();
    }
}

// The clock of the zone, and the day where it changes.
function clockOf(ticks, zone) {
    let last = "";
    return ticks.map(each => {
        const text = timeText(new Date(each * 1000).toISOString(), zone);
        const day = text.slice(0, 10);
        const words = day === last ? "" : `\n${day}`;
        last = day;
        return text.slice(11, 16) + words;
    });
}

function optionsOf(plot, zone, width, onMove) {
    const text = colour("--text"), line = colour("--line");
    const axis = { stroke: text, grid: { stroke: line, width: 1 },
        ticks: { stroke: line, width: 1 }, font: "12px system-ui, sans-serif" };
    const names = plot.series.map(({ label }, n) => [n, label]);
    if (plot.isStack) {
        names.reverse();
    }
    return {
        width, height: HEIGHT, legend: { show: false },
        tzDate: seconds => uPlot.tzDate(new Date(seconds * 1000), zone),
        cursor: { y: false, drag: { x: false, y: false },
            points: { show: false } },
        scales: { y: { range: (u, least, most) => [0, plot.most
            || (most > 0 ? most * 1.05 : 1)] } },
        axes: [{ ...axis, space: 70, values: (u, ticks) =>
            clockOf(ticks, zone) }, { ...axis, size: AXIS, values: (u, ticks) =>
            ticks.map(each => plot.format(each)) }],
        series: [{}, ...names.map(([n, label]) => lineOf(plot, n, label))],
        hooks: {
            draw: [u => plot.youngFrom && shade(u, plot.youngFrom)],
            setCursor: [u => onMove(u.cursor.idx)],
        },
    };
}

function Canvas({ plot, zone, onMove }) {
    const place = useRef(null);
    useEffect(() => {
        const element = place.current;
        let u = null;
        function draw() {
            u?.destroy();
            u = new uPlot(
                optionsOf(plot, zone, element.clientWidth, onMove),
                dataOf(plot), element);
        }
        draw();
        const theme = matchMedia(DARK);
        theme.addEventListener("change", draw);
        const size = new ResizeObserver(() => {
            if (element.clientWidth !== u.width) {
                u.setSize({ width: element.clientWidth, height: HEIGHT });
            }
        });
        size.observe(element);
        return () => {
            theme.removeEventListener("change", draw);
            size.disconnect();
            u.destroy();
        };
    }, [plot, zone]);
    return html`<div class="canvas" ref=${place} role="img"
        aria-label=${`${plot.title}. ${plot.summary}`}></div>`;
}

function Legend({ series }) {
    return html`<ul class="legend">${series.map(({ label }, n) => html`<li>
        <svg width="28" height="12" aria-hidden="true" class=${
    `plot-${n % 8 + 1}`}><line x1="0" y1="6" x2="28" y2="6"
            stroke-width="4" stroke="currentColor"
            stroke-dasharray=${DASHES[n % 8].join(" ") || null} /></svg>
        <bdi>${label}</bdi></li>`)}</ul>`;
}

function Readout({ plot, index, zone }) {
    const at = plot.at[index];
    if (index === null || at === undefined) {
        return html`<p class="readout" aria-hidden="true">${
            plot.youngFrom && plot.youngFrom < plot.to
                ? "Grey: too young to be judged." : " "}</p>`;
    }
    const iso = new Date(at * 1000).toISOString();
    return html`<p class="readout" aria-hidden="true">${timeText(iso, zone)}: ${
        plot.series.map(({ label, values }) =>
            `${label} ${plot.format(values[index])}`).join(", ")}</p>`;
}

// plot: {title, summary, at (seconds), to, series: [{label, values}], format,
// isStack, isStepped, most, youngFrom, columns, rows, name}.
export function Plot({ plot, zone }) {
    const [index, setIndex] = useState(null);
    const [isTable, setTable] = useState(false);
    const verb = isTable ? "Hide table" : "Show as table";
    return html`<div class="plot">
        <h2>${plot.title}</h2>
        <p>${plot.summary}</p>
        <${Canvas} plot=${plot} zone=${zone} onMove=${setIndex} />
        <${Readout} plot=${plot} index=${index} zone=${zone} />
        <${Legend} series=${plot.series} />
        <p><button type="button" class="quiet" aria-expanded=${isTable
        ? "true" : "false"} aria-label=${`${verb}: ${plot.title}`}
            onClick=${() => setTable(!isTable)}>${verb}</button></p>
        ${isTable ? html`<${Table} caption=${plot.title}
            columns=${plot.columns} rows=${plot.rows} zone=${zone}
            name=${plot.name} />` : ""}
    </div>`;
}

// SPDX-License-Identifier: GPL-2.0
/* The page: what was watched, what was found, and the charts below it. */

import { count, el, seconds } from "./dom.js";
import { choose, onChoice, tone, watch } from "./watch.js";
import { findings } from "./findings.js";
import { flame } from "./flame.js";
import { graph } from "./graph.js";
import { heat, lockTable } from "./locks.js";
import { timeline } from "./timeline.js";

function fact(name, value) {
	return value ? el("span", {}, `${name} `, el("b", {}, value)) : null;
}

function themeButton() {
	return el("button", { type: "button", class: "theme", on: { click: () => {
		const root = document.documentElement;
		const dark = root.dataset.theme ? root.dataset.theme === "dark" :
			matchMedia("(prefers-color-scheme: dark)").matches;

		root.dataset.theme = dark ? "light" : "dark";
		redraw();
	} } }, "light / dark");
}

function head() {
	const { summary: s, watch: w } = watch;

	return el("header", {},
		el("h1", {}, "Headway report", el("span", { class: `badge ${tone(s.state)}`, id: "state" }, s.state),
			themeButton()),
		el("p", {}, `At the end: ${s.reason}.`),
		el("div", { class: "facts" },
			fact("watched for", seconds(s.duration_s)), fact("from", w.started), fact("command", w.command),
			fact("kernel", w.kernel && `${w.kernel} ${w.machine}`), fact("window", seconds(w.window_s)),
			fact("looked every", seconds(w.interval_s)), fact("events", count(s.events)),
			fact("lost", s.lost ? count(s.lost) : null),
			fact("times are from", `${watch.clock} ${(watch.clock_ns / 1e9).toFixed(3)} s`)));
}

function foot() {
	const { left_out: out, summary, watch: w } = watch;
	const words = Object.entries(out).filter(([, n]) => n > 0).map(([what, n]) => `${what} ${count(n)}`);

	return el("footer", {}, el("h2", {}, "What is not in here"), el("ul", { id: "missing" },
		summary.missing_probes.map((p) => el("li", {}, `${p.probe} was not watched: ${p.reason}`)),
		words.length ? el("li", {}, `There was no room for all; left out, by intervals: ${words.join(", ")}.`) : null,
		watch.watch.kernel_alone ?
			el("li", {}, "Of the kernel, what is not a domain or a loop of headway.ko is not seen.") :
			el("li", {}, "Of a process, what makes no system call and calls no trylock is not seen.")),
	el("p", { class: "faint" }, `Made by headway ${w.tool}.`));
}

const charts = [timeline(), graph(), flame(), heat()];
const [time, waits, where, hot] = charts.map((c) => c.nodes);

function redraw() {
	for (const chart of charts)
		chart.redraw();
}

document.getElementById("page").append(head(), ...findings(), ...time,
	el("div", { class: "two" }, el("section", {}, waits), el("section", {}, where)),
	...hot, ...lockTable(), foot());
onChoice(() => { document.body.dataset.choices = Number(document.body.dataset.choices || 0) + 1; });
choose(watch.findings[0] ?? null);
redraw();
let queued = 0;

addEventListener("resize", () => {
	cancelAnimationFrame(queued);
	queued = requestAnimationFrame(redraw);
});
document.body.dataset.ready = "yes";

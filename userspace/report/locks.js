// SPDX-License-Identifier: GPL-2.0
/* The table of locks, and where and when they were contended. */

import { scaleLinear, scaleSqrt } from "d3-scale";
import { axisBottom } from "d3-axis";
import { select } from "d3-selection";
import { choice, count, drawing, el, fit, hint, rate, seconds, svg } from "./dom.js";
import { end, ownerName, perSecond, starts, watch } from "./watch.js";
import { table, used } from "./table.js";

const allColumns = [
	{ name: "Lock", left: true, value: (l) => l.name },
	{ name: "Of", left: true, value: ownerName, about: "a process, or a domain of the kernel" },
	{ name: "Kind", left: true, value: (l) => l.kind },
	{ name: "Acquisitions", value: (l) => l.acquisitions, show: count,
	  about: "those that can be seen: after a wait, or by trylock" },
	{ name: "Contentions", value: (l) => l.contentions, show: count,
	  about: "tries that failed, and waits at a mutex" },
	{ name: "Rollbacks", value: (l) => l.rollbacks, show: count, about: "given up here, to try again" },
	{ name: "Waits", value: (l) => l.waits, show: count, about: "that have ended" },
	{ name: "Timeouts", value: (l) => l.timeouts, show: count },
	{ name: "Wait total, ms", value: (l) => l.wait_total_ms, show: (v) => v.toFixed(1) },
	{ name: "Wait avg, µs", value: (l) => l.wait_avg_us, show: (v) => v === null ? "–" : v.toFixed(1) },
	{ name: "Hold avg, µs", value: (l) => l.hold_avg_us, show: (v) => v === null ? "–" : v.toFixed(1),
	  about: "of the holds that were timed" },
	{ name: "Waiters", value: (l) => l.waiters, show: count, about: "asleep for it at once, at most" },
	{ name: "Last owner", left: true, value: (l) => l.owner },
];

/* Some are of processes alone, some of the kernel. */
const columns = used(allColumns, watch.locks);

function nothing() {
	return [el("h2", {}, "Locks"), el("p", { class: "faint", id: "no-locks" }, watch.watch.kernel_alone ?
		"The recording has no lock of the kernel: those of a domain are kept once in a window, if it has 256 " +
		"locks at most; `headway stat DOMAIN` shows them all as they are now." :
		"No lock was seen: an uncontended futex makes no system call.")];
}

/* What the numbers are of. */
function scope() {
	const kernel = watch.locks.filter((l) => l.domain);

	return [
		kernel.length < watch.locks.length ? "An uncontended futex makes no system call, so it is not counted." : null,
		kernel.length ? "The kernel's locks are counted since their domain was registered, as read " +
			`${seconds(Math.max(...kernel.map((l) => l.read_s)))} into the watch.` : null,
	].filter((words) => words).join(" ");
}

export function lockTable() {
	if (!watch.locks.length)
		return nothing();
	const place = el("div", { class: "scroll" });
	const filter = el("input", {
		type: "search", id: "filter", placeholder: "filter by name, owner or kind",
		"aria-label": "filter locks", on: { input: draw },
	});

	function draw() {
		const word = filter.value.toLowerCase();
		const rows = watch.locks.filter((l) =>
			`${l.name} ${ownerName(l)} ${l.kind}`.toLowerCase().includes(word));

		place.replaceChildren(table({
			id: "locks", columns, rows, by: columns.findIndex((c) => c.name === "Contentions"),
		}));
	}

	draw();
	return [el("h2", {}, `Locks: ${watch.locks.length} of ${watch.locks_total}`),
		el("div", { class: "tools" }, filter, el("span", { class: "faint" }, scope())), place];
}

const metrics = {
	contentions: { key: "contentions_at", value: perSecond, show: (v) => `${rate(v)} contentions` },
	waiters: { key: "waiters_at", value: (values, i) => values[i], show: (v) => `${count(v)} asleep for it` },
};
const LEFT = 230, ROW = 18, MOST = 30;

function warmth(most) {
	const colours = getComputedStyle(document.documentElement);

	return scaleSqrt().domain([0, most]).range(["--low", "--high"]
		.map((name) => colours.getPropertyValue(name).trim()));
}

function drawHeat(place, metric) {
	const rows = watch.locks.filter((l) => l[metric.key].some((v) => v > 0)).slice(0, MOST);
	const width = Math.max(place.clientWidth, 600), height = rows.length * ROW + 26;
	const x = scaleLinear([0, end], [LEFT, width - 12]);
	const cells = rows.map((l) => watch.ends_s.map((_, i) => metric.value(l[metric.key], i)));
	const most = Math.max(...cells.flat(), 1e-9), colour = warmth(most);
	const picture = drawing(width, height, "contention by lock and time");

	if (!rows.length) {
		place.replaceChildren(el("p", { class: "faint" }, "No lock was contended in this sense." +
			(watch.watch.kernel_alone ? " Contention of the kernel's locks over time is what one reading has more " +
				"than the one before, and there is one in each window: record for longer than two." : "")));
		return;
	}
	rows.forEach((l, k) => {
		const y = k * ROW;

		picture.append(svg("text", { x: LEFT - 8, y: y + 13, "text-anchor": "end" },
			fit(l.name, LEFT - 12), hint(`${l.name}, ${ownerName(l)}`)));
		cells[k].forEach((v, i) => {
			if (v > 0)
				picture.append(svg("rect", {
					class: "cell", x: x(starts[i]), y: y + 1, height: ROW - 2,
					width: Math.max(x(watch.ends_s[i]) - x(starts[i]) - 0.5, 0.5), fill: colour(v),
				}, hint(`${l.name}, ${seconds(starts[i])} – ${seconds(watch.ends_s[i])}: ${metric.show(v)}`)));
		});
	});
	const axis = svg("g", { transform: `translate(0,${height - 24})` });

	select(axis).call(axisBottom(x).ticks(8).tickFormat((s) => `${s} s`));
	picture.append(axis);
	place.replaceChildren(picture, el("p", { class: "faint" }, `Strongest: ${metric.show(most)}` +
		(watch.locks.length > rows.length ? `; the ${rows.length} most contended locks.` : ".") +
		(rows.some((l) => l.domain) ? " Those of the kernel are read once in a window, and what was counted " +
			"is spread over it." : "")));
}

export function heat() {
	const place = el("div", { id: "heat" });
	let metric = watch.locks.some((l) => l.contentions) ? "contentions" : "waiters";
	const chooser = choice("what the heat map shows",
		{ contentions: "contentions per second", waiters: "threads asleep for it" },
		(value) => { metric = value; redraw(); });

	function redraw() {
		drawHeat(place, metrics[metric]);
	}

	chooser.value = metric;
	return { nodes: [el("h2", {}, "Contention"), el("div", { class: "tools" }, chooser), place], redraw };
}

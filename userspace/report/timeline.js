// SPDX-License-Identifier: GPL-2.0
/* Attempts and completions of each actor over time, with the findings on them; one clock for all. */

import { scaleLinear } from "d3-scale";
import { axisBottom } from "d3-axis";
import { area, curveStepAfter } from "d3-shape";
import { select } from "d3-selection";
import { drawing, el, fit, hint, rate, seconds, svg } from "./dom.js";
import { choose, chosenFinding, columnAt, end, onChoice, perSecond, starts, tone, watch } from "./watch.js";

const LEFT = 230, RIGHT = 12, STRIP = 16, ROW = 44, FEW = 10;

function steps(values, x, y) {
	const last = values.length - 1;
	const points = values.map((_, i) => [starts[i], perSecond(values, i)]);

	if (last >= 0)
		points.push([watch.ends_s[last], points[last][1]]);
	return area().curve(curveStepAfter).x((p) => x(p[0])).y0(y(0)).y1((p) => y(p[1]))(points);
}

function drawStates(picture, x) {
	picture.append(svg("text", { x: LEFT - 8, y: 12, "text-anchor": "end" }, "state of the watch"));
	watch.states.forEach((state, i) => picture.append(svg("rect", {
		class: `strip ${tone(state)}`, x: x(starts[i]), width: Math.max(x(watch.ends_s[i]) - x(starts[i]), 0.5),
		y: 0, height: STRIP - 2,
	}, hint(`${seconds(starts[i])} – ${seconds(watch.ends_s[i])}: ${state ?? "no full window yet"}`))));
	/* A word on each run of one state that is wide enough for it. */
	for (let i = 0, k; i < watch.states.length; i = k) {
		for (k = i + 1; k < watch.states.length && watch.states[k] === watch.states[i]; k++)
			;
		const word = fit(watch.states[i] ?? "not judged yet", x(watch.ends_s[k - 1]) - x(starts[i]) - 8);

		picture.append(svg("text", {
			class: `word ${tone(watch.states[i])}`, x: x(starts[i]) + 4, y: 11.5,
		}, word));
	}
}

function rowOfActor(actor) {
	return {
		...actor, label: `${actor.comm}, ${actor.name}`, of: `process ${actor.pid}`, states: null,
		role: (finding) => finding.actors.find((a) => a.tid === actor.tid)?.role,
		more: (i) => `, ${actor.cpu_percent[i]} % CPU`,
	};
}

function rowOfDomain(domain) {
	return {
		...domain, label: `kernel ${domain.kind} ${domain.name}`, of: "headway.ko",
		role: (finding) => finding.source === "kernel" && finding.domain === domain.name ? domain.kind : undefined,
		more: (i) => `, ${rate(perSecond(domain.rollbacks, i))} rollbacks: ${domain.states[i] ?? "not judged yet"}`,
	};
}

function drawBands(picture, x, y, row) {
	for (const finding of watch.findings.filter((f) => row.role(f)))
		picture.append(svg("rect", {
			class: `band${finding === chosenFinding() ? " chosen" : ""}`, x: x(finding.first_seen_s), y: y + 2,
			width: Math.max(x(finding.until_s) - x(finding.first_seen_s), 3), height: ROW - 5,
			on: { click: () => choose(finding) },
		}, hint(`${finding.verdict}: ${row.role(finding)}, ` +
			`${seconds(finding.first_seen_s)} – ${seconds(finding.until_s)}`)));
}

/* The verdicts of a domain, below what it did. */
function drawVerdicts(picture, x, y, states) {
	states.forEach((state, i) => picture.append(svg("rect", {
		class: `strip ${tone(state)}`, x: x(starts[i]), width: Math.max(x(watch.ends_s[i]) - x(starts[i]), 0.5),
		y: y + ROW - 4, height: 3,
	}, hint(`${seconds(starts[i])} – ${seconds(watch.ends_s[i])}: ${state ?? "not judged yet"}`))));
}

function drawRow(picture, x, top, row) {
	const rates = [row.attempts, row.completions].flatMap((v) => v.map((_, i) => perSecond(v, i)));
	const most = Math.max(...rates, 1e-9), y = scaleLinear([0, most], [top + ROW - 5, top + 6]);

	drawBands(picture, x, top, row);
	picture.append(
		svg("text", { x: LEFT - 8, y: top + 19, "text-anchor": "end" }, fit(row.label, LEFT - 12),
			hint(`${row.label}, ${row.of}`)),
		svg("text", { class: "faint", x: LEFT - 8, y: top + 35, "text-anchor": "end" },
			rates.some((r) => r > 0) ? `up to ${rate(most)}` : "no attempts seen"),
		svg("path", { class: "attempts", d: steps(row.attempts, x, y), "pointer-events": "none" }),
		svg("path", { class: "completions", d: steps(row.completions, x, y), "pointer-events": "none" }),
		svg("line", { class: "rule", x1: LEFT, x2: x(end), y1: top + ROW - 3.5, y2: top + ROW - 3.5 }));
	if (row.states)
		drawVerdicts(picture, x, top, row.states);
}

function draw(place, readout, rows) {
	const width = Math.max(place.clientWidth, 600), height = STRIP + rows.length * ROW + 26;
	const x = scaleLinear([0, end], [LEFT, width - RIGHT]);
	const picture = drawing(width, height, "attempts and completions over time");
	const axis = svg("g", { transform: `translate(0,${height - 24})` });
	const cross = svg("line", { class: "cross", y1: 0, y2: height - 24, x1: -9, x2: -9 });

	drawStates(picture, x);
	rows.forEach((row, k) => drawRow(picture, x, STRIP + k * ROW, row));
	select(axis).call(axisBottom(x).ticks(8).tickFormat((s) => `${s} s`));
	picture.append(axis, cross);
	picture.addEventListener("mousemove", (event) => {
		const box = picture.getBoundingClientRect();
		const at = x.invert((event.clientX - box.left) * width / box.width);
		const row = rows[Math.floor(((event.clientY - box.top) * height / box.height - STRIP) / ROW)];
		const i = columnAt(at);

		if (at < 0 || at > end || i < 0)
			return;
		cross.setAttribute("x1", x(at));
		cross.setAttribute("x2", x(at));
		readout.textContent = `${seconds(at)}: ${watch.states[i] ?? "not judged yet"}` + (row ?
			`; ${row.label}: ${rate(perSecond(row.attempts, i))} attempts, ` +
			`${rate(perSecond(row.completions, i))} completions${row.more(i)}` : "");
	});
	place.replaceChildren(picture);
}

export function timeline() {
	const place = el("div", { id: "timeline" }), readout = el("span", { class: "faint", id: "readout" });
	const more = el("button", { type: "button", on: { click: () => { few = !few; redraw(); } } });
	const all = [...watch.domains.map(rowOfDomain), ...watch.actors.map(rowOfActor)];
	let few = true;

	function redraw() {
		const finding = chosenFinding();
		/* Those of the finding that is looked at come first. */
		const rows = finding ? [...all.filter((row) => row.role(finding)),
			...all.filter((row) => !row.role(finding))] : all;

		more.textContent = few ? `show all ${all.length}` : "show few";
		more.hidden = all.length <= FEW;
		draw(place, readout, few ? rows.slice(0, FEW) : rows);
	}

	onChoice(redraw);
	return {
		nodes: [el("h2", {}, `Attempts and completions: ${[
			watch.watch.kernel_alone ? null : `${watch.actors.length} of ${watch.actors_total} actors`,
			watch.domains.length ? `${watch.domains.length} of the kernel's domains and loops` : null,
		].filter((words) => words).join(", ")}`),
			el("div", { class: "tools" },
				el("span", {}, el("span", { class: "key attempts" }), "attempts"),
				el("span", {}, el("span", { class: "key completions" }), "completions"), more, readout),
			place],
		redraw,
	};
}

// SPDX-License-Identifier: GPL-2.0
/* What was found: a list to choose from, and the evidence and advice of the one that is chosen. */

import { count, el, rate, seconds } from "./dom.js";
import { about, actorName, choose, chosenFinding, onChoice, tone, watch } from "./watch.js";
import { table, used } from "./table.js";

function badge(verdict) {
	return el("span", { class: `badge ${tone(verdict)}` }, verdict);
}

function sentences(title, list) {
	return list.length ? [el("h3", {}, title), el("ul", {}, list.map((s) => el("li", {}, s)))] : [];
}

function waits(a) {
	return a.waits_for.map((w) => `${w.name}${w.owner_tid === null ? "" : `, held by ${w.owner_tid}`}`)
		.join("; ");
}

const actorColumns = [
	{ name: "Actor", left: true, value: (a) => `${a.comm}, ${actorName(a)}` },
	{ name: "Role", left: true, value: (a) => a.role },
	{ name: "State", left: true, value: (a) => a.state },
	{ name: "Attempts", value: (a) => a.attempts, show: count },
	{ name: "Completions", value: (a) => a.completions, show: count },
	{ name: "CPU %", value: (a) => a.cpu_percent, show: (v) => v === null ? "–" : v.toFixed(1) },
	{ name: "Waits for", left: true, value: waits },
];

function stacks(finding) {
	return finding.actors.filter((a) => a.stack.length).map((a) => el("details", {},
		el("summary", {}, `Where ${a.comm}, ${actorName(a)} is`),
		a.stack.map((frame) => el("div", {}, el("code", {}, frame)))));
}

function markers(finding) {
	return finding.markers.map((m) =>
		`${m.role} marker ${m.name}: ${count(m.count)} times in the window, ${rate(m.per_s)}`);
}

function detail(finding) {
	const lasts = finding.over ? `until ${seconds(finding.until_s)}` : "until the end";

	return [
		el("p", {}, badge(finding.verdict), " ", el("b", {}, about(finding)), ", ", finding.confidence,
			`: since ${seconds(finding.first_seen_s)} of the watch, reported at ` +
			`${seconds(finding.at_s)}, ${lasts}.`),
		el("p", {}, `${finding.meaning[0].toUpperCase()}${finding.meaning.slice(1)}.`),
		el("p", {}, `${count(finding.attempts)} attempts and ${count(finding.completions)} completions ` +
			`in a window of ${seconds(finding.window_s)}.`),
		sentences("Evidence", [...finding.evidence, ...markers(finding), ...finding.notes]),
		sentences("Advice", finding.advice),
		finding.actors.length ? table({
			columns: used(actorColumns, finding.actors), rows: finding.actors,
		}) : null,
		finding.actors_total > finding.actors.length ?
			el("p", { class: "faint" }, `${finding.actors_total - finding.actors.length} more actors.`) : null,
		stacks(finding),
	].flat();
}

function entry(finding) {
	return el("li", {}, el("button", {
		type: "button", "aria-pressed": String(finding === chosenFinding()),
		on: { click: () => choose(finding === chosenFinding() ? null : finding) },
	}, badge(finding.verdict), " ", about(finding),
		el("div", { class: "faint" }, `${seconds(finding.first_seen_s)} – ${seconds(finding.until_s)}, ` +
			`${finding.actors_total} ${finding.actors_total === 1 ? "actor" : "actors"}`)));
}

function nothing() {
	const { state, reason, advice } = watch.summary;

	return el("div", { class: "panel" }, el("p", {}, badge(state), " Nothing was found: ", reason, "."),
		advice ? el("p", {}, advice) : null);
}

export function findings() {
	const list = el("ol", { id: "findings" }), panel = el("div", { class: "panel", id: "finding" });

	if (!watch.findings.length)
		return [el("h2", {}, "What was found"), nothing()];
	function draw() {
		const finding = chosenFinding();

		list.replaceChildren(...watch.findings.map(entry));
		panel.replaceChildren(...(finding ? detail(finding) :
			[el("p", { class: "faint" }, "Choose a finding for its evidence and advice.")])
			.filter((node) => node));
	}
	onChoice(draw);
	draw();
	return [el("h2", {}, `What was found: ${watch.findings.length}`), el("div", { class: "found" }, list, panel)];
}

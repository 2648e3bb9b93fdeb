// SPDX-License-Identifier: GPL-2.0
/* What was watched, as the program wrote it into the page; and what is chosen in it. */

const data = JSON.parse(document.getElementById("data").textContent);
const listeners = [];
let chosen = null;

export const watch = data;
export const starts = data.ends_s.map((_, i) => i ? data.ends_s[i - 1] : 0);
export const end = Math.max(data.summary.duration_s, data.ends_s.at(-1) || 0, 0.001);

/* The finding that is looked at, null: none; everything that shows it is told. */
export function chosenFinding() {
	return chosen;
}

export function choose(finding) {
	chosen = finding;
	for (const listener of listeners)
		listener();
}

export function onChoice(listener) {
	listeners.push(listener);
}

export function perSecond(values, i) {
	return values[i] / Math.max(data.ends_s[i] - starts[i], 1e-9);
}

/* The column at this time. */
export function columnAt(s) {
	const i = data.ends_s.findIndex((e) => s <= e);

	return i < 0 ? data.ends_s.length - 1 : i;
}

const tones = {
	idle: "dim", healthy: "good", contended: "warn", undetermined: "dim", transient: "warn",
	"retry-storm": "warn",
};

export function tone(verdict) {
	return verdict === null ? "dim" : tones[verdict] || "bad";
}

export function about(finding) {
	return finding.source === "kernel" ? `kernel: ${finding.domain}` : `${finding.comm} (${finding.pid})`;
}

/* Whose a lock or a stack is. */
export function ownerName(x) {
	return x.domain ? `kernel domain ${x.domain}` : `${x.comm ?? "process"} (${x.pid})`;
}

export function actorName(a) {
	return a.goid === null || a.goid === undefined ? `thread ${a.tid}` : `goroutine ${a.goid}`;
}

// SPDX-License-Identifier: GPL-2.0
/* Who waits for whom: threads point to the locks that they want, locks to who has them. */

import { forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY } from "d3-force";
import { count, drawing, el, fit, hint, svg } from "./dom.js";
import { actorName, chosenFinding, onChoice, watch } from "./watch.js";

const comms = new Map([
	...watch.actors.map((a) => [a.name, a.comm]),
	...watch.edges.filter((e) => e.domain).flatMap((e) => [[e.from, e.from_comm], [e.to, e.to_comm]]),
	...watch.findings.filter((f) => f.source === "kernel").flatMap((f) => f.actors)
		.map((a) => [actorName(a), a.comm]),
]);
const MOST = 60, HALF = { thread: [66, 17], lock: [62, 14] };

/* Edges as { from, lock, to, label, asleep }; from and to: null when it is not known. */
function edgesOf(finding) {
	if (!finding)
		return watch.edges.slice(0, MOST).map((e) => ({
			from: e.from, to: e.to, lock: e.lock, asleep: e.asleep > 0,
			label: [e.fails ? `${count(e.fails)} failed tries` : null,
				e.asleep ? `asleep in ${count(e.asleep)} ${e.domain ? "looks" : "intervals"}` : null]
				.filter((w) => w).join(", "),
		}));
	const names = new Map(finding.actors.map((a) => [a.tid, actorName(a)]));
	const owner = (x) => x.owner_tid === null ? null : names.get(x.owner_tid) ?? `thread ${x.owner_tid}`;
	const waits = finding.actors.flatMap((a) => a.waits_for.map((w) => ({
		from: actorName(a), lock: w.name, asleep: w.blocked, to: owner(w),
		label: w.blocked ? "asleep" : "tries again and again",
	})));

	/* In the kernel, who rolls back is not told what it was that it did not get. */
	return waits.length || finding.source !== "kernel" ? waits : finding.locks.filter((l) => l.owner_tid !== null)
		.map((l) => ({ from: null, lock: l.name, asleep: false, to: owner(l), label: "" }));
}

function caption(edges) {
	const more = !chosenFinding() && watch.edges.length > MOST ?
		` The ${MOST} most frequent of ${watch.edges.length}.` : "";

	return edges.every((e) => e.from === null) ? "Who held what at that moment. Nobody slept for a lock: " +
		"who meets another holder here lets go of all it has, and tries again." :
		`Dashed: tries again and again. Solid: sleeps for it, or has it.${more}`;
}

/* Nodes and arrows; the same two names make one node, and the same two nodes one arrow. */
function build(edges) {
	const nodes = new Map(), links = new Map();
	const node = (kind, name) => {
		const id = `${kind} ${name}`;

		if (!nodes.has(id))
			nodes.set(id, { id, kind, name });
		return nodes.get(id);
	};
	const link = (source, target, label, asleep) => {
		const id = `${source.id}\n${target.id}`;

		if (!links.has(id))
			links.set(id, { source, target, label, asleep });
	};

	for (const e of edges) {
		const lock = node("lock", e.lock);

		if (e.from !== null)
			link(node("thread", e.from), lock, e.label, e.asleep);
		if (e.to !== null)
			link(lock, node("thread", e.to), "is held by", true);
	}
	return { nodes: [...nodes.values()], links: [...links.values()] };
}

function settle({ nodes, links }) {
	forceSimulation(nodes).stop()
		.force("link", forceLink(links).distance(125).strength(0.8))
		.force("charge", forceManyBody().strength(-420))
		.force("collide", forceCollide(80))
		/* Without these, what no arrow ties together drifts apart. */
		.force("x", forceX().strength(0.1))
		.force("y", forceY().strength(0.18))
		.tick(400);
}

/* From border to border, bent so that an arrow and the one back do not lie on each other. */
function path({ source, target }) {
	const dx = target.x - source.x, dy = target.y - source.y, far = Math.hypot(dx, dy) || 1;
	const cut = (node) => {
		const [w, h] = HALF[node.kind];

		return Math.min(w / Math.max(Math.abs(dx / far), 1e-3), h / Math.max(Math.abs(dy / far), 1e-3)) + 3;
	};
	const at = (node, by) => [node.x + dx / far * by, node.y + dy / far * by];
	const [x1, y1] = at(source, cut(source)), [x2, y2] = at(target, -cut(target) - 5);

	return `M${x1},${y1}Q${(x1 + x2) / 2 - dy / far * 14},${(y1 + y2) / 2 + dx / far * 14} ${x2},${y2}`;
}

function word(text, x, y, half, kind = null) {
	return svg("text", { class: kind, x, y, "text-anchor": "middle" }, fit(text, 2 * half - 8));
}

function drawNode(n) {
	const [w, h] = HALF[n.kind];

	return svg("g", { class: "vertex" }, svg("rect", {
		class: `node ${n.kind}`, x: n.x - w, y: n.y - h, width: 2 * w, height: 2 * h,
		rx: n.kind === "lock" ? h : 4,
	}), n.kind === "lock" ? word(n.name, n.x, n.y + 4, w) :
		[word(comms.get(n.name) ?? "", n.x, n.y - 2, w), word(n.name, n.x, n.y + 12, w, "faint")],
	hint(`${n.kind === "lock" ? "lock " : `${comms.get(n.name) ?? ""} `}${n.name}`));
}

function draw(place) {
	const edges = edgesOf(chosenFinding()), graph = build(edges);

	if (!edges.length) {
		place.replaceChildren(el("p", { class: "faint" }, "Nobody was seen to wait for somebody else's lock." +
			(watch.watch.kernel_alone ? " In the kernel that is asked once in a window, and when something is found." : "")));
		return;
	}
	settle(graph);
	const xs = graph.nodes.map((n) => n.x), ys = graph.nodes.map((n) => n.y);
	const left = Math.min(...xs) - 90, up = Math.min(...ys) - 40;
	const width = Math.max(Math.max(...xs) + 90 - left, 460), height = Math.max(Math.max(...ys) + 40 - up, 200);
	const picture = drawing(width, Math.min(height, 420), "wait-for graph");

	picture.setAttribute("viewBox", `${left} ${up} ${width} ${height}`);
	picture.append(svg("defs", {}, svg("marker", {
		id: "tip", viewBox: "0 0 8 8", refX: 6, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto",
	}, svg("path", { class: "tip", d: "M0,0L8,4L0,8Z" }))));
	for (const l of graph.links)
		picture.append(svg("path", {
			class: `arrow${l.asleep ? "" : " tries"}`, d: path(l), "marker-end": "url(#tip)",
		}, hint(l.label)));
	picture.append(...graph.nodes.map(drawNode));
	place.replaceChildren(picture, el("p", { class: "faint" }, caption(edges)));
}

export function graph() {
	const place = el("div", { id: "graph" }), title = el("h2");

	function redraw() {
		title.textContent = chosenFinding() ? "Who waits for whom in this finding" : "Who waits for whom";
		draw(place);
	}

	onChoice(redraw);
	return { nodes: [title, place], redraw };
}

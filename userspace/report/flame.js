// SPDX-License-Identifier: GPL-2.0
/* Where tries fail, or threads sleep for a lock: a flame graph, the outermost function at the top. */

import { hierarchy, partition } from "d3-hierarchy";
import { choice, count, drawing, el, fit, hint, svg } from "./dom.js";
import { ownerName, watch } from "./watch.js";

const ROW = 19;

/* "transfer+0x1b (bank.c:3)" is in transfer, and "dine+0x98/0x2b0[forks]" in dine[forks], wherever in it. */
function functionOf(frame) {
	return frame.replace(/\+0x[0-9a-f]+(\/0x[0-9a-f]+)?( \(.*\))?(?=$|\[[^\]]*\]$)/, "");
}

function build(metric) {
	const root = { name: "all", children: new Map(), value: 0 };

	for (const stack of watch.stacks.filter((s) => s[metric] > 0)) {
		const frames = [...stack.frames].reverse();
		let at = root;

		for (const frame of [ownerName(stack),
			...(frames.length ? frames : ["stack not known"])]) {
			const name = functionOf(frame);

			if (!at.children.has(name))
				at.children.set(name, { name, where: frame, children: new Map(), value: 0 });
			at = at.children.get(name);
		}
		at.value += stack[metric];
	}
	return root;
}

/* The same function has the same colour, in this report and in the next one. */
function colour(name) {
	let hash = 0;

	for (const c of name)
		hash = (hash * 31 + c.codePointAt(0)) % 997;
	return `hsl(${20 + hash % 36} 85% ${62 + hash % 14}%)`;
}

function draw(place, metric, focus, onfocus) {
	const root = hierarchy(build(metric), (d) => [...d.children.values()]).sum((d) => d.value)
		.sort((a, b) => b.value - a.value || a.data.name.localeCompare(b.data.name));
	const width = Math.max(place.clientWidth, 400);

	if (!root.value) {
		place.replaceChildren(el("p", { class: "faint" }, metric !== "fails" ?
			"No thread was seen asleep for a lock." : watch.watch.kernel_alone ?
				"No stack of a try that failed: of the kernel, those of a finding's threads are kept." :
				"No try was seen to fail."));
		return;
	}
	partition()(root);
	const path = (node) => node.ancestors().map((n) => n.data.name).join("\n");
	const all = root.descendants(), top = all.find((n) => path(n) === focus) || root;
	const scale = width / (top.x1 - top.x0), height = (root.height + 1) * ROW;
	const picture = drawing(width, height, "stacks, by how often");

	for (const n of all) {
		const x0 = Math.max((n.x0 - top.x0) * scale, 0), x1 = Math.min((n.x1 - top.x0) * scale, width);

		if (x1 - x0 < 0.5)
			continue;
		picture.append(svg("g", {}, svg("rect", {
			class: "frame", x: x0, y: n.depth * ROW, width: x1 - x0, height: ROW - 1, rx: 2,
			fill: colour(n.data.name), "fill-opacity": n.depth < top.depth ? 0.5 : 1,
			on: { click: () => onfocus(path(n)) },
		}, hint(`${n.data.where ?? n.data.name}: ${count(n.value)}, ` +
			`${(100 * n.value / root.value).toFixed(1)} %`)),
		svg("text", { x: x0 + 4, y: n.depth * ROW + 13 }, fit(n.data.name, x1 - x0 - 6))));
	}
	place.replaceChildren(picture);
}

export function flame() {
	const place = el("div", { id: "flame" });
	let metric = watch.stacks.some((s) => s.fails) ? "fails" : "asleep", focus = null;
	const chooser = choice("what the flame graph counts",
		{ fails: "failed tries", asleep: "intervals asleep for a lock" },
		(value) => { metric = value; focus = null; redraw(); });

	function redraw() {
		draw(place, metric, focus, (path) => { focus = path; redraw(); });
	}

	chooser.value = metric;
	return {
		nodes: [el("h2", {}, "Where"), el("div", { class: "tools" }, chooser,
			el("span", { class: "faint" }, "Click a function to widen it" + (watch.watch.kernel_alone ?
				"; a thread's stack when it was found stands for all its failures." :
				"; the stack of a lock's last failure stands for all since."))), place],
		redraw,
	};
}

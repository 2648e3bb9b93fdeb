// SPDX-License-Identifier: GPL-2.0
/* Elements of the page. What comes from the data gets in as text, or as the value of an attribute. */

function fill(node, props, children) {
	for (const [name, value] of Object.entries(props)) {
		if (name === "on")
			for (const [event, handler] of Object.entries(value))
				node.addEventListener(event, handler);
		else if (value !== null && value !== undefined && value !== false)
			node.setAttribute(name, value);
	}
	for (const child of children.flat())
		if (child !== null && child !== undefined)
			node.append(child);
	return node;
}

export function el(tag, props = {}, ...children) {
	return fill(document.createElement(tag), props, children);
}

export function svg(tag, props = {}, ...children) {
	return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

/* A drawing as wide as its place; a title for those who cannot see it. */
export function drawing(width, height, label) {
	return svg("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": label });
}

/* What a browser shows when the pointer rests on it. */
export function hint(text) {
	return svg("title", {}, text);
}

export function choice(label, options, onchange) {
	const select = el("select", { "aria-label": label, on: { change: () => onchange(select.value) } },
		Object.entries(options).map(([value, text]) => el("option", { value }, text)));
	return select;
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const exact = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export function count(n) {
	return n === null || n === undefined ? "–" : whole.format(n);
}

export function rate(n) {
	return `${n < 10 ? exact.format(n) : whole.format(n)}/s`;
}

export function seconds(s) {
	return `${s.toFixed(s < 100 ? 1 : 0)} s`;
}

/* As many characters as fit into so many pixels; the whole is in a hint. */
export function fit(text, width, per = 7) {
	const most = Math.floor(width / per);

	return text.length <= most ? text : most < 3 ? "" : `${text.slice(0, most - 1)}…`;
}

// SPDX-License-Identifier: GPL-2.0
/* Tables that are sorted by a click on a head, the other way by a second one. */

import { el } from "./dom.js";

function compare(a, b) {
	if (a === null || b === null)
		return (b === null) - (a === null);	/* nothing comes last, falling */
	return typeof a === "number" ? a - b : String(a).localeCompare(String(b));
}

/* Those in which a row has something. */
export function used(columns, rows) {
	return columns.filter((c) => rows.some((row) => ![null, undefined, ""].includes(c.value(row))));
}

/* columns: { name, value(row), show(value), left, about }; by: the column that it is sorted by at first */
export function table({ id, columns, rows, by = null }) {
	const body = el("tbody"), head = el("tr");
	let column = by, falling = true;

	function draw() {
		const sorted = [...rows];

		if (column !== null) {
			const { value } = columns[column];

			sorted.sort((a, b) => (falling ? -1 : 1) * compare(value(a), value(b)));
		}
		body.replaceChildren(...sorted.map((row) => el("tr", {}, columns.map((c) => {
			const value = c.value(row);

			return el("td", { class: c.left ? "left" : null }, c.show ? c.show(value) : String(value ?? "–"));
		}))));
		head.replaceChildren(...columns.map((c, i) => el("th", {
			class: c.left ? "left" : null, scope: "col", title: c.about,
			"aria-sort": i !== column ? "none" : falling ? "descending" : "ascending",
		}, el("button", { type: "button", on: { click: () => sortBy(i) } },
			c.name + (i !== column ? "" : falling ? " ▾" : " ▴")))));
	}

	function sortBy(i) {
		/* Numbers: the largest first; words: from a to z. */
		falling = i === column ? !falling : !columns[i].left;
		column = i;
		draw();
	}

	draw();
	return el("table", { id }, el("thead", {}, head), body);
}

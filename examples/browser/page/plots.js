// The two plots: each echo's round-trip time, and bytes a second each way.

import uPlot from 'uplot'

/** What a plot shows of the past, in s. */
const SPAN = 20

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name)

/** A colour as a canvas understands it: light-dark() is for style sheets alone. */
function paint(name) {
	const probe = document.body.appendChild(document.createElement('i'))
	probe.style.color = color(name)
	const rgb = getComputedStyle(probe).color
	probe.remove()
	return rgb
}

class Plot {
	/** @param {HTMLElement} at @param {uPlot.Series[]} series */
	constructor(at, series) {
		this.at = at
		this.data = [[], ...series.map(() => [])]
		const axis = { stroke: () => paint('--quiet'), grid: { stroke: () => paint('--line'), width: 1 }, ticks: { show: false }, font: '12px system-ui' }
		this.plot = new uPlot(
			{
				width: at.clientWidth || 400, height: 190, legend: { show: false }, cursor: { show: false },
				scales: { x: { time: false }, y: { range: (_, _min, max) => [0, Math.max(max * 1.15, 1)] } },
				axes: [{ ...axis, size: 28, values: (_, ticks) => ticks.map((s) => `${s} s`) }, { ...axis, size: 48 }],
				series: [{}, ...series],
			},
			this.data,
			at,
		)
		new ResizeObserver(() => this.plot.setSize({ width: at.clientWidth, height: 190 })).observe(at)
	}

	/** @param {number} x @param {...number} values */
	add(x, ...values) {
		this.data[0].push(x)
		values.forEach((v, i) => this.data[i + 1].push(v))
		while (this.data[0][0] < x - 2 * SPAN) for (const column of this.data) column.shift()
	}

	/** @param {number} now */
	draw(now) {
		this.plot.setData(this.data, false)
		this.plot.setScale('x', { min: Math.max(0, now - SPAN), max: Math.max(SPAN, now) })
	}
}

export class Plots {
	#began = performance.now()
	#rtt
	#rate
	/** @type {{at: number, out: number, in: number} | undefined} */
	#before
	/** What came back, in Mbit/s. */
	rate = 0

	/** @param {HTMLElement} rtt @param {HTMLElement} rate */
	constructor(rtt, rate) {
		this.#rtt = new Plot(rtt, [{ paths: uPlot.paths.points?.() ?? (() => null), points: { show: true, size: 4, width: 0, fill: () => paint('--blue') } }])
		this.#rate = new Plot(rate, [
			{ stroke: () => paint('--blue'), width: 1.5 },
			{ stroke: () => paint('--green'), width: 1.5, fill: () => paint('--green').replace(/rgb\((.*)\)/, 'rgba($1, .12)') },
		])
	}

	get #now() {
		return (performance.now() - this.#began) / 1000
	}

	/** @param {number} ms */
	echo(ms) {
		this.#rtt.add(this.#now, ms)
	}

	/** Takes the counters, a few times a second. @param {number} out @param {number} back bytes in all */
	count(out, back) {
		const at = this.#now
		if (this.#before) {
			const mbits = (a, b) => ((a - b) * 8) / 1e6 / (at - this.#before.at)
			this.rate = mbits(back, this.#before.in)
			this.#rate.add(at, mbits(out, this.#before.out), this.rate)
		}
		this.#before = { at, out, in: back }
		this.#rtt.draw(at)
		this.#rate.draw(at)
	}

	/** Another socket counts from 0. */
	restart() {
		this.#before = undefined
	}
}

// A small chart: lines, stacked areas or grouped bars over time, drawn as SVG into an element.
//
// draw(element, { kind, unit, from, to, interval, series: [{ name, points: [[ms, value], …] }] })
//   kind      "line", "area" (stacked) or "bars" (grouped)
//   unit      Datadog's unit name, or null
//   from, to  milliseconds; interval: seconds of a bucket
// Colours are the classes c0 to c7 of the page's style sheet.

const MARGIN = { top: 10, right: 8, bottom: 22, left: 54 };
const COLOURS = 8;
const SVG = 'http://www.w3.org/2000/svg';
const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE;
const TIME_STEPS = [10 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR];

export function draw(element, chart) {
  const width = element.clientWidth, height = element.clientHeight;
  const series = limit(chart);
  element.replaceChildren();
  if (series.every(one => one.points.length === 0)) {
    element.append(node('div', { class: 'nothing' }, 'No data in this range'));
    return series;
  }
  const stacked = chart.kind === 'area';
  const rows = chart.kind === 'line' ? null : align(series);
  const top = niceTop(Math.max(...(stacked ? rows.map(total) : series.flatMap(one => one.points.map(p => p[1]))), 0), chart);
  const low = Math.min(0, ...(stacked ? [0] : series.flatMap(one => one.points.map(p => p[1]))));
  const bottom = low < 0 ? -niceTop(-low, chart).max : 0;
  const plot = { left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom };
  const x = time => plot.left + (plot.right - plot.left) * (time - chart.from) / (chart.to - chart.from);
  const y = value => plot.bottom - (plot.bottom - plot.top) * (value - bottom) / (top.max - bottom || 1);

  const svg = svgNode('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img' });
  drawAxes(svg, chart, plot, x, y, top, bottom);
  const clip = svgNode('svg', { x: plot.left, y: 0, width: plot.right - plot.left, height, viewBox: `${plot.left} 0 ${plot.right - plot.left} ${height}`, class: 'clip' });
  svg.append(clip);
  if (chart.kind === 'bars') drawBars(clip, chart, series, rows, x, y);
  else if (stacked) drawAreas(clip, series, rows, x, y);
  else drawLines(clip, series, x, y);
  element.append(svg);
  hover(element, svg, chart, series, rows, plot, x, y);
  return series;
}

/** Text for a value in a unit: bytes in powers of 1024, seconds as a span, percent, else K, M, G. */
export function format(value, unit) {
  if (value === null || value === undefined) return '–';
  if (unit === 'byte') return scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']);
  if (unit === 'percent') return `${digits(value)}%`;
  if (unit === 'second') return span(value);
  if (unit === 'millisecond') return span(value / 1000);
  return scaled(value, 1000, ['', 'K', 'M', 'G', 'T']);
}

function scaled(value, step, names) {
  let at = 0, rest = value;
  while (Math.abs(rest) >= step && at < names.length - 1) { rest /= step; at++; }
  return names[at] ? `${digits(rest)} ${names[at]}` : digits(rest);
}

function span(seconds) {
  const size = Math.abs(seconds);
  if (size === 0) return '0 s';
  if (size < 1) return `${digits(seconds * 1000)} ms`;
  if (size < 60) return `${digits(seconds)} s`;
  const parts = [[86400, 'd'], [3600, 'h'], [60, 'm'], [1, 's']];
  const at = parts.findIndex(part => size >= part[0]);
  const first = Math.floor(size / parts[at][0]);
  const second = parts[at + 1] ? Math.floor(size % parts[at][0] / parts[at + 1][0]) : 0;
  return `${seconds < 0 ? '-' : ''}${first}${parts[at][1]}${second ? ` ${second}${parts[at + 1][1]}` : ''}`;
}

function digits(value) {
  const size = Math.abs(value);
  return String(Number(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)));
}

/** At most as many series as there are colours, the largest first; a stack keeps its height by an "other". */
function limit(chart) {
  const size = one => one.points.reduce((most, p) => Math.max(most, Math.abs(p[1])), 0);
  const series = chart.series.map(one => ({ ...one, points: one.points.filter(p => p[1] !== null) }));
  if (series.length <= COLOURS) return series;
  series.sort((a, b) => size(b) - size(a));
  const shown = series.slice(0, COLOURS - 1), rest = series.slice(COLOURS - 1);
  if (chart.kind === 'line') return [...shown, { ...rest[0], more: rest.length - 1 }];
  const sums = align(rest).map(row => [row.time, total(row)]);
  return [...shown, { name: `${rest.length} others`, points: sums }];
}

/** One row per time that any series has: { time, values }, with 0 where a series has none. */
function align(series) {
  const rows = new Map();
  series.forEach((one, at) => {
    for (const [time, value] of one.points) {
      let row = rows.get(time);
      if (!row) rows.set(time, row = { time, values: new Array(series.length).fill(0) });
      row.values[at] = value;
    }
  });
  return [...rows.values()].sort((a, b) => a.time - b.time);
}

function total(row) { return row.values.reduce((sum, value) => sum + value, 0); }

/** Where an axis ends and its step, in round figures of the unit; bars count things, so theirs are whole. */
function niceTop(most, { unit, kind }) {
  if (most === 0) return { max: 1, step: 0.5 };
  const base = unit === 'byte' ? 1024 ** Math.floor(Math.log(most) / Math.log(1024)) : 1;
  const raw = most / base / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = unit === 'second' && most >= 240
    ? [60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400].find(s => s * 4 >= most) ?? 86400 * Math.ceil(most / 4 / 86400)
    : base * power * [1, 2, 2.5, 5, 10].find(factor => factor * power >= raw);
  const whole = kind === 'bars' ? Math.max(1, step) : step;
  return { max: Math.ceil(most / whole - 1e-9) * whole, step: whole };
}

function drawAxes(svg, chart, plot, x, y, top, bottom) {
  for (let value = bottom; value <= top.max + top.step / 1e6; value += top.step) {
    svg.append(svgNode('line', { class: 'grid', x1: plot.left, x2: plot.right, y1: y(value), y2: y(value) }));
    svg.append(svgNode('text', { x: plot.left - 8, y: y(value) + 4, 'text-anchor': 'end' }, format(value, chart.unit)));
  }
  const fits = Math.max(2, Math.floor((plot.right - plot.left) / 80));
  const step = TIME_STEPS.find(one => (chart.to - chart.from) / one <= fits) ?? 4 * HOUR;
  for (let time = Math.ceil(chart.from / step) * step; time <= chart.to; time += step) {
    const at = x(time);
    if (at < plot.left + 14 || at > plot.right - 14) continue;
    svg.append(svgNode('text', { x: at, y: plot.bottom + 16, 'text-anchor': 'middle' }, clock(time, step < MINUTE)));
  }
}

function drawLines(svg, series, x, y) {
  series.forEach((one, at) => {
    for (const run of unbroken(one.points)) {
      if (run.length === 1) svg.append(svgNode('circle', { class: `dot c${at}`, cx: x(run[0][0]), cy: y(run[0][1]), r: 3 }));
      else svg.append(svgNode('path', { class: `stroke c${at}`, d: path(run, p => x(p[0]), p => y(p[1])) }));
    }
  });
}

/** Cuts where data is missing for much longer than its usual pace. */
function unbroken(points) {
  const gaps = points.slice(1).map((p, i) => p[0] - points[i][0]).sort((a, b) => a - b);
  const usual = gaps.length ? gaps[Math.floor(gaps.length / 2)] : 0;
  const runs = [];
  points.forEach((p, i) => {
    if (i === 0 || p[0] - points[i - 1][0] > usual * 3.5) runs.push([]);
    runs.at(-1).push(p);
  });
  return runs;
}

function drawAreas(svg, series, rows, x, y) {
  const floor = rows.map(() => 0);
  series.forEach((one, at) => {
    const lower = [...floor];
    rows.forEach((row, i) => { floor[i] += row.values[at]; });
    const upper = rows.map((row, i) => [row.time, floor[i]]);
    const back = rows.map((row, i) => [row.time, lower[i]]).reverse();
    const outline = path(upper, p => x(p[0]), p => y(p[1]));
    svg.append(svgNode('path', { class: `area c${at}`, d: `${outline}L${back.map(p => `${round(x(p[0]))} ${round(y(p[1]))}`).join('L')}Z` }));
    svg.append(svgNode('path', { class: `stroke c${at}`, d: outline }));
  });
}

function drawBars(svg, chart, series, rows, x, y) {
  const slot = x(chart.from + chart.interval * SECOND) - x(chart.from);
  const gap = Math.min(4, slot * 0.2);
  const width = Math.max(1, (slot - gap) / series.length);
  for (const row of rows) {
    row.values.forEach((value, at) => {
      if (value === 0) return;
      const from = y(Math.max(0, value)), to = y(Math.min(0, value));
      svg.append(svgNode('rect', {
        class: `bar c${at}`, rx: Math.min(2, width / 3),
        x: round(x(row.time) + gap / 2 + at * width), y: round(from), width: round(Math.max(1, width - 0.5)), height: round(to - from),
      }));
    });
  }
}

function hover(element, svg, chart, series, rows, plot, x, y) {
  const times = [...new Set(series.flatMap(one => one.points.map(p => p[0])))].sort((a, b) => a - b);
  const cursor = svgNode('line', { class: 'cursor', y1: plot.top, y2: plot.bottom, visibility: 'hidden' });
  const tip = node('div', { class: 'tooltip', hidden: '' });
  svg.append(cursor);
  element.append(tip);
  const half = chart.kind === 'bars' ? chart.interval * SECOND / 2 : 0;
  element.onpointermove = event => {
    const at = event.clientX - element.getBoundingClientRect().left;
    const time = times.reduce((best, one) => Math.abs(x(one + half) - at) < Math.abs(x(best + half) - at) ? one : best, times[0]);
    const near = x(time + half);
    cursor.setAttribute('x1', near);
    cursor.setAttribute('x2', near);
    cursor.setAttribute('visibility', 'visible');
    tip.replaceChildren(node('time', {}, clock(time, true)));
    series.forEach((one, i) => {
      const point = one.points.find(p => p[0] === time);
      if (!point) return;
      tip.append(entry('div', i, one.name, node('b', {}, format(point[1], chart.unit))));
    });
    tip.hidden = false;
    const left = near > element.clientWidth / 2 ? near - tip.offsetWidth - 12 : near + 12;
    tip.style.left = `${Math.max(0, Math.min(left, element.clientWidth - tip.offsetWidth))}px`;
  };
  element.onpointerleave = () => {
    tip.hidden = true;
    cursor.setAttribute('visibility', 'hidden');
  };
}

/** A colour key and a name, for tooltip and legend. */
export function entry(tag, colour, name, ...rest) {
  return node(tag, {}, node('i', { class: `key c${colour}` }), node('span', { class: 'label' }, name), ...rest);
}

export function clock(time, withSeconds) {
  return new Date(time).toLocaleTimeString([], {
    hour: '2-digit', minute: '2-digit', second: withSeconds ? '2-digit' : undefined, hour12: false,
  });
}

export function node(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svgNode(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function path(points, x, y) { return `M${points.map(p => `${round(x(p))} ${round(y(p))}`).join('L')}`; }

function round(value) { return Math.round(value * 10) / 10; }

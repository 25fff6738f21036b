// The live page: asks the sandbox every few seconds and draws what StreamSpace's plugin is known to send, then
// lists all the rest. State that is worth keeping (range, chosen metric) is in the address.

import { clock, draw, entry, format, node } from './chart.js';
import { showLogs } from './logs.js';
import { showTrace, showTraces } from './traces.js';

const REFRESH_MS = 5000;
const BARS = 30;

// `metrics` may also be there as distributions, under the same name with ".dist" and in one line per template.
const CHARTS = [
  { title: 'Active sessions', metrics: ['streamspace.session.active'], kind: 'area', space: 'sum', by: 'template' },
  { title: 'Sessions created and terminated', metrics: ['streamspace.session.created', 'streamspace.session.terminated'], kind: 'bars' },
  { title: 'Longest session', metrics: ['streamspace.session.duration'], kind: 'line', space: 'max', by: 'template', unit: 'second' },
  { title: 'CPU, average', metrics: ['streamspace.session.cpu_usage'], kind: 'line', space: 'avg', by: 'template', unit: 'percent' },
  { title: 'Memory, all sessions', metrics: ['streamspace.session.memory_usage'], kind: 'area', space: 'sum', by: 'template', unit: 'byte' },
  { title: 'Storage, all sessions', metrics: ['streamspace.session.storage_usage'], kind: 'area', space: 'sum', by: 'template', unit: 'byte' },
  { title: 'User activity', metrics: ['streamspace.user.login', 'streamspace.user.logout', 'streamspace.user.created'], kind: 'bars' },
  { title: 'Users, total', metrics: ['streamspace.users.total'], kind: 'line', space: 'sum' },
];
const CHARTED = new Set(CHARTS.flatMap(chart => chart.metrics).flatMap(name => [name, `${name}.dist`]));

const byId = id => document.getElementById(id);
const state = new URLSearchParams(location.hash.slice(1));
const cards = new Map();
let timer;

async function ask(path, parameters = {}) {
  const answer = await fetch(`${path}?${new URLSearchParams(parameters)}`);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.errors?.[0]?.detail ?? body.errors?.[0] ?? `status ${answer.status}`);
  return body;
}

/** The attributes of the spans or logs that a search finds, of all that is held; what is wrong with the query instead. */
async function search(what, query, parameters = {}) {
  try {
    const found = await ask(`sandbox/${what}`, {
      'filter[query]': query, 'filter[from]': 'now-1w', 'filter[to]': 'now+1d', 'page[limit]': 50, ...parameters,
    });
    return { found: found.data.map(one => one.attributes) };
  } catch (error) {
    return { found: [], error: error.message };
  }
}

async function refresh() {
  clearTimeout(timer);
  try {
    const [overview, dropped] = await Promise.all([ask('sandbox/overview'), ask('sandbox/dropped')]);
    const span = Number(state.get('range') ?? 900);
    const range = { from: overview.now - span, to: overview.now, bar: span / BARS };
    const known = new Map(overview.metrics.map(metric => [metric.name, metric]));
    showRest(overview, dropped);
    const shown = await drawCharts(known, range);
    await Promise.all([
      showTraces(byId('traces'), overview.span_count, state.get('traces') ?? '', search, choose),
      showTrace(byId('trace'), state.get('trace'), search, choose),
      showLogs(byId('logs'), overview.log_count, state.get('logs') ?? '', search, choose),
    ]);
    showTiles(shown, overview);
    byId('status').className = '';
    byId('status').textContent = `Live · updated ${clock(Date.now(), true)}`;
  } catch (error) {
    byId('status').className = 'lost';
    byId('status').textContent = `No answer from the sandbox (${error.message}); trying again every ${REFRESH_MS / 1000} s.`;
  }
  timer = setTimeout(() => document.hidden ? undefined : refresh(), REFRESH_MS);
}

function chartsFor(known) {
  const charts = CHARTS.map(chart => adapt(chart, known)).filter(chart => chart.metrics.length > 0);
  const chosen = known.get(state.get('metric'));
  if (chosen) charts.unshift(forAny(chosen));
  return charts;
}

/** The chart with those of its metrics that have arrived; a distribution cannot be summed into a level. */
function adapt(chart, known) {
  const metrics = chart.metrics.map(name => known.has(name) ? name : `${name}.dist`).filter(name => known.has(name));
  const isDistribution = metrics.some(name => known.get(name).type === 'distribution');
  return isDistribution
    ? { ...chart, title: `${chart.title.split(',')[0]}, per session`, metrics, kind: 'line', space: chart.space === 'max' ? 'max' : 'avg' }
    : { ...chart, metrics };
}

function forAny(metric) {
  return metric.type === 'count'
    ? { title: metric.name, metrics: [metric.name], kind: 'bars', chosen: true }
    : { title: metric.name, metrics: [metric.name], kind: 'line', space: 'avg', unit: metric.unit, chosen: true };
}

function queryOf(chart, range) {
  const by = chart.by ? ` by {${chart.by}}` : '';
  return chart.metrics
    .map(name => chart.kind === 'bars' ? `sum:${name}{*}.as_count().rollup(sum, ${range.bar})` : `${chart.space}:${name}{*}${by}`)
    .join(',');
}

async function drawCharts(known, range) {
  const charts = chartsFor(known);
  const answers = await Promise.all(charts.map(chart => ask('sandbox/query', { query: queryOf(chart, range), from: range.from, to: range.to })));
  const titles = new Set(charts.map(chart => chart.title));
  for (const [title, card] of cards) {
    if (!titles.has(title)) { card.remove(); cards.delete(title); }
  }
  charts.forEach((chart, at) => {
    const card = cards.get(chart.title) ?? addCard(chart);
    if (byId('charts').children[at] !== card) byId('charts').insertBefore(card, byId('charts').children[at] ?? null);
    const series = answers[at].series.map(one => ({ name: nameOf(one, chart), points: one.pointlist }));
    const unit = chart.unit ?? answers[at].series.find(one => one.unit)?.unit[0].name ?? null;
    const interval = answers[at].series[0]?.interval ?? range.bar;
    const drawn = draw(card.querySelector('.plot'), { kind: chart.kind, unit, from: range.from * 1000, to: range.to * 1000, interval, series });
    const legend = drawn.length > 1 ? drawn.map((one, i) => entry('span', i, one.more ? `${one.name} and ${one.more} more` : one.name)) : [];
    card.querySelector('.legend').replaceChildren(...legend);
  });
  return new Map(charts.map((chart, at) => [chart.title, answers[at].series]));
}

function addCard(chart) {
  const heading = node('h2', {}, chart.title);
  const card = node('article', { class: 'card chart' }, heading);
  if (!chart.chosen) card.append(node('p', { class: 'metric' }, chart.metrics.join(' · ')));
  card.append(node('div', { class: 'plot' }), node('div', { class: 'legend' }));
  cards.set(chart.title, card);
  return card;
}

function nameOf(series, chart) {
  if (series.tag_set.length > 0) return series.tag_set.map(tag => tag.slice(tag.indexOf(':') + 1)).join(', ');
  return chart.metrics.length > 1 ? series.metric.split('.').at(-1) : series.metric;
}

function showTiles(shown, overview) {
  const series = title => shown.get(title) ?? [];
  const sum = values => values.length ? values.reduce((a, b) => a + b, 0) : undefined;
  const created = series('Sessions created and terminated').filter(one => one.metric === 'streamspace.session.created');
  const cpu = latest(shown.get('CPU, average') ?? series('CPU, per session'));
  const tiles = [
    ['Active sessions', sum(latest(series('Active sessions')))],
    ['Created in range', sum(created.flatMap(one => one.pointlist.map(point => point[1])))],
    ['CPU per session', cpu.length ? sum(cpu) / cpu.length : undefined, 'percent'],
    ['Memory in use', sum(latest(series('Memory, all sessions'))), 'byte'],
    ['Users', sum(latest(series('Users, total')))],
    ['Events held', overview.event_count || undefined],
  ].filter(tile => tile[1] !== undefined);
  byId('tiles').replaceChildren(...tiles.map(([name, value, unit]) =>
    node('dl', { class: 'card tile' }, node('dt', {}, name), node('dd', {}, format(value, unit)))));
}

/** The values of the newest bucket: a series that has ended by then is not among them. */
function latest(series) {
  const newest = Math.max(...series.map(one => one.pointlist.at(-1)[0]));
  return series.map(one => one.pointlist.at(-1)).filter(point => point[0] === newest).map(point => point[1]);
}

function showRest(overview, dropped) {
  byId('empty').hidden = overview.metric_count + overview.event_count + overview.span_count + overview.log_count > 0 || dropped.total > 0;
  byId('totals').textContent =
    `${overview.metric_count} metrics · ${overview.series_count} series · ${format(overview.point_count)} points · ` +
    `${overview.event_count} events · ${format(overview.span_count)} spans · ${format(overview.log_count)} logs · ${format(overview.request_count)} requests`;
  showDropped(dropped);
  showEvents(overview.events);
  const others = overview.metrics.filter(metric => !CHARTED.has(metric.name));
  byId('others').hidden = others.length === 0;
  byId('others').querySelector('tbody').replaceChildren(...others.map(metric => {
    const button = node('button', {}, metric.name);
    button.onclick = () => choose('metric', metric.name);
    return node('tr', {}, node('td', {}, button), node('td', {}, metric.type || 'not assigned'), node('td', {}, metric.unit ?? ''),
      node('td', { class: 'number' }, String(metric.series)));
  }));
}

function showDropped(dropped) {
  byId('dropped').hidden = dropped.total === 0;
  byId('dropped').querySelector('h2').textContent = `Dropped behind a 202: ${dropped.total}`;
  byId('dropped').querySelector('tbody').replaceChildren(...dropped.items.slice(0, 20).map(item =>
    node('tr', {}, ...[clock(item.time, true), item.reason.replaceAll('_', ' '), item.metric, item.detail].map(text => node('td', {}, text)))));
}

function showEvents(events) {
  byId('events').hidden = events.length === 0;
  byId('events').querySelector('ol').replaceChildren(...events.sort((a, b) => b.date_happened - a.date_happened).map(event => {
    const kind = event.alert_type === 'warning' ? 'warning-event' : event.alert_type;
    const line = node('li', { class: kind }, node('div', { class: 'event-head' },
      node('strong', {}, event.title), node('time', {}, clock(event.date_happened * 1000, true))));
    if (event.text) line.append(node('p', { class: 'event-text' }, event.text.replaceAll('%%%', '').trim()));
    if (event.tags.length) line.append(node('div', { class: 'tags' }, ...event.tags.map(tag => node('span', {}, tag))));
    return line;
  }));
}

function choose(name, value) {
  if (value) state.set(name, value);
  else state.delete(name);
  history.replaceState(null, '', `#${state}`);
  showRange();
  if (name === 'metric') byId('charts').scrollIntoView({ behavior: 'smooth' });
  refresh().then(() => (name === 'trace' || name === 'logs') && value && byId(name).scrollIntoView({ behavior: 'smooth' }));
}

function showRange() {
  for (const button of document.querySelectorAll('#ranges button')) {
    button.setAttribute('aria-pressed', String(button.dataset.seconds === (state.get('range') ?? '900')));
  }
}

for (const button of document.querySelectorAll('#ranges button')) {
  button.onclick = () => choose('range', button.dataset.seconds);
}
byId('example').textContent = [
  `curl ${location.origin}/api/v2/series \\`,
  `  -H 'Content-Type: application/json' -H 'DD-API-KEY: 0123456789abcdef0123456789abcdef' \\`,
  `  -d '{"series":[{"metric":"my.metric","type":3,"points":[{"timestamp":'$(date +%s)',"value":42}]}]}'`,
].join('\n');
document.addEventListener('visibilitychange', () => document.hidden ? undefined : refresh());
addEventListener('resize', refresh);
showRange();
refresh();

// Traces: a list of their roots, and one of them as a waterfall.

import { clock, format, node } from './chart.js';
import { fillLogs, pairs, searchBox, spanOf } from './logs.js';

const COLOURS = 8;
const NANOSECONDS = 1e9;
const TICKS = 4;

/** Fills the card of all traces; hidden while there are none. */
export async function showTraces(card, count, query, search, choose) {
  card.hidden = count === 0;
  if (card.hidden) return;
  searchBox(card, query, text => choose('traces', text));
  const { found, error } = await search('spans', `parent_id:0 ${query}`);
  const rows = found.map(span => {
    const row = node('button', { class: span.status },
      node('time', {}, clock(span.start_timestamp, true)),
      node('span', { class: 'what' }, node('strong', {}, span.resource_name), node('small', {}, `${span.service} · ${span.operation_name}`)),
      node('b', {}, seconds(span.custom.duration)));
    row.onclick = () => choose('trace', span.trace_id);
    return node('li', {}, row);
  });
  card.querySelector('ol').replaceChildren(...rows);
  if (rows.length === 0) card.querySelector('ol').append(node('li', { class: 'nothing' }, error ?? 'No trace fits the search.'));
}

/** Draws one trace and its logs; hides the card when none is chosen. */
export async function showTrace(card, id, search, choose) {
  card.hidden = !id;
  if (card.hidden) return;
  card.querySelector('.close').onclick = () => choose('trace', '');
  const [{ found }, logs] = await Promise.all([
    search('spans', `trace_id:${id}`, { sort: 'timestamp', 'page[limit]': 1000 }),
    search('logs', `trace_id:${id}`, { sort: 'timestamp' }),
  ]);
  const [heading, told, wrong] = ['h2', '.told', '.wrong'].map(name => card.querySelector(name));
  const lines = card.querySelector('.loglist'), waterfall = card.querySelector('.waterfall');
  const ids = new Set(found.map(span => span.span_id));
  fillLogs(lines, logs.found, 'No log names this trace in dd.trace_id.', log =>
    ids.has(spanOf(log)) && ['Show its span', () => showSpan(waterfall, spanOf(log))]);
  if (found.length === 0) {
    heading.textContent = `Trace ${id}`;
    told.textContent = 'None of its spans is held any more.';
    wrong.hidden = true;
    waterfall.replaceChildren();
    return;
  }
  const spans = found.map(read);
  const from = Math.min(...spans.map(span => span.start)), to = Math.max(...spans.map(span => span.end), from + 1e-6);
  const rows = inOrder(spans);
  const services = [...new Set(rows.map(row => row.span.service))];
  heading.textContent = `${rows[0].span.resource} · ${rows[0].span.operation}`;
  const failed = rows.find(row => row.span.isError)?.span;
  wrong.hidden = !failed;
  if (failed) wrong.textContent = wordsOf(failed.custom.error ?? {});
  told.textContent = `${spans.length} ${spans.length === 1 ? 'span' : 'spans'} · ${format(to - from, 'second')} · began ${clock(from * 1000, true)} · trace ${id}`;
  const ofSpan = Map.groupBy(logs.found, spanOf);
  const open = new Set([...waterfall.querySelectorAll('details[open]')].map(row => row.dataset.key));
  waterfall.replaceChildren(axis(to - from), ...rows.map(row => bar(row, from, to, services, open, ofSpan.get(row.span.id) ?? [], choose)));
}

function read(span) {
  const start = new Date(span.start_timestamp).getTime() / 1000;
  return {
    id: span.span_id, parent: span.parent_id, service: span.service, resource: span.resource_name, operation: span.operation_name,
    isError: span.status === 'error', start, end: start + span.custom.duration / NANOSECONDS, custom: span.custom, sent: span,
  };
}

/** Parents before their children, in order of time; one whose parent is not here stands at the left. */
function inOrder(spans) {
  const ids = new Set(spans.map(span => span.id));
  const children = Map.groupBy(spans, span => ids.has(span.parent) && span.parent !== span.id ? span.parent : '0');
  const rows = [], done = new Set();
  const add = (parent, depth) => {
    for (const span of children.get(parent) ?? []) {
      rows.push({ span, depth });
      if (!done.has(span.id)) {
        done.add(span.id);
        add(span.id, depth + 1);
      }
    }
  };
  add('0', 0);
  return rows;
}

function axis(length) {
  const marks = Array.from({ length: TICKS }, (_, i) => node('span', {}, format(length * i / TICKS, 'second')));
  return node('div', { class: 'axis', 'aria-hidden': 'true' }, node('span', {}), node('span', { class: 'ticks' }, ...marks));
}

function bar({ span, depth }, from, to, services, open, logs, choose) {
  const at = services.indexOf(span.service) % COLOURS;
  const line = node('i', { class: span.isError ? 'bar failed' : `bar c${at}` });
  line.style.setProperty('left', `${100 * (span.start - from) / (to - from)}%`);
  line.style.setProperty('width', `${100 * (span.end - span.start) / (to - from)}%`);
  const name = node('span', { class: 'name' }, node('strong', {}, span.resource), node('small', {}, `${span.operation} · ${span.service}`));
  name.style.setProperty('padding-left', `${Math.min(depth, 12) * 0.9}rem`);
  const summary = node('summary', {}, name, node('span', { class: 'track' }, line), node('b', {}, format(span.end - span.start, 'second')));
  const { duration, ...custom } = span.custom;
  const row = node('details', { 'data-key': span.id }, summary,
    node('dl', {}, ...pairs({ operation: span.operation, service: span.service, env: span.sent.env, host: span.sent.host, span_id: span.id, ...custom })));
  if (logs.length) {
    const button = node('button', { class: 'link' }, logs.length === 1 ? 'Show its log' : `Show its ${logs.length} logs`);
    button.onclick = () => choose('logs', `span_id:${span.id}`);
    row.append(button);
  }
  row.open = open.has(span.id);
  return row;
}

/** Opens a span in the waterfall and brings it into view. */
function showSpan(waterfall, id) {
  const row = [...waterfall.querySelectorAll('details')].find(one => one.dataset.key === id);
  row.open = true;
  row.scrollIntoView({ behavior: 'smooth', block: 'center' });
}

/** Type and message; a message that begins with its type says both. */
function wordsOf({ type = '', message = '' }) {
  return message.startsWith(type) && message ? message : [type, message].filter(Boolean).join(': ') || 'An error, without a word about it.';
}

function seconds(nanoseconds) { return format(nanoseconds / NANOSECONDS, 'second'); }

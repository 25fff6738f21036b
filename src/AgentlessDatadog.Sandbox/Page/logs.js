// Logs: a list with a search, and the same lines under a trace.

import { clock, node } from './chart.js';

const LEVELS = { emergency: 'error', alert: 'error', critical: 'error', error: 'error', warn: 'warning', notice: 'info', info: 'info', debug: 'debug', ok: 'ok' };

/** Fills the card of all logs; hidden while there are none. */
export async function showLogs(card, count, query, search, choose) {
  card.hidden = count === 0;
  if (card.hidden) return;
  searchBox(card, query, text => choose('logs', text));
  const { found, error } = await search('logs', query);
  fillLogs(card.querySelector('.loglist'), found, error ?? 'No log fits the search.', log => {
    const trace = at(log.attributes, 'dd.trace_id');
    return trace && ['Show its trace', () => choose('trace', String(trace))];
  });
}

/** A search box that says what was asked for; `ask` hears of another search. */
export function searchBox(card, query, ask) {
  const input = card.querySelector('input');
  if (document.activeElement !== input) input.value = query;
  card.querySelector('form').onsubmit = event => {
    event.preventDefault();
    input.blur();
    ask(input.value.trim());
  };
}

/** The span that a log was written in, if it says. */
export function spanOf(log) { return String(at(log.attributes, 'dd.span_id') ?? ''); }

/** Lines of logs; what was open stays open. `lead` says where one leads, if anywhere: a label and what happens. */
export function fillLogs(list, logs, nothing, lead) {
  const open = new Set([...list.querySelectorAll('details[open]')].map(line => line.dataset.key));
  list.replaceChildren(...logs.map(log => line(log, open, lead(log))));
  if (logs.length === 0) list.append(node('p', { class: 'nothing' }, nothing));
}

function line(log, open, lead) {
  const key = `${log.timestamp} ${log.message.slice(0, 200)}`;
  const summary = node('summary', {},
    node('time', {}, clock(log.timestamp, true)),
    node('span', { class: `level ${LEVELS[log.status]}` }, log.status),
    node('span', { class: 'message' }, log.message));
  const facts = node('dl', {}, ...pairs({ service: log.service, host: log.host, tags: log.tags.join(', '), ...log.attributes }));
  const details = node('details', { 'data-key': key }, summary, facts);
  details.open = open.has(key);
  if (lead) {
    const button = node('button', { class: 'link' }, lead[0]);
    button.onclick = lead[1];
    details.append(button);
  }
  return details;
}

/** Names and values of nested attributes as the items of a list. */
export function pairs(attributes, prefix = '') {
  return Object.entries(attributes).flatMap(([name, value]) =>
    value === null || value === '' ? []
      : typeof value === 'object' && !Array.isArray(value) ? pairs(value, `${prefix}${name}.`)
        : [node('dt', {}, `${prefix}${name}`), node('dd', {}, Array.isArray(value) ? JSON.stringify(value) : String(value))]);
}

function at(attributes, path) {
  return attributes[path] ?? path.split('.').reduce((inner, name) => inner?.[name], attributes);
}

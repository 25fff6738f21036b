// Shows what the host and its plugins say of themselves, and asks again every few seconds. It only reads, and
// puts what it read in as text, never as markup.

const refreshMs = 4000;
const accounts = ["accepted", "delivered", "queued", "overflowed", "expired", "rejected", "uncertain"];
const at = (id) => document.getElementById(id);
const number = new Intl.NumberFormat("en");

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const badge = (text, tone = "") => make("span", { class: `badge ${tone}` }, text);
const note = (text, tone) => make("p", { class: `note ${tone}` }, text);
const time = (iso) => new Date(iso).toLocaleTimeString();

function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  for (; count >= 1024 && unit < units.length - 1; unit++) count /= 1024;
  return `${count.toFixed(unit && count < 10 ? 1 : 0)} ${units[unit]}`;
}

function facts(pairs) {
  const list = make("dl");
  for (const [name, value] of pairs) {
    if (value !== null && value !== undefined && value !== "") {
      list.append(make("div", value instanceof Element ? { class: "wide" } : {}, make("dt", {}, name), make("dd", {}, value)));
    }
  }
  return list;
}

function table(heads, rows) {
  return make("div", { class: "scroll" }, make("table", {},
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row)))));
}

const cell = (content) => make("td", {}, content);
const words = (content) => make("td", { class: "words" }, content);

// Below its first line a detail holds a text to apply, such as the YAML that grants a missing right.
function detail(text) {
  const end = text.indexOf("\n");
  return end < 0 ? words(text) : make("td", { class: "words" }, text.slice(0, end), make("pre", {}, text.slice(end + 1)));
}
const amount = (count) => make("td", count ? {} : { class: "zero" }, number.format(count ?? 0));

const tones = {
  ok: "good", degraded: "warn", failing: "bad",
  running: "good", up: "good", open: "good", idle: "good", shipping: "good",
  loading: "warn", connecting: "warn", unconfigured: "warn", disabled: "", stopped: "",
  failed: "bad", isolated: "bad", down: "bad", parked: "bad",
};
const state = (word) => badge(word.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`), tones[word] ?? "warn");

function showAttached(host) {
  const rows = host.sources.map((source) => [
    cell(source.name),
    make("td", {}, state(source.state)),
    detail(source.detail),
    amount(source.received),
    amount(Object.values(source.skipped).reduce((sum, count) => sum + count, 0)),
    cell(source.downtimeSeconds ? `${number.format(Math.round(source.downtimeSeconds))} s` : "–"),
  ]);
  at("attached").replaceChildren(
    make("h2", {}, "Attached to", host.demo ? badge("demo", "warn") : null),
    make("p", { class: "lead" }, host.attachedTo),
    ...(rows.length ? [make("h3", {}, "Sources"), table(["Source", "State", "", "Received", "Skipped", "Down for"], rows)] : []));
}

function ledgerOf(lanes) {
  return [make("h3", {}, "What became of everything that was accepted"), table(
    ["Lane", "State", ...accounts],
    lanes.map((lane) => [
      cell(lane.lane),
      make("td", {}, state(lane.state)),
      ...accounts.map((account) => amount(lane.ledger?.[account])),
    ]))];
}

// A failure is news until the next request is delivered; what was given up, and why, stays.
function troubleOf(lane) {
  const lost = Object.entries(lane.ledger?.reasons ?? {}).map(([reason, units]) => `${number.format(units)} (${reason})`);
  return [
    ...(lane.lastError && lane.verdict !== "delivered" ? [note(`${lane.lane}: ${lane.lastError}`, "bad")] : []),
    ...(lost.length ? [note(`${lane.lane}: given up: ${lost.join(", ")}`, "warn")] : []),
  ];
}

function pluginCard(summary, status) {
  const lanes = Array.isArray(status?.lanes) ? status.lanes : [];
  const flush = status?.lastFlush;
  const site = status?.site === "sandbox" ? "sandbox, local" : status?.site;
  return make("section", { class: "card" },
    make("h2", {}, summary.displayName, state(summary.state)),
    facts([
      ["Version", summary.version],
      ["Site", site],
      ["API key", status?.site === "sandbox" ? null : status?.apiKey],
      ["Series", status?.series?.total === undefined ? null : number.format(status.series.total)],
      ["Queue", status?.queue ? `${number.format(status.queue.requests)} requests, ${bytes(status.queue.bytes)}` : null],
      ["Last flush", flush ? `${time(flush.at)}, ${number.format(flush.points)} points, ${bytes(flush.bytes)}` : null],
      ["Log", summary.log ? make("code", {}, summary.log) : null],
    ]),
    ...(summary.detail ? [note(summary.detail, summary.state === "failed" ? "bad" : "warn")] : []),
    ...(summary.readinessError && !summary.detail ? [note(summary.readinessError, "warn")] : []),
    ...summary.errors.map((error) => note(`${error.key}: ${error.message}`, "bad")),
    ...(lanes.length ? ledgerOf(lanes) : []),
    ...(Array.isArray(status?.warnings) ? status.warnings : []).map((warning) => note(warning, "bad")),
    ...(status?.storeDamage ? [note(status.storeDamage, "bad")] : []),
    ...lanes.flatMap(troubleOf));
}

function link(text, href) {
  return make("li", {}, make("a", { href }, text));
}

function showLinks(host) {
  at("links").replaceChildren(
    ...(host.sandbox ? [link("Sandbox: a local Datadog", host.sandbox)] : []),
    link("API description (OpenAPI)", "openapi/v1.json"),
    link("Status as JSON", "api/status"));
  const route = host.plugins.find((plugin) => plugin.route)?.route;
  at("data").textContent = host.dataFolder;
  at("example").textContent = new URL(route ? `api/plugins/${route}/config` : "api/status", document.baseURI);
}

async function read(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" }, cache: "no-store" });
  if (answer.status === 401) return null;
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

function showVerdict(word, tone, said = "") {
  at("verdict").textContent = word;
  at("verdict").className = `badge ${tone}`;
  at("said").textContent = said;
}

function showClosed() {
  if (location.pathname.endsWith("/sign-in")) {
    at("closed-why").textContent = "This sign-in link was used before, or is older than ten minutes.";
  }
  at("open").hidden = true;
  at("sign-out").hidden = true;
  at("closed").hidden = false;
  showVerdict("", "");
  at("seen").textContent = "";
}

async function show() {
  const host = await read("api/status");
  if (!host) {
    showClosed();
    return false;
  }
  const statuses = await Promise.all(host.plugins.map((plugin) =>
    plugin.route ? read(`api/plugins/${plugin.route}/status`).catch(() => null) : null));
  at("version").textContent = `Version ${host.version}, running since ${new Date(host.startedAt).toLocaleString()}`;
  // Whoever is no operator is shown the word alone.
  const said = host.verdict.fix ? `${host.verdict.sentence} → ${host.verdict.fix.split("\n")[0]}` : host.verdict.sentence;
  showVerdict(host.verdict.state, tones[host.verdict.state], said);
  showAttached(host);
  at("plugins").replaceChildren(...(host.storeDamage ? [note(host.storeDamage, "bad")] : []), ...(host.plugins.length
    ? host.plugins.map((plugin, index) => pluginCard(plugin, statuses[index]))
    : [make("section", { class: "card" }, make("h2", {}, "No plugins"),
        make("p", {}, "Put a plugin's folder into the plugins folder, and restart the host."))]));
  showLinks(host);
  at("closed").hidden = true;
  at("open").hidden = false;
  at("sign-out").hidden = false;
  at("seen").textContent = `As of ${new Date().toLocaleTimeString()}; asks again by itself.`;
  return true;
}

at("sign-out").addEventListener("click", async () => {
  await fetch("sign-out", { method: "POST" });
  location.reload();
});

async function run() {
  let again = true;
  try {
    again = await show();
  } catch {
    showVerdict("not reachable", "bad");
    at("seen").textContent = `The host did not answer at ${new Date().toLocaleTimeString()}; trying again.`;
  }
  if (again) setTimeout(run, refreshMs);
}

run();

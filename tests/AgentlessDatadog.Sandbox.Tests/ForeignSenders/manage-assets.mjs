// Makes, reads, edits and deletes a dashboard, a monitor and an SLO by Datadog's own client, and asks what a widget asks:
// manage-assets.mjs <url> <api key> <application key>. Prints what it read as one line of JSON.

import { client, v1, v2 } from '@datadog/datadog-api-client';

const [url, apiKey, appKey] = process.argv.slice(2);
const configuration = client.createConfiguration({
  baseServer: new client.BaseServerConfiguration(url, {}),
  authMethods: { apiKeyAuth: apiKey, appKeyAuth: appKey },
});
const dashboards = new v1.DashboardsApi(configuration);
const monitors = new v1.MonitorsApi(configuration);
const slos = new v1.ServiceLevelObjectivesApi(configuration);
const metrics = new v2.MetricsApi(configuration);
const catalog = new v2.SoftwareCatalogApi(configuration);

// True when some part of an answer was not as the client knows it.
const isUnparsed = (value) => value !== null && typeof value === 'object' && (value._unparsed === true || Object.values(value).some(isUnparsed));
const answers = [];
const kept = async (answer) => {
  const value = await answer;
  answers.push(value);
  return value;
};
const codeOf = async (answer) => {
  try {
    await answer;
    return 0;
  } catch (error) {
    return error.code;
  }
};

const slo = (await kept(slos.createSLO({
  body: {
    name: 'Starts that succeed', type: 'metric', tags: ['managed-by:client'], thresholds: [{ timeframe: '30d', target: 99 }],
    sliSpecification: {
      count: {
        goodEventsFormula: { formula: 'a - b' }, totalEventsFormula: { formula: 'a' },
        queries: [
          { dataSource: 'metrics', name: 'a', query: 'sum:starts{*}.as_count()' },
          { dataSource: 'metrics', name: 'b', query: 'sum:failed{*}.as_count()' },
        ],
      },
    },
  },
}))).data[0];
const widgets = (title) => [
  {
    definition: {
      type: 'timeseries', title,
      requests: [{
        displayType: 'line', responseFormat: 'timeseries', formulas: [{ formula: 'a', alias: 'CPU' }],
        queries: [{ dataSource: 'metrics', name: 'a', query: 'avg:cpu{$env} by {host}' }],
      }],
    },
    layout: { x: 0, y: 0, width: 6, height: 2 },
  },
  {
    definition: { type: 'slo', viewType: 'detail', viewMode: 'overall', timeWindows: ['30d'], sloId: slo.id },
    layout: { x: 6, y: 0, width: 6, height: 2 },
  },
];
const dashboard = await kept(dashboards.createDashboard({
  body: {
    title: 'Overview', layoutType: 'ordered', reflowType: 'fixed', description: 'made by the client', widgets: widgets('CPU'),
    templateVariables: [{ name: 'env', prefix: 'env', availableValues: [], defaults: ['*'] }],
  },
}));
const edited = await kept(dashboards.updateDashboard({
  dashboardId: dashboard.id, body: { title: 'Overview', layoutType: 'ordered', reflowType: 'fixed', widgets: widgets('CPU by host') },
}));
await kept(dashboards.listDashboards());
// The client gives back what is answered with 409, and takes the text for a dictionary of its letters.
const inUse = await slos.deleteSLO({ sloId: slo.id });

const monitor = await kept(monitors.createMonitor({
  body: {
    type: 'metric alert', name: 'CPU', query: 'avg(last_5m):avg:cpu{*} by {host} > 90', message: '{{host.name}}', tags: ['managed-by:client'],
    options: { thresholds: { critical: 90, warning: 80 }, onMissingData: 'resolve', newGroupDelay: 0, requireFullWindow: false },
  },
}));
const renamed = await kept(monitors.updateMonitor({ monitorId: monitor.id, body: { name: 'CPU by host' } }));
const read = await kept(monitors.getMonitor({ monitorId: monitor.id, groupStates: 'all' }));
const listed = await kept(monitors.listMonitors({ monitorTags: 'managed-by:client' }));
const found = await kept(monitors.searchMonitors({ query: 'tag:"managed-by:client"' }));
const badQuery = await codeOf(monitors.validateMonitor({ body: { type: 'query alert', query: 'avg:cpu{*}' } }));

const tags = await kept(metrics.createTagConfiguration({
  metricName: 'ready',
  body: { data: { type: 'manage_tags', id: 'ready', attributes: { metricType: 'distribution', tags: ['host'], includePercentiles: true } } },
}));
const entity = await kept(catalog.upsertCatalogEntity({
  body: { apiVersion: 'v3', kind: 'service', metadata: { name: 'shop', owner: 'team-a' }, spec: { tier: '1' } },
}));
const [from, to] = [Date.now() - 600000, Date.now() + 60000];
const timeseries = await kept(metrics.queryTimeseriesData({
  body: {
    data: {
      type: 'timeseries_request',
      attributes: { from, to, interval: 10000, formulas: [{ formula: 'a * 2' }], queries: [{ dataSource: 'metrics', name: 'a', query: 'avg:cpu{*} by {host}' }] },
    },
  },
}));
const scalar = await kept(metrics.queryScalarData({
  body: {
    data: {
      type: 'scalar_request',
      attributes: { from, to, formulas: [{ formula: 'a' }], queries: [{ dataSource: 'metrics', name: 'a', query: 'p50:ready{*} by {host}', aggregator: 'percentile' }] },
    },
  },
}));

await kept(dashboards.deleteDashboard({ dashboardId: dashboard.id }));
await kept(slos.deleteSLO({ sloId: slo.id }));
await kept(monitors.deleteMonitor({ monitorId: monitor.id }));
await metrics.deleteTagConfiguration({ metricName: 'ready' });
await catalog.deleteCatalogEntity({ entityId: entity.data[0].id });
console.log(JSON.stringify({
  dashboard: [edited.title, edited.widgets[0].definition.title, edited.description],
  monitor: [renamed.type, renamed.name, renamed.options.onMissingData, read.overallState, listed.length, found.monitors[0].status],
  inUse: Object.values(inUse.errors).join('') === `slo ${slo.id} is referenced in dashboard_id: ${dashboard.id}`,
  tags: tags.data.attributes.includePercentiles,
  timeseries: timeseries.data.attributes.values,
  scalar: scalar.data.attributes.columns.map(column => column.values),
  codes: [
    badQuery, await codeOf(dashboards.getDashboard({ dashboardId: dashboard.id })), await codeOf(slos.getSLO({ sloId: slo.id })),
    await codeOf(monitors.getMonitor({ monitorId: monitor.id })),
  ],
  unread: answers.filter(isUnparsed).length,
}));

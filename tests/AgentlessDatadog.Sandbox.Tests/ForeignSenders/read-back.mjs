// Sends a log and reads logs and spans back by Datadog's own client: read-back.mjs <url> <api key> <application key>.
// Prints what it read as one line of JSON.

import { client, v2 } from '@datadog/datadog-api-client';

const [url, apiKey, appKey] = process.argv.slice(2);
const configuration = client.createConfiguration({
  baseServer: new client.BaseServerConfiguration(url, {}),
  authMethods: { apiKeyAuth: apiKey, appKeyAuth: appKey },
});
const logs = new v2.LogsApi(configuration);
await logs.submitLog({
  contentEncoding: 'gzip',
  body: [
    { message: 'first', service: 'client', ddtags: 'team:a', additionalProperties: { status: 'error' } },
    { message: 'second', service: 'client', ddtags: 'team:a' },
    { message: 'third', service: 'client', ddtags: 'team:a' },
  ],
});
const found = [];
const search = { filter: { query: 'service:client', from: 'now-1h', to: 'now' }, sort: 'timestamp', page: { limit: 2 } };
for await (const log of logs.listLogsWithPagination({ body: search })) found.push(log);
const spans = await new v2.SpansApi(configuration).listSpans({
  body: { data: { type: 'search_request', attributes: { filter: { query: '*', from: 'now-1h', to: 'now' }, sort: 'timestamp' } } },
});
const unread = [...found, ...spans.data].filter(one => one._unparsed || one.attributes._unparsed).length;
console.log(JSON.stringify({
  logs: found.map(log => [log.attributes.message, log.attributes.status, log.attributes.tags.join()]),
  spans: spans.data.map(span => [span.attributes.service, span.attributes.resourceName, span.attributes.custom.duration]),
  unread,
}));

// Sends one trace of three spans by OpenTelemetry's SDK: send-spans.mjs <url> <proto|json> <api key>.
// Ends with a code other than 0 when the exporter says that it failed.

import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtoExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';

const [url, protocol, key] = process.argv.slice(2);
const finished = new InMemorySpanExporter();
const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({
    'service.name': 'js-shop', 'service.version': '1.2.3', 'deployment.environment.name': 'test', 'host.name': 'node-js',
  }),
  spanProcessors: [new SimpleSpanProcessor(finished)],
});
const tracer = provider.getTracer('foreign');
const root = tracer.startSpan('GET /cart', { kind: SpanKind.SERVER, attributes: { 'http.response.status_code': 500, list: ['a', 'b'] } });
const inRoot = trace.setSpan(ROOT_CONTEXT, root);
tracer.startSpan('price', { kind: SpanKind.INTERNAL, attributes: { ratio: 0.5, fresh: true } }, inRoot).end();
const call = tracer.startSpan('SELECT', { kind: SpanKind.CLIENT }, inRoot);
call.recordException(new TypeError('no such table'));
call.setStatus({ code: SpanStatusCode.ERROR, message: 'query failed' });
call.end();
root.end();
await provider.forceFlush();

const Exporter = protocol === 'json' ? JsonExporter : ProtoExporter;
const exporter = new Exporter({ url, compression: 'gzip', headers: { 'dd-api-key': key, compute_stats: 'true' } });
const result = await new Promise(done => exporter.export(finished.getFinishedSpans(), done));
await exporter.shutdown();
if (result.code !== 0) {
  console.error(result.error);
  process.exit(1);
}
console.log(root.spanContext().traceId);

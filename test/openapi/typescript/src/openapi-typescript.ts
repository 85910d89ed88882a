// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Works with DataImportCrons by the types that openapi-typescript generates: it lists them,
// applies one without a schedule, triggers it, watches until the trigger is handled, and
// deletes it. The kubeconfig is on standard input.

import createClient from 'openapi-fetch';

import type { components, paths } from '../generated/openapi-typescript.js';
import { fromStdin, inNamespace } from './cluster.js';
import { events } from './watch.js';

type DataImportCron = components['schemas']['dev.goldenimage.cdi.v1beta1.DataImportCron'];
type Trigger = components['schemas']['dev.goldenimage.cdi.v1beta1.DataImportCronTrigger'];

const crons = '/apis/cdi.kubevirt.io/v1beta1/namespaces/{namespace}/dataimportcrons';
const name = 'on-demand';

const cron = {
  apiVersion: 'cdi.kubevirt.io/v1beta1',
  kind: 'DataImportCron',
  metadata: { name },
  spec: {
    schedule: '',
    managedDataSource: 'fedora',
    template: {
      spec: {
        // Nobody has this name: the poll fails at once, and nothing is imported.
        source: { registry: { url: 'docker://registry.invalid/fedora:latest' } },
        storage: { resources: { requests: { storage: '5Gi' } } },
      },
    },
  },
} satisfies DataImportCron;

const cluster = fromStdin();
const client = createClient<paths>({ baseUrl: cluster.baseUrl, fetch: cluster.fetch });

/** Returns what was asked for, or throws what the server says instead. */
async function got<T>(what: string, answer: Promise<{ data?: T; error?: unknown }>): Promise<NonNullable<T>> {
  const { data, error } = await answer;
  if (data === undefined || data === null) throw new Error(`${what}: ${JSON.stringify(error)}`);
  return data;
}

await inNamespace(cluster, async (namespace) => {
  const path = { namespace, name };

  const applied = await got(
    'apply',
    client.PATCH(`${crons}/{name}`, {
      params: { path, query: { fieldManager: 'openapi-typescript' } },
      headers: { 'Content-Type': 'application/apply-patch+yaml' }, // of which JSON is a part
      body: cron,
    }),
  );
  const list = await got('list', client.GET(crons, { params: { path: { namespace } } }));
  const found = list.items.map((item) => item.metadata?.name);
  if (found.join() !== name) throw new Error(`the list has ${found}, want ${name}`);

  const request: Trigger = { spec: { requestID: 'by-openapi-typescript', reason: 'a test' } };
  const accepted = await got('trigger', client.POST(`${crons}/{name}/trigger`, { params: { path }, body: request }));
  const id: string | undefined = accepted.status?.requestID;
  if (id !== request.spec?.requestID) throw new Error(`the trigger is answered with request ${id}`);

  const stream = await got(
    'watch',
    client.GET(crons, {
      params: {
        path: { namespace },
        query: { watch: true, resourceVersion: applied.metadata?.resourceVersion, timeoutSeconds: 60 },
      },
      parseAs: 'stream',
    }),
  );
  let outcome: string | undefined;
  for await (const event of events<DataImportCron>(stream)) {
    const last = event.object.status?.lastTrigger;
    if (last !== undefined && last.requestID === id) {
      outcome = last.outcome;
      break;
    }
  }
  if (outcome !== 'Failed') throw new Error(`the poll is ${outcome ?? 'not made in a minute'}, want it Failed`);

  await got('delete', client.DELETE(`${crons}/{name}`, { params: { path } }));
  console.log('openapi-typescript: listed, applied, triggered, watched and deleted a DataImportCron');
});

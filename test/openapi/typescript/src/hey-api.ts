// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Works with DataImportCrons by the client that @hey-api/openapi-ts generates: it lists them,
// applies one without a schedule, triggers it, watches until the trigger is handled, and
// deletes it. The kubeconfig is on standard input.

import { client } from '../generated/hey-api/client.gen.js';
import {
  createCdiKubevirtIoV1Beta1NamespacedDataImportCronTrigger as trigger,
  deleteCdiKubevirtIoV1Beta1NamespacedDataImportCron as remove,
  listCdiKubevirtIoV1Beta1NamespacedDataImportCron as list,
  patchCdiKubevirtIoV1Beta1NamespacedDataImportCron as patch,
} from '../generated/hey-api/sdk.gen.js';
import type {
  DevGoldenimageCdiV1Beta1DataImportCron as DataImportCron,
  DevGoldenimageCdiV1Beta1DataImportCronTrigger as Trigger,
} from '../generated/hey-api/types.gen.js';
import { fromStdin, inNamespace } from './cluster.js';
import { events } from './watch.js';

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
client.setConfig({ baseUrl: cluster.baseUrl, fetch: cluster.fetch as typeof fetch });
const throwOnError = true;

await inNamespace(cluster, async (namespace) => {
  const path = { namespace, name };

  const applied = await patch({
    path,
    query: { fieldManager: 'hey-api' },
    headers: { 'Content-Type': 'application/apply-patch+yaml' }, // of which JSON is a part
    body: cron,
    throwOnError,
  });
  const { data: listed } = await list({ path: { namespace }, throwOnError });
  const found = listed.items.map((item) => item.metadata?.name);
  if (found.join() !== name) throw new Error(`the list has ${found}, want ${name}`);

  const request: Trigger = { spec: { requestID: 'by-hey-api', reason: 'a test' } };
  const { data: accepted } = await trigger({ path, body: request, throwOnError });
  const id: string | undefined = accepted.status?.requestID;
  if (id !== request.spec?.requestID) throw new Error(`the trigger is answered with request ${id}`);

  const { response: watch } = await list({
    path: { namespace },
    query: { watch: true, resourceVersion: applied.data.metadata?.resourceVersion, timeoutSeconds: 60 },
    parseAs: 'stream',
    throwOnError,
  });
  if (watch.body === null) throw new Error('the watch has no body');
  let outcome: string | undefined;
  for await (const event of events<DataImportCron>(watch.body)) {
    const last = event.object.status?.lastTrigger;
    if (last !== undefined && last.requestID === id) {
      outcome = last.outcome;
      break;
    }
  }
  if (outcome !== 'Failed') throw new Error(`the poll is ${outcome ?? 'not made in a minute'}, want it Failed`);

  await remove({ path, throwOnError });
  console.log('@hey-api/openapi-ts: listed, applied, triggered, watched and deleted a DataImportCron');
});

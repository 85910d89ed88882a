// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { Readable } from 'node:stream';

/** What "kubectl config view --raw --minify --flatten -o json" prints, as far as it is used. */
interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data'?: string } }[];
  users: { user: { 'client-certificate-data'?: string; 'client-key-data'?: string; token?: string } }[];
}

/** A Kubernetes API that can be asked. */
export interface Cluster {
  /** The URL that paths such as /apis are below. */
  baseUrl: string;
  /** As the global one, in the name of the kubeconfig's user. The generated clients take it. */
  fetch(request: Request): Promise<Response>;
}

const decode = (data: string | undefined) => (data === undefined ? undefined : Buffer.from(data, 'base64'));

/** Returns the cluster of the kubeconfig on standard input: secrets are no arguments. */
export function fromStdin(): Cluster {
  const config = JSON.parse(readFileSync(0, 'utf8')) as Kubeconfig;
  const cluster = config.clusters[0]?.cluster;
  const user = config.users[0]?.user;
  if (cluster === undefined || user === undefined) {
    throw new Error('the kubeconfig has no cluster or no user');
  }
  const agent = new Agent({
    ca: decode(cluster['certificate-authority-data']),
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  });
  const authorization: Record<string, string> = user.token === undefined ? {} : { authorization: `Bearer ${user.token}` };
  return { baseUrl: cluster.server, fetch: (wanted) => send(wanted, agent, authorization) };
}

/** The global fetch cannot be given a client certificate. */
async function send(wanted: Request, agent: Agent, authorization: Record<string, string>): Promise<Response> {
  const body = Buffer.from(await wanted.arrayBuffer());
  const headers = { ...Object.fromEntries(wanted.headers), ...authorization };
  return new Promise((resolve, reject) => {
    const { method, signal } = wanted;
    const sent = request(wanted.url, { agent, method, headers, signal }, (answer) => {
      resolve(
        new Response(Readable.toWeb(answer) as ReadableStream<Uint8Array>, {
          status: answer.statusCode,
          statusText: answer.statusMessage,
          headers: answer.headers as Record<string, string>,
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body.length > 0 ? body : undefined);
  });
}

/** Calls use with the name of a new namespace, which is deleted afterwards with all that is in it. */
export async function inNamespace(cluster: Cluster, use: (namespace: string) => Promise<void>): Promise<void> {
  const namespaces = `${cluster.baseUrl}/api/v1/namespaces`;
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ metadata: { generateName: 'openapi-' } });
  const created = await cluster.fetch(new Request(namespaces, { method: 'POST', headers, body }));
  const answer = (await created.json()) as { message?: string; metadata?: { name?: string } };
  const name = answer.metadata?.name;
  if (!created.ok || name === undefined) {
    throw new Error(`create a namespace: ${answer.message}`);
  }
  try {
    await use(name);
  } finally {
    const deleted = await cluster.fetch(new Request(`${namespaces}/${name}`, { method: 'DELETE' }));
    await deleted.text();
  }
}

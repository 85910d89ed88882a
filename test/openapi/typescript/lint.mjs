// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Checks the OpenAPI documents:
//
//	node lint.mjs V3 V2
//
// V3 is that of the group, V2 that of the whole cluster. Both have to be valid, V3 has to be as
// redocly.yaml asks, and every operation of V3 has to be in V2, where older clients look. Ends with
// 75 if that is all that is amiss: V2 is put together again only once a minute.

import { readFile } from 'node:fs/promises';

import SwaggerParser from '@apidevtools/swagger-parser';
import { formatProblems, getTotals, lint, loadConfig } from '@redocly/openapi-core';

const group = '/apis/cdi.kubevirt.io/v1beta1/';

/** Returns the IDs of the operations of the group. */
function operations(document) {
  return Object.entries(document.paths)
    .filter(([path]) => path.startsWith(group))
    .flatMap(([, item]) => Object.values(item).map((operation) => operation.operationId))
    .filter((id) => id !== undefined);
}

async function main(v3, v2) {
  const documents = {};
  for (const file of [v3, v2]) {
    documents[file] = JSON.parse(await readFile(file, 'utf8'));
    // It replaces references in what it is given, so that it gets a copy.
    await SwaggerParser.validate(structuredClone(documents[file]), { resolve: { external: false } });
  }

  const config = await loadConfig({ configPath: 'redocly.yaml' });
  const problems = await lint({ ref: v3, config });
  const totals = getTotals(problems);
  if (totals.errors + totals.warnings > 0) {
    formatProblems(problems, { format: 'stylish', totals });
    throw new Error(`${v3} has ${totals.errors} errors and ${totals.warnings} warnings`);
  }

  const wanted = operations(documents[v3]);
  const found = new Set(operations(documents[v2]));
  const missing = wanted.filter((id) => !found.has(id));
  if (wanted.length === 0) throw new Error(`${v3} has no operation below ${group}`);
  if (missing.length > 0) {
    process.exitCode = 75;
    console.error(`lint: of the ${wanted.length} operations in ${v3}, ${v2} lacks: ${missing.join(', ')}`);
    return;
  }
  console.log(`${v3} and ${v2} are valid; ${wanted.length} operations in both`);
}

try {
  await main(...process.argv.slice(2));
} catch (err) {
  console.error(`lint: ${err.message}`);
  process.exitCode = 1;
}

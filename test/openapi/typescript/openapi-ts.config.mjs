// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// How @hey-api/openapi-ts generates.

/** @type {import('@hey-api/openapi-ts').UserConfig} */
export default {
  input: 'openapi-v3.json',
  // tsconfig.json asks for ES modules as Node.js has them: an import names the whole file.
  output: { path: 'generated/hey-api', importFileExtension: '.js' },
  plugins: ['@hey-api/typescript', '@hey-api/sdk', '@hey-api/client-fetch'],
  logs: { level: 'silent', file: false },
};

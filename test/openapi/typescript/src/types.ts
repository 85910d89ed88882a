// Copyright The Golden Image Authors.
// SPDX-License-Identifier: Apache-2.0

// Holds the generated types against what they should be; there is nothing here to run. A
// document without a type makes a generator say "any" or "unknown", with which the programs
// would compile too.

import type { components, operations } from '../generated/openapi-typescript.js';
import type * as hey from '../generated/hey-api/types.gen.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Optional<T, K extends keyof T> = undefined extends T[K] ? true : false;
type Present<T> = NonNullable<T>;

type Schemas = components['schemas'];
type Cron = Schemas['dev.goldenimage.cdi.v1beta1.DataImportCron'];
type Trigger = Schemas['dev.goldenimage.cdi.v1beta1.DataImportCronTrigger'];
type TriggerOperation = operations['createCdiKubevirtIoV1beta1NamespacedDataImportCronTrigger'];
type HeyCron = hey.DevGoldenimageCdiV1Beta1DataImportCron;
type HeyTrigger = hey.DevGoldenimageCdiV1Beta1DataImportCronTrigger;
type HeyTriggerOperation = hey.CreateCdiKubevirtIoV1Beta1NamespacedDataImportCronTriggerData;

type Outcome = 'Failed' | 'Unchanged' | 'Updated';

/** The checks; each that fails is an error of the compiler. */
export const checks: [
  // What a trigger is asked with and answered with; it may be asked with nothing.
  Equal<Present<TriggerOperation['requestBody']>['content']['application/json'], Trigger>,
  Equal<TriggerOperation['responses'][201]['content']['application/json'], Trigger>,
  Optional<TriggerOperation, 'requestBody'>,
  Equal<Present<HeyTriggerOperation['body']>, HeyTrigger>,
  Equal<hey.CreateCdiKubevirtIoV1Beta1NamespacedDataImportCronTriggerResponses[201], HeyTrigger>,
  Optional<HeyTriggerOperation, 'body'>,
  // An enumeration, a time, and a quantity.
  Equal<Present<Present<Cron['status']>['lastTrigger']>['outcome'], Outcome>,
  Equal<Present<Present<HeyCron['status']>['lastTrigger']>['outcome'], Outcome>,
  Equal<Present<Trigger['status']>['requestedAt'], string | undefined>,
  Equal<Present<HeyTrigger['status']>['requestedAt'], string | undefined>,
  Equal<Schemas['io.k8s.apimachinery.pkg.api.resource.Quantity'], string | number>,
  Equal<hey.IoK8sApimachineryPkgApiResourceQuantity, string | number>,
] = [true, true, true, true, true, true, true, true, true, true, true, true];

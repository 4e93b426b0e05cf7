import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesOf } from '../../../test/compile/world.js';
import { createLogger } from '../../observe/log.js';
import { createCore } from './core.js';

const objects = [
  '{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {clusterIP: None, selector: {app: web}, ports: [{name: http, port: 80}]}}',
  '{apiVersion: weft.dev/v1alpha1, kind: TrafficPolicy, metadata: {name: closed, namespace: shop}, spec: {targetRefs: [{kind: Service, name: web}], authorization: {defaultAction: Deny}, timeouts: {request: 1s}}}',
];

test('where there are no identities it is said that nobody is denied anything', () => {
  const fieldsIn = (mtls: boolean) => {
    const core = createCore({ mtls }, createLogger('silent', false));
    core.controller.apply(objects.flatMap(changesOf));
    return core.diagnostics().map(({ field }) => field);
  };
  assert.deepEqual(fieldsIn(false), ['spec.authorization']);
  assert.deepEqual(fieldsIn(true), []);
});

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EngineNotFound, EngineRefused, Retryable } from '../../domain/errors.ts'
import { pullError } from './pull.ts'

test('what an engine says of a failed pull tells whether another try is worth it', () => {
  const table: [string, new (...args: never[]) => Error][] = [
    ['unauthorized: authentication required', EngineRefused],
    ['denied: requested access to the resource is denied', EngineRefused],
    ['no matching manifest for linux/s390x in the manifest list entries', EngineRefused],
    ['unsupported manifest media type and no default available', EngineRefused],
    ['http: server gave HTTP response to HTTPS client', EngineRefused],
    ['x509: certificate signed by unknown authority', EngineRefused],
    ['manifest unknown: manifest unknown', EngineNotFound],
    ['manifest for r/x:1 not found: manifest unknown', EngineNotFound],
    ['dial tcp 127.0.0.1:5000: connect: connection refused', Retryable],
    ['received unexpected HTTP status: 503 Service Unavailable', Retryable],
    ['filesystem layer verification failed for digest sha256:00', Retryable],
    ['net/http: request canceled (Client.Timeout exceeded while awaiting headers)', Retryable],
  ]
  for (const [text, kind] of table) {
    const error = pullError('registry.test/x:1', text)
    assert.ok(error instanceof kind, text)
    assert.ok(error.message.includes(text) && error.message.includes('registry.test/x:1'), error.message)
  }
})
